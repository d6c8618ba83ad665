"""The properties of questions about events can fail: each planted fault is found by busy customers."""

from collections.abc import Callable
from functools import cache
from random import Random  # noqa: TID251 - seeded, so a run is repeatable

import pytest
from hypothesis import strategies as st

from crmsdk.segments import calendars as periods
from crmsdk.segments import framing, measuring, unfolding
from crmsdk.segments.conditions import Predicate
from crmsdk.segments.grammar import Did, Occurrences
from crmsdk.testing._edges import calendars, occurrences
from crmsdk.testing.draws import NOW
from crmsdk.testing.event_draws import aggregates, busy_histories
from tests.unit.segments.oracle import around
from tests.unit.segments.planting import Fault, World, disagrees, drawn, plant

AGGREGATES: dict[str, Fault] = {
    "currencies are mixed": (
        measuring._brought,
        "if kind_of(value) == wanted",
        "if kind_of(value)[:5] == wanted[:5]",
    ),
    "the last value there is, not that of the last event": (
        measuring._brought,
        "return found",
        "return [(event, value) for event, value in found if value is not None]",
    ),
    "missing is a value": (measuring._brought, "if value is not None", "if True"),
    "values count each time": (measuring.aggregated, "{exact(value) for value in values}", "values"),
    "an average of nothing is zero": (measuring.aggregate_holds, "bool(amounts) and", "not amounts or"),
    "the smallest is the largest": (measuring.aggregated, "min(values)", "max(values)"),
}

EARLIER: dict[str, Fault] = {
    "an earlier window ends now": (framing._Sliding.enters, "if self.ago", "if False"),
    "an earlier window begins late": (framing._Sliding.leaves, "self.ago + self.span", "self.span"),
    "an earlier window forgets its beginning": (framing._Sliding.kept, "-self.ago - self.span", "-self.span"),
}

CALENDAR: dict[str, Fault] = {
    "a period goes on": (framing._Periods.leaves, "self.window.oldest + 1", "self.window.oldest + 2"),
    "a period ends too soon": (framing._Periods.kept, "- self.window.oldest", "- self.window.newest"),
    "the period before counts at once": (framing._Periods.enters, "if window.newest", "if False"),
    "weeks begin on Sunday": (periods.period_of, "toordinal() - 1)", "toordinal())"),
    "days are those of UTC": (periods.period_of, "local_day(moment, tz)", "moment.date()"),
    "a new zone is not noticed": (unfolding.in_zones, "for at, name in following", "for at, name in ()"),
}


GROUPS: dict[str, tuple[dict[str, Fault], st.SearchStrategy[Predicate]]] = {
    "aggregates": (AGGREGATES, aggregates()),
    "earlier windows": (EARLIER, st.builds(Did, occurrences())),
    "calendar": (CALENDAR, st.builds(Did, st.builds(Occurrences, st.just("purchase"), window=calendars()))),
}


@cache
def worlds(group: str) -> list[World]:
    """Give every question of a group with every customer, at moments where something may happen."""
    chance = Random(7)  # noqa: S311 - picks edges, the same ones every time
    people = drawn(busy_histories(), 40)
    out = [
        World(question, facts, chance.choice(around(question, facts) or [NOW]))
        for question in drawn(GROUPS[group][1], 250)
        for facts in people
    ]
    chance.shuffle(out)
    return out


@pytest.mark.parametrize(
    ("group", "fault"), [(group, fault) for group, (faults, _) in GROUPS.items() for fault in faults]
)
def test_a_planted_fault_is_found(group: str, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = worlds(group)
    plant(monkeypatch, *GROUPS[group][0][fault])
    assert any(disagrees(world) for world in asked)


@pytest.mark.parametrize("group", GROUPS)
def test_without_a_fault_there_is_none_to_be_found(group: str, sized: Callable[[int, int], int]) -> None:
    asked = worlds(group)
    assert not any(disagrees(world) for world in asked[: sized(1_500, len(asked))])
