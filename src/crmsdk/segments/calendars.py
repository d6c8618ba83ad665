"""Days, weeks, months, quarters and years on the wall clock of a zone, numbered one after another.

Periods tile time: each moment lies in exactly one, a day is as long as the clocks make it, and a day that a
zone skips whole is empty. Weeks are those of ISO 8601: they begin on Monday. Where the calendar ends, at the
years 1 and 9999, the first period began always and the last never ends.

Source:
    gaps and folds: ``crmsdk.model.zones``, ADR-0010.
"""

from datetime import date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from crmsdk.errors import InputError
from crmsdk.model.zones import at_local, local_day
from crmsdk.segments.windows import Unit

__all__ = ["is_empty", "period_of", "start_of"]

_MIDNIGHT = time(0)
_MONTHS = {Unit.MONTH: 1, Unit.QUARTER: 3, Unit.YEAR: 12}


def period_of(moment: datetime, unit: Unit, tz: ZoneInfo) -> int:
    """Give the number of the period a moment lies in; the next period has the next number."""
    try:
        day = local_day(moment, tz)
    except InputError:  # its local date would leave the years 1 to 9999
        day = date.min if moment.year == 1 else date.max
    if unit is Unit.DAY:
        return day.toordinal()
    if unit is Unit.WEEK:
        return (day.toordinal() - 1) // 7  # the first of January of the year 1 is a Monday
    return (day.year * 12 + day.month - 1) // _MONTHS[unit]


@lru_cache(maxsize=4096)  # the same few starts are asked for every person and every answer
def start_of(number: int, unit: Unit, tz: ZoneInfo) -> datetime | None:
    """Give the instant at which a period begins, UTC; None outside of the years 1 to 9999."""
    try:
        if unit is Unit.DAY:
            day = date.fromordinal(number)
        elif unit is Unit.WEEK:
            day = date.fromordinal(number * 7 + 1)
        else:
            year, month = divmod(number * _MONTHS[unit], 12)
            day = date(year, month + 1, 1)
        return at_local(day, _MIDNIGHT, tz)
    except (ValueError, OverflowError, InputError):
        return None


def is_empty(number: int, unit: Unit, tz: ZoneInfo) -> bool:
    """Say whether a zone skips a period whole, as Apia did 30 December 2011."""
    start = start_of(number, unit, tz)
    return start is not None and start == start_of(number + 1, unit, tz)
