"""Spans of time that questions name: windows in which events count, and how one moment lies to now.

A span is absolute (a day is 24 hours). Windows are half-open: ``(now - span, now]`` and ``[start, end)``.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

import attrs

from crmsdk.errors import DefinitionError, InputError
from crmsdk.model.codec import definition
from crmsdk.model.moment import to_moment

__all__ = [
    "Absolute",
    "Interval",
    "Relation",
    "Relative",
    "Rolling",
    "Timing",
    "Window",
    "as_moment",
    "as_span",
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


@definition("rolling")
@attrs.frozen
class Rolling:
    """The window ``(now - span, now]``: an event leaves at exactly its moment + span."""

    span: timedelta = attrs.field(converter=as_span)


@definition("interval")
@attrs.frozen
class Interval:
    """The window ``[start, end)`` of absolute time, UTC."""

    start: datetime = attrs.field(converter=as_moment)
    end: datetime = attrs.field(converter=as_moment)

    def __attrs_post_init__(self) -> None:
        """Refuse an empty or reversed interval."""
        _refuse_reversed(self.start, self.end)


Window: TypeAlias = Rolling | Interval
"""When events count; no window means all of the past."""


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
