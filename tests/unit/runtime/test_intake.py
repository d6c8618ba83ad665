"""What the intake reads, and what it need not."""

from collections.abc import Sequence
from datetime import UTC, datetime

from typing_extensions import override

from crmsdk.journeys.person import Person
from crmsdk.journeys.program import Project
from crmsdk.journeys.programs import Programs
from crmsdk.ledgers.memory import MemoryLedger
from crmsdk.model.customer import Identifier
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.model.inputs import Track
from crmsdk.runtime.clocks import VirtualClock
from crmsdk.runtime.turning import Turner
from crmsdk.simulation.driving import drive
from crmsdk.stores.memory import MemoryStore

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Reading(MemoryStore):
    """Remembers whom it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[CustomerId] = []

    @override
    async def load(self, customers: Sequence[CustomerId]) -> Sequence[Person | None]:
        self.asked.extend(customers)
        return await super().load(customers)


def track(id: str, who: str = "ann", name: str = "purchase") -> Track:
    return Track(
        id=EventId(id),
        identifiers=(Identifier("user", who),),
        at=NOON,
        received=NOON,
        name=name,
        properties={},
    )


def turner(store: Reading) -> Turner:
    programs = Programs.of([], project=Project(zone="UTC"))
    return Turner(
        store=store, ledger=MemoryLedger(), programs=programs, clock=VirtualClock(NOON), secret=b"test"
    )


def test_events_known_word_for_word_are_duplicates_and_nobody_is_read_for_them() -> None:
    store = Reading()
    drive(turner(store).take([track("e1"), track("e2", "ben")]))
    store.asked.clear()
    taken = drive(turner(store).take([track("e1"), track("e2", "ben"), track("e1")]))
    assert (taken.accepted, taken.duplicates, taken.refused) == (0, 3, ())
    assert store.asked == []


def test_a_known_id_with_another_body_is_still_refused() -> None:
    store = Reading()
    drive(turner(store).take([track("e1")]))
    for other in (track("e1", name="refund"), track("e1", "ben")):
        taken = drive(turner(store).take([other]))
        assert (taken.accepted, taken.duplicates, len(taken.refused)) == (0, 0, 1)
