"""A journey: what starts it, its steps, and the rules that end it. Pure data with a content hash."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal

import attrs
from attrs.validators import optional

from crmsdk.errors import DefinitionError
from crmsdk.journeys._fields import a_span, one_of, whole_number
from crmsdk.journeys.steps import Step, steps_of
from crmsdk.journeys.triggers import DAY, Trigger
from crmsdk.model.codec import definition
from crmsdk.model.message import MessageKind, kind_of
from crmsdk.segments.grammar import Condition

__all__ = ["Entry", "Holdout", "Journey", "after_exit", "each_time", "once"]

_ZERO = timedelta(0)


@definition("entry")
@attrs.frozen
class Entry:
    """When a customer may enter again.

    Where the trigger declares a key, only runs of the same key are compared: one cart does not bar another.

    Attributes:
        again: ``never``; ``after_exit``: while no such run is going on; ``always``: every time.
        cooldown: And not sooner than this after the last such entry.
    """

    again: Literal["never", "after_exit", "always"] = attrs.field(
        default="after_exit", validator=one_of("never", "after_exit", "always")
    )
    cooldown: timedelta = attrs.field(default=_ZERO, validator=a_span)


def once(per: timedelta | None = None) -> Entry:
    """Enter once in a life, or once per span and never twice at a time."""
    return Entry("never") if per is None else Entry("after_exit", per)


def after_exit() -> Entry:
    """Enter again when the last run has ended (the default)."""
    return Entry("after_exit")


def each_time() -> Entry:
    """Enter at every trigger, also while another run goes on."""
    return Entry("always")


@definition("holdout")
@attrs.frozen
class Holdout:
    """A share of people who walk the journey but get nothing, so that its effect can be measured.

    Attributes:
        share: 0 to 1.
        experiment: The id the hash is salted with; empty takes the journey's name.
    """

    share: float
    experiment: str = ""

    def __attrs_post_init__(self) -> None:
        """Refuse a share outside 0 to 1."""
        if not 0 <= self.share <= 1:
            raise DefinitionError("a share lies between 0 and 1; 10 % is 0.1", path="share")


def _triggers(value: Trigger | Sequence[Trigger]) -> tuple[Trigger, ...]:
    given = (value,) if isinstance(value, Trigger) or not isinstance(value, list | tuple) else value
    for trigger in given:
        if not isinstance(trigger, Trigger):
            raise DefinitionError(
                f"{type(trigger).__name__} is no trigger; give on('event'), enters(segment) …", path="enter"
            )
    return tuple(given)


def _steps(value: Sequence[Step]) -> tuple[Step, ...]:
    return steps_of(value, "steps")


def _holdout(value: float | Holdout | None) -> Holdout | None:
    if value is None or isinstance(value, Holdout):
        return value
    if not isinstance(value, int | float):
        raise DefinitionError(f"is {type(value).__name__}; give a share as 0.1", path="holdout")
    return Holdout(value)


def _entry(_: object, field: "attrs.Attribute[Any]", value: object) -> None:
    if not isinstance(value, Entry):
        raise DefinitionError(
            f"is {type(value).__name__}; give once(), after_exit() or each_time()", path=field.name
        )


@definition("journey")
@attrs.frozen
class Journey:
    """One journey, immutable; another version is another value with another hash.

    Attributes:
        name: Stable, unique among the journeys of an application.
        enter: What starts a run; one trigger or several.
        steps: The graph, nested.
        kind: Kind of its messages where a step does not say otherwise.
        goal: What it is for; measured during the run and after it. A run ends when it is reached.
        exit: Ends the run at once, also during waits.
        entry: When a customer may enter again.
        purpose: Of its messages, for consent and policy; empty takes the kind.
        sender, campaign, priority: Of its messages where a step does not say otherwise.
        expires: How long its messages stay worth sending.
        lifetime: The run ends after this, wherever it is; None for no limit.
        holdout: Share of people who get nothing.
        overdue: What to do with a send that comes due later than ``max_lateness`` (after an outage): send
            it all the same, skip it, or wait anew.
        max_lateness: What counts as late.
        audience: The declared audience it is for; empty for all.
        owner, kpi: Who answers for it, and the figure it serves.
    """

    name: str
    enter: tuple[Trigger, ...] = attrs.field(converter=_triggers)
    steps: tuple[Step, ...] = attrs.field(converter=_steps)
    kind: MessageKind = attrs.field(kw_only=True, converter=kind_of)
    goal: Condition | None = attrs.field(default=None, kw_only=True)
    exit: Condition | None = attrs.field(default=None, kw_only=True)
    entry: Entry = attrs.field(default=Entry(), kw_only=True, validator=_entry)
    purpose: str = attrs.field(default="", kw_only=True)
    sender: str = attrs.field(default="", kw_only=True)
    campaign: str = attrs.field(default="", kw_only=True)
    priority: int = attrs.field(default=50, kw_only=True, validator=whole_number)
    expires: timedelta = attrs.field(default=DAY, kw_only=True, validator=a_span)
    lifetime: timedelta | None = attrs.field(default=None, kw_only=True, validator=optional(a_span))
    holdout: Holdout | None = attrs.field(default=None, kw_only=True, converter=_holdout)
    overdue: Literal["send", "skip", "reschedule"] = attrs.field(
        default="send", kw_only=True, validator=one_of("send", "skip", "reschedule")
    )
    max_lateness: timedelta = attrs.field(default=DAY, kw_only=True, validator=a_span)
    audience: str = attrs.field(default="", kw_only=True)
    owner: str = attrs.field(default="", kw_only=True)
    kpi: str = attrs.field(default="", kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Refuse what no check needs more than this value to see."""
        if not isinstance(self.name, str) or not self.name:
            raise DefinitionError("a journey needs a name", path="name")
        if not self.enter:
            raise DefinitionError("a journey needs a trigger; give enter=on('event')", path="enter")
        if not 0 <= self.priority <= 100:
            raise DefinitionError("priority lies between 0 and 100", path="priority")
        for field in ("goal", "exit"):
            asked = getattr(self, field)
            if asked is not None and not isinstance(asked, Condition):
                raise DefinitionError(
                    f"is {type(asked).__name__}; give a condition as did('purchase').since_entry()",
                    path=field,
                )
        for field in ("expires", "lifetime"):
            span = getattr(self, field)
            if span is not None and span <= _ZERO:
                raise DefinitionError("is not positive; give a span as timedelta(days=1)", path=field)
