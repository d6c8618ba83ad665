"""The SQLite ledger between processes, and what it says when the file or the disk fails it."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from crmsdk.errors import ConfigError, NewerStore, StoreBusy, StoreError, StoreFull
from crmsdk.ledgers._sqlite_schema import STEPS
from crmsdk.ledgers.memory import MemoryLedger
from crmsdk.ledgers.sqlite import SqliteLedger
from crmsdk.model.ids import CustomerId, MessageId
from crmsdk.model.moment import to_micros
from crmsdk.policy.record import ContactState, Suppression
from crmsdk.policy.request import NOTHING_KNOWN, ContactRequest
from crmsdk.testing._ledger_play import ANN, NOW, ask, at_most, past, record, reserve
from tests.unit.ledgers import contender

CONTENDER = Path(contender.__file__)


@contextmanager
def competing(path: Path, name: str, *numbers: int, hold: bool = False) -> Iterator[subprocess.Popen[str]]:
    """Start a contender and wait until it is ready; it is dead at the end."""
    command = [
        sys.executable,
        str(CONTENDER),
        str(path),
        name,
        *map(str, numbers),
        *(["hold"] if hold else []),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert heard(process) == ["ready"]
            yield process
        finally:
            process.kill()


def heard(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    return process.stdout.readline().split()


def tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


async def contacts_of(path: Path, person: str) -> list[tuple[str, ContactState]]:
    ledger = SqliteLedger(path)
    try:
        return [(each.message_id, each.state) for each in await ledger.entries(CustomerId(person))]
    finally:
        await ledger.close()


def test_r73_four_processes_admit_exactly_the_limit(tmp_path: Path, sized: Callable[[int, int], int]) -> None:
    path, rounds, limit = tmp_path / "ledger.db", sized(5, 100), 20
    with (
        competing(path, "a", rounds, 12, limit) as a,
        competing(path, "b", rounds, 12, limit) as b,
        competing(path, "c", rounds, 12, limit) as c,
        competing(path, "d", rounds, 12, limit) as d,
    ):
        for process in (a, b, c, d):
            tell(process)
        said: dict[str, list[str]] = {}
        for process in (a, b, c, d):
            while (words := heard(process)) != ["done"]:
                assert words, "a contender died"
                if words[0] == "committed":
                    said.setdefault(words[1], []).append(words[2])
    assert len(said) == rounds
    assert {number: len(messages) for number, messages in said.items()} == dict.fromkeys(said, limit)
    for number, messages in said.items():
        kept = asyncio.run(contacts_of(path, f"p{number}"))
        assert sorted(name for name, _ in kept) == sorted(messages)
        assert {state for _, state in kept} == {ContactState.SENT}


def test_killed_between_reserve_and_commit_the_place_stays_taken(tmp_path: Path) -> None:
    """Kill -9 with a reserved place: in doubt, counted, and only the same message gets it back."""
    path = tmp_path / "ledger.db"
    with competing(path, "a", 1, 5, 2, hold=True) as process:
        tell(process)
        assert heard(process) == ["reserved", "0", "a-0"]
        tell(process)
        assert heard(process) == ["committed", "0", "a-0"]
        assert heard(process) == ["reserved", "0", "a-1"]
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    async def look() -> None:
        ledger = SqliteLedger(path)
        limiter = contender.limiter_over(ledger, 2)
        later = contender.NOW + 2 * contender.LEASE
        try:
            (doubt,) = await ledger.in_doubt(to_micros(later))
            assert doubt.contact.message_id == "a-1"

            async def offer(name: str) -> bool:
                request = ContactRequest(
                    message_id=MessageId(name), customer=CustomerId("p0"), channels="email", kind="promo"
                )
                decision = await limiter.reserve(request, NOTHING_KNOWN, later)
                if decision.lease is not None:
                    await limiter.commit(decision.lease)
                return decision.allowed

            assert [await offer(name) for name in ("b-0", "a-0", "a-1", "b-0")] == [False, False, True, False]
            states = [(each.message_id, each.state) for each in await ledger.entries(CustomerId("p0"))]
            assert states == [("a-0", ContactState.SENT), ("a-1", ContactState.SENT)]
        finally:
            await ledger.close()

    asyncio.run(look())


def test_killed_at_any_moment_the_limit_holds(tmp_path: Path, sized: Callable[[int, int], int]) -> None:
    path, limit = tmp_path / "ledger.db", 12
    for kill in range(sized(6, 60)):
        with competing(path, f"k{kill}", 40, 3, limit) as process:
            tell(process)
            for _ in range(1 + 7 * kill % 23):  # another place in its work each time
                heard(process)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        counts = [
            row[0]
            for row in database.execute("SELECT count(*) FROM crmsdk_ledger_contacts GROUP BY customer")
        ]
    assert max(counts) == limit  # reached: the first person was offered more


def test_ledger_lives_in_the_file_of_a_store(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE people (id TEXT)")
        database.execute("INSERT INTO people VALUES ('ann')")
        database.commit()

    async def run() -> None:
        ledger = SqliteLedger(path)
        await reserve(ledger, ask("m1"))
        await ledger.close()

    asyncio.run(run())
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT id FROM people").fetchall() == [("ann",)]
        names = {row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        assert names - {"people"} == {name for name in names if name.startswith("crmsdk_ledger_")}


@pytest.mark.parametrize("version", range(len(STEPS) + 1))
def test_schema_comes_forward_from_every_version(tmp_path: Path, version: int) -> None:
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path)) as database:
        if version:
            database.execute("CREATE TABLE crmsdk_ledger_schema (version INTEGER PRIMARY KEY) WITHOUT ROWID")
            database.executemany(
                "INSERT INTO crmsdk_ledger_schema VALUES (?)", [(n + 1,) for n in range(version)]
            )
        for step in STEPS[:version]:
            for statement in step:
                database.execute(statement)
        database.commit()
    assert asyncio.run(_admits(path)) == [True, False]
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT max(version) FROM crmsdk_ledger_schema").fetchone() == (len(STEPS),)


async def _admits(path: Path) -> list[bool]:
    ledger = SqliteLedger(path)
    try:
        return await reserve(ledger, ask("m1", at_most(1)), ask("m2", at_most(1)))
    finally:
        await ledger.close()


def test_file_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    asyncio.run(_admits(path))
    with closing(sqlite3.connect(path)) as database:
        database.execute("INSERT INTO crmsdk_ledger_schema VALUES (99)")
        database.commit()
    with pytest.raises(NewerStore) as caught:
        SqliteLedger(path)
    assert (caught.value.found, caught.value.known) == (99, len(STEPS))


def test_file_held_by_another_is_busy_and_nothing_is_written(tmp_path: Path) -> None:
    async def run() -> None:
        ledger = SqliteLedger(tmp_path / "ledger.db", busy=timedelta(milliseconds=10))
        try:
            with closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                with pytest.raises(StoreBusy, match=r"longer than 0\.01 s"):
                    await ledger.reserve([ask("m1")])
                assert list(await ledger.entries(ANN)) == []  # readers need not wait
                with pytest.raises(StoreBusy):
                    SqliteLedger(tmp_path / "ledger.db", busy=timedelta(milliseconds=10))
                other.execute("ROLLBACK")
            assert await reserve(ledger, ask("m1")) == [True]
        finally:
            await ledger.close()

    asyncio.run(run())


def test_full_disk_loses_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        ledger = SqliteLedger(tmp_path / "ledger.db")
        try:
            await reserve(ledger, ask("m1"))
            database = ledger._file._database
            (pages,) = database.execute("PRAGMA page_count").fetchone()
            database.execute(f"PRAGMA max_page_count = {pages}")
            bulk = [past(f"p{number}" + "x" * 500, NOW - number) for number in range(900)]
            with pytest.raises(StoreFull, match="nothing was written"):
                await record(ledger, ANN, bulk)
            assert [each.message_id for each in await ledger.entries(ANN)] == ["m1"]
            database.execute("PRAGMA max_page_count = 100000")
            assert all(await record(ledger, ANN, bulk))
        finally:
            await ledger.close()

    asyncio.run(run())


def test_failing_statement_is_a_store_error_and_is_rolled_back(tmp_path: Path) -> None:
    async def run() -> None:
        ledger = SqliteLedger(tmp_path / "ledger.db")
        try:
            ledger._file._database.execute("DROP TABLE crmsdk_ledger_contacts")
            with pytest.raises(StoreError, match="SQLITE_ERROR"):
                await ledger.reserve([ask("m1")])
            assert not ledger._file._database.in_transaction
        finally:
            await ledger.close()

    asyncio.run(run())


def test_path_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"no database " * 100)
    with pytest.raises(StoreError, match=r"'notes\.txt' is no SQLite database"):
        SqliteLedger(tmp_path / "notes.txt")
    with pytest.raises(StoreError, match="its folder exists"):
        SqliteLedger(tmp_path / "nowhere" / "ledger.db")


@pytest.mark.parametrize("path", ["", ":memory:", "file:ledger.db?mode=memory"])
def test_database_in_memory_is_refused(path: str) -> None:
    with pytest.raises(ConfigError, match="MemoryLedger"):
        SqliteLedger(path)


def test_full_synchronous_is_set_and_anything_else_refused(tmp_path: Path) -> None:
    async def run() -> None:
        for mode, level in (("normal", 1), ("full", 2)):
            ledger = SqliteLedger(tmp_path / "ledger.db", synchronous=mode)  # type: ignore[arg-type]  # a literal
            try:
                assert ledger._file._database.execute("PRAGMA synchronous").fetchone() == (level,)
                assert ledger._file._database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            finally:
                await ledger.close()

    asyncio.run(run())
    with pytest.raises(ConfigError, match="synchronous is 'off'"):
        SqliteLedger(tmp_path / "ledger.db", synchronous="off")  # type: ignore[arg-type]  # the point


@pytest.mark.parametrize("made", [MemoryLedger, SqliteLedger])
def test_forked_process_may_not_use_the_ledger(
    made: Callable[..., MemoryLedger | SqliteLedger], tmp_path: Path
) -> None:
    ledger = made() if made is MemoryLedger else made(tmp_path / "ledger.db")
    child = os.fork()
    if child == 0:  # pragma: no cover - the child's coverage is lost with it
        try:
            asyncio.run(_expect_fork_error(ledger))
        except BaseException:  # noqa: BLE001 - whatever it is, the parent must hear of it
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    asyncio.run(_reserve_and_close(ledger))


async def _expect_fork_error(ledger: MemoryLedger | SqliteLedger) -> None:
    with pytest.raises(StoreError, match="cross a fork"):
        await ledger.reserve([ask("m1")])


async def _reserve_and_close(ledger: MemoryLedger | SqliteLedger) -> None:
    assert await reserve(ledger, ask("m1")) == [True]
    await ledger.close()


def test_cancelled_reserve_is_whole(tmp_path: Path) -> None:
    """A caller that gives up leaves either a place or none, and the same message gets it later."""

    async def run() -> None:
        ledger = SqliteLedger(tmp_path / "ledger.db")
        try:
            task = asyncio.create_task(ledger.reserve([ask("m1", at_most(1))]))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await reserve(ledger, ask("m1", at_most(1), now=NOW + 2 * 3_600_000_000)) == [True]
            assert len(await ledger.entries(ANN)) == 1
        finally:
            await ledger.close()

    asyncio.run(run())


def test_errors_carry_no_personal_data(tmp_path: Path) -> None:
    async def run() -> None:
        ledger = SqliteLedger(tmp_path / "ledger.db")
        ledger._file._database.execute("DROP TABLE crmsdk_ledger_suppressions")
        with pytest.raises(StoreError) as caught:
            await ledger.suppress([Suppression(address="hash-of-somebody")])
        assert "somebody" not in str(caught.value)
        await ledger.close()

    asyncio.run(run())
