"""The exported suite of the port Ledger: whoever writes a ledger proves it by these promises.

    class TestMine(LedgerSuite):
        async def open_ledger(self, folder):
            return MyLedger(folder / "ledger.db")

Every sentence of the port's docstrings is a test here, and random plays compare the ledger with the one in
memory, answer by answer.
"""

from crmsdk.testing._ledger_places import PlacePromises
from crmsdk.testing._ledger_random import RandomPlays
from crmsdk.testing._ledger_upkeep import UpkeepPromises

__all__ = ["LedgerSuite"]


class LedgerSuite(PlacePromises, UpkeepPromises, RandomPlays):
    """All promises of the port; an adapter gives ``open_ledger`` and nothing else."""
