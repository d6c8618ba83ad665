"""Small servers on loopback that tests and the demo send real bytes to: a mail server and a Telegram.

They need nothing but the standard library, keep what they get, and fail as they are told.
"""

import asyncio
import json
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeAlias

import attrs
from typing_extensions import override

__all__ = ["Answer", "HttpCall", "HttpStub", "Mail", "SmtpFault", "SmtpSink", "SmtpStage", "TelegramStub"]

_LOOPBACK: Final = "127.0.0.1"
_BIGGEST: Final = 64 * 2**20
_TURNS: Final = 5
"""Turns of the loop in which a connection that was just accepted gets its handler; asyncio loses it if the
server closes before."""
_GONE: Final = (asyncio.IncompleteReadError, ConnectionError)


class _Server(ABC):
    """One listening socket on a free loopback port, open inside ``async with``."""

    def __init__(self) -> None:
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.connections = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, _LOOPBACK, self.port, limit=_BIGGEST)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def host(self) -> str:
        """The loopback address."""
        return _LOOPBACK

    @property
    def open_connections(self) -> int:
        """How many connections are open now."""
        return len(self._writers)

    async def stop(self) -> None:
        """Refuse new connections and cut the open ones."""
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        if self._server is not None:
            self._server.close()
        await self.cut()

    async def cut(self) -> None:
        """Cut all open connections, as a restarted server does."""
        writers = list(self._writers)
        for writer in writers:
            writer.close()
        for writer in writers:
            # Whoever was cut off first, both ends are gone.
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            await self._serve(reader, writer)
        except _GONE:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    @abstractmethod
    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk to one client until it goes."""


SmtpStage: TypeAlias = Literal["connect", "EHLO", "MAIL", "RCPT", "DATA", "body", "dot", "RSET", "QUIT"]
"""Where a mail server can fail: ``body`` is inside the message, ``dot`` after its end."""


@attrs.frozen
class SmtpFault:
    """One failure of the mail server.

    Attributes:
        at: The next time this stage is reached.
        reply: What to answer, as ``550 5.1.1 no such user``; None cuts the connection, an empty text says
            nothing and waits.
        keep: At ``dot`` with no reply: whether the mail was taken all the same.
    """

    at: SmtpStage
    reply: str | None = None
    keep: bool = attrs.field(default=True, kw_only=True)


@attrs.frozen(kw_only=True)
class Mail:
    """A mail the server took over.

    Attributes:
        sender, recipients: As the client announced them.
        data: The message, doubled dots undone.
    """

    sender: str = attrs.field(repr=False)
    recipients: tuple[str, ...] = attrs.field(repr=False)
    data: bytes = attrs.field(repr=False)


class SmtpSink(_Server):
    """A mail server that takes everything and delivers nothing.

    Args:
        extensions: What it offers after EHLO, as ``SIZE 1000``.

    Attributes:
        mails: What it took, in order.
        commands: Every command word it got, in order.
        port: Where it listens; given anew at each opening unless set.
    """

    def __init__(self, *, extensions: Iterable[str] = ("8BITMIME",)) -> None:
        super().__init__()
        self._extensions = tuple(extensions)
        self._faults: deque[SmtpFault] = deque()
        self.mails: list[Mail] = []
        self.commands: list[str] = []

    def fail(self, faults: Iterable[SmtpFault]) -> None:
        """Queue failures; each happens once, in order."""
        self._faults.extend(faults)

    @override
    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._answer(writer, "connect", "220 sink"):
            return
        sender, recipients = "", list[str]()
        while line := await reader.readline():
            word, _, rest = line.decode("ascii", "replace").strip().partition(" ")
            word = word.upper()
            self.commands.append(word)
            going = True
            match word:
                case "EHLO":
                    lines = ["sink", *self._extensions]
                    reply = "\r\n".join(
                        f"250{'-' if place < len(lines) else ' '}{line}"
                        for place, line in enumerate(lines, 1)
                    )
                    going = self._answer(writer, "EHLO", reply)
                case "MAIL":
                    going, sender = self._answer(writer, "MAIL", "250 2.1.0 ok"), _angled(rest)
                    recipients = []
                case "RCPT":
                    taken = not self._faults or self._faults[0].at != "RCPT"
                    going = self._answer(writer, "RCPT", "250 2.1.5 ok")
                    if taken:
                        recipients.append(_angled(rest))
                case "DATA":
                    going = await self._data(reader, writer, sender, tuple(recipients))
                case "RSET" | "NOOP":
                    going = self._answer(writer, "RSET", "250 2.0.0 ok")
                case "QUIT":
                    self._answer(writer, "QUIT", "221 2.0.0 bye")
                    going = False
                case _:
                    writer.write(b"502 5.5.1 unknown command\r\n")
            if not going:
                return
            await writer.drain()

    async def _data(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        sender: str,
        recipients: tuple[str, ...],
    ) -> bool:
        refused = bool(self._faults) and self._faults[0].at == "DATA"
        if not self._answer(writer, "DATA", "354 go on"):
            return False
        if refused:
            return True
        await writer.drain()
        if self._faults and self._faults[0].at == "body":
            self._faults.popleft()
            await reader.read(1)
            writer.transport.abort()
            return False
        data = (await reader.readuntil(b"\r\n.\r\n")).removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
        fault = self._faults[0] if self._faults and self._faults[0].at == "dot" else None
        if fault is None or (fault.reply is None and fault.keep):
            self.mails.append(Mail(sender=sender, recipients=recipients, data=data))
        return self._answer(writer, "dot", "250 2.0.0 taken")

    def _answer(self, writer: asyncio.StreamWriter, stage: SmtpStage, reply: str) -> bool:
        """Write the usual reply or the fault that waits for this stage; False when the line is to be cut."""
        if self._faults and self._faults[0].at == stage:
            given = self._faults.popleft().reply
            if given is None:
                return False
            if not given:
                return True
            reply = given
        writer.write(reply.encode("ascii") + b"\r\n")
        return not reply.startswith("421")


def _angled(text: str) -> str:
    return text.partition("<")[2].partition(">")[0]


@attrs.frozen(kw_only=True)
class HttpCall:
    """One request as the server got it."""

    method: str
    path: str = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Answer:
    """What a server answers.

    Attributes:
        status: As 200.
        body: JSON, or bytes as they are.
        headers: By name.
        then: Send it, cut the connection instead, or say nothing and wait.
        taken: Process the request as usual first, so that only the answer differs.
    """

    status: int = 200
    body: Any = attrs.field(default=b"", repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict)
    then: Literal["send", "cut", "silence"] = "send"
    taken: bool = False


class HttpStub(_Server):
    """An HTTP/1.1 server with scripted answers; a subclass says what it answers otherwise.

    Attributes:
        calls: Every request, in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self._script: deque[Answer] = deque()
        self.calls: list[HttpCall] = []

    @property
    def url(self) -> str:
        """The base address."""
        return f"http://{_LOOPBACK}:{self.port}"

    def script(self, answers: Iterable[Answer]) -> None:
        """Queue answers for the next requests."""
        self._script.extend(answers)

    def respond(self, call: HttpCall) -> Answer:  # noqa: ARG002 - for subclasses
        """Answer a request for which nothing is queued."""
        return Answer(status=200, body={})

    @override
    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            start, *lines = head.decode("latin-1").rstrip().split("\r\n")
            method, path, _ = start.split(" ", 2)
            pairs = (line.partition(":") for line in lines)
            headers = {name.strip().casefold(): value.strip() for name, _, value in pairs}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            call = HttpCall(method=method, path=path, headers=headers, body=body)
            self.calls.append(call)
            scripted = self._script.popleft() if self._script else None
            usual = self.respond(call) if scripted is None or scripted.taken else None
            answer = scripted or usual or Answer()
            if answer.then == "silence":
                await reader.read()  # until the client goes
            if answer.then != "send":
                return
            writer.write(_answer_bytes(answer))
            await writer.drain()


def _answer_bytes(answer: Answer) -> bytes:
    body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
    headers = {"Content-Length": str(len(body)), "Content-Type": "application/json"} | dict(answer.headers)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {answer.status} Scripted\r\n{lines}\r\n".encode("latin-1") + body


class TelegramStub(HttpStub):
    """A Telegram that knows one bot and, unless told which, every chat.

    Args:
        token: The bot's token.
        chats: The chats there are; None for any.

    Attributes:
        messages: The fields of each accepted ``sendMessage``, in order.

    Source:
        https://core.telegram.org/bots/api, "Making requests" and ``sendMessage``.
    """

    def __init__(self, *, token: str = "1:stub", chats: Iterable[int] | None = None) -> None:  # noqa: S107 - a stub's
        super().__init__()
        self._token = token
        self._chats = None if chats is None else frozenset(chats)
        self.messages: list[Mapping[str, Any]] = []

    @override
    def respond(self, call: HttpCall) -> Answer:
        bot, _, method = call.path.removeprefix("/").partition("/")
        if bot != f"bot{self._token}":
            return _refusal(401, "Unauthorized")
        if (call.method, method) != ("POST", "sendMessage"):
            return _refusal(404, "Not Found")
        fields = json.loads(call.body)
        text, chat = fields.get("text", ""), fields.get("chat_id")
        if not isinstance(chat, int | str):
            return _refusal(400, "Bad Request: chat_id is empty")
        if self._chats is not None and chat not in self._chats:
            return _refusal(400, "Bad Request: chat not found")
        if not isinstance(text, str) or not text.strip():
            return _refusal(400, "Bad Request: message text is empty")
        self.messages.append(fields)
        result = {"message_id": len(self.messages), "date": 0, "chat": {"id": chat, "type": "private"}}
        return Answer(body={"ok": True, "result": result})


def _refusal(status: int, description: str) -> Answer:
    return Answer(status=status, body={"ok": False, "error_code": status, "description": description})
