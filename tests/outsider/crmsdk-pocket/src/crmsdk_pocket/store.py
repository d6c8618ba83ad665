# mypy: disable-error-code="explicit-override"
# A stranger need not mark what it overrides.
# ruff: noqa: S301 - the only pickle it reads is its own
"""A store in one pickled file: small enough to read, slow, and right."""

import fcntl
import pickle
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import attrs

from crmsdk.errors import StoreError
from crmsdk.journeys.person import Change, Note, Person, Task
from crmsdk.model.colleagues import account_key
from crmsdk.model.customer import ACCOUNT, Identifier
from crmsdk.model.event import Event
from crmsdk.model.ids import AccountId, CustomerId, EventId, MessageId
from crmsdk.model.message import Message, MessageState
from crmsdk.ports import Store, StoredDefinition


@attrs.define
class Shelf:
    """Everything there is."""

    people: dict[CustomerId, Person] = attrs.Factory(dict)
    messages: dict[MessageId, Message] = attrs.Factory(dict)
    tasks: dict[str, Task] = attrs.Factory(dict)
    notes: dict[CustomerId, list[Note]] = attrs.Factory(dict)
    definitions: dict[str, StoredDefinition] = attrs.Factory(dict)
    paused: set[str] = attrs.Factory(set)

    def events(self) -> Iterator[Event]:
        return (event for person in self.people.values() for event in person.facts.events)

    def owner(self, identifier: Identifier) -> CustomerId | None:
        found = (person.id for person in self.people.values() if identifier in person.identifiers)
        return next(found, None)

    def add_notes(self, customer: CustomerId, notes: Iterable[Note]) -> None:
        self.notes[customer] = sorted([*self.notes.get(customer, []), *notes], key=lambda note: note.at)


class PocketStore(Store):
    """Keeps everything in one file that is replaced whole, under a lock."""

    durable = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._closed = False

    @contextmanager
    def _locked(self) -> Iterator[Shelf]:
        if self._closed:
            raise StoreError("the store is closed; open a new one")
        try:
            with self._path.with_suffix(".lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield pickle.loads(self._path.read_bytes()) if self._path.exists() else Shelf()
        except OSError as error:
            raise StoreError(f"cannot read or write {self._path.name}; look at its folder") from error

    @contextmanager
    def _changing(self) -> Iterator[Shelf]:
        with self._locked() as shelf:
            yield shelf  # whatever is raised here leaves the file as it was
            fresh = self._path.with_suffix(".new")
            fresh.write_bytes(pickle.dumps(shelf))
            fresh.replace(self._path)

    async def load(self, customers: Sequence[CustomerId]) -> Sequence[Person | None]:
        with self._locked() as shelf:
            return [shelf.people.get(customer) for customer in customers]

    async def commit(self, changes: Sequence[Change]) -> Sequence[bool]:
        with self._changing() as shelf:
            return [_commit(shelf, change) for change in changes]

    async def owners(self, identifiers: Sequence[Identifier]) -> Mapping[Identifier, CustomerId]:
        with self._locked() as shelf:
            found = {identifier: shelf.owner(identifier) for identifier in identifiers}
        return {identifier: owner for identifier, owner in found.items() if owner is not None}

    async def find_events(self, ids: Sequence[EventId]) -> Mapping[EventId, Event]:
        with self._locked() as shelf:
            return {event.id: event for event in shelf.events() if event.id in ids}

    async def due(self, now: datetime, *, limit: int) -> Sequence[CustomerId]:
        with self._locked() as shelf:
            wakes = [(person.wake, person.id) for person in shelf.people.values() if person.wake is not None]
        return [customer for wake, customer in sorted(wakes) if wake <= now][:limit]

    async def rouse(self, journey: str, now: datetime) -> int:
        with self._changing() as shelf:
            count = 0
            for person in list(shelf.people.values()):
                inside = [run for run in person.enrollments if run.alive and run.journey == journey]
                for run in inside:
                    wake = now if run.wake is None else min(run.wake, now)
                    person = person.with_enrollment(attrs.evolve(run, wake=wake))  # noqa: PLW2901 - grows
                if inside:
                    shelf.people[person.id] = attrs.evolve(person, version=person.version + 1)
                    count += 1
            return count

    async def customers(self, *, after: CustomerId | None = None, limit: int) -> Sequence[CustomerId]:
        with self._locked() as shelf:
            return sorted(one for one in shelf.people if after is None or one > after)[:limit]

    async def customers_of(self, account: AccountId) -> Sequence[CustomerId]:
        key = account_key(account)
        with self._locked() as shelf:
            written = {id: person.facts.attributes for id, person in shelf.people.items()}
        return sorted(
            id
            for id, log in written.items()
            if any(entry.name == ACCOUNT and account_key(entry.value) == key for entry in log)
        )

    # -- the outbox

    async def next_due(self, *, paused: frozenset[str] = frozenset()) -> datetime | None:
        with self._locked() as shelf:
            wakes = [person.wake for person in shelf.people.values() if person.wake is not None]
            waiting = [_free(row) for row in shelf.messages.values() if _open(row, paused)]
        return min(wakes + waiting, default=None)

    async def claim(
        self, now: datetime, *, limit: int, worker: str, lease: datetime, paused: frozenset[str] = frozenset()
    ) -> Sequence[Message]:
        with self._changing() as shelf:
            free = [row for row in shelf.messages.values() if _open(row, paused) and _free(row) <= now]
            first = sorted(free, key=lambda row: row.order)[:limit]
            taken = [attrs.evolve(row, worker=worker, lease=lease) for row in first]
            shelf.messages.update((row.id, row) for row in taken)
            return taken

    async def settle(
        self,
        messages: Sequence[Message],
        *,
        worker: str,
        notes: Mapping[MessageId, Sequence[Note]] | None = None,
    ) -> Sequence[bool]:
        told = notes or {}
        with self._changing() as shelf:
            return [_settle(shelf, one, worker, told.get(one.id, ())) for one in messages]

    async def messages(self, ids: Sequence[MessageId]) -> Sequence[Message | None]:
        with self._locked() as shelf:
            return [shelf.messages.get(one) for one in ids]

    async def messages_of(
        self, customers: Sequence[CustomerId], *, since: datetime | None = None
    ) -> Sequence[Sequence[Message]]:
        with self._locked() as shelf:
            rows = [row for row in shelf.messages.values() if since is None or row.due >= since]
        rows.sort(key=lambda row: (row.due, row.id))
        return [[row for row in rows if row.customer == customer] for customer in customers]

    # -- the rest

    async def notes_of(
        self, customers: Sequence[CustomerId], *, since: datetime | None = None
    ) -> Sequence[Sequence[Note]]:
        with self._locked() as shelf:
            lines = [shelf.notes.get(customer, []) for customer in customers]
        return [[line for line in some if since is None or line.at >= since] for some in lines]

    async def tasks(
        self, *, customers: Collection[CustomerId] | None = None, open_only: bool = True
    ) -> Sequence[Task]:
        with self._locked() as shelf:
            found = [task for task in shelf.tasks.values() if customers is None or task.customer in customers]
        asked = [task for task in found if task.done is None or not open_only]
        return sorted(asked, key=lambda task: (task.deadline, task.id))

    async def save_definitions(self, definitions: Sequence[StoredDefinition]) -> None:
        with self._changing() as shelf:
            for definition in definitions:
                kept = shelf.definitions.pop(definition.hash, definition)
                shelf.definitions[kept.hash] = kept

    async def definitions(self) -> Sequence[StoredDefinition]:
        with self._locked() as shelf:
            return list(shelf.definitions.values())

    async def set_paused(self, journey: str, paused: bool) -> None:
        with self._changing() as shelf:
            (shelf.paused.add if paused else shelf.paused.discard)(journey)

    async def paused(self) -> frozenset[str]:
        with self._locked() as shelf:
            return frozenset(shelf.paused)

    async def close(self) -> None:
        self._closed = True


def _settle(shelf: Shelf, message: Message, worker: str, notes: Sequence[Note]) -> bool:
    row = shelf.messages.get(message.id)
    if row is None or row.state.final or (row.lease is not None and row.worker != worker):
        return False
    shelf.messages[row.id] = attrs.evolve(message, customer=row.customer)
    shelf.add_notes(row.customer, notes)
    return True


def _commit(shelf: Shelf, change: Change) -> bool:
    who = change.person.id
    absorbed = {person.id for person in change.absorbs}
    if who in absorbed:
        raise StoreError("a change absorbs its own person; give only other customers in 'absorbs'")
    if not _may_commit(shelf, change, absorbed):
        return False
    for gone in absorbed:
        del shelf.people[gone]
        shelf.add_notes(who, shelf.notes.pop(gone, []))
    facts = change.person.facts
    events = tuple(attrs.evolve(event, customer=who) for event in facts.events)
    shelf.people[who] = attrs.evolve(
        change.person,
        version=change.person.version + 1,
        facts=attrs.evolve(facts, customer=who, events=events),
    )
    for row in list(shelf.messages.values()):
        if row.customer in absorbed:
            shelf.messages[row.id] = attrs.evolve(row, customer=who)
    for task in list(shelf.tasks.values()):
        if task.customer in absorbed:
            shelf.tasks[task.id] = attrs.evolve(task, customer=who)
    shelf.messages.update((row.id, row) for row in change.messages)
    shelf.tasks.update((task.id, task) for task in change.tasks)
    for row in list(shelf.messages.values()):
        if row.customer == who and row.enrollment in change.withdrawn and row.state is MessageState.PENDING:
            del shelf.messages[row.id]
    for task in list(shelf.tasks.values()):
        if task.customer == who and task.enrollment in change.withdrawn and task.done is None:
            del shelf.tasks[task.id]
    shelf.add_notes(who, change.notes)
    return True


def _may_commit(shelf: Shelf, change: Change, absorbed: set[CustomerId]) -> bool:
    """Say whether nobody wrote these people since, and nobody else holds what is new."""
    for read in (change.person, *change.absorbs):
        stored = shelf.people.get(read.id)
        if read.version != (0 if stored is None else stored.version):
            return False
    mine = {None, change.person.id, *absorbed}
    if any(shelf.owner(identifier) not in mine for identifier in change.identifiers):
        return False
    known = {event.id for event in shelf.events() if event.customer not in absorbed}
    new = [event.id for event in change.events]
    return len(set(new)) == len(new) and known.isdisjoint(new)


def _open(row: Message, paused: frozenset[str]) -> bool:
    return not row.state.final and row.journey not in paused


def _free(row: Message) -> datetime:
    """Say from when a message may be claimed."""
    if row.lease is None:
        return row.not_before
    return row.lease if row.state is MessageState.SENDING else max(row.lease, row.not_before)
