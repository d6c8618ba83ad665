"""The meaning of rhythms: in which periods events lie, the rows these make, and the times between events."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TypeAlias
from zoneinfo import ZoneInfo

from crmsdk.model.comparison import Op, compare
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.segments.calendars import is_empty, period_of, start_of
from crmsdk.segments.occurrences import Occurrences
from crmsdk.segments.ratios import as_written, root_of
from crmsdk.segments.rhythms import Gap, GapVariation, Middle, Regular, Run, Streak
from crmsdk.segments.unfolding import occurrence_steps, together
from crmsdk.segments.windows import Unit

__all__ = ["gap_holds", "middle_of", "periods_with", "regular_steps", "streak_steps", "variation_of"]

_TICK = timedelta(microseconds=1)
Clocked: TypeAlias = tuple[list[Event], datetime]
"""Events, and the moment at which they are looked at."""


def streak_steps(
    node: Streak, facts: Facts, now: datetime, tz: ZoneInfo
) -> Iterator[tuple[datetime, Clocked]]:
    """Unfold the events of a streak, and the periods that pass by without one."""
    return _clocked(node, (1, 2, 3), facts, now, tz)


def regular_steps(
    node: Regular, facts: Facts, now: datetime, tz: ZoneInfo
) -> Iterator[tuple[datetime, Clocked]]:
    """Unfold the events of the last periods, and how these move on."""
    return _clocked(node, range(node.periods, node.periods + 4), facts, now, tz)


def _clocked(
    node: Streak | Regular, later: Iterable[int], facts: Facts, now: datetime, tz: ZoneInfo
) -> Iterator[tuple[datetime, Clocked]]:
    ticks = _ticks(node, later, facts, now, tz)
    for at, (events, _) in together(occurrence_steps(node.of, facts, now, tz), ticks):
        yield at, (events, at)


def _ticks(
    node: Streak | Regular, later: Iterable[int], facts: Facts, now: datetime, tz: ZoneInfo
) -> Iterator[tuple[datetime, None]]:
    yield now, None
    for at in sorted(_starts(node.of, node.unit, later, facts, tz)):
        if at > now:
            yield at, None


def _starts(of: Occurrences, unit: Unit, later: Iterable[int], facts: Facts, tz: ZoneInfo) -> set[datetime]:
    """Give the starts of periods so many later than an event's: there the periods looked at may change.

    One is lost later than its number says where the zone skips a day in between, hence a few more.
    """
    numbers = {period_of(event.at, unit, tz) for event in facts.events if event.name == of.event}
    starts = (start_of(number + ahead, unit, tz) for number in numbers for ahead in later)
    return {start for start in starts if start is not None}


def periods_with(node: Streak | Regular, clocked: Clocked, tz: ZoneInfo) -> int:
    """Count the periods asked for: in a row up to now, the longest row, all, or of the last few."""
    events, now = clocked
    numbers = {period_of(event.at, node.unit, tz) for event in events}
    if isinstance(node, Streak) and node.run is Run.ALL:
        return len(numbers)
    if isinstance(node, Streak) and node.run is Run.LONGEST:
        return max((_row(number, numbers, node.unit, tz) for number in numbers), default=0)
    last = period_of(now, node.unit, tz)
    if last not in numbers:
        last = _before(last, node.unit, tz)
    if isinstance(node, Streak):
        return _row(last, numbers, node.unit, tz)
    found = 0
    for _ in range(node.periods):
        found += last in numbers
        last = _before(last, node.unit, tz)
    return found


def _row(last: int, numbers: set[int], unit: Unit, tz: ZoneInfo) -> int:
    found = 0
    while last in numbers:
        found, last = found + 1, _before(last, unit, tz)
    return found


def _before(number: int, unit: Unit, tz: ZoneInfo) -> int:
    number -= 1
    while is_empty(number, unit, tz):
        number -= 1
    return number


def _gaps(events: Sequence[Event]) -> list[int]:
    return [(later.at - earlier.at) // _TICK for earlier, later in pairwise(events)]


def gap_holds(node: Gap | GapVariation, events: Sequence[Event]) -> bool:
    """Say whether the comparison holds of the times between these events."""
    if isinstance(node.operand, tuple):
        low, high = node.operand
        return _gap_holds(node, Op.GE, low, events) and _gap_holds(node, Op.LE, high, events)
    return _gap_holds(node, node.op, node.operand, events)


def _gap_holds(node: Gap | GapVariation, op: Op, bound: object, events: Sequence[Event]) -> bool:
    gaps = _gaps(events)
    if isinstance(bound, timedelta):
        over, under = _middle(gaps, median=isinstance(node, Gap) and node.middle is Middle.MEDIAN)
        return under > 0 and compare(op, over, bound // _TICK * under)
    over, under = _spread(gaps)
    if under == 0 or not isinstance(bound, int | float):
        return False
    square = as_written(bound) ** 2
    return compare(op, over * square.denominator, square.numerator * under)


def _middle(gaps: Sequence[int], *, median: bool) -> tuple[int, int]:
    """Give the middle as a fraction, 0 over 0 where there is none."""
    if not median:
        return sum(gaps), len(gaps)
    ordered = sorted(gaps)
    return (ordered[len(ordered) // 2] + ordered[~(len(ordered) // 2)], 2) if ordered else (0, 0)


def _spread(gaps: Sequence[int]) -> tuple[int, int]:
    """Give the square of the variation as a fraction, 0 over 0 where there is none."""
    total = sum(gaps)
    if len(gaps) < 2 or total == 0:
        return 0, 0
    return len(gaps) * sum(gap * gap for gap in gaps) - total * total, total * total


def middle_of(node: Gap, events: Sequence[Event]) -> timedelta | None:
    """Give the mean or median to the nearest microsecond, for explanations; None where there is none."""
    over, under = _middle(_gaps(events), median=node.middle is Middle.MEDIAN)
    return over * _TICK / under if under else None


def variation_of(events: Sequence[Event]) -> float | None:
    """Give the coefficient of variation, for explanations; None where there is none."""
    over, under = _spread(_gaps(events))
    return root_of(over, under) if under else None
