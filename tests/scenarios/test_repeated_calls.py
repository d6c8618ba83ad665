"""A call of ``track`` may be repeated after a timeout: one id is one fact, also when no moment was told."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest
from typing_extensions import override

from crmsdk.errors import DuplicateEvent
from crmsdk.model.event import Event
from crmsdk.model.ids import EventId
from crmsdk.runtime.clocks import VirtualClock
from crmsdk.runtime.crm import Crm
from crmsdk.stores.memory import MemoryStore
from tests.scenarios.stage import START, Stage

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
