# mypy: disable-error-code="explicit-override"
# A stranger need not mark what it overrides.
"""The store keeps every promise of crmsdk's port."""

from pathlib import Path

from crmsdk_pocket.store import PocketStore

from crmsdk.ports import Store
from crmsdk.testing.store_suite import StoreSuite


class TestPocketStore(StoreSuite):
    def open_store(self, folder: Path) -> Store:
        return PocketStore(folder / "pocket")
