"""Simulation and production are one engine: the same news at the same instants give the same decisions."""

import asyncio
import tempfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from crmsdk.channels.memory import MemoryChannel
from crmsdk.ledgers.sqlite import SqliteLedger
from crmsdk.model.inputs import Input
from crmsdk.model.message import DeliveryEvent
from crmsdk.ports import Ledger, Store
from crmsdk.runtime.clocks import VirtualClock
from crmsdk.runtime.crm import Crm
from crmsdk.simulation.driving import drive
from crmsdk.simulation.report import Report, report_of
from crmsdk.simulation.responses import ConstantResponses, NoResponses
from crmsdk.simulation.running import Simulation
from crmsdk.stores.sqlite import SqliteStore
from tests.scenarios.conftest import MEMORY
from tests.scenarios.stage import START, WORDS
from tests.scenarios.worlds import World, worlds

Call = tuple[datetime, str, Sequence[Any]]


class Recorder:
    """Stands before the Crm of a simulation and writes down what it is told, and when."""

    def __init__(self, simulation: Simulation) -> None:
        self._crm = simulation.crm
        self._simulation = simulation
        self.calls: list[Call] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._crm, name)

    async def ingest(self, news: Iterable[Input]) -> Any:
        given = list(news)
        self.calls.append((self._simulation.now, "ingest", given))
        return await self._crm.ingest(given)

    async def report(self, events: Iterable[DeliveryEvent]) -> int:
        given = list(events)
        self.calls.append((self._simulation.now, "report", given))
        return await self._crm.report(given)

    async def advance(self) -> Any:
        self.calls.append((self._simulation.now, "advance", ()))
        return await self._crm.advance()


async def _produce(world: World, calls: Sequence[Call], folder: Path) -> tuple[Report, dict[str, Any]]:
    """Run the same through SQLite, the first part as history."""
    clock = VirtualClock(START)
    channels = [MemoryChannel(name, everyone=True) for name in ("sink", "other")]
    url = f"sqlite:///{folder / 'crm.db'}"
    async with Crm.open(url, zone="UTC", clock=clock) as crm:
        await crm.ingest([one for one in world.news if one.at < START])
    async with Crm.open(
        url, zone="UTC", clock=clock, journeys=world.journeys, policy=world.policy, channels=channels,
        templates=WORDS, mode="live",
    ) as crm:  # fmt: skip
        await crm.advance()
        for moment, call, given in calls:
            clock.set(moment)
            await getattr(crm, call)(*([given] if call != "advance" else []))
    store, ledger = SqliteStore(folder / "crm.db"), SqliteLedger(folder / "crm.db")
    report = await report_of(store, world.journeys, start=START, until=world.end)
    places = await _places(store, ledger)
    await ledger.close()
    await store.close()
    return report, places


async def _places(store: Store, ledger: Ledger) -> dict[str, Any]:
    return {name: await ledger.entries(name) for name in await store.customers(limit=100)}


@given(world=worlds(), answering=st.booleans())
def test_simulation_equals_production(world: World, answering: bool) -> None:
    responses = (
        ConstantResponses(opens=0.7, clicks=0.7, buys=0.7, unsubscribes=0.2, event="buy")
        if answering
        else NoResponses()
    )
    simulation = Simulation(
        world.journeys, world.news, start=START, policy=world.policy,
        templates=WORDS, responses=responses, seed=3,
    )  # fmt: skip
    recorder = Recorder(simulation)
    simulation.crm = recorder  # type: ignore[assignment]  # the Crm by its methods
    simulation.run(world.end)
    imagined = simulation.report()
    assert [moment for moment, call, _ in recorder.calls if call == "advance"] == simulation.instants[1:]
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        real, places = asyncio.run(_produce(world, recorder.calls, Path(folder)))
    assert real.decisions() == imagined.decisions()
    assert {id: person.enrollments for id, person in real.people.items()} == {
        id: person.enrollments for id, person in imagined.people.items()
    }
    assert places == drive(_places(simulation.store, simulation.ledger))
    assert real.notes == imagined.notes
    assert all(note.kind != "parked" for notes in real.notes.values() for note in notes)
