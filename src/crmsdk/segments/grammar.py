"""The closed set of questions a segment may ask, as data.

Leaves ask about attributes, events and consents; ``crmsdk.segments.conditions`` joins them, and its names are
handed on here. Every executor covers exactly the kinds of ``Node``. ``crmsdk.segments.words`` writes them.

A span is absolute (a day is 24 hours). Windows are half-open: ``(now - span, now]`` and ``[start, end)``.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Self, TypeAlias

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.model.codec import definition
from crmsdk.model.comparison import Op, PropTest, exact, operand_for
from crmsdk.model.consent import ConsentState
from crmsdk.model.values import Value
from crmsdk.segments.accounts import AccountAll, AccountCount, AccountSum
from crmsdk.segments.aggregates import Aggregate, Function, Measured
from crmsdk.segments.asking import Comparable, Timed
from crmsdk.segments.conditions import (
    Always,
    And,
    Condition,
    Not,
    Or,
    Predicate,
    RunAnd,
    RunNot,
    RunOr,
    RunPredicate,
    Segment,
)
from crmsdk.segments.days import Anniversary, AttrDays
from crmsdk.segments.occurrences import Named, Occurrences, as_name, as_tests, name_of
from crmsdk.segments.people import AttrChanged, AttrHeld, Bucket
from crmsdk.segments.rhythms import Gap, GapVariation, Regular, Rhythmic, Streak
from crmsdk.segments.scoring import Points, Score
from crmsdk.segments.sequences import InOrder
from crmsdk.segments.trends import Trend, Trending
from crmsdk.segments.windows import (
    Absolute,
    Calendar,
    Interval,
    Relation,
    Relative,
    Rolling,
    Timing,
    Unit,
    Window,
    Windowed,
    as_span,
)

__all__ = [
    "Absolute",
    "AccountAll",
    "AccountCount",
    "AccountSum",
    "Aggregate",
    "Always",
    "And",
    "Anniversary",
    "AttrChanged",
    "AttrDays",
    "AttrHeld",
    "AttrTest",
    "AttrTime",
    "Bucket",
    "Calendar",
    "Condition",
    "ConsentTest",
    "Counted",
    "Did",
    "Edge",
    "EventTime",
    "Function",
    "Gap",
    "GapVariation",
    "InOrder",
    "Interval",
    "Named",
    "Node",
    "Not",
    "Occurrences",
    "Or",
    "Points",
    "Predicate",
    "Regular",
    "Relation",
    "Relative",
    "Rolling",
    "RunAnd",
    "RunNot",
    "RunOr",
    "RunPredicate",
    "Score",
    "Segment",
    "SinceEntry",
    "Streak",
    "Timing",
    "Trend",
    "Unit",
    "Window",
    "name_of",
]


class Edge(StrEnum):
    """Which of the events, in their total order."""

    FIRST = "first"
    LAST = "last"


@definition("attr")
@attrs.frozen
class AttrTest(Predicate):
    """Compare the current value of an attribute; false when it is missing or of another kind."""

    name: str = attrs.field(converter=as_name)
    op: Op = attrs.field(converter=Op)
    operand: Value = attrs.field(default=None, eq=exact)

    def __attrs_post_init__(self) -> None:
        """Bring the operand into normal form, and refuse what could never hold."""
        object.__setattr__(self, "operand", operand_for(self.op, self.operand, self.name))


@definition("attr-time")
@attrs.frozen
class AttrTime(Predicate):
    """Ask about the moment an attribute holds; false when it is missing or no moment (a date is none)."""

    name: str = attrs.field(converter=as_name)
    timing: Timing


@attrs.frozen(kw_only=True, weakref_slot=False)  # a second weakref slot cannot be inherited
class Counted:
    """Bounds of a number of events, and the words that set them.

    Attributes:
        low, high: Both included; ``high`` None for no bound.
    """

    low: int = 1
    high: int | None = None
    _said: bool = attrs.field(default=False, init=False, eq=False, repr=False)
    """Whether the words already set the bounds; no part of the definition."""

    def __attrs_post_init__(self) -> None:
        """Refuse numbers no count can have."""
        for number in (self.low, self.high):
            if number is not None and (isinstance(number, bool) or not isinstance(number, int)):
                raise DefinitionError(f"a count is {type(number).__name__}; give an integer")
            if number is not None and number < 0:
                raise DefinitionError(
                    "a count is never below zero; for none at all use times(0) or ~did(...)"
                )
        if self.high is not None and self.high < self.low:
            raise DefinitionError("the bounds of the count are reversed; give the smaller number first")

    def at_least(self, number: int) -> Self:
        """Hold from this many on."""
        return self._counted(number, None)

    def at_most(self, number: int) -> Self:
        """Hold up to this many, and for none."""
        return self._counted(0, number)

    def times(self, number: int) -> Self:
        """Hold for exactly this many."""
        return self._counted(number, number)

    def count(self) -> Comparable[Self]:
        """Compare the number: ``did("visit").count() >= 3``, ``.count().between(1, 5)``."""
        return Comparable(self._compared)

    def _compared(self, op: Op, operand: object, negated: bool) -> Self:  # noqa: FBT001 - the builder's callback
        match op, operand:
            case Op.EQ, int() if not negated:
                return self.times(operand)
            case Op.GE, int():
                return self.at_least(operand)
            case Op.GT, int():
                return self.at_least(operand + 1)
            case Op.LE, int():
                return self.at_most(operand)
            case Op.LT, int():
                return self.at_most(operand - 1)
            case Op.BETWEEN, (int() as low, int() as high):
                return self._counted(low, high)
            case _:
                raise DefinitionError(
                    "compare a count with an integer by == < <= > >= or between; for != write ~(... == 3)"
                )

    def _counted(self, low: int, high: int | None) -> Self:
        self._refuse_count("give both bounds at once, as count().between(1, 5)")
        return self._with(low=low, high=high, said=True)

    def _refuse_count(self, mend: str) -> None:
        if self._said:
            raise DefinitionError(f"the number of events is already asked for; {mend}")

    def _with(self, *, said: bool = False, **changes: object) -> Self:
        out: Self = attrs.evolve(self, **changes)  # type: ignore[arg-type]  # the names differ by class
        object.__setattr__(out, "_said", self._said or said)
        return out


@definition("did")
@attrs.frozen
class Did(Counted, Windowed["Did"], Measured, Trending, Rhythmic, Predicate):
    """Count events: hold where their number lies within bounds, once or more if nothing else is said.

    Attributes:
        of: Which events.
    """

    of: Occurrences

    def where(self, *tests: PropTest) -> "Did":
        """Count only events whose properties pass all tests."""
        return self._with(of=attrs.evolve(self.of, tests=(*self.of.tests, *tests)))

    def _in(self, window: Window) -> "Did":  # type: ignore[explicit-override]  # typing has override from 3.12 on
        if self.of.window is not None:
            raise DefinitionError("the window is already set; ask two questions and join them with &")
        return self._with(of=attrs.evolve(self.of, window=window))

    def _meant(self, mend: str) -> Occurrences:  # type: ignore[explicit-override]  # typing has override from 3.12 on
        self._refuse_count(mend)
        if (self.low, self.high) != (1, None):
            raise DefinitionError(f"the number of events is asked for; {mend}")
        return self.of

    def first_at(self) -> Timed[Predicate]:
        """Ask about the moment of the first of the events."""
        return self._edge(Edge.FIRST)

    def last_at(self) -> Timed[Predicate]:
        """Ask about the moment of the last of the events."""
        return self._edge(Edge.LAST)

    def _edge(self, edge: Edge) -> Timed[Predicate]:
        of = self._meant("ask for the moment in a question of its own")
        return Timed(lambda timing: EventTime(of, edge, timing))

    def since_entry(self) -> "SinceEntry":
        """Count only events after the trigger of the run; for goals, exits and steps of a journey."""
        if self.of.window is not None:
            raise DefinitionError(
                "a window ends now, since_entry begins at the entry; say did(...).since_entry().within(span)"
            )
        since = SinceEntry(self.of.event, tests=self.of.tests, low=self.low, high=self.high)
        return since._with(said=self._said)  # noqa: SLF001 - one family


@definition("event-time")
@attrs.frozen
class EventTime(Predicate):
    """Ask about the moment of the first or last of some events; false when there is none."""

    of: Occurrences
    edge: Edge = attrs.field(converter=Edge)
    timing: Timing


@definition("consent")
@attrs.frozen
class ConsentTest(Predicate):
    """Ask for the state of a consent: the last entry of the log that fits channel and purpose."""

    channel: str = attrs.field(converter=as_name)
    purpose: str = attrs.field(converter=as_name)
    state: ConsentState = attrs.field(default=ConsentState.GRANTED, converter=ConsentState, kw_only=True)


@definition("since-entry")
@attrs.frozen
class SinceEntry(Counted, RunPredicate):
    """Count events after the trigger's place in the total order, also those stored before the run began.

    Attributes:
        event: The event's name.
        tests: All must hold of the properties.
        span: Only events in ``(entry, entry + span]``; None for no end. Entry is the trigger's moment.
        keyed: Whether, in a run with a key, the event's property of that name must equal it.
    """

    event: str = attrs.field(converter=as_name)
    tests: tuple[PropTest, ...] = attrs.field(default=(), converter=as_tests, kw_only=True)
    span: timedelta | None = attrs.field(
        default=None, kw_only=True, converter=attrs.converters.optional(as_span)
    )
    keyed: bool = attrs.field(default=True, kw_only=True)

    def where(self, *tests: PropTest) -> "SinceEntry":
        """Count only events whose properties pass all tests."""
        return self._with(tests=(*self.tests, *tests))

    def within(self, span: timedelta) -> "SinceEntry":
        """Count only events up to ``entry + span``, that moment included."""
        return self._with(span=span)

    def any_key(self) -> "SinceEntry":
        """Count events of every key, not only of the run's own."""
        return self._with(keyed=False)


Node: TypeAlias = (
    Always
    | Not
    | And
    | Or
    | Segment
    | AttrTest
    | AttrTime
    | Did
    | Aggregate
    | Score
    | EventTime
    | InOrder
    | AttrChanged
    | AttrHeld
    | AttrDays
    | Anniversary
    | Bucket
    | Trend
    | Streak
    | Regular
    | Gap
    | GapVariation
    | ConsentTest
    | AccountCount
    | AccountAll
    | AccountSum
    | RunNot
    | RunAnd
    | RunOr
    | SinceEntry
)
"""Every kind of condition there is; executors match over it."""
