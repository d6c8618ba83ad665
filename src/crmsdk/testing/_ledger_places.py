"""Promises of ``Ledger.reserve`` and ``Ledger.read``: who gets a place, and when."""

import asyncio
from pathlib import Path

import pytest

from crmsdk.errors import InputError
from crmsdk.model.message import MessageKind
from crmsdk.policy.record import Contact, ContactState, Option, Suppression
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

__all__ = ["PlacePromises"]

_EVERY = {ContactField.CHANNEL: ["email"]}


class PlacePromises(LedgerPlay):
    """What ``reserve`` and ``read`` promise."""

    @with_ledger
    async def test_place_carries_what_was_asked(self, ledger: Ledger) -> None:
        (answer,) = await ledger.reserve([ask("m1", kind=MessageKind.CONTENT, journey="welcome")])
        expected = Contact(
            at=NOW,
            channel="email",
            kind="content",
            purpose="sale",
            sender="news",
            journey="welcome",
            campaign="",
            topic="",
            message_id=message("m1"),
            priority=50,
            state=ContactState.SENDING,
            lease=NOW + HOUR,
            attempt=1,
        )
        assert answer.contact == expected
        assert list(await ledger.entries(ANN)) == [expected]

    @with_ledger
    async def test_limit_is_reached_and_not_passed(self, ledger: Ledger) -> None:
        asks = [ask(f"m{number}", at_most(3)) for number in range(5)]
        assert await reserve(ledger, *asks) == [True, True, True, False, False]

    @with_ledger
    async def test_refused_message_leaves_no_trace(self, ledger: Ledger) -> None:
        await reserve(ledger, ask("m1", at_most(1)))
        before = list(await ledger.entries(ANN))
        assert await reserve(ledger, ask("m2", at_most(5), at_most(1))) == [False]
        assert list(await ledger.entries(ANN)) == before
        assert await reserve(ledger, ask("m3", at_most(2))) == [True]

    @with_ledger
    async def test_contact_exactly_a_window_old_counts_no_more(self, ledger: Ledger) -> None:
        await reserve(ledger, ask("m1", at_most(1)))
        assert await reserve(ledger, ask("m2", at_most(1), now=NOW + DAY - 1)) == [False]
        assert await reserve(ledger, ask("m3", at_most(1), now=NOW + DAY)) == [True]

    @with_ledger
    async def test_every_state_takes_a_place(self, ledger: Ledger) -> None:
        (answer,) = await ledger.reserve([ask("m1", at_most(2))])
        await ledger.commit([lease_of(answer)])
        assert await reserve(ledger, ask("m2", at_most(2)), ask("m3", at_most(2))) == [True, False]

    @with_ledger
    async def test_expired_lease_frees_nothing(self, ledger: Ledger) -> None:
        await reserve(ledger, ask("m1", at_most(1)))
        assert await reserve(ledger, ask("m2", at_most(1), now=NOW + 2 * HOUR)) == [False]

    @with_ledger
    async def test_filters_choose_what_is_counted(self, ledger: Ledger) -> None:
        one_email = at_most(1, where={ContactField.CHANNEL: ["email"]})
        one_each = at_most(1, where={ContactField.CHANNEL: ["sms", "push"], ContactField.SENDER: ["news"]})
        await record(
            ledger,
            ANN,
            [past("p1", NOW - 3, channel="push", sender="other"), past("p2", NOW - 2, channel="email")],
        )
        assert await reserve(ledger, ask("m1", one_email)) == [False]
        assert await reserve(ledger, ask("m2", one_each, channels=["sms"])) == [True]
        assert await reserve(ledger, ask("m3", one_each, channels=["push"])) == [False]

    @with_ledger
    async def test_filters_reach_every_field(self, ledger: Ledger) -> None:
        (answer,) = await ledger.reserve([ask("m1", journey="welcome")])
        assert answer.contact is not None
        for field in ContactField:
            value = str(getattr(answer.contact, field))
            same, other = at_most(1, where={field: [value]}), at_most(1, where={field: ["else", "where"]})
            assert await reserve(ledger, ask(f"same-{field}", same)) == [False], field
            assert await reserve(ledger, ask(f"other-{field}", other, customer=ANN)) == [True], field
            await ledger.release([lease_of(answer)])
            await ledger.erase(ANN)
            (answer,) = await ledger.reserve([ask("m1", journey="welcome")])

    @with_ledger
    async def test_every_check_must_hold(self, ledger: Ledger) -> None:
        await reserve(ledger, ask("m1"))
        assert await reserve(ledger, ask("m2", at_most(9), at_most(1))) == [False]
        assert await reserve(ledger, ask("m3", at_most(1), at_most(9))) == [False]
        assert await reserve(ledger, ask("m4", at_most(9), at_most(9))) == [True]

    @with_ledger
    async def test_absolute_bound_stands_in_for_a_window(self, ledger: Ledger) -> None:
        await record(ledger, ANN, [past("yesterday", NOW - 1), past("today", NOW)])
        assert await reserve(ledger, ask("m1", at_most(2, since=NOW - 1), now=NOW + 40 * DAY)) == [True]
        assert await reserve(ledger, ask("m2", at_most(2, since=NOW - 1), now=NOW + 40 * DAY)) == [False]

    @with_ledger
    async def test_different_values_are_counted_and_a_known_one_passes(self, ledger: Ledger) -> None:
        await record(
            ledger,
            ANN,
            [past("p1", NOW - 3), past("p2", NOW - 2), past("p3", NOW - 1, channel="sms")],
        )
        third = ask("m1", at_most(2, distinct="push"), channels=["push"])
        known = ask("m2", at_most(2, distinct="sms"), channels=["sms"])
        roomy = ask("m3", at_most(3, distinct="push"), channels=["push"])
        assert await reserve(ledger, third, known, roomy) == [False, True, True]

    @with_ledger
    async def test_different_values_leave_the_window_one_by_one(self, ledger: Ledger) -> None:
        await record(ledger, ANN, [past("p1", NOW), past("p2", NOW + 5, channel="sms")])
        for wait, expected in ((DAY - 1, False), (DAY, True)):
            asked = ask(f"m{wait}", at_most(2, distinct="push"), channels=["push"], now=NOW + wait)
            assert await reserve(ledger, asked) == [expected]

    @with_ledger
    async def test_first_open_option_is_taken(self, ledger: Ledger) -> None:
        await record(ledger, ANN, [past("p1", NOW - 1)])
        email = Option("email", (at_most(1, where=_EVERY),))
        sms, push = Option("sms", (at_most(5),)), Option("push", ())
        channels = ["email", "sms", "push"]
        (answer,) = await ledger.reserve([ask("m1", channels=channels, options=[email, sms, push])])
        assert answer.contact is not None
        assert answer.contact.channel == "sms"
        assert await reserve(ledger, ask("m2", channels=channels, options=[email])) == [False]

    @with_ledger
    async def test_without_an_option_nothing_is_taken(self, ledger: Ledger) -> None:
        assert await reserve(ledger, ask("m1", options=[])) == [False]
        assert list(await ledger.entries(ANN)) == []

    @with_ledger
    async def test_message_gets_one_place(self, ledger: Ledger) -> None:
        (answer,) = await ledger.reserve([ask("m1")])
        before = list(await ledger.entries(ANN))
        assert await reserve(ledger, ask("m1"), ask("m1", now=NOW + HOUR - 1)) == [False, False]
        assert list(await ledger.entries(ANN)) == before
        await ledger.commit([lease_of(answer)])
        assert await reserve(ledger, ask("m1", now=NOW + 30 * DAY)) == [False]
        assert len(await ledger.entries(ANN)) == 1

    @with_ledger
    async def test_message_takes_its_own_expired_lease_over(self, ledger: Ledger) -> None:
        (first,) = await ledger.reserve([ask("m1", at_most(1))])
        (second,) = await ledger.reserve([ask("m1", at_most(1), now=NOW + HOUR)])
        assert first.contact is not None
        expected = first.contact._replace(lease=NOW + 2 * HOUR, attempt=2)
        assert second.contact == expected
        assert list(await ledger.entries(ANN)) == [expected]

    @with_ledger
    async def test_old_place_is_found_however_old(self, ledger: Ledger) -> None:
        await reserve(ledger, ask("m1"))
        much_later = ask("m1", now=NOW + 30 * DAY, since=NOW + 29 * DAY)
        (answer,) = await ledger.reserve([much_later])
        assert answer.contact is not None
        assert (answer.contact.at, answer.contact.attempt) == (NOW, 2)
        assert [contact.at for contact in answer.standing.contacts] == [NOW]

    @with_ledger
    async def test_take_over_needs_the_same_channel(self, ledger: Ledger) -> None:
        await reserve(ledger, ask("m1", channels=["email"]))
        later = NOW + HOUR
        assert await reserve(ledger, ask("m1", channels=["sms"], now=later)) == [False]
        (answer,) = await ledger.reserve([ask("m1", channels=["sms", "email"], now=later)])
        assert answer.contact is not None
        assert answer.contact.channel == "email"

    @with_ledger
    async def test_take_over_is_stopped_by_a_suppression(self, ledger: Ledger) -> None:
        await reserve(ledger, ask("m1"))
        await ledger.suppress([Suppression(customer=ANN)])
        assert await reserve(ledger, ask("m1", now=NOW + HOUR)) == [False]

    @with_ledger
    async def test_clock_going_back_dates_nothing_before_the_last_contact(self, ledger: Ledger) -> None:
        await reserve(ledger, ask("m1", at_most(2)))
        (answer,) = await ledger.reserve([ask("m2", at_most(2), now=NOW - HOUR)])
        assert answer.contact is not None
        assert (answer.contact.at, answer.contact.lease) == (NOW, NOW)
        assert await reserve(ledger, ask("m3", at_most(2), now=NOW - 2 * DAY)) == [False]
        assert await reserve(ledger, ask("m4", at_most(2), now=NOW + DAY - 1)) == [False]

    @with_ledger
    async def test_people_are_counted_apart(self, ledger: Ledger) -> None:
        asks = [
            ask("m1", at_most(1)),
            ask("m2", at_most(1), customer=BOB),
            ask("m1", at_most(1), customer=BOB),
        ]
        assert await reserve(ledger, *asks) == [True, True, False]

    @with_ledger
    async def test_batch_is_answered_in_order_each_after_those_before(self, ledger: Ledger) -> None:
        batch = [
            ask("m1", at_most(2)),
            ask("m2", at_most(1), customer=BOB),
            ask("m3", at_most(2)),
            ask("m3", at_most(9)),
            ask("m4", at_most(2)),
        ]
        answers = await ledger.reserve(batch)
        taken = [None if each.contact is None else each.contact.message_id for each in answers]
        assert taken == ["m1", "m2", "m3", None, None]
        assert [len(each.standing.contacts) for each in answers] == [0, 0, 1, 2, 2]

    @with_ledger
    async def test_batch_of_1000_is_answered_and_a_larger_one_refused(self, ledger: Ledger) -> None:
        batch = [ask(f"m{number}", at_most(600)) for number in range(1000)]
        answers = await ledger.reserve(batch)
        assert [each.contact is not None for each in answers] == [True] * 600 + [False] * 400
        assert list(await ledger.reserve([])) == []
        larger = [*batch, ask("m1000")]
        with pytest.raises(InputError, match="1001"):
            await ledger.reserve(larger)
        with pytest.raises(InputError, match="1001"):
            await ledger.read(larger)
        assert len(await ledger.entries(ANN)) == 600

    @with_ledger
    async def test_standing_is_what_was_there_before(self, ledger: Ledger) -> None:
        stop = Suppression(customer=ANN, channel="sms", reason="asked", at=NOW)
        await ledger.suppress([stop])
        await record(ledger, ANN, [past("old", NOW - 9), past("young", NOW - 3)])
        (answer,) = await ledger.reserve([ask("m1", since=NOW - 9)])
        assert answer.standing.now == NOW
        assert "m1" not in [contact.message_id for contact in answer.standing.contacts]
        assert "young" in [contact.message_id for contact in answer.standing.contacts]
        assert answer.standing.suppressions == {stop}
        assert [each.reason for each in answer.standing.suppressions] == ["asked"]

    @with_ledger
    async def test_read_gives_the_standing_and_writes_nothing(self, ledger: Ledger) -> None:
        await reserve(ledger, ask("m1"))
        before = list(await ledger.entries(ANN))
        asked = ask("m1", at_most(5), now=NOW + HOUR)
        (standing, other) = await ledger.read([asked, ask("m2", customer=BOB)])
        assert list(await ledger.entries(ANN)) == before
        assert standing.contacts == tuple(before)
        assert other.contacts == ()
        (answer,) = await ledger.reserve([asked])
        assert answer.standing == standing

    @with_ledger
    async def test_concurrent_reserves_admit_the_limit(self, ledger: Ledger) -> None:
        asks = [ask(f"m{number}", at_most(7), now=NOW + number % 3) for number in range(40)]
        answers = await asyncio.gather(*(ledger.reserve([each]) for each in asks))
        assert sum(answer.contact is not None for (answer,) in answers) == 7
        assert len(await ledger.entries(ANN)) == 7

    def test_all_who_open_a_durable_ledger_share_the_limit(self, tmp_path: Path) -> None:
        async def run() -> None:
            ledgers = [await self.open_ledger(tmp_path) for _ in range(3)]
            try:
                asks = [ask(f"m{number}", at_most(5)) for number in range(30)]
                answers = await asyncio.gather(
                    *(ledgers[number % 3].reserve([each]) for number, each in enumerate(asks))
                )
                admitted = sum(answer.contact is not None for (answer,) in answers)
                assert admitted == (5 if ledgers[0].durable else 15)
            finally:
                for ledger in ledgers:
                    await ledger.close()

        asyncio.run(run())
