"""``compare`` of ``crmsdk.model.comparison`` as SQL: the same answer for every value and operand."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Final, assert_never

from crmsdk.errors import UnsupportedQuestion
from crmsdk.model.comparison import Op
from crmsdk.model.money import Money
from crmsdk.model.patterns import pattern_of
from crmsdk.model.values import Value
from crmsdk.segments.sql.bounds import Span, float_bounds, integer_bounds, span_of_op
from crmsdk.segments.sql.dialects.dialect import Dialect
from crmsdk.segments.sql.readings import Reading
from crmsdk.segments.sql.terms import FALSE, Term, all_of, any_of, negated

__all__ = ["compared", "numbered"]

_DAYS: Final = date.max.toordinal()


def compared(dialect: Dialect, reading: Reading, op: Op, operand: Value) -> Term:
    """Say that a stored value compares so.

    Raises:
        UnsupportedQuestion: an operand no database of this dialect can hold.
    """
    match op:
        case Op.EXISTS:
            return reading.present()
        case Op.IN:
            return _one_of(dialect, reading, operand)
        case Op.BETWEEN:
            low, high = operand if isinstance(operand, tuple) else (None, None)
            return all_of((_ordered(dialect, reading, Op.GE, low), _ordered(dialect, reading, Op.LE, high)))
        case Op.CONTAINS:
            return any_of(_contains(dialect, reading, operand))
        case Op.STARTS | Op.ENDS:
            text = reading.text()
            if text is None or not isinstance(operand, str):
                return FALSE
            return Term(dialect.starts(text, operand) if op is Op.STARTS else dialect.ends(text, operand))
        case Op.CONTAINS_ANY | Op.CONTAINS_ALL:
            join = any_of if op is Op.CONTAINS_ANY else all_of
            items = operand if isinstance(operand, tuple) else ()
            return join(any_of(_contains(dialect, reading, item)) for item in items)
        case Op.MATCHES:
            text = reading.text()
            if text is None or not isinstance(operand, str):
                return FALSE
            return Term(dialect.matches(text, pattern_of(operand)))
        case Op.EQ:
            return _equal(dialect, reading, operand)
        case Op.LT | Op.LE | Op.GT | Op.GE:
            return _ordered(dialect, reading, op, operand)
        case _:
            assert_never(op)


def _contains(dialect: Dialect, reading: Reading, operand: Value) -> Iterator[Term]:
    text = reading.text()
    if text is not None and isinstance(operand, str):
        yield Term(dialect.contains(text, operand))
    yield reading.any_item(lambda item: _equal(dialect, item, operand))


def _one_of(dialect: Dialect, reading: Reading, operand: Value) -> Term:
    items = operand if isinstance(operand, tuple) else ()
    texts = [item for item in items if isinstance(item, str)]
    text = reading.text()
    listed = FALSE
    if text is not None and texts:
        listed = Term(f"{text} IN ({', '.join(dialect.text(item) for item in dict.fromkeys(texts))})")
    others = (_equal(dialect, reading, item) for item in items if not isinstance(item, str))
    return any_of((listed, *others))


def _equal(dialect: Dialect, reading: Reading, operand: Value) -> Term:
    match operand:
        case None:
            return FALSE
        case bool():
            x = reading.boolean()
            return FALSE if x is None else Term(f"{x} = {'TRUE' if operand else 'FALSE'}")
        case str():
            x = reading.text()
            return FALSE if x is None else Term(f"{x} = {dialect.text(operand)}")
        case tuple():
            return _same_list(dialect, reading, operand)
        case Mapping():
            raise UnsupportedQuestion(
                dialect.name,
                "mapping",
                "a mapping inside a list is asked for; compare one value by its dotted name",
            )
        case _:
            return _ordered(dialect, reading, Op.EQ, operand)


def _same_list(dialect: Dialect, reading: Reading, operand: tuple[Value, ...]) -> Term:
    length = reading.items()
    if length is None:
        return FALSE
    items = (
        negated(reading.item(index).present()) if item is None else _equal(dialect, reading.item(index), item)
        for index, item in enumerate(operand)
    )
    return all_of((Term(f"{length} = {len(operand)}"), *items))


def _ordered(dialect: Dialect, reading: Reading, op: Op, operand: Value) -> Term:
    match operand:
        case bool():
            return FALSE
        case int() | float():
            return numbered(dialect, reading.integer(), reading.float(), op, operand, digits=reading.digits())
        case datetime():
            span = span_of_op(op, operand)
            return FALSE if span.empty else reading.moment_in(span)
        case date():
            return _dated(reading, op, operand)
        case Money():
            x, bounds = reading.money(operand.currency), integer_bounds(op, operand.minor)
            if x is None or bounds is None:
                return FALSE
            return _in_bounds(dialect, x, bounds, reading.digits(operand.currency))
        case _:
            return FALSE


def _dated(reading: Reading, op: Op, operand: date) -> Term:
    bounds = integer_bounds(op, operand.toordinal())
    if bounds is None or (bounds[0] or 0) > _DAYS or (bounds[1] is not None and bounds[1] < 1):
        return FALSE
    return reading.day_in(Span(bounds[0], None if bounds[1] is None else bounds[1] + 1))


def numbered(
    dialect: Dialect,
    integer: str | None,
    double: str | None,
    op: Op,
    operand: float,
    *,
    digits: str | None = None,
) -> Term:
    """Say that a number, kept as integer here and as double there, compares so; each may be null.

    Args:
        dialect: Whose SQL.
        integer, double: The number; None where it never is one.
        op, operand: The comparison, of two numbers.
        digits: The integer as written, where it may be wider than the dialect reads.
    """
    whole, real = FALSE, FALSE
    if integer is not None and (bounds := integer_bounds(op, operand)) is not None:
        whole = _in_bounds(dialect, integer, bounds, digits)
    if double is not None and (reals := float_bounds(op, operand)) is not None:
        low, high = (None if each is None else dialect.double(each) for each in reals)
        real = Term(dialect.inside(double, low, high))
    return any_of((whole, real))


def _in_bounds(dialect: Dialect, x: str, bounds: tuple[int | None, int | None], digits: str | None) -> Term:
    low, high = bounds
    most = dialect.widest
    if digits is not None and any(each is not None and abs(each) >= most for each in bounds):
        return all_of(_wide(dialect, digits, bounds))
    if (low is not None and low > most) or (high is not None and high < -most):
        return FALSE
    within = (None if each is None or abs(each) > most else dialect.integer(each) for each in bounds)
    return Term(dialect.inside(x, *within))


def _wide(dialect: Dialect, x: str, bounds: tuple[int | None, int | None]) -> Iterator[Term]:
    """Compare integers of any width as they are written: sign, then length, then digit by digit."""
    minus = dialect.starts(x, "-")
    for bound, low in zip(bounds, (True, False), strict=True):
        if bound is None:
            continue
        written, size = dialect.text(str(bound)), len(str(bound))
        beyond, sign = (
            (">", ">=") if low is (bound >= 0) else ("<", "<="),
            minus if bound < 0 else f"NOT {minus}",
        )
        alike = f"length({x}) = {size} AND {dialect.binary(x)} {beyond[1]} {written}"
        far = f"length({x}) {beyond[0]} {size} OR ({alike})"
        same = f"{sign} AND ({far})"
        other = f" OR {minus if bound >= 0 else f'NOT {minus}'}" if low is (bound < 0) else ""
        yield Term(f"({same}){other}")
