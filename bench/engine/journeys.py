"""Whole journeys through the runtime, next to plain driver code that writes the same rows.

1,000 customers: their events come in as one batch, and two days later their messages go out. Ours reads,
decides, commits, claims, renders, marks each message before it leaves, hands it to a channel in memory and
tells the run. The floor knows every row before the clock starts, and writes each stage in one transaction of
``executemany`` into the same schema, with ``synchronous=FULL``.
"""

import asyncio
import sqlite3
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from typing_extensions import override

from bench.engine._toy import LATER, START, TOY, buys, customers
from bench.frame import Run, Side, versus
from crmsdk.channels.memory import MemoryChannel
from crmsdk.journeys.person import Change, Note
from crmsdk.ledgers.memory import MemoryLedger
from crmsdk.model.customer import Identifier
from crmsdk.model.ids import EventId, MessageId
from crmsdk.model.inputs import Track
from crmsdk.model.message import Message
from crmsdk.policy.ruleset import ContactPolicy
from crmsdk.ports import Store
from crmsdk.runtime.clocks import VirtualClock
from crmsdk.runtime.crm import Crm
from crmsdk.stores._sqlite_outbox import MESSAGES, NOTES
from crmsdk.stores._sqlite_people import ENROLLMENTS, EVENTS, IDENTIFIERS, PEOPLE
from crmsdk.stores._sqlite_table import Table
from crmsdk.stores.memory import MemoryStore
from crmsdk.stores.sqlite import SqliteStore

__all__ = ["journey_sides"]

BATCH: Final = 1_000
N: Final = BATCH
PEER: Final = "plain sqlite3"
TEMPLATES: Final = {
    "thanks": {"email.en": "subject: Thanks\n---\n<p>Thank you for {{ total }}.</p>\n--- text\nThank you.\n"},
    "more": {"email.en": "subject: More\n---\n<p>You took {{ total }}.</p>\n--- text\nTake more.\n"},
}

Rows = list[tuple[str, list[tuple[Any, ...]]]]
"""One transaction: statements with their rows."""


def _news(n: int) -> list[Track]:
    return [
        Track(
            id=EventId(f"e{number:08}"),
            identifiers=(Identifier("user", customer),),
            at=START,
            received=START,
            name="start",
            properties={"total": 100 if buys(number) else 10},
        )
        for number, customer in enumerate(customers(n))
    ]


async def _play(store: Store, news: Sequence[Track], batch: int) -> None:
    """Let all of them enter, then let two days pass."""
    clock = VirtualClock(START)
    channel = MemoryChannel("email", everyone=True)
    crm = Crm.over(
        store,
        zone="UTC",
        journeys=[TOY],
        channels=[channel],
        templates=TEMPLATES,
        policy=ContactPolicy(),
        ledger=MemoryLedger(),
        clock=clock,
        mode="live",
    )
    async with crm:
        for first in range(0, len(news), batch):
            await crm.ingest(news[first : first + batch])
        await crm.advance(LATER, limit=batch)
    assert len(channel.kept) == len(news), len(channel.kept)


def _ours(open_store: Callable[[Path], Store], n: int) -> Side:
    def prepare() -> Run:
        news = _news(n)
        folder = tempfile.TemporaryDirectory()

        def play() -> None:
            with folder:
                asyncio.run(_play(open_store(Path(folder.name) / "crm.db"), news, min(n, BATCH)))

        return play

    return prepare


class _Recorder(MemoryStore):
    """Keeps what a SQLite store would write: one transaction for each commit, claim, and batch of marks."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[Rows] = []
        self._marks: list[tuple[Any, ...]] = []

    @override
    async def commit(self, changes: Sequence[Change]) -> Sequence[bool]:
        self._end_marks()
        done = await super().commit(changes)
        parts: list[tuple[Table[Any], Callable[[Change], Sequence[Any]]]] = [
            (PEOPLE, lambda change: [change.person]),
            (IDENTIFIERS, lambda change: change.identifiers),
            (EVENTS, lambda change: change.events),
            (ENROLLMENTS, lambda change: change.enrollments),
            (MESSAGES, lambda change: change.messages),
            (NOTES, lambda change: change.notes),
        ]
        rows = [
            (table.insert, [table.row(change.person.id, value) for change in changes for value in of(change)])
            for table, of in parts
        ]
        self.written.append([(sql, values) for sql, values in rows if values])
        return done

    @override
    async def claim(
        self, now: datetime, *, limit: int, worker: str, lease: datetime, paused: frozenset[str] = frozenset()
    ) -> Sequence[Message]:
        claimed = await super().claim(now, limit=limit, worker=worker, lease=lease, paused=paused)
        if claimed:
            self.written.append([(MESSAGES.insert, [MESSAGES.row(one.customer, one) for one in claimed])])
        return claimed

    @override
    async def settle(
        self,
        messages: Sequence[Message],
        *,
        worker: str,
        notes: Mapping[MessageId, Sequence[Note]] | None = None,
    ) -> Sequence[bool]:
        self._marks += [MESSAGES.row(message.customer, message) for message in messages]
        return await super().settle(messages, worker=worker, notes=notes)

    def _end_marks(self) -> None:
        if self._marks:
            self.written.append([(MESSAGES.insert, self._marks)])
            self._marks = []


def _floor(n: int) -> Side:
    recorder = _Recorder()
    asyncio.run(_play(recorder, _news(n), min(n, BATCH)))

    def prepare() -> Run:
        folder = tempfile.TemporaryDirectory()
        path = Path(folder.name) / "crm.db"

        async def make_schema() -> None:
            store = SqliteStore(path)
            await store.paused()
            await store.close()

        asyncio.run(make_schema())

        def write() -> None:
            with folder, closing(sqlite3.connect(path, isolation_level=None)) as connection:
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA foreign_keys = ON")
                for transaction in recorder.written:
                    connection.execute("BEGIN IMMEDIATE")
                    for sql, rows in transaction:
                        connection.executemany(sql, rows)
                    connection.execute("COMMIT")
                (ended,) = connection.execute("SELECT count(*) FROM message WHERE state = 'sent'").fetchone()
                assert ended == n, ended

        return write

    return prepare


def journey_sides(open_store: Callable[[Path], Store], n: int) -> tuple[Side, Side]:
    """Play so many journeys over a store, and write their rows."""
    return _ours(open_store, n), _floor(n)


@versus("engine.journeys_memory", n=N, peer=PEER, least=0.2)
def journeys_memory() -> tuple[Side, Side]:
    """Keep everything in memory."""
    return journey_sides(lambda _: MemoryStore(), N)


@versus("engine.journeys_sqlite", n=N, peer=PEER, least=0.12, rounds=3)
def journeys_sqlite() -> tuple[Side, Side]:
    """Keep everything in one file."""
    return journey_sides(SqliteStore, N)
