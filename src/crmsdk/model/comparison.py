"""How two values compare: one meaning for attributes, properties and every executor.

Truth is two-valued. A comparison with a missing value, or with one of another kind, is false; negation is
the complement, so ``x != v`` is "not (x == v)" and holds for the missing too.
"""

import operator
from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from crmsdk.model.money import Money
from crmsdk.model.values import Value

__all__ = ["Op", "compare", "kind_of"]


class Op(StrEnum):
    """What may be asked of a value; ``exists`` ignores the operand."""

    EQ = "eq"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    IN = "in"
    BETWEEN = "between"
    CONTAINS = "contains"
    STARTS = "starts"
    ENDS = "ends"
    EXISTS = "exists"


def kind_of(value: Value) -> str:
    """Name the kind of a value: values of different kinds never compare.

    Integers and floats are one kind, booleans are not numbers, a date is not a moment, and money of two
    currencies is of two kinds.
    """
    match value:
        case None:
            return "missing"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "text"
        case datetime():
            return "moment"
        case date():
            return "date"
        case Money():
            return f"money {value.currency}"
        case tuple():
            return "list"
        case Mapping():
            return "mapping"


_ORDER: Mapping[Op, Callable[[Any, Any], bool]] = {
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
}
_UNORDERED = frozenset({"missing", "boolean", "text", "list", "mapping"})


def compare(op: Op, actual: Value, operand: Value) -> bool:
    """Say whether ``actual op operand`` holds; total, never raises.

    Args:
        op: ``in`` wants a list operand, ``between`` a list of two (both ends included), ``contains`` asks
            for a substring of text or an item of a list.
        actual: The value found; None when missing.
        operand: The value asked for.

    Returns:
        False whenever the value is missing or of another kind. Text has no order: ``lt`` on text is false.
    """
    if actual is None:
        return False
    match op:
        case Op.EXISTS:
            return True
        case Op.EQ:
            return kind_of(actual) == kind_of(operand) and actual == operand
        case Op.IN:
            return isinstance(operand, tuple) and any(compare(Op.EQ, actual, item) for item in operand)
        case Op.BETWEEN:
            return (
                isinstance(operand, tuple)
                and len(operand) == 2  # noqa: PLR2004 - the two ends
                and compare(Op.GE, actual, operand[0])
                and compare(Op.LE, actual, operand[1])
            )
        case Op.CONTAINS:
            if isinstance(actual, tuple):
                return any(compare(Op.EQ, item, operand) for item in actual)
            return isinstance(actual, str) and isinstance(operand, str) and operand in actual
        case Op.STARTS:
            return isinstance(actual, str) and isinstance(operand, str) and actual.startswith(operand)
        case Op.ENDS:
            return isinstance(actual, str) and isinstance(operand, str) and actual.endswith(operand)
        case Op.LT | Op.LE | Op.GT | Op.GE:
            kind = kind_of(actual)
            return kind not in _UNORDERED and kind == kind_of(operand) and _ORDER[op](actual, operand)
