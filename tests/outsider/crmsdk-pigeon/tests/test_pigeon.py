# mypy: disable-error-code="explicit-override"
# A stranger need not mark what it overrides.
"""The channel keeps every promise of crmsdk's ports."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import attrs
from crmsdk_pigeon.channel import PigeonAdapter, PigeonChannel, TextContent

from crmsdk.model.address import Address
from crmsdk.model.content import Content, Envelope
from crmsdk.model.ids import MessageId
from crmsdk.model.message import MessageKind
from crmsdk.model.provider import ProviderResponse
from crmsdk.testing.adapter_suite import AdapterSuite
from crmsdk.testing.channel_suite import AT, ChannelRig, ChannelSuite, Trouble, fake_pace
from crmsdk.testing.servers import Answer, HttpCall, HttpStub

KEY = "pigeon-key-2f9a"


def text_envelope(number: int) -> Envelope[Content]:
    return Envelope(
        message=MessageId(f"m{number}"),
        channel="sms",
        to=Address(f"+7900555010{number}"),
        content=TextContent(text=f"m{number} Zugspitze"),
        kind=MessageKind.TRIGGER,
        at=AT,
    )


class PigeonServer(HttpStub):
    """Pigeon Post on loopback: it recognises keys, as the real one does."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[dict[str, str]] = []
        self._answers: dict[str, Answer] = {}

    def respond(self, call: HttpCall) -> Answer:
        if call.headers.get("authorization") != f"Bearer {KEY}":
            return Answer(status=401)
        key = call.headers["idempotency-key"]
        if key not in self._answers:
            pigeons = json.loads(call.body)["pigeons"]
            self.taken += pigeons
            first = len(self.taken)
            flights = [{"ring": f"r{number}"} for number in range(first, first + len(pigeons))]
            self._answers[key] = Answer(body={"flights": flights})
        return self._answers[key]


@attrs.define
class PigeonRig:
    server: PigeonServer
    channel: PigeonChannel
    secrets: Sequence[str] = (KEY,)
    troubles: frozenset[Trouble] = frozenset(Trouble)

    def envelope(self, number: int) -> Envelope[Content]:
        return text_envelope(number)

    def received(self) -> Sequence[MessageId]:
        return [MessageId(pigeon["text"].split()[0]) for pigeon in self.server.taken]

    def raw(self) -> bytes:
        return json.dumps(self.server.taken).encode()

    def connections(self) -> int:
        return self.server.open_connections

    async def make(self, trouble: Trouble) -> None:
        match trouble:
            case Trouble.REFUSED:
                self.server.script([Answer(body={"flights": [{"error": "no such roof"}]})])
            case Trouble.BUSY:
                self.server.script([Answer(status=429, headers={"Retry-After": "60"})])
            case Trouble.LOST:
                self.server.script([Answer(then="cut", taken=True)])
            case Trouble.GARBAGE:
                self.server.script([Answer(body=b"coo", taken=True)] * 3)
            case Trouble.CREDENTIALS:
                self.server.script([Answer(status=403)])
            case Trouble.UNREACHABLE:
                await self.server.stop()
            case Trouble.SILENT:
                self.server.script([Answer(then="silence")])


class TestPigeonChannel(ChannelSuite):
    def open_rig(self, folder: Path) -> AbstractAsyncContextManager[ChannelRig]:
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[ChannelRig]:
        async with PigeonServer() as server:
            yield PigeonRig(server, PigeonChannel(KEY, base_url=server.url, pace=fake_pace()))


class TestPigeonAdapter(AdapterSuite):
    secrets = (KEY,)

    def open_adapter(self) -> PigeonAdapter:
        return PigeonAdapter(KEY, "https://api.pigeon.example")

    def envelope(self, number: int) -> Envelope[Content]:
        return text_envelope(number)

    def accepted(self, batch: Sequence[Envelope[Content]]) -> ProviderResponse:
        return _answer({"flights": [{"ring": "r1"} for _ in batch]})

    def refused(self, batch: Sequence[Envelope[Content]]) -> ProviderResponse:
        return _answer({"flights": [{"error": "no such roof"} for _ in batch]})

    def busy(self) -> ProviderResponse:
        return ProviderResponse(status=429, headers={"Retry-After": "60"})

    def credentials(self) -> ProviderResponse:
        return ProviderResponse(status=403)


def _answer(body: object) -> ProviderResponse:
    return ProviderResponse(status=200, body=json.dumps(body).encode())
