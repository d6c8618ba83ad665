"""The mirror of the SQLite store: the same answers, kept up by small steps, whole or not at all."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import duckdb
import pytest

from crmsdk.audiences import mirror as mirror_module
from crmsdk.audiences.memory import MemoryAudience
from crmsdk.audiences.mirror import Refreshed, SqliteMirror
from crmsdk.errors import AudienceError
from crmsdk.model.facts import Facts
from crmsdk.segments.words import account, attr, consent, did, everyone, prop, segment
from crmsdk.stores.sqlite import SqliteStore
from crmsdk.testing.audience_rows import audience_rows
from crmsdk.testing.draws import NOW
from crmsdk.testing.populations import population

SEGMENTS = [
    segment("all", everyone),
    segment("in a", attr("city") == "a"),
    segment("inside", attr("address.city") == "a"),
    segment("bought", did("purchase").sum("amount") >= 1),
    segment("carts", did("visit").where(prop("cart.id") == 1)),
    segment("agreed", consent("email", "promo")),
    segment("never", ~did("покупка")),
    segment("beside", account.others.any(did("visit"))),
    segment("together", account.sum(did("purchase"), "amount") > 1),
]


@pytest.fixture
async def store(tmp_path: Path) -> Path:
    """An empty store's file."""
    path = tmp_path / "crm.db"
    store = SqliteStore(path)
    await store.paused()  # the first call makes the tables
    await store.close()
    return path


def write(store: Path, people: Iterable[Facts], version: int = 1) -> None:
    """Put people into the store as it keeps them."""
    rows = audience_rows(people)
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        for who, zone in rows.people:
            connection.execute("DELETE FROM event WHERE customer = ?", (who,))
            connection.execute("DELETE FROM attribute_write WHERE customer = ?", (who,))
            connection.execute("DELETE FROM consent WHERE customer = ?", (who,))
            connection.execute("DELETE FROM person WHERE id = ?", (who,))
            connection.execute(
                "INSERT INTO person (id, version, created, zone, audience) VALUES (?, ?, 0, ?, '')",
                (who, version, zone),
            )
        connection.executemany(
            "INSERT INTO event (customer, id, name, at, properties, received, source)"
            " VALUES (?, ?, ?, ?, ?, 0, '')",
            rows.events,
        )
        connection.executemany(
            "INSERT INTO attribute_write (customer, name, value, at, id, source) VALUES (?, ?, ?, ?, ?, '')",
            rows.attributes,
        )
        connection.executemany(
            "INSERT INTO consent (customer, channel, purpose, state, at, id, basis, source, evidence)"
            " VALUES (?, ?, ?, ?, ?, ?, '', '', '')",
            rows.consents,
        )
        connection.execute("COMMIT")


def erase(store: Path, who: str) -> None:
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        for table, column in (
            ("event", "customer"),
            ("attribute_write", "customer"),
            ("consent", "customer"),
        ):
            connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (who,))  # noqa: S608 - our own names
        connection.execute("DELETE FROM person WHERE id = ?", (who,))


@pytest.fixture
def mirror(store: Path, tmp_path: Path) -> Iterator[SqliteMirror]:
    made = SqliteMirror(store, tmp_path / "segments.duckdb")
    yield made
    made.close()


def same_answers(mirror: SqliteMirror, people: Iterable[Facts]) -> None:
    found = mirror.audience().memberships(SEGMENTS, at=NOW)
    expected = MemoryAudience(people).memberships(SEGMENTS, at=NOW)
    for each in SEGMENTS:
        assert sorted(found.members(each.name)) == sorted(expected.members(each.name)), each.name


async def test_a_mirror_answers_as_the_reference(store: Path, mirror: SqliteMirror) -> None:
    people = population(3, 60)
    write(store, people)
    told = mirror.refresh()
    assert told.people == 60
    assert told.rows == sum(len(each.events) + len(each.attributes) + len(each.consents) for each in people)
    same_answers(mirror, people)


async def test_only_people_who_changed_are_read_again(store: Path, mirror: SqliteMirror) -> None:
    people = list(population(4, 40))
    write(store, people)
    mirror.refresh()
    assert mirror.refresh() == Refreshed(people=0, gone=0, rows=0)
    people[7] = attrs.evolve(people[8], customer=people[7].customer, events=())
    write(store, [people[7]], version=2)
    told = mirror.refresh()
    assert (told.people, told.rows) == (1, len(people[7].attributes) + len(people[7].consents))
    same_answers(mirror, people)


async def test_who_is_erased_is_gone_from_the_mirror(store: Path, mirror: SqliteMirror) -> None:
    people = population(5, 20)
    write(store, people)
    mirror.refresh()
    erase(store, people[0].customer)
    assert mirror.refresh() == Refreshed(people=0, gone=1, rows=0)
    same_answers(mirror, people[1:])
    rows = mirror._connection.execute("SELECT count(*) FROM events WHERE customer = ?", [people[0].customer])
    assert rows.fetchone() == (0,)


async def test_a_property_called_is_is_only_a_name(store: Path, mirror: SqliteMirror) -> None:
    people = population(6, 5)
    write(store, people)
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO event (customer, id, name, at, properties, received, source)"
            """ VALUES (?, 'odd', 'odd', 0, '{"is":"mapping","of":{"is":"moment","amount":1}}', 0, '')""",
            (people[0].customer,),
        )
    mirror.refresh()
    asked = did("odd").where(prop("is") == "moment", prop("amount") == 1)
    assert list(mirror.audience().members(asked, at=NOW)) == [people[0].customer]


@pytest.mark.parametrize("dies_at", range(1, 5))
async def test_a_refresh_that_dies_changes_nothing(
    store: Path, mirror: SqliteMirror, monkeypatch: pytest.MonkeyPatch, dies_at: int
) -> None:
    people = list(population(7, 30))
    write(store, people)
    mirror.refresh()
    before = list(people)
    people[3] = attrs.evolve(people[4], customer=people[3].customer, events=())
    write(store, [people[3]], version=2)
    filled, fill = [], mirror_module._fill

    def dying(*args: Any, **named: Any) -> int:
        filled.append(args[2])
        if len(filled) > dies_at:
            raise KeyboardInterrupt
        return fill(*args, **named)

    monkeypatch.setattr(mirror_module, "_fill", dying)
    with pytest.raises(KeyboardInterrupt):
        mirror.refresh()
    same_answers(mirror, before)
    monkeypatch.setattr(mirror_module, "_fill", fill)
    assert mirror.refresh().people == 1
    same_answers(mirror, people)


async def test_a_mirror_is_found_again(store: Path, tmp_path: Path) -> None:
    people = population(8, 10)
    write(store, people)
    first = SqliteMirror(store, tmp_path / "kept.duckdb")
    first.refresh()
    first.close()
    again = SqliteMirror(store, tmp_path / "kept.duckdb")
    assert again.refresh() == Refreshed(people=0, gone=0, rows=0)
    same_answers(again, people)
    again.close()


def test_what_is_no_store_or_no_mirror_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudienceError, match="no file"):
        SqliteMirror(tmp_path / "none.db", tmp_path / "m.duckdb")
    (tmp_path / "crm.db").touch()
    with duckdb.connect(str(tmp_path / "other.duckdb")) as other:
        other.execute("CREATE TABLE something (a INTEGER)")
    with pytest.raises(AudienceError, match="something else"):
        SqliteMirror(tmp_path / "crm.db", tmp_path / "other.duckdb")
    empty = SqliteMirror(tmp_path / "crm.db", tmp_path / "m.duckdb")
    with pytest.raises(AudienceError, match="as before"):
        empty.refresh()
    empty.close()
