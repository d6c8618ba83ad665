"""Stores by URL."""

from datetime import timedelta
from pathlib import Path

import pytest

from crmsdk.errors import ConfigError
from crmsdk.stores.memory import MemoryStore
from crmsdk.stores.opening import open_store
from crmsdk.stores.sqlite import SqliteStore

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:///{}/crm.db", "crm.db"),
        ("sqlite:///{}/my%20crm.db", "my crm.db"),
        ("SQLITE:///{}/ж.db", "ж.db"),
    ],
)
async def test_a_sqlite_url_names_a_file(tmp_path: Path, url: str, file: str) -> None:
    store = open_store(url.format(tmp_path))
    assert isinstance(store, SqliteStore)
    await store.paused()
    assert (tmp_path / file).exists()
    await store.close()


async def test_three_slashes_are_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store("sqlite:///crm.db")
    await store.paused()
    await store.close()
    assert (tmp_path / "crm.db").exists()


def test_memory_has_a_url() -> None:
    assert isinstance(open_store("memory://"), MemoryStore)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "crm.db",
        "sqlite:",
        "sqlite://",
        "sqlite:///",
        "sqlite://crm.db",
        "sqlite:///:memory:",
        "sqlite:///crm.db?mode=ro",
        "memory://x",
        "postgresql://me:secret@db/crm",
    ],
)
def test_a_url_no_store_has_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigError, match=r"sqlite:///crm.db|MemoryStore") as caught:
        open_store(url)
    assert "secret" not in str(caught.value)


def test_settings_that_cannot_work_are_refused(tmp_path: Path) -> None:
    for path in ("", ":memory:"):
        with pytest.raises(ConfigError, match="needs a file"):
            SqliteStore(path)
    with pytest.raises(ConfigError, match="busy_timeout"):
        SqliteStore(tmp_path / "crm.db", busy_timeout=timedelta(-1))
    with pytest.raises(ConfigError, match="'full' or 'normal'"):
        SqliteStore(tmp_path / "crm.db", synchronous="off")  # type: ignore[arg-type]  # what a config file may say
    with pytest.raises(ConfigError, match="remember"):
        SqliteStore(tmp_path / "crm.db", remember=-1)
