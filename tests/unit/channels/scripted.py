"""A provider that plays a script, and a time that passes by sleeping only."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs

from crmsdk.channels.pacing import Pace
from crmsdk.model.address import ByIdentifier
from crmsdk.model.content import EmailContent, Envelope
from crmsdk.model.customer import IdentifierKind
from crmsdk.model.message import Accepted, Deferred, Outcome, Scope
from crmsdk.model.provider import Capabilities, Idempotency, SendContext
from crmsdk.testing.channel_suite import AT, email_envelope

Batch = Sequence[Envelope[Any]]
Answer = Outcome | Exception | Callable[[Batch], Sequence[Outcome]]


def taken(batch: Batch) -> list[Outcome]:
    """Accept a whole batch."""
    return [Accepted(provider_id=envelope.key) for envelope in batch]


@attrs.define
class FakeSending:
    """A provider that plays a script and keeps what it was asked."""

    script: list[Answer] = attrs.Factory(list)
    batch_max: int = 1
    idempotency: Idempotency = Idempotency.NONE
    name: str = "email"
    asked: list[tuple[Batch, SendContext]] = attrs.Factory(list)
    closed: int = 0

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            content=EmailContent,
            address=ByIdentifier(IdentifierKind.EMAIL),
            batch_max=self.batch_max,
            idempotency=self.idempotency,
        )

    async def send(self, batch: Batch, context: SendContext) -> Sequence[Outcome]:
        self.asked.append((list(batch), context))
        await asyncio.sleep(0)
        answer = self.script.pop(0) if self.script else taken
        if isinstance(answer, Exception):
            raise answer
        return answer(batch) if callable(answer) else [answer] * len(batch)

    async def aclose(self) -> None:
        self.closed += 1

    @property
    def messages(self) -> list[list[str]]:
        return [[envelope.message for envelope in batch] for batch, _ in self.asked]


@attrs.define
class FakeTime:
    """A clock that moves by sleeping only."""

    elapsed: float = 0.0
    slept: list[float] = attrs.Factory(list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.elapsed += seconds
        await asyncio.sleep(0)

    def now(self) -> datetime:
        return AT + timedelta(seconds=self.elapsed)

    @property
    def pace(self) -> Pace:
        return Pace(now=self.now, elapsed=lambda: self.elapsed, sleep=self.sleep, draw=lambda: 1.0)


def mails(count: int, *, start: int = 0) -> list[Envelope[Any]]:
    """Make so many e-mails."""
    return [email_envelope(number) for number in range(start, start + count)]


def later(seconds: float | None = None, scope: Scope = Scope.RECIPIENT) -> Deferred:
    """Ask to wait."""
    return Deferred(
        reason="later", retry_after=None if seconds is None else timedelta(seconds=seconds), scope=scope
    )
