"""What an evaluation answers: the truth, how long it stays so by itself, and why."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeAlias

import attrs

from crmsdk.model.event import Position
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.model.values import Value
from crmsdk.segments.conditions import Condition

__all__ = ["Because", "RunView", "Threshold", "Verdict"]

Threshold: TypeAlias = Value | timedelta | tuple[timedelta, timedelta]


@attrs.frozen(kw_only=True)
class RunView:
    """What a condition may know of the run it is asked in.

    Attributes:
        entry: Place of the trigger in the total order; "since entry" counts after it.
        entered: When the run began, UTC; explanations name it, answers never depend on it, because it
            depends on the order of arrival.
        key: Value of the entry key; None when the trigger declares none.
        key_name: Property the key was read from; None when the trigger declares none.
    """

    entry: Position
    entered: datetime
    key: Value = attrs.field(default=None, hash=False, repr=False)
    key_name: str | None = None


@attrs.frozen(kw_only=True)
class Because:
    """One part of an answer: what was asked, what was found, and the parts below.

    Attributes:
        condition: The question; ``crmsdk.reports.explanation`` says it in other languages, too.
        text: The question in plain English.
        matched: Whether it holds.
        until: The earliest moment at which that may change with no new fact, UTC; None for never.
        found: The value found: of an attribute, a count, a sum, a moment, a consent; None when missing, and
            for parts that only join others. Hidden in the repr, because attributes may be personal.
        asked: The threshold it was compared with: of a count the lower and the upper bound.
        events: Ids of the events counted, in total order.
        people: Of a question about an account's people, the ids of those counted, in text order.
        parts: The reasons of the parts, as they stand in the definition.
    """

    condition: Condition
    text: str
    matched: bool
    until: datetime | None
    found: Threshold = attrs.field(default=None, repr=False)
    asked: Threshold = attrs.field(default=None, repr=False)
    events: tuple[EventId, ...] = ()
    people: tuple[CustomerId, ...] = ()
    parts: tuple["Because", ...] = ()


@attrs.frozen
class Verdict:
    """The answer to one condition about one customer at one moment.

    Attributes:
        matched: Whether it holds.
        until: The earliest moment at which that may change with no new fact, UTC; None for never. Never later
            than the first real change. At ``until`` ask again.
    """

    matched: bool
    until: datetime | None
    _why: Callable[[], Because] = attrs.field(eq=False, repr=False)

    @property
    def because(self) -> Because:
        """The reason, as a tree of parts; made anew at each access, because few answers are asked for it."""
        return self._why()
