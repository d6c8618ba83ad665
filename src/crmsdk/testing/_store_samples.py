"""People and what belongs to them, made in one line each, for the suite of stores."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs

from crmsdk.journeys.person import Change, Enrollment, Note, NoteKind, Person, Phase, Task
from crmsdk.model.customer import Identifier, IdentifierKind
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EnrollmentId, EventId, MessageId
from crmsdk.model.message import Message, MessageKind
from crmsdk.ports import Store

__all__ = [
    "NOON",
    "add",
    "email",
    "event",
    "hours",
    "ids",
    "load_one",
    "message",
    "messages_of",
    "note",
    "notes_of",
    "person",
    "run",
    "settle",
    "task",
    "with_events",
    "write",
]

NOON: Final = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)


def hours(count: float) -> datetime:
    """Give the moment so many hours after noon."""
    return NOON + timedelta(hours=count)


def person(id: str = "ann", **fields: Any) -> Person:
    """Make a person nobody has stored yet."""
    facts = Facts(customer=CustomerId(id))
    return Person(**{"id": CustomerId(id), "created": NOON, "facts": facts, **fields})


def email(value: str) -> Identifier:
    """Make an address."""
    return Identifier(IdentifierKind.EMAIL, value)


def event(id: str, customer: str = "ann", *, at: datetime = NOON, **fields: Any) -> Event:
    """Make an event."""
    made: dict[str, Any] = {
        "id": EventId(id),
        "customer": CustomerId(customer),
        "name": "seen",
        "at": at,
        "received": at,
    }
    return Event(**{**made, **fields})


def run(id: str, *, wake: datetime | None = None, journey: str = "welcome", **fields: Any) -> Enrollment:
    """Make a run that waits."""
    made: dict[str, Any] = {
        "customer": CustomerId("ann"),
        "definition": "d1",
        "position": (NOON, "e"),
        "entered": NOON,
    }
    made |= {"since": NOON, "phase": Phase.WAITING}
    return Enrollment(**{"id": EnrollmentId(id), "journey": journey, "wake": wake, **made, **fields})


def message(id: str, customer: str = "ann", *, at: datetime = NOON, **fields: Any) -> Message:
    """Make a pending message that may go at ``at``."""
    made: dict[str, Any] = {"template": "hello", "channels": ("email", "sms"), "kind": MessageKind.TRIGGER}
    made |= {"purpose": "welcome", "due": at, "not_before": at, "expires": at + timedelta(days=1)}
    made |= {"journey": "welcome", "enrollment": EnrollmentId("r1")}
    return Message(**{"id": MessageId(id), "customer": CustomerId(customer), **made, **fields})


def task(id: str, customer: str = "ann", **fields: Any) -> Task:
    """Make an open task."""
    made: dict[str, Any] = {
        "journey": "welcome",
        "enrollment": EnrollmentId("r1"),
        "step": "call",
        "title": "Call",
        "to": "desk",
    }
    made |= {"opened": NOON, "deadline": hours(24)}
    return Task(**{"id": id, "customer": CustomerId(customer), **made, **fields})


def note(text: str, *, at: datetime = NOON, **fields: Any) -> Note:
    """Make a line of a timeline."""
    return Note(**{"at": at, "kind": NoteKind.STEP, "text": text, **fields})


def with_events(before: Person, *events: Event) -> Person:
    """Give a person that saw more events."""
    return attrs.evolve(before, facts=before.facts.with_events(events))


async def write(store: Store, before: Person, after: Person | None = None, **more: Any) -> Person:
    """Commit what is new in ``after``, which has to be accepted; give the person as it reads now."""
    (accepted,) = await store.commit([Change.between(before, after or before, **more)])
    assert accepted, "the store refused a change that collides with nothing"
    return await load_one(store, before.id)


async def add(store: Store, new: Person, **more: Any) -> Person:
    """Store a new person with all it holds."""
    empty = attrs.evolve(new, identifiers=(), facts=Facts(customer=new.id), enrollments=(), watches=())
    return await write(store, empty, new, **more)


async def load_one(store: Store, id: str = "ann") -> Person:
    """Read a person that must be there."""
    (found,) = await store.load([CustomerId(id)])
    assert found is not None, f"the store does not know {id!r}, who was written"
    return found


async def messages_of(store: Store, customer: CustomerId) -> Sequence[Message]:
    """Read the messages of one customer."""
    (found,) = await store.messages_of([customer])
    return found


async def notes_of(store: Store, customer: CustomerId) -> Sequence[Note]:
    """Read the timeline of one customer."""
    (found,) = await store.notes_of([customer])
    return found


async def settle(store: Store, held: Message, *, worker: str, notes: Sequence[Note] = ()) -> bool:
    """Settle one message alone; say whether it was written."""
    (written,) = await store.settle([held], worker=worker, notes={held.id: notes})
    return written


def ids(found: Any) -> list[str]:
    """Name messages or tasks by id."""
    return [item.id for item in found]
