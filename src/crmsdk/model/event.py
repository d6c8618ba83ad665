"""Events: one fact at one moment, named for ever by its id."""

from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias

import attrs

from crmsdk.errors import InputError
from crmsdk.model.changing import with_changes
from crmsdk.model.comparison import exact
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.model.moment import to_moment
from crmsdk.model.values import EMPTY, Properties, properties

__all__ = ["AFTERWARDS", "START", "Event", "Position"]

Position: TypeAlias = tuple[datetime, str]
"""A place in the total order of facts: (event time, event id)."""

START: str = ""
"""Sorts before every id: ``(moment, START)`` is the place just before the events of that moment."""

AFTERWARDS = "~"
"""What ids of answers and of facts that runs make begin with: they sort behind what they answer."""


def _at(value: datetime) -> datetime:
    return to_moment(value, "at")


def _received(value: datetime) -> datetime:
    return to_moment(value, "received")


def _copied(value: Mapping[str, object]) -> Properties:
    return properties(value)


@attrs.frozen(kw_only=True)
class Event:
    """One fact about one customer.

    Attributes:
        id: Names the fact for ever; the same id with another body is an error.
        customer: Whose fact it is.
        name: Declared in the catalog, as ``purchase``.
        at: When it happened, UTC.
        received: When it arrived, UTC; not part of the body.
        properties: Values in normal form.
        source: Where it came from, as ``shop`` or ``journey:welcome``.
    """

    id: EventId
    customer: CustomerId
    name: str
    at: datetime = attrs.field(converter=_at)
    received: datetime = attrs.field(converter=_received)
    properties: Properties = attrs.field(
        default=EMPTY, converter=_copied, hash=False, repr=lambda p: f"<{len(p)} values>"
    )
    source: str = ""

    def __attrs_post_init__(self) -> None:
        """Refuse an empty id, customer or name."""
        for field in ("id", "customer", "name"):
            value = getattr(self, field)
            if not isinstance(value, str) or not value:
                raise InputError(f"is {type(value).__name__}; give non-empty text", field=field)

    @property
    def position(self) -> Position:
        """The place in the total order: event time, then event id."""
        return (self.at, self.id)

    def same_fact(self, other: "Event") -> bool:
        """Say whether both tell the same: all but the moment of arrival is equal, and True is not 1."""
        same = with_changes(self, received=other.received) == other
        return same and exact(self.properties) == exact(other.properties)
