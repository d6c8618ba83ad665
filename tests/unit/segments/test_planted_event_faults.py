"""The properties of questions about events can fail: each planted fault is found by busy customers."""

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from random import Random  # noqa: TID251 - seeded, so a run is repeatable

import pytest
from hypothesis import strategies as st

from crmsdk.model.customer import ZONE
from crmsdk.model.facts import Facts
from crmsdk.segments import calendars as periods
from crmsdk.segments import chaining, framing, measuring, recurring, spells, trending, unfolding
from crmsdk.segments.conditions import Predicate
from crmsdk.segments.grammar import Did, Occurrences, Trend
from crmsdk.segments.words import did
from crmsdk.testing._edges import calendars, occurrences
from crmsdk.testing.event_draws import aggregates, busy_histories, gaps, rhythms, sequences, trends
from tests.unit.segments.oracle import around
from tests.unit.segments.people import NOW, ann, happened, wrote
from tests.unit.segments.planting import Fault, World, Worlds, disagrees, drawn, finds

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


IN_ORDER: dict[str, Fault] = {
    "one event takes two steps": (chaining._complete, "range(len(fits) - 1, -1, -1)", "range(len(fits))"),
    "only the first chain counts": (
        chaining._complete,
        "chain = begun[place] = (*before, event)",
        "chain = begun[place] = begun[place] or (*before, event)",
    ),
    "the span leaves out its end": (chaining._complete, "<= node.span", "< node.span"),
    "the span is forgotten": (chaining._complete, "node.span is None or", "True or"),
    "nothing spoils": (chaining._earliest, "if spoils(later)", "if False"),
    "what came before spoils": (chaining._settled, "events[first + 1 :] if", "events if"),
    "the end of the span spoils nothing": (chaining._settled, "later.at <= due", "later.at < due"),
    "it is known before the span is over": (chaining._settled, "yield due, chain", "yield event.at, chain"),
    "steps have no tests": (chaining._fitting, "all(test", "True or all(test"),
    "the chain leaves with its last event": (chaining._spell, "leaves(chain[0].at)", "leaves(chain[-1].at)"),
    "the chain enters with its first event": (chaining._spell, "enters(chain[-1].at)", "enters(chain[0].at)"),
    "spells that meet are two": (spells.answer_of, "begin > until", "begin >= until"),
    "the first spell decides": (spells.answer_of, "max(until, end)", "until if until > now else end"),
}

TRENDS: dict[str, Fault] = {
    "a baseline of nothing is one": (trending.trend_holds, "before <= 0", "before < 0"),
    "a sum of windows is their mean": (trending.trend_holds, "now * node.over", "now"),
    "only the window counts": (
        trending.trend_holds,
        "(_amount(node, events) for events in windows)",
        "(_amount(node, windows[0]) for _ in windows)",
    ),
    "amounts count once": (trending._amount, "value.minor if isinstance(value, Money) else value", "1"),
    "all kinds are summed": (trending._amount, "if kind_of(value) != wanted", "if False"),
    "the windows before lie apart": (Trend.before, "ago + span", "ago + span + span"),
    "the windows before are one": (Trend.before, "Rolling(self.over * span", "Rolling(span"),
    "periods before are one": (Trend.before, "oldest + self.over * width", "oldest + width"),
    "steps come one by one": (unfolding.together, "if beside and beside[0] == at", "elif beside"),
}

RHYTHMS: dict[str, Fault] = {
    "today breaks a streak": (recurring.periods_with, "if last not in numbers", "if False"),
    "today never counts": (recurring.periods_with, "if last not in numbers", "if True"),
    "the longest is the last": (recurring.periods_with, "max(", "min("),
    "every event is a period": (recurring.periods_with, "return len(numbers)", "return len(events)"),
    "the first of the periods is forgotten": (
        recurring.periods_with,
        "range(node.periods)",
        "range(1, node.periods)",
    ),
    "a streak is lost unseen": (recurring.streak_steps, "(1, 2, 3)", "(1,)"),
    "a period drops out unseen": (recurring.regular_steps, "node.periods + 4", "node.periods + 1"),
    "the clock stands still": (recurring._clocked, "yield at, (events, at)", "yield at, (events, now)"),
}

GAPS: dict[str, Fault] = {
    "no gap is a gap of nothing": (recurring._gap_holds, "under > 0 and", ""),
    "the mean is of all events": (recurring._middle, "len(gaps)", "len(gaps) + 1"),
    "the median is the lower one": (
        recurring._middle,
        "ordered[~(len(ordered) // 2)]",
        "ordered[len(ordered) // 2]",
    ),
    "the median is unordered": (recurring._middle, "sorted(gaps)", "list(gaps)"),
    "one gap varies": (recurring._spread, "len(gaps) < 2", "len(gaps) < 1"),
    "the variation is its square": (recurring._gap_holds, "as_written(bound) ** 2", "as_written(bound)"),
    "between has one end": (recurring.gap_holds, "_gap_holds(node, Op.GE, low, events) and", ""),
}

GROUPS: dict[str, tuple[dict[str, Fault], st.SearchStrategy[Predicate]]] = {
    "aggregates": (AGGREGATES, aggregates()),
    "earlier windows": (EARLIER, st.builds(Did, occurrences())),
    "calendar": (CALENDAR, st.builds(Did, st.builds(Occurrences, st.just("purchase"), window=calendars()))),
    "in order": (IN_ORDER, sequences()),
    "trends": (TRENDS, trends()),
    "rhythms": (RHYTHMS, rhythms()),
    "gaps": (GAPS, gaps()),
}


def rare(group: str) -> list[World]:
    """Give what is seldom drawn: a last event without the value, a move at night."""
    bought = did("purchase")
    day, yesterday = timedelta(days=1), happened("purchase", timedelta(hours=2))  # in UTC, where it is 01:00
    match group:
        case "aggregates":
            of_two = ann([happened("purchase", 2 * day, amount=3), happened("purchase", day)])
            return [World(bought.last("amount") == 3, of_two, NOW)]
        case "calendar":
            moves = wrote(ZONE, "America/New_York", -timedelta(minutes=5))
            return [World(bought.this("day"), ann([yesterday], [wrote(ZONE, "UTC"), moves]), NOW)]
        case _:
            return []


@cache
def people() -> list[Facts]:
    return drawn(busy_histories(), 40)


@cache
def worlds(group: str) -> Worlds[Predicate, Facts]:
    """Give every question of a group with every customer, the rare ones first."""
    return Worlds(drawn(GROUPS[group][1], 250), people(), asked, rare(group))


def asked(question: Predicate, facts: Facts, chance: Random) -> World:
    """Ask at a moment where something may happen."""
    return World(question, facts, chance.choice(around(question, facts) or [NOW]))


@pytest.mark.parametrize(
    ("group", "fault"), [(group, fault) for group, (faults, _) in GROUPS.items() for fault in faults]
)
def test_a_planted_fault_is_found(group: str, fault: str) -> None:
    assert finds(worlds(group), GROUPS[group][0][fault], exact=True)


@pytest.mark.parametrize("group", GROUPS)
def test_without_a_fault_there_is_none_to_be_found(group: str, sized: Callable[[int, int], int]) -> None:
    some = worlds(group).up_to(sized(150, len(worlds(group))))
    assert not any(disagrees(world, exact=True) for world in some)
