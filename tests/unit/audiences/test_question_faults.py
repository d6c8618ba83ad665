"""Random questions find a fault planted in how a kind of question is written as SQL."""

import inspect
import os
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

from crmsdk.errors import AudienceError
from crmsdk.segments.conditions import Predicate
from crmsdk.segments.grammar import Anniversary, AttrDays, Did
from crmsdk.segments.occurrences import Occurrences
from crmsdk.segments.sql import dates, past, questions, zoning
from crmsdk.segments.words import did, sequence
from crmsdk.testing._audience_draws import Asked, answered
from crmsdk.testing._edges import EVENTS, calendars
from crmsdk.testing.draws import NOW
from crmsdk.testing.people_draws import day_questions, past_questions
from crmsdk.testing.populations import population
from tests.audience_databases import duckdb_of
from tests.conftest import PROFILE
from tests.unit.segments.planting import drawn

WHOLE = PROFILE == "proofs" or bool(os.environ.get("CI"))

PEOPLE = population(7, 150)
NUMBERS = {"anniversary": 40, "calendar": 300}
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
}


@pytest.fixture(scope="module")
def asked() -> dict[str, list[Asked]]:
    out = {}
    for kind, strategy in DRAWN.items():
        drawn_ones = drawn(strategy, NUMBERS.get(kind, 150))
        # Who is in doubt about one question is judged about all that are asked together.
        each = 1 if kind == "anniversary" else 50
        out[kind] = [
            answered(PEOPLE, ATS[place % len(ATS)], drawn_ones[start : start + each])
            for place, start in enumerate(range(0, len(drawn_ones), each))
        ]
    return out


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
    if WHOLE or place % 2 == 0
]


@pytest.mark.parametrize(("kind", "fault"), CASES)
def test_a_planted_fault_is_found(
    kind: str,
    fault: tuple[Callable[..., Any], str, str],
    asked: dict[str, list[Asked]],
    audience: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _plant(monkeypatch, *fault)
    assert any(_differs(audience, each) for each in asked[kind])


@pytest.mark.parametrize("kind", DRAWN)
def test_without_a_fault_nothing_differs(kind: str, asked: dict[str, list[Asked]], audience: Any) -> None:
    assert not any(_differs(audience, each) for each in asked[kind])


@pytest.mark.parametrize("kind", ["days", "anniversary", "calendar"])
def test_people_in_zones_that_nobody_listed_are_left_to_the_reference(
    kind: str, asked: dict[str, list[Asked]], audience: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(audience), "_zones", lambda _: ["Europe/Moscow", "Mars/Phobos"])
    assert not any(_differs(audience, each) for each in asked[kind])
    first = asked[kind][0]
    found = audience.count(first.segments[0], at=first.at)
    assert found == len(audience.members(first.segments[0], at=first.at)) == len(first.members[0])


def test_a_chain_within_a_local_week_is_found(audience: Any) -> None:
    chain = sequence(did("purchase"), did("visit")).this("week")
    expected = answered(PEOPLE, NOW, [chain]).members[0]
    assert list(audience.members(chain, at=NOW)) == list(expected)
    assert expected
