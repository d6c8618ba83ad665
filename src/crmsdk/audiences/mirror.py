"""The embedded SQLite store, mirrored into DuckDB, so that segments over everybody need not walk it.

    mirror = SqliteMirror("crm.db", "segments.duckdb")
    mirror.refresh()
    audience = mirror.audience()

SQLite is read by Python's own module: no extension of DuckDB is loaded or downloaded. Needs the extra
``sets``.
"""

import csv
import json
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import attrs
import duckdb

from crmsdk.audiences._sql import MAX_ROWS
from crmsdk.audiences.duckdb import DuckDBAudience
from crmsdk.errors import AudienceError
from crmsdk.segments.sql.layout import Layout

__all__ = ["Refreshed", "SqliteMirror"]

_LAYOUT: Final = Layout(complete=True, nfc=True)  # the store has foreign keys, and text in form C
_FORMAT: Final = 1
_TABLES: Final = """
CREATE TABLE mirror (format INTEGER NOT NULL);
CREATE TABLE people (id VARCHAR NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL, zone VARCHAR);
CREATE TABLE events (customer VARCHAR, id VARCHAR, name VARCHAR, "at" BIGINT, properties JSON);
CREATE TABLE attributes (customer VARCHAR, name VARCHAR, value JSON, "at" BIGINT, id VARCHAR);
CREATE TABLE consents (
    customer VARCHAR, channel VARCHAR, purpose VARCHAR, state VARCHAR, "at" BIGINT, id VARCHAR
);
"""
# Each with the columns of its rows, and how they lie: events of one name side by side are read the fastest.
_ROWS: Final = {
    "events": ("customer, id, name, at, properties", 'name, "at"'),
    "attributes": ("customer, name, value, at, id", "name, customer"),
    "consents": ("customer, channel, purpose, state, at, id", "customer"),
}
_SOURCES: Final = {"events": "event", "attributes": "attribute_write", "consents": "consent"}
_WRAPPED: Final = '{"is":"mapping"'
_MANY: Final = 500


@attrs.frozen(kw_only=True)
class Refreshed:
    """What a refresh did.

    Attributes:
        people: How many people were new, or changed since the refresh before.
        gone: How many are no longer there.
        rows: How many events, attribute writes and consents were read.
    """

    people: int
    gone: int
    rows: int


class SqliteMirror:
    """A DuckDB file that follows an SQLite store.

    A refresh reads people whose version has moved, whole, in one snapshot of the store, and changes the
    mirror in one transaction: killed at any moment, it leaves the mirror as it was, and the next one does the
    work.
    People who are erased or merged are gone from the mirror, too. The store may be in use meanwhile.

    Args:
        store: The store's database file.
        mirror: The file to keep; made if it is not there. One process may have it open.

    Raises:
        AudienceError: no such store, or the mirror is none of ours or in use.
    """

    def __init__(self, store: str | Path, mirror: str | Path) -> None:
        self._store: Final = Path(store)
        if not self._store.exists():
            raise AudienceError(f"there is no file {self._store.name!r}; give the path of an SQLite store")
        try:
            self._connection: Final = duckdb.connect(str(mirror))
            _prepare(self._connection)
        except duckdb.Error as error:
            raise AudienceError(
                f"the mirror cannot be opened: {type(error).__name__}; give a file of its own to one process"
            ) from error

    def refresh(self) -> Refreshed:
        """Take in what changed in the store.

        Raises:
            AudienceError: the store cannot be read, or the mirror not be written; it stays as it was.
        """
        source = sqlite3.connect(f"{self._store.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
        with closing(source), tempfile.TemporaryDirectory(prefix="crmsdk-mirror-") as folder:
            try:
                source.execute("BEGIN")  # one snapshot for everything below
                people = source.execute("SELECT id, version, created, zone FROM person").fetchall()
                return self._take_in(source, people, Path(folder))
            except (duckdb.Error, sqlite3.Error) as error:
                raise AudienceError(
                    f"the refresh failed: {type(error).__name__}; the mirror is as before, try again"
                ) from error

    def audience(self, *, max_rows: int = MAX_ROWS) -> DuckDBAudience:
        """Give an audience of the mirror as it is at each question."""
        return DuckDBAudience(self._connection, _LAYOUT, max_rows=max_rows)

    def close(self) -> None:
        """Let go of the mirror's file; audiences of it answer no more."""
        self._connection.close()

    def _take_in(
        self, source: sqlite3.Connection, people: Sequence[tuple[Any, ...]], folder: Path
    ) -> Refreshed:
        cursor = self._connection.cursor()
        known = {
            row[0]: row[1:] for row in cursor.execute("SELECT id, version, created FROM people").fetchall()
        }
        changed = [row for row in people if known.get(row[0]) != (row[1], row[2])]
        there = {row[0] for row in people}
        gone = [(whose,) for whose in known if whose not in there]
        if not changed and not gone:
            return Refreshed(people=0, gone=0, rows=0)
        rows = 0
        cursor.execute("BEGIN")
        try:
            _fill(cursor, folder, "moved", "id", [*((row[0],) for row in changed), *gone])
            for table in ("people", *_ROWS):
                key = "id" if table == "people" else "customer"
                cursor.execute(f"DELETE FROM {table} WHERE {key} IN (SELECT id FROM moved)")
            _fill(cursor, folder, "people", "id, version, created, zone", changed)
            whose = None if len(changed) == len(people) else [row[0] for row in changed]
            for table, (columns, order) in _ROWS.items():
                found = _read(source, _SOURCES[table], columns, whose)
                rows += _fill(cursor, folder, table, columns, found, order=order)
            cursor.execute("DROP TABLE moved")
            cursor.execute("COMMIT")
        except BaseException:
            cursor.execute("ROLLBACK")
            raise
        return Refreshed(people=len(changed), gone=len(gone), rows=rows)


def _prepare(connection: "duckdb.DuckDBPyConnection") -> None:
    """Make the tables, or see that they are ours.

    Raises:
        AudienceError: the file holds something else.
    """
    tables = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if not tables:
        connection.execute("BEGIN")
        connection.execute(_TABLES)
        connection.execute("INSERT INTO mirror VALUES (?)", [_FORMAT])
        connection.execute("COMMIT")
    elif "mirror" not in tables or connection.execute("SELECT format FROM mirror").fetchone() != (_FORMAT,):
        raise AudienceError("the file holds something else than a mirror of this release; give another one")


def _read(
    source: sqlite3.Connection, table: str, columns: str, whose: list[str] | None
) -> Iterator[tuple[Any, ...]]:
    """Read the rows of everybody, or of some people."""
    if whose is None:
        yield from map(_plain, source.execute(f"SELECT {columns} FROM {table}"))
        return
    for start in range(0, len(whose), _MANY):
        some = whose[start : start + _MANY]
        places = ", ".join("?" * len(some))
        query = f"SELECT {columns} FROM {table} WHERE customer IN ({places})"
        yield from map(_plain, source.execute(query, some))


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Take properties out of the wrapping they have when one of them is called ``is``."""
    last = row[-1]
    if isinstance(last, str) and last.startswith(_WRAPPED) and len(row) == 5:
        return (*row[:-1], json.dumps(json.loads(last)["of"], ensure_ascii=False))
    return row


def _fill(
    cursor: "duckdb.DuckDBPyConnection",
    folder: Path,
    table: str,
    columns: str,
    rows: Iterable[tuple[Any, ...]],
    *,
    order: str = "",
) -> int:
    """Add rows by way of a file: row by row the engine would take a hundred times as long."""
    names, path, count = columns.split(", "), folder / f"{table}.csv", 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)  # nothing is written, and read, as an empty text
        for row in rows:
            writer.writerow(row)
            count += 1
    types = ", ".join(f"'{name}': '{'BIGINT' if name in _NUMBERS else 'VARCHAR'}'" for name in names)
    where = "'" + str(path).replace("'", "''") + "'"
    found = (
        f"SELECT * FROM read_csv({where}, columns = {{{types}}}, header = false, auto_detect = false,"
        " quote = '\"', escape = '\"', parallel = false, max_line_size = 16777216)"
    )
    target = f"{table} ({', '.join(_quoted(name) for name in names)})"
    if table == "moved":
        cursor.execute(f"CREATE TEMP TABLE moved AS {found}")
    else:
        cursor.execute(f"INSERT INTO {target} {found}{f' ORDER BY {order}' if order else ''}")
    path.unlink()
    return count


_NUMBERS: Final = frozenset({"version", "created", "at"})


def _quoted(name: str) -> str:
    return f'"{name}"'
