"""SQLite answers as memory does, whatever is played, and leaves no row without its person."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from crmsdk.journeys.person import Change, Note, NoteKind, Person, Phase, Watch, WatchKind
from crmsdk.model.consent import ConsentState, ConsentWrite
from crmsdk.model.customer import ACCOUNT, AttributeWrite
from crmsdk.model.ids import AccountId, CustomerId, EventId, MessageId
from crmsdk.model.message import Message, MessageState
from crmsdk.ports import Store
from crmsdk.stores.memory import MemoryStore
from crmsdk.stores.sqlite import SqliteStore
from crmsdk.testing._store_people import same_person
from crmsdk.testing._store_samples import email, event, hours, message, person, run, task, with_events
from crmsdk.testing.account_draws import ACCOUNTS

IDS = [CustomerId(id) for id in ("ann", "bob", "eve")]
EVENTS = [EventId(f"e{n}") for n in range(5)]
MESSAGES = [MessageId(f"m{n}") for n in range(4)]
RUNS = ("r0", "r1")
JOURNEYS = ("welcome", "cart")
NAMED = [AccountId(text) for text in ("acme", "é", "e\u0301", "7", "", "true", "null")]
EMAILS = [email(f"{n}@example.com") for n in range(3)]

moments = st.integers(0, 4).map(hours)
late = st.integers(2, 6).map(hours)
maybe = st.one_of(st.none(), moments)
few = st.integers(0, 2)
paused = st.sampled_from([frozenset[str](), frozenset[str](), frozenset({"cart"})])


@st.composite
def messages(draw: st.DrawFn, owner: str) -> Message:
    state = draw(st.sampled_from([MessageState.PENDING] * 9 + list(MessageState)))
    return message(
        draw(st.sampled_from(MESSAGES)),
        owner,
        at=draw(moments),
        not_before=draw(moments),
        priority=draw(st.sampled_from([50, 50, 60])),
        score=draw(st.sampled_from([0.0, 0.5])),
        journey=draw(st.sampled_from(JOURNEYS)),
        enrollment=draw(st.sampled_from(RUNS)),
        state=state,
        lease=draw(st.one_of(st.none(), st.none(), moments)),
        worker=draw(st.sampled_from(["", "w", "v"])),
    )


@st.composite
def grown(draw: st.DrawFn, before: Person) -> Person:
    """Draw what a turn may make of a person."""
    after = before
    known = {fact.id for fact in before.facts.events}
    new = draw(st.lists(st.sampled_from(EVENTS), unique=True, max_size=2))
    after = with_events(after, *(event(id, before.id, at=draw(moments)) for id in new if id not in known))
    writes = [
        AttributeWrite(
            name=draw(st.sampled_from(("x", "y", ACCOUNT, ACCOUNT))),
            value=draw(st.sampled_from(ACCOUNTS)),
            at=draw(moments),
            id=EventId(f"a{draw(few)}"),
        )
        for _ in range(draw(few))
    ]
    consents = tuple(
        ConsentWrite(state=ConsentState.GRANTED, at=draw(moments), id=f"c{n}") for n in range(draw(few) // 2)
    )
    facts = attrs.evolve(after.facts.with_attributes(writes), consents=(*after.facts.consents, *consents))
    names = (
        name for name in draw(st.lists(st.sampled_from(EMAILS), max_size=1)) if name not in after.identifiers
    )
    after = attrs.evolve(after, facts=facts, identifiers=(*after.identifiers, *names))
    for id in draw(st.lists(st.sampled_from(RUNS), unique=True)):
        phase = draw(st.sampled_from([Phase.WAITING, Phase.ENDED]))
        journey = draw(st.sampled_from(JOURNEYS))
        after = after.with_enrollment(run(id, wake=draw(maybe), phase=phase, journey=journey))
    for slot in draw(st.lists(few, unique=True, max_size=2)):
        after = after.with_watch(Watch(kind=WatchKind.SEGMENT, slot=slot, due=draw(maybe)))
    if draw(st.booleans()) and after.watches:
        after = after.without_watch(after.watches[0])
    return after


class Twins(RuleBasedStateMachine):
    """The same play on both stores."""

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.Runner()
        self.memory = MemoryStore()
        path = Path(self.folder.name) / "crm.db"
        # Two that remember people, of whom one soon forgets, and one that reads them anew each time.
        self.sqlites = [SqliteStore(path, synchronous="normal", remember=room) for room in (50_000, 12, 0)]
        self.turn = 0
        self.seen: dict[CustomerId, list[Person]] = {id: [person(id)] for id in IDS}
        self.held: list[Message] = []
        self.count = 0

    def both(self, ask: Callable[[Store], Awaitable[Any]]) -> Any:
        """Ask both and compare."""
        self.turn += 1
        sqlite = self.sqlites[self.turn % 3]

        async def play() -> tuple[Any, Any]:
            return await ask(self.memory), await ask(sqlite)

        ours, theirs = self.loop.run(play())
        assert theirs == ours
        return ours

    def drawn_change(self, data: st.DataObject) -> Change:
        id = data.draw(st.sampled_from(IDS))
        # The last read mostly, an outdated one sometimes.
        versions = self.seen[id]
        before = data.draw(st.sampled_from([versions[-1]] * 9 + versions[-3:]))
        after = data.draw(grown(before))
        absorbs = []
        if before.version and data.draw(st.sampled_from([*[False] * 9, True])):
            other = data.draw(st.sampled_from([one for one in IDS if one != id]))
            gone = self.seen[other][-1]
            mine = {fact.id for fact in after.facts.events}
            after = with_events(after, *(fact for fact in gone.facts.events if fact.id not in mine))
            after = attrs.evolve(
                after,
                identifiers=tuple(dict.fromkeys((*after.identifiers, *gone.identifiers))),
                facts=after.facts.with_attributes(gone.facts.attributes),
            )
            absorbs.append(gone)
        self.count += 1
        lines = [
            Note(at=data.draw(moments), kind=NoteKind.STEP, text=f"{self.count}.{n}")
            for n in range(data.draw(few))
        ]
        return Change.between(
            before,
            after,
            messages=[data.draw(messages(id)) for _ in range(data.draw(st.sampled_from([1, 2, 0])))],
            withdrawn=data.draw(st.sampled_from([(), (), (), RUNS[:1]])),
            tasks=[
                task(f"t-{id}-{data.draw(few)}", id, done=data.draw(maybe))
                for _ in range(data.draw(few) // 2)
            ],
            notes=lines,
            absorbs=absorbs,
        )

    @rule(data=st.data(), size=st.sampled_from([1, 1, 1, 2, 3]))
    def commit(self, data: st.DataObject, size: int) -> None:
        changes = [self.drawn_change(data) for _ in range(size)]
        self.both(lambda store: store.commit(changes))
        for id, found in zip(IDS, self.loop.run(self.memory.load(IDS)), strict=True):
            self.seen[id].append(found or person(id))

    @precondition(lambda self: any(not row.state.final for row in self.memory._messages.all()))
    @rule(
        now=late,
        limit=st.integers(1, 3),
        worker=st.sampled_from("wv"),
        span=st.integers(1, 3),
        paused=paused,
    )
    def claim(self, now: Any, limit: int, worker: str, span: int, paused: frozenset[str]) -> None:
        lease = now + timedelta(hours=span)
        self.held += self.both(
            lambda store: store.claim(now, limit=limit, worker=worker, lease=lease, paused=paused)
        )

    @precondition(lambda self: self.held)
    @rule(
        data=st.data(),
        worker=st.sampled_from("wv"),
        state=st.sampled_from(MessageState),
        lease=maybe,
        at=moments,
    )
    def settle(self, data: st.DataObject, worker: str, state: MessageState, lease: Any, at: Any) -> None:
        self.count += 1
        chosen = data.draw(
            st.lists(st.sampled_from(self.held), min_size=1, max_size=3, unique_by=lambda row: row.id)
        )
        rows = [attrs.evolve(row, state=state, lease=lease, worker=worker, not_before=at) for row in chosen]
        lines = {row.id: [Note(at=at, kind=NoteKind.SENT, text=f"{self.count} {row.id}")] for row in rows[:2]}
        self.both(lambda store: store.settle(rows, worker=worker, notes=lines))

    @rule(journey=st.sampled_from(JOURNEYS), now=moments)
    def rouse(self, journey: str, now: Any) -> None:
        self.both(lambda store: store.rouse(journey, now))

    @rule(now=moments, limit=few, paused=paused, after=st.sampled_from([None, *IDS]))
    def look(self, now: Any, limit: int, paused: frozenset[str], after: CustomerId | None) -> None:
        self.both(lambda store: store.due(now, limit=limit))
        self.both(lambda store: store.next_due(paused=paused))
        self.both(lambda store: store.customers(after=after, limit=limit))
        self.both(lambda store: store.messages_of(IDS[:limit], since=now))
        self.both(lambda store: store.notes_of(IDS[:limit], since=now))

    @rule()
    def all_is_equal(self) -> None:
        wanted = self.loop.run(self.memory.load(IDS))
        for sqlite in self.sqlites:
            for ours, found in zip(wanted, self.loop.run(sqlite.load(IDS)), strict=True):
                assert found is None if ours is None else same_person(found, ours)
        self.both(lambda store: store.messages_of(IDS))
        self.both(lambda store: store.notes_of(IDS))
        self.both(lambda store: store.tasks(customers=IDS[1:], open_only=False))
        self.both(_named)
        self.both(lambda store: store.tasks())
        self.both(lambda store: store.messages(MESSAGES))
        self.both(lambda store: _plain(store.owners(EMAILS)))
        self.both(lambda store: _plain(store.find_events(EVENTS)))
        self.both(lambda store: store.due(hours(9), limit=9))
        self.both(lambda store: store.next_due())

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.all_is_equal()
            orphans = self.loop.run(
                self.sqlites[0]._session.read(lambda c: c.execute("PRAGMA foreign_key_check").fetchall())
            )
            assert orphans == []
            for sqlite in self.sqlites:
                self.loop.run(sqlite.close())
            self.loop.close()
            self.folder.cleanup()


async def _named(store: Store) -> list[Sequence[CustomerId]]:
    return [await store.customers_of(account) for account in NAMED]


async def _plain(found: Awaitable[Mapping[Any, Any]]) -> dict[Any, Any]:
    return dict(await found)


TestTwins = Twins.TestCase
