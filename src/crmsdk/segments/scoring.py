"""Lead scores: points added up, in the open.

    lead = score(
        points(20, per=did("demo_requested"), half_life=timedelta(days=30)),
        points(3, per=did("visit").within(timedelta(days=14))),
        points(-30, when=attr("role") == "student"),
    )
    hot = segment("hot", lead >= 50)

Points of an event are halved at each full half-life since it happened, and are nothing after twenty. So a
score is an exact number that changes at known moments, the same one in every executor.
"""

from datetime import timedelta
from typing import cast

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.model.codec import definition
from crmsdk.model.comparison import Op
from crmsdk.model.values import Value
from crmsdk.segments.asking import Comparable
from crmsdk.segments.conditions import Predicate, predicate_of
from crmsdk.segments.occurrences import Occurrences
from crmsdk.segments.windows import as_span

__all__ = ["HALVINGS", "UNIT", "Points", "Score"]

HALVINGS = 20
"""How many half-lives points last."""

UNIT = 2**HALVINGS
"""Into how many parts a point is divided, so that halves stay whole numbers."""

_MOST = 1_000_000
_COMPARING = frozenset({Op.EQ, Op.LT, Op.LE, Op.GT, Op.GE, Op.BETWEEN})


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise DefinitionError(f"points are {type(value).__name__}; give a whole number", path="points")
    if not value or abs(value) > _MOST:
        raise DefinitionError(f"points are zero, or above {_MOST}; give a smaller number", path="points")
    return value


@definition("points")
@attrs.frozen
class Points:
    """What one thing adds to a score: something for each of some events, or once where a predicate holds.

    Attributes:
        points: How many; below zero they are taken away.
        per: Of each of these events; None where ``when`` says it.
        when: Once, while it holds; None where ``per`` says it.
        half_life: The time in which points of an event are halved, stepwise; None where they stay.
    """

    points: int = attrs.field(converter=_number)
    per: Occurrences | None = attrs.field(default=None, kw_only=True)
    when: Predicate | None = attrs.field(
        default=None, kw_only=True, converter=attrs.converters.optional(predicate_of)
    )
    half_life: timedelta | None = attrs.field(
        default=None, kw_only=True, converter=attrs.converters.optional(as_span)
    )

    def __attrs_post_init__(self) -> None:
        """Refuse points of nothing, of two things, and predicates that fade."""
        if (self.per is None) == (self.when is None):
            raise DefinitionError(
                "points are for one thing; give per=did(...), or when=a predicate", path="per"
            )
        if self.when is not None and self.half_life is not None:
            raise DefinitionError("only points of events fade; leave half_life out", path="half_life")


def _parts(value: object) -> tuple[Points, ...]:
    parts = tuple(value) if isinstance(value, tuple | list) else (value,)
    for part in parts:
        if not isinstance(part, Points):
            raise DefinitionError(f"{type(part).__name__} gives no points; write points(3, per=did('visit'))")
    if not parts:
        raise DefinitionError("a score of nothing is always zero; give points(...)", path="parts")
    return parts


@definition("score")
@attrs.frozen
class Score(Predicate):
    """Compare the sum of points with a whole number; of nothing it is zero."""

    parts: tuple[Points, ...] = attrs.field(converter=_parts)
    op: Op = attrs.field(converter=Op)
    operand: Value

    def __attrs_post_init__(self) -> None:
        """Refuse what is no comparison of numbers."""
        if self.op not in _COMPARING:
            raise DefinitionError(
                f"a score cannot be asked {self.op}; use == < <= > >= or between", path="op"
            )
        bounds = (
            self.operand if self.op is Op.BETWEEN and isinstance(self.operand, tuple) else (self.operand,)
        )
        if len(bounds) != 1 + (self.op is Op.BETWEEN) or not all(type(bound) is int for bound in bounds):
            raise DefinitionError("a score is compared with whole numbers; give one as >= 50", path="operand")
        if self.op is Op.BETWEEN and cast("int", bounds[0]) > cast("int", bounds[-1]):
            raise DefinitionError("the bounds are reversed; give the smaller number first", path="operand")


def comparable(parts: tuple[Points, ...]) -> Comparable[Predicate]:
    """Give a score to be compared."""
    _parts(parts)

    def ask(op: Op, operand: object, negated: bool) -> Predicate:  # noqa: FBT001 - the builder's callback
        asked = Score(parts, op, cast("Value", operand))
        return ~asked if negated else asked

    return Comparable(ask)
