"""The default store: one SQLite file, shared by the processes of one machine.

The file must lie on a local disk: a write-ahead log does not work over a network.
"""

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Final, Literal, TypeVar
from urllib.parse import unquote, urlsplit

from typing_extensions import override

from crmsdk.errors import ConfigError
from crmsdk.journeys.person import Change, Note, Person, Task
from crmsdk.model.customer import Identifier
from crmsdk.model.event import Event
from crmsdk.model.ids import AccountId, CustomerId, EventId, MessageId
from crmsdk.model.message import Message
from crmsdk.ports import Store, StoredDefinition
from crmsdk.stores import _sqlite_queue
from crmsdk.stores._sqlite_commit import commit
from crmsdk.stores._sqlite_outbox import DEFINITIONS, MESSAGES, NOTES, TASKS
from crmsdk.stores._sqlite_people import EVENTS
from crmsdk.stores._sqlite_reading import customers_of, of_people, owners_of, people, values_among
from crmsdk.stores._sqlite_schema import found_version
from crmsdk.stores._sqlite_session import Session
from crmsdk.stores._sqlite_table import Table

__all__ = ["SqliteStore"]

_Value = TypeVar("_Value")

_BUSY_TIMEOUT: Final = timedelta(seconds=10)


class SqliteStore(Store):
    """Keeps everything in one file; each method is one transaction in a thread.

    Nothing is opened before the first call. A process that forks may go on using its store on both sides.

    Args:
        path: The file; made when missing, its folder must exist.
        busy_timeout: How long to wait for other processes before ``StoreBusy``.
        synchronous: ``full`` survives a power cut; ``normal`` may then lose the last commits, never more,
            and saves one flush a commit.
        remember: How many facts and runs of people seen lately are kept in memory, so that these people need
            not be read again: about 30 MB at the most. What another process wrote meanwhile is always read.

    Raises:
        ConfigError: the path names no file, the timeout or ``remember`` is negative.
    """

    durable = True

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        busy_timeout: timedelta = _BUSY_TIMEOUT,
        synchronous: Literal["full", "normal"] = "full",
        remember: int = 50_000,
    ) -> None:
        if str(path) in {"", ":memory:"}:
            raise ConfigError("a SQLite store needs a file; use MemoryStore for one that forgets")
        if busy_timeout < timedelta(0):
            raise ConfigError("busy_timeout is negative; give how long to wait for other processes")
        if synchronous not in {"full", "normal"}:
            raise ConfigError(f"synchronous is {synchronous!r}; give 'full' or 'normal'")
        if remember < 0:
            raise ConfigError("remember is negative; give how many facts to keep in memory, 0 for none")
        self._path = Path(path)
        self._session = Session(
            self._path, busy_timeout=busy_timeout, synchronous=synchronous, remember=remember
        )

    @property
    def path(self) -> Path:
        """The file, so that a ledger can live in it too."""
        return self._path

    def refuse_strange_tables(self) -> None:
        """Leave the database of another program as it is, before a ledger is put beside the store.

        Raises:
            StoreError: the file holds tables of something else, or is no database.
        """
        if not self._path.is_file():
            return
        uri = f"{self._path.resolve().as_uri()}?mode=ro"
        with self._session.translated(), closing(sqlite3.connect(uri, uri=True)) as connection:
            found_version(connection)

    @classmethod
    def open(cls, url: str) -> "SqliteStore":
        """Make a store from a URL: ``sqlite:///crm.db``, or ``sqlite:////srv/crm.db`` for an absolute path.

        Raises:
            ConfigError: the URL is none of these.
        """
        parts = urlsplit(url)
        path = unquote(parts.path.removeprefix("/"))
        if parts.scheme != "sqlite" or parts.netloc or parts.query or parts.fragment or not path:
            raise ConfigError(
                "the URL names no SQLite file; write sqlite:///crm.db for a file in the current folder, "
                "sqlite:////srv/crm.db for one anywhere, or memory:// for a store that forgets"
            )
        return cls(path)

    @override
    async def load(self, customers: Sequence[CustomerId]) -> Sequence[Person | None]:
        found = await self._session.read(
            lambda connection: people(connection, customers, self._session.known)
        )
        return [found.get(customer) for customer in customers]

    @override
    async def owners(self, identifiers: Sequence[Identifier]) -> Mapping[Identifier, CustomerId]:
        return await self._session.read(lambda connection: owners_of(connection, identifiers))

    @override
    async def find_events(self, ids: Sequence[EventId]) -> Mapping[EventId, Event]:
        found = await self._session.read(lambda connection: values_among(connection, EVENTS, "id", ids))
        return {event.id: event for event in found}

    @override
    async def commit(self, changes: Sequence[Change]) -> Sequence[bool]:
        return await self._session.write(lambda connection: commit(connection, changes, self._session.known))

    @override
    async def due(self, now: datetime, *, limit: int) -> Sequence[CustomerId]:
        return await self._session.read(lambda connection: _sqlite_queue.due(connection, now, limit))

    @override
    async def next_due(self, *, paused: frozenset[str] = frozenset()) -> datetime | None:
        return await self._session.read(lambda connection: _sqlite_queue.next_due(connection, paused))

    @override
    async def rouse(self, journey: str, now: datetime) -> int:
        return await self._session.write(lambda connection: _sqlite_queue.rouse(connection, journey, now))

    @override
    async def claim(
        self, now: datetime, *, limit: int, worker: str, lease: datetime, paused: frozenset[str] = frozenset()
    ) -> Sequence[Message]:
        take = partial(_sqlite_queue.claim, now=now, limit=limit, worker=worker, lease=lease, paused=paused)
        # Workers that look in vain must not queue for the write lock.
        look = partial(_sqlite_queue.any_free, now=now, paused=paused)
        return await self._session.write_if(look, take) or []

    @override
    async def settle(
        self,
        messages: Sequence[Message],
        *,
        worker: str,
        notes: Mapping[MessageId, Sequence[Note]] | None = None,
    ) -> Sequence[bool]:
        if not messages:
            return []
        put = partial(_sqlite_queue.settle, messages=messages, worker=worker, notes=notes or {})
        return await self._session.write(put)

    @override
    async def messages(self, ids: Sequence[MessageId]) -> Sequence[Message | None]:
        rows = await self._session.read(lambda connection: values_among(connection, MESSAGES, "id", ids))
        found = {message.id: message for message in rows}
        return [found.get(id) for id in ids]

    @override
    async def messages_of(
        self, customers: Sequence[CustomerId], *, since: datetime | None = None
    ) -> Sequence[Sequence[Message]]:
        read = partial(of_people, table=MESSAGES, customers=customers, since=since, moment="due", then="id")
        return await self._session.read(read)

    @override
    async def notes_of(
        self, customers: Sequence[CustomerId], *, since: datetime | None = None
    ) -> Sequence[Sequence[Note]]:
        read = partial(of_people, table=NOTES, customers=customers, since=since, moment="at", then="seq")
        return await self._session.read(read)

    @override
    async def tasks(
        self, *, customers: Collection[CustomerId] | None = None, open_only: bool = True
    ) -> Sequence[Task]:
        if customers is None:
            where = "WHERE done IS NULL" if open_only else ""
            return await self._session.read(_all(TASKS, f"{where} ORDER BY deadline, id"))
        found = await self._session.read(
            lambda connection: values_among(connection, TASKS, "customer", customers)
        )
        return sorted(
            (task for task in found if task.done is None or not open_only),
            key=lambda task: (task.deadline, task.id),
        )

    @override
    async def customers(self, *, after: CustomerId | None = None, limit: int) -> Sequence[CustomerId]:
        where, given = ("", ()) if after is None else ("WHERE id > ?", (after,))
        sql = f"SELECT id FROM person {where} ORDER BY id LIMIT ?"  # noqa: S608 - constants and marks
        return await self._session.read(
            lambda connection: [id for (id,) in connection.execute(sql, (*given, limit))]
        )

    @override
    async def customers_of(self, account: AccountId) -> Sequence[CustomerId]:
        return await self._session.read(lambda connection: customers_of(connection, account))

    @override
    async def save_definitions(self, definitions: Sequence[StoredDefinition]) -> None:
        newest = "DO UPDATE SET seq = (SELECT max(seq) + 1 FROM definition)"
        sql = f"{DEFINITIONS.insert} ON CONFLICT (hash) {newest}"
        rows = [DEFINITIONS.row("", definition) for definition in definitions]
        await self._session.write(lambda connection: connection.executemany(sql, rows))

    @override
    async def definitions(self) -> Sequence[StoredDefinition]:
        return await self._session.read(_all(DEFINITIONS, "ORDER BY seq"))

    @override
    async def set_paused(self, journey: str, paused: bool) -> None:
        sql = """
            INSERT INTO journey_state VALUES (?1, ?2) ON CONFLICT (journey) DO UPDATE SET paused = ?2
        """
        await self._session.write(lambda connection: connection.execute(sql, (journey, int(paused))))

    @override
    async def paused(self) -> frozenset[str]:
        sql = "SELECT journey FROM journey_state WHERE paused"
        return await self._session.read(
            lambda connection: frozenset(name for (name,) in connection.execute(sql))
        )

    @override
    async def close(self) -> None:
        await self._session.close()


def _all(table: Table[_Value], rest: str) -> Callable[[sqlite3.Connection], list[_Value]]:
    """Read all values of a table that the rest of a query chooses and orders."""
    sql = f"{table.select} {rest}"
    return lambda connection: [table.value(row) for row in connection.execute(sql)]
