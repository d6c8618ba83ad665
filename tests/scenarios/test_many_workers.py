"""Many workers on one file, and answers that come too soon: nobody is sent to twice, no wake-up is lost."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import pytest
from typing_extensions import override

from crmsdk.channels.memory import MemoryChannel
from crmsdk.journeys.definition import each_time, once
from crmsdk.journeys.person import Phase
from crmsdk.journeys.steps import Send, Wait, WaitFor
from crmsdk.journeys.triggers import on
from crmsdk.model.content import Content, Envelope
from crmsdk.model.message import DeliveryEvent, DeliveryKind, MessageState, Outcome
from crmsdk.policy.rules import cap
from crmsdk.policy.ruleset import ContactPolicy
from crmsdk.runtime.crm import Crm
from crmsdk.segments.words import did
from tests.scenarios.stage import DAY, HOUR, START, Stage, event, journey

pytestmark = pytest.mark.anyio

PEOPLE = [f"person-{number}" for number in range(12)]
SERIES = journey("series", Send("hi", "sink"), Wait(DAY), Send("bye", "sink"), entry=once())


async def test_t01_four_workers_tick_one_store_and_the_sends_are_the_plan(stage: Stage) -> None:
    workers = [stage.open(SERIES, worker=f"worker-{number}") for number in range(4)]
    for worker in workers:
        await worker.__aenter__()
    news = [event(name, "signed_up", START, f"signed-{name}") for name in PEOPLE]
    taken = await asyncio.gather(*(worker.ingest(news) for worker in workers))
    assert sum(one.accepted for one in taken) == len(PEOPLE)
    assert sum(one.duplicates for one in taken) == len(PEOPLE) * 3
    for moment in (START, START + DAY):
        stage.clock.set(moment)
        await asyncio.gather(*(worker.advance(limit=3) for worker in workers))
    for worker in workers:
        await worker.close()
    assert Counter(stage.sent()) == Counter({(name, text): 1 for name in PEOPLE for text in ("hi", "bye")})
    assert len(stage.sink.attempts) == len(PEOPLE) * 2
    for name in PEOPLE:
        (run,) = await stage.runs(name)
        assert run.outcome == "completed"


async def test_t02_a_doubled_start_with_a_long_delay_sends_once(stage: Stage) -> None:
    late = journey("late", Wait(timedelta(days=45)), Send("hi", "sink"), entry=each_time())
    async with stage.open(late) as crm:
        await crm.track("ann", "signed_up", id="evt")
        stage.clock.tick(timedelta(days=30))
    async with stage.open(late) as crm:
        again = await crm.track("ann", "signed_up", id="evt", at=START)
        assert (again.accepted, again.duplicates) == (0, 1)
        stage.clock.tick(timedelta(days=60))
        await crm.advance()
        await crm.track("ann", "signed_up", id="evt", at=START)
        await crm.advance()
    assert stage.sent() == [("ann", "hi")]


async def test_t03_two_events_of_one_key_at_one_instant_start_one_run(stage: Stage) -> None:
    cart = journey("cart", Send("hi", "sink"), Wait(DAY), enter=on("cart", key="cart"))
    async with stage.open(cart) as one, stage.open(cart) as two:
        await asyncio.gather(
            one.track("ann", "cart", {"cart": 7}, id="a", at=START),
            two.track("ann", "cart", {"cart": 7}, id="b", at=START),
        )
        await one.track("ann", "cart", {"cart": 8}, id="c", at=START)
        await asyncio.gather(one.advance(), two.advance())
    assert [run.key for run in await stage.runs("ann")] == ["7", "8"]
    assert len(stage.sent()) == 2


class Prompt(MemoryChannel):
    """A provider that reports the opening while it is still being asked to send."""

    crm: Crm
    stage: Stage

    @override
    async def deliver(self, envelopes: Sequence[Envelope[Content]]) -> Sequence[Outcome]:
        outcomes = await super().deliver(envelopes)
        self.stage.clock.tick(timedelta(milliseconds=200))  # and the provider counts whole seconds
        for one in envelopes:
            opened = DeliveryEvent(
                id=f"o-{one.message}", message=one.message, kind=DeliveryKind.OPENED, at=START
            )
            assert await self.crm.report([opened]) == 1
        return outcomes


async def test_t11_an_answer_before_the_step_commits_is_not_lost(stage: Stage) -> None:
    asks = WaitFor(
        did("message_opened").since_entry(),
        timeout=DAY,
        then=[Send("more", "other")],
        otherwise=[Send("bye", "other")],
    )
    channel = Prompt("sink", everyone=True)
    async with stage.open(journey("ask", Send("hi", "sink"), asks), channels=[channel, stage.other]) as crm:
        channel.crm, channel.stage = crm, stage
        await crm.track("ann", "signed_up", id="evt", at=START)
        done = await crm.advance()
        assert done.next_wakeup is None
    (run,) = await stage.runs("ann")
    assert (run.phase, run.outcome) == (Phase.ENDED, "completed")
    assert [one.content.text.strip() for one in stage.other.kept] == ["more"]  # type: ignore[attr-defined]  # a chat


async def test_t11_a_goal_reached_while_the_message_is_on_its_way_ends_the_run(stage: Stage) -> None:
    class Buyer(MemoryChannel):
        crm: Crm

        @override
        async def deliver(self, envelopes: Sequence[Envelope[Content]]) -> Sequence[Outcome]:
            stage.clock.tick(timedelta(seconds=1))
            await self.crm.track("ann", "buy", id="buy")
            return await super().deliver(envelopes)

    channel = Buyer("sink", everyone=True)
    goal = did("buy").since_entry()
    async with stage.open(
        journey("a", Send("hi", "sink"), Wait(DAY), Send("bye", "sink"), goal=goal), channels=[channel]
    ) as crm:
        channel.crm = crm
        await crm.track("ann", "signed_up", id="evt", at=START)
        await crm.advance()
        await crm.advance(START + 2 * DAY)
    (run,) = await stage.runs("ann")
    assert run.outcome == "goal"
    (message,) = await stage.messages("ann")
    assert message.state is MessageState.SENT
    assert len(channel.kept) == 1


async def test_t23_two_triggers_at_one_instant_share_a_cap_of_one(stage: Stage) -> None:
    first, second = journey("first", Send("hi", "sink")), journey("second", Send("bye", "other"))
    policy = ContactPolicy(cap(1, within=DAY, id="daily"))
    async with (
        stage.open(first, second, policy=policy) as one,
        stage.open(first, second, policy=policy) as two,
    ):
        await one.track("ann", "signed_up", id="evt", at=START)
        await asyncio.gather(one.advance(limit=1), two.advance(limit=1))
        assert len(stage.sent()) == 1
        await one.advance(START + DAY - timedelta(microseconds=1))
        assert len(stage.sent()) == 1
        await one.advance(START + DAY)
    assert sum(message.state is MessageState.REFUSED for message in await stage.messages("ann")) == 1
    assert (
        len(stage.sent()) == 1
    )  # a message is worth a day by default, and the cap opened when that was over


async def test_t23_a_message_that_lives_longer_than_the_cap_goes_out_when_it_opens(stage: Stage) -> None:
    first = journey("first", Send("hi", "sink"))
    second = journey("second", Send("bye", "other", expires=2 * DAY))
    async with stage.open(first, second, policy=ContactPolicy(cap(1, within=DAY))) as crm:
        await crm.track("ann", "signed_up", id="evt", at=START)
        done = await crm.advance()
        assert done.next_wakeup == START + DAY
        await crm.advance(START + DAY - HOUR)
        assert len(stage.sent()) == 1
        await crm.advance(START + DAY)
    assert len(stage.sent()) == 2
