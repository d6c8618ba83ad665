"""What can be asked of a value and of a moment, as operators and methods that give a definition.

The builders here compare like numbers and dates in Python, but answer with data. They are no values: two of
them are never equal, none can be hashed, and none has a truth.
"""

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeAlias, TypeVar

from crmsdk.errors import DefinitionError
from crmsdk.model.comparison import Op
from crmsdk.model.values import Value
from crmsdk.segments.windows import Absolute, Relation, Relative, Timing

__all__ = ["Asked", "Comparable", "Lasting", "Readable", "Timed"]

A_co = TypeVar("A_co", covariant=True)

Asked: TypeAlias = Value | Enum
"""What a value may be compared with; of an enumeration its value is taken."""

_UNFINISHED = (
    "this is not a condition yet; finish it as attr('city') == 'Moscow', and put brackets around each "
    "comparison that is joined with & or |"
)


class _Unfinished:
    """The root of all builders: refuses what would look like an answer."""

    def __bool__(self) -> NoReturn:
        """Refuse: nothing was asked yet.

        Raises:
            DefinitionError: always.
        """
        raise DefinitionError(_UNFINISHED)

    def _refuse(self, _: object) -> NoReturn:
        raise DefinitionError(_UNFINISHED)

    # ``1 & attr("x")`` is what Python reads in ``attr("y") == 1 & attr("x") == 2``.
    __and__ = __rand__ = __or__ = __ror__ = _refuse


class Comparable(_Unfinished, Generic[A_co]):  # noqa: PLW1641 - == asks a question, so a hash would mean nothing
    """A value that can be compared; missing values and those of another kind never compare.

    Args:
        ask: Makes the definition of one comparison, of op, operand, and whether the complement is meant.
    """

    def __init__(self, ask: Callable[[Op, object, bool], A_co]) -> None:
        self._ask = ask

    def __eq__(self, other: Asked) -> A_co:  # type: ignore[override, explicit-override]  # a comparison makes a question
        return self._ask(Op.EQ, other, False)

    def __ne__(self, other: Asked) -> A_co:  # type: ignore[override, explicit-override]  # the same
        return self._ask(Op.EQ, other, True)

    def __lt__(self, other: Asked) -> A_co:
        return self._ask(Op.LT, other, False)

    def __le__(self, other: Asked) -> A_co:
        return self._ask(Op.LE, other, False)

    def __gt__(self, other: Asked) -> A_co:
        return self._ask(Op.GT, other, False)

    def __ge__(self, other: Asked) -> A_co:
        return self._ask(Op.GE, other, False)

    def between(self, low: Asked, high: Asked) -> A_co:
        """Ask whether the value lies between two, both included."""
        return self._ask(Op.BETWEEN, (low, high), False)


class Lasting(_Unfinished, Generic[A_co]):  # noqa: PLW1641 - == asks a question, so a hash would mean nothing
    """A length of time that can be compared with a ``timedelta``; a missing one never compares.

    Args:
        ask: As of ``Comparable``.
    """

    def __init__(self, ask: Callable[[Op, object, bool], A_co]) -> None:
        self._ask = ask

    def __eq__(self, other: timedelta) -> A_co:  # type: ignore[override, explicit-override]  # a comparison makes a question
        return self._ask(Op.EQ, other, False)

    def __ne__(self, other: timedelta) -> A_co:  # type: ignore[override, explicit-override]  # the same
        return self._ask(Op.EQ, other, True)

    def __lt__(self, other: timedelta) -> A_co:
        return self._ask(Op.LT, other, False)

    def __le__(self, other: timedelta) -> A_co:
        return self._ask(Op.LE, other, False)

    def __gt__(self, other: timedelta) -> A_co:
        return self._ask(Op.GT, other, False)

    def __ge__(self, other: timedelta) -> A_co:
        return self._ask(Op.GE, other, False)

    def between(self, low: timedelta, high: timedelta) -> A_co:
        """Ask whether the time lies between two, both included."""
        return self._ask(Op.BETWEEN, (low, high), False)


class Readable(Comparable[A_co]):
    """A stored value: text, a list, or anything that can be compared."""

    def in_(self, values: Iterable[Asked]) -> A_co:
        """Ask whether the value is one of these."""
        if isinstance(values, str):
            raise DefinitionError("in_ takes a list of values; give ['a', 'b'], or ask contains")
        return self._ask(Op.IN, _items(values), False)

    def contains(self, item: Asked) -> A_co:
        """Ask whether the text holds this text, or the list this item."""
        return self._ask(Op.CONTAINS, item, False)

    def contains_any(self, items: Iterable[Asked]) -> A_co:
        """Ask whether the text or the list holds one of these or more."""
        if isinstance(items, str):
            raise DefinitionError("contains_any takes a list; give ['a', 'b'], or ask contains")
        return self._ask(Op.CONTAINS_ANY, _items(items), False)

    def contains_all(self, items: Iterable[Asked]) -> A_co:
        """Ask whether the text or the list holds every one of these."""
        if isinstance(items, str):
            raise DefinitionError("contains_all takes a list; give ['a', 'b'], or ask contains")
        return self._ask(Op.CONTAINS_ALL, _items(items), False)

    def matches(self, pattern: str) -> A_co:
        """Ask whether the text holds a pattern anywhere, as ``"^[A-Z]{2}-[0-9]+$"``.

        Patterns are the part of regular expressions that means the same in every engine;
        ``crmsdk.model.patterns`` says which.
        """
        return self._ask(Op.MATCHES, pattern, False)

    def startswith(self, text: str) -> A_co:
        """Ask whether the text starts so."""
        return self._ask(Op.STARTS, text, False)

    def endswith(self, text: str) -> A_co:
        """Ask whether the text ends so."""
        return self._ask(Op.ENDS, text, False)

    def exists(self) -> A_co:
        """Ask whether there is a value at all; the empty text is one."""
        return self._ask(Op.EXISTS, None, False)

    def missing(self) -> A_co:
        """Ask whether there is no value."""
        return self._ask(Op.EXISTS, None, True)


def _items(values: Iterable[Asked]) -> tuple[Asked, ...]:
    # The order of a set changes from run to run; the content hash must not.
    return tuple(sorted(values, key=_sort_key) if isinstance(values, AbstractSet) else values)


def _sort_key(value: Any) -> tuple[str, str]:
    return (type(value).__name__, repr(value))


class Timed(_Unfinished, Generic[A_co]):
    """A moment that can be asked about; false when it is missing, whatever is asked.

    Args:
        when: Makes the definition of one question about the moment.
    """

    def __init__(self, when: Callable[[Timing], A_co]) -> None:
        self._when = when

    def within_last(self, span: timedelta) -> A_co:
        """Ask for ``now - span < moment <= now``: true until exactly moment + span."""
        return self._when(Relative(Relation.WITHIN_LAST, span))

    def more_than_ago(self, span: timedelta) -> A_co:
        """Ask for ``moment <= now - span``: true from exactly moment + span on."""
        return self._when(Relative(Relation.MORE_THAN_AGO, span))

    def within_next(self, span: timedelta) -> A_co:
        """Ask for ``now < moment <= now + span``."""
        return self._when(Relative(Relation.WITHIN_NEXT, span))

    def before(self, moment: datetime) -> A_co:
        """Ask for a moment strictly before this aware one."""
        return self._when(Absolute(end=moment))

    def after(self, moment: datetime) -> A_co:
        """Ask for this aware moment or a later one, so that ``before`` and ``after`` meet without overlap."""
        return self._when(Absolute(start=moment))

    if not TYPE_CHECKING:  # a type checker refuses these by itself, as long as it does not see them

        def _refuse_comparison(self, other: object) -> NoReturn:
            raise DefinitionError(
                f"a moment is not compared with {type(other).__name__}; ask .more_than_ago(span), "
                ".within_last(span), .before(moment) or .after(moment)"
            )

        __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse_comparison
