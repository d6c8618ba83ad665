"""The SQLite store next to plain driver code that writes the same rows into the same schema.

Both write 10 batches of 1,000 customers into a file with a write-ahead log and ``synchronous=FULL``, one
transaction a batch. Ours starts from values: it checks versions, event ids and identifiers, encodes values
and moments, and hops to its thread. The floor starts from rows that lack only the JSON text of their
properties; it writes that with ``json.dumps``, checks nothing and hands the rows to ``executemany``.
"""

import asyncio
import json
import sqlite3
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import attrs

from bench.frame import Run, Side, versus
from crmsdk.journeys.person import Change, Note, NoteKind, Person
from crmsdk.model.facts import Facts
from crmsdk.model.money import Money
from crmsdk.stores._sqlite_outbox import MESSAGES, NOTES
from crmsdk.stores._sqlite_people import ENROLLMENTS, EVENTS, PEOPLE
from crmsdk.stores._sqlite_table import Row, Table
from crmsdk.stores.sqlite import SqliteStore
from crmsdk.testing._store_samples import NOON, event, hours, message, person, run, with_events

BATCH: Final = 1_000
N: Final = 10 * BATCH

Rows = list[tuple[str, list[Row]]]
Grow = Callable[[Person, int], Change]


def _one_event(before: Person, number: int) -> Change:
    fact = event(
        f"e{number:08}", before.id, properties={"cart_id": number, "total": Money(9000, "RUB"), "sku": "A-17"}
    )
    return Change(person=with_events(before, fact), events=(fact,))


def _one_turn(before: Person, number: int) -> Change:
    entered = run(f"r{number:08}", wake=hours(number % 99), customer=before.id, values={"cart_id": number})
    asked = message(f"m{number:08}", before.id, payload={"cart_id": number})
    lines = tuple(Note(at=NOON, kind=kind, journey="cart") for kind in (NoteKind.ENTERED, NoteKind.ASKED))
    seen = _one_event(before, number)
    return attrs.evolve(
        seen,
        person=seen.person.with_enrollment(entered),
        enrollments=(entered,),
        messages=(asked,),
        notes=lines,
    )


def _batches(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (values[start : start + BATCH] for start in range(0, len(values), BATCH))


def _rows(changes: Sequence[Change]) -> Rows:
    """Make the rows that ours will write, JSON columns as plain dictionaries again."""
    parts: list[tuple[Table[Any], Callable[[Change], Sequence[Any]]]] = [
        (PEOPLE, lambda change: [change.person]),
        (EVENTS, lambda change: change.events),
        (ENROLLMENTS, lambda change: change.enrollments),
        (MESSAGES, lambda change: change.messages),
        (NOTES, lambda change: change.notes),
    ]
    return [
        (
            table.insert,
            [_loose(table.row(change.person.id, value)) for change in changes for value in of(change)],
        )
        for table, of in parts
    ]


def _loose(row: Row) -> Row:
    return tuple(json.loads(cell) if isinstance(cell, str) and cell.startswith("{") else cell for cell in row)


def _dumped(rows: list[Row]) -> list[Row]:
    """Write the JSON columns of a table's rows, found once."""
    places = [place for place, cell in enumerate(rows[0] if rows else ()) if isinstance(cell, dict)]
    for place in places:
        rows = [(*row[:place], json.dumps(row[place]), *row[place + 1 :]) for row in rows]
    return rows


class _File:
    """A database that already knows everybody."""

    def __init__(self, grow: Grow) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.path = Path(self._folder.name) / "crm.db"
        people = [person(f"p{number * 7919 % N:06}") for number in range(N)]
        store = SqliteStore(self.path)
        _finish(store, *(store.commit([Change(person=one) for one in batch]) for batch in _batches(people)))
        known = [attrs.evolve(one, version=1, facts=Facts(customer=one.id)) for one in people]
        self.changes = [grow(one, number) for number, one in enumerate(known)]


def _finish(store: SqliteStore, *calls: Coroutine[Any, Any, Sequence[bool]]) -> None:
    async def play() -> None:
        for call in calls:
            assert all(await call)
        await store.close()

    asyncio.run(play())


def _ours(grow: Grow) -> Side:
    def prepare() -> Run:
        file = _File(grow)
        store = SqliteStore(file.path)
        return lambda: _finish(store, *(store.commit(batch) for batch in _batches(file.changes)))

    return prepare


def _floor(grow: Grow) -> Side:
    def prepare() -> Run:
        file = _File(grow)
        batches = [_rows(batch) for batch in _batches(file.changes)]

        def write() -> None:
            with closing(sqlite3.connect(file.path, isolation_level=None)) as connection:
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA foreign_keys = ON")
                for batch in batches:
                    connection.execute("BEGIN IMMEDIATE")
                    for sql, rows in batch:
                        connection.executemany(sql, _dumped(rows))
                    connection.execute("COMMIT")

        return write

    return prepare


@versus("engine.store_events", n=N, peer="plain sqlite3", least=0.5)
def events() -> tuple[Side, Side]:
    """Write changes of one event."""
    return _ours(_one_event), _floor(_one_event)


@versus("engine.store_turns", n=N, peer="plain sqlite3", least=0.5)
def turns() -> tuple[Side, Side]:
    """Write whole turns: an event, a run, a message and two notes."""
    return _ours(_one_turn), _floor(_one_turn)
