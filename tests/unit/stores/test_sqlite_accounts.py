"""The people of an account are found by an index, however many others are stored."""

import sqlite3
from contextlib import closing
from pathlib import Path

import attrs
import pytest

from crmsdk.journeys.person import Change
from crmsdk.model.customer import ACCOUNT, AttributeWrite
from crmsdk.model.facts import Facts
from crmsdk.model.ids import AccountId, CustomerId, EventId
from crmsdk.model.values import Value
from crmsdk.stores._sqlite_reading import _OF_ACCOUNTS, customers_of
from crmsdk.stores.copying import copy_people
from crmsdk.stores.memory import MemoryStore
from crmsdk.stores.sqlite import SqliteStore
from crmsdk.testing._store_samples import NOON, person

pytestmark = pytest.mark.anyio


def _changes(accounts: dict[str, Value]) -> list[Change]:
    changes = []
    for id, account in accounts.items():
        log = [
            AttributeWrite(name=name, value=value, at=NOON, id=EventId("a"))
            for name, value in (("city", "Тула"), (ACCOUNT, account), ("plan", "acme"))
        ]
        one = attrs.evolve(person(id), facts=Facts(customer=CustomerId(id)).with_attributes(log))
        changes.append(Change(person=one, attributes=one.facts.attributes))
    return changes


@pytest.mark.parametrize("asked", ["acme", "é", "7"])
async def test_an_account_is_searched_and_never_scanned_for(tmp_path: Path, asked: str) -> None:
    store = SqliteStore(tmp_path / "crm.db", synchronous="normal")
    await store.commit(_changes({f"p{n}": f"account {n % 50}" for n in range(300)}))
    await store.close()
    with closing(sqlite3.connect(tmp_path / "crm.db")) as connection:
        ran: list[str] = []
        connection.set_trace_callback(ran.append)
        customers_of(connection, AccountId(asked))
        connection.set_trace_callback(None)
        (sql,) = ran
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert plan[0].startswith("SEARCH attribute_write USING")
    assert "attribute_write_by_account (value=?)" in plan[0]
    assert not [line for line in plan if "SCAN" in line]


async def test_only_accounts_stand_in_the_index(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "crm.db", synchronous="normal")
    await store.commit(_changes({"ann": "acme", "bob": 7}))
    await store.close()
    with closing(sqlite3.connect(tmp_path / "crm.db")) as connection:
        sql = f"SELECT value {_OF_ACCOUNTS} WHERE name = '{ACCOUNT}'"
        assert sorted(connection.execute(sql)) == [('"acme"',), ("7",)]


async def test_a_copy_knows_the_people_of_accounts(tmp_path: Path) -> None:
    source, target = SqliteStore(tmp_path / "a.db", synchronous="normal"), MemoryStore()
    back = SqliteStore(tmp_path / "b.db", synchronous="normal")
    await source.commit(_changes({"ann": "acme", "bob": "e\u0301", "cem": 7}))
    await copy_people(source, target)
    await copy_people(target, back)
    for store in (source, target, back):
        named = [await store.customers_of(AccountId(one)) for one in ("acme", "é", "7", "Тула")]
        assert named == [["ann"], ["bob"], ["cem"], []]
        await store.close()
