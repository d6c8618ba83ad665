"""The properties of questions about people can fail: each planted fault is found."""

from collections.abc import Callable
from functools import cache
from random import Random  # noqa: TID251 - seeded, so a run is repeatable

import pytest
from hypothesis import strategies as st

from crmsdk.model import facts as log
from crmsdk.model.facts import Facts
from crmsdk.segments import knowing, reckoning
from crmsdk.segments.conditions import Predicate
from crmsdk.testing.draws import NOW, histories
from crmsdk.testing.people_draws import changing_histories, dated_histories, day_questions, past_questions
from tests.unit.segments.oracle import around
from tests.unit.segments.planting import Fault, World, Worlds, disagrees, drawn, finds

PAST: dict[str, Fault] = {
    "the same value again is a change": (knowing.changes, "exact(value) != exact(before)", "True"),
    "True is 1": (knowing.changes, "exact(value) != exact(before)", "value != before"),
    "the first value is no change": (
        knowing.changes,
        "before: Value = None",
        "before = next((value for _, value in facts.history(name)), None)",
    ),
    "changes of the future never come": (
        knowing.changes,
        "in facts.history(name)",
        "in facts.history(name)[:1]",
    ),
    "nothing breaks a spell": (knowing.spells, "yield begin, at", "yield begin, None"),
    "a spell ripens although it ends": (knowing._ripe, "due < end", "True"),
    "a spell that ends as it ripens holds": (knowing._ripe, "due < end", "due <= end"),
    "the bucket takes its end": (knowing.person_answer, "< node.high", "<= node.high"),
    "the bucket leaves out its beginning": (knowing.person_answer, "node.low <= _lot", "node.low < _lot"),
    "another salt": (knowing._lot, "node.salt", "node.salt.upper()"),
    "writes of one moment are two values": (log.Facts.history, "steps[-1][0] == write.at", "False"),
}
DAYS: dict[str, Fault] = {
    "a moment is no date": (reckoning._day_of, "period_of(value, Unit.DAY, tz)", "None"),
    "moments have the date of UTC": (
        reckoning._day_of,
        "period_of(value, Unit.DAY, tz)",
        "value.date().toordinal()",
    ),
    "since is until": (reckoning._number, "is Sense.UNTIL", "is not Sense.UNTIL"),
    "days turn a day late": (reckoning._turns, "(turning, turning + 1)", "(turning + 1, turning + 2)"),
    "days never turn back": (reckoning._turns, "(turning, turning + 1)", "(turning,)"),
    "the first day ahead is left out": (reckoning._holds, "node.first <= number", "node.first < number"),
    "the last day ahead is left out": (reckoning._holds, "number <= node.last", "number < node.last"),
    "anniversaries end too late": (reckoning._turns, "coming - node.first + 1", "coming - node.first + 2"),
    "anniversaries never begin": (reckoning._turns, "(coming - node.last, ", "("),
    "an anniversary of today is past": (reckoning._anniversary, "found >= since", "found > since"),
    "there is no leap day": (reckoning._kept_in, "is LeapDay.FEBRUARY_28", "is not LeapDay.FEBRUARY_28"),
    "a new date is not noticed": (reckoning.days_answer, "for at, later in following", "for at, later in ()"),
}
GROUPS: dict[str, tuple[dict[str, Fault], st.SearchStrategy[Predicate], st.SearchStrategy[Facts]]] = {
    "past": (PAST, past_questions(), changing_histories()),
    "days": (DAYS, day_questions(), dated_histories()),
}


@cache
def worlds(group: str) -> Worlds[Predicate, Facts]:
    """Give every question of a group with every customer."""
    people = drawn(histories(size=0), 20) + drawn(GROUPS[group][2], 60)
    return Worlds(drawn(GROUPS[group][1], 150), people, asked)


def asked(question: Predicate, facts: Facts, chance: Random) -> World:
    """Ask at a moment where something may happen, in years that are near: anniversaries never end."""
    near = [at for at in around(question, facts) if 2024 <= at.year <= 2027]
    return World(question, facts, chance.choice(near or [NOW]))


@pytest.mark.parametrize(
    ("group", "fault"), [(group, fault) for group, (faults, _, _) in GROUPS.items() for fault in faults]
)
def test_a_planted_fault_is_found(group: str, fault: str) -> None:
    assert finds(worlds(group), GROUPS[group][0][fault], exact=True)


@pytest.mark.parametrize("group", GROUPS)
def test_without_a_fault_there_is_none_to_be_found(group: str, sized: Callable[[int, int], int]) -> None:
    some = worlds(group).up_to(sized(150, len(worlds(group))))
    assert not any(disagrees(world, exact=True) for world in some)
