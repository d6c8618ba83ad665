"""How much of something happens now, against how much of it is usual for this person."""

from typing import cast

import attrs

from crmsdk.errors import DefinitionError, InputError
from crmsdk.model.codec import definition
from crmsdk.model.comparison import Op, exact, kind_of, operand_for
from crmsdk.model.money import Money
from crmsdk.model.values import Value
from crmsdk.segments.aggregates import COMPARING
from crmsdk.segments.asking import Comparable
from crmsdk.segments.conditions import Predicate
from crmsdk.segments.occurrences import Meant, Named, Occurrences, as_name, prop_name
from crmsdk.segments.windows import Calendar, Rolling, as_number

__all__ = ["Trend", "Trending"]

_MOST = 366


@definition("trend")
@attrs.frozen
class Trend(Predicate):
    """Compare the ratio of a window to the windows of its length before it: their mean, or the one before.

    The ratio is ``window / (sum of the windows before / over)``, of numbers of events or of sums of a
    property. A person with less history has zeros in the mean. A baseline that is not above zero is missing,
    and no comparison with a missing one holds. Ratios of counts, integers and money are compared exactly, a
    float operand read as the decimal it is written as; with a float among the values the ratio is the nearest
    double.

    Attributes:
        of: Which events; a rolling window, or one of the calendar.
        op: ``== < <= > >=`` or ``between``.
        operand: A number; 1 for as much as before.
        over: How many windows before.
        prop: The property to sum up; None for the number of events.
        currency: Of money; None for a property that is a number.
    """

    of: Occurrences
    op: Op = attrs.field(converter=Op)
    operand: Value = attrs.field(eq=exact)
    over: int = attrs.field(default=1, kw_only=True)
    prop: str | None = attrs.field(default=None, kw_only=True, converter=attrs.converters.optional(as_name))
    currency: str | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Refuse a window without one before it, and what no ratio is."""
        if as_number(self.over, "the number of windows before") > _MOST:
            raise DefinitionError(f"the number of windows before is at most {_MOST}", path="over")
        if self.currency is not None and self.prop is None:
            raise DefinitionError("a number of events has no currency; name the property", path="currency")
        operand = operand_for(self.op, self.operand, "trend")
        first = operand[0] if isinstance(operand, tuple) else operand
        if self.op not in COMPARING or kind_of(first) != "number":
            raise DefinitionError(
                f"a ratio is asked {self.op} {kind_of(first)}; compare it with a number by == < <= > >= or "
                "between",
                path="operand",
            )
        object.__setattr__(self, "operand", operand)
        self.like()
        self.before()

    def like(self) -> Value:
        """Give a value of the kind that is summed up."""
        try:
            return 0 if self.currency is None else Money(0, self.currency)
        except InputError as error:
            raise DefinitionError(error.problem, path="currency") from error

    def before(self) -> Occurrences:
        """Give the same events in all windows before, which lie side by side."""
        match self.of.window:
            case Rolling(span, ago):
                if self.over * span + ago > Rolling.LONGEST:
                    raise DefinitionError(
                        "the windows before begin over 100 years ago; give fewer", path="over"
                    )
                return attrs.evolve(self.of, window=Rolling(self.over * span, ago + span))
            case Calendar(unit, oldest, newest):
                width = oldest - newest + 1
                return attrs.evolve(self.of, window=Calendar(unit, oldest + self.over * width, oldest + 1))
            case _:
                raise DefinitionError(
                    "a trend needs a window that moves; say did(...).within(timedelta(days=30)).trend()",
                    path="of",
                )


class Trending(Meant):
    """The word that asks for a trend."""

    __slots__ = ()

    def trend(
        self, prop: str | Named | None = None, *, currency: str | None = None, over: int = 1
    ) -> Comparable[Predicate]:
        """Compare this window with the one before, as a ratio: ``did("visit").within(span).trend() <= 0.5``.

        Args:
            prop: Compare sums of this property; None for numbers of events.
            currency: Of a property that is money.
            over: Compare with the mean of so many windows before: the person's own baseline.

        Raises:
            DefinitionError: no window, or one that stays; a count is asked for; another event's property.
        """
        of = self._meant("ask for the trend in a question of its own")
        name = None if prop is None else prop_name(of, prop)

        def ask(op: Op, operand: object, negated: bool) -> Predicate:  # noqa: FBT001 - the builder's callback
            asked = Trend(of, op, cast("Value", operand), over=over, prop=name, currency=currency)
            return ~asked if negated else asked

        return Comparable(ask)
