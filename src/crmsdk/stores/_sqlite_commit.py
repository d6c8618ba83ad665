"""Write changes: judge them one after the other, write those that stand together."""

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import attrs

from crmsdk.journeys.person import Change, Person
from crmsdk.model.customer import Identifier
from crmsdk.model.ids import CustomerId
from crmsdk.stores._sqlite_known import KnownPeople
from crmsdk.stores._sqlite_outbox import MESSAGES, NOTES, TASKS
from crmsdk.stores._sqlite_people import (
    ATTRIBUTES,
    CONSENTS,
    ENROLLMENTS,
    EVENTS,
    IDENTIFIERS,
    PARTS,
    PEOPLE,
    WATCHES,
)
from crmsdk.stores._sqlite_reading import among, owners_of
from crmsdk.stores._sqlite_table import Row, Table
from crmsdk.stores._writing import absorbed_by, taken_over, written

__all__ = ["commit"]

_NOBODY: frozenset[CustomerId] = frozenset()


def commit(connection: sqlite3.Connection, changes: Sequence[Change], known: KnownPeople) -> list[bool]:
    """Write the changes that stand, in order; say for each whether it did."""
    known.agree(connection)
    answers: list[bool] = []
    standing = _Standing.before(connection, changes)
    batch = _Batch(connection)
    for index, change in enumerate(changes):
        absorbed = absorbed_by(change) if change.absorbs else _NOBODY
        stands = standing.takes(change, absorbed)
        answers.append(stands)
        if stands and absorbed:
            batch.flush()
            known.take_out(connection, absorbed)
            known.stage(_absorb(connection, change, absorbed))
            standing = _Standing.before(connection, changes[index + 1 :])
        elif stands:
            batch.add(change)
            known.stage(written(change.person))
    batch.flush()
    return answers


@attrs.define
class _Standing:
    """What the database holds of all that a batch of changes may collide with; grows with each change."""

    versions: dict[CustomerId, int]
    owners: dict[Identifier, CustomerId]
    events: dict[str, CustomerId]

    @classmethod
    def before(cls, connection: sqlite3.Connection, changes: Sequence[Change]) -> "_Standing":
        """Read it for a batch."""
        people = (person.id for change in changes for person in (change.person, *change.absorbs))
        events = (event.id for change in changes for event in change.events)
        return cls(
            versions=dict(among(connection, "SELECT id, version FROM person WHERE id IN", people)),
            owners=owners_of(connection, (name for change in changes for name in change.identifiers)),
            events=dict(among(connection, "SELECT id, customer FROM event WHERE id IN", events)),
        )

    def takes(self, change: Change, absorbed: frozenset[CustomerId]) -> bool:
        """Say whether a change collides with nothing, and if so count it as written."""
        person = change.person
        if not self._is_as_read(person) or not all(map(self._is_as_read, change.absorbs)):
            return False
        for identifier in change.identifiers:
            owner = self.owners.get(identifier, person.id)
            if owner != person.id and owner not in absorbed:
                return False
        for event in change.events:
            known = self.events.get(event.id)
            if known is not None and known not in absorbed:
                return False
        if len(change.events) > 1 and len({event.id for event in change.events}) < len(change.events):
            return False
        self.versions[person.id] = person.version + 1
        for identifier in change.identifiers:
            self.owners[identifier] = person.id
        for event in change.events:
            self.events[event.id] = person.id
        return True

    def _is_as_read(self, person: Person) -> bool:
        return self.versions.get(person.id, 0) == person.version


class _Batch:
    """Rows of several changes, written a table at a time.

    That is the same as writing one change after the other only while no person comes twice: a person's
    second change first flushes.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._clear()

    def _clear(self) -> None:
        self._people: set[CustomerId] = set()
        self._rows: dict[str, list[Row]] = defaultdict(list)

    def add(self, change: Change) -> None:
        """Take the rows of a change in."""
        owner = change.person.id
        if owner in self._people:
            self.flush()
        self._people.add(owner)
        rows = self._rows
        rows[PEOPLE.insert].append(PEOPLE.row(owner, change.person))
        for table, values in _parts(change):
            if values:
                rows[table.insert] += [table.row(owner, value) for value in values]
        if change.dropped:
            rows[_DROP] += [(owner, *id) for id in change.dropped]
        if change.withdrawn:
            rows[_WITHDRAW] += [(owner, run) for run in change.withdrawn]
            rows[_CALL_OFF] += [(owner, run) for run in change.withdrawn]

    def flush(self) -> None:
        """Write what was taken in."""
        for sql in _IN_ORDER:
            rows = self._rows.get(sql)
            if rows:
                self._connection.executemany(sql, rows)
        self._clear()


def _parts(change: Change) -> tuple[tuple[Table[Any], Sequence[Any]], ...]:
    return (
        (IDENTIFIERS, change.identifiers),
        (EVENTS, change.events),
        (ATTRIBUTES, change.attributes),
        (CONSENTS, change.consents),
        (ENROLLMENTS, change.enrollments),
        (WATCHES, change.watches),
        (MESSAGES, change.messages),
        (TASKS, change.tasks),
        (NOTES, change.notes),
    )


_DROP = "DELETE FROM watch WHERE owner = ? AND kind = ? AND journey = ? AND slot = ? AND key = ?"
_WITHDRAW = "DELETE FROM message WHERE customer = ? AND enrollment = ? AND state = 'pending'"
_CALL_OFF = "DELETE FROM task WHERE customer = ? AND enrollment = ? AND done IS NULL"
_IN_ORDER = (
    *(table.insert for table in (PEOPLE, IDENTIFIERS, EVENTS, ATTRIBUTES, CONSENTS, ENROLLMENTS)),
    *(_DROP, WATCHES.insert, MESSAGES.insert, _WITHDRAW, TASKS.insert, _CALL_OFF, NOTES.insert),
)


def _absorb(connection: sqlite3.Connection, change: Change, absorbed: frozenset[CustomerId]) -> Person:
    """Write the person anew, in the place of those it absorbs; give it as it reads now."""
    person = taken_over(change.person)
    connection.execute(PEOPLE.insert, PEOPLE.row(person.id, person))
    for customer in (person.id, *sorted(absorbed)):
        for part, _ in PARTS:
            connection.execute(f"DELETE FROM {part.name} WHERE {part.columns[0]} = ?", (customer,))  # noqa: S608 - names are constants
    for customer in sorted(absorbed):
        for table in (MESSAGES.name, TASKS.name, NOTES.name):
            connection.execute(
                f"UPDATE {table} SET customer = ? WHERE customer = ?",  # noqa: S608 - names are constants
                (person.id, customer),
            )
        connection.execute("DELETE FROM person WHERE id = ?", (customer,))
    whole = attrs.evolve(
        change,
        person=person,
        events=person.facts.events,
        attributes=person.facts.attributes,
        consents=person.facts.consents,
        identifiers=person.identifiers,
        enrollments=person.enrollments,
        watches=person.watches,
        dropped=(),
    )
    batch = _Batch(connection)
    batch.add(whole)
    batch.flush()
    return written(person)
