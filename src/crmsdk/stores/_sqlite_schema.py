"""The schema of the SQLite store and its numbered migrations.

Every file of ``migrations/`` is one step forward, applied whole under the write lock. The number of the last
one applied stands in the table ``meta``; every transaction reads it, so a process of an older release that
is still running stops with ``NewerStore`` instead of writing rows a newer one does not expect.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Final

import attrs

from crmsdk.errors import NewerStore, StoreError

__all__ = ["MIGRATIONS", "Migration", "check_version", "found_version", "migrate"]


@attrs.frozen
class Migration:
    """One step of the schema.

    Attributes:
        number: The schema version it leads to; the first is 1.
        sql: Its statements.
    """

    number: int
    sql: str = attrs.field(repr=False)

    def statements(self) -> Iterator[str]:
        """Split the text: sqlite3's own executescript would commit half-way."""
        lines: list[str] = []
        for line in self.sql.splitlines():
            lines.append(line)
            statement = "\n".join(lines)
            if sqlite3.complete_statement(statement):
                yield statement
                lines.clear()


def _shipped() -> tuple[Migration, ...]:
    folder = files("crmsdk.stores") / "migrations"
    found = [file for file in folder.iterdir() if file.name.endswith(".sql")]
    return tuple(
        sorted(
            (Migration(int(file.name.partition("_")[0]), file.read_text("utf-8")) for file in found),
            key=lambda migration: migration.number,
        )
    )


MIGRATIONS: Final = _shipped()


def check_version(connection: sqlite3.Connection, migrations: Sequence[Migration]) -> None:
    """Refuse to go on in a database that another release has migrated.

    Raises:
        NewerStore: its schema is newer.
    """
    (found,) = connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
    if int(found) > migrations[-1].number:
        raise NewerStore(int(found), migrations[-1].number)


def found_version(connection: sqlite3.Connection) -> int:
    """Say which schema the database has; 0 for an empty one.

    Raises:
        StoreError: it holds something else.
    """
    names = {
        name
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        if not name.startswith("crmsdk_ledger_")  # a ledger may live in the same file
    }
    if not names:
        return 0
    if {"meta", "person", "message"} <= names:
        row = connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
        if row is not None:
            return int(row[0])
    raise StoreError("the database holds tables of something else; give crmsdk a file of its own")


def migrate(connection: sqlite3.Connection, migrations: Sequence[Migration]) -> None:
    """Bring the database to the newest schema, in one transaction under the write lock.

    Raises:
        NewerStore: its schema is newer than the newest known.
        StoreError: it holds something else, or rows that a migration left without their person.
    """
    newest = migrations[-1].number
    found = found_version(connection)
    if found > newest:
        raise NewerStore(found, newest)
    if found == newest:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        found = found_version(connection)  # another process may have been first
        connection.execute("PRAGMA defer_foreign_keys = ON")
        for migration in migrations:
            if migration.number > found:
                for statement in migration.statements():
                    connection.execute(statement)
        connection.execute(
            "INSERT INTO meta VALUES ('schema', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1",
            (str(newest),),
        )
        if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
            raise StoreError("a migration left rows without their person; it was undone, report it")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
