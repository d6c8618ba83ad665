"""The ledgers of this library keep the promises of the port."""

from pathlib import Path

from crmsdk.ledgers.memory import MemoryLedger
from crmsdk.ledgers.sqlite import SqliteLedger
from crmsdk.ports import Ledger
from crmsdk.testing.ledger_suite import LedgerSuite


class TestMemoryLedger(LedgerSuite):
    async def open_ledger(self, folder: Path) -> Ledger:
        return MemoryLedger()


class TestSqliteLedger(LedgerSuite):
    async def open_ledger(self, folder: Path) -> Ledger:
        return SqliteLedger(folder / "ledger.db")
