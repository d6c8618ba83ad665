"""Wall-clock time in a person's zone: gaps, repetitions, and days that are not 24 hours.

Two rules hold everywhere. A local time that the clocks skip happens at the first real instant after the gap.
A local time that occurs twice counts once, the first time. Days, weeks and months are half-open spans of
instants that tile time: a day begins at its first midnight (or at the end of the gap that swallows it) and
ends where the next begins.

Source:
    zone rules: IANA time zone database through ``zoneinfo``; the meaning of gaps and folds: PEP 495; which
    instant a skipped or repeated time means: ADR-0010.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crmsdk.errors import InputError, UnknownZone
from crmsdk.model._places import candidates
from crmsdk.model.moment import to_moment

__all__ = [
    "EVERY_DAY",
    "add_days",
    "at_local",
    "candidates",
    "day_bounds",
    "local",
    "local_day",
    "month_bounds",
    "next_local",
    "week_bounds",
    "zone",
]

EVERY_DAY: frozenset[int] = frozenset(range(7))
"""All weekdays, Monday is 0."""

_MIDNIGHT = time(0)
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
# Names that zone data folders hold, but that mean the machine's own zone, nothing, or other time scales.
_NO_PLACES = frozenset({"Factory", "localtime", "posixrules"})
_NO_FOLDERS = ("posix/", "right/")


@lru_cache(maxsize=1024)  # the zone data has about 600 names; only names that exist are kept
def zone(name: str, field: str = "zone") -> ZoneInfo:
    """Give the zone of an IANA name.

    Args:
        name: As ``Europe/Moscow``.
        field: The name to use in an error.

    Raises:
        UnknownZone: the zone data does not hold it, or it means no place (``localtime``).
        InputError: it is no text.
    """
    if not isinstance(name, str):
        raise InputError(f"is {type(name).__name__}; give an IANA name as 'Europe/Moscow'", field=field)
    if name in _NO_PLACES or name.startswith(_NO_FOLDERS):
        raise UnknownZone(name, field=field)
    try:
        return ZoneInfo(name)
    except (
        ZoneInfoNotFoundError,
        ValueError,
        OSError,
    ):  # a folder or an odd path is an OSError or ValueError
        raise UnknownZone(name, field=field) from None


def local(moment: datetime, tz: ZoneInfo) -> datetime:
    """Give a moment as the wall clock of a zone shows it.

    Raises:
        NaiveMoment: no offset.
        InputError: the local date would leave the years 1 to 9999.
    """
    if moment.tzinfo is not UTC:
        moment = to_moment(moment, "moment")
    try:
        return moment.astimezone(tz)
    except OverflowError:
        raise _outside("moment") from None


def at_local(day: date, clock: time, tz: ZoneInfo) -> datetime:
    """Give the instant at which the clocks of a zone show a time on a day.

    Args:
        day: The local date.
        clock: The local time of day, without an offset.
        tz: The zone.

    Returns:
        In UTC: the first of two such instants; the end of the gap if the time is skipped, which for a skipped
        day is the start of the next one.

    Raises:
        InputError: the time carries an offset, or the instant lies outside the years 1 to 9999.
    """
    if clock.tzinfo is not None:
        raise InputError("has an offset; give a plain time of day as time(9, 0)", field="time")
    return _instant(day, clock, tz)[0]


def _instant(day: date, clock: time, tz: ZoneInfo) -> tuple[datetime, bool]:
    """Give the instant, and whether the time is skipped there."""
    wanted = datetime.combine(day, clock, tz)
    if wanted.fold:
        wanted = wanted.replace(fold=0)
    try:
        instant = wanted.astimezone(UTC)
        # Two aware datetimes of one tzinfo compare by their wall clocks.
        if instant.astimezone(tz) == wanted:
            return instant, False
        return _gap_end(wanted, instant), True
    except OverflowError:
        raise _outside("day") from None


def _gap_end(wanted: datetime, late: datetime) -> datetime:
    """Find the instant at which the clocks jump over ``wanted``.

    Read with the offset before the jump, a skipped time lies after the jump (``late``); read with the offset
    after it, before the jump. Halving the seconds in between finds it: clocks jump at whole seconds.
    """
    tz = wanted.tzinfo
    early = wanted.replace(fold=1).astimezone(UTC).replace(microsecond=0)
    low, high = 0, (late - early) // _SECOND + 1
    while high - low > 1:
        middle = (low + high) // 2
        if (early + middle * _SECOND).astimezone(tz) > wanted:
            high = middle
        else:
            low = middle
    return early + high * _SECOND


def next_local(
    after: datetime, clock: time, tz: ZoneInfo, *, weekdays: frozenset[int] = EVERY_DAY
) -> datetime:
    """Give the next instant at which the clocks show a time on one of some weekdays.

    A time skipped on a day happens at the end of the gap and counts as that day's, even if the gap ends at
    midnight. A day that a zone skips whole does not occur at all.

    Args:
        after: The instant is strictly later than this, aware.
        clock: The local time of day, without an offset.
        tz: The zone.
        weekdays: Of the local date; Monday is 0.

    Returns:
        In UTC.

    Raises:
        InputError: no weekday, one outside 0 to 6, a time with an offset, or nothing before the year 10000.
    """
    if clock.tzinfo is not None:
        raise InputError("has an offset; give a plain time of day as time(9, 0)", field="time")
    if not weekdays or not weekdays <= EVERY_DAY:
        raise InputError("needs one or more of 0 (Monday) to 6 (Sunday)", field="weekdays")
    day = local(after, tz).date()
    while True:
        if day.weekday() in weekdays:
            instant, skipped = _instant(day, clock, tz)
            if instant > after and not (skipped and _missing(day, tz)):
                return instant
        day = _shift(day, 1)


def _missing(day: date, tz: ZoneInfo) -> bool:
    """Whether a zone skips a whole day, as Apia did 2011-12-30."""
    return _instant(day, _MIDNIGHT, tz)[0].astimezone(tz).date() > day


def local_day(moment: datetime, tz: ZoneInfo) -> date:
    """Give the local day a moment belongs to, in the sense of ``day_bounds``.

    It is the date on the wall, but for the rare night on which the clocks go back over midnight: once the
    new day has begun, it goes on.
    """
    wall = local(moment, tz)
    day = wall.date()
    if wall.fold and moment >= _instant(_shift(day, 1), _MIDNIGHT, tz)[0]:
        return day + _DAY
    return day


def day_bounds(moment: datetime, tz: ZoneInfo) -> tuple[datetime, datetime]:
    """Give the local day around a moment, as instants ``[start, end)`` in UTC.

    A day has 23, 24 or 25 hours, rarely another length; each moment lies in exactly one.

    Raises:
        NaiveMoment: no offset.
        InputError: the day reaches outside the years 1 to 9999.
    """
    day = local_day(moment, tz)
    return _span(day, _shift(day, 1), tz)


def week_bounds(moment: datetime, tz: ZoneInfo, *, week_start: int = 0) -> tuple[datetime, datetime]:
    """Give the local week around a moment, as instants ``[start, end)`` in UTC.

    Args:
        moment: Aware.
        tz: The zone.
        week_start: The weekday a week begins with; Monday is 0, Sunday 6.

    Raises:
        NaiveMoment: no offset.
        InputError: no such weekday, or the week reaches outside the years 1 to 9999.
    """
    if week_start not in EVERY_DAY:
        raise InputError("needs one of 0 (Monday) to 6 (Sunday)", field="week_start")
    day = local_day(moment, tz)
    first = _shift(day, -((day.weekday() - week_start) % 7))
    return _span(first, _shift(first, 7), tz)


def month_bounds(moment: datetime, tz: ZoneInfo) -> tuple[datetime, datetime]:
    """Give the local calendar month around a moment, as instants ``[start, end)`` in UTC.

    Raises:
        NaiveMoment: no offset.
        InputError: the month reaches outside the years 1 to 9999.
    """
    first = local_day(moment, tz).replace(day=1)
    return _span(first, _shift(first, 31).replace(day=1), tz)


def add_days(moment: datetime, days: int, tz: ZoneInfo) -> datetime:
    """Move a moment by calendar days: the same wall-clock time so many days later, or earlier.

    A skipped time happens at the end of the gap; a day that the zone skips whole gives way to the next.
    No days change nothing, also in the second of two equal hours.

    Returns:
        In UTC.

    Raises:
        NaiveMoment: no offset.
        InputError: the result lies outside the years 1 to 9999.
    """
    if days == 0:
        return to_moment(moment, "moment")
    wall = local(moment, tz)
    day = _shift(wall.date(), days)
    instant, skipped = _instant(day, wall.time(), tz)
    if skipped and _missing(day, tz):
        return _instant(_shift(day, 1), wall.time(), tz)[0]
    return instant


def _span(first: date, following: date, tz: ZoneInfo) -> tuple[datetime, datetime]:
    return _instant(first, _MIDNIGHT, tz)[0], _instant(following, _MIDNIGHT, tz)[0]


def _shift(day: date, days: int) -> date:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        raise _outside("day") from None


def _outside(field: str) -> InputError:
    return InputError("lies outside the years 1 to 9999", field=field)
