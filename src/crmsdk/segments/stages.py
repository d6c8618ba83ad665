"""Stages: one of several names for everybody at every moment, as new, active, sleeping, VIP.

The function is total and disjoint by construction: stages are asked in their order, the first that holds is
the answer, and where none holds ``otherwise`` is.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.model.codec import definition
from crmsdk.model.facts import Facts
from crmsdk.segments.compiling import compile_condition
from crmsdk.segments.grammar import Always, Not, Predicate, Segment

__all__ = ["Stage", "StageAnswer", "Stages", "stage_of"]


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


@definition("stages")
@attrs.frozen
class Stages:
    """A named function from customer and moment to a stage.

    Attributes:
        name: Stable, unique among the stage functions of an application.
        stages: In the order they are asked; a mapping of name to predicate is taken too.
        otherwise: The stage of everybody else.
        audience: The declared audience it is for; empty for all.
    """

    name: str
    stages: tuple[Stage, ...] = attrs.field(converter=_stages)
    otherwise: str = attrs.field(kw_only=True)
    audience: str = attrs.field(default="", kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Refuse no stages, an empty name, and one name for two stages."""
        if not self.stages:
            raise DefinitionError("give one stage or more", path="stages")
        if not self.name or not self.otherwise:
            raise DefinitionError("stages need a name, and a name for everybody else", path="otherwise")
        if len(set(self.names)) < len(self.names):
            raise DefinitionError("two stages have one name; every stage needs its own", path="stages")

    @property
    def names(self) -> tuple[str, ...]:
        """The name of every stage, in order; ``otherwise`` comes last."""
        return (*(stage.name for stage in self.stages), self.otherwise)

    def segment(self, name: str) -> Segment:
        """Give one stage as a segment: its predicate, and none of those before it.

        Raises:
            DefinitionError: there is no such stage.
        """
        if name not in self.names:
            raise DefinitionError(f"{self.name!r} has no stage {name!r}; there are {', '.join(self.names)}")
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
