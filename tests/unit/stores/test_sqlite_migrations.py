"""Schemas go forward from every released version, whole or not at all, and only one process moves them."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from crmsdk.errors import StoreError
from crmsdk.journeys.person import Person
from crmsdk.model.ids import AccountId, CustomerId
from crmsdk.stores._sqlite_known import KnownPeople
from crmsdk.stores._sqlite_reading import people
from crmsdk.stores._sqlite_schema import MIGRATIONS, Migration, migrate
from crmsdk.stores._sqlite_session import Session
from crmsdk.stores.sqlite import SqliteStore
from crmsdk.testing._store_samples import add, event, hours, message, note, notes_of, person, run, with_events

pytestmark = pytest.mark.anyio

RELEASED = sorted((Path(__file__).parent / "schemas").glob("*.sql"))
NEXT = Migration(MIGRATIONS[-1].number + 1, "CREATE TABLE more (id TEXT);\nINSERT INTO more VALUES (';');\n")


def _sample() -> Person:
    ann = person(enrollments=(run("r1", wake=hours(1), values={"cart_id": 7}),), locale="ru")
    return with_events(ann, event("e1", properties={"city": "Тула"}))


async def _sample_file(path: Path) -> None:
    store = SqliteStore(path)
    await add(store, _sample(), messages=[message("m1")], notes=[note("x")])
    await store.close()


def _dump(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump()) + "\n"


def _restore(dump: Path, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(dump.read_text("utf-8"))


def _schema(path: Path) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").fetchall()


def _versions(path: Path) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT * FROM meta").fetchall()


def test_migrations_are_numbered_without_gaps() -> None:
    assert [migration.number for migration in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))


def test_every_released_schema_has_its_dump() -> None:
    assert [path.stem for path in RELEASED] == [f"schema_{m.number:04}" for m in MIGRATIONS]


@pytest.mark.parametrize("dump", RELEASED, ids=lambda path: path.stem)
async def test_a_database_of_every_released_version_opens(tmp_path: Path, dump: Path) -> None:
    path = tmp_path / "crm.db"
    _restore(dump, path)
    store = SqliteStore(path)
    (found,) = await store.load([CustomerId("ann")])
    assert found is not None
    assert (found.facts.events, found.enrollments) == (_sample().facts.events, _sample().enrollments)
    assert [line.text for line in await notes_of(store, found.id)] == ["x"]
    await add(store, person("bob"), messages=[message("m2", "bob")])
    await store.close()
    assert _versions(path) == [("schema", str(MIGRATIONS[-1].number))]


async def test_accounts_that_an_older_release_wrote_are_found(tmp_path: Path) -> None:
    _restore(RELEASED[0], tmp_path / "crm.db")
    written = [
        ('"acme"', "crmsdk.account"),
        ('"e\u0301"', "crmsdk.account"),
        ('"acme"', "company"),
        ("7", "age"),
    ]
    with closing(sqlite3.connect(tmp_path / "crm.db")) as connection, connection:
        connection.execute("INSERT INTO person VALUES ('bob', 1, NULL, 0, NULL, NULL, '', NULL)")
        connection.executemany(
            "INSERT INTO attribute_write VALUES (NULL, ?, 0, 'a', ?, ?, '')",
            [("bob" if name == "company" else "ann", name, value) for value, name in written],
        )
    store = SqliteStore(tmp_path / "crm.db")
    assert await store.customers_of(AccountId("acme")) == ["ann"]
    assert await store.customers_of(AccountId("é")) == ["ann"]
    assert await store.customers_of(AccountId("7")) == []
    await store.close()


async def test_a_released_schema_never_changes(tmp_path: Path) -> None:
    await _sample_file(tmp_path / "crm.db")
    _restore(RELEASED[-1], tmp_path / "released.db")
    assert _schema(tmp_path / "crm.db") == _schema(tmp_path / "released.db"), "add a migration, and its dump"


async def test_an_older_database_moves_forward_and_keeps_its_rows(tmp_path: Path) -> None:
    await _sample_file(tmp_path / "crm.db")
    with closing(sqlite3.connect(tmp_path / "crm.db", isolation_level=None)) as connection:
        migrate(connection, (*MIGRATIONS, NEXT))
        assert connection.execute("SELECT id FROM more").fetchall() == [(";",)]
        assert list(people(connection, [CustomerId("ann")], KnownPeople(0))) == ["ann"]
    assert _versions(tmp_path / "crm.db") == [("schema", str(NEXT.number))]


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("CREATE TABLE more (id TEXT);\nSELECT nonsense;\n", sqlite3.OperationalError),
        ("DELETE FROM person;\n", StoreError),
    ],
)
async def test_a_migration_that_fails_changes_nothing(
    tmp_path: Path, sql: str, error: type[Exception]
) -> None:
    await _sample_file(tmp_path / "crm.db")
    before = _dump(tmp_path / "crm.db")
    with closing(sqlite3.connect(tmp_path / "crm.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(error):
            migrate(connection, (*MIGRATIONS, NEXT, Migration(NEXT.number + 1, sql)))
    assert _dump(tmp_path / "crm.db") == before


def test_processes_that_meet_at_an_empty_file_make_it_once(tmp_path: Path) -> None:
    workers = 6
    start = Barrier(workers)

    def open_it(_number: int) -> list[Any]:
        session = Session(tmp_path / "crm.db", busy_timeout=timedelta(seconds=30), synchronous="normal")
        start.wait()
        connection = session._open()
        with closing(connection):
            return connection.execute("SELECT value FROM meta").fetchall()

    for _ in range(10):
        with ThreadPoolExecutor(workers) as pool:
            assert list(pool.map(open_it, range(workers))) == [[(str(MIGRATIONS[-1].number),)]] * workers
        for file in tmp_path.iterdir():
            file.unlink()


if __name__ == "__main__":
    # Writes the dump of a new schema: python tests/unit/stores/test_sqlite_migrations.py, once a release.
    import asyncio
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "crm.db"
        asyncio.run(_sample_file(target))
        name = f"schema_{MIGRATIONS[-1].number:04}.sql"
        (Path(__file__).parent / "schemas" / name).write_text(_dump(target), "utf-8")
