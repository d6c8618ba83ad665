"""Sums, averages, extremes, variety, first and last values, at their edges."""

from datetime import UTC, date, datetime
from datetime import timedelta as td

import pytest

from crmsdk.model.facts import Facts
from crmsdk.model.money import Money
from crmsdk.segments.checks import problems
from crmsdk.segments.explain import describe
from crmsdk.segments.grammar import Condition, Predicate
from crmsdk.segments.meaning import evaluate
from crmsdk.segments.words import did, prop
from tests.unit.segments.people import NOW, TICK, ann, happened

P = did("p")


def rub(minor: int) -> Money:
    return Money(minor, "RUB")


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def brought(*values: object) -> Facts:
    """One event a day, the last of them a day ago; None for one without a value."""
    out = []
    for days, value in zip(range(len(values), 0, -1), values, strict=True):
        out.append(happened("p", td(days=days)) if value is None else happened("p", td(days=days), x=value))
    return ann(out)


def holds(predicate: Predicate, facts: Facts, now: datetime = NOW) -> bool:
    return evaluate(predicate, facts, now).matched


@pytest.mark.parametrize(
    ("values", "question", "expected"),
    [
        # averages
        ((1, 2), P.avg("x") == 1.5, True),
        ((1, 2), P.avg("x") > 1, True),
        ((1, 2), P.avg("x") >= 2, False),
        ((rub(1), rub(2)), P.avg("x") > rub(1), True),
        ((rub(1), rub(2)), P.avg("x") >= rub(2), False),
        ((rub(1), rub(2)), P.avg("x") == rub(2), False),
        ((rub(100), rub(200), usd(900), 5, "a", None), P.avg("x") == rub(150), True),
        ((rub(100), rub(200), usd(900)), P.avg("x") == usd(900), True),
        ((rub(100), rub(200)), P.avg("x").between(rub(150), rub(151)), True),
        ((rub(100), rub(200)), P.avg("x").between(rub(151), rub(160)), False),
        ((rub(100),), P.avg("x") == 100, False),
        ((2**53 + 1, 2**53 + 1), P.avg("x") == 2**53 + 1, True),
        ((2**53 + 1, 2**53 + 1), P.avg("x") == 2**53, False),
        ((0, 0, 0, 0, 0, 0, 0, 1, 1, 1), P.avg("x") <= 0.3, True),
        ((0, 0, 0, 0, 0, 0, 0, 1, 1, 1), P.avg("x") >= 0.3, True),
        ((0.1, 0.3), P.avg("x") == 0.2, True),
        ((0.3,), P.avg("x") == 0.3, True),
        ((1e308, 1e308), P.avg("x") > 1e308, True),  # the sum is infinite, as a sum is
        ((2**511, 0.5), P.avg("x") > 1e153, True),
        ((), P.avg("x") >= 0, False),
        ((), P.avg("x") < 0, False),
        ((None, "a"), P.avg("x") >= 0, False),
        # extremes
        ((3, 1, 2), P.min("x") == 1, True),
        ((3, 1, 2), P.max("x") == 3, True),
        ((3, 1.5, 2), P.min("x") < 2, True),
        ((3, "a", True, None), P.min("x") == 3, True),
        ((rub(5), usd(1)), P.min("x") == rub(5), True),
        ((rub(5), usd(9)), P.max("x") <= rub(5), True),
        ((date(2026, 1, 1), date(2026, 2, 1)), P.max("x") == date(2026, 2, 1), True),
        ((NOW, NOW + TICK, date(2026, 1, 1)), P.max("x") > NOW, True),
        ((NOW, NOW + TICK, date(2026, 1, 1)), P.min("x").between(NOW, NOW), True),
        ((), P.min("x") <= 10**9, False),
        ((), P.max("x") > -(10**9), False),
        # variety
        ((1, 1.0, 2), P.distinct("x") == 2, True),
        ((1, True, "1"), P.distinct("x") == 3, True),
        ((rub(1), usd(1), rub(1)), P.distinct("x") == 2, True),
        (("a", "A", ""), P.distinct("x") == 3, True),
        (("é", "e\u0301"), P.distinct("x") == 1, True),
        (((1,), (True,), (1.0,)), P.distinct("x") == 2, True),
        ((None, None), P.distinct("x") == 0, True),
        ((), P.distinct("x") == 0, True),
        ((), P.distinct("x") < 1, True),
        (("a", "b"), P.distinct("x").between(1, 2), True),
        # first and last
        (("a", "b"), P.first("x") == "a", True),
        (("a", "b"), P.last("x") == "b", True),
        (("a", None), P.last("x") == "a", False),
        (("a", None), P.last("x").missing(), True),
        (("a", None), P.first("x").exists(), True),
        (("a", None), P.last("x") != "a", True),
        ((), P.last("x").missing(), True),
        ((), P.last("x").exists(), False),
        (("ads", "mail"), P.first("x").in_(["ads", "sms"]), True),
        (("winter-sale",), P.last("x").startswith("winter"), True),
        (("winter-sale",), P.last("x").endswith("sale"), True),
        (("winter-sale",), P.last("x").contains("r-s"), True),
        ((("a", "b"),), P.last("x").contains("b"), True),
        (({"city": "Perm"},), P.last("x.city") == "Perm", True),
        ((3, rub(3)), P.last("x") >= rub(3), True),
        ((3, rub(3)), P.last("x") >= 3, False),
    ],
)
def test_a_property_over_events(values: tuple[object, ...], question: Predicate, expected: bool) -> None:
    facts = brought(*values)
    assert holds(question, facts) is expected
    assert holds(~question, facts) is not expected


def test_the_last_of_two_events_of_one_moment_is_the_one_with_the_greater_id() -> None:
    at = td(days=1)
    for first, second in (("a", "b"), ("b", "a")):
        facts = ann([happened("p", at, id=first, x=first), happened("p", at, id=second, x=second)])
        assert holds(P.last("x") == "b", facts)
        assert holds(P.first("x") == "a", facts)


def test_a_late_event_takes_its_place_by_event_time() -> None:
    facts = brought("a", "b").with_events([happened("p", td(hours=36), id="late", x="late")])
    assert holds(P.last("x") == "b", facts)
    assert holds(P.last("x") == "late", facts, NOW - td(hours=30))
    assert holds(P.distinct("x") == 3, facts)


def test_until_is_the_moment_at_which_the_comparison_turns() -> None:
    facts = brought(10, 1, 1)  # 3, 2 and 1 days ago
    week = P.within(td(days=7))
    for question, days in (
        (week.avg("x") >= 4, 4),
        (week.max("x") == 10, 4),
        (week.first("x") == 10, 4),
        (week.distinct("x") == 2, 4),
        (week.distinct("x") >= 1, 6),
        (week.min("x") == 1, 6),
        (week.last("x") == 1, 6),
        (week.avg("x") > 0, 6),
    ):
        verdict = evaluate(question, facts, NOW)
        assert (verdict.matched, verdict.until) == (True, NOW + td(days=days)), describe(question)
        assert holds(question, facts, NOW + td(days=days) - TICK)
        assert not holds(question, facts, NOW + td(days=days))


def test_an_event_of_the_future_counts_from_its_moment() -> None:
    facts = ann([happened("p", td(days=1), x=1), happened("p", -td(days=1), x=9)])
    verdict = evaluate(P.max("x") > 5, facts, NOW)
    assert (verdict.matched, verdict.until) == (False, NOW + td(days=1))
    assert evaluate(P.last("x") == 1, facts, NOW).until == NOW + td(days=1)


def test_a_reason_tells_what_was_found_and_of_which_events() -> None:
    facts = brought(rub(100), rub(201), usd(5))
    for question, found, ids in (
        (P.avg("x") > rub(1), rub(150), 2),
        (P.max("x") > rub(1), rub(201), 2),
        (P.distinct("x") > 1, 3, 3),
        (P.last("x") == rub(1), usd(5), 1),
        (P.first("x") == rub(1), rub(100), 1),
        (P.avg("x") > 1, None, 0),
    ):
        because = evaluate(question, facts, NOW).because
        assert (because.found, len(because.events)) == (found, ids)
    assert evaluate(P.avg("x") > 1, brought(1, 2), NOW).because.found == 1.5
    assert evaluate(P.avg("x") > 1, brought(1, 3), NOW).because.found == 2
    assert evaluate(P.avg("x") > 1, brought(1e308, 1e308), NOW).because.found == float("inf")


@pytest.mark.parametrize(
    ("question", "text"),
    [
        (P.avg("x") > 3, "average of x over p is more than 3"),
        (P.within(td(days=30)).min("x") < 3, "smallest x over p in the last 30 days is less than 3"),
        (P.max("x") <= rub(5), "largest x over p is at most 5 RUB in minor units"),
        (
            P.where(prop("y") == 1).distinct("x") >= 2,
            "number of different x over p where y is 1 is at least 2",
        ),
        (P.first("x") == "a", "x of the first p is 'a'"),
        (P.last("x").missing(), "not (x of the last p exists)"),
    ],
)
def test_aggregates_read_as_english(question: Condition, text: str) -> None:
    assert describe(question) == text


@pytest.mark.parametrize(
    ("question", "problem"),
    [
        (P.avg("x") > 3, "property 'x' of event 'p' is text and never compares with number; give text"),
        (P.distinct("y") > 3, "property 'y' of event 'p' is not declared; declare it first"),
        (P.distinct("x") > 3, ""),
        (P.last("x") == 3, "property 'x' of event 'p' is text and never compares with number; give text"),
        (P.last("x") == "a", ""),
        (P.min("at") > datetime(2026, 1, 1, tzinfo=UTC), ""),
        (did("q").max("x") > 1, "event 'q' is not declared; declare it first"),
    ],
)
def test_a_catalog_knows_what_an_aggregate_asks_in_vain(question: Condition, problem: str) -> None:
    assert problems(question, {"p": {"x": "text", "at": "moment"}}, {}) == ([problem] if problem else [])
