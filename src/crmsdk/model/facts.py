"""Facts: everything known about one customer, in the order predicates read it."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from datetime import datetime

import attrs

from crmsdk.model.changing import with_changes
from crmsdk.model.consent import ConsentWrite
from crmsdk.model.customer import PROFILE, AttributeWrite
from crmsdk.model.event import Event, Position
from crmsdk.model.ids import CustomerId
from crmsdk.model.values import Value

__all__ = ["Facts"]


def _place(event: Event) -> Position:
    return (event.at, event.id)


def _written(write: AttributeWrite) -> Position:
    return (write.at, write.id)


@attrs.frozen(kw_only=True)
class Facts:
    """The history of one customer; adding to it gives a new one.

    Attributes:
        customer: Whose it is.
        zone: IANA zone name; None when unknown (the project's zone stands in).
        events: In total order (event time, event id); future ones included.
        attributes: The attribute log in the order (moment, fact id); future ones included.
        consents: The consent log, any order.
    """

    customer: CustomerId
    zone: str | None = None
    events: tuple[Event, ...] = attrs.field(default=(), repr=lambda events: f"<{len(events)} events>")
    attributes: tuple[AttributeWrite, ...] = attrs.field(default=(), repr=lambda log: f"<{len(log)} writes>")
    consents: tuple[ConsentWrite, ...] = ()

    def with_events(self, events: Iterable[Event]) -> "Facts":
        """Add events at their places."""
        new = list(self.events)
        for event in events:
            if not new or _place(new[-1]) < _place(event):
                new.append(event)
            else:
                insort(new, event, key=_place)
        return with_changes(self, events=tuple(new))

    def with_attributes(self, writes: Iterable[AttributeWrite]) -> "Facts":
        """Add entries of the attribute log at their places."""
        return with_changes(self, attributes=tuple(sorted((*self.attributes, *writes), key=_written)))

    def attribute(self, name: str, now: datetime) -> Value:
        """Give the value of an attribute as of ``now``; None when missing.

        A dotted name reads into mappings, as ``address.city``, unless an attribute has that very name.
        """
        head, _, path = name.partition(".")
        found: Value = None
        for write in reversed(self.attributes):
            if write.at > now:
                continue
            if write.name == name:
                return write.value
            if path and write.name == head:
                found = write.value
                break
        for part in path.split(".") if path else ():
            found = found.get(part) if isinstance(found, dict) else None
        return found

    def current(self, now: datetime) -> dict[str, Value]:
        """Give every attribute that has a value as of ``now``; zone, locale and account are none."""
        out = {write.name: write.value for write in self.attributes if write.at <= now}
        return {name: value for name, value in out.items() if value is not None and name not in PROFILE}

    def between(self, after: Position, upto: Position) -> tuple[Event, ...]:
        """Give the events with ``after < position <= upto``, in total order."""
        low = bisect_right(self.events, after, key=_place)
        return self.events[low : bisect_right(self.events, upto, key=_place)]

    def event(self, position: Position) -> Event | None:
        """Give the event at a place of the total order, or None."""
        index = bisect_left(self.events, position, key=_place)
        if index < len(self.events) and _place(self.events[index]) == position:
            return self.events[index]
        return None
