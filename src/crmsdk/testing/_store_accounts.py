"""What a store promises about accounts: who was ever written into one."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import attrs
import pytest

from crmsdk.journeys.person import Change, Person
from crmsdk.model.customer import ACCOUNT, AttributeWrite
from crmsdk.model.ids import AccountId, EventId
from crmsdk.model.values import Value
from crmsdk.ports import Store
from crmsdk.testing._sealed import SealedSuite
from crmsdk.testing._store_samples import NOON, add, event, hours, person, with_events, write

__all__ = ["AccountPromises"]


def _works(before: Person, account: Value, at: datetime = NOON, name: str = ACCOUNT) -> Person:
    """Give a person who is written into an account."""
    id = EventId(f"a{len(before.facts.attributes)}")
    entry = AttributeWrite(name=name, value=account, at=at, id=id)
    return attrs.evolve(before, facts=before.facts.with_attributes([entry]))


async def _named(store: Store, account: str) -> Sequence[str]:
    return await store.customers_of(AccountId(account))


@pytest.mark.anyio
class AccountPromises(SealedSuite):
    """Whoever was ever written into an account is found by it."""

    async def test_people_of_an_account_are_named_in_text_order(self, store: Store) -> None:
        for id in ("b", "я", "a", "B"):
            await add(store, _works(person(id), "acme"))
        assert await _named(store, "acme") == ["B", "a", "b", "я"]

    async def test_people_of_another_account_are_not_named(self, store: Store) -> None:
        others = ("ACME", "acme ", "acm", "acme2", "%", "ac_e", "")
        for number, account in enumerate(("acme", *others)):
            await add(store, _works(person(f"p{number}"), account))
        for number, account in enumerate(("acme", *others)):
            assert await _named(store, account) == [f"p{number}"]

    async def test_only_the_account_of_the_log_counts(self, store: Store) -> None:
        await add(store, _works(person(account=AccountId("acme")), "acme", name="account"))
        await add(store, with_events(person("bob"), event("e1", "bob", properties={ACCOUNT: "acme"})))
        assert await _named(store, "acme") == []

    async def test_an_account_nobody_was_written_into_has_no_people(self, store: Store) -> None:
        assert await _named(store, "acme") == []
        await add(store, person())
        await add(store, _works(person("bob"), "other"))
        for account in ("acme", "", "null", "None"):
            assert await _named(store, account) == []

    async def test_who_left_an_account_is_still_named(self, store: Store) -> None:
        ann = await add(store, _works(person(), "acme"))
        ann = await write(store, ann, _works(ann, "other", hours(1)))
        bob = await add(store, _works(person("bob"), "acme"))
        await write(store, bob, _works(bob, None, hours(1)))
        assert await _named(store, "acme") == ["ann", "bob"]
        assert await _named(store, "other") == ["ann"]

    async def test_who_comes_to_an_account_later_is_named_already(self, store: Store) -> None:
        ann = await add(store, person())
        await write(store, ann, _works(ann, "acme", datetime.max.replace(tzinfo=NOON.tzinfo)))
        assert await _named(store, "acme") == ["ann"]

    async def test_who_was_written_into_an_account_often_is_named_once(self, store: Store) -> None:
        ann = _works(_works(person(), "acme"), "other", hours(1))
        ann = await add(store, _works(ann, "acme", hours(2)))
        await write(store, ann, _works(ann, "acme", hours(3)))
        assert await _named(store, "acme") == ["ann"]

    async def test_an_account_is_text_in_one_form_or_a_whole_number(self, store: Store) -> None:
        written: dict[str, Value] = {
            "a": "é",
            "b": "e\u0301",
            "c": 7,
            "d": "7",
            "e": -7,
            "f": "07",
            "g": 10**30,
            "h": '"\\/',
        }
        nothing: dict[str, Value] = {"s": None, "t": True, "u": 7.0, "v": ("7",), "w": {"7": "7"}}
        for id, account in {**written, **nothing}.items():
            await add(store, _works(person(id), account))
        named = {"é": "ab", "e\u0301": "ab", "7": "cd", "-7": "e", "07": "f", f"{10**30}": "g", '"\\/': "h"}
        for asked, people in named.items():
            assert await _named(store, asked) == [*people], asked
        for asked in ("true", "True", "7.0", "None", "-07", '["7"]'):
            assert await _named(store, asked) == [], asked

    async def test_a_refused_change_writes_nobody_into_an_account(self, store: Store) -> None:
        ann = await add(store, person())
        await write(store, ann)
        late = _works(ann, "acme")
        assert await store.commit([Change.between(ann, late)]) == [False]
        assert await _named(store, "acme") == []

    async def test_accounts_of_an_absorbed_customer_are_the_persons(self, store: Store) -> None:
        ann = await add(store, _works(person(), "mine"))
        ghost = await add(store, _works(_works(person("ghost"), "left"), "acme", hours(1)))
        mate = await add(store, _works(person("mate"), "acme"))
        joined = attrs.evolve(ann, facts=ann.facts.with_attributes(ghost.facts.attributes))
        ann = await write(store, ann, joined, absorbs=[ghost])
        assert await _named(store, "acme") == ["ann", "mate"]
        assert await _named(store, "left") == await _named(store, "mine") == ["ann"]
        joined = attrs.evolve(ann, facts=ann.facts.with_attributes(mate.facts.attributes))
        await write(store, ann, joined, absorbs=[mate])
        assert await _named(store, "acme") == ["ann"]

    async def test_an_account_that_a_join_brings_along_is_found(self, store: Store) -> None:
        ann, ghost = await add(store, person()), await add(store, person("ghost"))
        joined = _works(ann, "acme")
        assert await store.commit([Change(person=joined, absorbs=(ghost,))]) == [True]
        assert await _named(store, "acme") == ["ann"]

    async def test_an_id_that_was_absorbed_comes_back_without_its_accounts(self, store: Store) -> None:
        ann, ghost = await add(store, person()), await add(store, _works(person("ghost"), "acme"))
        await write(store, ann, absorbs=[ghost])
        assert await _named(store, "acme") == []
        await add(store, person("ghost"))
        assert await _named(store, "acme") == []

    async def test_accounts_are_there_after_opening_again(
        self, store: Store, tmp_path: Path, opener: Callable[[Path], Store]
    ) -> None:
        if not store.durable:
            pytest.skip("not durable: nobody else sees the data")
        await add(store, _works(_works(person(), "acme"), "other", hours(1)))
        await store.close()
        again = opener(tmp_path)
        assert await _named(again, "acme") == await _named(again, "other") == ["ann"]
        await add(again, _works(person("bob"), "acme"))
        assert await _named(again, "acme") == ["ann", "bob"]
        await again.close()

    async def test_a_great_account_is_named_whole(self, store: Store) -> None:
        count = 1_200
        people = [_works(person(f"p{n:04}"), "acme") for n in range(count)]
        changes = [Change(person=one, attributes=one.facts.attributes) for one in people]
        assert await store.commit(changes) == [True] * count
        assert await _named(store, "acme") == [one.id for one in people]
