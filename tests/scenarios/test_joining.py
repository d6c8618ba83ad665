"""A visitor turns out to be a known person: one history, one run, one set of limits."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from typing_extensions import override

from crmsdk.channels.memory import MemoryChannel
from crmsdk.errors import MergeRefused
from crmsdk.journeys.definition import Entry, each_time, once
from crmsdk.journeys.steps import Send, Wait
from crmsdk.journeys.triggers import by_call, on
from crmsdk.ledgers.sqlite import SqliteLedger
from crmsdk.model.address import ByAttribute
from crmsdk.model.content import ChatContent, Content, Envelope
from crmsdk.model.customer import Identifier
from crmsdk.model.ids import CustomerId
from crmsdk.model.inputs import Input
from crmsdk.model.message import MessageState, Outcome, Rejected, Suppress
from crmsdk.model.provider import Capabilities, Idempotency
from crmsdk.policy.rules import cap
from crmsdk.policy.ruleset import ContactPolicy
from crmsdk.runtime.crm import Crm
from tests.scenarios.stage import DAY, HOUR, START, Stage, device, event, journey, known, user

pytestmark = pytest.mark.anyio

PHONE = device("phone")
SERIES = journey("series", Send("hi", "sink"), Wait(DAY), Send("bye", "sink"))


async def test_t25_a_visitor_inside_a_journey_joins_and_the_run_goes_on_once(stage: Stage) -> None:
    async with stage.open(SERIES) as crm:
        await crm.track(PHONE, "signed_up", id="one")
        await crm.advance()
        await crm.identify("ann", id="two")
        await crm.alias("ann", PHONE, id="three")
        await crm.track("ann", "signed_up", id="four")
        await crm.track(PHONE, "signed_up", id="five")
        await crm.advance(START + DAY)
        await crm.advance(START + 2 * DAY)
        assert await crm.customers() == ["ann"]
        assert [entry.about for entry in await crm.timeline("ann") if entry.what == "event"] == [
            "signed_up"
        ] * 3
    assert [text for _, text in stage.sent()] == ["hi", "bye"]
    (run,) = await stage.runs("ann")
    assert run.outcome == "completed"


async def test_t25_both_inside_the_same_journey_only_the_known_persons_run_goes_on(stage: Stage) -> None:
    async with stage.open(SERIES) as crm:
        await crm.track("ann", "signed_up", id="one")
        await crm.track(PHONE, "signed_up", id="two")
        await crm.advance()
        await crm.alias("ann", PHONE, id="three")
        await crm.advance(START + DAY)
    assert sorted(run.outcome for run in await stage.runs("ann")) == ["completed", "joined"]
    assert [text for _, text in stage.sent()] == ["hi", "hi", "bye"]


@pytest.mark.parametrize("apart", [True, False])
async def test_t25_news_of_the_visitor_that_come_with_the_join_make_no_second_entry(
    stage: Stage,
    apart: bool,
) -> None:
    async with stage.open(SERIES) as crm:
        await crm.identify("ann", id="zero")
        await crm.track(PHONE, "signed_up", id="one")
        await crm.advance()
        stage.clock.tick(HOUR)
        news: list[Input] = [
            event(PHONE, "signed_up", START + timedelta(minutes=20), "two"),
            known(user("ann"), PHONE, at=START + timedelta(minutes=40), id="three"),
        ]
        for batch in [[one] for one in news] if apart else [news]:
            taken = await crm.ingest(batch)
            assert not taken.refused
        await crm.advance(START + 3 * DAY)
    assert [text for _, text in stage.sent()] == ["hi", "bye"]
    assert len(await stage.runs("ann")) == 1


@pytest.mark.parametrize(
    ("entry", "outcomes"),
    [(each_time(), ["completed", "completed"]), (once(), ["completed", "joined"])],
    ids=["each time", "once in a life"],
)
async def test_t25_whether_the_visitors_run_is_a_second_entry_is_told_by_the_entry_policy(
    stage: Stage, entry: Entry, outcomes: list[str]
) -> None:
    order = journey("order", Wait(HOUR), Send("hi", "sink"), entry=entry)
    async with stage.open(order) as crm:
        await crm.track("ann", "signed_up", id="one")
        await crm.advance(START + 2 * HOUR)
        await crm.track(PHONE, "signed_up", id="two")
        await crm.alias("ann", PHONE, id="three")
        await crm.advance(START + 4 * HOUR)
    assert [run.outcome for run in await stage.runs("ann")] == outcomes


async def test_runs_that_may_go_on_side_by_side_both_go_on(stage: Stage) -> None:
    order = journey("order", Wait(HOUR), Send("hi", "sink"), entry=each_time())
    async with stage.open(order) as crm:
        await crm.track("ann", "signed_up", id="one")
        await crm.track(PHONE, "signed_up", id="two")
        await crm.alias("ann", PHONE, id="three")
        await crm.advance(START + HOUR)
    assert [run.outcome for run in await stage.runs("ann")] == ["completed", "completed"]


CART = journey("cart", Send("hi", "sink"), enter=on("cart").unless("bought", within=2 * HOUR))


@pytest.mark.parametrize(("left_by", "bought_by"), [("ann", PHONE), (PHONE, "ann")])
async def test_what_one_did_calls_off_what_is_watched_for_of_the_other(
    stage: Stage, left_by: str | Identifier, bought_by: str | Identifier
) -> None:
    async with stage.open(CART) as crm:
        await crm.identify("ann", id="zero")
        await crm.track(left_by, "cart", id="one")
        stage.clock.tick(HOUR)
        await crm.track(bought_by, "bought", id="two")
        await crm.alias("ann", PHONE, id="three")
        await crm.advance(START + 3 * HOUR)
    assert stage.sent() == []


@pytest.mark.parametrize(("first", "last"), [("ann", PHONE), (PHONE, "ann")])
async def test_of_two_waits_for_one_absence_the_later_anchor_counts(
    stage: Stage, first: str | Identifier, last: str | Identifier
) -> None:
    async with stage.open(CART) as crm:
        await crm.identify("ann", id="zero")
        await crm.track(first, "cart", id="one")
        stage.clock.tick(HOUR)
        await crm.track(last, "cart", id="two")
        await crm.alias("ann", PHONE, id="three")
        await crm.advance(START + 2 * HOUR)
        assert stage.sent() == []
        await crm.advance(START + 3 * HOUR)
    assert stage.sent() == [("ann", "hi")]


async def test_a_visitor_whose_news_are_in_conflict_joins_in_the_same_batch(stage: Stage) -> None:
    async with stage.open() as crm:
        await crm.identify("ann", id="zero")
        await crm.track(PHONE, "visit", id="one", at=START)
        stage.clock.tick(HOUR)
        other = event(PHONE, "visit", START, "one", page=2)
        taken = await crm.ingest([other, known(user("ann"), PHONE, at=START + HOUR, id="two")])
        assert (taken.accepted, len(taken.refused)) == (1, 1)
        assert [entry.what for entry in await crm.timeline("ann")] == ["event", "conflict", "joined"]


async def test_t25_limits_count_what_both_were_sent(stage: Stage) -> None:
    two = ContactPolicy(cap(2, within=7 * DAY, id="weekly"))
    once = journey("once", Send("hi", "sink"), enter=by_call())
    async with stage.open(once, policy=two) as crm:
        await crm.track(PHONE, "visit", id="one")
        await crm.track("ann", "visit", id="two")
        await crm.enter(PHONE, "once", key="a")
        await crm.enter("ann", "once", key="b")
        await crm.advance()
        await crm.alias("ann", PHONE, id="three")
        await crm.enter("ann", "once", key="c")
        done = await crm.advance()
    assert (done.sent, done.refused) == (0, 1)
    assert len(stage.sent()) == 2
    ledger = SqliteLedger(stage.path)
    assert len(await ledger.entries(CustomerId("ann"))) == 2
    await ledger.close()


async def test_t25_the_stricter_consent_of_both_counts(stage: Stage) -> None:
    async with stage.open(SERIES) as crm:
        await crm.identify("ann", id="zero")
        await crm.track(PHONE, "signed_up", id="one")
        await crm.consent(PHONE, "withdrawn", channel="sink")
        await crm.alias("ann", PHONE, id="two")
        await crm.advance()
    assert stage.sent() == []


async def test_t25_two_known_people_are_never_one_by_a_claim(stage: Stage) -> None:
    async with stage.open(SERIES) as crm:
        await crm.identify("ann", email="ann@example.org", id="one")
        await crm.identify("bob", id="two")
        with pytest.raises(MergeRefused, match="'ann' and 'bob' are both identified"):
            await crm.identify("bob", email="ann@example.org", id="three")
        assert await crm.customers() == ["ann", "bob"]


async def test_a_visitor_absorbed_while_a_message_is_on_its_way(stage: Stage) -> None:
    class Joining(MemoryChannel):
        crm: Crm

        @override
        async def deliver(self, envelopes: Sequence[Envelope[Content]]) -> Sequence[Outcome]:
            if not self.kept:
                await self.crm.alias("ann", PHONE, id="join")
            return await super().deliver(envelopes)

    channel = Joining("sink", everyone=True)
    async with stage.open(SERIES, channels=[channel], policy=ContactPolicy(cap(1, within=DAY))) as crm:
        channel.crm = crm
        await crm.identify("ann", id="zero")
        await crm.track(PHONE, "signed_up", id="one")
        done = await crm.advance()
        assert done.sent == 1
        await crm.advance(START + DAY)
    assert len(channel.kept) == 2
    (run,) = await stage.runs("ann")
    assert run.outcome == "completed"
    assert {message.state for message in await stage.messages("ann")} == {MessageState.SENT}
    ledger = SqliteLedger(stage.path)
    assert len(await ledger.entries(CustomerId("ann"))) == 2
    await ledger.close()


async def test_t27_who_shares_an_address_is_counted_apart_and_suppressed_together(stage: Stage) -> None:
    shared = Capabilities(content=ChatContent, address=ByAttribute("chat"), idempotency=Idempotency.KEY)
    channel = MemoryChannel("sink", capabilities=shared)
    daily = ContactPolicy(cap(1, within=DAY))
    async with stage.open(SERIES, channels=[channel], policy=daily) as crm:
        for name in ("ann", "bob"):
            await crm.identify(name, {"chat": "the family's"}, id=f"i-{name}")
        await crm.track("ann", "signed_up", id="one")
        await crm.advance()
        stage.clock.tick(HOUR)
        await crm.track("bob", "signed_up", id="two")
        assert (await crm.advance()).sent == 1  # bob was not written to, whatever ann got
        channel.script([Rejected(reason="gone", suppress=Suppress.ADDRESS)])
        stage.clock.set(START + DAY)
        assert (await crm.advance()).refused == 1
        stage.clock.tick(HOUR)
        assert (await crm.advance()).refused == 1
    assert len(channel.attempts) == 3  # the address is dead for both
