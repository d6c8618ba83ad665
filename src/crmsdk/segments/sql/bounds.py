"""Comparisons as intervals, worked out before any database sees them.

An engine would turn one side of ``amount = 9007199254740993`` into a double and find it equal to its
neighbour. Here each comparison becomes a closed interval of integers and one of doubles, both exact.
"""

import math
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeAlias, TypeVar

import attrs

from crmsdk.model.comparison import Op
from crmsdk.model.moment import from_micros, to_micros
from crmsdk.segments.windows import Absolute, Relation, Relative, Timing

__all__ = [
    "EVER",
    "FIRST",
    "LAST",
    "NEVER",
    "Bounds",
    "Span",
    "date_of",
    "float_bounds",
    "integer_bounds",
    "moment_text",
    "span_of_op",
    "span_of_timing",
]

T = TypeVar("T", int, float)

FIRST: Final = to_micros(datetime.min.replace(tzinfo=UTC))
LAST: Final = to_micros(datetime.max.replace(tzinfo=UTC))
_MICROSECOND: Final = timedelta(microseconds=1)

Bounds: TypeAlias = tuple[T | None, T | None] | None
"""A closed interval, None for an open side; None in its place for an empty one."""


@attrs.frozen
class Span:
    """Moments in ``[low, high)``, in microseconds since 1970; None for an open side."""

    low: int | None = None
    high: int | None = None

    @property
    def empty(self) -> bool:
        """Whether no moment of the years 1 to 9999 lies in it."""
        low = FIRST if self.low is None else self.low
        return low > LAST or (self.high is not None and (self.high <= low or self.high <= FIRST))

    def within(self, other: "Span") -> "Span":
        """Give what lies in both."""
        lows = [each for each in (self.low, other.low) if each is not None]
        highs = [each for each in (self.high, other.high) if each is not None]
        return Span(max(lows, default=None), min(highs, default=None))

    def clipped(self) -> "Span":
        """Drop sides that lie outside the years 1 to 9999: they bound nothing."""
        return Span(
            None if self.low is None or self.low <= FIRST else self.low,
            None if self.high is None or self.high > LAST else self.high,
        )


EVER = Span()
NEVER = Span(0, 0)


def integer_bounds(op: Op, value: float) -> Bounds[int]:
    """Give the integers for which ``integer op value`` holds; ``value`` is any finite number."""
    match op:
        case Op.EQ:
            return (int(value), int(value)) if value == math.floor(value) else None
        case Op.GE:
            return math.ceil(value), None
        case Op.GT:
            return math.floor(value) + 1, None
        case Op.LE:
            return None, math.floor(value)
        case Op.LT:
            return None, math.ceil(value) - 1
        case _:
            raise ValueError(op)


def float_bounds(op: Op, value: float) -> Bounds[float]:
    """Give the finite doubles for which ``double op value`` holds, exactly, also of large integers."""
    below, above = _neighbours(value)
    match op:
        case Op.EQ:
            return (below, below) if below == above else None
        case Op.GE:
            return _from(above)
        case Op.GT:
            return _from(above if above > below else math.nextafter(above, math.inf))
        case Op.LE:
            return _upto(below)
        case Op.LT:
            return _upto(below if above > below else math.nextafter(below, -math.inf))
        case _:
            raise ValueError(op)


def _neighbours(value: float) -> tuple[float, float]:
    """Give the nearest doubles at or below, and at or above; equal where the value is a double itself."""
    try:
        near = float(value)
    except OverflowError:
        return (
            (math.nextafter(math.inf, 0), math.inf)
            if value > 0
            else (-math.inf, math.nextafter(-math.inf, 0))
        )
    if near == value:  # Python compares integers and doubles exactly
        return near, near
    if near < value:
        return near, math.nextafter(near, math.inf)
    return math.nextafter(near, -math.inf), near


def _from(low: float) -> Bounds[float]:
    return None if low == math.inf else (low, None)


def _upto(high: float) -> Bounds[float]:
    return None if high == -math.inf else (None, high)


def span_of_op(op: Op, value: datetime) -> Span:
    """Give the moments for which ``moment op value`` holds."""
    at = to_micros(value)
    match op:
        case Op.EQ:
            return Span(at, at + 1)
        case Op.GE:
            return Span(at, None)
        case Op.GT:
            return Span(at + 1, None)
        case Op.LE:
            return Span(None, at + 1)
        case Op.LT:
            return Span(None, at)
        case _:
            raise ValueError(op)


def span_of_timing(timing: Timing, now: int) -> Span:
    """Give the moments a question about one moment holds for, at ``now`` in microseconds."""
    match timing:
        case Absolute(start, end):
            return Span(
                None if start is None else to_micros(start),
                None if end is None else to_micros(end),
            )
        case Relative(relation, length):
            span = length // _MICROSECOND
            match relation:
                case Relation.WITHIN_LAST:
                    return Span(now - span + 1, now + 1)
                case Relation.MORE_THAN_AGO:
                    return Span(None, now - span + 1)
                case Relation.WITHIN_NEXT:
                    return Span(now + 1, now + span + 1)


def moment_text(micros: int) -> str:
    """Write a moment so that text order is time order: no zone, and no fraction if it is whole.

    ``2026-03-29T06:00:00`` comes before ``2026-03-29T06:00:00.000001``: a prefix sorts first.
    """
    return from_micros(micros).replace(tzinfo=None).isoformat()


def date_of(ordinal: int) -> date:
    """Give the date of a day counted as ``date.toordinal`` does."""
    return date.fromordinal(ordinal)
