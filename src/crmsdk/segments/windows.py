"""Spans of time that questions name: windows in which events count, and how one moment lies to now.

A span is absolute (a day is 24 hours). Windows are half-open: ``(now - span, now]`` and ``[start, end)``.
Calendar windows alone follow the wall clock of the person's zone.
"""

from abc import abstractmethod
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Generic, TypeAlias, TypeVar, cast

import attrs

from crmsdk.errors import DefinitionError, InputError
from crmsdk.model.codec import definition
from crmsdk.model.moment import to_moment

__all__ = [
    "Absolute",
    "Calendar",
    "Interval",
    "Relation",
    "Relative",
    "Rolling",
    "Timing",
    "Unit",
    "Window",
    "Windowed",
    "as_duration",
    "as_moment",
    "as_number",
    "as_span",
    "as_unit",
]

_ZERO = timedelta(0)
_LONGEST = timedelta(days=36525)


def as_span(value: object) -> timedelta:
    """Take a positive span of at most 100 years.

    Raises:
        DefinitionError: it is none.
    """
    if not isinstance(value, timedelta):
        raise DefinitionError(f"a span is {type(value).__name__}; give it as timedelta(days=30)")
    if not _ZERO < value <= _LONGEST:
        raise DefinitionError(
            "a span is longer than zero and at most 100 years; give it as timedelta(days=30)"
        )
    return value


def as_moment(value: object) -> datetime:
    """Take an aware moment and give it in UTC.

    Raises:
        DefinitionError: it is none, or has no zone.
    """
    try:
        return to_moment(value, "moment")
    except InputError as error:
        raise DefinitionError(f"a moment {error.problem}") from error


def _refuse_reversed(start: datetime, end: datetime) -> None:
    if start >= end:
        raise DefinitionError("an interval ends after it starts; give the earlier moment first", path="end")


def as_duration(value: object) -> timedelta:
    """Take a span that may be nothing.

    Raises:
        DefinitionError: it is none.
    """
    return _ZERO if value == _ZERO else as_span(value)


@definition("rolling")
@attrs.frozen
class Rolling:
    """The window ``(now - ago - span, now - ago]``: an event leaves at exactly its moment + ago + span.

    Attributes:
        span: How long.
        ago: How long ago it ended; nothing for the window that ends now.
    """

    span: timedelta = attrs.field(converter=as_span)
    ago: timedelta = attrs.field(default=_ZERO, converter=as_duration)

    LONGEST: ClassVar[timedelta] = _LONGEST


@definition("interval")
@attrs.frozen
class Interval:
    """The window ``[start, end)`` of absolute time, UTC."""

    start: datetime = attrs.field(converter=as_moment)
    end: datetime = attrs.field(converter=as_moment)

    def __attrs_post_init__(self) -> None:
        """Refuse an empty or reversed interval."""
        _refuse_reversed(self.start, self.end)


class Unit(StrEnum):
    """A period of the calendar; weeks are those of ISO 8601 and begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


def as_unit(value: object) -> Unit:
    """Take a period of the calendar.

    Raises:
        DefinitionError: it is none.
    """
    try:
        return Unit(cast("str", value))
    except ValueError:
        said = repr(value) if isinstance(value, str) else type(value).__name__
        raise DefinitionError(f"a period is {said}; give one of {', '.join(Unit)}") from None


_MOST = 36525


def as_number(value: object, what: str, *, least: int = 1) -> int:
    """Take a number of periods, at most 36525.

    Raises:
        DefinitionError: it is none, or fewer than ``least``.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise DefinitionError(f"{what} is {type(value).__name__}; give an integer")
    if not least <= value <= _MOST:
        raise DefinitionError(f"{what} is from {least} to {_MOST}")
    return value


@definition("calendar")
@attrs.frozen
class Calendar:
    """Whole periods of the calendar in the person's zone, as this month or the three months before it.

    It ends where its newest period does, and never beyond now. All periods move on at the local midnight that
    begins a new one: then events enter and leave. The zone is the one known at ``now``; of people whose zone
    is unknown the project's.

    Attributes:
        unit: Which period.
        oldest: How many periods ago the window begins; 0 for the one that holds now.
        newest: How many periods ago its last one is.
    """

    unit: Unit = attrs.field(converter=as_unit)
    oldest: int = 0
    newest: int = 0

    def __attrs_post_init__(self) -> None:
        """Refuse periods of the future, and the newest before the oldest."""
        as_number(self.oldest, "the oldest period", least=0)
        as_number(self.newest, "the newest period", least=0)
        if self.newest > self.oldest:
            raise DefinitionError("the periods are reversed; the oldest is the longest ago", path="oldest")


Window: TypeAlias = Rolling | Interval | Calendar
"""When events count; no window means all of the past."""

T_co = TypeVar("T_co", covariant=True)


class Windowed(Generic[T_co]):
    """The words that say when events count; one of them, once.

    All raise a DefinitionError for a second window, and for what is no span, moment or period.
    """

    __slots__ = ()

    @abstractmethod
    def _in(self, window: Window) -> T_co:
        """Set the window."""

    def within(self, span: timedelta) -> T_co:
        """Count only events in ``(now - span, now]``."""
        return self._in(Rolling(span))

    def between(self, start: datetime, end: datetime) -> T_co:
        """Count only events in ``[start, end)``, two aware moments."""
        return self._in(Interval(start, end))

    def this(self, period: str) -> T_co:
        """Count only events of this day, week, month, quarter or year, in the person's zone."""
        return self._in(Calendar(period))

    def previous(self, period: str | timedelta, n: int = 1) -> T_co:
        """Count only events of the period before: ``previous("month")``, ``previous(td(days=30))``.

        Of the calendar, in the person's zone: the ``n`` whole periods before the one that holds now. Of a
        span: ``(now - span - n * span, now - span]``, what ``within(n * span)`` was a span ago.
        """
        as_number(n, "the number of periods")
        if not isinstance(period, timedelta):
            return self._in(Calendar(period, n, 1))
        span = as_span(period)
        return self._in(Rolling(as_span(n * span), span))


class Relation(StrEnum):
    """How a moment lies to ``now``."""

    WITHIN_LAST = "within_last"
    MORE_THAN_AGO = "more_than_ago"
    WITHIN_NEXT = "within_next"


@definition("relative")
@attrs.frozen
class Relative:
    """Ask how a moment lies to now; every moment up to ``now + span`` has exactly one of the three relations.

    ``within_last``: ``now - span < moment <= now``; ``more_than_ago``: ``moment <= now - span``;
    ``within_next``: ``now < moment <= now + span``.
    """

    relation: Relation = attrs.field(converter=Relation)
    span: timedelta = attrs.field(converter=as_span)


@definition("absolute")
@attrs.frozen
class Absolute:
    """Ask whether a moment lies in ``[start, end)``; None leaves that side open, one must be given."""

    start: datetime | None = attrs.field(default=None, converter=attrs.converters.optional(as_moment))
    end: datetime | None = attrs.field(default=None, converter=attrs.converters.optional(as_moment))

    def __attrs_post_init__(self) -> None:
        """Refuse no bound, and an empty or reversed interval."""
        if self.start is None and self.end is None:
            raise DefinitionError("before or after which moment? give start, end, or both", path="start")
        if self.start is not None and self.end is not None:
            _refuse_reversed(self.start, self.end)


Timing: TypeAlias = Relative | Absolute
"""A question about one moment."""
