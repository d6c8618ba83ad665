"""Who gets which content: offers of the right level, words that fit a segment, signs that somebody leaves."""

import random  # noqa: TID251 - seeded draws
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from crmsdk.audiences.memory import MemoryAudience
from crmsdk.journeys.steps import Branch, Send, When
from crmsdk.journeys.triggers import on
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.model.inputs import Input
from crmsdk.model.message import DeliveryEvent, DeliveryKind, MessageState
from crmsdk.segments.alive import fit, habit
from crmsdk.segments.conditions import Predicate
from crmsdk.segments.words import attr, did, prop, segment
from crmsdk.simulation.simulating import simulate
from tests.scenarios.stage import DAY, HOUR, START, Stage, event, journey, known, user

pytestmark = pytest.mark.anyio

LEVELS = (1, 2, 3, 4, 5)


def offers(level: int) -> Branch:
    """Offer a vacancy only to those who have not grown out of its level."""
    return Branch(When(attr("level") <= level, [Send(f"level-{level}", "sink", key="offer")]))


def test_r30_nobody_is_offered_less_than_their_level(sized: Callable[[int, int], int]) -> None:
    luck = random.Random(30)  # noqa: S311 - imagined people, no secret
    people = {f"p{number}": luck.choice(LEVELS) for number in range(sized(500, 100_000))}
    history: list[Input] = []
    fitting = 0
    for number, (who, level) in enumerate(people.items()):
        history.append(known(user(who), at=START - DAY, id=f"{who}-known", level=level))
        for place, offered in enumerate(luck.sample(LEVELS, 2)):
            at = START + (number % 24 + place) * HOUR
            history.append(event(who, "vacancy_found", at, f"{who}-{place}", level=offered))
            fitting += level <= offered
    journeys = [
        journey(f"level {level}", offers(level), enter=on("vacancy_found").where(prop("level") == level))
        for level in LEVELS
    ]
    report = simulate(journeys, history, start=START, until=START + 3 * DAY, workers=2)
    sent = [(one.journey, one.customer) for one in report.messages if one.state is MessageState.SENT]
    assert [one for one in sent if people[one[1]] > int(one[0].split()[1])] == []
    assert len(sent) == fitting > 0


async def test_r31_a_variant_is_chosen_by_segment_and_kept_with_the_send(stage: Stage) -> None:
    chosen = Branch(
        When(segment("students", attr("role") == "student"), [Send("hi", "sink", key="student")]),
        When(segment("buyers", did("buy")), [Send("more", "sink", key="buyer")]),
        otherwise=[Send("bye", "sink", key="others")],
    )
    async with stage.open(journey("welcome", chosen)) as crm:
        await crm.identify("ann", {"role": "student"})
        await crm.track("bob", "buy", id="b")
        for who in ("ann", "bob", "cid"):
            await crm.track(who, "signed_up", id=f"{who}-up")
        await crm.advance()
    assert sorted(stage.sent()) == [("ann", "hi"), ("bob", "more"), ("cid", "bye")]
    for who, step, template in (("ann", "student", "hi"), ("bob", "buyer", "more"), ("cid", "others", "bye")):
        (message,) = await stage.messages(who)
        assert (message.step.split("/")[-1], message.template) == (step, template)
        assert message.content  # the hash of the very text


def person(who: str, moments: Iterator[datetime]) -> Facts:
    customer = CustomerId(who)
    return Facts(customer=customer).with_events(
        Event(id=EventId(f"{who}-{number}"), customer=customer, name="visit", at=at, received=at)
        for number, at in enumerate(moments)
    )


def visits(luck: random.Random, days: int) -> Iterator[datetime]:
    """Come on nearly every day, at some hour."""
    for day in range(days):
        if luck.random() < 0.95:
            yield START + day * DAY + luck.randrange(24) * HOUR


BEGAN, DROPPED, LAST = 60, 100, 120


def base() -> tuple[list[Facts], set[str]]:
    """Make people who go on coming, and ten who stop after a hundred days."""
    luck = random.Random(36)  # noqa: S311 - as above
    people = [person(f"steady{number}", visits(luck, LAST)) for number in range(25)]
    gone = [person(f"gone{number}", visits(luck, DROPPED)) for number in range(10)]
    return people + gone, {facts.customer for facts in gone}


def test_r36_a_drop_against_ones_own_baseline_is_found_within_a_week() -> None:
    people, gone = base()
    dropped = segment("dropped", did("visit").within(7 * DAY).trend(over=7) < 0.4)
    audience = MemoryAudience(people)
    for day in (*range(BEGAN, DROPPED, 8), *range(DROPPED, DROPPED + 10)):
        found = set(audience.members(dropped, at=START + day * DAY))
        assert found <= gone if day > DROPPED else not found, day
        if day == DROPPED + 7:
            assert found == gone


def test_r36_the_chance_of_being_alive_falls_within_a_week() -> None:
    luck = random.Random(63)  # noqa: S311 - as above
    stays = [LAST if number % 2 else luck.randrange(5, LAST) for number in range(150)]
    earlier = [habit(visits(luck, days), START + LAST * DAY) for days in stays]
    model = fit(earlier)
    people, gone = base()

    def doubtful(day: int) -> set[str]:
        now = START + day * DAY
        habits = {facts.customer: habit((each.at for each in facts.events), now) for facts in people}
        return {who for who, each in habits.items() if each is not None and model.alive(each) < 0.5}

    assert not any(doubtful(day) for day in range(BEGAN, DROPPED + 1, 8))
    assert all(doubtful(day) == gone for day in range(DROPPED + 7, LAST, 4))


def inactive(days: int) -> Predicate:
    """Neither read nor came for so many days; what a machine opened was not read."""
    read = did("message_opened").where(prop("machine") == False)  # noqa: E712 - a question
    return ~(read.within(days * DAY) | did("visit").within(days * DAY))


async def test_r37_inactive_is_who_neither_reads_nor_comes(stage: Stage) -> None:
    async with stage.open(journey("a", Send("hi", "sink"))) as crm:
        for who in ("ann", "bob", "cid"):
            await crm.track(who, "signed_up", id=who)
        await crm.advance()
        for who, machine in (("ann", True), ("bob", False)):
            (message,) = await stage.messages(who)
            opened = DeliveryEvent(
                id=f"open-{who}", message=message.id, kind=DeliveryKind.OPENED, at=START, machine=machine
            )
            assert await crm.report([opened]) == 1
        await crm.track("cid", "visit", id="v")
        for days, later, expected in (
            (30, 1, {"ann": True, "bob": False, "cid": False}),
            (30, 29, {"ann": True, "bob": False, "cid": False}),
            (30, 30, {"ann": True, "bob": True, "cid": True}),
            (60, 30, {"ann": True, "bob": False, "cid": False}),
        ):
            at = START + later * DAY
            found = {who: (await crm.explain(who, inactive(days), at=at)).matched for who in expected}
            assert found == expected, (days, later)
