"""Every comparison with every kind of value, asked of attributes and of properties: no chance in it.

Where random questions find what nobody thought of, these find at once what an executor often gets wrong: the
same number as integer and double, null inside of JSON, an end that is no part, text that looks like a number.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from itertools import pairwise, product
from typing import Any, Final

from crmsdk.model.comparison import Op, PropTest
from crmsdk.model.money import Money
from crmsdk.model.values import Value, normal
from crmsdk.segments.grammar import AttrTest, AttrTime, Did, EventTime, Occurrences, Predicate
from crmsdk.segments.windows import Interval, Relation, Relative, Rolling
from crmsdk.segments.words import did
from crmsdk.testing._edges import EVENTS, NOW

__all__ = ["edge_questions"]

_TICK: Final = timedelta(microseconds=1)
_NUMBERS: Final[tuple[Any, ...]] = (0, 1, 2, 1.0, 0.1, -1, 2**53, float(2**53), 2**53 + 1, 1e308)
_MONEY: Final = (Money(0, "RUB"), Money(1, "RUB"), Money(2, "RUB"), Money(1, "USD"))
_TEXTS: Final = ("", "a", "b", "ab", "1", "true", "null", "при", "e\u0301", "%_\\'\"", "2024-02-29")
_DATES: Final = (date(2024, 2, 29), date(1, 1, 1), date(9999, 12, 31))
_MOMENTS: Final = (NOW, NOW + _TICK, NOW - _TICK)
_LISTS: Final[tuple[Value, ...]] = ((), ("a",), ("", "a"), (1,), (1.0,), (True, "a"))
_ORDERED: Final = (_NUMBERS, _MONEY, _DATES, _MOMENTS)
_SINGLE: Final[tuple[Value, ...]] = (*_NUMBERS, *_MONEY, *_TEXTS, *_DATES, *_MOMENTS, True, False)


def _operands() -> Iterator[tuple[Op, Value]]:
    yield Op.EXISTS, None
    for each in (*_SINGLE, *_LISTS):
        yield Op.EQ, each
    for op, each in product((Op.LT, Op.LE, Op.GT, Op.GE), (each for pool in _ORDERED for each in pool)):
        yield op, each
    for pool in _ORDERED:
        for low, high in pairwise(sorted(pool, key=_by_size)):
            yield Op.BETWEEN, (low, high) if _comparable(low, high) else (low, low)
    for op, each in product((Op.STARTS, Op.ENDS), _TEXTS):
        yield op, each
    for each in (*_TEXTS, 1, True, 0.1, Money(1, "RUB")):
        yield Op.CONTAINS, each
    for op in (Op.IN, Op.CONTAINS_ANY, Op.CONTAINS_ALL):
        yield op, ("a", 1, NOW)
        yield op, ("ab", "")
    for pattern in ("^a", "a$", "^$", "[^a]", "^.$"):
        yield Op.MATCHES, pattern


def _by_size(value: Any) -> Any:
    return (value.currency, value.minor) if isinstance(value, Money) else ("", value)


def _comparable(low: Any, high: Any) -> bool:
    return not isinstance(low, Money) or low.currency == high.currency


@cache
def edge_questions() -> tuple[Predicate, ...]:
    """Give some thousand questions, the same ones always."""
    return tuple(_questions())


def _questions() -> Iterator[Predicate]:
    asked = [(op, normal(operand, "operand")) for op, operand in _operands()]
    for name, (op, operand) in product(("city", "address.city"), asked):
        yield AttrTest(name, op, operand)
    for name, (op, operand) in product(("amount", "cart.id"), asked):
        yield Did(Occurrences("purchase", tests=(PropTest(name, op, operand, negated=False),)))
        yield did("purchase").last(name)._ask(op, operand, True)  # noqa: SLF001 - the builder's own question
    for name in ("amount.minor", "amount.of", "qty.is", "cart.is", "tag.city"):
        yield Did(Occurrences("purchase", tests=(PropTest(name, Op.EXISTS),)))
    for event, relation, span in product(EVENTS, Relation, (_TICK, timedelta(days=1), timedelta(days=7))):
        of = Occurrences(event)
        yield EventTime(of, "first", Relative(relation, span))
        yield EventTime(of, "last", Relative(relation, span))
        yield AttrTime("signup", Relative(relation, span))
        yield Did(Occurrences(event, window=Rolling(span)))
        yield Did(Occurrences(event, window=Interval(NOW - span, NOW)), low=0, high=1)
