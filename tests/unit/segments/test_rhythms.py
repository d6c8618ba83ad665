"""Streaks, regularity and the times between events, at their edges."""

from datetime import UTC, datetime
from datetime import timedelta as td

import attrs
import pytest

from crmsdk.model.facts import Facts
from crmsdk.reports.explanation import explanation
from crmsdk.segments.checks import problems
from crmsdk.segments.explain import describe
from crmsdk.segments.grammar import Condition, Predicate
from crmsdk.segments.meaning import evaluate
from crmsdk.segments.reading import reads
from crmsdk.segments.words import did, prop
from tests.unit.segments.people import NOW, TICK, ann, happened

V = did("v")
DAY = td(days=1)


def at(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def on(*moments: str, zone: str = "UTC") -> Facts:
    facts = ann([happened("v", NOW - at(moment), f"e{n}") for n, moment in enumerate(moments)])
    return attrs.evolve(facts, zone=zone)


# --- streaks -----------------------------------------------------------------------------------------------

WEEK = tuple(f"2026-03-{day:02}T12:00" for day in (2, 3, 4, 5, 6, 7, 8))


@pytest.mark.parametrize(
    ("now", "days"),
    [
        ("2026-03-08T11:59", 6),  # of the future nothing counts; today is still open
        ("2026-03-08T12:00", 7),
        ("2026-03-08T23:59:59.999999", 7),
        ("2026-03-09T00:00", 7),  # today is still open
        ("2026-03-09T23:59:59.999999", 7),
        ("2026-03-10T00:00", 0),  # a whole day went by without
        ("2026-03-02T12:00", 1),
        ("2026-03-01T12:00", 0),
    ],
)
def test_a_streak_counts_days_in_a_row_and_is_lost_with_a_whole_day(now: str, days: int) -> None:
    facts = on(*WEEK)
    assert evaluate(V.streak("day") == days, facts, at(now)).matched
    assert not evaluate(V.streak("day") > days, facts, at(now)).matched


def test_until_of_a_streak_is_the_end_of_the_first_day_without() -> None:
    facts = on(*WEEK)
    verdict = evaluate(V.streak("day") >= 7, facts, at("2026-03-08T12:00"))
    assert (verdict.matched, verdict.until) == (True, at("2026-03-10T00:00"))
    assert evaluate(V.streak("day") >= 7, facts, at("2026-03-05T00:00")).until == at("2026-03-08T12:00")
    assert evaluate(V.streak("day") >= 8, facts, at("2026-03-05T00:00")).until is None


def test_several_events_of_a_day_are_one_day_and_a_gap_begins_anew() -> None:
    facts = on("2026-03-02T01:00", "2026-03-02T23:00", "2026-03-04T12:00", "2026-03-05T12:00")
    now = at("2026-03-05T13:00")
    assert evaluate(V.streak("day") == 2, facts, now).matched
    assert evaluate(V.longest_streak("day") == 2, facts, now).matched
    assert evaluate(V.active("day") == 3, facts, now).matched
    late = facts.with_events([happened("v", NOW - at("2026-03-03T12:00"), "late")])
    assert evaluate(V.streak("day") == 4, late, now).matched


def test_the_longest_streak_stays_and_follows_its_window() -> None:
    facts = on(*WEEK, "2026-04-01T12:00")
    assert evaluate(V.longest_streak("day") == 7, facts, at("2026-05-01T12:00")).matched
    verdict = evaluate(V.within(30 * DAY).longest_streak("day") >= 3, facts, at("2026-03-10T00:00"))
    assert (verdict.matched, verdict.until) == (
        True,
        at("2026-04-05T12:00"),
    )  # then only the 7th and 8th stay
    assert evaluate(V.this("month").active("day") == 7, facts, at("2026-03-31T12:00")).matched
    assert evaluate(V.previous("month").active("week") == 1, facts, at("2026-04-02T12:00")).matched


def test_t16_days_are_those_of_the_person() -> None:
    # 22:30 UTC is 01:30 of the next day in Moscow: three days there, two in UTC.
    moments = ("2026-03-02T12:00", "2026-03-02T22:30", "2026-03-03T22:30")
    assert evaluate(V.streak("day") == 2, on(*moments), at("2026-03-03T23:00")).matched
    moscow = on(*moments, zone="Europe/Moscow")
    verdict = evaluate(V.streak("day") == 3, moscow, at("2026-03-03T23:00"))
    assert (verdict.matched, verdict.until) == (True, at("2026-03-06T00:00+03:00"))
    unknown = attrs.evolve(moscow, zone=None)
    assert evaluate(V.streak("day") == 3, unknown, at("2026-03-03T23:00"), zone="Europe/Moscow").matched


def test_t20_days_of_23_and_25_hours_are_days() -> None:
    spring = on(
        "2026-03-28T23:30+01:00", "2026-03-29T23:30+02:00", "2026-03-30T00:30+02:00", zone="Europe/Berlin"
    )
    verdict = evaluate(V.streak("day") == 3, spring, at("2026-03-30T00:30+02:00"))
    assert (verdict.matched, verdict.until) == (True, at("2026-04-01T00:00+02:00"))
    autumn = on("2026-10-24T12:00+02:00", "2026-10-25T00:30+02:00", zone="Europe/Berlin")
    assert evaluate(V.streak("day") == 2, autumn, at("2026-10-26T12:00+01:00")).until == at(
        "2026-10-27T00:00+01:00"
    )


def test_a_day_that_a_zone_skipped_breaks_no_streak() -> None:
    # Apia went from 29 to 31 December 2011.
    facts = on(
        "2011-12-28T12:00-10:00", "2011-12-29T12:00-10:00", "2011-12-31T12:00+14:00", zone="Pacific/Apia"
    )
    assert evaluate(V.streak("day") == 3, facts, at("2011-12-31T13:00+14:00")).matched
    assert evaluate(V.longest_streak("day") == 3, facts, at("2012-06-01T13:00+13:00")).matched
    earlier = on("2011-12-28T12:00-10:00", "2011-12-29T12:00-10:00", zone="Pacific/Apia")
    verdict = evaluate(V.streak("day") == 2, earlier, at("2011-12-29T13:00-10:00"))
    assert (verdict.matched, verdict.until) == (True, at("2012-01-01T00:00+14:00"))
    assert evaluate(V.regularly(at_least=3, of=3, period="day"), facts, at("2011-12-31T13:00+14:00")).matched


def test_weeks_months_quarters_and_years_in_a_row_over_the_turn_of_the_year() -> None:
    facts = on(
        "2026-11-30T12:00", "2026-12-07T12:00", "2026-12-14T12:00", "2026-12-27T12:00", "2027-01-03T12:00"
    )
    now = at("2027-01-10T12:00")
    assert evaluate(V.streak("week") == 5, facts, now).matched  # 21-27 December, 28 December - 3 January
    assert evaluate(V.streak("month") == 3, facts, now).matched
    assert evaluate(V.streak("quarter") == 2, facts, now).matched
    assert evaluate(V.streak("year") == 2, facts, now).matched
    assert evaluate(V.streak("week") == 5, facts, now).until == at("2027-01-11T00:00")


# --- regularity --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weeks", "now", "expected"),
    [
        # Mondays 2, 9, 16, 23 March; now lies in the week of the 23rd.
        (("02", "09", "16"), "2026-03-25T12:00", True),  # this week is open: the last four are before it
        (("02", "16", "23"), "2026-03-25T12:00", True),  # this week counts
        (("02", "09"), "2026-03-25T12:00", False),
        (("02", "09", "16"), "2026-03-29T23:59:59.999999", True),
        (("02", "09", "16"), "2026-03-30T00:00", True),
        (("02", "09", "16"), "2026-04-06T00:00", False),
        (("02", "09", "16", "30"), "2026-03-30T11:00", True),
        (("02", "09", "30"), "2026-03-30T12:00", False),  # now this week is the last, and the first is out
        (("09", "16", "30"), "2026-03-30T11:59", False),
        (("09", "16", "30"), "2026-03-30T12:00", True),
    ],
)
def test_three_of_the_last_four_weeks(weeks: tuple[str, ...], now: str, expected: bool) -> None:
    facts = on(*(f"2026-03-{day}T12:00" for day in weeks))
    question = V.regularly(at_least=3, of=4, period="week")
    assert evaluate(question, facts, at(now)).matched is expected
    assert evaluate(~question, facts, at(now)).matched is not expected


def test_until_of_regularity_is_when_a_week_drops_out() -> None:
    facts = on("2026-03-02T12:00", "2026-03-09T12:00", "2026-03-16T12:00")
    verdict = evaluate(V.regularly(at_least=3, of=4, period="week"), facts, at("2026-03-16T12:00"))
    assert (verdict.matched, verdict.until) == (True, at("2026-04-06T00:00"))
    assert not evaluate(V.regularly(at_least=3, of=4, period="week"), facts, at("2026-04-06T00:00")).matched


# --- the times between events ------------------------------------------------------------------------------


def every(*days: float) -> Facts:
    """Events so many days apart, the first one 100 days ago."""
    moment, events = NOW - 100 * DAY, [happened("v", 100 * DAY, "e")]
    for number, day in enumerate(days):
        moment += day * DAY
        events.append(happened("v", NOW - moment, f"e{number}"))
    return ann(events)


G = V.gaps()


@pytest.mark.parametrize(
    ("days", "question", "expected"),
    [
        ((1, 2, 6), G.mean() == 3 * DAY, True),
        ((1, 2, 6), G.mean() <= 3 * DAY - TICK, False),
        ((1, 2, 6), G.median() == 2 * DAY, True),
        ((1, 2, 4, 6), G.median() == 3 * DAY, True),
        ((1, 2, 4, 6), G.median().between(3 * DAY, 4 * DAY), True),
        ((1, 2, 4, 6), G.median() > 3 * DAY, False),
        ((0, 0), G.mean() == td(0), True),
        # A third of a day is no whole number of microseconds times three; it is compared without rounding.
        ((0, 0, 1), G.mean() < DAY / 3 + TICK, True),
        ((0, 0, 1), G.mean() > DAY / 3 - TICK, True),
        ((), G.mean() <= 100 * DAY, False),
        ((), G.mean() >= td(0), False),
        ((), G.median() >= td(0), False),
        ((), G.mean() != 3 * DAY, True),
        # Gaps of 1 and 3 days: mean 2, deviation 1, variation a half.
        ((1, 3), G.variation() == 0.5, True),
        ((1, 3), G.variation() < 0.5, False),
        ((2, 2, 2), G.variation() == 0, True),
        ((1, 19), G.variation() == 0.9, True),
        ((3, 7), G.variation() == 0.4, True),
        ((3, 7), G.variation().between(0.4, 0.5), True),
        ((3, 7), G.variation() > 0.4, False),
        ((2,), G.variation() >= 0, False),  # one gap varies from nothing
        ((0, 0), G.variation() >= 0, False),
    ],
)
def test_the_times_between_events(days: tuple[float, ...], question: Predicate, expected: bool) -> None:
    assert evaluate(question, every(*days), NOW).matched is expected
    assert evaluate(~question, every(*days), NOW).matched is not expected


def test_gaps_follow_their_window_and_events_of_the_future() -> None:
    facts = every(1, 1, 10)  # 100, 99, 98 and 88 days ago
    question = V.within(100 * DAY).gaps().mean() >= 5 * DAY
    verdict = evaluate(question, facts, NOW - TICK)
    assert (verdict.matched, verdict.until) == (False, NOW)
    assert evaluate(V.within(101 * DAY).gaps().mean() < 5 * DAY, facts, NOW).until == NOW + DAY
    ahead = ann([happened("v", DAY), happened("v", -DAY)])
    assert evaluate(G.mean() == 2 * DAY, ahead, NOW).until == NOW + DAY


# --- words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "en", "ru"),
    [
        (
            V.where(prop("n") > 1).streak("day") >= 7,
            "days in a row up to now with v where n is more than 1 is at least 7",
            "число дней подряд по сей день с событием v, где n больше 1 не меньше 7",
        ),
        (
            V.longest_streak("week") > 3,
            "most weeks in a row with v is more than 3",
            "наибольшее число недель подряд с событием v больше 3",
        ),
        (
            V.this("year").active("month") == 2,
            "number of months with v this year is 2",
            "число месяцев с событием v в этом году равно 2",
        ),
        (
            V.regularly(at_least=3, of=4, period="week"),
            "did v in at least 3 of the last 4 weeks",
            "было событие v не менее чем в 3 из последних 4 недель",
        ),
        (
            G.mean() <= 30 * DAY,
            "mean time between v is at most 30 days",
            "среднее время между событиями v не больше 30 дней",
        ),
        (
            G.median().between(DAY, 2 * DAY),
            "median time between v is between 1 day and 2 days",
            "медиана времени между событиями v от 1 день до 2 дня",
        ),
        (
            G.variation() < 0.5,
            "variation of the time between v is less than 0.5",
            "разброс времени между событиями v меньше 0.5",
        ),
    ],
)
def test_rhythms_are_said_in_words(question: Condition, en: str, ru: str) -> None:
    assert (describe(question), describe(question, "ru")) == (en, ru)


def test_a_reason_tells_what_was_found() -> None:
    now = at("2026-03-08T13:00")
    facts = on(*WEEK)
    for question, found in (
        (V.streak("day") > 9, 7),
        (V.longest_streak("day") > 9, 7),
        (V.active("week") > 9, 1),
        (V.regularly(at_least=4, of=4, period="day"), 4),
        (G.mean() < DAY, DAY),
        (G.median() < DAY, DAY),
        (G.variation() < 1, 0.0),
    ):
        because = evaluate(question, facts, now).because
        assert (because.found, len(because.events)) == (found, 7), describe(question)
    assert evaluate(G.mean() < DAY, ann(), NOW).because.found is None
    assert evaluate(G.variation() < 1, ann(), NOW).because.found is None
    shown = str(explanation(evaluate(G.mean().between(DAY, 2 * DAY), facts, now)))
    assert shown.startswith("yes mean time between v is between 1 day and 2 days; found 1 day; events e0")


def test_what_rhythms_read_and_what_a_catalog_finds() -> None:
    for question in (V.streak("day") > 1, V.regularly(at_least=1, of=2, period="day")):
        assert reads(question).zone
        assert reads(question).events == {"v"}
    assert not reads(G.mean() < DAY).zone
    for question in (V.active("day") > 1, V.regularly(at_least=1, of=2, period="day"), G.variation() < 1):
        assert problems(question, {}, {}) == ["event 'v' is not declared; declare it first"]
