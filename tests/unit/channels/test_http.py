"""The door to httpx: what each way of failing means, and that nothing secret is logged."""

import asyncio
import gc
import logging
import warnings
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pytest_httpx import HTTPXMock

from crmsdk.channels._http import HttpxTransport, Timeouts, transport_over
from crmsdk.channels.answers import outcome_of_status, retry_after
from crmsdk.channels.http import HttpChannel, HttpSending
from crmsdk.errors import AuthError, ConfigError, PermanentError
from crmsdk.model.address import ByIdentifier
from crmsdk.model.content import EmailContent, Envelope
from crmsdk.model.customer import IdentifierKind
from crmsdk.model.message import Accepted, Ambiguous, Deferred, Outcome, Rejected, Scope
from crmsdk.model.provider import Capabilities, ProviderRequest, ProviderResponse, SendContext
from crmsdk.model.secret import Secret
from crmsdk.testing.adapter_suite import RecordedTransport
from crmsdk.testing.channel_suite import AT, email_envelope
from crmsdk.testing.servers import Answer, HttpStub

URL = "http://127.0.0.1:1/send"
REQUEST = ProviderRequest(method="POST", url=URL, headers={"X-Key": "k"}, body=b'{"a": 1}')


class Posts:
    """An adapter that posts an address and takes any success."""

    name = "email"
    capabilities = Capabilities(content=EmailContent, address=ByIdentifier(IdentifierKind.EMAIL))

    def build(self, batch: Sequence[Envelope[Any]], context: SendContext) -> ProviderRequest:
        return ProviderRequest(method="POST", url=URL, body=context.key.encode())

    def parse(self, batch: Sequence[Envelope[Any]], response: ProviderResponse) -> Sequence[Outcome]:
        return [outcome_of_status(response) or Accepted(provider_id=response.body.decode())]


# -- what is carried


async def test_request_and_answer_are_carried_whole(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=202, headers={"X-Id": "7"}, content=b"ok")
    transport = HttpxTransport()
    answer = await transport.exchange(REQUEST)
    await transport.aclose()
    assert isinstance(answer, ProviderResponse)
    assert (answer.status, answer.headers["x-id"], answer.body) == (202, "7", b"ok")
    (seen,) = httpx_mock.get_requests()
    assert (seen.method, str(seen.url), seen.content) == ("POST", URL, b'{"a": 1}')
    assert seen.headers["X-Key"] == "k"


async def test_every_pool_can_be_intercepted(httpx_mock: HTTPXMock) -> None:
    """Users mock httpx in their own tests; no pool of ours may slip past."""
    httpx_mock.add_response(is_reusable=True)
    transport = HttpxTransport(pools=3)
    for _ in range(7):
        assert isinstance(await transport.exchange(REQUEST), ProviderResponse)
    await transport.aclose()
    assert len(httpx_mock.get_requests()) == 7


async def test_redirects_are_not_followed(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=302, headers={"Location": "http://elsewhere.example/"})
    answer = await HttpxTransport().exchange(REQUEST)
    assert isinstance(answer, ProviderResponse)
    assert answer.status == 302


async def test_pools_take_turns_and_keep_connections() -> None:
    async with HttpStub() as stub:
        transport = HttpxTransport(pools=3, connections=1)
        request = ProviderRequest(method="POST", url=stub.url)
        for _ in range(9):
            await transport.exchange(request)
        assert stub.connections == 3
        await transport.aclose()


async def test_given_client_is_used_and_stays_open() -> None:
    async with HttpStub() as stub, httpx.AsyncClient(headers={"User-Agent": "mine"}) as client:
        transport = transport_over(client)
        await transport.exchange(ProviderRequest(method="POST", url=stub.url))
        await transport.aclose()
        assert stub.calls[0].headers["user-agent"] == "mine"
        assert not client.is_closed


async def test_given_transport_is_used() -> None:
    transport = RecordedTransport([ProviderResponse(status=200, body=b"7")])
    outcomes = await HttpChannel(Posts(), client=transport).deliver([email_envelope(0)])
    assert outcomes == [Accepted(provider_id="7")]
    assert transport.requests[0].body == b"m0.email"


def test_another_kind_of_client_is_refused() -> None:
    with pytest.raises(ConfigError, match="client is Client; give an httpx"):
        HttpChannel(Posts(), client=httpx.Client())  # type: ignore[arg-type]  # what a user might try


@pytest.mark.parametrize("settings", [{"pools": 0}, {"connections": 0}])
def test_no_pool_is_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="pools or connections"):
        HttpxTransport(**settings)  # type: ignore[arg-type]  # int settings by name


def test_each_event_loop_gets_connections_of_its_own() -> None:
    """Several calls of asyncio.run, as notebooks and scripts do, work with one channel."""
    transport = HttpxTransport()

    async def once() -> object:
        async with HttpStub() as stub:
            return await transport.exchange(ProviderRequest(method="POST", url=stub.url))

    with warnings.catch_warnings():
        # The first loop is gone with its connections; nobody can close them any more.
        warnings.simplefilter("ignore", ResourceWarning)
        first, second = asyncio.run(once()), asyncio.run(once())
        transport._clients.clear()
        transport._turns = iter(())
        gc.collect()
    assert isinstance(first, ProviderResponse)
    assert isinstance(second, ProviderResponse)


# -- what is known of a request without an answer


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (httpx.ConnectError("details"), Deferred),
        (httpx.ConnectTimeout("details"), Deferred),
        (httpx.PoolTimeout("details"), Deferred),
        (httpx.ProxyError("details"), Deferred),
        (httpx.WriteTimeout("details"), Ambiguous),
        (httpx.WriteError("details"), Ambiguous),
        (httpx.ReadTimeout("details"), Ambiguous),
        (httpx.ReadError("details"), Ambiguous),
        (httpx.RemoteProtocolError("details"), Ambiguous),
        (httpx.DecodingError("details"), Ambiguous),
        (httpx.UnsupportedProtocol("details"), Rejected),
        (httpx.LocalProtocolError("Illegal header value b'token'"), Rejected),
        (TimeoutError(), Ambiguous),
    ],
)
async def test_each_failure_means_one_thing(error: Exception, outcome: type, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_exception(error)
    answer = await HttpxTransport().exchange(REQUEST)
    assert type(answer) is outcome
    assert type(error).__name__ in answer.reason  # type: ignore[union-attr]  # no response among them
    assert str(error) == "" or str(error) not in repr(answer)
    if isinstance(answer, Deferred):
        assert answer.scope is Scope.ACCOUNT


async def test_every_error_of_httpx_is_mapped(httpx_mock: HTTPXMock) -> None:
    """A new kind of error in httpx must not leave as a foreign exception."""

    def kinds(parent: type[httpx.RequestError]) -> list[type[httpx.RequestError]]:
        children: list[type[httpx.RequestError]] = parent.__subclasses__()
        return [kind for child in children for kind in (child, *kinds(child))]

    for kind in kinds(httpx.RequestError):
        httpx_mock.add_exception(kind("x"))
        answer = await HttpxTransport().exchange(REQUEST)
        assert isinstance(answer, Deferred | Ambiguous | Rejected), kind


async def test_illegal_header_is_no_request_and_shows_nothing() -> None:
    async with HttpStub() as stub:
        request = ProviderRequest(method="POST", url=stub.url, headers={"Authorization": "to\nken"})
        answer = await HttpxTransport().exchange(request)
    assert isinstance(answer, Rejected)
    assert "ken" not in answer.reason
    assert stub.calls == []


async def test_foreign_letters_in_a_target_are_no_request() -> None:
    request = ProviderRequest(method="POST", url=URL, target=Secret("/ключ"))
    assert isinstance(await HttpxTransport().exchange(request), Rejected)


async def test_real_cut_is_ambiguous_and_real_refusal_deferred() -> None:
    async with HttpStub() as stub:
        transport = HttpxTransport()
        request = ProviderRequest(method="POST", url=stub.url)
        stub.script([Answer(then="cut", taken=True)])
        assert isinstance(await transport.exchange(request), Ambiguous)
        await stub.stop()
        assert isinstance(await transport.exchange(request), Deferred)
        await transport.aclose()


@pytest.mark.parametrize(
    "timeouts",
    [Timeouts(read=timedelta(milliseconds=20)), Timeouts(whole=timedelta(milliseconds=20))],
    ids=["read", "whole"],
)
async def test_silent_provider_is_ambiguous(timeouts: Timeouts) -> None:
    async with HttpStub() as stub:
        stub.script([Answer(then="silence")])
        transport = HttpxTransport(timeouts=timeouts)
        answer = await transport.exchange(ProviderRequest(method="POST", url=stub.url))
        await transport.aclose()
    assert isinstance(answer, Ambiguous)


# -- secrets


async def test_secret_target_goes_over_the_wire_and_into_no_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with HttpStub() as stub:
        request = ProviderRequest(
            method="POST", url=f"{stub.url}/bot***/send", target=Secret("/bot1:s3cret/send?x=1")
        )
        transport = HttpxTransport()
        answer = await transport.exchange(request)
        await transport.aclose()
    assert isinstance(answer, ProviderResponse)
    assert stub.calls[0].path == "/bot1:s3cret/send?x=1"
    assert "bot***" in caplog.text
    assert "s3cret" not in caplog.text
    assert "s3cret" not in repr(request)


# -- the sending


async def test_a_fault_while_building_is_final_and_shows_its_kind_only() -> None:
    class Faulty(Posts):
        def build(self, batch: Sequence[Envelope[Any]], context: SendContext) -> ProviderRequest:
            raise KeyError(batch[0].to.value)

    sending = HttpSending(Faulty(), RecordedTransport([]))
    context = SendContext(key="k", now=AT)
    with pytest.raises(PermanentError, match="KeyError") as caught:
        await sending.send([email_envelope(0)], context)
    assert "person0" not in str(caught.value)
    assert caught.value.__suppress_context__
    (outcome,) = await HttpChannel(Faulty(), client=RecordedTransport([])).deliver([email_envelope(0)])
    assert outcome == Rejected(reason="the provider will never take it", code="permanent")


async def test_missing_secret_stops_the_run() -> None:
    class Keyed(Posts):
        def build(self, batch: Sequence[Envelope[Any]], context: SendContext) -> ProviderRequest:
            return ProviderRequest(method="POST", url=Secret(lambda: "").reveal())

    with pytest.raises(ConfigError, match="secret is empty"):
        await HttpChannel(Keyed(), client=RecordedTransport([])).deliver([email_envelope(0)])


async def test_failure_of_the_transport_is_the_outcome_of_the_whole_batch() -> None:
    transport = RecordedTransport([Rejected(reason="no valid request", code="request")])
    outcomes = await HttpChannel(Posts(), client=transport).deliver([email_envelope(0)])
    assert outcomes == [Rejected(reason="no valid request", code="request")]


# -- what HTTP itself says


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"Retry-After": "120"}, 120),
        ({"Retry-After": " 0 "}, 0),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "1.5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "٣"}, None),
        ({"Retry-After": "9" * 400}, 366 * 86_400),
        ({"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT", "Date": "Sun, 06 Nov 1994 08:48:37 GMT"}, 60),
        ({"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT", "Date": "Sun, 06 Nov 1994 09:48:37 GMT"}, 0),
        ({"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"}, None),
        ({"Retry-After": "Sun, 06 Nov 1994 08:49:37 -0000", "Date": "Sun, 06 Nov 1994 08:48:37 GMT"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], wait: int | None) -> None:
    expected = None if wait is None else timedelta(seconds=wait)
    assert retry_after(ProviderResponse(status=429, headers=headers)) == expected


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, None),
        (202, None),
        (299, None),
        (301, Ambiguous),
        (100, Ambiguous),
        (400, Rejected),
        (403, Rejected),
        (404, Rejected),
        (408, Deferred),
        (413, Rejected),
        (425, Deferred),
        (429, Deferred),
        (500, Ambiguous),
        (503, Ambiguous),
    ],
)
def test_status_alone(status: int, outcome: type | None) -> None:
    found = outcome_of_status(ProviderResponse(status=status))
    assert (None if found is None else type(found)) is outcome
    if isinstance(found, Deferred):
        assert found.scope is (Scope.ACCOUNT if status == 429 else Scope.RECIPIENT)
    if isinstance(found, Rejected):
        assert found.code == str(status)


def test_401_is_the_account_s() -> None:
    with pytest.raises(AuthError):
        outcome_of_status(ProviderResponse(status=401))
