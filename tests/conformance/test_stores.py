"""Both stores keep the promises of the port, and SQLite behaves as memory does."""

from pathlib import Path

from crmsdk.ports import Store
from crmsdk.stores.memory import MemoryStore
from crmsdk.stores.sqlite import SqliteStore
from crmsdk.testing.store_suite import StoreSuite


class TestMemoryStore(StoreSuite):
    def open_store(self, folder: Path) -> Store:
        return MemoryStore()


class TestSqliteStore(StoreSuite):
    def open_store(self, folder: Path) -> Store:
        return SqliteStore(folder / "crm.db", synchronous="normal")


class TestSqliteStoreThatRemembersNobody(StoreSuite):
    def open_store(self, folder: Path) -> Store:
        return SqliteStore(folder / "crm.db", synchronous="normal", remember=0)
