"""The steps a run may take: a closed set of values, nested as the journey reads.

A step's key is stable: message ids, statistics and migrations refer to it. A key that is not given is made
from the place of the step, so give one wherever a journey may be edited later.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Literal, TypeAlias

import attrs
from attrs.validators import optional

from crmsdk.errors import DefinitionError
from crmsdk.journeys._fields import a_name, a_number, a_span, clock_time, dated_name, one_of, whole_number
from crmsdk.journeys.triggers import NamedProperty
from crmsdk.model.codec import definition
from crmsdk.model.customer import is_reserved
from crmsdk.model.message import MessageKind, kind_of
from crmsdk.model.moment import to_moment
from crmsdk.model.values import EMPTY, Properties, Value, normal, properties
from crmsdk.segments.grammar import Condition

__all__ = [
    "AnyStep",
    "Arm",
    "Branch",
    "Emit",
    "Exit",
    "HandOver",
    "Send",
    "Split",
    "Step",
    "UntilDate",
    "UntilLocal",
    "Update",
    "Wait",
    "WaitFor",
    "When",
    "date_of",
    "local_time",
    "steps_of",
]

_ZERO = timedelta(0)
_WEEKDAYS: Mapping[str, frozenset[int]] = {
    "every day": frozenset(range(7)),
    "weekdays": frozenset(range(5)),
    "weekend": frozenset({5, 6}),
    **{name: frozenset({day}) for day, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))},
}


@attrs.frozen(kw_only=True)
class Step:
    """The root of all steps.

    Attributes:
        key: Stable name within the journey; empty to take the place, as ``2.then.0``.
    """

    key: str = ""


def steps_of(value: Sequence[Step], path: str = "") -> tuple[Step, ...]:
    """Take a list of steps.

    Raises:
        DefinitionError: it is none, or holds something else.
    """
    if isinstance(value, Step):
        raise DefinitionError(f"{type(value).__name__} stands alone; put it into a list", path=path)
    if not isinstance(value, list | tuple):
        raise DefinitionError(f"is {type(value).__name__}; give a list of steps", path=path)
    for step in value:
        if not isinstance(step, Step):
            raise DefinitionError(f"{type(step).__name__} is no step; give Send, Wait, Branch …", path=path)
    return tuple(value)


def _steps(value: Sequence[Step]) -> tuple[Step, ...]:
    if isinstance(value, Condition):
        raise DefinitionError(
            "is a condition, which goes first; give When(condition, [Send(...)])", path="steps"
        )
    return steps_of(value, "steps")


def _then(value: Sequence[Step]) -> tuple[Step, ...]:
    return steps_of(value, "then")


def _otherwise(value: Sequence[Step]) -> tuple[Step, ...]:
    return steps_of(value, "otherwise")


def _done(value: Sequence[Step]) -> tuple[Step, ...]:
    return steps_of(value, "done")


def _overdue(value: Sequence[Step]) -> tuple[Step, ...]:
    return steps_of(value, "overdue")


def _need_condition(value: object) -> None:
    if not isinstance(value, Condition):
        raise DefinitionError(
            f"is {type(value).__name__}; give a condition as did('purchase').since_entry()", path="condition"
        )


def _channels(value: str | Sequence[str]) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise DefinitionError("names no channel; give via='email', or several in order", path="via")
    return tuple(names)


@definition("send")
@attrs.frozen
class Send(Step):
    """Ask for one message; the run stays here until it is handed over or finally refused.

    Attributes:
        template: Name of the content.
        via: Channel, or channels in order of preference; the first one the policy allows carries it.
        kind, purpose, sender, topic, campaign, priority: What the policy rules by; None takes the journey's.
        expires: How long the message stays worth sending; None takes the journey's.
        on_refusal: When it can never be sent: go on (``skip``) or end the run (``exit``).
        values: Further values for the template.
    """

    template: str
    via: tuple[str, ...] = attrs.field(converter=_channels)
    kind: MessageKind | None = attrs.field(
        default=None, kw_only=True, converter=attrs.converters.optional(kind_of)
    )
    purpose: str | None = attrs.field(default=None, kw_only=True)
    sender: str | None = attrs.field(default=None, kw_only=True)
    topic: str = attrs.field(default="", kw_only=True)
    campaign: str | None = attrs.field(default=None, kw_only=True)
    priority: int | None = attrs.field(default=None, kw_only=True, validator=optional(whole_number))
    expires: timedelta | None = attrs.field(default=None, kw_only=True, validator=optional(a_span))
    on_refusal: Literal["skip", "exit"] = attrs.field(
        default="skip", kw_only=True, validator=one_of("skip", "exit")
    )
    values: Properties = attrs.field(default=EMPTY, kw_only=True, converter=properties, hash=False)

    def __attrs_post_init__(self) -> None:
        """Refuse a message without content or channel."""
        if not self.template:
            raise DefinitionError("a message needs the name of its template", path="template")
        if not self.via or not all(self.via):
            raise DefinitionError("a message needs a channel; give via='email'", path="via")


@definition("local-time")
@attrs.frozen
class UntilLocal:
    """The next time the person's clock shows a time, on allowed weekdays (0 is Monday); later than now."""

    at: time
    weekdays: frozenset[int] = frozenset(range(7))

    def __attrs_post_init__(self) -> None:
        """Refuse a zoned time of day and an empty set of days."""
        if self.at.tzinfo is not None:
            raise DefinitionError("the time of day is local to each person; leave its zone away", path="at")
        if not self.weekdays or not self.weekdays <= set(range(7)):
            raise DefinitionError("weekdays are numbers 0 (Monday) to 6, at least one", path="weekdays")


@definition("date-of")
@attrs.frozen
class UntilDate:
    """A date or moment held in an attribute, moved by an offset; the wait follows it when it moves.

    Attributes:
        attribute: Holds a date (then ``at`` tells the local time) or a moment (then the offset is exact).
        offset: Before it when negative; whole days where the attribute is a date.
        at: Local time of day, for dates.
    """

    attribute: str
    offset: timedelta = attrs.field(default=_ZERO, validator=a_span)
    at: time = time(9)

    def __attrs_post_init__(self) -> None:
        """Refuse a time of day with a zone: it is local to each person."""
        if self.at.tzinfo is not None:
            raise DefinitionError("the time of day is local to each person; leave its zone away", path="at")


@definition("wait")
@attrs.frozen
class Wait(Step):
    """Wait for a span, until a local time, until a date attribute, or until a fixed moment.

    A span is absolute: one day is 24 hours. A local time that is skipped happens at the first real instant
    after the gap; a repeated one at its first occurrence.

    Attributes:
        until: What to wait for.
        past: What to do when a date is already past, or missing: go on, or end the run.
    """

    until: timedelta | datetime | UntilLocal | UntilDate
    past: Literal["continue", "exit"] = attrs.field(
        default="continue", kw_only=True, validator=one_of("continue", "exit")
    )

    def __attrs_post_init__(self) -> None:
        """Refuse what names no moment, a span that is not positive, and a naive moment."""
        if not isinstance(self.until, timedelta | datetime | UntilLocal | UntilDate):
            raise DefinitionError(
                f"is {type(self.until).__name__}; give timedelta(days=1), local_time('10:00'), "
                "date_of('attribute') or a moment",
                path="until",
            )
        if isinstance(self.until, timedelta) and self.until <= _ZERO:
            raise DefinitionError("a wait needs a positive span", path="until")
        if isinstance(self.until, datetime):
            to_moment(self.until, "until")


@definition("wait-for")
@attrs.frozen
class WaitFor(Step):
    """Wait until a condition holds, at most for a span; each end may have its own steps.

    Exactly one of the two happens. An event dated at the deadline still counts.

    Attributes:
        condition: Asked again at every fact, and when time alone may have changed it.
        timeout: How long at most.
        then: Steps when it came to hold.
        otherwise: Steps when the time ran out.
        grace: How long after the deadline late events are still awaited.
    """

    condition: Condition
    timeout: timedelta = attrs.field(kw_only=True, validator=a_span)
    then: tuple[Step, ...] = attrs.field(default=(), kw_only=True, converter=_then)
    otherwise: tuple[Step, ...] = attrs.field(default=(), kw_only=True, converter=_otherwise)
    grace: timedelta = attrs.field(default=_ZERO, kw_only=True, validator=a_span)

    def __attrs_post_init__(self) -> None:
        """Refuse what is no condition, and a wait that could not end."""
        _need_condition(self.condition)
        if self.timeout <= _ZERO:
            raise DefinitionError("a wait needs a positive timeout, or it might never end", path="timeout")
        if self.grace < _ZERO:
            raise DefinitionError("a grace is zero or positive", path="grace")


@definition("when")
@attrs.frozen
class When:
    """One arm of a branch: a condition and the steps to take if it holds."""

    condition: Condition
    steps: tuple[Step, ...] = attrs.field(converter=_steps)

    def __attrs_post_init__(self) -> None:
        """Refuse what is no condition."""
        _need_condition(self.condition)


@definition("branch")
@attrs.frozen(init=False)
class Branch(Step):
    """Take the first arm whose condition holds; otherwise the other steps.

    >>> from crmsdk.segments.words import attr
    >>> Branch(When(attr("vip") == True, [Exit()]), otherwise=[]).arms[0].steps[0].reason
    'exit'
    """

    arms: tuple[When, ...] = ()
    otherwise: tuple[Step, ...] = attrs.field(default=(), kw_only=True, converter=_otherwise)

    def __init__(self, *arms: When, otherwise: Sequence[Step] = (), key: str = "") -> None:
        """Make a branch.

        Args:
            arms: In order; the first that holds wins.
            otherwise: Steps when none holds.
            key: Stable name within the journey.
        """
        self.__attrs_init__(arms=tuple(arms), otherwise=otherwise, key=key)

    def __attrs_post_init__(self) -> None:
        """Refuse a branch without arms."""
        if not self.arms or not all(isinstance(arm, When) for arm in self.arms):
            raise DefinitionError("a branch needs at least one When(condition, [steps])", path="arms")


@definition("arm")
@attrs.frozen
class Arm:
    """One arm of a split: its name, weight and steps."""

    name: str = attrs.field(validator=a_name)
    weight: float = attrs.field(validator=a_number)
    steps: tuple[Step, ...] = attrs.field(default=(), converter=_steps)


@definition("split")
@attrs.frozen(init=False)
class Split(Step):
    """Send each person down one arm, by a salted hash: sticky, and growing an arm moves only what it needs.

    An arm without steps is a holdout at this step.

    Attributes:
        experiment: The id the hash is salted with; keep it when anything else is renamed.
        arms: At least two, names unique, weights not all zero; they need not sum to anything.
    """

    experiment: str
    arms: tuple[Arm, ...] = ()

    def __init__(self, experiment: str, *arms: Arm, key: str = "") -> None:
        """Make a split of an experiment into arms."""
        self.__attrs_init__(experiment=experiment, arms=tuple(arms), key=key)

    def __attrs_post_init__(self) -> None:
        """Refuse arms that are none, cannot be told apart, or that nobody could get."""
        if not all(isinstance(arm, Arm) for arm in self.arms):
            raise DefinitionError("give each arm by itself, as Arm('a', 1, [steps])", path="arms")
        names = [arm.name for arm in self.arms]
        if len(set(names)) != len(names) or len(names) < 2:
            raise DefinitionError("a split needs at least two arms with different names", path="arms")
        if any(arm.weight < 0 for arm in self.arms) or not any(arm.weight for arm in self.arms):
            raise DefinitionError("weights are zero or positive, and not all zero", path="arms")


def _value(value: object) -> Value:
    return normal(value, "value")


@definition("update")
@attrs.frozen
class Update(Step):
    """Write an attribute of the customer; None takes it away."""

    attribute: str = attrs.field(validator=a_name)
    value: Value = attrs.field(converter=_value, hash=False)

    def __attrs_post_init__(self) -> None:
        """Refuse the names kept for zone, locale, account and lists, which are taken at their word."""
        if is_reserved(self.attribute):
            raise DefinitionError("is kept for crmsdk; choose another name", path="attribute")


@definition("emit")
@attrs.frozen
class Emit(Step):
    """Record an event of the customer; it may start and end runs like any other."""

    event: str = attrs.field(validator=a_name)
    values: Properties = attrs.field(default=EMPTY, converter=properties, hash=False)


@definition("hand-over")
@attrs.frozen
class HandOver(Step):
    """Open a task for a person and wait for the answer, at most for a span.

    Attributes:
        task: What is to be done, in words; never an address.
        to: Team or person who does it.
        within: The deadline.
        done: Steps when it was answered in time.
        overdue: Steps when it was not.
    """

    task: str
    to: str = attrs.field(kw_only=True)
    within: timedelta = attrs.field(kw_only=True, validator=a_span)
    done: tuple[Step, ...] = attrs.field(default=(), kw_only=True, converter=_done)
    overdue: tuple[Step, ...] = attrs.field(default=(), kw_only=True, converter=_overdue)

    def __attrs_post_init__(self) -> None:
        """Refuse a task without a deadline."""
        if self.within <= _ZERO:
            raise DefinitionError(
                "a task needs a positive deadline, or the run might never end", path="within"
            )


@definition("exit")
@attrs.frozen
class Exit(Step):
    """End the run, with a reason that reports show."""

    reason: str = "exit"


def local_time(at: time | str, on: str | Sequence[str] = "every day") -> UntilLocal:
    """Name a local time of day, for ``Wait``.

    Args:
        at: As ``09:00``.
        on: ``every day``, ``weekdays``, ``weekend``, a day as ``mon``, or several of these.

    >>> sorted(local_time("09:00", on="weekdays").weekdays)
    [0, 1, 2, 3, 4]
    """
    names = (on,) if isinstance(on, str) else tuple(on)
    for name in names:
        if name not in _WEEKDAYS:
            raise DefinitionError(f"{name!r} names no days; use one of {', '.join(_WEEKDAYS)}", path="on")
    return UntilLocal(
        clock_time(at),
        frozenset().union(*(_WEEKDAYS[name] for name in names)),
    )


def date_of(
    attribute: str | NamedProperty, offset: timedelta = _ZERO, *, at: time | str = time(9)
) -> UntilDate:
    """Name a date attribute moved by an offset, for ``Wait``.

    Args:
        attribute: Holds a date (then ``at`` tells the local time) or a moment (then the offset is exact).
        offset: Before it when negative, as ``timedelta(days=-1)`` for the day before; whole days where the
            attribute is a date.
        at: Local time of day, as ``10:00``; for dates.
    """
    return UntilDate(dated_name(attribute, offset), offset, clock_time(at))


AnyStep: TypeAlias = Send | Wait | WaitFor | Branch | Split | Update | Emit | HandOver | Exit
"""The closed set, for ``match`` with ``assert_never``."""
