"""What can be said about a place for a database, and about a database, without opening it for work."""

import sqlite3
import tempfile
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

import attrs

from crmsdk.errors import StoreError
from crmsdk.model.moment import from_micros
from crmsdk.stores._sqlite_schema import MIGRATIONS, found_version

__all__ = ["NEWEST_SCHEMA", "OLDEST_SQLITE", "Inspection", "inspect_file", "probe_folder", "sqlite_release"]

OLDEST_SQLITE: Final = (3, 37, 0)
"""The oldest SQLite with everything the schema uses: strict tables came last."""

NEWEST_SCHEMA: Final = MIGRATIONS[-1].number
"""The schema version this release writes."""


@attrs.frozen(kw_only=True)
class Inspection:
    """What a look into a database file showed.

    Attributes:
        schema: Its schema version; 0 for an empty file.
        newest: The latest moment at which anything was received or decided, UTC; None when nothing was.
    """

    schema: int
    newest: datetime | None


def sqlite_release() -> tuple[int, int, int]:
    """Give the release of the SQLite library this Python uses."""
    return sqlite3.sqlite_version_info


def probe_folder(folder: Path) -> None:
    """Try out whether a folder can hold a database with a write-ahead log; nothing is left behind.

    Raises:
        StoreError: the folder is missing or not writable, or its file system cannot share memory.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".crmsdk-probe-", dir=folder) as inner:
            _probe(Path(inner) / "probe.db")
    except OSError as error:
        raise StoreError(
            f"folder {folder.name!r} cannot be written ({type(error).__name__}); make it, or chmod it"
        ) from None
    except sqlite3.Error:
        raise StoreError(
            f"folder {folder.name!r} cannot hold a write-ahead log; choose a folder on a local disk"
        ) from None


def _probe(path: Path) -> None:
    with closing(sqlite3.connect(path)) as writer, closing(sqlite3.connect(path)) as reader:
        (mode,) = writer.execute("PRAGMA journal_mode = WAL").fetchone()
        writer.execute("CREATE TABLE probe (one)")
        writer.execute("INSERT INTO probe VALUES (1)")
        writer.commit()
        if mode != "wal" or reader.execute("SELECT one FROM probe").fetchall() != [(1,)]:
            raise sqlite3.OperationalError


def inspect_file(path: Path) -> Inspection:
    """Look into a database without changing it.

    Args:
        path: An existing file.

    Raises:
        StoreError: it cannot be read, or is no database of ours.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            schema = found_version(database)
            known = 0 < schema <= NEWEST_SCHEMA
            return Inspection(schema=schema, newest=_newest(database) if known else None)
    except sqlite3.Error as error:
        raise StoreError(
            f"{path.name!r} cannot be read as a database ({type(error).__name__}); "
            "name another file, or restore a backup"
        ) from None


def _newest(database: sqlite3.Connection) -> datetime | None:
    (newest,) = database.execute(
        "SELECT max(one) FROM (SELECT max(received) AS one FROM event UNION ALL SELECT max(at) FROM note)"
    ).fetchone()
    return None if newest is None else from_micros(newest)
