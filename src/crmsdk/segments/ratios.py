"""Ratios of two numbers, compared without rounding where whole numbers allow it."""

import math
from fractions import Fraction

from crmsdk.model.comparison import Op, compare
from crmsdk.model.values import Value

__all__ = ["as_written", "compare_ratio", "double", "quotient", "root_of"]


def compare_ratio(op: Op, over: float, under: float, operand: Value) -> bool:
    """Say whether ``over / under op operand`` holds.

    Of two integers it is decided by multiplying across; a float operand is read as the decimal it is written
    as, so that 3 of 10 is at most 0.3. With a float among the two the quotient is the nearest double.

    Args:
        op: ``== < <= > >=`` or ``between``.
        over: What is divided.
        under: What it is divided by, above zero.
        operand: A number; of ``between`` two.
    """
    if isinstance(operand, tuple):
        low, high = operand
        return compare_ratio(Op.GE, over, under, low) and compare_ratio(Op.LE, over, under, high)
    if isinstance(over, int) and isinstance(under, int) and isinstance(operand, int | float):
        bound = as_written(operand)
        return compare(op, over * bound.denominator, bound.numerator * under)
    return compare(op, quotient(over, under), operand)


def as_written(number: float) -> Fraction:
    """Read a number as the decimal it is written as: 0.1 as a tenth, not as the double beside it."""
    return Fraction(repr(number)) if isinstance(number, float) else Fraction(number)


def double(ratio: Fraction) -> float:
    """Give the nearest double; beyond the largest it is infinite."""
    return quotient(ratio.numerator, ratio.denominator)


def root_of(over: int, under: int) -> float:
    """Give the square root of a fraction that is not negative."""
    return math.sqrt(over / under)


def quotient(over: float, under: float) -> float:
    """Divide to the nearest double; beyond the largest it is infinite."""
    try:
        return over / under
    except OverflowError:
        return math.inf if over > 0 else -math.inf
