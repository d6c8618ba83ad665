"""The adapter suite can fail: for each of its promises there is an adapter that breaks it."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

import attrs
import pytest

from crmsdk.channels.telegram import TelegramAdapter
from crmsdk.model.address import Address
from crmsdk.model.content import ChatContent, Content, Envelope
from crmsdk.model.message import Accepted, Deferred, Outcome, Rejected
from crmsdk.model.provider import Idempotency, ProviderRequest, ProviderResponse, SendContext
from crmsdk.testing.adapter_suite import AdapterSuite
from tests.conformance import test_adapters
from tests.suites.promises import promises_of


class Broken(TelegramAdapter):
    def __init__(self) -> None:
        super().__init__("1:token", base_url="https://t.example", name="telegram", attribute="telegram_chat")


class CountsItsRequests(Broken):
    count = 0

    def build(self, batch: Sequence[Envelope[ChatContent]], context: SendContext) -> ProviderRequest:
        request = super().build(batch, context)
        CountsItsRequests.count += 1
        return attrs.evolve(request, headers={**request.headers, "X-Count": str(self.count)})


class WritesTheTime(Broken):
    def build(self, batch: Sequence[Envelope[ChatContent]], context: SendContext) -> ProviderRequest:
        request = super().build(batch, context)
        return attrs.evolve(request, body=request.body + str(context.now).encode())


class LosesTheKey(Broken):
    @property
    def capabilities(self) -> Any:
        return attrs.evolve(super().capabilities, idempotency=Idempotency.KEY)


class ForgetsTheRecipient(Broken):
    def build(self, batch: Sequence[Envelope[ChatContent]], context: SendContext) -> ProviderRequest:
        return attrs.evolve(super().build(batch, context), body=b"{}")


class PutsTheTokenIntoTheUrl(Broken):
    def build(self, batch: Sequence[Envelope[ChatContent]], context: SendContext) -> ProviderRequest:
        request = super().build(batch, context)
        return attrs.evolve(request, url=request.url.replace("***", self._token.reveal()))


class Parses(Broken):
    """Reads every answer in one way."""

    def __init__(self, outcomes: Callable[[Any, Any], Sequence[Outcome]]) -> None:
        super().__init__()
        self.outcomes = outcomes

    def parse(self, batch: Sequence[Envelope[ChatContent]], response: ProviderResponse) -> Sequence[Outcome]:
        return self.outcomes(batch, response)


def parses(outcomes: Callable[[Any, Any], Sequence[Outcome]]) -> Callable[[], Broken]:
    return lambda: Parses(outcomes)


SERVER_ERROR = (500,)
ADAPTER_FAULTS: list[tuple[str, Callable[[], Broken], tuple[object, ...]]] = [
    ("test_same_batch_gives_same_bytes", CountsItsRequests, ()),
    ("test_later_attempt_gives_the_same_body", WritesTheTime, ()),
    ("test_request_carries_the_key_where_keys_are_known", LosesTheKey, ()),
    ("test_each_envelope_is_in_the_request", ForgetsTheRecipient, ()),
    ("test_no_secret_stands_in_what_is_logged", PutsTheTokenIntoTheUrl, ()),
    ("test_accepted_batch_gives_one_acceptance_each", parses(lambda batch, _: []), ()),
    ("test_refused_batch_gives_one_refusal_each", parses(lambda batch, _: [Accepted()]), ()),
    (
        "test_request_to_wait_is_deferred_for_as_long_as_asked",
        parses(lambda batch, _: [Deferred(reason="?")]),
        (),
    ),
    ("test_wrong_credentials_are_an_error", parses(lambda batch, _: [Rejected(reason="?")]), ()),
    ("test_any_answer_gives_one_outcome_each", parses(lambda batch, _: []), (200, b"{")),
    ("test_any_answer_gives_one_outcome_each", parses(lambda batch, got: got.body["x"]), (200, b"{")),
    ("test_unreadable_success_is_no_failure", parses(lambda batch, _: [Rejected(reason="?")]), (b"{",)),
    ("test_unreadable_success_is_no_failure", parses(lambda batch, _: [Deferred(reason="?")]), (b"{",)),
    ("test_failing_server_is_no_refusal", parses(lambda batch, _: [Rejected(reason="?")]), SERVER_ERROR),
    (
        "test_outcomes_show_no_address",
        parses(lambda batch, _: [Rejected(reason=batch[0].to.value)]),
        (),
    ),
    ("test_it_runs_in_a_channel", parses(lambda batch, _: [Rejected(reason="?")]), ()),
]


@pytest.mark.parametrize(("promise", "make", "arguments"), ADAPTER_FAULTS)
def test_planted_adapter_fault_is_caught(
    promise: str, make: Callable[[], Broken], arguments: tuple[object, ...]
) -> None:
    suite = type("Suite", (test_adapters.TestTelegramAdapter,), {"open_adapter": lambda self: make()})()
    with pytest.raises((AssertionError, pytest.fail.Exception, TypeError)):
        getattr(suite, promise)(*arguments)


def test_each_adapter_promise_has_a_planted_fault() -> None:
    assert promises_of(AdapterSuite) == {promise for promise, _, _ in ADAPTER_FAULTS}


class SendsForms(Broken):
    def build(self, batch: Sequence[Envelope[ChatContent]], context: SendContext) -> ProviderRequest:
        form = urlencode([("phone", envelope.to.value) for envelope in batch])
        return attrs.evolve(super().build(batch, context), body=form.encode())


class FormSuite(test_adapters.TestTelegramAdapter):
    __test__ = False

    def open_adapter(self) -> Broken:
        return SendsForms()

    def envelope(self, number: int) -> Envelope[Content]:
        return attrs.evolve(super().envelope(number), to=Address(f"@person{number}"))


def test_an_address_may_stand_percent_encoded_in_a_form() -> None:
    FormSuite().test_each_envelope_is_in_the_request()
