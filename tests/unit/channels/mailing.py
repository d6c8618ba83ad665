"""E-mail by SMTP to a server of the test's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs

from crmsdk.channels.mime import message_of
from crmsdk.channels.pacing import RetryPolicy
from crmsdk.channels.smtp import SmtpChannel
from crmsdk.model.content import Content, EmailContent, Envelope
from crmsdk.testing.channel_suite import email_envelope, fake_pace
from crmsdk.testing.servers import SmtpSink

ONCE = RetryPolicy(attempts=1)


@asynccontextmanager
async def channel_to(sink: SmtpSink, **settings: Any) -> AsyncIterator[SmtpChannel]:
    """Open a channel that keeps one connection, waits for nothing and repeats nothing."""
    whole: dict[str, Any] = {"encryption": "none", "pace": fake_pace(), "retry": ONCE, "connections": 1}
    channel = SmtpChannel(sink.host, port=sink.port, **(whole | settings))
    try:
        yield channel
    finally:
        await channel.aclose()


async def outcome(channel: SmtpChannel, number: int = 1) -> object:
    """Deliver one e-mail."""
    (found,) = await channel.deliver([email_envelope(number)])
    return found


def big(number: int, size: int = 2_000_000) -> Envelope[Content]:
    """An e-mail that no system buffer takes whole."""
    return attrs.evolve(
        email_envelope(number), content=EmailContent(subject="s", text="строка\n" * (size // 7))
    )


def message_of_mail(data: bytes) -> str:
    """Tell which message a mail is."""
    line = next(line for line in data.split(b"\r\n") if line.startswith(b"Message-ID:"))
    return message_of(line.decode().partition(":")[2])
