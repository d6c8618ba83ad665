"""Fixtures for testing journeys; load them by ``pytest_plugins = ["crmsdk.testing.plugin"]`` in conftest.py.

Nothing leaves the test: time stands still until told, everything lives in memory, channels only record. Each
fixture can be overridden by one of the same name. ``crmsdk.testing.advancing.advance_to`` travels in time.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    # Loaded by the fixtures that need them: a plug-in is imported by every run of pytest.
    from crmsdk.blocking import Crm as BlockingCrm
    from crmsdk.channels.memory import MemoryChannel
    from crmsdk.ports import Ledger, Store
    from crmsdk.runtime.clocks import VirtualClock
    from crmsdk.runtime.crm import Crm

__all__ = [
    "crm",
    "crm_blocking",
    "crm_channels",
    "crm_clock",
    "crm_ledger",
    "crm_settings",
    "crm_start",
    "crm_store",
]

_MONDAY_NOON: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)
_CHANNELS: Final = ("email", "sms", "push", "telegram")


@pytest.fixture
def crm_start() -> datetime:
    """Give the moment a test begins at: a Monday noon, UTC, when nobody sleeps."""
    return _MONDAY_NOON


@pytest.fixture
def crm_clock(crm_start: datetime) -> "VirtualClock":
    """Give the clock, which moves only when told to."""
    from crmsdk.runtime.clocks import VirtualClock  # noqa: PLC0415 - see above

    return VirtualClock(crm_start)


@pytest.fixture
def crm_store() -> "Store":
    """Give an empty store in memory, which one Crm after another may open."""
    from crmsdk.testing.lasting import LastingStore  # noqa: PLC0415 - see above

    return LastingStore()


@pytest.fixture
def crm_ledger() -> "Ledger":
    """Give an empty ledger in memory, which one Crm after another may open."""
    from crmsdk.testing.lasting import LastingLedger  # noqa: PLC0415 - see above

    return LastingLedger()


@pytest.fixture
def crm_channels() -> "Mapping[str, MemoryChannel]":
    """Give recording channels by name; each reaches every customer, whatever addresses they have.

    What was handed over is in ``crm_channels["email"].kept``; ``script`` queues other answers.
    """
    from crmsdk.channels.memory import MemoryChannel  # noqa: PLC0415 - see above

    return {name: MemoryChannel(name, everyone=True) for name in _CHANNELS}


@pytest.fixture
def crm_settings(
    crm_clock: "VirtualClock", crm_ledger: "Ledger", crm_channels: "Mapping[str, MemoryChannel]"
) -> dict[str, Any]:
    """Give the settings of a Crm under test; a call of ``crm`` or ``crm_blocking`` goes before them.

    Without templates every template exists, and the text is its name.
    """
    from crmsdk.templates.standing_in import StandInTemplates  # noqa: PLC0415 - see above

    return {
        "zone": "UTC",
        "mode": "live",
        "clock": crm_clock,
        "ledger": crm_ledger,
        "channels": list(crm_channels.values()),
        "templates": StandInTemplates(),
    }


@pytest.fixture
def crm(crm_store: "Store", crm_settings: dict[str, Any]) -> "Callable[..., Crm]":
    """Give what makes an async Crm of these, by the settings of ``Crm.open``.

    Say ``async with crm(journeys=[cart], policy=policy) as app``. Several may be made in one test, one after
    another or at a time: they share store and ledger, as processes do.
    """
    from crmsdk.runtime.crm import Crm  # noqa: PLC0415 - see above

    return lambda **settings: Crm.over(crm_store, **{**crm_settings, **settings})


@pytest.fixture
def crm_blocking(crm_store: "Store", crm_settings: dict[str, Any]) -> "Iterator[Callable[..., BlockingCrm]]":
    """Give what opens a blocking Crm of these, by the settings of ``Crm.open``.

    Say ``app = crm_blocking(journeys=[cart])``; it is closed after the test.
    """
    from crmsdk.blocking import Crm  # noqa: PLC0415 - see above

    with ExitStack() as opened:
        yield lambda **settings: opened.enter_context(Crm.over(crm_store, **{**crm_settings, **settings}))
