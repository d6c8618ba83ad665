"""Our channels, each with the world it sends to: what the channel suite runs over."""

import io
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from pathlib import Path

import attrs

from crmsdk.channels.console import ConsoleChannel
from crmsdk.channels.eml import EmlChannel
from crmsdk.channels.memory import MemoryChannel
from crmsdk.channels.mime import message_of
from crmsdk.channels.smtp import SmtpChannel
from crmsdk.channels.telegram import TelegramChannel
from crmsdk.errors import AuthError
from crmsdk.model.content import Content, Envelope
from crmsdk.model.ids import MessageId
from crmsdk.model.message import Ambiguous, Deferred, Rejected
from crmsdk.ports import Channel
from crmsdk.testing.channel_suite import Trouble, chat_envelope, email_envelope, fake_pace
from crmsdk.testing.servers import Answer, SmtpFault, SmtpSink, TelegramStub

TOKEN = "123456:AAHsecretsecret"


def mail_ids(mails: Sequence[bytes]) -> list[MessageId]:
    parsed = [message_from_bytes(mail, policy=policy.default) for mail in mails]
    return [MessageId(message_of(str(mail["Message-ID"]))) for mail in parsed]


@attrs.define(kw_only=True)
class Rig:
    """A rig made of values and functions."""

    channel: Channel
    received: Callable[[], Sequence[MessageId]]
    raw: Callable[[], bytes]
    envelope: Callable[[int], Envelope[Content]] = email_envelope
    connections: Callable[[], int] = lambda: 0
    secrets: Sequence[str] = ()
    trouble: dict[Trouble, Callable[[], object]] = attrs.Factory(dict)

    @property
    def troubles(self) -> frozenset[Trouble]:
        return frozenset(self.trouble)

    async def make(self, trouble: Trouble) -> None:
        made = self.trouble[trouble]()
        if hasattr(made, "__await__"):
            await made


@asynccontextmanager
async def memory_rig(folder: Path, channel: MemoryChannel | None = None) -> AsyncIterator[Rig]:
    memory = channel or MemoryChannel()
    yield Rig(
        channel=memory,
        received=lambda: [envelope.message for envelope in memory.kept],
        raw=lambda: repr([dict(envelope.content.parts()) for envelope in memory.kept]).encode(),
        trouble={
            Trouble.REFUSED: lambda: memory.script([Rejected(reason="no")]),
            Trouble.BUSY: lambda: memory.script([Deferred(reason="later")]),
            Trouble.LOST: lambda: memory.script([Ambiguous(reason="who knows")]),
            Trouble.GARBAGE: lambda: memory.script([Ambiguous(reason="who knows")]),
            Trouble.UNREACHABLE: lambda: memory.script([Deferred(reason="no connection")]),
            Trouble.CREDENTIALS: lambda: memory.script([AuthError("refused")]),
        },
    )


@asynccontextmanager
async def console_rig(folder: Path) -> AsyncIterator[Rig]:
    stream = io.StringIO()

    def received() -> list[MessageId]:
        heads = [line.split() for line in stream.getvalue().splitlines() if line.startswith("--- ")]
        return [MessageId(head[2]) for head in heads]

    yield Rig(
        channel=ConsoleChannel(stream), received=received, raw=lambda: stream.getvalue().encode("utf-8")
    )


@asynccontextmanager
async def eml_rig(folder: Path) -> AsyncIterator[Rig]:
    into = folder / "mails"

    def mails() -> list[bytes]:
        paths = sorted(into.glob("*"), key=lambda path: path.stat().st_mtime_ns)
        return [path.read_bytes() for path in paths]

    def block() -> None:
        if into.is_dir():
            into.rename(folder / "aside")
        into.write_text("a file stands where the folder should be")

    yield Rig(
        channel=EmlChannel(into, pace=fake_pace()),
        received=lambda: mail_ids(mails()) if into.is_dir() else [],
        raw=lambda: b"".join(mails()),
        trouble={Trouble.UNREACHABLE: block},
    )


@asynccontextmanager
async def smtp_rig(folder: Path) -> AsyncIterator[Rig]:
    async with SmtpSink() as sink:
        channel = SmtpChannel(sink.host, port=sink.port, encryption="none", pace=fake_pace())
        yield Rig(
            channel=channel,
            received=lambda: mail_ids([mail.data for mail in sink.mails]),
            raw=lambda: b"".join(mail.data for mail in sink.mails),
            connections=lambda: sink.open_connections,
            trouble={
                Trouble.REFUSED: lambda: sink.fail([SmtpFault("RCPT", "550 5.1.1 no such user")]),
                Trouble.BUSY: lambda: sink.fail([SmtpFault("RCPT", "450 4.2.0 greylisted")]),
                Trouble.LOST: lambda: sink.fail([SmtpFault("dot", None)]),
                Trouble.GARBAGE: lambda: sink.fail([SmtpFault("dot", "what?")]),
                # The kept connection dies at the next command, then none opens.
                Trouble.UNREACHABLE: sink.stop,
                Trouble.CREDENTIALS: lambda: sink.fail([SmtpFault("MAIL", "530 5.7.0 log in first")]),
                Trouble.SILENT: lambda: sink.fail([SmtpFault("dot", "")]),
            },
        )


@asynccontextmanager
async def telegram_rig(folder: Path) -> AsyncIterator[Rig]:
    async with TelegramStub(token=TOKEN) as stub:
        channel = TelegramChannel(TOKEN, base_url=stub.url, pace=fake_pace())

        def fail(status: int, description: str, **parameters: int) -> None:
            body = {"ok": False, "error_code": status, "description": description, "parameters": parameters}
            stub.script([Answer(status=status, body=body)])

        yield Rig(
            channel=channel,
            envelope=chat_envelope,
            secrets=[TOKEN],
            received=lambda: [MessageId(fields["text"].split()[0]) for fields in stub.messages],
            raw=lambda: b"".join(call.body for call in stub.calls),
            connections=lambda: stub.open_connections,
            trouble={
                Trouble.REFUSED: lambda: fail(403, "Forbidden: bot was blocked by the user"),
                Trouble.BUSY: lambda: fail(429, "Too Many Requests: retry after 60", retry_after=60),
                Trouble.LOST: lambda: stub.script([Answer(then="cut", taken=True)]),
                Trouble.GARBAGE: lambda: stub.script([Answer(body=b"<html>hello</html>", taken=True)]),
                Trouble.UNREACHABLE: stub.stop,
                Trouble.CREDENTIALS: lambda: fail(401, "Unauthorized"),
                Trouble.SILENT: lambda: stub.script([Answer(then="silence")]),
            },
        )
