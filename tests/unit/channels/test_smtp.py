"""SMTP: what each answer and each broken connection means, and how connections are kept."""

import asyncio
import logging
import ssl
import sys
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import attrs
import pytest
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from crmsdk.channels._smtp_replies import outcome_of_reply
from crmsdk.channels.mime import message_of
from crmsdk.channels.pacing import Pace, RetryPolicy
from crmsdk.channels.smtp import SmtpChannel
from crmsdk.errors import AuthError, ConfigError, UnsupportedFeature
from crmsdk.model.address import Address
from crmsdk.model.content import Content, EmailContent, Envelope
from crmsdk.model.message import Accepted, Ambiguous, Deferred, Rejected, Scope, Sender, Suppress
from crmsdk.testing.channel_suite import email_envelope, fake_pace
from crmsdk.testing.servers import SmtpFault, SmtpSink

CERTIFICATE = Path(__file__).with_name("localhost.pem")
ONCE = RetryPolicy(attempts=1)


@asynccontextmanager
async def channel_to(sink: SmtpSink, **settings: Any) -> AsyncIterator[SmtpChannel]:
    whole: dict[str, Any] = {"encryption": "none", "pace": fake_pace(), "retry": ONCE, "connections": 1}
    channel = SmtpChannel(sink.host, port=sink.port, **(whole | settings))
    try:
        yield channel
    finally:
        await channel.aclose()


async def outcome(channel: SmtpChannel, number: int = 1) -> object:
    (found,) = await channel.deliver([email_envelope(number)])
    return found


def big(number: int, size: int = 2_000_000) -> Envelope[Content]:
    """An e-mail that no system buffer takes whole."""
    return attrs.evolve(
        email_envelope(number), content=EmailContent(subject="s", text="строка\n" * (size // 7))
    )


# -- one message


async def test_mail_arrives_as_announced() -> None:
    async with SmtpSink() as sink, channel_to(sink) as channel:
        found = await outcome(channel)
        (mail,) = sink.mails
    assert mail.sender == "news@example.com"
    assert mail.recipients == ("person1@example.org",)
    assert found == Accepted(provider_id="<m1@example.com>")
    assert message_of("<m1@example.com>") == "m1"


async def test_lines_of_dots_arrive_whole() -> None:
    text = ".\n..\n.hidden\n" + "." * 200 + "\nend."
    envelope = attrs.evolve(email_envelope(1), content=EmailContent(subject="s", text=text))
    async with SmtpSink() as sink, channel_to(sink) as channel:
        await channel.deliver([envelope])
        mail = message_from_bytes(sink.mails[0].data, policy=policy.default)
        assert mail.get_content().replace("\r\n", "\n") == text + "\n"
        await outcome(channel, 2)
        assert len(sink.mails) == 2


async def test_large_mail_arrives_whole() -> None:
    async with SmtpSink() as sink, channel_to(sink) as channel:
        assert isinstance((await channel.deliver([big(1)]))[0], Accepted)
        assert len(sink.mails[0].data) > 2_000_000
        assert isinstance(await outcome(channel, 2), Accepted)
        assert sink.connections == 1


async def test_channel_s_own_sender_serves_messages_without_one() -> None:
    own = Sender(id="own", address="own@example.com")
    nameless = attrs.evolve(email_envelope(1), sender=None)
    async with SmtpSink() as sink:
        async with channel_to(sink, sender=own) as channel:
            assert not channel.capabilities.sender
            assert isinstance((await channel.deliver([nameless]))[0], Accepted)
        async with channel_to(sink) as channel:
            (found,) = await channel.deliver([nameless])
            assert isinstance(found, Rejected)
        assert [mail.sender for mail in sink.mails] == ["own@example.com"]


@pytest.mark.parametrize("address", ["boleyn", "анна@example.org", "ann@exa mple.org", "<ann@example.org>"])
async def test_addresses_no_mail_can_bear_are_refused_by_check(address: str) -> None:
    envelope = attrs.evolve(email_envelope(1), to=Address(address))
    async with SmtpSink() as sink, channel_to(sink) as channel:
        with pytest.raises(UnsupportedFeature) as caught:
            channel.check(envelope)
        assert address not in str(caught.value)
        (found,) = await channel.deliver([envelope])
        assert isinstance(found, Rejected)
        assert sink.connections == 0


async def test_header_no_line_can_hold_is_refused_before_connecting() -> None:
    content = EmailContent(subject="s", text="t", headers={"X-Long": "y" * 1_000})
    async with SmtpSink() as sink, channel_to(sink) as channel:
        (found,) = await channel.deliver([attrs.evolve(email_envelope(1), content=content)])
        assert isinstance(found, Rejected)
        assert found.code == "unsupported"
        assert sink.connections == 0


async def test_size_limit_of_the_server_is_respected() -> None:
    async with SmtpSink(extensions=["SIZE 1000"]) as sink, channel_to(sink) as channel:
        assert isinstance(await outcome(channel, 1), Accepted)
        (found,) = await channel.deliver([big(2, 2_000)])
        assert found == Rejected(reason="the message is larger than the mail server takes", code="552")
        assert isinstance(await outcome(channel, 3), Accepted)
        assert sink.connections == 1


# -- refusals


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (
            SmtpFault("RCPT", "550 5.1.1 no such user person1@example.org"),
            Rejected(
                reason="the mail server refused the recipient (550 5.1.1)",
                code="550 5.1.1",
                suppress=Suppress.ADDRESS,
            ),
        ),
        (
            SmtpFault("RCPT", "550 no"),
            Rejected(reason="the mail server refused the recipient (550)", code="550"),
        ),
        (
            SmtpFault("RCPT", "552 5.2.2 mailbox full"),
            Rejected(reason="the mail server refused the recipient (552 5.2.2)", code="552 5.2.2"),
        ),
        (
            SmtpFault("RCPT", "450 4.2.0 greylisted"),
            Deferred(
                reason="the mail server refused the recipient (450 4.2.0)", retry_after=timedelta(minutes=30)
            ),
        ),
        (
            SmtpFault("MAIL", "550 5.1.1 who are you"),
            Rejected(reason="the mail server refused the sender (550 5.1.1)", code="550 5.1.1"),
        ),
        (
            SmtpFault("MAIL", "451 4.7.1 slow down"),
            Deferred(
                reason="the mail server refused the sender (451 4.7.1)",
                retry_after=timedelta(minutes=30),
                scope=Scope.SENDER,
            ),
        ),
        (
            SmtpFault("DATA", "454 throttling"),
            Deferred(
                reason="the mail server refused the message (454)",
                retry_after=timedelta(minutes=30),
                scope=Scope.ACCOUNT,
            ),
        ),
        (
            SmtpFault("dot", "452 4.3.1 full"),
            Deferred(
                reason="the mail server refused the message (452 4.3.1)",
                retry_after=timedelta(minutes=30),
                scope=Scope.ACCOUNT,
            ),
        ),
        (
            SmtpFault("dot", "554 5.7.1 spam"),
            Rejected(reason="the mail server refused the message (554 5.7.1)", code="554 5.7.1"),
        ),
        (
            SmtpFault("dot", "550 5.1.1 no such user"),
            Rejected(
                reason="the mail server refused the message (550 5.1.1)",
                code="550 5.1.1",
                suppress=Suppress.ADDRESS,
            ),
        ),
    ],
    ids=lambda value: f"{value.at} {value.reply}" if isinstance(value, SmtpFault) else "",
)
async def test_refusal(fault: SmtpFault, expected: object) -> None:
    """The outcome says what is known, without the server's text, and the connection goes on."""
    async with SmtpSink() as sink, channel_to(sink) as channel:
        sink.fail([fault])
        assert await outcome(channel, 1) == expected
        channel._gates._opens.clear()
        assert isinstance(await outcome(channel, 2), Accepted)
        assert [message_of_mail(mail.data) for mail in sink.mails] == ["m2"]
        assert sink.connections == 1


async def test_any_reply_of_success_to_the_message_means_it_was_taken() -> None:
    async with SmtpSink() as sink, channel_to(sink) as channel:
        sink.fail([SmtpFault("dot", "251 taken")])
        assert isinstance(await outcome(channel), Accepted)


def message_of_mail(data: bytes) -> str:
    line = next(line for line in data.split(b"\r\n") if line.startswith(b"Message-ID:"))
    return message_of(line.decode().partition(":")[2])


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "dot"])
@pytest.mark.parametrize("code", [530, 535])
async def test_login_wanted_stops_the_run(stage: Any, code: int) -> None:
    async with SmtpSink() as sink, channel_to(sink) as channel:
        sink.fail([SmtpFault(stage, f"{code} 5.7.0 log in")])
        with pytest.raises(AuthError):
            await outcome(channel)


async def test_several_recipients_fail_apart() -> None:
    async with SmtpSink() as sink, channel_to(sink, connections=1) as channel:
        sink.fail([SmtpFault("RCPT", "550 5.1.1 no")])
        outcomes = await channel.deliver([email_envelope(number) for number in range(4)])
        assert [type(found) for found in outcomes] == [Rejected, Accepted, Accepted, Accepted]
        assert len(sink.mails) == 3


def test_enhanced_code_of_another_text_is_not_believed() -> None:
    found = outcome_of_reply(550, "see http://x/5.1.1 for help", "recipient")
    assert isinstance(found, Rejected)
    assert found.suppress is None


# -- broken connections


@pytest.mark.parametrize("stage", ["connect", "EHLO", "MAIL", "RCPT", "DATA"])
async def test_cut_before_the_message_is_deferred(stage: Any) -> None:
    async with SmtpSink() as sink, channel_to(sink) as channel:
        sink.fail([SmtpFault(stage, None)])
        found = await outcome(channel)
        assert isinstance(found, Deferred)
        assert found.scope is Scope.ACCOUNT
        assert sink.mails == []


async def test_cut_inside_a_large_message_is_deferred() -> None:
    """Its end has not left yet, so the server has nothing it could deliver."""
    async with SmtpSink() as sink, channel_to(sink) as channel:
        sink.fail([SmtpFault("body", None)])
        (found,) = await channel.deliver([big(1, 16_000_000)])
        assert isinstance(found, Deferred)
        assert sink.mails == []


@pytest.mark.parametrize("keep", [True, False])
async def test_t05_cut_after_the_message_is_ambiguous_and_not_repeated(keep: bool) -> None:
    """Whether the server took it or not, nobody here can know."""
    async with SmtpSink() as sink, channel_to(sink, retry=RetryPolicy()) as channel:
        sink.fail([SmtpFault("dot", None, keep=keep)])
        found = await outcome(channel)
        assert isinstance(found, Ambiguous)
        assert len(sink.mails) == int(keep)
        assert sink.commands.count("DATA") == 1


@pytest.mark.parametrize(
    ("stage", "expected"), [("connect", Deferred), ("RCPT", Deferred), ("dot", Ambiguous)]
)
async def test_silent_server(stage: Any, expected: type) -> None:
    async with (
        SmtpSink() as sink,
        channel_to(sink, timeout=timedelta(milliseconds=50)) as channel,
    ):
        sink.fail([SmtpFault(stage, "")])
        assert isinstance(await outcome(channel), expected)


async def test_silent_server_inside_a_large_message_is_deferred() -> None:
    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 x\r\n")
        for reply in (b"250 x\r\n", b"250 x\r\n", b"250 x\r\n", b"354 x\r\n"):
            await reader.readline()
            writer.write(reply)
        await done.wait()
        writer.close()

    done = asyncio.Event()
    server = await asyncio.start_server(stall, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    channel = SmtpChannel(
        "127.0.0.1", port=port, encryption="none", timeout=timedelta(milliseconds=100), retry=ONCE
    )
    (found,) = await channel.deliver([big(1, 16_000_000)])
    assert isinstance(found, Deferred)
    done.set()
    await asyncio.sleep(0)
    server.close()
    await channel.aclose()


async def test_nonsense_for_an_answer_is_ambiguous() -> None:
    async with SmtpSink() as sink, channel_to(sink) as channel:
        sink.fail([SmtpFault("dot", "what?")])
        assert isinstance(await outcome(channel), Ambiguous)


async def test_nonsense_before_the_message_is_deferred() -> None:
    async with SmtpSink() as sink, channel_to(sink) as channel:
        sink.fail([SmtpFault("RCPT", "what?")])
        assert isinstance(await outcome(channel), Deferred)
        assert isinstance(await outcome(channel, 2), Accepted)


@pytest.mark.parametrize("greeting", ["421 4.3.2 not now", "554 no mail here"])
async def test_unfriendly_greeting_is_deferred(greeting: str) -> None:
    async with SmtpSink() as sink, channel_to(sink) as channel:
        sink.fail([SmtpFault("connect", greeting)])
        found = await outcome(channel)
        assert isinstance(found, Deferred)
        assert found.scope is Scope.ACCOUNT


async def test_no_server_is_deferred() -> None:
    async with SmtpSink() as sink:
        channel = SmtpChannel(sink.host, port=sink.port, encryption="none", pace=fake_pace())
        await sink.stop()
        found = await outcome(channel)
        assert isinstance(found, Deferred)
        assert found.scope is Scope.ACCOUNT


# -- kept connections


async def test_connection_is_kept() -> None:
    async with SmtpSink() as sink, channel_to(sink) as channel:
        for number in range(5):
            await outcome(channel, number)
        assert sink.connections == 1
        assert sink.commands.count("EHLO") == 1


async def test_no_more_connections_than_allowed() -> None:
    async with SmtpSink() as sink, channel_to(sink, connections=3) as channel:
        calls = [
            channel.deliver([email_envelope(number + 10 * call) for number in range(5)]) for call in range(4)
        ]
        await asyncio.gather(*calls)
        assert len(sink.mails) == 20
        assert sink.connections <= 3


@pytest.mark.parametrize(
    "fault", [SmtpFault("MAIL", None), SmtpFault("MAIL", "421 4.4.2 idle too long"), SmtpFault("RCPT", None)]
)
async def test_kept_connection_that_died_is_renewed_unseen(fault: SmtpFault) -> None:
    async with SmtpSink() as sink, channel_to(sink) as channel:
        await outcome(channel, 1)
        sink.fail([fault])
        assert isinstance(await outcome(channel, 2), Accepted)
        assert sink.connections == 2
        assert [message_of_mail(mail.data) for mail in sink.mails] == ["m1", "m2"]


async def test_restarted_server_is_reached_again() -> None:
    async with SmtpSink() as sink, channel_to(sink) as channel:
        await outcome(channel, 1)
        await sink.cut()
        assert isinstance(await outcome(channel, 2), Accepted)


async def test_421_on_a_new_connection_is_deferred_and_repeated() -> None:
    async with SmtpSink() as sink, channel_to(sink, retry=RetryPolicy()) as channel:
        sink.fail([SmtpFault("RCPT", "421 4.7.0 too many"), SmtpFault("dot", "421 4.3.0 closing")])
        assert isinstance(await outcome(channel), Accepted)
        assert sink.connections == 3
        assert len(sink.mails) == 1


async def test_connection_is_renewed_after_so_many_messages() -> None:
    async with SmtpSink() as sink, channel_to(sink, messages_per_connection=2) as channel:
        for number in range(5):
            await outcome(channel, number)
        assert sink.connections == 3
        assert sink.commands.count("QUIT") == 2


async def test_idle_connection_is_renewed() -> None:
    elapsed = 0.0
    pace = Pace(elapsed=lambda: elapsed)
    async with SmtpSink() as sink, channel_to(sink, pace=pace, idle=timedelta(seconds=30)) as channel:
        await outcome(channel, 1)
        elapsed = 30.0
        await outcome(channel, 2)
        assert sink.connections == 1
        elapsed = 61.0
        await outcome(channel, 3)
        assert sink.connections == 2


async def test_closing_says_goodbye() -> None:
    async with SmtpSink() as sink, channel_to(sink) as channel:
        await outcome(channel)
        await channel.aclose()
        assert sink.commands[-1] == "QUIT"


@pytest.mark.parametrize("fault", [SmtpFault("QUIT", None), SmtpFault("QUIT", "500 what?")])
async def test_closing_does_not_mind_a_rude_server(fault: SmtpFault) -> None:
    async with SmtpSink() as sink, channel_to(sink) as channel:
        await outcome(channel)
        sink.fail([fault])
        await channel.aclose()


def test_each_event_loop_gets_connections_of_its_own() -> None:
    channel: SmtpChannel | None = None

    async def once(port: int) -> tuple[int, object]:
        nonlocal channel
        sink = SmtpSink()
        sink.port = port
        async with sink:
            channel = channel or SmtpChannel(sink.host, port=sink.port, encryption="none")
            return sink.port, await outcome(channel)

    port, first = asyncio.run(once(0))
    _, second = asyncio.run(once(port))
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)


@pytest.mark.parametrize("stage", ["connect", "MAIL", "dot"])
async def test_cancelled_message_gives_its_connection_up(stage: Any) -> None:
    async with SmtpSink() as sink, channel_to(sink) as channel:
        sink.fail([SmtpFault(stage, "")])
        task = asyncio.create_task(outcome(channel))
        for _ in range(200):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert isinstance(await outcome(channel, 2), Accepted)
        assert sink.connections == 2


# -- login and encryption, against aiosmtpd


class Keeper(Sink):
    """Keeps who logged in and what came."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append((session.authenticated, session.ssl is not None, envelope))
        return "250 2.0.0 ok"


def judge(server: Any, session: Any, envelope: Any, mechanism: str, auth: Any) -> AuthResult:
    good = isinstance(auth, LoginPassword) and (auth.login, auth.password) == (b"shop", b"s3cret")
    return AuthResult(success=good, handled=False)


@asynccontextmanager
async def aiosmtpd(**settings: Any) -> AsyncIterator[tuple[int, Keeper]]:
    keeper = Keeper()

    def serve() -> SMTP:
        with warnings.catch_warnings():
            # It warns of logins without TLS, which is what some of these tests are about.
            warnings.simplefilter("ignore", UserWarning)
            return SMTP(keeper, hostname="test", **settings)

    server = await asyncio.get_running_loop().create_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], keeper
    finally:
        server.close()
        for _ in range(10):  # its connections notice that the client has gone
            await asyncio.sleep(0)


def server_tls() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    return context


def client_tls() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(CERTIFICATE))


LOGIN = {"authenticator": judge, "auth_required": True, "auth_require_tls": False}


async def test_login_with_a_password() -> None:
    async with aiosmtpd(**LOGIN) as (port, keeper):
        channel = SmtpChannel("127.0.0.1", port=port, encryption="none", username="shop", password="s3cret")
        assert isinstance(await outcome(channel), Accepted)
        await channel.aclose()
    assert keeper.mails[0][0] is True


async def test_wrong_password_stops_the_run_and_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with aiosmtpd(**LOGIN) as (port, _):
        channel = SmtpChannel("127.0.0.1", port=port, encryption="none", username="shop", password="wr0ng")
        with pytest.raises(AuthError) as caught:
            await outcome(channel)
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("mail.")]
    shown = [*ours, repr(caught.value), repr(channel), repr(vars(channel._sending))]
    assert not any("wr0ng" in text for text in shown)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


async def test_rotated_password_is_used_at_the_next_connection() -> None:
    passwords = iter(["old", "s3cret"])
    async with aiosmtpd(**LOGIN) as (port, _):
        channel = SmtpChannel(
            "127.0.0.1", port=port, encryption="none", username="shop", password=lambda: next(passwords)
        )
        with pytest.raises(AuthError):
            await outcome(channel)
        assert isinstance(await outcome(channel), Accepted)
        await channel.aclose()


async def test_server_without_login_is_a_setting_that_cannot_work() -> None:
    async with SmtpSink() as sink:
        channel = SmtpChannel(
            sink.host, port=sink.port, encryption="none", username="shop", password="s3cret"
        )
        with pytest.raises(ConfigError, match="no STARTTLS or no login"):
            await outcome(channel)


async def test_temporary_trouble_with_logins_is_deferred() -> None:
    def busy(*_: Any) -> AuthResult:
        return AuthResult(success=False, handled=False, message="454 4.7.0 temporary failure")

    async with aiosmtpd(**(LOGIN | {"authenticator": busy})) as (port, _):
        channel = SmtpChannel(
            "127.0.0.1", port=port, encryption="none", username="shop", password="s3cret", retry=ONCE
        )
        assert isinstance(await outcome(channel), Deferred)


async def test_login_that_is_required_and_not_given_stops_the_run() -> None:
    async with aiosmtpd(**LOGIN) as (port, _):
        channel = SmtpChannel("127.0.0.1", port=port, encryption="none")
        with pytest.raises(AuthError):
            await outcome(channel)


async def test_starttls() -> None:
    async with aiosmtpd(tls_context=server_tls(), require_starttls=True) as (port, keeper):
        channel = SmtpChannel("localhost", port=port, tls=client_tls())
        assert isinstance(await outcome(channel), Accepted)
        await channel.aclose()
    assert keeper.mails[0][1] is True


async def test_starttls_is_never_left_out() -> None:
    """A server, or somebody on the way, that hides STARTTLS gets no message and no password."""
    async with SmtpSink() as sink:
        channel = SmtpChannel("127.0.0.1", port=sink.port, username="shop", password="s3cret")
        with pytest.raises(ConfigError, match="STARTTLS"):
            await outcome(channel)
        assert "AUTH" not in sink.commands
        assert sink.mails == []


async def test_untrusted_certificate_is_a_setting_that_cannot_work() -> None:
    async with aiosmtpd(tls_context=server_tls()) as (port, keeper):
        with pytest.raises(ConfigError, match="not trusted"):
            await outcome(SmtpChannel("localhost", port=port))
        assert keeper.mails == []


async def test_tls_to_a_plain_port_is_a_setting_that_cannot_work() -> None:
    async with SmtpSink() as sink:
        with pytest.raises(ConfigError, match="no TLS"):
            await outcome(SmtpChannel("localhost", port=sink.port, encryption="tls", tls=client_tls()))


# -- settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"username": "a"}, "go together"),
        ({"password": "a"}, "go together"),
        ({"encryption": "ssl"}, "starttls, tls, none"),
        ({"encryption": "none", "username": "a", "password": "b"}, "in the clear"),
        ({"connections": 0}, "below 1"),
        ({"messages_per_connection": 0}, "below 1"),
    ],
)
def test_settings_that_cannot_work(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SmtpChannel("mail.example.com", **settings)


@pytest.mark.parametrize(("encryption", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_usual_ports(encryption: Any, port: int) -> None:
    channel = SmtpChannel("mail.example.com", encryption=encryption)
    assert channel._sending._pool._server.port == port  # type: ignore[attr-defined]  # its sending is SMTP's


def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiosmtplib", None)
    for module in ("_smtp_pool", "_smtp_session"):
        monkeypatch.delitem(sys.modules, f"crmsdk.channels.{module}", raising=False)
    with pytest.raises(ConfigError, match=r"install crmsdk\[smtp\]"):
        SmtpChannel("mail.example.com")


def test_machine_without_a_usable_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "under_score")
    channel = SmtpChannel("mail.example.com")
    assert channel._sending._pool._server.local_name == "[127.0.0.1]"  # type: ignore[attr-defined]  # as above
