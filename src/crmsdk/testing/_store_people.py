"""What a store promises about people: reading, committing, conflicts, absorbing."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import attrs
import pytest

from crmsdk.errors import StoreError
from crmsdk.journeys.person import Change, Person, Phase, Watch, WatchKind
from crmsdk.model.consent import ConsentState, ConsentWrite
from crmsdk.model.customer import AttributeWrite, Identifier, IdentifierKind
from crmsdk.model.facts import Facts
from crmsdk.model.ids import AccountId, CustomerId, EventId
from crmsdk.model.message import MessageState
from crmsdk.model.money import Money
from crmsdk.ports import Store
from crmsdk.testing._sealed import SealedSuite
from crmsdk.testing._store_samples import (
    NOON,
    add,
    email,
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
    settle,
    task,
    with_events,
    write,
)

__all__ = ["AbsorbPromises", "CommitPromises", "ReadPromises", "same_person"]

TICK = timedelta(microseconds=1)
ANN, BOB = CustomerId("ann"), CustomerId("bob")


def same_person(found: Person | None, wanted: Person) -> bool:
    """Compare people; the order of consents and watches is nobody's promise."""

    def sorted_parts(one: Person) -> Person:
        consents = tuple(sorted(one.facts.consents, key=repr))
        watches = tuple(sorted(one.watches, key=lambda watch: watch.id))
        return attrs.evolve(one, facts=attrs.evolve(one.facts, consents=consents), watches=watches)

    return found is not None and sorted_parts(found) == sorted_parts(wanted)


@pytest.mark.anyio
class ReadPromises(SealedSuite):
    """What goes in comes out."""

    async def test_a_person_reads_back_as_written(self, store: Store) -> None:
        facts = Facts(
            customer=ANN,
            zone="Europe/Moscow",
            attributes=(
                AttributeWrite(name="city", value="Тула", at=NOON, id=EventId("a1"), source="crm"),
                AttributeWrite(name="vip", value=True, at=NOON, id=EventId("a1")),
            ),
            consents=(
                ConsentWrite(
                    channel="email",
                    purpose="promo",
                    state=ConsentState.GRANTED,
                    at=NOON,
                    id="c1",
                    basis="express",
                    source="form",
                    evidence="v3",
                ),
                ConsentWrite(state=ConsentState.DENIED, at=NOON, id="c2"),
            ),
        ).with_events([event("e1", properties={"total": Money(9000, "RUB")}, source="shop")])
        full = run(
            "r1",
            wake=hours(3),
            key="7",
            key_name="cart_id",
            key_value=7,
            values={"cart_id": 7},
            control=True,
            cursor=3,
            phase=Phase.SENDING,
            due=hours(1),
            token=9,
            waits_for="m1",
            paused=True,
            goal_at=hours(4),
            goal_open=False,
        )
        ended = run("r2", phase=Phase.ENDED, ended=hours(5), outcome="goal", error="no reason")
        wanted = person(
            identifiers=(email("ann@example.com"), Identifier(IdentifierKind.ANONYMOUS, "device 1")),
            facts=facts,
            locale="ru",
            audience="job-seeker",
            account=AccountId("acme"),
            enrollments=(full, ended),
            watches=(
                Watch(kind=WatchKind.SEGMENT, journey="welcome", slot=2, matched=True, due=hours(6)),
                Watch(kind=WatchKind.ABSENCE, journey="cart", key="7", position=(NOON, "e1")),
                Watch(kind=WatchKind.DATE, journey="birthday", value=date(2026, 4, 1), due=hours(7)),
                Watch(kind=WatchKind.EVENT, key="e9", position=(hours(9), "e9")),
            ),
        )
        assert same_person(await add(store, wanted), attrs.evolve(wanted, version=1))

    async def test_people_come_in_the_order_asked_for(self, store: Store) -> None:
        for id in ("bob", "ann"):
            await add(store, person(id))
        found = await store.load([ANN, CustomerId("nobody"), BOB, ANN])
        assert [one and one.id for one in found] == ["ann", None, "bob", "ann"]

    @pytest.mark.parametrize(
        "at",
        [
            NOON + TICK,
            NOON - TICK,
            datetime(1970, 1, 1, tzinfo=UTC) - TICK,
            datetime(1, 1, 1, tzinfo=UTC),
            datetime.max.replace(tzinfo=UTC),
        ],
        ids=str,
    )
    async def test_moments_come_back_to_the_microsecond(self, store: Store, at: datetime) -> None:
        wanted = with_events(person(created=at, enrollments=(run("r1", wake=at),)), event("e1", at=at))
        found = await add(store, wanted, notes=[note("then", at=at)])
        assert (found.created, found.wake, found.facts.events[0].at) == (at, at, at)
        assert [line.at for line in await notes_of(store, ANN)] == [at]
        assert await store.next_due() == at

    async def test_moments_come_back_in_utc(self, store: Store) -> None:
        moscow = NOON.astimezone(timezone(timedelta(hours=3)))
        found = await add(store, person(enrollments=(run("r1", wake=moscow, due=moscow),)))
        assert found.enrollments[0].due == NOON
        assert await store.due(NOON, limit=9) == [ANN]

    @pytest.mark.parametrize(
        "value",
        [
            None,
            True,
            False,
            0,
            1,
            1.0,
            -0.5,
            10**30,
            0.1 + 0.2,
            "",
            "is",
            "2026-03-29",
            "Ёлка 🎄 'quoted' \"twice\" \\ \n % _",
            date(2024, 2, 29),
            NOON + TICK,
            Money(-1, "RUB"),
            (),
            (1, (2.0, None)),
            {},
            {"is": "money", "minor": 1},
            {"is": {"of": (Money(1, "EUR"), {"is": date(2026, 1, 1)})}, "": ""},
        ],
        ids=repr,
    )
    async def test_values_come_back_exactly(self, store: Store, value: Any) -> None:
        log = AttributeWrite(name="x", value=value, at=NOON, id=EventId("a1"))
        wanted = person(
            facts=Facts(customer=ANN, attributes=(log,)),
            enrollments=(run("r1", key_value=value, values={"x": value}),),
            watches=(Watch(kind=WatchKind.DATE, value=value),),
        )
        await add(
            store,
            wanted,
            messages=[message("m1", payload={"x": value})],
            notes=[note("x", data={"x": value})],
        )
        found = await load_one(store)
        (sent,) = await messages_of(store, ANN)
        (line,) = await notes_of(store, ANN)
        places = (
            found.facts.attributes[0].value,
            found.enrollments[0].key_value,
            found.enrollments[0].values["x"],
            found.watches[0].value,
            sent.payload["x"],
            line.data["x"],
        )
        assert [repr(place) for place in places] == [repr(value)] * len(places)

    async def test_text_of_any_script_is_a_name(self, store: Store) -> None:
        odd = "Ωmega-ёж-🎄-'; DROP TABLE person; --"
        found = await add(store, person(odd, identifiers=(Identifier(IdentifierKind.USER, odd),)))
        assert found.id == odd
        assert await store.owners(found.identifiers) == {found.identifiers[0]: odd}
        assert await store.customers(limit=9) == [odd]

    async def test_identifiers_lead_to_their_owner(self, store: Store) -> None:
        ann = await add(store, person(identifiers=(email("a@example.com"), email("b@example.com"))))
        bob = await add(store, person("bob", identifiers=(Identifier(IdentifierKind.USER, "a@example.com"),)))
        asked = [*ann.identifiers, *bob.identifiers, email("nobody@example.com")]
        assert await store.owners(asked) == {asked[0]: "ann", asked[1]: "ann", asked[2]: "bob"}

    async def test_events_are_found_by_id_whoever_they_belong_to(self, store: Store) -> None:
        first, second = event("e1", properties={"total": 1}), event("e2", "bob", received=hours(1))
        await add(store, with_events(person(), first))
        await add(store, with_events(person("bob"), second))
        asked = [EventId("e2"), EventId("e1"), EventId("e3")]
        assert await store.find_events(asked) == {"e1": first, "e2": second}

    async def test_late_events_read_at_their_place(self, store: Store) -> None:
        ann = await add(store, with_events(person(), event("m", at=hours(1)), event("z")))
        ann = await write(store, ann, with_events(ann, event("a", at=hours(1)), event("y")))
        assert ids(ann.facts.events) == ["y", "z", "a", "m"]

    async def test_attributes_read_in_the_order_of_moment_and_fact(self, store: Store) -> None:
        def write_of(name: str, at: datetime, id: str) -> AttributeWrite:
            return AttributeWrite(name=name, value=1, at=at, id=EventId(id))

        ann = await add(store, person())
        for log in ([write_of("late", hours(1), "a")], [write_of("b", NOON, "b"), write_of("a", NOON, "b")]):
            after = attrs.evolve(ann, facts=ann.facts.with_attributes(log))
            ann = await write(store, ann, after)
        assert [entry.name for entry in ann.facts.attributes] == ["b", "a", "late"]

    async def test_customers_are_paged_in_text_order(self, store: Store) -> None:
        for id in ("b", "я", "a", "B", "c"):
            await add(store, person(id))
        assert await store.customers(limit=2) == ["B", "a"]
        assert await store.customers(after=CustomerId("a"), limit=2) == ["b", "c"]
        assert await store.customers(after=CustomerId("bb"), limit=9) == ["c", "я"]
        assert await store.customers(after=CustomerId("я"), limit=9) == []


@pytest.mark.anyio
class CommitPromises(SealedSuite):
    """A change is written whole, or not at all."""

    async def test_a_version_grows_by_one_with_every_commit(self, store: Store) -> None:
        ann = await add(store, person())
        assert ann.version == 1
        assert (await write(store, ann)).version == 2

    async def test_who_read_before_another_wrote_is_refused(self, store: Store) -> None:
        ann = await add(store, person())
        await write(store, ann, attrs.evolve(ann, locale="ru"))
        late = with_events(attrs.evolve(ann, locale="en", enrollments=(run("r1", wake=NOON),)), event("e1"))
        change = Change.between(ann, late, messages=[message("m1")], tasks=[task("t1")], notes=[note("lost")])
        assert await store.commit([change]) == [False]
        assert (await load_one(store)).locale == "ru"
        assert (await load_one(store)).enrollments == ()
        assert await store.find_events([EventId("e1")]) == {}
        assert await messages_of(store, ANN) == []
        assert await store.tasks() == []
        assert await notes_of(store, ANN) == []
        assert await store.due(hours(99), limit=9) == []

    async def test_a_person_can_be_new_only_once(self, store: Store) -> None:
        assert await store.commit([Change(person=person())]) == [True]
        assert await store.commit([Change(person=person(locale="ru"))]) == [False]
        assert (await load_one(store)).locale is None

    async def test_a_version_of_somebody_never_stored_is_refused(self, store: Store) -> None:
        assert await store.commit([Change(person=person(version=1))]) == [False]
        assert await store.load([ANN]) == [None]

    @pytest.mark.parametrize("owner", ["ann", "bob"])
    async def test_a_stored_event_id_refuses_the_change(self, store: Store, owner: str) -> None:
        await add(store, with_events(person(owner), event("e1", owner)))
        ann = await load_one(store) if owner == "ann" else person()
        again = Change(person=ann, events=(event("e1", properties={"other": 1}),), notes=(note("lost"),))
        assert await store.commit([again]) == [False]
        assert (await store.find_events([EventId("e1")]))[EventId("e1")].customer == owner
        assert await notes_of(store, ANN) == []

    async def test_an_identifier_of_somebody_else_refuses_the_change(self, store: Store) -> None:
        taken = email("ann@example.com")
        await add(store, person("bob", identifiers=(taken,)))
        assert await store.commit([Change(person=person(identifiers=(taken,)), identifiers=(taken,))]) == [
            False
        ]
        assert await store.owners([taken]) == {taken: "bob"}
        assert await store.load([ANN]) == [None]

    async def test_the_others_of_a_batch_are_written(self, store: Store) -> None:
        ann = await add(store, person())
        stale = attrs.evolve(ann, version=0)
        batch = [Change(person=person("bob")), Change(person=stale), Change(person=person("eve"))]
        assert await store.commit(batch) == [True, False, True]
        assert await store.customers(limit=9) == ["ann", "bob", "eve"]

    async def test_the_changes_of_a_batch_follow_each_other(self, store: Store) -> None:
        first = with_events(person(identifiers=(email("a@example.com"),)), event("e1"))
        second = attrs.evolve(first, version=1, locale="ru")
        batch = [
            Change(person=first, events=first.facts.events, identifiers=first.identifiers),
            Change(person=first),
            Change(person=second, messages=(message("m1"),)),
            Change(person=with_events(person("bob"), event("e1", "bob")), events=(event("e1", "bob"),)),
            Change(person=person("eve", identifiers=first.identifiers), identifiers=first.identifiers),
            Change(person=attrs.evolve(second, version=2), withdrawn=(run("r1").id,)),
            Change(person=attrs.evolve(second, version=3), messages=(message("m2"),)),
        ]
        assert await store.commit(batch) == [True, False, True, False, False, True, True]
        assert ((await load_one(store)).version, (await load_one(store)).locale) == (4, "ru")
        assert ids(await messages_of(store, ANN)) == ["m2"]
        assert await store.customers(limit=9) == ["ann"]

    async def test_one_event_id_twice_in_a_change_is_refused(self, store: Store) -> None:
        twice = (event("e1"), event("e1", at=hours(1)))
        assert await store.commit([Change(person=person(), events=twice)]) == [False]

    async def test_a_failed_call_wrote_nothing(self, store: Store) -> None:
        wrong = Change(person=person("bob"), absorbs=(person("bob"),))
        with pytest.raises(StoreError):
            await store.commit([Change(person=person()), wrong])
        assert await store.customers(limit=9) == []

    async def test_an_empty_batch_is_no_work(self, store: Store) -> None:
        assert await store.commit([]) == []
        assert await store.load([]) == []
        assert await store.messages([]) == []

    async def test_a_huge_batch_is_written_and_read(self, store: Store) -> None:
        count = 3_000
        new = [with_events(person(f"p{n:05}"), event(f"e{n}", f"p{n:05}")) for n in range(count)]
        changes = [
            Change(person=one, events=one.facts.events, messages=(message(one.id, one.id),)) for one in new
        ]
        assert await store.commit(changes) == [True] * count
        found = await store.load([one.id for one in new])
        assert [one and ids(one.facts.events) for one in found] == [[f"e{n}"] for n in range(count)]
        assert len(await store.find_events([EventId(f"e{n}") for n in range(count)])) == count

    async def test_runs_keep_their_place_when_they_change(self, store: Store) -> None:
        ann = await add(store, person(enrollments=(run("r2"), run("r1"))))
        moved = attrs.evolve(ann.enrollments[0], cursor=5, wake=hours(1))
        after = ann.with_enrollment(run("r0")).with_enrollment(moved)
        ann = await write(store, ann, after)
        assert [(one.id, one.cursor) for one in ann.enrollments] == [("r2", 5), ("r1", 0), ("r0", 0)]
        assert ann.wake == hours(1)

    async def test_watches_are_replaced_and_dropped_by_their_id(self, store: Store) -> None:
        kept = Watch(kind=WatchKind.SEGMENT, journey="welcome", slot=1)
        gone = attrs.evolve(kept, slot=2)
        ann = await add(store, person(watches=(kept, gone)))
        after = ann.with_watch(attrs.evolve(kept, matched=True)).without_watch(ann.watches[1])
        ann = await write(store, ann, after)
        assert ann.watches == (attrs.evolve(kept, matched=True),)

    async def test_withdrawing_a_run_deletes_what_is_pending(self, store: Store) -> None:
        sending = message("m2", state=MessageState.SENDING, lease=hours(1), worker="w")
        sent = message("m3", state=MessageState.SENT)
        other = message("m4", enrollment="r2")
        ann = await add(store, person(), messages=[message("m1"), sending, sent, other])
        await write(store, ann, withdrawn=["r1"], messages=[message("m5")])
        assert ids(await messages_of(store, ANN)) == ["m2", "m3", "m4"]
        assert await store.messages([message("m1").id]) == [None]

    async def test_withdrawing_a_run_deletes_its_unanswered_tasks(self, store: Store) -> None:
        answered = task("t2", done=hours(1), answer="yes")
        other = task("t3", enrollment="r2")
        ann = await add(store, person(), tasks=[task("t1"), answered, other])
        await write(store, ann, withdrawn=["r1"])
        assert {one.id for one in await store.tasks(open_only=False)} == {"t2", "t3"}

    async def test_a_run_is_withdrawn_for_its_person_alone(self, store: Store) -> None:
        ann = await add(store, person(), messages=[message("m1")])
        await add(store, person("bob"), messages=[message("m2", "bob")])
        await write(store, ann, withdrawn=["r1"])
        assert ids(await messages_of(store, BOB)) == ["m2"]

    async def test_t13_looking_at_a_segment_again_drops_no_run_and_no_message(self, store: Store) -> None:
        watch = Watch(kind=WatchKind.SEGMENT, journey="welcome", matched=True)
        before = person(watches=(watch,), enrollments=(run("r1", wake=hours(5)),))
        ann = await add(store, before, messages=[message("m1", at=hours(5))])
        ann = await write(store, ann, attrs.evolve(ann, watches=(attrs.evolve(watch, matched=False),)))
        ann = await write(store, ann, attrs.evolve(ann, watches=(watch,)))
        assert (ids(ann.enrollments), ann.wake) == (["r1"], hours(5))
        assert ids(await messages_of(store, ANN)) == ["m1"]


@pytest.mark.anyio
class AbsorbPromises(SealedSuite):
    """A person takes over everything of those it absorbs."""

    async def _two(self, store: Store) -> tuple[Person, Person, Person]:
        """Store a person and a device, and give both and what becomes of them."""
        device = Identifier(IdentifierKind.ANONYMOUS, "device 1")
        ann = with_events(person(identifiers=(email("a@example.com"),)), event("e2", at=hours(2)))
        ghost = with_events(
            person("ghost", identifiers=(device,), enrollments=(run("r1", wake=hours(3), customer="ghost"),)),
            event("e1", "ghost"),
        )
        ann = await add(store, ann, notes=[note("second", at=NOON)], tasks=[task("t2")])
        ghost = await add(
            store,
            ghost,
            messages=[message("m1", "ghost", at=hours(1))],
            notes=[note("third", at=NOON), note("first", at=hours(-1))],
            tasks=[task("t1", "ghost")],
        )
        joined = attrs.evolve(
            with_events(ann, *ghost.facts.events),
            identifiers=(*ann.identifiers, device),
            enrollments=ghost.enrollments,
        )
        return ann, ghost, joined

    async def test_an_absorbed_customer_is_gone(self, store: Store) -> None:
        ann, ghost, joined = await self._two(store)
        await write(store, ann, joined, absorbs=[ghost])
        assert await store.load([ghost.id]) == [None]
        assert await store.customers(limit=9) == ["ann"]
        assert await store.due(hours(99), limit=9) == ["ann"]
        for rest in (
            messages_of(store, ghost.id),
            notes_of(store, ghost.id),
            store.tasks(customers=[ghost.id]),
        ):
            assert await rest == []

    async def test_its_facts_and_runs_belong_to_the_person(self, store: Store) -> None:
        ann, ghost, joined = await self._two(store)
        found = await write(store, ann, joined, absorbs=[ghost])
        assert [(one.id, one.customer) for one in found.facts.events] == [("e1", "ann"), ("e2", "ann")]
        assert found.identifiers == joined.identifiers
        assert found.enrollments == ghost.enrollments
        assert await store.owners(joined.identifiers) == dict.fromkeys(joined.identifiers, "ann")
        assert (await store.find_events([EventId("e1")]))[EventId("e1")].customer == "ann"

    async def test_its_messages_notes_and_tasks_belong_to_the_person(self, store: Store) -> None:
        ann, ghost, joined = await self._two(store)
        await write(store, ann, joined, absorbs=[ghost], notes=[note("fourth", at=NOON)])
        assert [(one.id, one.customer) for one in await messages_of(store, ANN)] == [("m1", "ann")]
        assert [(one.id, one.customer) for one in await store.tasks()] == [("t1", "ann"), ("t2", "ann")]
        lines = [line.text for line in await notes_of(store, ANN)]
        assert lines == ["first", "second", "third", "fourth"]

    async def test_its_history_is_no_conflict_listed_or_not(self, store: Store) -> None:
        _, ghost, joined = await self._two(store)
        bare = Change(person=joined, absorbs=(ghost,), enrollments=joined.enrollments)
        assert await store.commit([bare]) == [True]
        assert ids((await load_one(store)).facts.events) == ["e1", "e2"]
        assert await store.commit([Change(person=await load_one(store), events=(event("e1"),))]) == [False]

    async def test_absorbing_somebody_written_since_is_refused(self, store: Store) -> None:
        ann, ghost, joined = await self._two(store)
        await write(store, ghost, with_events(ghost, event("e3", "ghost")))
        assert await store.commit([Change.between(ann, joined, absorbs=[ghost])]) == [False]
        assert ids((await load_one(store, "ghost")).facts.events) == ["e1", "e3"]
        assert (await load_one(store)).version == 1

    async def test_a_message_under_way_comes_back_to_the_person(self, store: Store) -> None:
        ann, ghost, joined = await self._two(store)
        (held,) = await store.claim(hours(1), limit=9, worker="w", lease=hours(2))
        await write(store, ann, joined, absorbs=[ghost])
        sent = attrs.evolve(held, state=MessageState.SENT, lease=None)
        assert await settle(store, sent, worker="w", notes=[note("sent", at=hours(9))])
        assert [(one.id, one.state) for one in await messages_of(store, ANN)] == [("m1", "sent")]
        assert (await notes_of(store, ANN))[-1].text == "sent"

    async def test_a_batch_goes_on_after_a_join(self, store: Store) -> None:
        ann, ghost, joined = await self._two(store)
        late = Change(person=ghost, notes=(note("lost"),))
        more = Change(person=attrs.evolve(joined, version=2), withdrawn=(run("r1").id,))
        join = Change.between(ann, joined, absorbs=[ghost])
        assert await store.commit([Change(person=person("eve")), join, late, more]) == [
            True,
            True,
            False,
            True,
        ]
        assert await messages_of(store, ANN) == []
        assert "lost" not in [line.text for line in await notes_of(store, ANN)]
