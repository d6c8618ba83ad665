"""One SQLite file: opened for many processes, brought to the newest schema, worked on by one thread."""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final, Literal, TypeVar

from crmsdk.errors import NewerStore, StoreBusy, StoreError, StoreFull
from crmsdk.ledgers._sqlite_schema import STEPS, VERSION_TABLE

__all__ = ["LedgerFile"]

T = TypeVar("T")

_PRIMARY: Final = 0xFF  # the low byte of an extended result code is the primary one
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_SWITCHES: Final = 100


class LedgerFile:
    """Whole transactions on one connection, in a thread of their own.

    Args:
        path: The file; made if it is not there.
        busy: How long to wait for another process.
        synchronous: As the pragma of this name.

    Raises:
        StoreBusy: another process holds the file too long.
        NewerStore: a newer release wrote it.
        StoreError: it cannot be opened or is no database.
    """

    def __init__(self, path: Path, *, busy: timedelta, synchronous: Literal["normal", "full"]) -> None:
        self._process = os.getpid()
        self._closed = False
        self._busy = busy
        self._name = path.name
        with self._translated():
            # Autocommit: transactions are begun and ended below, and nowhere else.
            self._database = sqlite3.connect(
                path, timeout=busy.total_seconds(), isolation_level=None, check_same_thread=False
            )
        try:
            with self._translated():
                self._use_write_ahead_log()
                self._database.execute(f"PRAGMA synchronous = {synchronous}")
                self._migrate()
        except BaseException:
            self._database.close()
            raise
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="crmsdk-ledger")

    def _use_write_ahead_log(self) -> None:
        """Switch the file to its write-ahead log; the switch does not wait for others by itself."""
        for _ in range(_SWITCHES):
            try:
                self._database.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & _PRIMARY not in _BUSY:
                    raise
            else:
                return
            self._database.execute("BEGIN IMMEDIATE")  # this does wait
            self._database.execute("COMMIT")
        raise StoreBusy(f"other processes keep {self._name!r} busy while it is opened; try again")

    def _migrate(self) -> None:
        with self._transaction("IMMEDIATE") as database:
            database.execute(VERSION_TABLE)
            (found,) = database.execute(
                "SELECT coalesce(max(version), 0) FROM crmsdk_ledger_schema"
            ).fetchone()
            if found > len(STEPS):
                raise NewerStore(found, len(STEPS))
            for version, step in enumerate(STEPS[found:], start=found + 1):
                for statement in step:
                    database.execute(statement)
                database.execute("INSERT INTO crmsdk_ledger_schema VALUES (?)", (version,))

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do work in a transaction that holds the write lock from its start; all of it or nothing.

        A cancelled caller leaves the work to its end, as if the answer was lost on the way.

        Raises:
            StoreBusy, StoreFull, StoreError: and nothing was written.
        """
        return await self._run("IMMEDIATE", work)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do work that only reads, on one state of the file.

        Raises:
            StoreBusy, StoreError: the file could not be read.
        """
        return await self._run("DEFERRED", work)

    async def _run(
        self, mode: Literal["IMMEDIATE", "DEFERRED"], work: Callable[[sqlite3.Connection], T]
    ) -> T:
        self.check_open()
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._work, mode, work)

    def check_open(self) -> None:
        """Refuse to go on after close or in a forked process.

        Raises:
            StoreError: either.
        """
        if self._closed:
            raise StoreError("the ledger is closed; open a new one")
        if os.getpid() != self._process:
            raise StoreError("a SQLite connection cannot cross a fork; open the ledger in the new process")

    def _work(self, mode: Literal["IMMEDIATE", "DEFERRED"], work: Callable[[sqlite3.Connection], T]) -> T:
        with self._translated(), self._transaction(mode) as database:
            return work(database)

    @contextmanager
    def _transaction(self, mode: Literal["IMMEDIATE", "DEFERRED"]) -> Iterator[sqlite3.Connection]:
        self._database.execute(f"BEGIN {mode}")
        try:
            yield self._database
            self._database.execute("COMMIT")
        except BaseException:
            # SQLite ends a transaction by itself after some errors, a full disk among them.
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._as_ours(error) from error

    def _as_ours(self, error: sqlite3.Error) -> StoreError:
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
        if code in _BUSY:
            return StoreBusy(
                f"another process held {self._name!r} longer than {self._busy.total_seconds():g} s; try again"
            )
        if code == sqlite3.SQLITE_FULL:
            return StoreFull(
                f"there is no room left for {self._name!r}; nothing was written, free some and try again"
            )
        if code == sqlite3.SQLITE_NOTADB:
            return StoreError(f"{self._name!r} is no SQLite database; give another path")
        if code == sqlite3.SQLITE_CANTOPEN:
            return StoreError(f"{self._name!r} cannot be opened; see that its folder exists and is writable")
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        return StoreError(f"{self._name!r} could not be used ({name}); nothing was written")

    async def close(self) -> None:
        """Let the work under way end, then close the file; a second time does nothing."""
        if self._closed:
            return
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._thread, self._database.close)
        self._thread.shutdown(wait=True)
