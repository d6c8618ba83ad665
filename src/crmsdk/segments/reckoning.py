"""How far dates lie from today in local days, and at which midnight an answer about that turns."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from crmsdk.model.comparison import compare
from crmsdk.model.facts import Facts
from crmsdk.model.values import Value
from crmsdk.segments.calendars import period_of, start_of
from crmsdk.segments.days import Anniversary, AttrDays, LeapDay, Sense
from crmsdk.segments.unfolding import Answer, attribute_steps
from crmsdk.segments.windows import Unit

__all__ = ["days_answer", "days_found", "holds_on"]

_YEARS = 9  # between two 29 Februaries lie eight years at most
_CYCLE = 146_097  # days of 400 years
_LATEST = date(9998, 12, 31).toordinal()


def days_answer(node: AttrDays | Anniversary, facts: Facts, now: datetime, tz: ZoneInfo) -> Answer:
    """Say whether a question about a date holds, and until when, in one zone."""
    following = attribute_steps(facts, node.name, now)
    at, value = next(following)
    matched, turn = _while(node, value, at, tz)
    for at, later in following:
        if turn is not None and turn < at:
            break
        holds, turn = _while(node, later, at, tz)
        if holds is not matched:
            return matched, at
    return matched, turn


def days_found(node: AttrDays | Anniversary, facts: Facts, now: datetime, tz: ZoneInfo) -> int | None:
    """Give the number of days; None when there is no date."""
    day = _day_of(facts.attribute(node.name, now), tz)
    return None if day is None else _number(node, day, period_of(now, Unit.DAY, tz))


def _while(node: AttrDays | Anniversary, value: Value, now: datetime, tz: ZoneInfo) -> Answer:
    """Answer for a value and a zone that stay as they are."""
    day = _day_of(value, tz)
    if day is None:
        return False, None
    today = period_of(now, Unit.DAY, tz)
    matched = _holds(node, day, today)
    for turning in sorted({turn for turn in _turns(node, day, today) if turn > today}):
        begins = start_of(turning, Unit.DAY, tz)
        if begins is None:
            break
        # A day that the zone skips whole begins with the next one, and is not that day.
        if _holds(node, day, period_of(begins, Unit.DAY, tz)) is not matched:
            return matched, begins
    return matched, None


def holds_on(node: AttrDays | Anniversary, day: int, today: int) -> bool:
    """Say whether a question about a date holds on a day; both counted as ``date.toordinal`` does."""
    return _holds(node, day, today)


def _day_of(value: Value, tz: ZoneInfo) -> int | None:
    match value:
        case datetime():
            return period_of(value, Unit.DAY, tz)
        case date():
            return value.toordinal()
        case _:
            return None


def _holds(node: AttrDays | Anniversary, day: int, today: int) -> bool:
    number = _number(node, day, today)
    match node:
        case AttrDays():
            return compare(node.op, number, node.operand)
        case Anniversary():
            return node.first <= number <= node.last
        case _:
            assert_never(node)


def _number(node: AttrDays | Anniversary, day: int, today: int) -> int:
    if isinstance(node, AttrDays):
        return day - today if node.sense is Sense.UNTIL else today - day
    return _anniversary(node, day, today) - today


def _turns(node: AttrDays | Anniversary, day: int, today: int) -> Iterator[int]:
    """Give the days on which the answer may be another than on the day before."""
    if isinstance(node, AttrDays):
        for asked in node.operand if isinstance(node.operand, tuple) else (node.operand,):
            if isinstance(asked, int):
                turning = day - asked if node.sense is Sense.UNTIL else day + asked
                yield from (turning, turning + 1)
        return
    coming = today - 1
    for _ in range(_YEARS):
        coming = _anniversary(node, day, coming + 1)
        yield from (coming - node.last, coming - node.first + 1, coming + 1)


def _anniversary(node: Anniversary, day: int, since: int) -> int:
    """Give the first anniversary on a day or after it."""
    if since > _LATEST:  # the calendar repeats itself, also beyond the year 9999
        return _anniversary(node, day, since - _CYCLE) + _CYCLE
    kept = date.fromordinal(day)
    year = date.fromordinal(since).year
    found = _kept_in(year, kept, node.leap).toordinal()
    return found if found >= since else _kept_in(year + 1, kept, node.leap).toordinal()


def _kept_in(year: int, day: date, leap: LeapDay) -> date:
    try:
        return day.replace(year=year)
    except ValueError:  # 29 February
        return date(year, 2, 28) if leap is LeapDay.FEBRUARY_28 else date(year, 3, 1)
