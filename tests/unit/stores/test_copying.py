"""Copying everybody: what a person has goes along, and a copy that is repeated adds nothing."""

from pathlib import Path

import attrs
import pytest

from crmsdk.ledgers.memory import MemoryLedger
from crmsdk.ledgers.sqlite import SqliteLedger
from crmsdk.model.ids import CustomerId
from crmsdk.ports import StoredDefinition
from crmsdk.stores.copying import copy_contacts, copy_people
from crmsdk.stores.memory import MemoryStore
from crmsdk.stores.sqlite import SqliteStore
from crmsdk.testing._ledger_play import NOW, past
from crmsdk.testing._store_samples import add, email, event, hours, message, note, person, run, task
from crmsdk.testing._store_samples import with_events as seen

pytestmark = pytest.mark.anyio

PEOPLE = [CustomerId(f"p{number:03}") for number in range(450)]  # more than two pages


async def test_people_come_along_with_all_they_have(tmp_path: Path) -> None:
    source, target = MemoryStore(), SqliteStore(tmp_path / "copy.db")
    await source.save_definitions([StoredDefinition(hash="h", name="welcome", text="{}")])
    await source.set_paused("welcome", True)
    for id in PEOPLE:
        one = seen(
            person(id, identifiers=(email(f"{id}@x.invalid"),), enrollments=(run("r1", wake=hours(1)),)),
            event(f"e-{id}", id),
        )
        rows = [message(f"m-{id}-{number}", id, at=hours(number)) for number in range(2)]
        lines = [note(f"{id} b"), note(f"{id} a")]
        await add(source, one, messages=rows, notes=lines, tasks=[task(f"t-{id}", id, done=hours(1))])
    assert await copy_people(source, target) == len(PEOPLE)
    assert await copy_people(source, target) == 0
    assert await target.load(PEOPLE) == await source.load(PEOPLE)
    assert await target.messages_of(PEOPLE) == await source.messages_of(PEOPLE)
    assert await target.notes_of(PEOPLE) == await source.notes_of(PEOPLE)
    assert await target.tasks(open_only=False) == await source.tasks(open_only=False)
    assert await target.definitions() == await source.definitions()
    assert await target.paused() == {"welcome"}
    await target.close()


async def test_contacts_come_along_as_sent(tmp_path: Path) -> None:
    source, target = MemoryLedger(), SqliteLedger(tmp_path / "copy.db")
    for id in PEOPLE:
        await source.record([(id, past(f"m{number}", NOW - number)) for number in range(5)])
    assert await copy_contacts(source, target, PEOPLE) == 5 * len(PEOPLE)
    assert await copy_contacts(source, target, PEOPLE) == 0
    for id in PEOPLE:
        assert await target.entries(id) == await source.entries(id)
    await target.close()


async def test_people_that_are_there_already_stay_as_they_are(tmp_path: Path) -> None:
    source, target = MemoryStore(), SqliteStore(tmp_path / "copy.db")
    ann = await add(source, person("ann"))
    await add(source, person("bob"))
    await add(target, attrs.evolve(ann, version=0, locale="ru"))
    assert await copy_people(source, target) == 1
    (kept,) = await target.load([ann.id])
    assert kept is not None
    assert kept.locale == "ru"
    await target.close()
