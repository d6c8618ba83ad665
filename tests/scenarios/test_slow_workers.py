"""A worker slower than its lease: another one takes over, and what really happened stands."""

from collections.abc import Sequence

import pytest
from typing_extensions import override

from crmsdk.channels.memory import MemoryChannel
from crmsdk.journeys.steps import Send
from crmsdk.ledgers.sqlite import SqliteLedger
from crmsdk.model.content import Content, Envelope
from crmsdk.model.message import Ambiguous, MessageState, Outcome
from crmsdk.policy.record import Answer, Reserve
from crmsdk.runtime.crm import Crm
from tests.scenarios.stage import DAY, HOUR, START, Stage, journey

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
