"""A segment that is built anew restarts nobody's journey and loses no step that is planned."""

import pytest

from crmsdk.journeys.steps import Send, Wait
from crmsdk.journeys.triggers import enters
from crmsdk.segments.conditions import Predicate
from crmsdk.segments.live import LiveSegments
from crmsdk.segments.words import attr, did, segment
from tests.scenarios.stage import DAY, HOUR, START, Stage, journey
from tests.unit.segments.people import NOW, ann, happened

pytestmark = pytest.mark.anyio

BUYERS = did("buy").within(30 * DAY)
WRITTEN_ANEW = [
    pytest.param(BUYERS, id="the same"),
    pytest.param(did("buy").within(30 * DAY).at_least(1) & ~attr("closed").exists(), id="in other words"),
    pytest.param(did("buy").within(60 * DAY), id="wider"),
]


@pytest.mark.parametrize("anew", WRITTEN_ANEW)
async def test_t13_a_run_goes_on_where_it_was_when_its_segment_is_built_anew(
    stage: Stage, anew: Predicate
) -> None:
    long = (Wait(5 * DAY), Send("hi", "sink"))
    async with stage.open(journey("a", *long, enter=enters(BUYERS, "buyers"))) as crm:
        await crm.track("ann", "buy", id="one")
        await crm.advance()
    (before,) = await stage.runs("ann")
    for _ in range(3):  # every start of a service builds it anew
        stage.clock.tick(DAY)
        async with stage.open(journey("a", *long, enter=enters(anew, "buyers"))) as crm:
            await crm.track("ann", "visit", id=f"visit at {stage.clock.now()}")
            await crm.advance()
            assert await crm.next_wakeup() == START + 5 * DAY
    (run,) = await stage.runs("ann")
    assert (run.id, run.entered, run.alive) == (before.id, before.entered, True)
    async with stage.open(journey("a", *long, enter=enters(anew, "buyers"))) as crm:
        await crm.advance(START + 6 * DAY)
    assert stage.sent() == [("ann", "hi")]
    assert [run.id for run in await stage.runs("ann")] == [before.id]


async def test_t13_who_is_out_for_a_narrower_segment_goes_on_and_does_not_enter_again_when_it_widens(
    stage: Stage,
) -> None:
    long = (Wait(5 * DAY), Send("hi", "sink"))
    narrow = BUYERS & (attr("plan") == "gold")
    async with stage.open(journey("a", *long, enter=enters(BUYERS, "buyers"))) as crm:
        await crm.track("ann", "buy", id="one")
        await crm.advance()
    for asked in (narrow, BUYERS):
        stage.clock.tick(HOUR)
        async with stage.open(journey("a", *long, enter=enters(asked, "buyers"))) as crm:
            await crm.advance()
    async with stage.open(journey("a", *long, enter=enters(BUYERS, "buyers"))) as crm:
        await crm.advance(START + 6 * DAY)
    assert (len(await stage.runs("ann")), stage.sent()) == (1, [("ann", "hi")])


async def test_t13_live_segments_built_anew_tell_of_no_change() -> None:
    facts = ann([happened("buy", DAY, "one")])
    first = LiveSegments([segment("buyers", BUYERS)])
    told = first.take(facts.customer, now=NOW, events=facts.events)
    assert [(change.segment, change.entered) for change in told] == [("buyers", True)]
    again = LiveSegments([segment("buyers", BUYERS)])
    assert again.restore(facts, members=["buyers"], as_of=NOW, now=NOW + DAY) == []
    assert again.members("buyers") == {facts.customer}
    assert again.next_wakeup() == first.next_wakeup()
