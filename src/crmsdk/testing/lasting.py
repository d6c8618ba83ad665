"""A store and a ledger in memory that outlive the Crm over them, as a database does."""

from typing_extensions import override

from crmsdk.ledgers.memory import MemoryLedger
from crmsdk.stores.memory import MemoryStore

__all__ = ["LastingLedger", "LastingStore"]


class LastingStore(MemoryStore):
    """Stays open when a Crm closes it, so that the next one of a test finds everything."""

    @override
    async def close(self) -> None:
        """Keep everything."""


class LastingLedger(MemoryLedger):
    """Stays open when a Crm closes it, so that the next one of a test finds everything."""

    @override
    async def close(self) -> None:
        """Keep everything."""
