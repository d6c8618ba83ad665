"""Windows of the calendar and windows that ended earlier, at their edges."""

from datetime import UTC, datetime
from datetime import timedelta as td

import attrs
import pytest

from crmsdk.errors import UnknownZone
from crmsdk.model.customer import ZONE, AttributeWrite
from crmsdk.model.facts import Facts
from crmsdk.model.ids import EventId
from crmsdk.segments.explain import describe
from crmsdk.segments.grammar import Condition, Predicate
from crmsdk.segments.meaning import evaluate
from crmsdk.segments.reading import Reads, reads
from crmsdk.segments.windows import Calendar
from crmsdk.segments.words import did
from tests.unit.segments.people import NOW, TICK, ann, happened

P = did("p")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def somebody(zone: str | None, *moments: str) -> Facts:
    facts = ann([happened("p", NOW - at(moment), id=f"e{n}") for n, moment in enumerate(moments)])
    return attrs.evolve(facts, zone=zone)


def assert_holds_in(question: Predicate, facts: Facts, begin: str, end: str) -> None:
    """The answer is true in exactly ``[begin, end)``, and says so."""
    first, last = at(begin), at(end)
    before = evaluate(question, facts, first - TICK)
    assert (before.matched, before.until) == (False, first)
    within = evaluate(question, facts, first)
    assert (within.matched, within.until) == (True, last)
    assert evaluate(question, facts, last - TICK).matched
    after = evaluate(question, facts, last)
    assert (after.matched, after.until) == (False, None)


@pytest.mark.parametrize(
    ("zone", "moment", "question", "begin", "end"),
    [
        # Moscow is three hours ahead of UTC all year: its April begins on 31 March at 21:00 UTC.
        ("Europe/Moscow", "2026-03-31T23:59:59.999999+03:00", P.this("month"), "", "2026-03-31T21:00Z"),
        ("Europe/Moscow", "2026-04-01T00:00+03:00", P.this("month"), "", "2026-04-30T21:00Z"),
        (
            "Europe/Moscow",
            "2026-03-31T23:59:59.999999+03:00",
            P.previous("month"),
            "2026-03-31T21:00Z",
            "2026-04-30T21:00Z",
        ),
        # Two whole months before this one: February and March in April, March and April in May.
        (
            "Europe/Moscow",
            "2026-03-05T12:00+03:00",
            P.previous("month", 2),
            "2026-03-31T21:00Z",
            "2026-05-31T21:00Z",
        ),
        # The spring day of Berlin has 23 hours, the autumn day 25.
        ("Europe/Berlin", "2026-03-29T00:00+01:00", P.this("day"), "", "2026-03-29T22:00Z"),
        ("Europe/Berlin", "2026-10-25T00:00+02:00", P.this("day"), "", "2026-10-25T23:00Z"),
        (
            "Europe/Berlin",
            "2026-03-28T12:00+01:00",
            P.previous("day"),
            "2026-03-28T23:00Z",
            "2026-03-29T22:00Z",
        ),
        # On Lord Howe the clock goes back half an hour on 5 April 2026: 24 hours and a half.
        ("Australia/Lord_Howe", "2026-04-05T00:00+11:00", P.this("day"), "", "2026-04-05T13:30Z"),
        # In São Paulo 4 November 2018 began at 01:00: its midnight was skipped.
        ("America/Sao_Paulo", "2018-11-03T23:59-03:00", P.this("day"), "", "2018-11-04T03:00Z"),
        ("America/Sao_Paulo", "2018-11-04T01:00-02:00", P.this("day"), "", "2018-11-05T02:00Z"),
        # Havana repeats midnight on 1 November 2026: the day began the first time.
        ("America/Havana", "2026-11-01T00:30-05:00", P.this("day"), "", "2026-11-02T05:00Z"),
        ("America/Havana", "2026-11-01T00:30-04:00", P.this("day"), "", "2026-11-02T05:00Z"),
        # Apia skipped 30 December 2011: yesterday's day was over at the start of the 31st and "yesterday"
        # was the empty 30th, so that the 29th never was.
        ("Pacific/Apia", "2011-12-29T12:00-10:00", P.this("day"), "", "2011-12-30T10:00Z"),
        # ISO weeks begin on Monday and know no new year: 31 December 2026 is a Thursday.
        ("UTC", "2026-12-31T12:00Z", P.this("week"), "", "2027-01-04T00:00Z"),
        ("UTC", "2026-12-31T12:00Z", P.this("year"), "", "2027-01-01T00:00Z"),
        ("UTC", "2026-12-31T12:00Z", P.this("quarter"), "", "2027-01-01T00:00Z"),
        ("UTC", "2026-12-31T12:00Z", P.previous("quarter"), "2027-01-01T00:00Z", "2027-04-01T00:00Z"),
        ("UTC", "2026-12-31T12:00Z", P.previous("year"), "2027-01-01T00:00Z", "2028-01-01T00:00Z"),
        ("UTC", "2024-02-29T12:00Z", P.this("month"), "", "2024-03-01T00:00Z"),
        ("UTC", "2024-02-29T12:00Z", P.previous("year"), "2025-01-01T00:00Z", "2026-01-01T00:00Z"),
        # A window that ended earlier: (now - 2 spans, now - span].
        ("UTC", "2026-01-01T00:00Z", P.previous(td(days=30)), "2026-01-31T00:00Z", "2026-03-02T00:00Z"),
        ("UTC", "2026-01-01T00:00Z", P.previous(td(days=30), 2), "2026-01-31T00:00Z", "2026-04-01T00:00Z"),
    ],
)
def test_t20_an_event_lies_in_its_window_from_and_until_the_microsecond(
    zone: str, moment: str, question: Predicate, begin: str, end: str
) -> None:
    assert_holds_in(question, somebody(zone, moment), begin or moment, end)


def test_yesterday_may_be_a_day_that_never_was() -> None:
    facts = somebody("Pacific/Apia", "2011-12-29T12:00-10:00")
    assert evaluate(P.previous("day"), facts, at("2011-12-29T12:00-10:00")).until is None
    assert evaluate(P.previous("day", 2), facts, at("2011-12-31T12:00+14:00")).matched


def test_t16_the_zone_is_the_persons_own_and_else_the_projects() -> None:
    facts = somebody(None, "2026-03-31T22:30Z")  # 1 April in Moscow and Tokyo, 31 March in London
    for own, project, in_april in (
        ("Europe/Moscow", "Europe/London", True),
        ("Europe/London", "Europe/Moscow", False),
        (None, "Asia/Tokyo", True),
        (None, "Europe/London", False),
    ):
        known, now = attrs.evolve(facts, zone=own), at("2026-04-02T12:00Z")
        assert evaluate(P.this("month"), known, now, zone=project).matched is in_april
        assert evaluate(P.previous("month"), known, now, zone=project).matched is not in_april


def test_an_unknown_zone_is_named() -> None:
    with pytest.raises(UnknownZone, match="Mars/Phobos"):
        evaluate(P.this("day"), somebody(None, "2026-01-01T00:00Z"), NOW, zone="Mars/Phobos")
    assert evaluate(P, somebody(None, "2026-01-01T00:00Z"), NOW, zone="Mars/Phobos").matched


def test_t20_a_person_who_moves_has_another_today_from_that_moment_on() -> None:
    moves = AttributeWrite(name=ZONE, value="Asia/Tokyo", at=at("2026-03-28T16:00Z"), id=EventId("w"))
    facts = somebody("Europe/London", "2026-03-28T14:00Z").with_attributes([moves])
    # 14:00 UTC is 23:00 in Tokyo; at 16:00 UTC it is 1 o'clock of the next day there.
    verdict = evaluate(P.this("day"), facts, at("2026-03-28T15:00Z"))
    assert (verdict.matched, verdict.until) == (True, at("2026-03-28T16:00Z"))
    assert not evaluate(P.this("day"), facts, at("2026-03-28T16:00Z")).matched
    again = AttributeWrite(name=ZONE, value="Europe/London", at=at("2026-03-28T17:00Z"), id=EventId("x"))
    there_and_back = facts.with_attributes([again])
    assert evaluate(P.this("day"), there_and_back, at("2026-03-28T16:00Z")).until == at("2026-03-28T17:00Z")


def test_late_and_future_events_take_their_place() -> None:
    facts = somebody("UTC", "2026-04-02T12:00Z")
    assert evaluate(P.this("month"), facts, at("2026-04-01T00:00Z")).until == at("2026-04-02T12:00Z")
    assert evaluate(P.previous("day"), facts, at("2026-04-01T00:00Z")).until == at("2026-04-03T00:00Z")
    late = facts.with_events([happened("p", NOW - at("2026-03-31T23:00Z"), id="late")])
    assert evaluate(P.previous("month"), late, at("2026-04-20T00:00Z")).matched
    assert evaluate(P.this("month").at_least(2), late, at("2026-04-20T00:00Z")).matched is False


def test_every_question_about_events_takes_every_window() -> None:
    facts = somebody("UTC", "2026-02-10T12:00Z", "2026-03-10T12:00Z", "2026-03-20T12:00Z")
    for asked in (
        P.this("month").times(2),
        P.previous("month").times(1),
        P.this("month").first_at().before(at("2026-03-10T12:00:01Z")),
        P.previous("month").last_at().more_than_ago(td(days=40)),
        P.this("month").distinct("x") == 0,
        P.this("month").last("x").missing(),
    ):
        assert evaluate(asked, facts, NOW).matched, describe(asked)
    assert evaluate(P.previous("month"), facts, NOW).because.events == ("e0",)
    assert evaluate(P.this("month").first_at().before(NOW), facts, NOW).because.events == ("e1",)


def test_the_ends_of_the_calendar_are_no_error() -> None:
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    for zone in ("America/New_York", "Asia/Tokyo", "UTC"):
        facts = attrs.evolve(ann([happened("p", NOW - first), happened("p", NOW - last)]), zone=zone)
        for unit in ("day", "week", "month", "quarter", "year"):
            assert evaluate(P.this(unit), facts, first).matched
            assert evaluate(P.this(unit), facts, last).until is None
            assert not evaluate(P.previous(unit, 36525), facts, first).matched


@pytest.mark.parametrize(
    ("question", "en", "ru"),
    [
        (P.this("day"), "did p today", "было событие p сегодня"),
        (P.this("quarter"), "did p this quarter", "было событие p в этом квартале"),
        (P.previous("day"), "did p yesterday", "было событие p вчера"),
        (P.previous("month"), "did p in the month before this one", "было событие p в прошлом месяце"),
        (
            P.previous("week", 3),
            "did p in the 3 weeks before this one",
            "было событие p за 3 недели до этой недели",
        ),
        (
            P.previous(td(days=30)),
            "did p in the 30 days that ended 30 days ago",
            "было событие p не менее 30 дней назад, но менее 60 дней назад",
        ),
        (
            P._in(Calendar("month", 4, 2)),
            "did p from 4 months ago to 2 months ago, by the calendar",
            "было событие p по календарю: от 4 месяцев назад до 2 месяцев назад",
        ),
    ],
)
def test_windows_are_said_in_words(question: Condition, en: str, ru: str) -> None:
    assert (describe(question), describe(question, "ru")) == (en, ru)


def test_only_calendar_windows_read_the_zone() -> None:
    assert reads(P.this("day")).zone
    assert reads(P.previous("week").sum("x") > 1).touches(Reads(attributes=frozenset((ZONE,))))
    assert not reads(P.previous(td(days=1))).zone
