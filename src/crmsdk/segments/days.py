"""Questions about dates in whole local days: how far a date lies from today, and its anniversaries."""

from collections.abc import Callable
from enum import StrEnum
from typing import cast

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.model.codec import definition
from crmsdk.model.comparison import Op, exact, kind_of, operand_for
from crmsdk.model.values import Value
from crmsdk.segments.asking import Comparable
from crmsdk.segments.conditions import Predicate
from crmsdk.segments.occurrences import as_name

__all__ = ["Anniversary", "AttrDays", "Dated", "LeapDay", "Sense"]

_YEAR = 365


class Sense(StrEnum):
    """Which way days are counted."""

    UNTIL = "until"
    SINCE = "since"


@definition("attr-days")
@attrs.frozen
class AttrDays(Predicate):
    """Compare the number of local days until a date, or since; false when there is no date.

    Days are those of the calendar in the person's zone: the date minus today, whatever the time of day and
    however long the days are. Until a past date they are negative, and so are those since one to come.
    A moment counts by its local date. Answers turn at local midnight only.

    Attributes:
        name: The attribute, a date or a moment.
        sense: Which way days are counted.
        op: The question: ``== < <= > >=`` or ``between``.
        operand: Whole days, or a list of two.
    """

    name: str = attrs.field(converter=as_name)
    sense: Sense = attrs.field(converter=Sense)
    op: Op = attrs.field(converter=Op)
    operand: Value = attrs.field(eq=exact)

    def __attrs_post_init__(self) -> None:
        """Refuse what days are never compared by or with."""
        if self.op not in _OPS:
            raise DefinitionError("days are compared by == < <= > >= or between", path=self.name)
        operand = operand_for(self.op, self.operand, self.name)
        for item in operand if isinstance(operand, tuple) else (operand,):
            if isinstance(item, bool) or not isinstance(item, int):
                raise DefinitionError(
                    f"days are compared with {kind_of(item)}; give whole days as an integer", path=self.name
                )
        object.__setattr__(self, "operand", operand)


_OPS = frozenset({Op.EQ, Op.LT, Op.LE, Op.GT, Op.GE, Op.BETWEEN})


class LeapDay(StrEnum):
    """On which day 29 February is kept in a year that has none."""

    FEBRUARY_28 = "02-28"
    MARCH_1 = "03-01"


def _leap(value: object) -> LeapDay:
    try:
        return LeapDay(cast("str", value))
    except ValueError:
        raise DefinitionError(
            "is no day that stands for 29 February; give '02-28' or '03-01'", path="leap"
        ) from None


@definition("anniversary")
@attrs.frozen
class Anniversary(Predicate):
    """Ask whether the next anniversary of a date lies so many local days ahead; false when there is no date.

    The anniversary is the day of the year, whatever the year: today is one of a date of today. A moment
    counts by its local date. Holds from local midnight to local midnight in the person's zone.

    Attributes:
        name: The attribute, a date or a moment.
        first, last: Days ahead, both included; 0 is today.
        leap: Where 29 February is kept in common years.
    """

    name: str = attrs.field(converter=as_name)
    first: int = 0
    last: int = 0
    leap: LeapDay = attrs.field(default=LeapDay.MARCH_1, converter=_leap, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Refuse days that no anniversary lies ahead."""
        for days in (self.first, self.last):
            if isinstance(days, bool) or not isinstance(days, int):
                raise DefinitionError(
                    f"days ahead are {type(days).__name__}; give a whole number from 0 to {_YEAR}",
                    path=self.name,
                )
            if not 0 <= days <= _YEAR:
                raise DefinitionError(
                    f"an anniversary lies 0 to {_YEAR} days ahead, not {days}; give a number in between",
                    path=self.name,
                )
        if self.first > self.last:
            raise DefinitionError("days ahead run backwards; give the smaller number first", path=self.name)


class Dated:
    """A date that can be asked about in whole local days of the person; a moment counts by its local date.

    Args:
        name: The attribute.
        checked: Lets a question through, or refuses it.
    """

    def __init__(self, name: str, checked: Callable[[Predicate], Predicate]) -> None:
        self._name = name
        self._let = checked

    def anniversary(
        self,
        *,
        in_days: int = 0,
        within_days: int | None = None,
        leap: LeapDay | str = LeapDay.MARCH_1,
    ) -> Predicate:
        """Ask whether the anniversary, as a birthday, is today.

        Args:
            in_days: Exactly so many days ahead; 0 is today.
            within_days: Instead: today or within so many days ahead.
            leap: Where 29 February is kept in common years: ``"02-28"`` or ``"03-01"``.

        Raises:
            DefinitionError: both are given, or a number is not 0 to 365.
        """
        if within_days is not None and in_days:
            raise DefinitionError("give in_days or within_days, not both", path=self._name)
        first, last = (in_days, in_days) if within_days is None else (0, within_days)
        return self._let(Anniversary(self._name, first, last, leap=leap))

    def days_until(self) -> Comparable[Predicate]:
        """Compare the local days until the date: ``.days_until().between(0, 7)``; negative when past."""
        return Comparable(self._days(Sense.UNTIL))

    def days_since(self) -> Comparable[Predicate]:
        """Compare the local days since the date: ``.days_since() >= 30``; negative when to come."""
        return Comparable(self._days(Sense.SINCE))

    def _days(self, sense: Sense) -> Callable[[Op, object, bool], Predicate]:
        def ask(op: Op, operand: object, negated: bool) -> Predicate:  # noqa: FBT001 - the builder's callback
            asked = self._let(AttrDays(self._name, sense, op, cast("Value", operand)))
            return ~asked if negated else asked

        return ask
