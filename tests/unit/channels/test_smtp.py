"""SMTP: what arrives, what each answer of the server means, and which settings cannot work."""

import sys
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any

import attrs
import pytest

from crmsdk.channels._smtp_replies import outcome_of_reply
from crmsdk.channels.mime import message_of
from crmsdk.channels.smtp import SmtpChannel
from crmsdk.errors import AuthError, ConfigError, UnsupportedFeature
from crmsdk.model.address import Address
from crmsdk.model.content import EmailContent
from crmsdk.model.message import Accepted, Deferred, Rejected, Scope, Sender, Suppress
from crmsdk.testing.channel_suite import email_envelope
from crmsdk.testing.servers import SmtpFault, SmtpSink
from tests.unit.channels.mailing import big, channel_to, message_of_mail, outcome

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
