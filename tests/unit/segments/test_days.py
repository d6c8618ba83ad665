"""Dates in whole local days: anniversaries, days until and since."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from datetime import timedelta as td

import attrs
import pytest

from crmsdk.errors import DefinitionError
from crmsdk.model.codec import content_hash, dumps, loads
from crmsdk.model.comparison import Op
from crmsdk.model.customer import ZONE
from crmsdk.model.declared import AttributeSet, Prop
from crmsdk.model.facts import Facts
from crmsdk.segments.days import Anniversary, AttrDays, LeapDay, Sense
from crmsdk.segments.explain import describe
from crmsdk.segments.grammar import Condition, Predicate
from crmsdk.segments.meaning import evaluate
from crmsdk.segments.reading import reads
from crmsdk.segments.words import attr
from tests.unit.segments.people import ann, wrote

TICK = td(microseconds=1)
BIRTHDAY = attr("born").anniversary()


class Person(AttributeSet):
    born: Prop[date]
    city: Prop[str]


def born(value: object, zone: str | None = None) -> Facts:
    """Give somebody whose date was written long ago."""
    return attrs.evolve(ann(writes=[wrote("born", value, td(days=9000))]), zone=zone)


def utc(*numbers: int) -> datetime:
    year, month, day, *clock = numbers
    return datetime(year, month, day, *clock, tzinfo=UTC)  # type: ignore[arg-type, misc]  # hour, minute and on


def answer(
    condition: Predicate, facts: Facts, at: datetime, zone: str = "UTC"
) -> tuple[bool, datetime | None]:
    verdict = evaluate(condition, facts, at, zone=zone)
    return verdict.matched, verdict.until


@pytest.mark.parametrize(
    ("zone", "at", "matched", "until"),
    [
        (None, utc(2026, 5, 16, 23, 59, 59, 999_999), False, utc(2026, 5, 17)),
        (None, utc(2026, 5, 17), True, utc(2026, 5, 18)),
        (None, utc(2026, 5, 18), False, utc(2027, 5, 17)),
        ("Europe/Moscow", utc(2026, 5, 16, 21) - TICK, False, utc(2026, 5, 16, 21)),
        ("Europe/Moscow", utc(2026, 5, 16, 21), True, utc(2026, 5, 17, 21)),
        ("Pacific/Kiritimati", utc(2026, 5, 16, 10), True, utc(2026, 5, 17, 10)),
    ],
)
def test_a_birthday_lasts_from_local_midnight_to_local_midnight(
    zone: str | None, at: datetime, matched: bool, until: datetime
) -> None:
    assert answer(BIRTHDAY, born(date(1990, 5, 17), zone), at) == (matched, until)


def test_the_zone_of_people_whose_own_is_unknown_counts() -> None:
    facts = born(date(1990, 5, 17))
    assert answer(BIRTHDAY, facts, utc(2026, 5, 16, 22), "Europe/Moscow") == (True, utc(2026, 5, 17, 21))
    assert answer(BIRTHDAY, facts, utc(2026, 5, 16, 22)) == (False, utc(2026, 5, 17))


def test_a_day_is_as_long_as_the_clocks_make_it() -> None:
    spring = born(date(1990, 3, 29), "Europe/Berlin")
    assert answer(BIRTHDAY, spring, utc(2026, 3, 28, 23)) == (True, utc(2026, 3, 29, 22))  # 23 hours
    autumn = born(date(1990, 10, 25), "Europe/Berlin")
    assert answer(BIRTHDAY, autumn, utc(2026, 10, 24, 22)) == (True, utc(2026, 10, 25, 23))  # 25 hours
    half = born(date(1990, 4, 5), "Australia/Lord_Howe")
    assert answer(BIRTHDAY, half, utc(2026, 4, 4, 13)) == (True, utc(2026, 4, 5, 13, 30))  # 24.5 hours


def test_a_day_that_a_zone_skips_does_not_occur() -> None:
    apia = born(date(1990, 12, 30), "Pacific/Apia")  # there was no 30 December 2011
    last = utc(2011, 12, 30, 10) - TICK
    assert answer(BIRTHDAY, apia, last)[0] is False
    assert answer(BIRTHDAY, apia, last + TICK) == (False, utc(2012, 12, 29, 10))


@pytest.mark.parametrize(
    ("leap", "year", "day"),
    [("03-01", 2026, (3, 1)), ("02-28", 2026, (2, 28)), ("03-01", 2028, (2, 29)), ("02-28", 2028, (2, 29))],
)
def test_29_february_is_kept_on_the_stated_day_of_common_years(
    leap: str, year: int, day: tuple[int, int]
) -> None:
    facts, asked = born(date(2000, 2, 29)), attr("born").anniversary(leap=leap)
    kept = [
        when
        for when in (utc(year, 2, 27) + td(days=shift) for shift in range(5))
        if answer(asked, facts, when)[0]
    ]
    assert kept == [utc(year, *day)]


@pytest.mark.parametrize(
    ("asked", "at", "matched", "until"),
    [
        (
            attr("born").anniversary(in_days=3),
            utc(2026, 12, 30),
            True,
            utc(2026, 12, 31),
        ),  # over the new year
        (attr("born").anniversary(in_days=3), utc(2026, 12, 31), False, utc(2027, 12, 30)),
        (attr("born").anniversary(within_days=7), utc(2026, 12, 25), False, utc(2026, 12, 26)),
        (attr("born").anniversary(within_days=7), utc(2026, 12, 26), True, utc(2027, 1, 3)),
        (attr("born").anniversary(within_days=7), utc(2027, 1, 2), True, utc(2027, 1, 3)),
        (Anniversary("born", 1, 7), utc(2027, 1, 2), False, utc(2027, 12, 26)),
        (attr("born").anniversary(within_days=365), utc(2026, 5, 5), True, None),
        (
            attr("born").anniversary(within_days=364),
            utc(2026, 5, 5),
            True,
            utc(2028, 1, 3),
        ),  # a year of 366 days
        (Anniversary("born", 365, 365), utc(2026, 5, 5), False, utc(2028, 1, 3)),
    ],
)
def test_days_ahead_of_an_anniversary(
    asked: Predicate, at: datetime, matched: bool, until: datetime | None
) -> None:
    assert answer(asked, born(date(1990, 1, 2)), at) == (matched, until)


def test_a_moment_counts_by_its_local_date() -> None:
    at = utc(1990, 5, 16, 22)  # the 17th in Moscow
    assert answer(BIRTHDAY, born(at, "Europe/Moscow"), utc(2026, 5, 17, 12))[0]
    assert not answer(BIRTHDAY, born(at), utc(2026, 5, 17, 12))[0]


@pytest.mark.parametrize("value", [None, "1990-05-17", 517, True, ("a",)])
def test_what_is_no_date_has_no_days(value: object) -> None:
    now = utc(2026, 5, 17)
    for asked in (BIRTHDAY, attr("born").days_until() < 9, attr("born").days_since() > -9):
        assert answer(asked, born(value), now) == (False, None)
        assert answer(~asked, born(value), now) == (True, None)


RENEWAL = attr("born").days_until()


@pytest.mark.parametrize(
    ("asked", "at", "matched", "until"),
    [
        (RENEWAL == 0, utc(2026, 5, 16), False, utc(2026, 5, 17)),
        (RENEWAL == 0, utc(2026, 5, 17, 13), True, utc(2026, 5, 18)),
        (RENEWAL == 0, utc(2026, 5, 18), False, None),
        (RENEWAL != 0, utc(2026, 5, 18), True, None),
        (RENEWAL.between(0, 7), utc(2026, 5, 9), False, utc(2026, 5, 10)),
        (RENEWAL.between(0, 7), utc(2026, 5, 10), True, utc(2026, 5, 18)),
        (RENEWAL > 3, utc(2026, 5, 13), True, utc(2026, 5, 14)),
        (RENEWAL <= 3, utc(2026, 5, 13), False, utc(2026, 5, 14)),
        (RENEWAL < -1, utc(2026, 5, 18), False, utc(2026, 5, 19)),
        (attr("born").days_since() >= 30, utc(2026, 6, 15), False, utc(2026, 6, 16)),
        (attr("born").days_since() >= 30, utc(2026, 6, 16), True, None),
        (attr("born").days_since() < 0, utc(2026, 5, 16), True, utc(2026, 5, 17)),
        (RENEWAL == 10**9, utc(2026, 5, 16), False, None),  # before the calendar begins
        (RENEWAL > -(10**9), utc(2026, 5, 16), True, None),  # after it ends
    ],
)
def test_days_until_and_since_turn_at_midnight(
    asked: Predicate, at: datetime, matched: bool, until: datetime | None
) -> None:
    assert answer(asked, born(date(2026, 5, 17)), at) == (matched, until)


def test_a_new_date_and_a_new_zone_are_followed_in_time() -> None:
    now = utc(2026, 5, 16, 12)
    moved = born(date(1990, 5, 20)).with_attributes(
        [attrs.evolve(wrote("born", date(1990, 5, 16)), at=now + td(hours=1))]
    )
    assert answer(BIRTHDAY, moved, now) == (False, now + td(hours=1))
    away = born(date(1990, 5, 17)).with_attributes([attrs.evolve(wrote(ZONE, "Pacific/Kiritimati"), at=now)])
    assert answer(BIRTHDAY, away, now - TICK) == (False, now)  # there it is the 17th already
    assert answer(BIRTHDAY, away, now) == (True, utc(2026, 5, 17, 10))


def test_at_the_ends_of_the_calendar_nothing_breaks() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    for zone in ("UTC", "Pacific/Kiritimati", "Pacific/Midway"):
        for now in (datetime.min.replace(tzinfo=UTC), last):
            for asked in (BIRTHDAY, RENEWAL > 3, attr("born").anniversary(within_days=365)):
                verdict = evaluate(asked, born(date(1990, 1, 1), zone), now)
                assert verdict.until is None or verdict.until > now


def test_what_was_found_is_the_number_of_days() -> None:
    facts = born(date(1990, 5, 20), "Europe/Moscow")
    because = evaluate(attr("born").anniversary(within_days=7), facts, utc(2026, 5, 17, 22)).because
    assert (because.found, because.asked) == (2, (0, 7))
    because = evaluate(attr("born").days_since() > 3, facts, utc(2026, 5, 31)).because
    assert (because.found, because.asked) == (13_160, 3)
    assert evaluate(BIRTHDAY, born("x"), utc(2026, 1, 1)).because.found is None


@pytest.mark.parametrize(
    ("condition", "english", "russian"),
    [
        (BIRTHDAY, "anniversary of born is today", "годовщина born сегодня"),
        (
            attr("born").anniversary(in_days=3),
            "anniversary of born is in 3 days",
            "годовщина born через 3 дня",
        ),
        (
            attr("born").anniversary(within_days=1),
            "anniversary of born is today or within 1 day",
            "годовщина born сегодня или в пределах 1 дня",
        ),
        (Anniversary("born", 1, 7), "anniversary of born is in 1 to 7 days", "годовщина born через 1–7 дней"),
        (RENEWAL <= 3, "days until born is at most 3", "дней до born не больше 3"),
        (
            attr("born").days_since().between(1, 2),
            "days since born is between 1 and 2",
            "дней после born от 1 до 2",
        ),
    ],
)
def test_questions_about_days_are_said(condition: Condition, english: str, russian: str) -> None:
    assert describe(condition) == english
    assert describe(condition, "ru") == russian
    again = loads(dumps(condition), Condition)
    assert (again, content_hash(again)) == (condition, content_hash(condition))


def test_they_read_the_attribute_and_the_zone() -> None:
    for asked in (BIRTHDAY, RENEWAL > 3):
        read = reads(asked)
        assert read.zone
        assert read.attributes == {"born", ZONE}


def test_typed_attributes_are_checked_at_once() -> None:
    assert attr(Person.born).anniversary() == BIRTHDAY
    with pytest.raises(DefinitionError, match="attribute 'city' is text, no date and no moment"):
        attr(Person.city).anniversary()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: attr("born").anniversary(in_days=1, within_days=2), "born: give in_days or within_days"),
        (lambda: attr("born").anniversary(in_days=366), "born: an anniversary lies 0 to 365 days ahead"),
        (lambda: attr("born").anniversary(within_days=-1), "born: an anniversary lies"),
        (lambda: attr("born").anniversary(within_days=400), "0 to 365 days ahead, not 400; give a number in"),
        (lambda: Anniversary("born", 9, 3), "born: days ahead run backwards; give the smaller number first"),
        (lambda: attr("born").anniversary(in_days=1.5), "born: days ahead are float"),  # type: ignore[arg-type]  # the fault
        (lambda: attr("born").anniversary(leap="02-30"), "leap: is no day that stands for 29 February"),
        (lambda: attr("born").days_until() == 1.5, "born: days are compared with number; give whole days"),
        (lambda: attr("born").days_until() == True, "compared with boolean"),  # noqa: E712 - the fault
        (lambda: attr("born").days_until().between(3, 1), "born: is reversed"),
        (lambda: AttrDays("born", Sense.SINCE, Op.IN, (1,)), "born: days are compared by"),
        (lambda: AttrDays("", Sense.SINCE, Op.EQ, 1), "name"),
    ],
)
def test_bad_questions_are_refused_with_their_field_and_mend(
    wrong: Callable[[], object], message: str
) -> None:
    with pytest.raises(DefinitionError, match=message):
        wrong()


def test_the_default_is_the_first_of_march() -> None:
    assert Anniversary("born").leap is LeapDay.MARCH_1
