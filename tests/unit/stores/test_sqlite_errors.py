"""What a SQLite store says of a file that is busy, full, foreign, damaged or newer; nothing is lost."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from crmsdk.errors import NewerStore, StoreBusy, StoreError, StoreFull
from crmsdk.journeys.person import Change
from crmsdk.model.ids import CustomerId
from crmsdk.stores._sqlite_schema import MIGRATIONS
from crmsdk.stores.sqlite import SqliteStore
from crmsdk.testing._store_samples import event, message, note, person, with_events

pytestmark = pytest.mark.anyio


def _changes(count: int) -> list[Change]:
    bulk = {"text": "x" * 500}
    people = [with_events(person(f"p{n}"), event(f"e{n}", f"p{n}", properties=bulk)) for n in range(count)]
    return [
        Change(
            person=one,
            events=one.facts.events,
            messages=(message(f"m-{one.id}", one.id),),
            notes=(note("x"),),
        )
        for one in people
    ]


async def test_nothing_is_opened_before_the_first_call(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "crm.db")
    assert not (tmp_path / "crm.db").exists()
    await store.close()
    assert not (tmp_path / "crm.db").exists()
    with pytest.raises(StoreError, match="closed"):
        await store.paused()


async def test_a_lock_held_longer_than_the_timeout_is_busy(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "crm.db", busy_timeout=timedelta(milliseconds=20))
    assert await store.commit(_changes(1)) == [True]
    with closing(sqlite3.connect(tmp_path / "crm.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match=r"'crm.db' longer than 0.02 s"):
            await store.commit([Change(person=person())])
        assert await store.customers(limit=9) == ["p0"], "reading needs no lock"
        other.execute("ROLLBACK")
    assert await store.commit([Change(person=person())]) == [True]
    await store.close()


async def test_a_lock_held_while_the_file_is_made_is_busy(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "crm.db", busy_timeout=timedelta(milliseconds=20))
    with closing(sqlite3.connect(tmp_path / "crm.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreBusy):
            await store.paused()
        other.execute("ROLLBACK")
    assert await store.paused() == frozenset()
    await store.close()


async def test_a_full_disk_loses_nothing_and_the_store_goes_on(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "crm.db")
    assert all(await store.commit(_changes(10)))

    def shrink(connection: sqlite3.Connection, *, by: int) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + by}")

    await store._session.read(lambda connection: shrink(connection, by=2))
    more = _changes(2000)[10:]
    with pytest.raises(StoreFull, match="nothing was written"):
        await store.commit(more)
    assert len(await store.customers(limit=9999)) == 10
    assert await store.find_events([more[0].events[0].id]) == {}
    await store._session.read(lambda connection: shrink(connection, by=9999))
    assert all(await store.commit(more))
    await store.close()


async def test_a_newer_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    store = SqliteStore(path)
    await store.paused()
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("UPDATE meta SET value = '99'")
    with pytest.raises(NewerStore, match="version 99") as caught:  # also while it is open
        await store.commit(_changes(1))
    assert (caught.value.found, caught.value.known) == (99, MIGRATIONS[-1].number)
    await store.close()
    fresh = SqliteStore(path)
    with pytest.raises(NewerStore):
        await fresh.paused()
    await fresh.close()
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT count(*) FROM person").fetchone() == (0,)


@pytest.mark.parametrize(
    "content", [b"no database at all, but long enough" * 99, b"SQLite format 3\x00" + b"\xff" * 9000]
)
async def test_a_file_that_is_no_database_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "crm.db").write_bytes(content)
    store = SqliteStore(tmp_path / "crm.db")
    with pytest.raises(StoreError, match=r"'crm.db' is damaged or no SQLite database; name another"):
        await store.paused()
    assert (tmp_path / "crm.db").read_bytes() == content
    await store.close()


async def test_a_damaged_page_is_an_error_and_not_an_answer(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    store = SqliteStore(path)
    await store.commit(_changes(200))
    await store.close()
    whole = bytearray(path.read_bytes())
    whole[4096 * 8 :] = b"\xff" * (len(whole) - 4096 * 8)
    path.write_bytes(whole)
    store = SqliteStore(path)
    with pytest.raises(StoreError, match="restore a backup"):
        await store.load([CustomerId(f"p{n}") for n in range(200)])
    await store.close()


async def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE person (name TEXT)")
    before = path.read_bytes()
    store = SqliteStore(path)
    with pytest.raises(StoreError, match="a file of its own"):
        await store.paused()
    await store.close()
    assert path.read_bytes() == before


async def test_a_missing_folder_is_named_as_the_cause(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "nowhere" / "crm.db")
    with pytest.raises(StoreError, match="its folder must exist"):
        await store.paused()
    (tmp_path / "nowhere").mkdir()
    assert await store.paused() == frozenset()
    await store.close()


async def test_a_broken_row_undoes_the_whole_batch(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "crm.db")
    for wrong in (person("mine \ud800"), person("number", version=0, audience=None)):
        with pytest.raises(StoreError, match="nothing was written") as caught:
            await store.commit([*_changes(3), Change(person=wrong)])
        assert "mine" not in str(caught.value)
        assert await store.customers(limit=9) == []
    await store.close()


async def test_rows_lie_on_the_disk_when_a_commit_returns(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "crm.db")
    await store.paused()
    found = await store._session.read(
        lambda connection: [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    )
    assert found == ["wal", 2, 1]
    await store.close()
