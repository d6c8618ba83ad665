"""A call of ``track`` may be repeated after a timeout: one id is one fact, also when no moment was told."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from typing_extensions import override

from crmsdk.channels.memory import MemoryChannel
from crmsdk.errors import DuplicateEvent
from crmsdk.journeys.person import Person
from crmsdk.journeys.steps import HandOver, Send
from crmsdk.journeys.triggers import enters
from crmsdk.model.event import Event
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.model.message import MessageState
from crmsdk.runtime.clocks import VirtualClock
from crmsdk.runtime.crm import Crm
from crmsdk.segments.conditions import Segment
from crmsdk.segments.words import did
from crmsdk.stores.memory import MemoryStore
from tests.scenarios.stage import DAY, NO_RULES, START, WORDS, Stage, journey

MINUTE = timedelta(minutes=1)


async def test_a_repeated_call_without_a_moment_changes_nothing(stage: Stage) -> None:
    async with stage.open() as crm:
        first = await crm.track("ann", "visit", {"page": 1}, id="e1")
        stage.clock.tick(MINUTE)
        again = await crm.track("ann", "visit", {"page": 1}, id="e1")
        (event,) = await crm.timeline("ann")
    assert (first.accepted, again.accepted, again.duplicates) == (1, 0, 1)
    assert event.at == START


async def test_a_repeated_call_with_another_body_is_refused_and_told_once(stage: Stage) -> None:
    async with stage.open() as crm:
        await crm.track("ann", "visit", {"page": 1}, id="e1")
        stage.clock.tick(MINUTE)
        with pytest.raises(DuplicateEvent):
            await crm.track("ann", "visit", {"page": 2}, id="e1")
        assert [entry.what for entry in await crm.timeline("ann")] == ["event", "conflict"]


async def test_a_repeated_call_with_another_moment_is_refused(stage: Stage) -> None:
    async with stage.open() as crm:
        await crm.track("ann", "visit", id="e1", at=START)
        with pytest.raises(DuplicateEvent):
            await crm.track("ann", "visit", id="e1", at=START - MINUTE)


class _LateStore(MemoryStore):
    """Does not see the twin at the first look, as when another process commits right after it."""

    looks = 0

    @override
    async def find_events(self, ids: Sequence[EventId]) -> Mapping[EventId, Event]:
        self.looks += 1
        return {} if self.looks == 1 else await super().find_events(ids)


async def test_the_twin_of_a_call_in_another_process_is_the_same_fact() -> None:
    store, clock = _LateStore(), VirtualClock(START)
    async with Crm.over(store, zone="UTC", clock=clock) as crm:
        await crm.track("ann", "visit", id="e1")
        clock.tick(MINUTE)
        store.looks = 0
        assert (await crm.track("ann", "visit", id="e1")).duplicates == 1


class _Racing(MemoryStore):
    """Lets another process commit just before the first person is read."""

    def __init__(self) -> None:
        super().__init__()
        self.other: Callable[[], Awaitable[object]] | None = None

    @override
    async def load(self, customers: Sequence[CustomerId]) -> Sequence[Person | None]:
        other, self.other = self.other, None
        if other is not None:
            await other()
        return await super().load(customers)


TWICE = journey(
    "again", Send("hi", "sink"), enter=enters(Segment("twice", did("visit").count() >= 2)), kind="content"
)


async def test_one_fact_stored_by_two_processes_at_once_counts_once() -> None:
    store, clock = _Racing(), VirtualClock(START)
    rules: dict[str, Any] = {"zone": "UTC", "clock": clock, "policy": NO_RULES, "templates": WORDS}
    channels = [MemoryChannel("sink", everyone=True)]
    async with (
        Crm.over(store, journeys=[TWICE], channels=channels, **rules) as crm,
        Crm.over(store, journeys=[TWICE], channels=channels, **rules) as twin,
    ):
        await crm.identify("ann")
        store.other = lambda: twin.track("ann", "visit", {"page": 1}, id="e1", at=START)
        await crm.track("ann", "visit", {"page": 1}, id="e1", at=START)
        assert [entry.what for entry in await crm.timeline("ann")] == ["event"]


async def test_one_id_with_two_bodies_from_two_processes_at_once_is_refused_and_told() -> None:
    store, clock = _Racing(), VirtualClock(START)
    async with (
        Crm.over(store, zone="UTC", clock=clock) as crm,
        Crm.over(store, zone="UTC", clock=clock) as twin,
    ):
        await crm.identify("ann")
        store.other = lambda: twin.track("ann", "visit", {"page": 1}, id="e1", at=START)
        with pytest.raises(DuplicateEvent):
            await crm.track("ann", "visit", {"page": 2}, id="e1", at=START)
        assert [entry.what for entry in await crm.timeline("ann")] == ["event", "conflict"]


async def test_a_message_put_into_the_outbox_by_two_processes_at_once_is_there_once() -> None:
    store, clock = _Racing(), VirtualClock(START)
    sink = MemoryChannel("sink", everyone=True)
    rules: dict[str, Any] = {"zone": "UTC", "clock": clock, "policy": NO_RULES, "templates": WORDS}
    async with (
        Crm.over(store, channels=[sink], mode="live", **rules) as crm,
        Crm.over(store, channels=[sink], mode="live", **rules) as twin,
    ):
        await crm.identify("ann")

        async def sends_first() -> None:
            await twin.send("ann", "hi", "sink", kind="service", key="1")
            await twin.advance()

        store.other = sends_first
        id = await crm.send("ann", "hi", "sink", kind="service", key="1")
        (message,) = await store.messages([id])
        assert message is not None
        assert message.state is MessageState.SENT  # and not pending again


async def test_a_task_answered_by_two_processes_at_once_keeps_the_first_answer() -> None:
    store, clock = _Racing(), VirtualClock(START)
    call = journey("call", HandOver("call", to="sales", within=DAY))
    async with (
        Crm.over(store, journeys=[call], zone="UTC", clock=clock) as crm,
        Crm.over(store, journeys=[call], zone="UTC", clock=clock) as twin,
    ):
        await crm.track("ann", "signed_up")
        (task,) = await crm.tasks()
        store.other = lambda: twin.complete_task(task.id, "reached")
        await crm.complete_task(task.id, "nobody there")
        (done,) = await crm.tasks(open_only=False)
        assert done.answer == "reached"
