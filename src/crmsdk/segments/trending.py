"""The meaning of trends: a window and those before it, as they move, and the ratio of what is in them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from fractions import Fraction
from typing import TypeAlias
from zoneinfo import ZoneInfo

from crmsdk.model.comparison import compare, kind_of, value_at
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.money import Money
from crmsdk.segments.ratios import compare_ratio, double
from crmsdk.segments.trends import Trend
from crmsdk.segments.unfolding import occurrence_steps, together

__all__ = ["trend_holds", "trend_ratio", "trend_steps"]

Windows: TypeAlias = tuple[list[Event], list[Event]]
"""The events of the window, and those of all windows before it."""


def trend_steps(node: Trend, facts: Facts, now: datetime, tz: ZoneInfo) -> Iterator[tuple[datetime, Windows]]:
    """Unfold the events of the window and of those before it."""
    return together(
        occurrence_steps(node.of, facts, now, tz), occurrence_steps(node.before(), facts, now, tz)
    )


def trend_holds(node: Trend, windows: Windows) -> bool:
    """Say whether the comparison holds of these windows."""
    now, before = (_amount(node, events) for events in windows)
    if before <= 0:
        return False
    if isinstance(now, int) and isinstance(before, int):
        return compare_ratio(node.op, now * node.over, before, node.operand)
    return compare(node.op, _ratio(node, now, before), node.operand)


def trend_ratio(node: Trend, windows: Windows) -> float | None:
    """Give the ratio as the nearest double; None where the baseline is missing."""
    now, before = (_amount(node, events) for events in windows)
    return _ratio(node, now, before) if before > 0 else None


def _ratio(node: Trend, now: int | Fraction, before: int | Fraction) -> float:
    return double(Fraction(now) * node.over / Fraction(before))


def _amount(node: Trend, events: Sequence[Event]) -> int | Fraction:
    """Give the number of the events, or the exact sum of their values: an integer unless a float is there."""
    if node.prop is None:
        return len(events)
    wanted, whole, parts = kind_of(node.like()), 0, list[float]()
    for event in events:
        value = value_at(event.properties, node.prop)
        if kind_of(value) != wanted:
            continue
        if isinstance(value, float):
            parts.append(value)
        elif isinstance(value, int | Money):
            whole += value.minor if isinstance(value, Money) else value
    return sum(map(Fraction, parts), Fraction(whole)) if parts else whole
