"""Questions about a property over several events: sum, average, extremes, variety, first and last value."""

from collections.abc import Callable
from enum import StrEnum
from typing import cast

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.model.codec import definition
from crmsdk.model.comparison import Op, exact, kind_of, operand_for
from crmsdk.model.money import Money
from crmsdk.model.values import Value
from crmsdk.segments.asking import Comparable, Readable
from crmsdk.segments.conditions import Predicate
from crmsdk.segments.occurrences import Meant, Named, Occurrences, as_name, prop_name

__all__ = ["COMPARING", "Aggregate", "Function", "Measured", "whole_fault"]


class Function(StrEnum):
    """What is made of the values of a property over some events.

    ``sum``, ``avg``, ``min`` and ``max`` take the values of the operand's kind and pass over all others.
    ``distinct`` counts different values of any kind. ``first`` and ``last`` are the value of the first and
    the last *event*: missing if that one lacks it.
    """

    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    DISTINCT = "distinct"
    FIRST = "first"
    LAST = "last"


@definition("aggregate")
@attrs.frozen
class Aggregate(Predicate):
    """Compare what a function makes of a property over events.

    Of nothing, ``sum`` and ``distinct`` are zero and all others are missing, so that no comparison holds.
    Money stays integer minor units of the operand's currency. A sum of integers is exact; with a float among
    them it is the correctly rounded double. An average is that sum over the number of values: of integers and
    money it is compared exactly (the sum with operand times number, a float operand read as the decimal it is
    written as); with a float among the values it is the nearest double.

    Attributes:
        of: Which events.
        function: What is made of the values.
        prop: The property; a dotted name reads into mappings.
        op: The question; of ``first`` and ``last`` any, of the others ``== < <= > >=`` and ``between``.
        operand: What it is compared with: a number or money of one currency; of ``min`` and ``max`` also
            a date or a moment; of ``distinct`` an integer.
    """

    of: Occurrences
    function: Function = attrs.field(converter=Function)
    prop: str = attrs.field(converter=as_name)
    op: Op = attrs.field(converter=Op)
    operand: Value = attrs.field(default=None, eq=exact)

    def __attrs_post_init__(self) -> None:
        """Refuse what the function never gives."""
        operand = operand_for(self.op, self.operand, self.prop)
        if self.function not in (Function.FIRST, Function.LAST):
            fault = _fault(self.function, self.op, operand)
            if fault:
                raise DefinitionError(fault, path="operand")
        object.__setattr__(self, "operand", operand)


COMPARING = frozenset({Op.EQ, Op.LT, Op.LE, Op.GT, Op.GE, Op.BETWEEN})
"""What may be asked of a number that is made of several values."""

_SPOKEN = {
    Function.SUM: "a sum",
    Function.AVG: "an average",
    Function.MIN: "the smallest value",
    Function.MAX: "the largest value",
    Function.DISTINCT: "a number of different values",
}


def _fault(function: Function, op: Op, operand: Value) -> str:
    spoken = _SPOKEN[function]
    if function is Function.DISTINCT:
        return whole_fault(spoken, op, operand)
    if op not in COMPARING:
        return f"{spoken} cannot be asked {op}; use == < <= > >= or between"
    bounds = operand if isinstance(operand, tuple) else (operand,)
    for bound in bounds:
        kind = kind_of(bound)
        compares = f"{spoken} is compared with {kind}"
        if isinstance(bound, Money) or kind == "number":
            continue
        if function in (Function.SUM, Function.AVG):
            return f"{compares}; give a number or Money"
        if kind not in ("date", "moment"):
            return f"{compares}; give a number, Money, a date or a moment"
    return ""


def whole_fault(spoken: str, op: Op, operand: Value) -> str:
    """Say why a whole number cannot be compared so; empty where it can."""
    if op not in COMPARING:
        return f"{spoken} cannot be asked {op}; use == < <= > >= or between"
    for bound in operand if isinstance(operand, tuple) else (operand,):
        if isinstance(bound, float):
            return f"{spoken} is whole; give an integer"
        if isinstance(bound, bool) or not isinstance(bound, int):
            return f"{spoken} is compared with {kind_of(bound)}; give an integer"
        if bound < 0:
            return f"{spoken} is never below zero; for none at all use == 0"
    return ""


class Measured(Meant):
    """The words that ask about a property over events.

    All refuse, with a DefinitionError, a question that already asks for the number of events, and a property
    declared for another event.
    """

    __slots__ = ()

    def sum(self, prop: str | Named) -> Comparable[Predicate]:
        """Compare the sum of a property, zero of nothing: ``.sum("amount") >= Money(9000, "RUB")``."""
        return self._compare(Function.SUM, prop)

    def avg(self, prop: str | Named) -> Comparable[Predicate]:
        """Compare the average of a property, missing of nothing: ``.avg("amount") >= Money(1500, "RUB")``."""
        return self._compare(Function.AVG, prop)

    def min(self, prop: str | Named) -> Comparable[Predicate]:
        """Compare the smallest value of a property, missing of nothing: ``.min("score") > 3``."""
        return self._compare(Function.MIN, prop)

    def max(self, prop: str | Named) -> Comparable[Predicate]:
        """Compare the largest value of a property, missing of nothing: ``.max("score") <= 5``."""
        return self._compare(Function.MAX, prop)

    def distinct(self, prop: str | Named) -> Comparable[Predicate]:
        """Compare how many different values a property has: ``did("view").distinct("category") >= 3``."""
        return self._compare(Function.DISTINCT, prop)

    def first(self, prop: str | Named) -> Readable[Predicate]:
        """Ask about the value of the first of the events: ``did("visit").first("source") == "ads"``."""
        return self._read(Function.FIRST, prop)

    def last(self, prop: str | Named) -> Readable[Predicate]:
        """Ask about the value of the last of the events; missing if that very event lacks it."""
        return self._read(Function.LAST, prop)

    def _compare(self, function: Function, prop: str | Named) -> Comparable[Predicate]:
        return Comparable(self._ask(function, prop))

    def _read(self, function: Function, prop: str | Named) -> Readable[Predicate]:
        return Readable(self._ask(function, prop))

    def _ask(self, function: Function, prop: str | Named) -> Callable[[Op, object, bool], Predicate]:
        of = self._meant(f"ask for {function} in a question of its own")
        name = prop_name(of, prop)

        def ask(op: Op, operand: object, negated: bool) -> Predicate:  # noqa: FBT001 - the builder's callback
            asked = Aggregate(of, function, name, op, cast("Value", operand))
            return ~asked if negated else asked

        return ask
