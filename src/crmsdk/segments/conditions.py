"""The root of all conditions and how they join: and, or, not, a segment inside a segment.

Two branches: a ``Predicate`` asks about a customer at a moment; a ``RunPredicate`` asks about a customer in
one run of a journey. Joining any with a ``RunPredicate`` gives a ``RunPredicate``; a segment takes only
predicates. Nodes hold data only, so that every executor reads the same tree.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NoReturn, overload

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.model.codec import definition

__all__ = [
    "Always",
    "And",
    "Condition",
    "Not",
    "Or",
    "Predicate",
    "RunAnd",
    "RunNot",
    "RunOr",
    "RunPredicate",
    "Segment",
    "leaves",
    "predicate_of",
]


@attrs.frozen
class Condition:
    """The root of everything that holds or does not."""

    def __bool__(self) -> NoReturn:
        """Refuse ``and``, ``or``, ``not`` and chained comparisons: they would drop half of what is written.

        Raises:
            DefinitionError: always.
        """
        raise DefinitionError(
            "a condition is a definition, neither true nor false here; join with & | ~ in place of "
            "and, or, not; put brackets around comparisons; for a range use between(low, high)"
        )


@attrs.frozen
class Predicate(Condition):
    """A question about a customer at a moment; answered by facts and ``now`` alone."""

    @overload
    def __and__(self, other: "Predicate") -> "Predicate": ...
    @overload
    def __and__(self, other: "RunPredicate") -> "RunPredicate": ...
    def __and__(self, other: Condition) -> Condition:
        """Hold where both hold."""
        if isinstance(other, RunPredicate):
            return RunAnd(_flat((self, other), And, RunAnd))
        return And(_flat((self, other), And)) if isinstance(other, Predicate) else NotImplemented

    @overload
    def __or__(self, other: "Predicate") -> "Predicate": ...
    @overload
    def __or__(self, other: "RunPredicate") -> "RunPredicate": ...
    def __or__(self, other: Condition) -> Condition:
        """Hold where either holds."""
        if isinstance(other, RunPredicate):
            return RunOr(_flat((self, other), Or, RunOr))
        return Or(_flat((self, other), Or)) if isinstance(other, Predicate) else NotImplemented

    def __invert__(self) -> "Predicate":
        """Hold exactly where this does not: the complement, missing values included."""
        return self.part if isinstance(self, Not) else Not(self)


@attrs.frozen
class RunPredicate(Condition):
    """A question about a customer in one run: it also needs the run's entry."""

    def __and__(self, other: Condition) -> "RunPredicate":
        """Hold where both hold."""
        return RunAnd(_flat((self, other), And, RunAnd)) if isinstance(other, Condition) else NotImplemented

    def __or__(self, other: Condition) -> "RunPredicate":
        """Hold where either holds."""
        return RunOr(_flat((self, other), Or, RunOr)) if isinstance(other, Condition) else NotImplemented

    def __invert__(self) -> "RunPredicate":
        """Hold exactly where this does not."""
        return self.part if isinstance(self, RunNot) else RunNot(self)


_MEND = "finish it as attr('city') == 'Moscow' or did('purchase').at_least(2)"


def predicate_of(value: object) -> Predicate:
    """Give a predicate back as it is.

    Raises:
        DefinitionError: it is a condition about a run, or none at all.
    """
    if isinstance(value, Predicate):
        return value
    if isinstance(value, RunPredicate):
        raise DefinitionError(
            "a condition about a run (since_entry) has no meaning here; use it as goal, exit, or in a "
            "journey's step, and ask did(...).within(span) of a customer"
        )
    raise DefinitionError(f"{type(value).__name__} is no condition; {_MEND}")


def _predicates(value: Iterable[Predicate]) -> tuple[Predicate, ...]:
    parts = tuple(predicate_of(part) for part in value)
    _refuse_fewer_than_two(parts)
    return parts


def _conditions(value: Iterable[Condition]) -> tuple[Condition, ...]:
    parts = tuple(value)
    for part in parts:
        if not isinstance(part, Condition):
            raise DefinitionError(f"{type(part).__name__} is no condition; {_MEND}", path="parts")
    _refuse_fewer_than_two(parts)
    if not any(isinstance(part, RunPredicate) for part in parts):
        raise DefinitionError(
            "no part is about a run; join them as 'and' or 'or' of a customer", path="parts"
        )
    return parts


def _refuse_fewer_than_two(parts: tuple[Condition, ...]) -> None:
    if len(parts) < 2:
        raise DefinitionError("give two conditions or more to join", path="parts")


def _flat(parts: tuple[Condition, ...], *kinds: type[Condition]) -> tuple[Any, ...]:
    # (a & b) & c and a & (b & c) are one definition with one hash.
    return tuple(
        inner
        for part in parts
        for inner in (
            part.parts if isinstance(part, And | Or | RunAnd | RunOr) and isinstance(part, kinds) else (part,)
        )
    )


@definition("always")
@attrs.frozen
class Always(Predicate):
    """Hold for everyone, or for nobody."""

    holds: bool = True


@definition("not")
@attrs.frozen
class Not(Predicate):
    """Hold exactly where the part does not."""

    part: Predicate = attrs.field(converter=predicate_of)


@definition("and")
@attrs.frozen
class And(Predicate):
    """Hold where every part holds."""

    parts: tuple[Predicate, ...] = attrs.field(converter=_predicates)


@definition("or")
@attrs.frozen
class Or(Predicate):
    """Hold where any part holds."""

    parts: tuple[Predicate, ...] = attrs.field(converter=_predicates)


@definition("segment")
@attrs.frozen
class Segment(Predicate):
    """A named predicate; inside another one it is held whole, so a circle cannot be written.

    Attributes:
        name: Stable, unique among the segments of an application.
        predicate: Who belongs to it.
        audience: The declared audience it is for; empty for all.
    """

    name: str
    predicate: Predicate = attrs.field(converter=predicate_of)
    audience: str = ""

    def __attrs_post_init__(self) -> None:
        """Refuse a segment without a name."""
        if not isinstance(self.name, str) or not self.name:
            raise DefinitionError("a segment needs a name", path="name")


@definition("run-not")
@attrs.frozen
class RunNot(RunPredicate):
    """Hold exactly where the part does not."""

    part: RunPredicate


@definition("run-and")
@attrs.frozen
class RunAnd(RunPredicate):
    """Hold where every part holds; at least one of them is about the run."""

    parts: tuple[Condition, ...] = attrs.field(converter=_conditions)


@definition("run-or")
@attrs.frozen
class RunOr(RunPredicate):
    """Hold where any part holds; at least one of them is about the run."""

    parts: tuple[Condition, ...] = attrs.field(converter=_conditions)


def leaves(condition: Condition) -> Iterator[Condition]:
    """Give the questions a condition is joined from, in the order they stand."""
    match condition:
        case And() | Or() | RunAnd() | RunOr():
            for part in condition.parts:
                yield from leaves(part)
        case Not() | RunNot():
            yield from leaves(condition.part)
        case Segment():
            yield from leaves(condition.predicate)
        case _:
            yield condition
