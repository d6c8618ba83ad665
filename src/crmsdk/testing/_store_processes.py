"""What a durable store promises about other processes, other store objects and sudden death."""

import asyncio
import os
import signal
import warnings
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import attrs
import pytest

from crmsdk.errors import StoreError
from crmsdk.journeys.person import Change
from crmsdk.model.ids import CustomerId, EventId, MessageId
from crmsdk.model.message import MessageState
from crmsdk.ports import Store
from crmsdk.testing._sealed import SealedSuite
from crmsdk.testing._store_samples import (
    NOON,
    add,
    event,
    hours,
    ids,
    load_one,
    message,
    messages_of,
    note,
    notes_of,
    person,
    run,
    with_events,
    write,
)

__all__ = ["ProcessPromises"]

OpenStore = Callable[[Path], Store]
BATCH = 400
BATCHES = 6
ANN = CustomerId("ann")


@pytest.mark.anyio
class ProcessPromises(SealedSuite):
    """Written is written, and several may write at a time."""

    @pytest.fixture
    def second(self, store: Store, tmp_path: Path, opener: OpenStore) -> Store:
        """Open the same data once more; skip where that cannot be."""
        if not store.durable:
            pytest.skip("not durable: nobody else sees the data")
        return opener(tmp_path)

    async def test_a_store_says_whether_it_is_durable(
        self, store: Store, tmp_path: Path, opener: OpenStore
    ) -> None:
        await add(store, person())
        await store.close()
        again = opener(tmp_path)
        assert await again.customers(limit=9) == (["ann"] if store.durable else [])
        await again.close()

    async def test_all_is_there_after_opening_again(self, store: Store, second: Store) -> None:
        ann = with_events(person(enrollments=(run("r1", wake=hours(1)),)), event("e1"))
        ann = await add(store, ann, messages=[message("m1")], notes=[note("x")])
        await store.set_paused("welcome", True)
        await store.close()
        assert await load_one(second) == ann
        assert ids(await messages_of(second, ANN)) == ["m1"]
        assert await notes_of(second, ANN) == [note("x")]
        assert await second.paused() == {"welcome"}
        assert await second.due(hours(1), limit=9) == [ANN]
        await second.close()

    async def test_of_two_that_read_one_person_one_writes(self, store: Store, second: Store) -> None:
        ann = await add(store, person())
        for turn in range(5):
            answers = await asyncio.gather(
                store.commit([Change(person=ann, notes=(note(f"{turn}"),))]),
                second.commit([Change(person=ann, notes=(note(f"{turn}"),))]),
            )
            assert sorted(written for (written,) in answers) == [False, True]
            ann = await load_one(second)
        assert [line.text for line in await notes_of(store, ANN)] == list("01234")
        await second.close()

    async def test_what_another_wrote_meanwhile_is_read(self, store: Store, second: Store) -> None:
        ann = await add(store, person())
        assert await load_one(second) == ann
        ann = await write(store, ann, with_events(ann, event("e1")))
        assert await load_one(second) == ann
        ann = await write(second, ann, with_events(ann, event("e2")))
        assert await load_one(store) == ann
        await second.close()

    async def test_an_id_that_is_used_again_is_a_person_of_its_own(self, store: Store, second: Store) -> None:
        ann, ghost = await add(store, person()), await add(store, person("ghost", locale="ru"))
        assert await load_one(second, "ghost") == ghost
        await write(store, ann, absorbs=[ghost])
        ghost = await add(store, person("ghost", locale="en"))
        assert (await load_one(second, "ghost")).locale == "en"
        assert (await load_one(store, "ghost")).locale == "en"
        await second.close()

    async def test_what_failed_is_never_read(self, store: Store, second: Store) -> None:
        ann = await add(store, person())
        wrong = Change(person=person("eve"), absorbs=(person("eve"),))
        with pytest.raises(StoreError):
            await store.commit([Change(person=attrs.evolve(ann, locale="ru")), wrong])
        await write(second, ann, attrs.evolve(ann, locale="en"))
        await add(store, person("bob"))
        assert (await load_one(store)).locale == "en"
        await second.close()

    async def test_one_event_from_two_sides_is_stored_once(self, store: Store, second: Store) -> None:
        def change(owner: str) -> Change:
            return Change(person=with_events(person(owner), event("e1", owner)), events=(event("e1", owner),))

        answers = await asyncio.gather(store.commit([change("ann")]), second.commit([change("bob")]))
        assert sorted(written for (written,) in answers) == [False, True]
        assert len(await store.customers(limit=9)) == 1
        await second.close()

    async def test_t01_several_workers_claim_each_message_once(
        self, store: Store, second: Store, tmp_path: Path, opener: OpenStore
    ) -> None:
        wanted = [f"m{n:03}" for n in range(200)]
        await add(store, person(), messages=[message(id) for id in wanted])
        workers = {"a": store, "b": second, "c": opener(tmp_path), "d": opener(tmp_path)}

        async def work(name: str, mine: Store) -> list[str]:
            sent: list[str] = []
            while rows := await mine.claim(NOON, limit=7, worker=name, lease=hours(1)):
                done = [attrs.evolve(row, state=MessageState.SENT, lease=None) for row in rows]
                assert all(await mine.settle(done, worker=name))
                sent += ids(rows)
            return sent

        lists = await asyncio.gather(*(work(name, mine) for name, mine in workers.items()))
        assert Counter(id for sent in lists for id in sent) == Counter(wanted)
        for name in "bcd":
            await workers[name].close()

    async def test_a_store_object_serves_many_tasks_at_a_time(self, store: Store) -> None:
        async def write_one(n: int) -> None:
            new = await add(store, person(f"p{n}"), messages=[message(f"m{n}", f"p{n}")])
            await write(store, new, with_events(new, event(f"e{n}", f"p{n}")))

        await asyncio.gather(*(write_one(n) for n in range(40)))
        found = await store.load([CustomerId(f"p{n}") for n in range(40)])
        assert [one and ids(one.facts.events) for one in found] == [[f"e{n}"] for n in range(40)]

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
    @pytest.mark.parametrize(
        ("acknowledged", "spin"), [(0, 0), (0, 300_000), (1, 600_000), (2, 900_000), (3, 1_200_000)]
    )
    def test_t05_a_process_killed_while_it_commits_leaves_all_or_nothing(
        self, tmp_path: Path, opener: OpenStore, acknowledged: int, spin: int
    ) -> None:
        probe = opener(tmp_path)
        if not probe.durable:
            pytest.skip("not durable: nothing outlives the process")
        before = _killed_writer(opener, tmp_path, acknowledged=acknowledged, spin=spin)
        asyncio.run(_check_batches(opener(tmp_path), at_least=before))

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
    def test_a_store_goes_on_in_a_forked_process(self, tmp_path: Path, opener: OpenStore) -> None:
        async def play() -> list[CustomerId]:
            store = opener(tmp_path)
            if not store.durable:
                pytest.skip("not durable: the child's writes are its own")
            await add(store, person("before"))

            async def in_child() -> None:
                await add(store, person("child"))
                await store.close()

            assert _exit_code(_fork(in_child)) == 0
            await add(store, person("parent"))
            try:
                return list(await store.customers(limit=9))
            finally:
                await store.close()

        assert asyncio.run(play()) == ["before", "child", "parent"]


def _batch(number: int) -> list[Change]:
    """Make people with something in every table."""
    changes = []
    for place in range(BATCH):
        id = f"p{number}-{place}"
        one = with_events(person(id, enrollments=(run("r1", wake=NOON),)), event(f"e-{id}", id))
        changes.append(
            Change.between(
                attrs.evolve(one, facts=person(id).facts, enrollments=()),
                one,
                messages=[message(f"m-{id}", id)],
                notes=[note("x")],
            )
        )
    return changes


def _fork(job: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """Run a coroutine in a child process; give its number."""
    with warnings.catch_warnings():
        # Python 3.12 warns of forks beside threads; the child starts its own loop and threads.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _run_and_exit(job)
    return child


def _run_and_exit(job: Callable[[], Coroutine[Any, Any, None]]) -> NoReturn:
    code = 1
    with suppress(BaseException):
        # The parent's loop is none of the child's, though this thread still seems to run it.
        asyncio.events._set_running_loop(None)  # noqa: SLF001 - there is no public name
        asyncio.set_event_loop(None)
        asyncio.run(job())
        code = 0
    os._exit(code)


def _exit_code(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _killed_writer(opener: OpenStore, folder: Path, *, acknowledged: int, spin: int) -> int:
    """Let a child commit batches, kill it after so many were acknowledged; say how many were in the end."""
    reader, writer = os.pipe()

    async def commit_for_ever() -> None:
        os.close(reader)
        store = opener(folder)
        batches = [_batch(number) for number in range(BATCHES)]
        await store.customers(limit=1)
        os.write(writer, b"o")
        for batch in batches:
            await store.commit(batch)
            os.write(writer, b".")

    child = _fork(commit_for_ever)
    os.close(writer)
    for _ in range(1 + acknowledged):
        assert os.read(reader, 1), "the writing process died by itself"
    sum(range(spin))  # lets the next commit get under way
    os.kill(child, signal.SIGKILL)
    _exit_code(child)
    rest = 0
    while found := os.read(reader, 4096):
        rest += len(found)
    os.close(reader)
    return acknowledged + rest


async def _check_batches(store: Store, *, at_least: int) -> None:
    customers = await store.customers(limit=100_000)
    assert len(customers) % BATCH == 0, "half a batch is stored"
    assert len(customers) in {at_least * BATCH, (at_least + 1) * BATCH}
    found = await store.load(customers)
    assert all(one and ids(one.facts.events) and ids(one.enrollments) for one in found)
    assert len(await store.find_events([EventId(f"e-{id}") for id in customers])) == len(customers)
    assert None not in await store.messages([MessageId(f"m-{id}") for id in customers])
    assert len(await store.due(NOON, limit=100_000)) == len(customers)
    await store.close()
