"""Journeys change while people are inside: splits stay, versions drain, new entries take the new."""

from collections.abc import Mapping

import pytest

from crmsdk.journeys.definition import Holdout, Journey, each_time
from crmsdk.journeys.steps import Arm, Send, Split, Wait
from crmsdk.journeys.triggers import enters
from crmsdk.segments.words import attr, did
from tests.scenarios.stage import DAY, HOUR, START, Stage, event, journey

pytestmark = pytest.mark.anyio

PEOPLE = [f"person-{number}" for number in range(60)]


def _test(name: str, **weights: float) -> Journey:
    arms = [Arm(arm, weight, [Send(arm, "sink", key=arm)]) for arm, weight in weights.items()]
    return journey(name, Split("subject-test", *arms), entry=each_time())


async def _arms(stage: Stage, journey: Journey, tag: str) -> Mapping[str, str]:
    before = len(stage.sink.kept)
    async with stage.open(journey) as crm:
        await crm.ingest([event(name, "signed_up", stage.clock.now(), f"{tag}-{name}") for name in PEOPLE])
        await crm.advance()
    return dict(stage.sent()[before:])


async def test_t29_a_split_is_sticky_on_reentry_and_under_a_new_name(stage: Stage) -> None:
    first = await _arms(stage, _test("subject", hi=1, bye=1), "one")
    again = await _arms(stage, _test("subject", hi=1, bye=1), "two")
    renamed = await _arms(stage, _test("subject line", bye=1, hi=1), "three")
    assert first == again == renamed
    assert 15 < list(first.values()).count("hi") < 45


async def test_t29_changed_weights_move_only_the_needed_share(stage: Stage) -> None:
    first = await _arms(stage, _test("subject", hi=1, bye=1), "one")
    grown = await _arms(stage, _test("subject", hi=3, bye=1), "two")
    third = await _arms(stage, _test("subject", hi=1, bye=1, more=1), "three")
    assert all(grown[name] == "hi" for name in PEOPLE if first[name] == "hi")
    assert 0 < sum(grown[name] != first[name] for name in PEOPLE) < 30
    assert {third[name] for name in PEOPLE if third[name] != first[name]} == {"more"}
    shrunk = await _arms(stage, _test("subject", hi=1, bye=0), "four")
    assert set(shrunk.values()) == {"hi"}


async def test_t29_a_holdout_is_sticky_and_growing_it_moves_nobody_back(stage: Stage) -> None:
    held: list[set[str]] = []
    for number, share in enumerate((0.2, 0.2, 0.5)):
        name = ("welcome", "hello", "hello")[number]
        plan = journey(name, Send("hi", "sink"), holdout=Holdout(share, "welcome"), entry=each_time())
        sent = await _arms(stage, plan, str(number))
        held.append(set(PEOPLE) - set(sent))
    assert held[0] == held[1] < held[2]
    assert held[0]


async def test_t30_those_inside_stay_on_their_version_and_new_ones_take_the_new(stage: Stage) -> None:
    old = journey("series", Send("hi", "sink"), Wait(DAY), Send("bye", "sink"))
    new = journey(
        "series", Send("hi", "sink"), Wait(HOUR), Send("more", "sink"), Wait(DAY), Send("bye", "sink")
    )
    async with stage.open(old) as crm:
        await crm.track("ann", "signed_up", id="one")
        await crm.advance()
    async with stage.open(new) as crm:
        await crm.track("bob", "signed_up", id="two")
        await crm.track("ann", "signed_up", id="three")  # inside, so barred: nobody is in two versions
        for hours in (0, 1, 24, 25):
            await crm.advance(START + hours * HOUR)
        await crm.track("ann", "signed_up", id="four")
        await crm.advance()
        await crm.advance(stage.clock.now() + HOUR)
    by = {name: [text for who, text in stage.sent() if who == name] for name in ("ann", "bob")}
    assert by == {"ann": ["hi", "bye", "hi", "more"], "bob": ["hi", "more", "bye"]}
    first, second = await stage.runs("ann")
    assert first.definition != second.definition


async def test_t30_a_journey_no_longer_registered_drains_and_takes_nobody(stage: Stage) -> None:
    async with stage.open(journey("series", Send("hi", "sink"), Wait(DAY), Send("bye", "sink"))) as crm:
        await crm.track("ann", "signed_up", id="one")
        await crm.advance()
    async with stage.open() as crm:
        await crm.track("bob", "signed_up", id="two")
        await crm.pause("series")
        await crm.advance(START + DAY)
        assert stage.sent() == [("ann", "hi")]
        await crm.resume("series")
        await crm.advance()
    assert stage.sent() == [("ann", "hi"), ("ann", "bye")]


async def test_t30_a_new_journey_leaves_those_already_in_its_segment_alone(stage: Stage) -> None:
    gold = enters(attr("plan") == "gold", "gold")
    async with stage.open() as crm:
        await crm.identify("ann", {"plan": "gold"}, id="one")
    for text in ("hi", "bye"):  # a new journey, then a new version of it
        async with stage.open(journey("gold", Send(text, "sink"), enter=gold)) as crm:
            await crm.advance()
            await crm.identify(f"bob {text}", {"plan": "gold"}, id=text)
            await crm.advance()
    assert stage.sent() == [("bob hi", "hi"), ("bob bye", "bye")]


def _segments(name: str) -> Journey:
    return journey("news", Send("hi", "sink"), enter=enters(attr(name) == True, name))  # noqa: E712 - a condition


async def test_t30_a_version_that_comes_back_leaves_those_already_in_its_segment_alone(stage: Stage) -> None:
    first, second = _segments("first"), _segments("second")
    async with stage.open(first) as crm:
        await crm.identify("ann", {"city": "Omsk"}, id="one")
    async with stage.open(second) as crm:
        await crm.identify("ann", {"first": True}, id="two")
    async with stage.open(first) as crm:
        await crm.identify("ann", {"first": True}, id="three")
        await crm.identify("bob", {"first": True}, id="four")
        await crm.advance()
    assert stage.sent() == [("bob", "hi")]


async def test_t30_a_version_that_comes_back_is_woken_by_time_again(stage: Stage) -> None:
    def gone(days: int) -> Journey:
        left = ~did("visit").within(days * DAY)
        return journey("news", Send("hi", "sink"), enter=enters(left, "gone"))

    async with stage.open(gone(3)) as crm:
        await crm.track("ann", "visit", id="one")
    async with stage.open(gone(9)):
        pass
    async with stage.open(gone(3)) as crm:
        assert await crm.next_wakeup() == START + 3 * DAY
        await crm.advance(START + 3 * DAY)
    assert stage.sent() == [("ann", "hi")]


async def test_two_versions_at_work_at_once_enrol_nobody_who_was_in_before(stage: Stage) -> None:
    first, second = _segments("first"), _segments("second")
    async with stage.open(first) as old, stage.open(second) as new:
        await old.identify("ann", {"first": True}, id="one")
        await old.advance()
        for number, crm in enumerate((new, old, new, old)):
            stage.clock.tick(HOUR)
            await crm.identify("ann", {"first": True, "second": False}, id=f"again-{number}")
            await crm.advance()
    assert stage.sent() == [("ann", "hi")]
