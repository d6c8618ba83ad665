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
    amounts = _amounts(node, windows[0]), _amounts(node, windows[1])
    now, before = (_sum(each) for each in amounts)
    if before <= 0:
        return False
    if any(isinstance(each, float) for several in amounts for each in several):
        return compare(node.op, double(now * node.over / before), node.operand)
    return compare_ratio(node.op, int(now) * node.over, int(before), node.operand)


def trend_ratio(node: Trend, windows: Windows) -> float | None:
    """Give the ratio as the nearest double; None where the baseline is missing."""
    now, before = (_sum(_amounts(node, events)) for events in windows)
    return double(now * node.over / before) if before > 0 else None


def _amounts(node: Trend, events: Sequence[Event]) -> list[int | float]:
    if node.prop is None:
        return [1] * len(events)
    wanted, out = kind_of(node.like()), list[int | float]()
    for event in events:
        value = value_at(event.properties, node.prop)
        if kind_of(value) == wanted and isinstance(value, int | float | Money):
            out.append(value.minor if isinstance(value, Money) else value)
    return out


def _sum(amounts: Sequence[int | float]) -> Fraction:
    return sum(map(Fraction, amounts), Fraction(0))
