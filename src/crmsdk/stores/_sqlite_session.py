"""One connection in one thread: whole transactions from async code, driver errors as ours."""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

from crmsdk.errors import StoreBusy, StoreError, StoreFull
from crmsdk.stores._sqlite_known import KnownPeople
from crmsdk.stores._sqlite_schema import MIGRATIONS, Migration, check_version, found_version, migrate

__all__ = ["Session"]

_T = TypeVar("_T")

_INHERITED: Final[list[object]] = []
"""Connections of a parent process. Closing one here would drop the parent's file locks, so they are kept."""

_DAMAGED: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_WAL_ATTEMPTS: Final = 20


class Session:
    """Runs functions as transactions on one database file, one after the other, in a thread of its own.

    A waiting transaction is an entry of a queue, not a blocked thread of the caller's pool. The connection
    is opened by the first transaction, and again in a process that was forked off.
    """

    def __init__(
        self,
        path: Path,
        *,
        busy_timeout: timedelta,
        synchronous: str,
        migrations: Sequence[Migration] = MIGRATIONS,
        remember: int = 0,
    ) -> None:
        self._path = path
        self._busy_timeout = busy_timeout
        self._synchronous = synchronous
        self._migrations = migrations
        self._remember = remember
        self.known = KnownPeople(remember)
        """People of this connection, for what runs in a transaction."""
        self._connection: sqlite3.Connection | None = None
        self._executor: ThreadPoolExecutor | None = None
        self._pid = 0
        self._closed = False

    async def read(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run a function on one snapshot of the database."""
        return await self._in_thread(lambda: self._transaction("BEGIN", work))

    async def write(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run a function under the write lock; what it did is kept whole, or undone if it raises."""
        return await self._in_thread(lambda: self._transaction("BEGIN IMMEDIATE", work))

    async def write_if(
        self, asked: Callable[[sqlite3.Connection], bool], work: Callable[[sqlite3.Connection], _T]
    ) -> _T | None:
        """Take the write lock only where a look at a snapshot says that there is something to do."""

        def job() -> _T | None:
            return self._transaction("BEGIN IMMEDIATE", work) if self._transaction("BEGIN", asked) else None

        return await self._in_thread(job)

    async def close(self) -> None:
        """Let the file go, after the transactions under way."""
        if self._executor is not None and not self._closed and self._pid == os.getpid():
            self._closed = True
            await asyncio.get_running_loop().run_in_executor(self._executor, self._drop)
            self._executor.shutdown(wait=False)
        self._closed = True

    async def _in_thread(self, job: Callable[[], _T]) -> _T:
        if self._closed:
            raise StoreError("the store is closed; open a new one")
        if self._executor is None or self._pid != os.getpid():
            _INHERITED.append((self._connection, self._executor))
            self._connection = None
            self._executor = ThreadPoolExecutor(1, thread_name_prefix="crmsdk-sqlite")
            self._pid = os.getpid()
        return await asyncio.get_running_loop().run_in_executor(self._executor, job)

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise the driver's errors as ours."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._translated(error) from error

    # Everything below runs in the session's thread.

    def _transaction(self, begin: str, work: Callable[[sqlite3.Connection], _T]) -> _T:
        try:
            if self._connection is None:
                self._connection = self._open()
            connection = self._connection
            connection.execute(begin)
            try:
                check_version(connection, self._migrations)
                result = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                self.known.clear()  # whether what was staged was written, nobody may know
                if connection.in_transaction:  # a full disk makes SQLite roll back by itself
                    connection.execute("ROLLBACK")
                raise
            self.known.keep()
            return result
        except sqlite3.Error as error:
            raise self._translated(error) from error
        except (UnicodeEncodeError, OverflowError) as error:
            raise StoreError(
                "a text holds half a surrogate pair, or an integer outside of properties more than 64 bits; "
                "nothing was written, correct the value"
            ) from error

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path,
            timeout=self._busy_timeout.total_seconds(),
            isolation_level=None,  # transactions are ours
            cached_statements=256,
        )
        try:
            if found_version(connection) == 0:
                self._make_wal(connection)
            migrate(connection, self._migrations)
            self._make_wal(connection)
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.execute("PRAGMA foreign_keys = ON")
            self.known = KnownPeople(self._remember)
        except BaseException:
            connection.close()
            raise
        return connection

    def _make_wal(self, connection: sqlite3.Connection) -> None:
        """Switch the file to a write-ahead log, which stays so; several processes may try at a time."""
        for _ in range(_WAL_ATTEMPTS):
            try:
                (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in _BUSY:
                    raise
                # The switch does not wait for a lock, a transaction does.
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
            else:
                if mode != "wal":
                    raise StoreError(
                        f"the file system of {self._path.name!r} cannot hold a write-ahead log; "
                        "put the database on a local disk"
                    )
                return
        raise StoreBusy(f"other processes keep {self._path.name!r} locked while it is opened; try again")

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _translated(self, error: sqlite3.Error) -> StoreError:
        name = self._path.name
        # Errors of the module itself, not of SQLite, have no code.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _BUSY:
            wait = self._busy_timeout.total_seconds()
            return StoreBusy(
                f"another process holds {name!r} longer than {wait:g} s; try again, or raise busy_timeout"
            )
        if code == sqlite3.SQLITE_FULL:
            return StoreFull(
                f"there is no room left for {name!r}; nothing was written, free some and try again"
            )
        if code == sqlite3.SQLITE_CANTOPEN:
            return StoreError(f"cannot open {name!r}; its folder must exist, and both must be readable")
        if code == sqlite3.SQLITE_READONLY:
            return StoreError(f"cannot write {name!r}; the file and its folder must be writable")
        if code in _DAMAGED:
            self._drop()
            return StoreError(
                f"{name!r} is damaged or no SQLite database; name another file, or restore a backup"
            )
        label = getattr(error, "sqlite_errorname", type(error).__name__)
        return StoreError(f"SQLite refused to work on {name!r} ({label}); nothing was written")
