"""The reference store: everything in this process's memory, gone with it.

It never suspends, so a simulation drives it without an event loop. Every other store must behave as it does.
"""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Final, TypeAlias

from typing_extensions import override

from crmsdk.errors import StoreError
from crmsdk.journeys.person import Change, Note, Person, Task
from crmsdk.model.customer import Identifier
from crmsdk.model.event import Event
from crmsdk.model.ids import AccountId, CustomerId, EventId, MessageId
from crmsdk.model.message import Message, MessageState
from crmsdk.ports import Store, StoredDefinition
from crmsdk.stores._memory_accounts import AccountPeople
from crmsdk.stores._memory_queues import Outbox, Wakes
from crmsdk.stores._memory_rows import OwnedRows
from crmsdk.stores._writing import absorbed_by, taken_over, written

__all__ = ["MemoryStore"]

_Line: TypeAlias = tuple[datetime, int, Note]
"""A note with its moment and its place in the order of writing."""

_NOBODY: Final[frozenset[CustomerId]] = frozenset()


class MemoryStore(Store):
    """Keeps immutable values in dictionaries and two heaps; for one thread."""

    durable = False

    def __init__(self) -> None:
        self._people: dict[CustomerId, Person] = {}
        self._owners: dict[Identifier, CustomerId] = {}
        self._events: dict[EventId, Event] = {}
        self._accounts = AccountPeople()
        self._wakes = Wakes()
        self._messages = OwnedRows[Message]()
        self._outbox = Outbox(self._messages)
        self._notes: dict[CustomerId, list[_Line]] = {}
        self._lines = count()
        self._tasks = OwnedRows[Task]()
        self._definitions: dict[str, StoredDefinition] = {}
        self._paused: frozenset[str] = frozenset()
        self._ids: list[CustomerId] = []
        self._ids_sorted = True
        self._closed = False

    @override
    async def load(self, customers: Sequence[CustomerId]) -> Sequence[Person | None]:
        self._check_open()
        return [self._people.get(customer) for customer in customers]

    @override
    async def owners(self, identifiers: Sequence[Identifier]) -> Mapping[Identifier, CustomerId]:
        self._check_open()
        return {name: self._owners[name] for name in identifiers if name in self._owners}

    @override
    async def find_events(self, ids: Sequence[EventId]) -> Mapping[EventId, Event]:
        self._check_open()
        return {id: self._events[id] for id in ids if id in self._events}

    @override
    async def commit(self, changes: Sequence[Change]) -> Sequence[bool]:
        self._check_open()
        absorbed = [absorbed_by(change) if change.absorbs else _NOBODY for change in changes]
        return [self._write(change, gone) for change, gone in zip(changes, absorbed, strict=True)]

    @override
    async def due(self, now: datetime, *, limit: int) -> Sequence[CustomerId]:
        self._check_open()
        return self._wakes.due(now, limit)

    @override
    async def next_due(self, *, paused: frozenset[str] = frozenset()) -> datetime | None:
        self._check_open()
        moments = (self._wakes.first(), self._outbox.first(paused))
        return min((moment for moment in moments if moment is not None), default=None)

    @override
    async def rouse(self, journey: str, now: datetime) -> int:
        self._check_open()
        roused = [
            person
            for person in self._people.values()
            if any(run.journey == journey and run.alive for run in person.enrollments)
        ]
        for person in roused:
            self._people[person.id] = written(person)
            wake = self._wakes.get(person.id)
            self._wakes.put(person.id, now if wake is None else min(wake, now))
        return len(roused)

    @override
    async def claim(
        self, now: datetime, *, limit: int, worker: str, lease: datetime, paused: frozenset[str] = frozenset()
    ) -> Sequence[Message]:
        self._check_open()
        return self._outbox.take(now, limit=limit, worker=worker, lease=lease, paused=paused)

    @override
    async def settle(
        self,
        messages: Sequence[Message],
        *,
        worker: str,
        notes: Mapping[MessageId, Sequence[Note]] | None = None,
    ) -> Sequence[bool]:
        self._check_open()
        told = notes or {}
        return [self._settle(message, worker, told.get(message.id, ())) for message in messages]

    @override
    async def messages(self, ids: Sequence[MessageId]) -> Sequence[Message | None]:
        self._check_open()
        return [self._messages.by_id.get(id) for id in ids]

    @override
    async def messages_of(
        self, customers: Sequence[CustomerId], *, since: datetime | None = None
    ) -> Sequence[Sequence[Message]]:
        self._check_open()
        return [
            sorted(
                (row for row in self._messages.of(customer) if since is None or row.due >= since),
                key=lambda row: (row.due, row.id),
            )
            for customer in customers
        ]

    @override
    async def notes_of(
        self, customers: Sequence[CustomerId], *, since: datetime | None = None
    ) -> Sequence[Sequence[Note]]:
        self._check_open()
        return [
            [note for at, _, note in sorted(self._notes.get(customer, ())) if since is None or at >= since]
            for customer in customers
        ]

    @override
    async def tasks(
        self, *, customers: Collection[CustomerId] | None = None, open_only: bool = True
    ) -> Sequence[Task]:
        self._check_open()
        rows = (
            self._tasks.all()
            if customers is None
            else [task for customer in frozenset(customers) for task in self._tasks.of(customer)]
        )
        found = [task for task in rows if not open_only or task.done is None]
        return sorted(found, key=lambda task: (task.deadline, task.id))

    @override
    async def customers(self, *, after: CustomerId | None = None, limit: int) -> Sequence[CustomerId]:
        self._check_open()
        if not self._ids_sorted:
            self._ids = sorted(self._people)
            self._ids_sorted = True
        start = 0 if after is None else bisect_right(self._ids, after)
        return self._ids[start : start + limit]

    @override
    async def customers_of(self, account: AccountId) -> Sequence[CustomerId]:
        self._check_open()
        return self._accounts.of(account)

    @override
    async def save_definitions(self, definitions: Sequence[StoredDefinition]) -> None:
        self._check_open()
        for definition in definitions:
            kept = self._definitions.pop(definition.hash, definition)
            self._definitions[kept.hash] = kept

    @override
    async def definitions(self) -> Sequence[StoredDefinition]:
        self._check_open()
        return list(self._definitions.values())

    @override
    async def set_paused(self, journey: str, paused: bool) -> None:
        self._check_open()
        self._paused = self._paused | {journey} if paused else self._paused - {journey}

    @override
    async def paused(self) -> frozenset[str]:
        self._check_open()
        return self._paused

    @override
    async def close(self) -> None:
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("the store is closed; open a new one")

    def _write(self, change: Change, absorbed: frozenset[CustomerId]) -> bool:
        person = change.person
        if self._conflicts(change, absorbed):
            return False
        if absorbed:
            person = self._absorb(taken_over(person), absorbed)
        else:
            for event in change.events:
                self._events[event.id] = event
            for identifier in change.identifiers:
                self._owners[identifier] = person.id
            if change.attributes:
                self._accounts.put(person.id, change.attributes)
        if person.version == 0:
            self._ids_sorted = False
        self._people[person.id] = written(person)
        self._wakes.put(person.id, person.wake)
        for message in change.messages:
            self._outbox.put(message, person.id)
        for task in change.tasks:
            self._tasks.put(task, person.id)
        if change.withdrawn:
            self._withdraw(change)
        if change.notes:
            self._add_notes(person.id, change.notes)
        return True

    def _conflicts(self, change: Change, absorbed: frozenset[CustomerId]) -> bool:
        if not self._is_as_read(change.person) or not all(map(self._is_as_read, change.absorbs)):
            return True
        for event in change.events:
            known = self._events.get(event.id)
            if known is not None and known.customer not in absorbed:
                return True
        for identifier in change.identifiers:
            owner = self._owners.get(identifier, change.person.id)
            if owner != change.person.id and owner not in absorbed:
                return True
        return len(change.events) > 1 and len({event.id for event in change.events}) < len(change.events)

    def _is_as_read(self, person: Person) -> bool:
        stored = self._people.get(person.id)
        return person.version == (0 if stored is None else stored.version)

    def _absorb(self, person: Person, absorbed: frozenset[CustomerId]) -> Person:
        """Put the person in the place of those it absorbs, and of itself."""
        for customer in (person.id, *absorbed):
            stored = self._people.pop(customer, None)
            if stored is not None:
                self._accounts.drop(customer, stored.facts.attributes)
                for identifier in stored.identifiers:
                    self._owners.pop(identifier, None)
                for event in stored.facts.events:
                    self._events.pop(event.id, None)
        for customer in absorbed:
            self._wakes.put(customer, None)
            for message in self._messages.of(customer):
                self._messages.put(message, person.id)
            for task in self._tasks.of(customer):
                self._tasks.put(task, person.id)
            self._notes.setdefault(person.id, []).extend(self._notes.pop(customer, ()))
        self._ids_sorted = False
        self._owners.update(dict.fromkeys(person.identifiers, person.id))
        self._events.update((event.id, event) for event in person.facts.events)
        self._accounts.put(person.id, person.facts.attributes)
        return person

    def _settle(self, message: Message, worker: str, notes: Sequence[Note]) -> bool:
        row = self._messages.by_id.get(message.id)
        if row is None or row.state.final or (row.lease is not None and row.worker != worker):
            return False
        self._outbox.put(message, row.customer)
        self._add_notes(row.customer, notes)
        return True

    def _withdraw(self, change: Change) -> None:
        for row in self._messages.of(change.person.id):
            if row.enrollment in change.withdrawn and row.state is MessageState.PENDING:
                self._messages.remove(row)
        for task in self._tasks.of(change.person.id):
            if task.enrollment in change.withdrawn and task.done is None:
                self._tasks.remove(task)

    def _add_notes(self, customer: CustomerId, notes: Sequence[Note]) -> None:
        lines = self._notes.setdefault(customer, [])
        lines.extend((note.at, next(self._lines), note) for note in notes)
