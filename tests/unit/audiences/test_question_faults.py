"""Random questions find a fault planted in how a kind of question is written as SQL."""

import inspect
import os
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import duckdb
import pytest
from hypothesis import strategies as st

from crmsdk.errors import AudienceError
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.model.moment import from_micros
from crmsdk.model.zones import zone
from crmsdk.segments.calendars import period_of
from crmsdk.segments.conditions import Predicate
from crmsdk.segments.grammar import Anniversary, AttrDays, Did
from crmsdk.segments.occurrences import Occurrences
from crmsdk.segments.sql import dates, habits, past, questions, rhythms, scores, zoning
from crmsdk.segments.sql.dialects.duckdb import DuckDB
from crmsdk.segments.windows import Unit
from crmsdk.segments.words import did, sequence
from crmsdk.testing import draws, event_draws
from crmsdk.testing._audience_draws import Asked, answered
from crmsdk.testing._edges import EVENTS, calendars
from crmsdk.testing.draws import NOW
from crmsdk.testing.people_draws import day_questions, past_questions
from crmsdk.testing.populations import population
from tests.audience_databases import duckdb_of
from tests.conftest import PROFILE
from tests.unit.segments.people import ann, happened
from tests.unit.segments.planting import drawn

WHOLE = PROFILE == "proofs" or bool(os.environ.get("CI"))

UTC_ = zone("UTC")
PEOPLE = population(7, 150)
NUMBERS = {"anniversary": 40, "calendar": 300, "rhythms": 150, "sequences": 200}
ATS = (NOW, NOW - timedelta(hours=1), NOW - timedelta(hours=7))  # today is another day elsewhere

FAULTS: dict[str, list[tuple[Callable[..., Any], str, str]]] = {
    "past": [
        (past.changed, "> {since}", ">= {since}"),
        (past.held, "<= {since}", "< {since}"),
        (past.held, "same, Term", "Term('TRUE'), Term"),
        (past.ChangeGroup.sql, "turn = 1", "turn > 0"),
        (past.ChangeGroup.sql, "place DESC", "place"),
        (past.ChangeGroup.sql, "told <> before OR ", ""),
        (past.ChangeGroup.sql, "told IS NULL AND before IS NOT NULL OR ", ""),
        (past.ChangeGroup.sql, " OR told IS NOT NULL AND before IS NULL", ""),
        (past.ChangeGroup.sql, "self._now + 1", "self._now"),
    ],
    "days": [
        (dates._bounds, "is Sense.SINCE", "is Sense.UNTIL"),
        (dates._bounds, "-high", "high"),
        (dates.days, "Span(first, last + 1)", "Span(first, last)"),
        (dates.days, "moments_of(first, last,", "moments_of(first + 1, last,"),
        (dates.days, "today + low", "today + low + 1"),
        (dates.days, "plan.zoned.period(Unit.DAY, tz)", "plan.now // 86_400_000_000 + 719_163"),
        (zoning.Zoned._written, "if log is None", "if log"),
    ],
    "anniversary": [
        (dates.anniversary, "_among(whole, fits)", "_among(whole, sure)"),
        (dates.anniversary, "_among(part, sure)", "FALSE"),
        (dates.anniversary, "if doubt != FALSE", "if False"),
        (dates.anniversary, "holds_on(node, day, today)", "holds_on(node, day, today + 1)"),
        (dates._among, "AND {high}", "AND {low}"),
    ],
    "calendar": [
        (zoning.Zoned._written, "if log is None", "if log"),
        (zoning.Zoned.sql, "[*written, *known,", "[*known, *written,"),
        (zoning.Zoned.spans, "now - window.newest", "now"),
        (zoning.Zoned.spans, "now - window.oldest", "now - window.oldest + 1"),
        (zoning.Zoned.spans, ".within(past)", ""),
        (zoning.Zoned.inside, "< {high}", "<= {high}"),
        (zoning.Zoned.inside, ">= {low}", "> {low}"),
        (zoning.Zoned.hull, "min(lows)", "max(lows)"),
        (zoning.moments_of, "last + 1, unit", "last, unit"),
    ],
    "rhythms": [
        (rhythms._number, "day - 1", "day"),
        (rhythms._number, "3 if unit", "4 if unit"),
        (rhythms.PeriodGroup.sql, "SELECT DISTINCT *", "SELECT *"),
        (rhythms.PeriodGroup.sql, "newest = today", "newest = today - 1"),
        (rhythms.PeriodGroup.sql, "number > {last}", "number >= {last}"),
        (rhythms.streak, "of_none=of_none", "of_none=False"),
    ],
    "scores": [
        (scores.FadingOf.aggregate, "UNIT >> halved", "UNIT >> (halved + 1)"),
        (scores.FadingOf.aggregate, "self.half_life + 1", "self.half_life"),
        (scores._added, "{part.points * UNIT} ELSE", "{part.points} ELSE"),
        (scores._added, "* {part.points * UNIT}", "* {part.points}"),
        (scores._added, "if plan.span(of).empty", "if part.points < 0"),
        (scores.scored, "bound * UNIT", "bound * UNIT + 1"),
    ],
    "sequences": [
        (habits.SettledGroup.sql, "<= {self._now}", "<= {self._now + 1}"),
        (habits.SettledGroup.sql, "e.seat >= t.spoilt", "e.seat > t.spoilt"),
        (habits.SettledGroup.sql, "spoilt = 0", "TRUE"),
        (habits.SettledGroup.sql, "if n == len(steps) - 1 else", "if False else"),
        (habits.SettledGroup.sql, "ORDER BY moment, place", "ORDER BY moment, place DESC"),
    ],
    "gaps": [
        (rhythms.GapGroup.sql, '} + 1"', '}"'),
        (rhythms.GapGroup.sql, "PARTITION BY customer ORDER BY gap", "PARTITION BY customer ORDER BY moment"),
        (rhythms.GapGroup.sql, 'f"{real} * {real}"', "real"),
        (rhythms.gap, "Middle.MEAN", "Middle.MEDIAN"),
        (rhythms.gap, "(Op.GE, Op.LE)", "(Op.LE, Op.LE)"),
        (rhythms.variation, '{many} >= 2 AND {total} > 0")]', '{many} >= 1")]'),
        (rhythms.variation, "1 + square", "square"),
    ],
}


def _calendar() -> st.SearchStrategy[Predicate]:
    names = st.sampled_from(EVENTS[:2])
    of = st.builds(Occurrences, names, window=calendars())
    return st.builds(lambda of, low: Did(of, low=low, high=low + 1), of, st.integers(0, 2))


DRAWN: dict[str, st.SearchStrategy[Predicate]] = {
    "past": past_questions(),
    "days": day_questions().filter(lambda asked: isinstance(asked, AttrDays)),
    "anniversary": day_questions().filter(lambda asked: isinstance(asked, Anniversary)),
    "calendar": _calendar(),
    "rhythms": event_draws.rhythms(),
    "scores": draws.scores(),
    "sequences": event_draws.sequences().filter(lambda asked: asked.absent is not None),
    "gaps": event_draws.gaps(),
}


@cache
def asked_of(kind: str) -> list[Asked]:
    questions = drawn(DRAWN[kind], NUMBERS.get(kind, 120))
    # Who is in doubt about one question is judged about all that are asked together.
    each = 1 if kind == "anniversary" else 40
    return [
        answered(PEOPLE, ATS[place % len(ATS)], questions[start : start + each])
        for place, start in enumerate(range(0, len(questions), each))
    ]


@pytest.fixture(scope="module")
def audience() -> Iterator[Any]:
    with closing(duckdb_of(PEOPLE)) as audience:
        yield audience


def _differs(audience: Any, asked: Asked) -> bool:
    try:
        found = audience.memberships(asked.segments, at=asked.at)
    except AudienceError:
        return True
    pairs = zip(asked.segments, asked.members, strict=True)
    return any(tuple(sorted(found.members(each.name))) != members for each, members in pairs)


def _plant(patch: pytest.MonkeyPatch, function: Callable[..., Any], right: str, wrong: str) -> None:
    source = textwrap.dedent(inspect.getsource(function))
    assert right in source, "the rule is written otherwise now; plant the fault anew"
    module, scope = sys.modules[function.__module__], dict[str, Any]()
    code = compile(source.replace(right, wrong, 1), "<fault>", "exec")
    exec(code, module.__dict__, scope)  # noqa: S102 - our own source, one change
    planted = scope[function.__name__]
    owner = function.__qualname__.rpartition(".")[0]
    if owner:
        patch.setattr(getattr(module, owner), function.__name__, planted)
        return
    for each in [module, *(other for name, other in sys.modules.items() if name.startswith(SQL))]:
        if vars(each).get(function.__name__) is function:
            patch.setattr(each, function.__name__, planted)
    for kind, write in questions.QUESTIONS.items():
        if write is function:
            patch.setitem(questions.QUESTIONS, kind, planted)


SQL = "crmsdk.segments.sql."
CASES: Sequence[Any] = [
    pytest.param(kind, fault, id=f"{kind}-{fault[0].__name__}-{place}")
    for kind, faults in FAULTS.items()
    for place, fault in enumerate(faults)
    if WHOLE or place % 4 == 0
]


@pytest.mark.parametrize(("kind", "fault"), CASES)
def test_a_planted_fault_is_found(
    kind: str,
    fault: tuple[Callable[..., Any], str, str],
    audience: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _plant(monkeypatch, *fault)
    assert any(_differs(audience, each) for each in asked_of(kind))


@pytest.mark.parametrize("kind", DRAWN)
def test_without_a_fault_nothing_differs(kind: str, audience: Any) -> None:
    assert not any(_differs(audience, each) for each in asked_of(kind))


@pytest.mark.parametrize("kind", ["days", "anniversary", "calendar", "rhythms"])
def test_people_in_zones_that_nobody_listed_are_left_to_the_reference(
    kind: str, audience: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(audience), "_zones", lambda _: ["Europe/Moscow", "Mars/Phobos"])
    assert not any(_differs(audience, each) for each in asked_of(kind))
    first = asked_of(kind)[0]
    found = audience.count(first.segments[0], at=first.at)
    assert found == len(audience.members(first.segments[0], at=first.at)) == len(first.members[0])


def test_a_day_that_a_zone_skips_breaks_no_streak() -> None:
    days = [datetime(2011, 12, day, 22, tzinfo=UTC) for day in (28, 29, 30)]  # 29, 31 December, 1 January
    facts = Facts(customer=CustomerId("ann"), zone="Pacific/Apia").with_events(
        Event(id=EventId(f"e{n}"), customer=CustomerId("ann"), name="visit", at=at, received=at)
        for n, at in enumerate(days)
    )
    with closing(duckdb_of([facts])) as audience:
        for now, row in ((days[2], 3), (days[2] + timedelta(days=1), 3), (days[2] + timedelta(days=2), 0)):
            assert audience.count(did("visit").streak("day") == row, at=now) == 1
            assert audience.count(did("visit").regularly(at_least=3, of=3, period="day"), at=now) == (row > 0)


def test_days_are_numbered_as_the_calendar_numbers_them() -> None:
    days = [*range(1, 1500), *range(719_000, 741_000, 3), *range(3_650_600, 3_652_060)]
    with closing(duckdb.connect()) as connection:
        for unit in Unit:
            rows = "(SELECT 'a' AS customer, 0 AS today, 0 AS skipped, unnest($1) AS day) AS d"
            query = f"SELECT number FROM {rhythms._number(DuckDB(), unit, rows)}"  # noqa: S608 - our own rows
            found = [number for (number,) in connection.execute(query, [days]).fetchall()]
            assert found == [
                period_of(from_micros((day - 719_163) * 86_400_000_000), unit, UTC_) for day in days
            ]


def test_a_chain_within_a_local_week_is_found(audience: Any) -> None:
    chain = sequence(did("purchase"), did("visit")).this("week")
    expected = answered(PEOPLE, NOW, [chain]).members[0]
    assert list(audience.members(chain, at=NOW)) == list(expected)
    assert expected


def test_a_streak_within_a_window_of_the_calendar_counts_only_what_lies_in_it() -> None:
    facts = ann([happened("visit", timedelta(0), "today"), happened("visit", timedelta(days=1), "yesterday")])
    streak = did("visit").this("day").streak("day")
    with closing(duckdb_of([facts])) as audience:
        assert [audience.count(each, at=NOW) for each in (streak == 1, streak >= 2)] == [1, 0]
        assert audience.count(did("visit").streak("day") == 2, at=NOW) == 1
