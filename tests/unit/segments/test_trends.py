"""A window against those before it, at the edges."""

from datetime import UTC, datetime
from datetime import timedelta as td

import attrs
import pytest

from crmsdk.model.money import Money
from crmsdk.reports.explanation import explanation
from crmsdk.segments.checks import problems
from crmsdk.segments.explain import describe
from crmsdk.segments.grammar import Condition, Predicate
from crmsdk.segments.meaning import evaluate
from crmsdk.segments.reading import reads
from crmsdk.segments.words import did
from tests.unit.segments.people import NOW, TICK, ann, happened

P = did("p")
DAY = td(days=1)
TEN = P.within(10 * DAY)


def holds(question: Predicate, *days: float, at: datetime = NOW) -> bool:
    """Ask of somebody who did it so many days ago."""
    facts = ann([happened("p", day * DAY, f"e{n}") for n, day in enumerate(days)])
    return evaluate(question, facts, at).matched


@pytest.mark.parametrize(
    ("days", "question", "expected"),
    [
        # Two in the last ten days, four in the ten before: a half.
        ((1, 2, 11, 12, 13, 14), TEN.trend() <= 0.5, True),
        ((1, 2, 11, 12, 13, 14), TEN.trend() < 0.5, False),
        ((1, 2, 11, 12, 13, 14), TEN.trend() == 0.5, True),
        ((1, 2, 11, 12, 13), TEN.trend() <= 0.5, False),
        ((1, 2, 11, 12, 13), TEN.trend().between(0.6, 0.7), True),
        ((1, 2, 11), TEN.trend() >= 2, True),
        ((11,), TEN.trend() == 0, True),
        # Three of ten are at most 0.3, though the double 0.3 is a little less than three tenths.
        ((1, 2, 3, *range(11, 20), 19.5), TEN.trend() <= 0.3, True),
        ((1, 2, 3, *range(11, 20), 19.5), TEN.trend() == 0.3, True),
        # Of no baseline there is no ratio, and nothing holds of none.
        ((1, 2), TEN.trend() <= 0.5, False),
        ((1, 2), TEN.trend() > 0.5, False),
        ((), TEN.trend() == 0, False),
        ((1, 2), TEN.trend() != 1, True),
        # The person's own baseline: 6, 3 and 0 make 3 on average; 30 days of history or not.
        ((1, 2, 3, *range(11, 17), 21, 22, 23), TEN.trend(over=3) == 1, True),
        ((1, 2, 3, *range(11, 17), 21, 22, 23), TEN.trend(over=2) <= 0.7, True),
        ((1, 2, 3, *range(11, 17), 21, 22, 23), TEN.trend(over=1) == 0.5, True),
        # The window is half-open: what lies a span ago is in the one before.
        ((0, 10), TEN.trend() == 1, True),
        ((0, 20), TEN.trend() == 1, False),
        # Of a window that ended earlier, the one before that.
        ((1, 11, 12, 21), P.previous(10 * DAY).trend() == 2, True),
    ],
)
def test_the_ratio_of_counts(days: tuple[float, ...], question: Predicate, expected: bool) -> None:
    assert holds(question, *days) is expected
    assert holds(~question, *days) is not expected


def test_the_ratio_of_sums() -> None:
    amounts: list[tuple[int, object]] = [
        (1, Money(100, "RUB")),
        (2, Money(900, "USD")),
        (3, 7),
        (11, Money(300, "RUB")),
        (12, Money(100, "RUB")),
        (13, 14),
        (14, "a"),
    ]
    facts = ann([happened("p", day * DAY, amount=amount) for day, amount in amounts])
    for question, expected in (
        (TEN.trend("amount", currency="RUB") == 0.25, True),
        (TEN.trend("amount", currency="RUB") < 0.25, False),
        (TEN.trend("amount", currency="RUB", over=2) == 0.5, True),
        (TEN.trend("amount", currency="USD") >= 0, False),  # no baseline
        (TEN.trend("amount") == 0.5, True),
        (TEN.trend() == 0.75, True),
    ):
        assert evaluate(question, facts, NOW).matched is expected, describe(question)


@pytest.mark.parametrize(
    ("now", "before", "question", "expected"),
    [
        (0.3, 1.0, TEN.trend("x") == 0.3, True),
        (0.1, 0.3, TEN.trend("x") == 0.1 / 0.3, True),
        (2**53 + 1, 2**53, TEN.trend("x") > 1, True),
        (2**53 + 1, 2**53, TEN.trend("x") == 1, False),
        (1e308, 1e-308, TEN.trend("x") > 1e308, True),
        (1, -1, TEN.trend("x") <= 0, False),  # a ratio to a negative baseline says nothing
        (-1, 2, TEN.trend("x") == -0.5, True),
    ],
)
def test_numbers_are_compared_exactly(now: float, before: float, question: Predicate, expected: bool) -> None:
    facts = ann([happened("p", DAY, x=now), happened("p", 11 * DAY, x=before)])
    assert evaluate(question, facts, NOW).matched is expected


def test_until_is_when_an_event_passes_from_one_window_to_the_next() -> None:
    facts = ann([happened("p", day * DAY, f"e{day}") for day in (1, 2, 11, 12)])
    verdict = evaluate(TEN.trend() >= 1, facts, NOW)
    assert (verdict.matched, verdict.until) == (True, NOW + 8 * DAY)
    at = NOW + 8 * DAY
    assert evaluate(TEN.trend() >= 1, facts, at - TICK).matched
    # At that moment one event of two moved into the baseline and one left it: 1 of 2.
    assert evaluate(TEN.trend() == 0.5, facts, at).matched


def test_periods_of_the_calendar() -> None:
    ats = ("2026-02-27T12:00", "2026-03-01T12:00", "2026-03-20T12:00", "2026-03-31T22:30")
    facts = ann([happened("p", NOW - datetime.fromisoformat(at).replace(tzinfo=UTC), at) for at in ats])
    moscow, now = attrs.evolve(facts, zone="Europe/Moscow"), datetime(2026, 4, 2, tzinfo=UTC)
    assert evaluate(P.previous("month").trend() == 3, facts, now).matched
    assert evaluate(P.previous("month").trend() == 2, moscow, now).matched  # 31 March is 1 April there
    assert evaluate(P.this("month").trend() == 0.5, moscow, now).matched
    verdict = evaluate(P.this("month").trend(over=2) <= 0.7, moscow, now)
    # 1 against the mean of 2 and 1; in May nothing, in June 0 against a half, then no baseline is left.
    assert (verdict.matched, verdict.until) == (True, datetime(2026, 6, 30, 21, tzinfo=UTC))
    assert reads(P.this("month").trend() > 1).zone
    assert not reads(TEN.trend() > 1).zone


@pytest.mark.parametrize(
    ("question", "en", "ru"),
    [
        (
            TEN.trend() <= 0.5,
            "number of p in the last 10 days against the same time before is at most 0.5",
            "число событий p менее 10 дней назад относительно такого же времени до того не больше 0.5",
        ),
        (
            P.this("month").trend("x", currency="RUB", over=3) > 2,
            "sum of x (RUB) over p this month against the mean of the 3 windows before is more than 2",
            "сумма x (RUB) по событиям p в этом месяце относительно среднего за 3 окна до того больше 2",
        ),
    ],
)
def test_trends_are_said_in_words(question: Condition, en: str, ru: str) -> None:
    assert (describe(question), describe(question, "ru")) == (en, ru)


def test_a_reason_tells_the_ratio_and_the_events_of_the_window() -> None:
    facts = ann([happened("p", day * DAY, f"e{day}") for day in (1, 11, 12)])
    because = evaluate(TEN.trend() <= 0.5, facts, NOW).because
    assert (because.found, because.asked, because.events) == (0.5, 0.5, ("e1",))
    assert evaluate(TEN.trend() <= 0.5, ann(), NOW).because.found is None
    assert "found 0.5; events e1; until" in str(explanation(evaluate(TEN.trend() <= 0.5, facts, NOW)))


def test_a_catalog_knows_what_a_trend_sums_in_vain() -> None:
    known = {"p": {"x": "text", "m": "money", "r": "money RUB"}}
    assert problems(TEN.trend() > 1, known, {}) == []
    assert problems(TEN.trend("m", currency="USD") > 1, known, {}) == []
    assert problems(TEN.trend("x") > 1, known, {}) == [
        "property 'x' of event 'p' is text and never compares with number; give text"
    ]
    assert problems(TEN.trend("r", currency="USD") > 1, known, {}) == [
        "property 'r' of event 'p' is money RUB and never compares with money USD; give money RUB"
    ]
