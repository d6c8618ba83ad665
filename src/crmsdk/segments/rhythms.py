"""How often and how evenly something happens: days in a row, so many of the last weeks, the time between."""

from datetime import timedelta
from enum import StrEnum
from typing import TypeAlias, cast

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.model.codec import definition
from crmsdk.model.comparison import Op, exact, kind_of, operand_for
from crmsdk.model.values import Value
from crmsdk.segments.aggregates import COMPARING, whole_fault
from crmsdk.segments.asking import Comparable, Lasting
from crmsdk.segments.conditions import Predicate
from crmsdk.segments.occurrences import Meant, Occurrences
from crmsdk.segments.windows import Unit, as_duration, as_number, as_unit

__all__ = ["Gap", "GapVariation", "Gaps", "Middle", "Regular", "Rhythmic", "Run", "Streak"]


class Run(StrEnum):
    """What is counted of the periods in which an event happened."""

    CURRENT = "current"
    LONGEST = "longest"
    ALL = "all"


@definition("streak")
@attrs.frozen
class Streak(Predicate):
    """Compare how many local days, weeks or other periods hold such an event, in a row or in all.

    A period holds an event that happened on its days in the person's zone; a day that a zone skips whole is
    no day. ``current`` counts the periods in a row up to now. The period that holds now is still open: if it
    has an event it counts, if not it breaks nothing, so that a streak is lost when a whole period went by
    without. ``longest`` is the longest row there ever was in the window, ``all`` the number of such periods
    in it. Of no events all are zero.

    Attributes:
        of: Which events.
        unit: Which period.
        run: What is counted.
        op: ``== < <= > >=`` or ``between``.
        operand: An integer.
    """

    of: Occurrences
    unit: Unit = attrs.field(converter=as_unit)
    run: Run = attrs.field(converter=Run)
    op: Op = attrs.field(converter=Op)
    operand: Value = attrs.field(eq=exact)

    def __attrs_post_init__(self) -> None:
        """Refuse what is no number of periods."""
        operand = operand_for(self.op, self.operand, "streak")
        fault = whole_fault(f"a number of {self.unit}s", self.op, operand)
        if fault:
            raise DefinitionError(fault, path="operand")
        object.__setattr__(self, "operand", operand)


@definition("regular")
@attrs.frozen
class Regular(Predicate):
    """Hold if an event happened in so many of the last local days, weeks or other periods.

    The period that holds now is still open: with an event in it, it is the last of them; without, the last
    one is the period before.

    Attributes:
        of: Which events; without a window.
        at_least: In how many of the periods.
        periods: How many are looked at.
        unit: Which period.
    """

    of: Occurrences
    at_least: int
    periods: int
    unit: Unit = attrs.field(converter=as_unit)

    def __attrs_post_init__(self) -> None:
        """Refuse numbers that always hold or never could, and a window beside the periods."""
        as_number(self.periods, "the number of periods")
        if as_number(self.at_least, "the number of periods with an event") > self.periods:
            raise DefinitionError(
                f"there are {self.periods} periods, so at most {self.periods} hold an event", path="at_least"
            )
        if self.of.window is not None:
            raise DefinitionError("the periods are the window; leave the other one out", path="of")


class Middle(StrEnum):
    """Which middle of the times between events."""

    MEAN = "mean"
    MEDIAN = "median"


Spans: TypeAlias = timedelta | tuple[timedelta, timedelta]


def _spans(value: object) -> Spans:
    if isinstance(value, tuple | list):
        if len(value) != 2:
            raise DefinitionError("needs two spans to be between", path="operand")
        low, high = (as_duration(each) for each in value)
        if low > high:
            raise DefinitionError("is reversed; give the shorter span first", path="operand")
        return low, high
    return as_duration(value)


@definition("gap")
@attrs.frozen
class Gap(Predicate):
    """Compare the mean or median time from one such event to the next; missing for fewer than two events.

    Compared exactly, in microseconds. The time since the last event is no gap yet. Events of one moment have
    a gap of nothing between them.

    Attributes:
        of: Which events.
        middle: The mean or the median; of an even number of gaps the mean of the two in the middle.
        op: ``== < <= > >=`` or ``between``.
        operand: A span, not negative; of ``between`` two.
    """

    of: Occurrences
    middle: Middle = attrs.field(converter=Middle)
    op: Op = attrs.field(converter=Op)
    operand: Spans = attrs.field(converter=_spans)

    def __attrs_post_init__(self) -> None:
        """Refuse what no time can be asked."""
        if self.op not in COMPARING or (self.op is Op.BETWEEN) is not isinstance(self.operand, tuple):
            raise DefinitionError(
                f"a time between events cannot be asked {self.op}; compare it with a timedelta", path="op"
            )


@definition("gap-variation")
@attrs.frozen
class GapVariation(Predicate):
    """Compare how uneven the times between such events are: their coefficient of variation.

    It is the standard deviation (of the whole population) over the mean: 0 for a clock, about 1 for chance,
    more for bursts. Missing for fewer than three events, and where all happened at once. Compared exactly by
    squares; a float operand is read as the decimal it is written as.

    Attributes:
        of: Which events.
        op: ``== < <= > >=`` or ``between``.
        operand: A number, not negative.
    """

    of: Occurrences
    op: Op = attrs.field(converter=Op)
    operand: Value = attrs.field(eq=exact)

    def __attrs_post_init__(self) -> None:
        """Refuse what is no variation."""
        operand = operand_for(self.op, self.operand, "variation")
        first = operand[0] if isinstance(operand, tuple) else operand
        if self.op not in COMPARING or kind_of(first) != "number":
            raise DefinitionError(
                f"a variation is asked {self.op} {kind_of(first)}; compare it with a number", path="operand"
            )
        if cast("float", first) < 0:
            raise DefinitionError("a variation is never below zero", path="operand")
        object.__setattr__(self, "operand", operand)


class Gaps:
    """The times from one event to the next, to be asked about.

    Args:
        of: Which events.
    """

    def __init__(self, of: Occurrences) -> None:
        self._of = of

    def mean(self) -> Lasting[Predicate]:
        """Compare their mean: ``did("purchase").gaps().mean() <= timedelta(days=30)``."""
        return self._middle(Middle.MEAN)

    def median(self) -> Lasting[Predicate]:
        """Compare their median."""
        return self._middle(Middle.MEDIAN)

    def variation(self) -> Comparable[Predicate]:
        """Compare how uneven they are, 0 for a clock: ``did("purchase").gaps().variation() < 0.5``."""

        def ask(op: Op, operand: object, negated: bool) -> Predicate:  # noqa: FBT001 - the builder's callback
            asked = GapVariation(self._of, op, cast("Value", operand))
            return ~asked if negated else asked

        return Comparable(ask)

    def _middle(self, middle: Middle) -> Lasting[Predicate]:
        def ask(op: Op, operand: object, negated: bool) -> Predicate:  # noqa: FBT001 - the builder's callback
            asked = Gap(self._of, middle, op, cast("Spans", operand))
            return ~asked if negated else asked

        return Lasting(ask)


class Rhythmic(Meant):
    """The words that ask how often and how evenly events happen.

    All refuse, with a DefinitionError, a question that asks for the number of events, and what is no period.
    """

    __slots__ = ()

    def streak(self, period: str) -> Comparable[Predicate]:
        """Compare the local days, weeks, … in a row up to now: ``did("visit").streak("day") >= 7``.

        Today is still open: without an event it breaks nothing until it is over.
        """
        return self._run(Run.CURRENT, period)

    def longest_streak(self, period: str) -> Comparable[Predicate]:
        """Compare the longest row there ever was: ``did("visit").longest_streak("week") >= 4``."""
        return self._run(Run.LONGEST, period)

    def active(self, period: str) -> Comparable[Predicate]:
        """Compare on how many local days, or in how many weeks, …: ``did("visit").active("day") >= 10``."""
        return self._run(Run.ALL, period)

    def regularly(self, *, at_least: int, of: int, period: str) -> Predicate:
        """Ask for events in at least so many of the last local periods.

            did("visit").regularly(at_least=3, of=4, period="week")

        The period that holds now counts as the last one if it has an event, and is left out if it has none.
        """
        meant = self._meant("ask for regularity in a question of its own")
        return Regular(meant, at_least, of, period)

    def gaps(self) -> Gaps:
        """Ask about the times from one event to the next, by ``mean``, ``median`` or ``variation``."""
        return Gaps(self._meant("ask for the times between events in a question of its own"))

    def _run(self, run: Run, period: str) -> Comparable[Predicate]:
        of = self._meant("ask for periods in a question of its own")
        unit = as_unit(period)

        def ask(op: Op, operand: object, negated: bool) -> Predicate:  # noqa: FBT001 - the builder's callback
            asked = Streak(of, unit, run, op, cast("Value", operand))
            return ~asked if negated else asked

        return Comparable(ask)
