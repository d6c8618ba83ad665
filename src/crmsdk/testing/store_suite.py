"""The suite every store must pass: one test a promise of the port ``Store``.

    from crmsdk.testing.store_suite import StoreSuite

    class TestMyStore(StoreSuite):
        def open_store(self, folder: Path) -> Store:
            return MyStore(folder / "crm.db")

The tests are async and run under anyio's pytest plugin, which comes with httpx. Sequences are compared with
lists, so return lists. A store that is not durable skips what concerns other processes.
"""

from abc import abstractmethod
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from crmsdk.ports import Store
from crmsdk.testing._store_accounts import AccountPromises
from crmsdk.testing._store_people import AbsorbPromises, CommitPromises, ReadPromises
from crmsdk.testing._store_processes import ProcessPromises
from crmsdk.testing._store_queue import ClaimPromises, DuePromises, RecordPromises, SettlePromises

__all__ = ["StoreSuite"]


class StoreSuite(
    ReadPromises,
    CommitPromises,
    AbsorbPromises,
    AccountPromises,
    DuePromises,
    ClaimPromises,
    SettlePromises,
    RecordPromises,
    ProcessPromises,
):
    """Subclass it, say how to open a store, and every promise is a test."""

    @abstractmethod
    def open_store(self, folder: Path) -> Store:
        """Make a store that keeps its data under ``folder``.

        Called with one folder again, a durable store gives another object over the same data. It is also
        called in forked processes.
        """

    @pytest.fixture
    def anyio_backend(self) -> str:
        """Run on asyncio, as the runtime does."""
        return "asyncio"

    @pytest.fixture
    def opener(self) -> Callable[[Path], Store]:
        """Hand ``open_store`` to tests that open several."""
        return self.open_store

    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[Store]:
        """Open one store in a fresh folder and close it afterwards."""
        store = self.open_store(tmp_path)
        yield store
        await store.close()
