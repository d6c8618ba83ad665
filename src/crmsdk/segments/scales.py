"""Scores from 1 up, by breakpoints: RFM, percentiles, any number against what is usual.

Where somebody stands among all cannot be asked of one person. So it is done in two steps: breakpoints are
found once, from everybody's values (``breakpoints``), and become part of the definition; a score is then a
plain comparison, which every executor answers, for one person too. Publish new breakpoints when the base has
moved: the definition's hash tells the two apart.

    spent = Scale(did("purchase").sum("amount"), breakpoints(amounts, 5))
    recent = Scale(did("purchase").last_at(), breakpoints(spans, 5), best="low")
    champions = segment("champions", (spent >= 4) & (recent == 5))
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import timedelta
from fractions import Fraction
from functools import reduce
from itertools import pairwise
from math import ceil
from operator import and_
from typing import Any, Literal, TypeVar

from crmsdk.errors import DefinitionError, InputError
from crmsdk.model.comparison import Op
from crmsdk.model.money import Money
from crmsdk.segments.asking import Asked, Comparable, Timed
from crmsdk.segments.conditions import Predicate
from crmsdk.segments.words import nobody

__all__ = ["Scale", "breakpoints", "ntile", "quantile"]

K = TypeVar("K", bound=Hashable)
N = TypeVar("N", int, float, Money, timedelta)
_TICK = timedelta(microseconds=1)


class Scale(Comparable[Predicate]):
    """A score of 1 to ``len(breakpoints) + 1``, to be compared with whole numbers.

    The score is 1 plus the number of breakpoints below the value; with ``best="low"`` the other way round, so
    that small values score high, as the time since the last purchase. Without a value there is no score, and
    no comparison holds; a count or sum of no events is zero, which is a value.

    Args:
        number: What is scored, as ``did("purchase").sum("amount")`` or ``attr("ltv")``; of a moment, as
            ``did("purchase").last_at()``, the time since then, and a moment to come has no score.
        breakpoints: Rising; of the kind the number is compared with, of a moment spans. Equal ones leave
            scores out.
        best: Whether high or low values score high.

    Raises:
        DefinitionError: no breakpoints, or not rising ones.
    """

    def __init__(
        self,
        number: Comparable[Predicate] | Timed[Predicate],
        breakpoints: Iterable[Asked | timedelta],
        *,
        best: Literal["high", "low"] = "high",
    ) -> None:
        super().__init__(self._score)
        self.breakpoints = tuple(breakpoints)
        self._best = best
        self._above: Callable[[Any], Predicate]
        self._upto: Callable[[Any], Predicate]
        if isinstance(number, Comparable):
            self._above, self._upto = number.__gt__, number.__le__
        elif isinstance(number, Timed):
            self._above, self._upto = _elapsed(number)
        else:
            raise DefinitionError(
                f"a scale is of {type(number).__name__}; give a number as did('purchase').count()",
                path="number",
            )
        if best not in ("high", "low"):
            raise DefinitionError("say 'high' or 'low', whichever values are best", path="best")
        _refuse_falling(self.breakpoints)

    def _score(self, op: Op, operand: object, negated: bool) -> Predicate:  # noqa: FBT001 - the builder's callback
        bounds = operand if op is Op.BETWEEN and isinstance(operand, tuple) else (operand,)
        if not all(isinstance(bound, int) and not isinstance(bound, bool) for bound in bounds):
            raise DefinitionError("a score is compared with whole numbers; give one as scale >= 4")
        top = len(self.breakpoints) + 1
        low, high = _SPANS[op](bounds, top)
        asked = self._between(max(low, 1), min(high, top)) if low <= high else nobody
        return ~asked if negated else asked

    def _between(self, low: int, high: int) -> Predicate:
        points = self.breakpoints
        if low > high:
            return nobody
        if self._best == "low":
            low, high = len(points) + 2 - high, len(points) + 2 - low
        parts = []
        if low > 1:
            parts.append(self._above(points[low - 2]))
        if high <= len(points):
            parts.append(self._upto(points[high - 1]))
        # Any score at all: there is a value, which lies on either side of the first breakpoint.
        return reduce(and_, parts) if parts else self._above(points[0]) | self._upto(points[0])


def _elapsed(moment: Timed[Predicate]) -> tuple[Callable[[timedelta], Predicate], ...]:
    """Ask for more than a span, and for up to a span, since a moment; moments are whole microseconds."""
    return (
        lambda span: moment.more_than_ago(_span(span) + _TICK),
        lambda span: moment.within_last(_span(span) + _TICK),
    )


def _span(value: object) -> timedelta:
    if not isinstance(value, timedelta):
        raise DefinitionError(
            f"a moment is scored by {type(value).__name__}; give spans as timedelta(days=30)",
            path="breakpoints",
        )
    return value


_SPANS: Mapping[Op, Callable[[tuple[Any, ...], int], tuple[int, int]]] = {
    Op.EQ: lambda bounds, _: (bounds[0], bounds[0]),
    Op.LT: lambda bounds, _: (1, bounds[0] - 1),
    Op.LE: lambda bounds, _: (1, bounds[0]),
    Op.GT: lambda bounds, top: (bounds[0] + 1, top),
    Op.GE: lambda bounds, top: (bounds[0], top),
    Op.BETWEEN: lambda bounds, _: (bounds[0], bounds[1]),
}


def _refuse_falling(points: tuple[Any, ...]) -> None:
    if not points:
        raise DefinitionError("a scale has no breakpoints; one makes two scores", path="breakpoints")
    try:
        rising = all(earlier <= later for earlier, later in pairwise(points))
    except (TypeError, InputError):
        raise DefinitionError(
            "breakpoints are of different kinds; give numbers of one kind", path="breakpoints"
        ) from None
    if not rising:
        raise DefinitionError("breakpoints do not rise; give the smallest first", path="breakpoints")


def breakpoints(values: Iterable[N | None], parts: int) -> tuple[N, ...]:
    """Find where values fall into parts of about one size: ``parts - 1`` of the values, rising.

    Each is the smallest value with at least its share of all values at or below it (the discrete quantile of
    SQL's ``percentile_disc``), so equal values always score alike, whatever the order or the number of
    threads.

    >>> breakpoints([1, 1, 2, 3, 5, 8, 13, 21, 34, 55], 5)
    (1, 3, 8, 21)

    Args:
        values: Of everybody who is to be compared; None is left out.
        parts: 5 for quintiles, 100 for percentiles.

    Raises:
        InputError: fewer than two parts, no values, or values that cannot be compared, as money of two
            currencies or what is no number.
    """
    if isinstance(parts, bool) or not isinstance(parts, int) or parts < 2:
        raise InputError("is no number of parts; give 2 or more", field="parts")
    known = _sorted(values)
    return tuple(known[-(-len(known) * part // parts) - 1] for part in range(1, parts))


def quantile(values: Iterable[N | None], share: float) -> N:
    """Find the smallest value with at least this share of all values at or below it.

    >>> quantile([10, 20, 30, 40], 0.9)
    40

    Args:
        values: Of everybody who is to be compared; None is left out.
        share: Above 0, up to 1.

    Raises:
        InputError: as for ``breakpoints``, or no such share.
    """
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
        raise InputError("is no share; give one above 0 and up to 1", field="share")
    known = _sorted(values)
    found: N = known[ceil(Fraction(repr(share)) * len(known)) - 1]  # 0.7 of ten are seven
    return found


def ntile(values: Mapping[K, N], parts: int) -> dict[K, int]:
    """Deal everybody out into parts of one size, by value; of equal values the smaller key comes first.

    The first parts get one more where it does not come out even, as with SQL's ``NTILE``. Equal values may
    part here, which is why ``breakpoints`` is the better choice; write the result as an attribute to ask
    about it.

    >>> ntile({"ann": 5, "bob": 5, "cem": 9}, 2)
    {'ann': 1, 'bob': 1, 'cem': 2}

    Args:
        values: By customer id or another key that can be sorted: the declared tie-break.
        parts: How many.

    Raises:
        InputError: no positive number of parts, or values or keys that cannot be compared.
    """
    if isinstance(parts, bool) or not isinstance(parts, int) or parts < 1:
        raise InputError("is no number of parts; give 1 or more", field="parts")
    if not values:
        return {}
    _sorted(values.values())
    try:
        ordered = sorted(values, key=lambda key: (values[key], key))
    except TypeError:
        raise InputError("has keys that cannot be compared; give customer ids", field="values") from None
    size, larger = divmod(len(ordered), parts)
    places = [part for part in range(1, parts + 1) for _ in range(size + (part <= larger))]
    return dict(zip(ordered, places, strict=True))


def _sorted(values: Iterable[object]) -> list[Any]:
    known: list[Any] = [value for value in values if value is not None and value == value]  # noqa: PLR0124 - NaN is missing
    for value in known:
        if isinstance(value, bool) or not isinstance(value, int | float | Money | timedelta):
            raise InputError(f"has {type(value).__name__}; give numbers, Money or spans", field="values")
    if not known:
        raise InputError("has no value to compare with; give everybody's", field="values")
    try:
        return sorted(known)
    except (TypeError, InputError):
        raise InputError(
            "are of different kinds; give numbers, or Money of one currency", field="values"
        ) from None
