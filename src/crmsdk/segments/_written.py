"""Comparisons as lines of Python, and functions made of such lines.

Source is made of our own words only: every name, operand and function is a constant, which the made function
finds in a scope of its own. So conditions of one shape share their code, and no text of a definition is run.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from functools import lru_cache
from types import CodeType
from typing import Any

from crmsdk.model.comparison import Op, PropTest, compare, value_at
from crmsdk.model.money import Money
from crmsdk.model.values import Properties, Value

__all__ = ["Constants", "compared", "function", "passing", "read", "reading", "tested"]

_SCOPE: dict[str, Any] = {
    "compare": compare,
    "value_at": value_at,
    "Money": Money,
    "date": date,
    "datetime": datetime,
    "__builtins__": {
        each.__name__: each for each in (type, isinstance, str, int, float, AttributeError, KeyError)
    },
}
_SIGNS = {Op.EQ: "==", Op.LT: "<", Op.LE: "<=", Op.GT: ">", Op.GE: ">="}


class Constants:
    """Names under which a line of source knows its constants."""

    def __init__(self) -> None:
        self.values: list[object] = []

    def name(self, value: object) -> str:
        """Take a constant in and name it."""
        self.values.append(value)
        return f"k{len(self.values) - 1}"


def function(arguments: str, lines: Sequence[str], constants: Constants) -> Callable[..., Any]:
    """Make a function of source; the last line is what it returns."""
    scope = {**_SCOPE, **{f"k{place}": value for place, value in enumerate(constants.values)}}
    body = "".join(f"    {line}\n" for line in (*lines[:-1], f"return {lines[-1]}"))
    exec(_code(f"def made({arguments}):\n{body}"), scope)  # noqa: S102 - our own words, see above
    made: Callable[..., Any] = scope["made"]
    return made


@lru_cache(maxsize=1024)
def _code(source: str) -> CodeType:
    return compile(source, "<condition>", "exec")


def compared(op: Op, operand: Value, value: str, constants: Constants) -> str:
    """Write ``compare(op, value, operand)``, with the usual kinds decided in place.

    Args:
        op, operand: As of ``compare``.
        value: Source that gives the value; it is run once.
        constants: Take in the operand.
    """
    if op is Op.EXISTS:
        return f"{value} is not None"
    if op is Op.EQ and isinstance(operand, str):
        return f"{value} == {constants.name(operand)}"  # nothing but text equals text
    if op is Op.EQ and isinstance(operand, bool):
        return f"{value} is {constants.name(operand)}"
    kind, holds = _usual(op, operand, constants)
    if kind is None:
        return f"compare({constants.name(op)}, {value}, {constants.name(operand)})"
    check, first = _CHECKS[kind], f"(v := {value})"
    if kind is Money:
        check += f" and v.currency == {constants.name(_first(operand).currency)}"
    otherwise = f"compare({constants.name(op)}, v, {constants.name(operand)})"
    return f"{holds} if {check.format(first)} else {otherwise}"


_CHECKS: dict[type, str] = {
    int: "type({}) is int or type(v) is float",
    str: "type({}) is str",
    datetime: "type({}) is datetime",
    date: "type({}) is date",
    Money: "type({}) is Money",
}


def _usual(op: Op, operand: Value, constants: Constants) -> tuple[type | None, str]:
    """Give the kind of value that is usually asked so, and what holds for a ``v`` of it; None for no kind."""
    items = operand if isinstance(operand, tuple) else (operand,)
    kinds = {_family(item) for item in items}
    kind = kinds.pop() if len(kinds) == 1 else None
    if kind is Money and len({item.currency for item in items if isinstance(item, Money)}) > 1:
        kind = None
    plain = [item.minor if isinstance(item, Money) else item for item in items]
    value = "v.minor" if kind is Money else "v"
    match op:
        case Op.CONTAINS | Op.STARTS | Op.ENDS if kind is not str or isinstance(operand, tuple):
            return None, ""
        case Op.CONTAINS:
            return str, f"{constants.name(operand)} in v"
        case Op.STARTS | Op.ENDS:
            return str, f"v.{op}with({constants.name(operand)})"
        case Op.IN:
            return kind, f"{value} in {constants.name(frozenset(plain) if kind else None)}"
        case Op.BETWEEN:
            low, high = (constants.name(item) for item in plain)
            return kind, f"{low} <= {value} <= {high}"
        case Op.EQ | Op.LT | Op.LE | Op.GT | Op.GE if not isinstance(operand, tuple):
            return kind, f"{value} {_SIGNS[op]} {constants.name(plain[0])}"
        case _:
            return None, ""


def _family(value: Value) -> type | None:
    kind = type(value)
    return int if kind is float else kind if kind in _CHECKS else None


def _first(operand: Value) -> Any:
    return operand[0] if isinstance(operand, tuple) else operand


def passing(tests: Sequence[PropTest]) -> Callable[[Properties], bool] | None:
    """Make a function that says whether all tests hold of properties; None for no tests."""
    constants = Constants()
    return function("p", [tested(tests, constants)], constants) if tests else None


def tested(tests: Sequence[PropTest], constants: Constants) -> str:
    """Write whether all tests hold of properties ``p``."""
    return " and ".join(
        f"{'not ' * test.negated}({compared(test.op, test.operand, read(test.name, constants), constants)})"
        for test in tests
    )


def read(name: str, constants: Constants) -> str:
    """Write ``value_at(p, name)``."""
    return f"value_at(p, {constants.name(name)})" if "." in name else f"p.get({constants.name(name)})"


def reading(names: Iterable[str], gives: str, constants: Constants, before: Sequence[str] = ()) -> list[str]:
    """Write the lines that find the attributes of ``facts`` as of ``now`` and give what is made of them.

    Args:
        names: The attributes.
        gives: Source that reads them from ``values``.
        constants: Take in the names.
        before: Lines to run first where facts were never asked for these, or some are dated after ``now``.
    """
    return [
        "try:",
        "    since, values = facts.newest",
        f"    if since <= now: return {gives}",
        "except (AttributeError, KeyError):",
        "    pass",
        *before,
        f"values = facts.values(now, {constants.name(tuple(names))})",
        gives,
    ]
