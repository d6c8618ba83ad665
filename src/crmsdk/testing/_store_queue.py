"""What a store promises about time and the outbox: due people, claims, settling, and its other rows."""

from collections.abc import Awaitable, Callable

import attrs
import pytest

from crmsdk.errors import StoreError
from crmsdk.journeys.person import Change, Phase
from crmsdk.model.ids import AccountId, CustomerId, MessageId
from crmsdk.model.message import Message, MessageState
from crmsdk.ports import Store, StoredDefinition
from crmsdk.testing._sealed import SealedSuite
from crmsdk.testing._store_samples import (
    NOON,
    add,
    hours,
    ids,
    load_one,
    message,
    messages_of,
    note,
    notes_of,
    person,
    run,
    settle,
    task,
    write,
)

__all__ = ["ClaimPromises", "DuePromises", "RecordPromises", "SettlePromises"]

ANN, BOB = CustomerId("ann"), CustomerId("bob")
LATE = hours(99)


async def _claim(
    store: Store, at: float = 0, *, limit: int = 9, worker: str = "w", lease: float = 1
) -> list[str]:
    return ids(await store.claim(hours(at), limit=limit, worker=worker, lease=hours(lease)))


async def _row(store: Store, id: str = "m1") -> Message:
    (row,) = await store.messages([MessageId(id)])
    assert row is not None
    return row


@pytest.mark.anyio
class DuePromises(SealedSuite):
    """Whoever has to be looked at is named in time."""

    async def test_people_are_due_from_their_very_moment(self, store: Store) -> None:
        await add(store, person(enrollments=(run("r1", wake=hours(1)),)))
        assert await store.due(hours(0.999), limit=9) == []
        assert await store.due(hours(1), limit=9) == [ANN]

    async def test_the_earliest_come_first_ties_by_id(self, store: Store) -> None:
        for id, wake in (("b", 1), ("c", 0), ("a", 1), ("d", 2)):
            await add(store, person(id, enrollments=(run("r", wake=hours(wake)),)))
        assert await store.due(LATE, limit=9) == ["c", "a", "b", "d"]
        assert await store.due(LATE, limit=2) == ["c", "a"]

    async def test_people_stay_due_until_they_are_written(self, store: Store) -> None:
        ann = await add(store, person(enrollments=(run("r1", wake=NOON),)))
        assert [await store.due(NOON, limit=9) for _ in "12"] == [[ANN]] * 2
        ann = await write(store, ann, ann.with_enrollment(run("r1", wake=hours(2))))
        assert await store.due(hours(1), limit=9) == []
        ann = await write(store, ann, ann.with_enrollment(run("r1", wake=NOON)))
        assert await store.due(NOON, limit=9) == [ANN]
        await write(store, ann, ann.with_enrollment(run("r1", wake=None)))
        assert await store.due(LATE, limit=9) == []

    async def test_the_next_moment_is_the_earliest_of_people_and_messages(self, store: Store) -> None:
        assert await store.next_due() is None
        ann = await add(store, person(enrollments=(run("r1", wake=hours(3)),)))
        assert await store.next_due() == hours(3)
        ann = await write(store, ann, messages=[message("m1", at=hours(2))])
        assert await store.next_due() == hours(2)
        ann = await write(store, ann, messages=[message("m2", at=hours(1))])
        assert await store.next_due() == hours(1)
        await store.claim(hours(1), limit=1, worker="w", lease=hours(5))
        assert await store.next_due() == hours(2)
        await store.claim(hours(2), limit=1, worker="w", lease=hours(6))
        assert await store.next_due() == hours(3)
        await write(store, ann, ann.with_enrollment(run("r1", wake=hours(9))))
        assert await store.next_due() == hours(5), "a lease that ends is work"

    async def test_the_next_moment_may_have_passed(self, store: Store) -> None:
        rows = [message("m1", at=hours(-2)), message("m2", at=hours(-1)), message("m3", at=hours(-3))]
        await add(store, person(), messages=rows)
        await store.claim(NOON, limit=1, worker="w", lease=LATE)
        assert await store.next_due() == hours(-2)
        assert await _claim(store) == ["m1", "m2"]

    async def test_final_messages_are_no_work(self, store: Store) -> None:
        final = [message(state, state=state) for state in MessageState if state.final]
        await add(store, person(), messages=final)
        assert await store.next_due() is None
        assert await _claim(store, 99, lease=100) == []

    async def test_messages_of_paused_journeys_are_no_work(self, store: Store) -> None:
        rows = [message("m1"), message("m2", at=hours(1), journey="cart")]
        await add(store, person(), messages=rows)
        assert await store.next_due(paused=frozenset({"welcome"})) == hours(1)
        assert await store.next_due(paused=frozenset({"welcome", "cart"})) is None
        assert await store.next_due() == NOON

    async def test_a_rouse_wakes_everybody_inside(self, store: Store) -> None:
        await add(store, person("ann", enrollments=(run("r1", wake=None),)))
        await add(store, person("bob", enrollments=(run("r1", wake=hours(9)),)))
        await add(store, person("cat", enrollments=(run("r1", wake=hours(1)),)))
        await add(store, person("dan", enrollments=(run("r1", wake=hours(9), journey="cart"),)))
        await add(store, person("eve", enrollments=(run("r1", phase=Phase.ENDED), run("r2", journey="cart"))))
        assert await store.rouse("welcome", hours(2)) == 3
        assert await store.due(hours(2), limit=9) == ["cat", "ann", "bob"]

    async def test_t11_a_rouse_between_read_and_commit_is_not_lost(self, store: Store) -> None:
        ann = await add(store, person(enrollments=(run("r1", wake=None),)))
        await store.rouse("welcome", NOON)
        assert await store.commit([Change(person=ann)]) == [False]
        assert await store.due(NOON, limit=9) == [ANN]
        assert (await load_one(store)).version == 2


@pytest.mark.anyio
class ClaimPromises(SealedSuite):
    """One worker at a time gets a message, and gets it in its turn."""

    async def test_a_message_is_free_from_its_very_moment(self, store: Store) -> None:
        await add(store, person(), messages=[message("m1", at=hours(1))])
        assert await _claim(store, 0.999, lease=2) == []
        assert await _claim(store, 1, lease=2) == ["m1"]

    async def test_a_claimed_message_carries_worker_and_lease(self, store: Store) -> None:
        await add(store, person(), messages=[message("m1", payload={"cart": 7})])
        (row,) = await store.claim(NOON, limit=9, worker="w7", lease=hours(1))
        assert row == message("m1", payload={"cart": 7}, worker="w7", lease=hours(1))
        assert await _row(store) == row
        assert (await load_one(store)).version == 1, "a claim touches no person"

    async def test_t01_nobody_else_gets_it_before_the_lease_is_over(self, store: Store) -> None:
        await add(store, person(), messages=[message("m1")])
        assert await _claim(store, lease=1) == ["m1"]
        assert await _claim(store, 0.999, worker="v", lease=2) == []
        assert await _claim(store, 1, worker="v", lease=2) == ["m1"]
        assert (await _row(store)).worker == "v"

    async def test_t05_a_message_being_sent_comes_back_as_being_sent(self, store: Store) -> None:
        sending = message("m1", state=MessageState.SENDING, attempts=1, worker="dead", lease=hours(1))
        await add(store, person(), messages=[sending])
        assert await _claim(store, 0.999, lease=2) == []
        (row,) = await store.claim(hours(1), limit=9, worker="w", lease=hours(2))
        assert row == attrs.evolve(sending, worker="w", lease=hours(2))

    async def test_t08_a_message_whose_worker_died_is_not_skipped(self, store: Store) -> None:
        await add(store, person(), messages=[message("m1"), message("m2"), message("m3")])
        assert await _claim(store, limit=2, lease=1) == ["m1", "m2"]
        assert await _claim(store, worker="v", lease=1) == ["m3"]
        assert await store.next_due() == hours(1)
        assert await _claim(store, 1, worker="v", lease=2) == ["m1", "m2", "m3"]

    async def test_t08_a_whole_batch_of_paused_ones_hides_nothing(self, store: Store) -> None:
        held = [message(f"a{n}", journey="cart") for n in range(9)]
        await add(store, person(), messages=[*held, message("m1", at=hours(1))])
        paused = frozenset({"cart"})
        for _ in range(2):
            rows = await store.claim(hours(1), limit=2, worker="w", lease=hours(2), paused=paused)
            assert ids(rows) in (["m1"], [])
        assert (await _row(store, "m1")).worker == "w"
        assert (await _row(store, "a0")).worker == ""
        assert len(await _claim(store, 1, lease=2)) == 9

    async def test_messages_go_by_due_priority_score_and_id(self, store: Store) -> None:
        rows = [
            message("z"),
            message("y", score=0.5),
            message("x", priority=51),
            message("w", at=hours(-1), priority=0),
            message("v", score=-0.5),
            message("a", at=hours(-2), not_before=hours(2)),
            message("b", "bob", journey="cart"),
        ]
        await add(store, person("bob"))
        await add(store, person(), messages=rows[:-1])
        await write(store, await load_one(store, "bob"), messages=rows[-1:])
        assert await _claim(store, limit=3, lease=9) == ["w", "x", "y"]
        assert await _claim(store, limit=9, lease=9) == ["b", "z", "v"]
        assert await _claim(store, 2, limit=9, lease=9) == ["a"]

    async def test_a_limit_takes_the_first_of_all_journeys(self, store: Store) -> None:
        rows = [message(f"m{n}", at=hours(-n), journey=f"j{n % 3}") for n in range(9)]
        await add(store, person(), messages=rows)
        assert await _claim(store, limit=0) == []
        taken = [await _claim(store, limit=2) for _ in range(5)]
        assert taken == [["m8", "m7"], ["m6", "m5"], ["m4", "m3"], ["m2", "m1"], ["m0"]]

    async def test_a_worker_whose_clock_is_behind_takes_nothing_early(self, store: Store) -> None:
        await add(store, person(), messages=[message("m1", at=hours(5)), message("m2", at=hours(4))])
        assert await _claim(store, 6, limit=1, lease=7) == ["m2"]
        assert await _claim(store, 3, lease=9) == []
        assert await _claim(store, 5, lease=9) == ["m1"]

    async def test_a_message_put_off_comes_at_its_new_moment(self, store: Store) -> None:
        await add(store, person(), messages=[message("m1")])
        (row,) = await store.claim(NOON, limit=9, worker="w", lease=hours(1))
        later = attrs.evolve(row, not_before=hours(8), lease=None, worker="")
        assert await settle(store, later, worker="w")
        assert await _claim(store, 2, lease=9) == []
        assert await store.next_due() == hours(8)
        assert await _claim(store, 8, lease=9) == ["m1"]

    async def test_a_message_written_again_is_claimed_once(self, store: Store) -> None:
        ann = await add(store, person(), messages=[message("m1", at=hours(3))])
        ann = await write(store, ann, messages=[message("m1")])
        await write(store, ann, messages=[message("m1", reason="same moment")])
        assert await _claim(store, lease=9) == ["m1"]
        assert await _claim(store, 3, lease=9) == []


@pytest.mark.anyio
class SettlePromises(SealedSuite):
    """A worker writes its message back while it is its own."""

    async def _held(self, store: Store) -> Message:
        await add(store, person(), messages=[message("m1")])
        (row,) = await store.claim(NOON, limit=9, worker="w", lease=hours(1))
        return row

    async def test_the_row_is_written_whole(self, store: Store) -> None:
        held = await self._held(store)
        sent = attrs.evolve(
            held,
            state=MessageState.SENT,
            lease=None,
            worker="",
            channel="sms",
            attempts=2,
            provider_id="p-1",
            content="c-1",
            reason="late",
            seed=True,
            control=True,
        )
        assert await settle(store, sent, worker="w", notes=[note("sent", message="m1")])
        assert await _row(store) == sent
        assert [line.text for line in await notes_of(store, ANN)] == ["sent"]
        assert (await load_one(store)).version == 1, "settling touches no person"

    async def test_the_row_takes_the_lease_of_the_message(self, store: Store) -> None:
        held = await self._held(store)
        sending = attrs.evolve(held, state=MessageState.SENDING, lease=hours(3))
        assert await settle(store, sending, worker="w")
        assert await _claim(store, 2, worker="v", lease=9) == []
        assert await _claim(store, 3, worker="v", lease=9) == ["m1"]

    async def test_no_lease_frees_the_row(self, store: Store) -> None:
        held = await self._held(store)
        assert await settle(store, attrs.evolve(held, lease=None), worker="w")
        assert await _claim(store, 0, worker="v", lease=9) == ["m1"]

    async def test_a_row_that_is_gone_is_refused(self, store: Store) -> None:
        held = await self._held(store)
        await write(store, await load_one(store), withdrawn=["r1"])
        assert not await settle(store, held, worker="w", notes=[note("lost")])
        assert await store.messages([held.id]) == [None]
        assert await notes_of(store, ANN) == []

    @pytest.mark.parametrize("state", [state for state in MessageState if state.final])
    async def test_a_final_row_is_refused(self, store: Store, state: MessageState) -> None:
        held = await self._held(store)
        final = attrs.evolve(held, state=state, lease=None)
        assert await settle(store, final, worker="w")
        assert not await settle(store, held, worker="w", notes=[note("lost")])
        assert await _row(store) == final
        assert await notes_of(store, ANN) == []

    async def test_t01_a_row_held_by_another_is_refused(self, store: Store) -> None:
        held = await self._held(store)
        (taken,) = await store.claim(hours(1), limit=9, worker="v", lease=hours(2))
        sent = attrs.evolve(held, state=MessageState.SENT)
        assert not await settle(store, sent, worker="w", notes=[note("lost")])
        assert await _row(store) == taken
        assert await notes_of(store, ANN) == []
        assert await settle(store, attrs.evolve(taken, state=MessageState.SENT), worker="v")

    async def test_a_lease_that_is_over_still_settles_if_nobody_took_it(self, store: Store) -> None:
        held = await self._held(store)
        assert await settle(store, attrs.evolve(held, state=MessageState.SENT), worker="w")

    async def test_a_free_row_may_be_settled_by_anybody(self, store: Store) -> None:
        await add(store, person(), messages=[message("m1", worker="w")])
        assert await settle(store, message("m1", reason="by hand"), worker="v")
        assert (await _row(store)).reason == "by hand"

    async def test_settling_someone_unknown_is_refused(self, store: Store) -> None:
        assert not await settle(store, message("m1"), worker="w")

    async def test_no_messages_are_no_work(self, store: Store) -> None:
        assert list(await store.settle([], worker="w")) == []

    async def test_a_refused_message_stops_no_other_of_the_batch(self, store: Store) -> None:
        await add(store, person(), messages=[message(f"m{n}") for n in range(4)])
        held = list(await store.claim(NOON, limit=9, worker="w", lease=hours(1)))
        assert await settle(store, attrs.evolve(held[1], state=MessageState.SENT, lease=None), worker="w")
        sending = [attrs.evolve(row, state=MessageState.SENDING) for row in [*held, message("m9")]]
        assert list(await store.settle(sending, worker="w")) == [True, False, True, True, False]
        rows = await store.messages([row.id for row in sending])
        assert [row and row.state for row in rows] == ["sending", "sent", "sending", "sending", None]

    async def test_each_message_of_a_batch_has_its_own_notes(self, store: Store) -> None:
        await add(store, person("bob"), messages=[message("m2", "bob"), message("m4", "bob")])
        await add(store, person(), messages=[message("m1"), message("m3")])
        held = list(await store.claim(NOON, limit=9, worker="w", lease=hours(1)))
        assert await settle(store, attrs.evolve(held[2], state=MessageState.SENT, lease=None), worker="w")
        told = {row.id: [note(f"{row.id} a"), note(f"{row.id} b")] for row in held if row.id != "m4"}
        await store.settle(list(reversed(held)), worker="w", notes=told)
        assert [line.text for line in await notes_of(store, ANN)] == ["m1 a", "m1 b"]
        assert [line.text for line in await notes_of(store, BOB)] == ["m2 a", "m2 b"]


@pytest.mark.anyio
class RecordPromises(SealedSuite):
    """Messages, the timeline, tasks, definitions and pauses read as they were written."""

    async def test_messages_come_in_the_order_asked_for(self, store: Store) -> None:
        await add(store, person(), messages=[message("m1"), message("m2")])
        asked = [MessageId(id) for id in ("m2", "none", "m1", "m2")]
        assert [row and row.id for row in await store.messages(asked)] == ["m2", None, "m1", "m2"]

    async def test_messages_of_a_customer_come_by_due_and_id(self, store: Store) -> None:
        rows = [message("b"), message("c", at=hours(-1)), message("a"), message("d", at=hours(1))]
        ann = await add(store, person(), messages=rows[:2])
        await write(store, ann, messages=rows[2:])
        await add(store, person("bob"), messages=[message("e", "bob")])
        assert ids(await messages_of(store, ANN)) == ["c", "a", "b", "d"]

    async def test_messages_of_many_customers_come_apart_as_asked_for(self, store: Store) -> None:
        await add(store, person("bob"), messages=[message("m2", "bob"), message("m4", "bob", at=hours(-1))])
        await add(store, person(), messages=[message("m3"), message("m1")])
        asked = [BOB, CustomerId("nobody"), ANN, BOB]
        found = [ids(some) for some in await store.messages_of(asked)]
        assert found == [["m4", "m2"], [], ["m1", "m3"], ["m4", "m2"]]
        assert await store.messages_of([]) == []

    async def test_messages_since_a_moment_are_those_due_then_or_later(self, store: Store) -> None:
        rows = [message(f"m{n}", at=hours(n), not_before=hours(9 - n)) for n in range(3)]
        await add(store, person("bob"))
        await add(store, person(), messages=rows)
        found = [ids(some) for some in await store.messages_of([ANN, BOB], since=hours(1))]
        assert found == [["m1", "m2"], []]

    async def test_notes_of_many_customers_come_apart_as_asked_for(self, store: Store) -> None:
        await add(store, person("bob"), notes=[note("late", at=hours(1)), note("b")])
        await add(store, person(), notes=[note("a"), note("z"), note("early", at=hours(-1))])
        asked = [BOB, CustomerId("nobody"), ANN, BOB]
        found = [[line.text for line in some] for some in await store.notes_of(asked)]
        assert found == [["b", "late"], [], ["early", "a", "z"], ["b", "late"]]
        assert await store.notes_of([]) == []

    async def test_notes_since_a_moment_are_those_of_then_or_later(self, store: Store) -> None:
        lines = [note("2", at=hours(2)), note("1", at=hours(1)), note("0.999", at=hours(0.999))]
        await add(store, person(), notes=lines)
        (found,) = await store.notes_of([ANN], since=hours(1))
        assert [line.text for line in found] == ["1", "2"]

    async def test_notes_of_one_moment_keep_their_order(self, store: Store) -> None:
        ann = await add(store, person(), notes=[note("z"), note("y"), note("future", at=hours(1))])
        await write(store, ann, notes=[note("x"), note("past", at=hours(-1))])
        lines = [line.text for line in await notes_of(store, ANN)]
        assert lines == ["past", "z", "y", "x", "future"]

    async def test_a_note_reads_back_as_written(self, store: Store) -> None:
        line = note(
            "why", journey="j", enrollment="r", step="s", message="m", data={"rules": ("cap", "quiet")}
        )
        await add(store, person(), notes=[line])
        assert await notes_of(store, ANN) == [line]

    async def test_tasks_come_by_deadline_and_id(self, store: Store) -> None:
        done = task("t0", done=hours(1), answer="yes")
        ann = await add(store, person(), tasks=[task("t2"), task("t3", deadline=hours(1)), done])
        await add(store, person("bob"), tasks=[task("t1", "bob")])
        assert ids(await store.tasks()) == ["t3", "t1", "t2"]
        assert ids(await store.tasks(customers=[ANN])) == ["t3", "t2"]
        assert ids(await store.tasks(customers=[BOB, ANN, BOB])) == ["t3", "t1", "t2"]
        assert await store.tasks(customers=[]) == []
        assert await store.tasks(customers=[ANN], open_only=False) == [
            task("t3", deadline=hours(1)),
            done,
            task("t2"),
        ]
        assert ids(await store.tasks(open_only=False)) == ["t3", "t0", "t1", "t2"]
        await write(store, ann, tasks=[task("t3", deadline=hours(1), done=hours(2))])
        assert ids(await store.tasks(customers=[ANN])) == ["t2"]

    async def test_definitions_are_kept_once(self, store: Store) -> None:
        first = StoredDefinition(hash="h2", name="welcome", text='{"ё": 1}')
        second = StoredDefinition(hash="h1", name="welcome", text="{}")
        assert await store.definitions() == []
        await store.save_definitions([first, second])
        await store.save_definitions([attrs.evolve(first, text="other"), second])
        assert await store.definitions() == [first, second]

    async def test_the_definition_saved_last_is_the_newest(self, store: Store) -> None:
        first, second, third = (
            StoredDefinition(hash=name, name="welcome", text="{}") for name in ("h3", "h1", "h2")
        )
        await store.save_definitions([first, second])
        await store.save_definitions([third, first])
        assert await store.definitions() == [second, third, first]
        await store.save_definitions([second])
        assert await store.definitions() == [third, first, second]

    async def test_pauses_are_remembered(self, store: Store) -> None:
        assert await store.paused() == frozenset()
        for journey, paused in (("a", True), ("b", True), ("b", True), ("a", False), ("c", False)):
            await store.set_paused(journey, paused)
        assert await store.paused() == {"b"}

    async def test_a_closed_store_refuses_everything(self, store: Store) -> None:
        await add(store, person())
        await store.close()
        await store.close()
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: store.load([ANN]),
            lambda: store.customers_of(AccountId("acme")),
            lambda: store.commit([]),
            lambda: store.due(NOON, limit=1),
            lambda: store.claim(NOON, limit=1, worker="w", lease=LATE),
            store.next_due,
            store.paused,
        ]
        for call in calls:
            with pytest.raises(StoreError):
                await call()
