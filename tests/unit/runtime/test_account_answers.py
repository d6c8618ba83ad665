"""Questions about the people of an account, asked of a store: answered as the reference does."""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import attrs
import pytest
from hypothesis import given

from crmsdk.errors import StoreError, UnknownName
from crmsdk.journeys.person import Change, Person
from crmsdk.model.colleagues import Colleagues, account_keys
from crmsdk.model.customer import ACCOUNT, AttributeWrite
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import AccountId, CustomerId, EventId
from crmsdk.ports import Store
from crmsdk.runtime import crm as runtime
from crmsdk.runtime.clocks import VirtualClock
from crmsdk.runtime.crm import Crm
from crmsdk.runtime.finding import with_colleagues
from crmsdk.segments import meaning
from crmsdk.segments.grammar import Predicate
from crmsdk.segments.verdict import Because, Verdict
from crmsdk.segments.words import account, did, points, score, segment
from crmsdk.stores.memory import MemoryStore
from crmsdk.stores.sqlite import SqliteStore
from crmsdk.testing.account_draws import account_predicates, people_of_accounts
from crmsdk.testing.draws import NOW, moments

ZONE = "Europe/Berlin"
DAY = timedelta(days=1)
LOGIN = did("login").within(7 * DAY)


def told_apart(people: Sequence[Facts]) -> list[Facts]:
    """Give every event an id of its own: a store keeps one event of an id."""
    return [
        attrs.evolve(
            facts,
            events=tuple(attrs.evolve(one, id=EventId(f"{one.id}-{facts.customer}")) for one in facts.events),
        )
        for facts in people
    ]


async def put(store: Store, people: Sequence[Facts]) -> None:
    new = [Person(id=facts.customer, created=NOW, facts=facts) for facts in people]
    nobody = [attrs.evolve(one, facts=Facts(customer=one.id, zone=one.facts.zone)) for one in new]
    changes = [Change.between(before, after) for before, after in zip(nobody, new, strict=True)]
    assert all(await store.commit(changes))


def opened(store: Store) -> Crm:
    return Crm.over(store, zone=ZONE, clock=VirtualClock(NOW))


def reason(because: Because) -> tuple[object, ...]:
    """Give what a reason holds but its moments, which may come early."""
    parts = tuple(reason(part) for part in because.parts)
    return (
        because.text,
        because.matched,
        because.found,
        because.asked,
        because.events,
        because.people,
        parts,
    )


def assert_as_the_reference(verdict: Verdict, true: Verdict) -> None:
    assert verdict.matched == true.matched
    if true.until is None or true.until < NOW + 800 * DAY:  # anniversaries come for ever
        assert verdict.until == true.until
    assert reason(verdict.because) == reason(true.because)


async def ask_everybody(
    make: Callable[[], Store], people: Sequence[Facts], asked: Predicate, at: datetime
) -> None:
    store, known = make(), Colleagues(people)
    async with opened(store) as crm:
        await put(store, people)
        for facts in people:
            true = meaning.evaluate(asked, known.beside(facts), at, zone=ZONE)
            assert_as_the_reference(await crm.explain(facts.customer, asked, at=at), true)


@given(people_of_accounts(), account_predicates(), moments())
def test_memory_answers_as_the_reference(people: tuple[Facts, ...], asked: Predicate, at: datetime) -> None:
    asyncio.run(ask_everybody(MemoryStore, told_apart(people), asked, at))


@given(people_of_accounts(), account_predicates(), moments())
def test_sqlite_answers_as_the_reference(people: tuple[Facts, ...], asked: Predicate, at: datetime) -> None:
    with tempfile.TemporaryDirectory() as folder:

        def make() -> Store:
            return SqliteStore(Path(folder) / "crm.db", synchronous="normal")

        asyncio.run(ask_everybody(make, told_apart(people), asked, at))


# --- by hand ----------------------------------------------------------------------------------------------


def works(who: str, *where: tuple[str | None, datetime], login: datetime | None = NOW) -> Facts:
    """Make somebody who was in accounts from moments on, and logged in."""
    id = CustomerId(who)
    log = [
        AttributeWrite(name=ACCOUNT, value=account, at=at, id=EventId(f"a{number}"))
        for number, (account, at) in enumerate(where)
    ]
    facts = Facts(customer=id).with_attributes(log)
    if login is None:
        return facts
    seen = Event(id=EventId(f"e-{who}"), customer=id, name="login", at=login, received=login)
    return facts.with_events([seen])


ANN = works("ann", ("acme", NOW - 9 * DAY), ("other", NOW - DAY), ("new", NOW + DAY))
PEOPLE = [
    ANN,
    works("left acme", ("acme", NOW - 9 * DAY), ("else", NOW - 5 * DAY)),
    works("in acme", ("acme", NOW - 9 * DAY)),
    works("in other", ("other", NOW - 9 * DAY)),
    works("comes to other", ("other", NOW + DAY / 2)),
    works("in new", ("new", NOW - 9 * DAY)),
    works("left new", ("new", NOW - 9 * DAY), (None, NOW - DAY)),
    works("elsewhere", ("else", NOW - 9 * DAY)),
    works("nowhere"),
]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("at", "people"),
    [
        (NOW, ["comes to other", "in new", "in other"]),
        (NOW + DAY, ["in new"]),
        (NOW - 2 * DAY, ["comes to other", "in acme", "in new", "in other", "left new"]),
        (NOW - 99 * DAY, ["comes to other", "in acme", "in new", "in other", "left acme", "left new"]),
    ],
)
async def test_those_are_kept_who_share_an_account_from_then_on(at: datetime, people: list[str]) -> None:
    store = MemoryStore()
    await put(store, PEOPLE)
    facts = await with_colleagues(store, ANN, at)
    assert [one.customer for one in facts.colleagues or ()] == people
    assert attrs.evolve(facts, colleagues=None) == ANN


def test_accounts_from_a_moment_on_are_the_one_held_and_those_that_come() -> None:
    held = [(at, account_keys(ANN, at)) for at in (NOW - 10 * DAY, NOW - 9 * DAY, NOW - DAY, NOW + DAY)]
    everything = {"acme", "other", "new"}
    assert [keys for _, keys in held] == [everything, everything, {"other", "new"}, {"new"}]
    assert account_keys(ANN) == everything
    assert account_keys(works("eve"), NOW) == frozenset()


class Watched(MemoryStore):
    """Notes how many people are loaded at a time, and of which accounts people were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[int] = []
        self.asked: list[AccountId] = []

    async def load(self, customers: Sequence[CustomerId]) -> Sequence[Person | None]:
        self.loads.append(len(customers))
        return await super().load(customers)

    async def customers_of(self, account: AccountId) -> Sequence[CustomerId]:
        self.asked.append(account)
        return await super().customers_of(account)


@pytest.mark.anyio
async def test_a_large_account_is_read_page_by_page() -> None:
    store = Watched()
    async with opened(store) as crm:
        await put(store, [works(f"p{n:04}", ("acme", NOW - DAY)) for n in range(1_202)])
        store.loads.clear()
        verdict = await crm.explain("p0000", account.count(LOGIN) == 1_202)
        assert verdict.matched
        assert store.loads[-3:] == [500, 500, 201]


@pytest.mark.anyio
async def test_only_questions_about_accounts_look_for_colleagues() -> None:
    store = Watched()
    async with opened(store) as crm:
        await put(store, PEOPLE)
        assert (await crm.explain("ann", LOGIN)).matched
        assert store.asked == []
        await crm.explain("ann", segment("s", ~(score(points(1, when=account.any(LOGIN))) > 0)))
        assert sorted(store.asked) == ["new", "other"]
        store.asked.clear()
        assert (await crm.explain("nowhere", account.count(LOGIN) == 0)).matched
        assert not (await crm.explain("nowhere", account.any(LOGIN) | account.all(LOGIN))).matched
        assert store.asked == []


@pytest.mark.anyio
async def test_who_is_joined_to_another_in_between_is_left_out() -> None:
    class Late(MemoryStore):
        async def customers_of(self, account: AccountId) -> Sequence[CustomerId]:
            return [CustomerId("gone"), *await super().customers_of(account)]

    store = Late()
    async with opened(store) as crm:
        await put(store, PEOPLE)
        assert (await crm.explain("ann", account.count(LOGIN) == 2)).matched


@pytest.mark.anyio
async def test_nobody_and_a_closed_store_are_typed_errors() -> None:
    store = MemoryStore()
    async with opened(store) as crm:
        with pytest.raises(UnknownName, match="customer 'eve'"):
            await crm.explain("eve", account.any(LOGIN))
        await put(store, PEOPLE)

    class Failing(MemoryStore):
        async def customers_of(self, account: AccountId) -> Sequence[CustomerId]:
            raise StoreError("the disk is gone; look for it")

    failing = Failing()
    async with opened(failing) as crm:
        await put(failing, PEOPLE)
        with pytest.raises(StoreError, match="the disk is gone"):
            await crm.explain("ann", account.any(LOGIN))
        assert (await crm.explain("ann", LOGIN)).matched


# --- the property catches faults --------------------------------------------------------------------------


async def only_the_present(store: Store, facts: Facts, now: datetime) -> Facts:
    """Overlook accounts that the person comes to."""
    log = tuple(write for write in facts.attributes if write.at <= now)
    found = await with_colleagues(store, attrs.evolve(facts, attributes=log), now)
    return attrs.evolve(facts, colleagues=found.colleagues)


async def as_of_today(store: Store, facts: Facts, now: datetime) -> Facts:
    """Take the account of today, whenever is asked about."""
    return await with_colleagues(store, facts, NOW)


async def nobody_else(store: Store, facts: Facts, now: datetime) -> Facts:
    """Look for nobody."""
    return attrs.evolve(facts, colleagues=())


@pytest.mark.parametrize("fault", [only_the_present, as_of_today, nobody_else])
def test_a_search_for_fewer_people_is_caught(
    fault: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def look() -> None:
        for at in (NOW, NOW - 2 * DAY):
            for asked in (account.others.any(LOGIN), account.count(~did("never")) == 2):
                asyncio.run(ask_everybody(MemoryStore, PEOPLE, asked, at))

    look()
    monkeypatch.setattr(runtime, "with_colleagues", fault)
    with pytest.raises(AssertionError):
        look()
