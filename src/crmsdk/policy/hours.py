"""Quiet times and calendar periods of a zone as integer moments, each computed once and then remembered.

The boundary of a quiet time is wall clock. A skipped local time stands for the first instant after the gap;
of a repeated one the start takes the first and the end the second occurrence, so a repeated hour is quiet
as a whole when any of it is.
"""

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import attrs

from crmsdk.model.moment import from_micros, to_micros
from crmsdk.model.zones import at_local, day_bounds, local, month_bounds, week_bounds, zone
from crmsdk.policy.rules import Period, Quiet

__all__ = ["Hours", "Span"]

_DAY: Final = timedelta(days=1)
_CHUNK: Final = 16 * _DAY // timedelta(microseconds=1)
_CHUNKS: Final = 2048
_PERIODS: Final = 4
_BOUNDS: Final = {Period.DAY: day_bounds, Period.WEEK: week_bounds, Period.MONTH: month_bounds}


@attrs.frozen
class Span:
    """A stretch of time: ``first <= moment < last``."""

    first: int
    last: int

    def holds(self, moment: int) -> bool:
        """Say whether the moment lies in it."""
        return self.first <= moment < self.last


class Hours:
    """Answers what a zone's clock says about rules, and remembers what it found.

    Half a month of nights costs some 300 µs to compute and less than one to remember; people of one zone
    share it.
    """

    __slots__ = ("_nights", "_periods")

    def __init__(self) -> None:
        self._nights = lru_cache(maxsize=_CHUNKS)(_nights)
        self._periods: dict[tuple[Period, str], tuple[Span, ...]] = {}

    def quiet_until(self, rule: Quiet, zones: tuple[str, ...], now: int) -> int | None:
        """Give the end of the quiet time that holds in any of the zones at ``now``; None when it is open.

        Raises:
            UnknownZone: the zone data does not hold a zone.
        """
        until = None
        for name in zones:
            # The times and not the rule: hashing a rule costs more than the answer.
            firsts, lasts = self._nights(rule.start, rule.end, rule.weekdays, name, now // _CHUNK)
            begun = bisect_right(firsts, now)
            if begun and now < (last := lasts[begun - 1]):
                until = last if until is None else max(until, last)
        return until

    def period(self, each: Period, name: str, now: int) -> Span:
        """Give the calendar period of a zone that holds ``now``.

        Raises:
            UnknownZone: the zone data does not hold the zone.
        """
        known = self._periods.get((each, name), ())
        for span in known:
            if span.holds(now):
                return span
        first, last = _BOUNDS[each](from_micros(now), zone(name, "zones"))
        span = Span(to_micros(first), to_micros(last))
        # Questions are about now and the next period or two.
        self._periods[each, name] = (span, *known[: _PERIODS - 1])
        return span


def _nights(
    start: str, end: str, weekdays: tuple[int, ...], name: str, chunk: int
) -> tuple[list[int], list[int]]:
    """Give the quiet times around a chunk of time: where they begin and where they end, in order.

    All that touch the chunk are among them, and none touches another.
    """
    where = zone(name, "zones")
    # A quiet time lasts a week at most, and a zone that skips a day moves it by another.
    day = local(from_micros(chunk * _CHUNK), where).date() - 9 * _DAY
    stop = local(from_micros((chunk + 1) * _CHUNK), where).date() + 9 * _DAY
    firsts: list[int] = []
    lasts: list[int] = []
    while day <= stop:
        if day.weekday() in weekdays:
            first = to_micros(at_local(day, _time(start), where))
            over = end == "24:00" or end <= start
            last = to_micros(_last_instant(day + _DAY if over else day, _time(end), where))
            if lasts and first <= lasts[-1]:
                lasts[-1] = last  # never earlier: the same local time of a later day
            elif first < last:
                firsts.append(first)
                lasts.append(last)
        day += _DAY
    return firsts, lasts


def _time(text: str) -> time:
    return time() if text == "24:00" else time.fromisoformat(text)


def _last_instant(day: date, clock: time, where: ZoneInfo) -> datetime:
    """Give the last instant at which the clock of a zone shows a local time; after a gap, its first."""
    second = datetime.combine(day, clock, tzinfo=where).replace(fold=1).astimezone(UTC)
    shown = local(second, where).replace(tzinfo=None)
    return second if shown == datetime.combine(day, clock) else at_local(day, clock, where)
