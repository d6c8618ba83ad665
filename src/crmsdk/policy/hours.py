"""Quiet times and calendar periods of a zone as integer moments, each computed once and then remembered.

The boundary of a quiet time is wall clock. A skipped local time stands for the first instant after the gap;
of a repeated one the start takes the first and the end the second occurrence, so a repeated hour is quiet
as a whole when any of it is.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import attrs

from crmsdk.model.moment import from_micros, to_micros
from crmsdk.model.zones import at_local, day_bounds, local, month_bounds, week_bounds, zone
from crmsdk.policy.rules import Period, Quiet

__all__ = ["Hours", "Span"]

_DAY: Final = timedelta(days=1)
_BOUNDS: Final = {Period.DAY: day_bounds, Period.WEEK: week_bounds, Period.MONTH: month_bounds}


@attrs.frozen
class Span:
    """A stretch of time, ``first <= moment < last``, in which nothing about a question changes."""

    first: int
    last: int
    quiet: bool = False

    def holds(self, moment: int) -> bool:
        """Say whether the moment lies in it."""
        return self.first <= moment < self.last


class Hours:
    """Answers what a zone's clock says about rules; remembers the last stretch for each rule and zone.

    A stretch costs some 100 µs to compute and nothing to remember, and people of one zone share it.
    """

    __slots__ = ("_periods", "_quiet")

    def __init__(self) -> None:
        # The times, not the rule: hashing a rule costs more than the answer.
        self._quiet: dict[tuple[str, str, tuple[int, ...], str], Span] = {}
        self._periods: dict[tuple[Period, str], Span] = {}

    def quiet_until(self, rule: Quiet, zones: tuple[str, ...], now: int) -> int | None:
        """Give the end of the quiet time that holds in any of the zones at ``now``; None when it is open.

        Raises:
            UnknownZone: the zone data does not hold a zone.
        """
        until = None
        for name in zones:
            key = (rule.start, rule.end, rule.weekdays, name)
            span = self._quiet.get(key)
            if span is None or not span.holds(now):
                span = self._quiet[key] = quiet_span(rule, zone(name, "zones"), now)
            if span.quiet and (until is None or span.last > until):
                until = span.last
        return until

    def period(self, each: Period, name: str, now: int) -> Span:
        """Give the calendar period of a zone that holds ``now``.

        Raises:
            UnknownZone: the zone data does not hold the zone.
        """
        span = self._periods.get((each, name))
        if span is None or not span.holds(now):
            first, last = _BOUNDS[each](from_micros(now), zone(name, "zones"))
            span = self._periods[each, name] = Span(to_micros(first), to_micros(last))
        return span


def quiet_span(rule: Quiet, where: ZoneInfo, now: int) -> Span:
    """Find the stretch around ``now`` in which a quiet time holds, or in which none does."""
    today = local(from_micros(now), where).date()
    # A quiet time lasts a day at most, a skipped day moves it by another, and the next is a week away.
    for first, last in _merged(rule, where, today - 3 * _DAY, today + 9 * _DAY):
        if first <= now < last:
            return Span(first, last, quiet=True)
        if first > now:
            return Span(now, first)
    return Span(now, now + 1)


def _merged(rule: Quiet, where: ZoneInfo, first_day: date, last_day: date) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    day = first_day
    while day <= last_day:
        if day.weekday() in rule.weekdays:
            first = to_micros(at_local(day, _time(rule.start), where))
            over = rule.end == "24:00" or rule.end <= rule.start
            last = to_micros(_last_instant(day + _DAY if over else day, _time(rule.end), where))
            if out and first <= out[-1][1]:
                out[-1] = (out[-1][0], max(out[-1][1], last))
            elif first < last:
                out.append((first, last))
        day += _DAY
    return out


def _time(text: str) -> time:
    return time() if text == "24:00" else time.fromisoformat(text)


def _last_instant(day: date, clock: time, where: ZoneInfo) -> datetime:
    """Give the last instant at which the clock of a zone shows a local time; after a gap, its first."""
    second = datetime.combine(day, clock, tzinfo=where).replace(fold=1).astimezone(UTC)
    shown = local(second, where).replace(tzinfo=None, fold=0)
    return second if shown == datetime.combine(day, clock) else at_local(day, clock, where)
