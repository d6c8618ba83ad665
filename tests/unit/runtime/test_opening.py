"""What is left behind when an application cannot be opened, and what its parts show of themselves."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from crmsdk import Crm, Exit, Journey, did, on
from crmsdk.errors import ConfigError, NewerStore, StoreError
from crmsdk.runtime.dispatch import Dispatcher
from crmsdk.runtime.turning import Turner

pytestmark = pytest.mark.anyio


async def test_a_database_that_cannot_be_opened_is_let_go_of(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    async with Crm.open(f"sqlite:///{path}", zone="UTC"):
        pass
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    crm = Crm.open(f"sqlite:///{path}", zone="UTC")
    with pytest.raises(NewerStore):
        await crm.__aenter__()
    with pytest.raises(StoreError, match="closed"):
        await crm.customers()


async def test_the_database_of_another_program_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE orders (id INTEGER)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="holds tables of something else"):
        Crm.open(f"sqlite:///{path}", zone="UTC")
    assert path.read_bytes() == before
    assert not (tmp_path / "shop.db-wal").exists()


@pytest.mark.parametrize(
    "setting",
    [{"mode": "allowlist"}, {"at_least_once": ["promos"]}, {"unsubscribe": "http://shop.example/{token}"}],
    ids=str,
)
def test_settings_that_cannot_work_are_refused_before_anything_is_opened(
    tmp_path: Path, setting: Any
) -> None:
    with pytest.raises(ConfigError):
        Crm.open(f"sqlite:///{tmp_path / 'crm.db'}", zone="UTC", **setting)
    assert list(tmp_path.iterdir()) == []


async def test_journeys_may_come_from_any_iterable() -> None:
    hello = Journey("hello", on("came"), [Exit()], kind="service", goal=did("paid").since_entry())
    made: Any = (journey for journey in [hello])
    async with Crm.open("memory://", zone="UTC", journeys=made) as crm:
        assert crm.journeys == (hello,)


async def test_the_secret_of_a_project_is_not_shown() -> None:
    async with Crm.open("memory://", zone="UTC", secret="hidden-key") as crm:
        for part in (crm._turner, crm._dispatcher, crm._parts):
            assert isinstance(part, Turner | Dispatcher) or part is crm._parts
            assert "hidden-key" not in repr(part)
