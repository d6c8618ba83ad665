"""A worker slower than its lease: another one takes over, and what really happened stands."""

from collections.abc import Awaitable, Callable, Sequence

import pytest
from typing_extensions import override

from crmsdk.channels.memory import MemoryChannel
from crmsdk.journeys.steps import Send
from crmsdk.ledgers.sqlite import SqliteLedger
from crmsdk.model.content import Content, Envelope
from crmsdk.model.ids import CustomerId
from crmsdk.model.message import Ambiguous, MessageState, Outcome
from crmsdk.policy.answer import Lease
from crmsdk.policy.record import Answer, Reserve
from crmsdk.runtime.crm import Crm
from tests.scenarios.stage import DAY, HOUR, START, WORDS, Stage, journey

pytestmark = pytest.mark.anyio

SERIES = journey("series", Send("hi", "sink"))


class Held(SqliteLedger):
    """The ledger of a worker that stands still just before it asks for a place."""

    other: Crm | None = None

    @override
    async def reserve(self, batch: Sequence[Reserve]) -> Sequence[Answer]:
        other, self.other = self.other, None
        if other is not None:
            await other.advance(START + HOUR)
        return await super().reserve(batch)


async def test_a_message_sent_by_another_worker_meanwhile_stays_sent(stage: Stage) -> None:
    ledger = Held(stage.path)
    async with (
        stage.open(SERIES, worker="slow", ledger=ledger) as slow,
        stage.open(SERIES, worker="quick") as quick,
    ):
        ledger.other = quick
        await slow.track("ann", "signed_up", id="evt", at=START)
        await slow.advance()
    assert stage.sent() == [("ann", "hi")]
    (message,) = await stage.messages("ann")
    assert message.state is MessageState.SENT
    assert [kind for kind, _ in await stage.notes("ann") if kind in {"sent", "refused"}] == ["sent"]


class Meanwhile(SqliteLedger):
    """The ledger of a worker that stands still after it got its places, while something happens."""

    happens: Callable[[], Awaitable[object]] | None = None

    @override
    async def reserve(self, batch: Sequence[Reserve]) -> Sequence[Answer]:
        answers = await super().reserve(batch)
        happens, self.happens = self.happens, None
        if happens is not None:
            await happens()
        return answers


async def test_a_message_withdrawn_before_it_is_marked_is_not_sent_and_the_others_are(stage: Stage) -> None:
    ledger = Meanwhile(stage.path)
    async with stage.open(SERIES, ledger=ledger) as crm:
        for who in ("ann", "bob", "cem"):
            await crm.track(who, "signed_up", id=f"evt-{who}", at=START)
        ledger.happens = lambda: crm.stop("bob")
        done = await crm.advance()
        assert [len(await ledger.entries(CustomerId(who))) for who in ("ann", "bob", "cem")] == [1, 0, 1]
    assert done.sent == 2
    assert sorted(stage.sent()) == [("ann", "hi"), ("cem", "hi")]
    assert await stage.messages("bob") == []


class HeldAfterwards(SqliteLedger):
    """The ledger of a worker that stands still before it frees a place."""

    other: Crm | None = None

    @override
    async def release(self, leases: Sequence[Lease]) -> Sequence[bool]:
        other, self.other = self.other, None
        if other is not None:
            await other.advance(START + HOUR)
        return await super().release(leases)


async def test_a_message_in_the_hands_of_another_worker_is_left_to_it(stage: Stage) -> None:
    ledger = HeldAfterwards(stage.path)
    wrong = {**WORDS, "hi": {"sink.en": "hi {{ nickname }}\n"}}  # it gives the message up
    async with (
        stage.open(SERIES, worker="slow", ledger=ledger, templates=wrong) as slow,
        stage.open(SERIES, worker="quick") as quick,
    ):
        ledger.other = quick
        stage.sink.script([Ambiguous(reason="timeout")])  # sent again under the same key, after the lease
        await slow.track("ann", "signed_up", id="evt", at=START)
        await slow.advance()
        (message,) = await stage.messages("ann")
        assert (message.state, message.worker) == (MessageState.SENDING, "quick")
        await quick.advance(START + 3 * HOUR)
    (message,) = await stage.messages("ann")
    assert message.state is MessageState.SENT
    assert [kind for kind, _ in await stage.notes("ann") if kind in {"sent", "refused"}] == ["sent"]


class Slow(MemoryChannel):
    """A provider that answers after the lease is over, and another worker has sent the message again."""

    other: Crm | None = None

    @override
    async def deliver(self, envelopes: Sequence[Envelope[Content]]) -> Sequence[Outcome]:
        outcomes = await super().deliver(envelopes)
        other, self.other = self.other, None
        if other is not None:
            await other.advance(START + HOUR)
        return outcomes


async def test_a_message_sent_again_after_the_lease_is_told_once(stage: Stage) -> None:
    channel = Slow("sink", everyone=True)
    async with (
        stage.open(SERIES, worker="slow", channels=[channel]) as slow,
        stage.open(SERIES, worker="quick", channels=[channel]) as quick,
    ):
        channel.other = quick
        await slow.track("ann", "signed_up", id="evt", at=START)
        await slow.advance()
    assert (len(channel.kept), len(channel.attempts)) == (1, 2)
    assert [kind for kind, _ in await stage.notes("ann") if kind in {"sent", "refused"}] == ["sent"]


async def test_a_message_nobody_knows_the_fate_of_ends_in_doubt_and_not_as_refused(stage: Stage) -> None:
    channel = MemoryChannel("sink", everyone=True, respond=lambda _: Ambiguous(reason="timeout"))
    channel.script([Ambiguous(reason="timeout")] * 3)
    async with stage.open(SERIES, channels=[channel]) as crm:
        await crm.track("ann", "signed_up", id="evt", at=START)
        await crm.advance()
        await crm.advance(START + 2 * DAY)
    (message,) = await stage.messages("ann")
    assert message.state is MessageState.IN_DOUBT
    (run,) = await stage.runs("ann")
    assert run.outcome == "completed"
