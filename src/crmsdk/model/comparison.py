"""How two values compare: one meaning for attributes, properties and every executor.

Truth is two-valued. A comparison with a missing value, or with one of another kind, is false; negation is
the complement, so ``x != v`` is "not (x == v)" and holds for the missing too.
"""

import operator
from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import Enum, StrEnum
from typing import Any, NoReturn, cast

import attrs

from crmsdk.errors import DefinitionError, InputError
from crmsdk.model.codec import definition
from crmsdk.model.money import Money
from crmsdk.model.patterns import pattern_of
from crmsdk.model.values import Properties, Value, normal

__all__ = ["Op", "PropTest", "compare", "exact", "kind_of", "operand_for", "value_at"]


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
    CONTAINS_ANY = "contains_any"
    CONTAINS_ALL = "contains_all"
    MATCHES = "matches"
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
_SCALARS = frozenset({int, float, datetime, date, Money})
_UNORDERED = frozenset({"missing", "boolean", "text", "list", "mapping"})


def compare(op: Op, actual: Value, operand: Value) -> bool:
    """Say whether ``actual op operand`` holds; total, never raises.

    Args:
        op: ``in`` wants a list operand, ``between`` a list of two (both ends included), ``contains`` asks
            for a substring of text or an item of a list, ``contains_any`` and ``contains_all`` for some or
            all of a list; ``matches`` looks for a pattern anywhere in a text.
        actual: The value found; None when missing.
        operand: The value asked for.

    Returns:
        False whenever the value is missing or of another kind. Text has no order: ``lt`` on text is false.
    """
    if actual is None:
        return False
    match op:
        case Op.GE | Op.LE | Op.GT | Op.LT:
            return _orderable(actual, operand) and _ORDER[op](actual, operand)
        case Op.EQ:
            return _equal(actual, operand)
        case Op.EXISTS:
            return True
        case Op.IN:
            return isinstance(operand, tuple) and any(compare(Op.EQ, actual, item) for item in operand)
        case Op.BETWEEN:
            return (
                isinstance(operand, tuple)
                and len(operand) == 2
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
        case Op.CONTAINS_ANY:
            return isinstance(operand, tuple) and any(compare(Op.CONTAINS, actual, item) for item in operand)
        case Op.CONTAINS_ALL:
            return isinstance(operand, tuple) and all(compare(Op.CONTAINS, actual, item) for item in operand)
        case Op.MATCHES:
            return (
                isinstance(actual, str) and isinstance(operand, str) and pattern_of(operand).found_in(actual)
            )


def _orderable(actual: Value, operand: Value) -> bool:
    if (
        type(actual) is type(operand) and type(actual) in _SCALARS
    ):  # the usual case, far cheaper than the kinds
        return not isinstance(actual, Money) or actual.currency == cast("Money", operand).currency
    kind = kind_of(actual)
    return kind not in _UNORDERED and kind == kind_of(operand)


def _equal(actual: Value, operand: Value) -> bool:
    if type(actual) is type(operand) and (type(actual) in _SCALARS or isinstance(actual, str)):
        return actual == operand
    return exact(actual) == exact(operand)


def exact(value: Value) -> object:
    """Give a hashable stand-in that is equal for equal values of one kind only.

    Python holds ``1 == True``, also inside of lists; here a boolean is not a number.
    """
    match value:
        case tuple():
            return ("list", tuple(exact(item) for item in value))
        case Mapping():
            return ("mapping", frozenset((key, exact(item)) for key, item in value.items()))
        case _:
            return (kind_of(value), value)


def value_at(values: Properties, name: str) -> Value:
    """Read a property; None when missing.

    A dotted name reads into mappings, as ``address.city``, unless a property has that very name.
    """
    found = values.get(name)
    if found is not None or "." not in name:
        return found
    head, _, path = name.partition(".")
    inner = values.get(head)
    return value_at(inner, path) if isinstance(inner, Mapping) else None


def operand_for(op: Op, value: object, path: str) -> Value:
    """Bring what is asked for into normal form, and refuse what could never hold.

    Args:
        op: The question.
        value: What to compare with, as the caller gave it; of an enumeration its value is taken.
        path: Where it stands in the definition, for the error.

    Raises:
        DefinitionError: an order asked of text, an empty list, a reversed or mixed pair, a naive moment,
            a missing operand, one for ``exists``, or a pattern we do not take.
    """
    try:
        operand = normal(_plain(value), path)
    except InputError as error:
        raise DefinitionError(error.problem, path=error.field or path) from error
    fault = _fault(op, operand)
    if fault:
        raise DefinitionError(fault, path=path)
    return operand


def _plain(value: object) -> object:
    if isinstance(value, tuple | list):
        return tuple(_plain(item) for item in value)
    return value.value if isinstance(value, Enum) else value


def _fault(op: Op, operand: Value) -> str:
    match op:
        case Op.EXISTS:
            return "" if operand is None else "exists takes no value to compare with"
        case Op.IN | Op.CONTAINS_ANY | Op.CONTAINS_ALL:
            if not isinstance(operand, tuple) or not operand:
                return f"needs a list of one value or more{' to be in' if op is Op.IN else ''}"
            return "holds a missing value; ask missing() for that" if None in operand else ""
        case Op.BETWEEN:
            return _pair_fault(operand)
        case Op.MATCHES:
            return _pattern_fault(operand)
        case Op.STARTS | Op.ENDS:
            return "" if isinstance(operand, str) else f"is {kind_of(operand)}; only text starts or ends so"
        case _ if operand is None:
            return "nothing compares with a missing value; ask missing() or exists()"
        case _ if isinstance(operand, Mapping):
            return "is a mapping; compare one value in it, by its dotted name"
        case Op.EQ | Op.CONTAINS:
            return ""
        case Op.LT | Op.LE | Op.GT | Op.GE:
            return _order_fault(operand)


def _pattern_fault(operand: Value) -> str:
    if not isinstance(operand, str):
        return f"is {kind_of(operand)}; give a pattern as text"
    try:
        pattern_of(operand)
    except DefinitionError as error:
        return str(error)
    return ""


def _order_fault(operand: Value) -> str:
    kind = kind_of(operand)
    if kind == "text":
        return "text has no order (languages differ in it); use ==, in_, startswith or contains"
    return f"{kind} has no order; compare numbers, money, dates or moments" if kind in _UNORDERED else ""


def _pair_fault(operand: Value) -> str:
    if not isinstance(operand, tuple) or len(operand) != 2:
        return "needs two values to be between"
    low, high = operand
    fault = _order_fault(low) or _order_fault(high)
    if not fault and kind_of(low) != kind_of(high):
        return f"mixes {kind_of(low)} and {kind_of(high)}; give two values of one kind"
    return fault or ("" if compare(Op.LE, low, high) else "is reversed; give the smaller value first")


def _op(value: Op | str) -> Op:
    try:
        return Op(value)
    except ValueError:
        raise DefinitionError(f"is {value!r:.40}; give one of {', '.join(Op)}", path="op") from None


@definition("prop")
@attrs.frozen
class PropTest:
    """A test of one property of an event, written ``Purchase.amount >= 3`` or ``prop("amount") >= 3``.

    Attributes:
        name: The property; a dotted name reads into mappings.
        op: The question.
        operand: What is asked for, in normal form.
        negated: Whether the complement is meant; it holds for a missing property too.
    """

    name: str
    op: Op = attrs.field(converter=_op)
    operand: Value = attrs.field(default=None, eq=exact)
    negated: bool = attrs.field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Refuse a test that could never hold."""
        if not isinstance(self.name, str) or not self.name:
            raise DefinitionError("a property needs a name", path="name")
        object.__setattr__(self, "operand", operand_for(self.op, self.operand, self.name))

    def __invert__(self) -> "PropTest":
        """Give the complement."""
        return attrs.evolve(self, negated=not self.negated)

    def __bool__(self) -> NoReturn:
        """Refuse ``and``, ``or``, ``not`` and chained comparisons, which would drop half of what is written.

        Raises:
            DefinitionError: always.
        """
        raise DefinitionError(
            f"a test of {self.name!r} has no truth of its own; give several to where(), use ~ for not and "
            "between(low, high) for a range"
        )

    def holds(self, properties: Properties) -> bool:
        """Say whether the properties of an event pass the test; total, never raises."""
        return compare(self.op, value_at(properties, self.name), self.operand) is not self.negated
