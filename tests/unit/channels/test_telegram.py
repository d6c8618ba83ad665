"""Telegram: requests against the described API, and what each answer means."""

import json
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import attrs
import pytest
from pytest_httpx import HTTPXMock

from crmsdk.channels.telegram import TelegramAdapter, TelegramChannel
from crmsdk.errors import AuthError, ConfigError, UnsupportedFeature
from crmsdk.model.address import Address
from crmsdk.model.content import Button, ChatContent, Content, Envelope, Markup
from crmsdk.model.message import Accepted, Ambiguous, Deferred, Outcome, Rejected, Scope, Suppress
from crmsdk.model.provider import ProviderRequest, ProviderResponse, SendContext
from crmsdk.testing.channel_suite import AT, chat_envelope, fake_pace
from crmsdk.testing.servers import TelegramStub

TOKEN = "123456:AAHsecretsecret"
CONTEXT = SendContext(key="k", now=AT)


def adapter(base_url: str = "https://api.telegram.org", token: Any = TOKEN) -> TelegramAdapter:
    return TelegramAdapter(token, base_url=base_url, name="telegram", attribute="telegram_chat")


def saying(**content: Any) -> Envelope[Any]:
    return attrs.evolve(chat_envelope(1), content=ChatContent(**content))


def fields(request: ProviderRequest) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(request.body)
    return found


def read(status: int, **body: Any) -> Outcome:
    whole = {"ok": False, "error_code": status} | body
    answer = ProviderResponse(status=status, body=json.dumps(whole).encode())
    (outcome,) = adapter().parse([saying(text="x")], answer)
    return outcome


# -- requests


def test_plain_text() -> None:
    request = adapter().build([saying(text="Привет")], CONTEXT)
    assert request.method == "POST"
    assert request.url == "https://api.telegram.org/bot***/sendMessage"
    assert request.target is not None
    assert request.target.reveal() == f"/bot{TOKEN}/sendMessage"
    assert request.headers["content-type" if "content-type" in request.headers else "Content-Type"] == (
        "application/json"
    )
    assert fields(request) == {"chat_id": 700_100_001, "text": "Привет"}


def test_everything() -> None:
    buttons = [[Button("Open", "https://shop.example/")], [Button("Stop", "https://shop.example/stop")]]
    content = {"text": "<b>Да</b>", "markup": Markup.HTML, "buttons": buttons, "silent": True}
    assert fields(adapter().build([saying(**content)], CONTEXT)) == {
        "chat_id": 700_100_001,
        "text": "<b>Да</b>",
        "parse_mode": "HTML",
        "disable_notification": True,
        "reply_markup": {
            "inline_keyboard": [
                [{"text": "Open", "url": "https://shop.example/"}],
                [{"text": "Stop", "url": "https://shop.example/stop"}],
            ]
        },
    }


@pytest.mark.parametrize(
    ("chat", "sent"), [("42", 42), ("-1001234567890", -1001234567890), ("@shop", "@shop")]
)
def test_chat_ids(chat: str, sent: int | str) -> None:
    envelope: Envelope[Any] = attrs.evolve(chat_envelope(1), to=Address(chat))
    assert fields(adapter().build([envelope], CONTEXT))["chat_id"] == sent


@pytest.mark.parametrize("chat", ["shop", "4 2", "42/../x", "@", "@a b", "1" * 17, "--1"])
def test_other_chat_ids_are_refused(chat: str) -> None:
    envelope: Envelope[Any] = attrs.evolve(chat_envelope(1), to=Address(chat))
    with pytest.raises(UnsupportedFeature, match="chat id"):
        adapter().build([envelope], CONTEXT)


def test_own_server_with_a_path() -> None:
    request = adapter("http://127.0.0.1:8081/api/").build([saying(text="x")], CONTEXT)
    assert request.url == "http://127.0.0.1:8081/api/bot***/sendMessage"
    assert request.target is not None
    assert request.target.reveal() == f"/api/bot{TOKEN}/sendMessage"


@pytest.mark.parametrize("url", ["api.telegram.org", "ftp://x", "https://", ""])
def test_base_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="base_url"):
        TelegramChannel(TOKEN, base_url=url)


@pytest.mark.parametrize("token", ["", "98765", "123:abc/../../x", "123:abc\r\nX: y", "bot123:abc"])
async def test_token_that_is_none_stops_the_run_and_is_not_shown(token: str) -> None:
    with pytest.raises(ConfigError) as caught:
        await TelegramChannel(token).deliver([chat_envelope(1)])
    assert not token or token not in str(caught.value)


def test_rotated_token_is_used_at_once() -> None:
    tokens = iter(["1:old", "1:new"])
    rotating = adapter(token=lambda: next(tokens))
    targets = [rotating.build([saying(text="x")], CONTEXT).target for _ in range(2)]
    assert [target.reveal() for target in targets if target] == [
        "/bot1:old/sendMessage",
        "/bot1:new/sendMessage",
    ]


# -- answers


def test_accepted() -> None:
    result = {"message_id": 815, "date": 1, "chat": {"id": 700_100_001, "type": "private"}}
    assert read(200, ok=True, result=result) == Accepted(provider_id="815")
    assert read(200, ok=True) == Accepted()


def test_flood_control_stops_the_whole_bot() -> None:
    found = read(429, description="Too Many Requests: retry after 35", parameters={"retry_after": 35})
    assert isinstance(found, Deferred)
    assert found.retry_after == timedelta(seconds=35)
    assert found.scope is Scope.ACCOUNT


@pytest.mark.parametrize(
    "parameters",
    [None, {"retry_after": True}, {"retry_after": "35"}, {"retry_after": -1}, [], {"retry_after": 1e9}],
)
def test_flood_control_without_a_time(parameters: Any) -> None:
    found = read(429, description="Too Many Requests", parameters=parameters)
    assert isinstance(found, Deferred)
    assert found.retry_after is None


@pytest.mark.parametrize(
    "description",
    ["Forbidden: bot was blocked by the user", "Forbidden: user is deactivated", "Forbidden: bot was kicked"],
)
def test_blocked_bot_is_an_opt_out(description: str) -> None:
    found = read(403, description=description)
    assert isinstance(found, Rejected)
    assert found.suppress is Suppress.OPT_OUT


def test_no_such_chat_suppresses_the_address() -> None:
    found = read(400, description="Bad Request: chat not found")
    assert isinstance(found, Rejected)
    assert found.suppress is Suppress.ADDRESS


def test_migrated_group_says_where_it_went_without_showing_it() -> None:
    found = read(
        400,
        description="Bad Request: group chat was upgraded to a supergroup chat",
        parameters={"migrate_to_chat_id": -1001234567890},
    )
    assert isinstance(found, Rejected)
    assert found.code == "migrated"
    assert found.moved_to == "-1001234567890"
    assert found.suppress is Suppress.ADDRESS
    assert "1001234567890" not in repr(found)


@pytest.mark.parametrize(
    ("description", "code"),
    [
        ('Bad Request: can\'t parse entities: Unsupported start tag "x"', "markup"),
        ("Bad Request: message is too long", "400"),
        ("", "400"),
    ],
)
def test_other_refusals_suppress_nobody(description: str, code: str) -> None:
    found = read(400, description=description)
    assert isinstance(found, Rejected)
    assert (found.code, found.suppress) == (code, None)
    assert not description or description not in found.reason


@pytest.mark.parametrize("status", [401, 404])
def test_wrong_token_is_an_error(status: int) -> None:
    with pytest.raises(AuthError):
        read(status, description="Unauthorized")


@pytest.mark.parametrize("status", [500, 502])
def test_failing_server_is_doubt(status: int) -> None:
    assert isinstance(read(status, description="Internal Server Error"), Ambiguous)


def test_contradiction_is_doubt() -> None:
    assert isinstance(read(200, ok=False), Ambiguous)


# -- the channel


async def test_stub_takes_what_we_send_and_refuses_what_it_should() -> None:
    async with TelegramStub(token=TOKEN, chats=[700_100_001]) as stub:
        channel = TelegramChannel(TOKEN, base_url=stub.url, pace=fake_pace())
        first, second = await channel.deliver([chat_envelope(1), chat_envelope(2)])
        assert first == Accepted(provider_id="1")
        assert isinstance(second, Rejected)
        assert stub.messages == [{"chat_id": 700_100_001, "text": "m1 Zugspitze"}]
        await channel.aclose()


async def test_nothing_shows_the_token(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with TelegramStub(token="1:other") as stub:
        channel = TelegramChannel(TOKEN, base_url=stub.url, pace=fake_pace())
        with pytest.raises(AuthError) as caught:
            await channel.deliver([chat_envelope(1)])
        await channel.aclose()
    sending = channel._sending
    shown = [caplog.text, repr(caught.value), repr(channel), repr(sending), repr(vars(sending))]
    shown += [repr(record.args) for record in caplog.records]
    assert stub.calls[0].path == f"/bot{TOKEN}/sendMessage"
    assert not any("AAHsecretsecret" in text for text in shown)


async def test_users_mock_sees_the_hidden_address(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(
        url="https://api.telegram.org/bot***/sendMessage", json={"ok": True, "result": {"message_id": 3}}
    )
    channel = TelegramChannel(TOKEN)
    envelope: Envelope[Content] = chat_envelope(1)
    assert await channel.deliver([envelope]) == [Accepted(provider_id="3")]
    await channel.aclose()
