"""Promises of the other methods of ``Ledger``: what becomes of a place, of a person, and of the past."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import attrs
import pytest

from crmsdk.errors import StoreError
from crmsdk.model.moment import from_micros
from crmsdk.policy.answer import Lease
from crmsdk.policy.record import ContactState, InDoubt, Suppression
from crmsdk.policy.rules import ContactField
from crmsdk.ports import Ledger
from crmsdk.testing._ledger_play import (
    ANN,
    BOB,
    DAY,
    HOUR,
    NOW,
    LedgerPlay,
    ask,
    at_most,
    lease_of,
    message,
    past,
    record,
    reserve,
    with_ledger,
)

__all__ = ["UpkeepPromises"]

_UNKNOWN = Lease(customer=ANN, message_id=message("unknown"), attempt=1, until=from_micros(NOW))


class UpkeepPromises(LedgerPlay):
    """What all methods but ``reserve`` and ``read`` promise."""

    @with_ledger
    async def test_commit_marks_sent_and_keeps_the_moment(self, ledger: Ledger) -> None:
        (answer,) = await ledger.reserve([ask("m1")])
        assert list(await ledger.commit([lease_of(answer), _UNKNOWN, lease_of(answer)])) == [
            True,
            False,
            True,
        ]
        (contact,) = await ledger.entries(ANN)
        assert (contact.at, contact.state, contact.lease, contact.attempt) == (NOW, ContactState.SENT, 0, 1)

    @with_ledger
    async def test_commit_counts_after_the_place_was_taken_over(self, ledger: Ledger) -> None:
        (first,) = await ledger.reserve([ask("m1")])
        await ledger.reserve([ask("m1", now=NOW + HOUR)])
        assert list(await ledger.commit([lease_of(first)])) == [True]
        assert [contact.state for contact in await ledger.entries(ANN)] == [ContactState.SENT]

    @with_ledger
    async def test_release_frees_the_place(self, ledger: Ledger) -> None:
        (answer,) = await ledger.reserve([ask("m1", at_most(1))])
        lease = lease_of(answer)
        assert list(await ledger.release([lease, lease, _UNKNOWN])) == [True, False, False]
        assert list(await ledger.entries(ANN)) == []
        assert await reserve(ledger, ask("m2", at_most(1)), ask("m1", at_most(1))) == [True, False]

    @with_ledger
    async def test_release_by_an_overtaken_worker_frees_nothing(self, ledger: Ledger) -> None:
        (first,) = await ledger.reserve([ask("m1")])
        (second,) = await ledger.reserve([ask("m1", now=NOW + HOUR)])
        assert list(await ledger.release([lease_of(first)])) == [False]
        assert list(await ledger.entries(ANN)) == [second.contact]

    @with_ledger
    async def test_release_of_a_sent_message_frees_nothing(self, ledger: Ledger) -> None:
        (answer,) = await ledger.reserve([ask("m1", at_most(1))])
        await ledger.commit([lease_of(answer)])
        assert list(await ledger.release([lease_of(answer)])) == [False]
        assert await reserve(ledger, ask("m2", at_most(1))) == [False]

    @with_ledger
    async def test_renew_holds_a_place_longer(self, ledger: Ledger) -> None:
        (answer,) = await ledger.reserve([ask("m1")])
        lease = lease_of(answer)
        renewed = await ledger.renew(lease, NOW + 3 * HOUR)
        assert renewed == attrs.evolve(lease, until=from_micros(NOW + 3 * HOUR))
        assert await reserve(ledger, ask("m1", now=NOW + 2 * HOUR)) == [False]
        assert await reserve(ledger, ask("m1", now=NOW + 3 * HOUR)) == [True]

    @with_ledger
    async def test_renew_of_a_place_not_held_is_refused(self, ledger: Ledger) -> None:
        (first,) = await ledger.reserve([ask("m1")])
        (second,) = await ledger.reserve([ask("m1", now=NOW + HOUR)])
        assert await ledger.renew(lease_of(first), NOW + 9 * HOUR) is None
        assert list(await ledger.entries(ANN)) == [second.contact]
        await ledger.commit([lease_of(second)])
        assert await ledger.renew(lease_of(second), NOW + 9 * HOUR) is None
        assert await ledger.renew(_UNKNOWN, NOW + 9 * HOUR) is None

    @with_ledger
    async def test_recorded_contact_counts_at_its_own_moment(self, ledger: Ledger) -> None:
        await reserve(ledger, ask("m1"))
        call = past("call", NOW - DAY + 1, channel="phone", priority=70)
        assert list(await record(ledger, ANN, [call, call])) == [True, False]
        assert list(await record(ledger, ANN, [past("m1", NOW - 5)])) == [False]
        assert next(iter(await ledger.entries(ANN))) == call
        assert await reserve(ledger, ask("m2", at_most(2))) == [False]
        assert await reserve(ledger, ask("m3", at_most(2), now=NOW + 1)) == [True]

    @with_ledger
    async def test_one_batch_records_contacts_of_many_people(self, ledger: Ledger) -> None:
        await record(ledger, BOB, [past("p2", NOW - 9)])
        pairs = [(ANN, past("p1", NOW)), (BOB, past("p2", NOW)), (BOB, past("p1", NOW - 2))]
        pairs += [(ANN, past("p2", NOW - 1)), (ANN, past("p1", NOW - 3))]
        assert list(await ledger.record(pairs)) == [True, False, True, True, False]
        for customer, moments in ((ANN, [NOW - 1, NOW]), (BOB, [NOW - 9, NOW - 2])):
            assert [contact.at for contact in await ledger.entries(customer)] == moments
        assert list(await ledger.record([])) == []

    @with_ledger
    async def test_entries_come_in_order_from_a_moment_on(self, ledger: Ledger) -> None:
        await record(ledger, ANN, [past("c", NOW), past("b", NOW), past("a", NOW + 1), past("d", NOW - 1)])
        names = [contact.message_id for contact in await ledger.entries(ANN)]
        assert names == ["d", "b", "c", "a"]
        assert [each.message_id for each in await ledger.entries(ANN, since=NOW)] == ["b", "c", "a"]
        assert list(await ledger.entries(BOB)) == []

    @with_ledger
    async def test_what_is_in_doubt_is_listed_oldest_lease_first(self, ledger: Ledger) -> None:
        await reserve(
            ledger,
            ask("m1", lease=3 * HOUR),
            ask("m2", lease=HOUR, customer=BOB),
            ask("m3", lease=2 * HOUR),
            ask("m4", lease=HOUR, customer=BOB),
        )
        (sent,) = await ledger.reserve([ask("m5", lease=1)])
        await ledger.commit([lease_of(sent)])

        async def names(now: int, **limit: int) -> list[str]:
            return [each.contact.message_id for each in await ledger.in_doubt(now, **limit)]

        assert await names(NOW + HOUR - 1) == []
        assert await names(NOW + 9 * HOUR) == ["m2", "m4", "m3", "m1"]
        assert await names(NOW + 9 * HOUR, limit=3) == ["m2", "m4", "m3"]
        (first, *_) = await ledger.in_doubt(NOW + HOUR)
        (contact, _) = await ledger.entries(BOB)
        assert first == InDoubt(BOB, contact)

    @with_ledger
    async def test_resolve_settles_what_is_in_doubt_and_nothing_else(self, ledger: Ledger) -> None:
        await reserve(ledger, ask("m1"), ask("m2"), ask("m3", lease=9 * HOUR))
        later = NOW + HOUR
        assert await ledger.resolve(ANN, message("m1"), sent=True, now=later)
        assert await ledger.resolve(ANN, message("m2"), sent=False, now=later)
        assert not await ledger.resolve(ANN, message("m1"), sent=False, now=later)
        assert not await ledger.resolve(ANN, message("m3"), sent=False, now=later)
        assert not await ledger.resolve(ANN, message("m4"), sent=True, now=later)
        states = {contact.message_id: contact.state for contact in await ledger.entries(ANN)}
        assert states == {"m1": ContactState.SENT, "m3": ContactState.SENDING}

    @with_ledger
    async def test_suppressed_person_gets_no_place(self, ledger: Ledger) -> None:
        await ledger.suppress([Suppression(customer=ANN, channel="sms"), Suppression(customer=BOB)])
        asks = [
            ask("m1", channels=["sms"]),
            ask("m2", channels=["email"]),
            ask("m3", channels=["email"], customer=BOB),
        ]
        assert await reserve(ledger, *asks) == [False, True, False]

    @with_ledger
    async def test_suppression_may_stop_one_purpose(self, ledger: Ledger) -> None:
        await ledger.suppress([Suppression(customer=ANN, purpose="sale")])
        assert await reserve(ledger, ask("m1"), ask("m2", purpose="receipt")) == [False, True]

    @with_ledger
    async def test_suppressed_address_stops_everybody_who_has_it(self, ledger: Ledger) -> None:
        await ledger.suppress([Suppression(address="hash-1")])
        shared, own = {"email": "hash-1", "sms": "hash-2"}, {"email": "hash-3"}
        asks = [
            ask("m1", addresses=shared),
            ask("m2", addresses=shared, customer=BOB),
            ask("m3", addresses=own),
            ask("m4", addresses=shared, channels=["sms"]),
        ]
        assert await reserve(ledger, *asks) == [False, False, True, True]
        (answer,) = await ledger.reserve([ask("m5", addresses=shared, channels=["email", "sms"])])
        assert answer.contact is not None
        assert answer.contact.channel == "sms"

    @with_ledger
    async def test_first_of_equal_suppressions_is_kept_and_taken_back_exactly(self, ledger: Ledger) -> None:
        first = Suppression(customer=ANN, channel="sms", reason="stop", at=NOW)
        again = Suppression(customer=ANN, channel="sms", reason="again", at=NOW + 1)
        await ledger.suppress([first, again])
        await ledger.suppress([again])
        (standing,) = await ledger.read([ask("m1")])
        assert [(each.reason, each.at) for each in standing.suppressions] == [("stop", NOW)]
        others = [Suppression(customer=ANN), Suppression(customer=BOB, channel="sms")]
        assert list(await ledger.unsuppress([*others, first, first])) == [False, False, True, False]
        assert await reserve(ledger, ask("m1", channels=["sms"])) == [True]

    @with_ledger
    async def test_moved_contacts_count_for_the_target(self, ledger: Ledger) -> None:
        await reserve(ledger, ask("m1"), ask("m2", customer=BOB, now=NOW + 1), ask("m3", now=NOW + 2))
        assert list(await ledger.move(ANN, BOB)) == ["m1", "m3"]
        assert [each.message_id for each in await ledger.entries(BOB)] == ["m1", "m2", "m3"]
        asks = [ask(f"m{limit}{limit}", at_most(limit), customer=BOB, now=NOW + 3) for limit in (3, 4)]
        assert await reserve(ledger, *asks) == [False, True]

    @with_ledger
    async def test_calls_for_a_moved_person_act_on_the_target(self, ledger: Ledger) -> None:
        (first,) = await ledger.reserve([ask("m1")])
        (second,) = await ledger.reserve([ask("m2")])
        await ledger.move(ANN, BOB)
        assert list(await ledger.commit([lease_of(first)])) == [True]
        assert list(await ledger.release([lease_of(second)])) == [True]
        assert await reserve(ledger, ask("m3", at_most(1)), ask("m4", at_most(2))) == [False, True]
        await ledger.suppress([Suppression(customer=ANN, channel="sms")])
        assert await reserve(ledger, ask("m5", customer=BOB, channels=["sms"])) == [False]
        assert list(await ledger.entries(ANN)) == list(await ledger.entries(BOB))
        assert [each.message_id for each in await ledger.entries(BOB)] == ["m1", "m4"]

    @with_ledger
    async def test_message_that_both_hold_is_kept_once_the_sent_one_first(self, ledger: Ledger) -> None:
        await record(ledger, ANN, [past("m1", NOW - 5)])
        await record(ledger, BOB, [past("m2", NOW - 4)])
        await reserve(ledger, ask("m2"), ask("m1", customer=BOB))
        assert list(await ledger.move(ANN, BOB)) == ["m1"]
        contacts = [(each.message_id, each.at, each.state) for each in await ledger.entries(BOB)]
        assert contacts == [("m1", NOW - 5, ContactState.SENT), ("m2", NOW - 4, ContactState.SENT)]

    @with_ledger
    async def test_moved_suppressions_stop_the_target(self, ledger: Ledger) -> None:
        await ledger.suppress(
            [Suppression(customer=ANN, channel="sms"), Suppression(customer=BOB, channel="sms")]
        )
        await ledger.suppress([Suppression(customer=ANN, channel="push")])
        await ledger.move(ANN, BOB)
        asks = [ask(f"m-{each}", customer=BOB, channels=[each]) for each in ("sms", "push", "email")]
        assert await reserve(ledger, *asks) == [False, False, True]

    @with_ledger
    async def test_move_of_chosen_messages_takes_a_move_back(self, ledger: Ledger) -> None:
        await reserve(ledger, ask("m1"), ask("m2", customer=BOB))
        moved = await ledger.move(ANN, BOB)
        assert list(await ledger.move(BOB, ANN, only=[*moved, message("unknown")])) == ["m1"]
        assert [each.message_id for each in await ledger.entries(ANN)] == ["m1"]
        assert [each.message_id for each in await ledger.entries(BOB)] == ["m2"]
        assert await reserve(ledger, ask("m3", at_most(2)), ask("m4", at_most(2), customer=BOB)) == [
            True,
            True,
        ]

    @with_ledger
    async def test_repeated_move_moves_nothing(self, ledger: Ledger) -> None:
        await reserve(ledger, ask("m1"))
        assert list(await ledger.move(ANN, BOB)) == ["m1"]
        before = list(await ledger.entries(BOB))
        assert list(await ledger.move(ANN, BOB)) == []
        assert list(await ledger.move(BOB, ANN)) == []
        assert list(await ledger.entries(BOB)) == before == list(await ledger.entries(ANN))

    @with_ledger
    async def test_erased_person_starts_anew_but_the_address_stays_stopped(self, ledger: Ledger) -> None:
        await ledger.suppress([Suppression(customer=ANN), Suppression(address="hash-1")])
        await record(ledger, ANN, [past("p1", NOW - 1)])
        await record(ledger, BOB, [past("p2", NOW - 1)])
        await ledger.erase(ANN)
        assert list(await ledger.entries(ANN)) == []
        assert len(await ledger.entries(BOB)) == 1
        addresses = {"email": "hash-1"}
        asks = [ask("m1", at_most(1), addresses=addresses), ask("m2", at_most(1))]
        assert await reserve(ledger, *asks) == [False, True]

    @with_ledger
    async def test_commit_after_erasure_restores_nothing(self, ledger: Ledger) -> None:
        (answer,) = await ledger.reserve([ask("m1")])
        await ledger.erase(ANN)
        assert list(await ledger.commit([lease_of(answer)])) == [False]
        assert list(await ledger.entries(ANN)) == []

    @with_ledger
    async def test_erasure_forgets_moves(self, ledger: Ledger) -> None:
        await ledger.move(ANN, BOB)
        await ledger.erase(BOB)
        await reserve(ledger, ask("m1"))
        assert list(await ledger.entries(BOB)) == []
        assert [each.message_id for each in await ledger.entries(ANN)] == ["m1"]

    @with_ledger
    async def test_forget_drops_old_sent_contacts_only(self, ledger: Ledger) -> None:
        await record(ledger, ANN, [past("p1", NOW - 2), past("p2", NOW)])
        await reserve(ledger, ask("m1", customer=BOB, now=NOW - 2))
        assert await ledger.forget(NOW) == 1
        assert [each.message_id for each in await ledger.entries(ANN)] == ["p2"]
        assert [each.message_id for each in await ledger.entries(BOB)] == ["m1"]

    @with_ledger
    async def test_text_comes_back_as_it_went_in(self, ledger: Ledger) -> None:
        odd = '’ " ; -- \n \u0416\U0001f4e7'
        await reserve(ledger, ask(odd, sender=odd, journey=odd, channels=[odd]))
        (contact,) = await ledger.entries(ANN)
        assert (contact.message_id, contact.sender, contact.journey, contact.channel) == (odd,) * 4
        same = at_most(1, where={ContactField.SENDER: [odd]})
        assert await reserve(ledger, ask("m2", same)) == [False]

    def test_contacts_survive_where_the_ledger_is_durable(self, tmp_path: Path) -> None:
        async def run() -> None:
            first = await self.open_ledger(tmp_path)
            await reserve(first, ask("m1"))
            await first.suppress([Suppression(customer=BOB)])
            await first.close()
            second = await self.open_ledger(tmp_path)
            try:
                kept = [each.message_id for each in await second.entries(ANN)]
                assert kept == (["m1"] if second.durable else [])
                assert await reserve(second, ask("m2", customer=BOB)) == [not second.durable]
            finally:
                await second.close()

        asyncio.run(run())

    def test_closed_ledger_refuses_work(self, tmp_path: Path) -> None:
        async def run() -> None:
            ledger = await self.open_ledger(tmp_path)
            await ledger.close()
            await ledger.close()
            calls: list[Callable[[], Awaitable[object]]] = [
                lambda: ledger.reserve([ask("m1")]),
                lambda: ledger.read([ask("m1")]),
                lambda: ledger.commit([_UNKNOWN]),
                lambda: ledger.release([_UNKNOWN]),
                lambda: ledger.renew(_UNKNOWN, NOW),
                lambda: record(ledger, ANN, [past("p1", NOW)]),
                lambda: ledger.entries(ANN),
                lambda: ledger.in_doubt(NOW),
                lambda: ledger.resolve(ANN, message("m1"), sent=True, now=NOW),
                lambda: ledger.suppress([Suppression(customer=ANN)]),
                lambda: ledger.unsuppress([Suppression(customer=ANN)]),
                lambda: ledger.move(ANN, BOB),
                lambda: ledger.erase(ANN),
                lambda: ledger.forget(NOW),
            ]
            for call in calls:
                with pytest.raises(StoreError):
                    await call()

        asyncio.run(run())
