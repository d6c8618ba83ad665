"""Short ways to write down a customer for tests."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from datetime import timedelta as td

from crmsdk.model.customer import AttributeWrite
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId

NOW = datetime(2026, 3, 29, 1, tzinfo=UTC)
TICK = td(microseconds=1)
ANN = CustomerId("ann")


def happened(name: str, ago: timedelta, id: str = "", **properties: object) -> Event:
    """Write an event that long before NOW."""
    return Event(
        id=EventId(id or f"{name}-{ago}"),
        customer=ANN,
        name=name,
        at=NOW - ago,
        received=NOW,
        properties=properties,
    )


def wrote(name: str, value: object, ago: timedelta = td(days=1)) -> AttributeWrite:
    """Write an attribute that long before NOW."""
    return AttributeWrite(name=name, value=value, at=NOW - ago, id=EventId(f"{name}-{ago}"))  # type: ignore[arg-type]  # tests give values in normal form


def ann(events: Sequence[Event] = (), writes: Sequence[AttributeWrite] = ()) -> Facts:
    """Give the facts of one customer."""
    return Facts(customer=ANN).with_events(events).with_attributes(writes)
