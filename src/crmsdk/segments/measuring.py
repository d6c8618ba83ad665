"""The meaning of aggregates: the values events bring, what a function makes of them, and how that unfolds."""

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any, TypeAlias, assert_never, cast
from zoneinfo import ZoneInfo

from crmsdk.model.comparison import compare, exact, kind_of, value_at
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.money import Money
from crmsdk.model.values import Value
from crmsdk.segments.aggregates import Aggregate, Function
from crmsdk.segments.framing import frame_of
from crmsdk.segments.ratios import compare_ratio, quotient
from crmsdk.segments.unfolding import events_of, slices

__all__ = ["Brought", "aggregate_holds", "aggregate_steps", "aggregated", "total"]

_EXACT = 2**53  # a double holds every integer up to this


Brought: TypeAlias = list[tuple[Event, Value]]
"""Events in total order, each with the value it brings."""


def aggregate_steps(
    node: Aggregate, facts: Facts, now: datetime, tz: ZoneInfo
) -> Iterator[tuple[datetime, Brought]]:
    """Unfold which events an aggregate is made of."""
    frame = frame_of(node.of.window, tz)
    found = _brought(node, events_of(node.of, frame, facts, now))
    for at, low, high in slices([event.at for event, _ in found], frame, now):
        yield at, found[low:high]


def _brought(node: Aggregate, events: Iterable[Event]) -> Brought:
    found = [(event, value_at(event.properties, node.prop)) for event in events]
    match node.function:
        case Function.FIRST | Function.LAST:
            return found
        case Function.DISTINCT:
            return [(event, value) for event, value in found if value is not None]
        case _:
            wanted = kind_of(node.operand[0] if isinstance(node.operand, tuple) else node.operand)
            return [(event, value) for event, value in found if kind_of(value) == wanted]


def aggregate_holds(node: Aggregate, brought: Brought) -> bool:
    """Say whether the comparison holds of what these events bring."""
    if node.function is not Function.AVG:
        return compare(node.op, aggregated(node, brought), node.operand)
    amounts = _amounts(value for _, value in brought)
    return bool(amounts) and compare_ratio(node.op, total(amounts), len(amounts), _amount(node.operand))


def aggregated(node: Aggregate, brought: Brought) -> Value:
    """Give what the function makes of the values; an average is rounded here, where it is only shown."""
    values: list[Any] = [value for _, value in brought]
    match node.function:
        case Function.SUM:
            return _like(node.operand, total(_amounts(values)))
        case Function.DISTINCT:
            return len({exact(value) for value in values})
        case _ if not values:
            return None
        case Function.AVG:
            return _like(node.operand, _mean(_amounts(values), whole=isinstance(values[0], Money)))
        case Function.MIN:
            return cast("Value", min(values))  # of one kind, which has an order
        case Function.MAX:
            return cast("Value", max(values))
        case Function.FIRST:
            return cast("Value", values[0])
        case Function.LAST:
            return cast("Value", values[-1])
        case _:
            assert_never(node.function)


def _mean(amounts: Sequence[int | float], *, whole: bool) -> int | float:
    over, under = total(amounts), len(amounts)
    if isinstance(over, int) and (whole or over % under == 0):
        return round(Fraction(over, under))
    return quotient(over, under)


def _amounts(values: Iterable[Value]) -> list[int | float]:
    plain = (_amount(value) for value in values)
    return [amount for amount in plain if isinstance(amount, int | float)]


def _amount(value: Value) -> Value:
    match value:
        case Money(minor):
            return minor
        case tuple():
            return tuple(_amount(item) for item in value)
        case _:
            return value


def _like(operand: Value, value: float) -> Value:
    like = operand[0] if isinstance(operand, tuple) else operand
    return Money(int(value), like.currency) if isinstance(like, Money) else value


def total(amounts: Sequence[int | float]) -> int | float:
    """Add up: integers exactly, with a float among them to the nearest double, whatever the order."""
    if not any(isinstance(each, float) for each in amounts):
        return sum(amounts)
    try:
        if all(isinstance(each, float) or abs(each) <= _EXACT for each in amounts):
            return math.fsum(amounts)
        return float(_exactly(amounts))
    except OverflowError:  # also of a passing sum inside fsum; the whole one may still fit
        exact = _exactly(amounts)
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def _exactly(amounts: Sequence[float]) -> Fraction:
    return sum(map(Fraction, amounts), Fraction(0))
