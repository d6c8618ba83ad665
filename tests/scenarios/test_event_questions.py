"""Journeys that start by the clock alone: a local day is over, a span without an event has passed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crmsdk.journeys.steps import Send
from crmsdk.journeys.triggers import enters, leaves
from crmsdk.segments.conditions import Predicate
from crmsdk.segments.words import did, segment, sequence
from tests.scenarios.stage import DAY, HOUR, START, Stage, journey

pytestmark = pytest.mark.anyio

TICK = timedelta(microseconds=1)
MIDNIGHT = datetime(2026, 3, 3, 21, tzinfo=UTC)  # the end of 3 March in Moscow


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.mark.parametrize(
    ("question", "change", "due"),
    [
        # Visits on 2 March at 10:00 UTC and on 3 March; a streak ends with the 4th, a whole day without.
        (did("visit").streak("day") >= 2, leaves, MIDNIGHT + DAY),
        (did("visit").this("day"), leaves, MIDNIGHT),
        (did("visit").previous("day", 2).times(2), enters, MIDNIGHT),
        (did("visit").within(DAY).trend() <= 0, enters, START + 2 * DAY),
        (sequence(did("visit"), did("visit"), within=2 * DAY).without(did("bye")), enters, START + 2 * DAY),
        (did("visit").within(2 * DAY).gaps().mean() <= DAY, leaves, START + 2 * DAY),
        (did("visit").regularly(at_least=2, of=2, period="day"), leaves, MIDNIGHT + DAY),
    ],
)
async def test_t16_time_alone_starts_a_journey_at_the_moment_the_answer_turns(
    stage: Stage, question: Predicate, change: type, due: datetime
) -> None:
    program = journey("late", Send("hi", via="sink"), enter=change(segment("s", question)))
    async with stage.open(program) as crm:
        await crm.identify("ann", id="i", zone="Europe/Moscow")
        await crm.track("ann", "visit", id="v1")
        stage.clock.set(START + DAY)
        await crm.track("ann", "visit", id="v2")
        while (wake := await crm.next_wakeup()) is not None and wake <= due:
            stage.clock.set(wake - TICK)
            await crm.advance()
            assert stage.sent() == []
            stage.clock.set(wake)
            await crm.advance()
        assert stage.clock.now() == due
        assert len(stage.sent()) == 1


async def test_a_purchase_in_time_calls_an_abandoned_cart_off(stage: Stage) -> None:
    abandoned = segment("abandoned", sequence(did("cart"), within=2 * HOUR).without(did("purchase")))
    async with stage.open(journey("carts", Send("hi", via="sink"), enter=enters(abandoned))) as crm:
        await crm.track("ann", "cart", id="c1")
        await crm.track("bob", "cart", id="c2")
        assert await crm.next_wakeup() == START + 2 * HOUR
        stage.clock.set(START + HOUR)
        await crm.track("ann", "purchase", id="p1")
        stage.clock.set(START + 2 * HOUR)
        await crm.advance()
        assert [who for who, _ in stage.sent()] == ["bob"]
