"""The clocks of zones as stretches of time: a database numbers local days by adding and dividing."""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from crmsdk.model.moment import from_micros, to_micros
from crmsdk.segments.calendars import is_empty, period_of
from crmsdk.segments.sql.bounds import FIRST
from crmsdk.segments.windows import Unit

__all__ = ["CLOCKS_END", "clock_changes", "skipped_by", "stretches"]

_DAY: Final = 86_400_000_000
_EPOCH: Final = 719_163  # 1 January 1970, counted as ``date.toordinal`` does
_SECOND: Final = 1_000_000
_MICROSECOND: Final = timedelta(microseconds=1)
_CLOCKS_BEGIN: Final = -4_102_444_800_000_000  # 1840: no zone has changed its clocks before
CLOCKS_END: Final = 4_102_444_800_000_000
"""The year 2100, to which clocks are looked at."""
_PROBE: Final = timedelta(days=1)


def _offset(at: int, tz: ZoneInfo) -> int:
    offset = from_micros(at).astimezone(tz).utcoffset() or timedelta(0)
    return offset // _MICROSECOND


@lru_cache(maxsize=1024)
def clock_changes(tz: ZoneInfo) -> tuple[tuple[int, int, int], ...]:
    """Give the stretches of time in which local days follow from one sum, up to the year 2100.

    Returns:
        Rising: the first moment, what to add to a moment so that whole days since 31 December of the year 0
        come out, and how many days the zone had skipped whole by then.
    """
    offset = _offset(_CLOCKS_BEGIN, tz)
    found, skipped = [(FIRST, offset + _EPOCH * _DAY, 0)], 0
    for low, high in _changing(tz):
        later = _offset(high, tz)
        if later == offset:
            continue
        at = _change(low, high, tz)
        before, day = (at - 1 + offset) // _DAY + _EPOCH, period_of(from_micros(at), Unit.DAY, tz)
        skipped += sum(is_empty(number, Unit.DAY, tz) for number in range(before + 1, day))
        if (at + later) // _DAY + _EPOCH != day:
            # The clocks went back over midnight: the new day goes on until the second midnight.
            found.append((at, offset + _EPOCH * _DAY, skipped))
            at = ((at + later) // _DAY + 1) * _DAY - later
        found.append((at, later + _EPOCH * _DAY, skipped))
        offset = later
    return tuple(found)


def _changing(tz: ZoneInfo) -> Iterator[tuple[int, int]]:
    """Give stretches of days between whose ends the clocks change; a wall clock is a fast way to look."""
    wall, end = (from_micros(at).replace(tzinfo=tz) for at in (_CLOCKS_BEGIN, CLOCKS_END))
    offset = wall.utcoffset()
    while wall < end:
        wall += _PROBE
        later = wall.utcoffset()
        if later != offset:
            at = to_micros(wall.replace(tzinfo=UTC))
            yield at - 3 * _DAY, at + 2 * _DAY
        offset = later


def _change(low: int, high: int, tz: ZoneInfo) -> int:
    """Find the second at which the clocks change, after one moment and up to another."""
    before = _offset(low, tz)
    while high - low > _SECOND:
        middle = (low + high) // 2 // _SECOND * _SECOND
        low, high = (middle, high) if _offset(middle, tz) == before else (low, middle)
    return high


def skipped_by(at: int, tz: ZoneInfo) -> int:
    """Say how many days a zone has skipped whole by a moment."""
    changes = clock_changes(tz)
    return changes[bisect_left(changes, (at + 1,)) - 1][2]


def stretches(tz: ZoneInfo, now: int) -> list[tuple[int, int, int, int]]:
    """Give the stretches that have begun, in seconds: begin, end, what to add, days skipped."""
    changes = clock_changes(tz)
    ends = [*(at for at, _, _ in changes[1:]), CLOCKS_END]
    return [
        (at // _SECOND, end // _SECOND, shift // _SECOND, skipped)
        for (at, shift, skipped), end in zip(changes, ends, strict=True)
        if at <= now
    ]
