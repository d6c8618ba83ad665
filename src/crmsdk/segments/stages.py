"""Stages: one of several names for everybody at every moment, as new, active, sleeping, VIP.

The function is total and disjoint by construction: stages are asked in their order, the first that holds is
the answer, and where none holds ``otherwise`` is. An audience's own lifecycle may declare which stage may
follow which, as churned, then returned; what does not follow is told, or refused.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

import attrs

from crmsdk.errors import DefinitionError, IllegalTransition
from crmsdk.model.codec import definition
from crmsdk.model.facts import Facts
from crmsdk.model.moment import to_moment
from crmsdk.segments.compiling import compile_condition
from crmsdk.segments.grammar import Always, Not, Predicate, Segment

__all__ = [
    "Stage",
    "StageAnswer",
    "StageChange",
    "Stages",
    "Transition",
    "next_stage",
    "stage_changes",
    "stage_of",
]


@definition("stage")
@attrs.frozen
class Stage:
    """One stage: a name, and who is in it if in no earlier one."""

    name: str
    predicate: Predicate

    def __attrs_post_init__(self) -> None:
        """Refuse a stage without a name, or without a predicate."""
        if not isinstance(self.name, str) or not self.name:
            raise DefinitionError("a stage needs a name", path="name")
        if not isinstance(self.predicate, Predicate):
            raise DefinitionError(
                f"a stage is {type(self.predicate).__name__}; give a predicate", path=self.name
            )


def _stages(value: Mapping[str, Predicate] | Iterable[Stage]) -> tuple[Stage, ...]:
    if isinstance(value, Mapping):
        return tuple(Stage(name, predicate) for name, predicate in value.items())
    return tuple(value)


@definition("transition")
@attrs.frozen
class Transition:
    """A stage that may directly follow another."""

    before: str
    after: str


def _transitions(value: Mapping[str, Iterable[str]] | Iterable[Transition]) -> tuple[Transition, ...]:
    if not isinstance(value, Mapping):
        return tuple(value)
    for before, names in value.items():
        if isinstance(names, str):
            raise DefinitionError(
                "is one text; give the stages that may follow as a list", path=f"transitions.{before}"
            )
    return tuple(Transition(before, after) for before, names in value.items() for after in names)


@definition("stages")
@attrs.frozen
class Stages:
    """A named function from customer and moment to a stage.

    Attributes:
        name: Stable, unique among the stage functions of an application.
        stages: In the order they are asked; a mapping of name to predicate is taken too.
        otherwise: The stage of everybody else.
        audience: The declared audience it is for; empty for all.
        transitions: Which stages may directly follow which; a mapping of a name to several is taken too.
            Empty for any. A stage may always stay; one that is followed by none is never left.
    """

    name: str
    stages: tuple[Stage, ...] = attrs.field(converter=_stages)
    otherwise: str = attrs.field(kw_only=True)
    audience: str = attrs.field(default="", kw_only=True)
    transitions: tuple[Transition, ...] = attrs.field(default=(), converter=_transitions, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Refuse no stages, an empty name, and one name for two stages."""
        if not self.stages:
            raise DefinitionError("give one stage or more", path="stages")
        if not self.name or not self.otherwise:
            raise DefinitionError("stages need a name, and a name for everybody else", path="otherwise")
        if len(set(self.names)) < len(self.names):
            raise DefinitionError("two stages have one name; every stage needs its own", path="stages")
        for move in self.transitions:
            for name in (move.before, move.after):
                if name not in self.names:
                    raise DefinitionError(
                        f"there is no stage {name!r}; there are {', '.join(self.names)}", path="transitions"
                    )
            if move.before == move.after:
                raise DefinitionError(
                    f"{move.before!r} follows itself; a stage may always stay, leave it out",
                    path="transitions",
                )
        known = {name: place for place, name in enumerate(self.names)}
        ordered = sorted(set(self.transitions), key=lambda move: (known[move.before], known[move.after]))
        object.__setattr__(self, "transitions", tuple(ordered))  # one definition, however it was listed

    def after(self, name: str) -> tuple[str, ...]:
        """Give the stages that may directly follow one, in their order.

        Raises:
            DefinitionError: there is no such stage.
        """
        self._known(name)
        if not self.transitions:
            return tuple(other for other in self.names if other != name)
        return tuple(move.after for move in self.transitions if move.before == name)

    def allows(self, before: str, after: str) -> bool:
        """Say whether a person may go from one stage to the other, or stay.

        Raises:
            DefinitionError: there is no such stage.
        """
        self._known(after)
        return after in self.after(before) or before == after

    def _known(self, name: str) -> None:
        if name not in self.names:
            raise DefinitionError(f"{self.name!r} has no stage {name!r}; there are {', '.join(self.names)}")

    @property
    def names(self) -> tuple[str, ...]:
        """The name of every stage, in order; ``otherwise`` comes last."""
        return (*(stage.name for stage in self.stages), self.otherwise)

    def segment(self, name: str) -> Segment:
        """Give one stage as a segment: its predicate, and none of those before it.

        Raises:
            DefinitionError: there is no such stage.
        """
        self._known(name)
        place = self.names.index(name)
        predicate = self.stages[place].predicate if place < len(self.stages) else Always()
        for stage in reversed(self.stages[:place]):
            predicate = Not(stage.predicate) & predicate
        return Segment(f"{self.name}: {name}", predicate, self.audience)


class StageAnswer(NamedTuple):
    """The stage of a customer at a moment.

    Attributes:
        name: The stage.
        until: The earliest moment at which that may change with no new fact, UTC; None for never.
    """

    name: str
    until: datetime | None


def stage_of(stages: Stages, facts: Facts, now: datetime, *, zone: str = "UTC") -> StageAnswer:
    """Find the stage of a customer: the first that holds; arguments as of ``evaluate``.

    Raises:
        NaiveMoment: ``now`` has no zone.
    """
    until: datetime | None = None
    for stage in stages.stages:
        matched, change = compile_condition(stage.predicate)(facts, now, zone=zone)
        if change is not None and (until is None or change < until):
            until = change
        if matched:
            return StageAnswer(stage.name, until)
    return StageAnswer(stages.otherwise, until)


def next_stage(stages: Stages, facts: Facts, now: datetime, *, was: str, zone: str = "UTC") -> StageAnswer:
    """Find the stage of a customer who was in another one, and refuse what is not declared to follow it.

    Args:
        stages, facts, now, zone: As of ``stage_of``.
        was: The stage recorded before.

    Raises:
        IllegalTransition: the stage found may not directly follow the one before.
        DefinitionError: there is no stage ``was``.
        NaiveMoment: ``now`` has no zone.
    """
    found = stage_of(stages, facts, now, zone=zone)
    if not stages.allows(was, found.name):
        raise IllegalTransition(stages.name, was, found.name, stages.after(was))
    return found


class StageChange(NamedTuple):
    """A customer came from one stage to another.

    Attributes:
        at: When exactly, UTC.
        before, after: The stages.
        allowed: Whether that is declared.
    """

    at: datetime
    before: str
    after: str
    allowed: bool


def stage_changes(
    stages: Stages, facts: Facts, start: datetime, end: datetime, *, zone: str = "UTC"
) -> Iterator[StageChange]:
    """Follow a customer through the stages after ``start`` up to ``end``, each change at its exact moment.

    The facts known today are asked as of every moment: one that came late counts from its own moment on.

    Args:
        stages, facts, zone: As of ``stage_of``.
        start, end: Aware; what changes at ``start`` itself is not told, what does at ``end`` is.

    Raises:
        NaiveMoment: a moment has no zone.
    """
    at, end = to_moment(start, "start"), to_moment(end, "end")
    before = stage_of(stages, facts, at, zone=zone)
    while before.until is not None and before.until <= end:
        at = before.until
        found = stage_of(stages, facts, at, zone=zone)
        if found.name != before.name:
            yield StageChange(at, before.name, found.name, stages.allows(before.name, found.name))
        before = found
