"""Entry at once and once, exit at once and during waits, absences that complete at their deadline."""

from datetime import timedelta

import pytest

from crmsdk.journeys.definition import each_time, once
from crmsdk.journeys.steps import Emit, Send, Update, Wait, WaitFor
from crmsdk.journeys.triggers import enters, leaves, on, on_date
from crmsdk.model.customer import Identifier
from crmsdk.model.message import MessageState
from crmsdk.policy.rules import quiet
from crmsdk.policy.ruleset import ContactPolicy
from crmsdk.segments.words import attr, did
from tests.scenarios.stage import DAY, HOUR, START, Stage, device, event, journey, known, user

pytestmark = pytest.mark.anyio

TICK = timedelta(microseconds=1)
HELLO = {"hi": {"sink.en": "Hi {{ name }}, {{ plan }}\n"}}


async def test_t21_an_event_that_makes_a_person_enrols_and_personalises_at_once(stage: Stage) -> None:
    async with stage.open(journey("welcome", Send("hi", "sink")), templates=HELLO) as crm:
        taken = await crm.ingest(
            [
                event("ann", "signed_up", START, "one", plan="gold"),
                known(user("ann"), at=START, id="two", name="Ann"),
            ]
        )
        assert taken.accepted == 2
        await crm.advance()
    assert stage.sent() == [("ann", "Hi Ann, gold")]


async def test_t21_a_segment_is_entered_by_the_event_that_makes_the_person(stage: Stage) -> None:
    async with stage.open(journey("new", Send("hi", "sink"), enter=enters(did("visit"), "visitors"))) as crm:
        await crm.track(device("phone"), "visit", id="one")
        done = await crm.advance()
    assert done.sent == 1


@pytest.mark.parametrize("who", ["ann", device("phone")])
async def test_the_event_that_makes_a_person_is_seen_before_anybody_asks_whether_it_came(
    stage: Stage, who: str | Identifier
) -> None:
    gone = journey("gone", Send("hi", "sink"), enter=enters(~did("visit").within(3 * DAY), "gone"))
    async with stage.open(gone) as crm:
        await crm.track(who, "visit", id="one")
        await crm.advance()
        assert stage.sent() == []
        assert await crm.next_wakeup() == START + 3 * DAY


async def test_somebody_first_made_known_is_asked_about_before_what_comes_later(stage: Stage) -> None:
    gone = journey("gone", Send("hi", "sink"), enter=enters(~did("visit").within(3 * DAY), "gone"))
    async with stage.open(gone) as crm:
        stage.clock.tick(HOUR)
        await crm.ingest(
            [known(user("ann"), at=START, id="one"), event("ann", "visit", START + HOUR, "two")],
        )
        await crm.advance()
    assert stage.sent() == [("ann", "hi")]


async def test_t22_exit_and_goal_act_during_waits_and_withdraw_what_is_unsent(stage: Stage) -> None:
    night = ContactPolicy(quiet("09:00", "12:00"))
    bought = did("buy").since_entry()
    leaving = journey("leaving", Send("hi", "sink"), exit=bought)
    long = journey("long", Wait(30 * DAY), Send("bye", "other"), exit=bought)
    async with stage.open(leaving, long, policy=night) as crm:
        await crm.track("ann", "signed_up", id="one")
        await crm.advance()
        assert [message.state for message in await stage.messages("ann")] == [MessageState.PENDING]
        stage.clock.tick(HOUR)
        await crm.track("ann", "buy", id="two")
        assert await stage.messages("ann") == []
        assert await crm.next_wakeup() is None
        await crm.advance(START + 60 * DAY)
    assert {(run.outcome, run.ended) for run in await stage.runs("ann")} == {("exit", START + HOUR)}
    assert stage.sent() == []


async def test_t22_an_exit_that_comes_by_time_alone_acts_at_its_moment(stage: Stage) -> None:
    silent = ~did("visit").within(2 * HOUR)
    async with stage.open(journey("a", Wait(DAY), Send("hi", "sink"), exit=silent)) as crm:
        await crm.track("ann", "visit", id="one")
        await crm.track("ann", "signed_up", id="two")
        assert await crm.next_wakeup() == START + 2 * HOUR
        await crm.advance(START + 2 * HOUR)
    (run,) = await stage.runs("ann")
    assert (run.outcome, run.ended) == ("exit", START + 2 * HOUR)


async def test_t22_at_one_instant_the_goal_comes_first_and_the_event_before_the_timer(stage: Stage) -> None:
    bought = did("buy").since_entry()
    async with stage.open(journey("a", Wait(HOUR), Send("hi", "sink"), goal=bought, exit=bought)) as crm:
        await crm.track("ann", "signed_up", id="one")
        stage.clock.tick(HOUR)
        await crm.track("ann", "buy", id="two")
        await crm.advance()
    (run,) = await stage.runs("ann")
    assert (run.outcome, stage.sent()) == ("goal", [])


async def test_t22_an_exit_that_is_true_already_refuses_entry_and_says_so(stage: Stage) -> None:
    async with stage.open(journey("a", Send("hi", "sink"), exit=attr("closed") == True)) as crm:  # noqa: E712
        await crm.identify("ann", {"closed": True}, id="one")
        await crm.track("ann", "signed_up", id="two")
        await crm.advance()
    assert await stage.runs("ann") == ()
    assert ("not_entered", "exit already true") in await stage.notes("ann")


async def test_t24_a_run_sees_its_own_event_and_attribute_at_once(stage: Stage) -> None:
    first = journey(
        "first",
        Emit("asked"),
        Update("stage", "asked"),
        WaitFor(
            did("asked").since_entry(),
            timeout=DAY,
            then=[Send("hi", "sink")],
            otherwise=[Send("bye", "sink")],
        ),
    )
    second = journey("second", Send("more", "other"), enter=on("asked").only_if(attr("plan") == "gold"))
    third = journey("third", Send("bye", "other"), enter=enters(attr("stage") == "asked", "asked"))
    async with stage.open(first, second, third) as crm:
        await crm.identify("ann", {"plan": "gold"}, id="one")
        await crm.track("ann", "signed_up", id="two")
        await crm.advance()
    assert sorted(stage.sent()) == [("ann", "bye"), ("ann", "hi"), ("ann", "more")]


async def test_t24_facts_of_one_moment_keep_the_order_in_which_runs_made_them(stage: Stage) -> None:
    goal = did("done").since_entry()
    chain = [
        journey(f"step-{n}", Emit(f"step-{n + 1}"), Emit("done"), Wait(DAY), enter=on(f"step-{n}"), goal=goal)
        for n in range(5)
    ]
    writes = journey("writes", *(Update("number", n) for n in range(9)), enter=on("step-5"))
    async with stage.open(*chain, writes) as crm:
        await crm.track("ann", "step-0", id="zzz")
        assert (await crm.customer("ann")).attributes["number"] == 8
    assert [run.outcome for run in await stage.runs("ann") if run.journey != "writes"] == ["goal"] * 5


async def test_t24_journeys_that_call_each_other_in_a_circle_are_stopped(stage: Stage) -> None:
    ping = journey("ping", Emit("pong"), enter=on("ping"), entry=each_time())
    pong = journey("pong", Emit("ping"), enter=on("pong"), entry=each_time())
    calm = journey("calm", Send("hi", "sink"))
    async with stage.open(ping, pong, calm) as crm:
        await crm.ingest([event("ann", "ping", START, "one"), event("bob", "signed_up", START, "two")])
        await crm.advance()
    assert stage.sent() == [("bob", "hi")]
    assert len(await stage.runs("ann")) < 5_000


async def test_t32_an_attribute_written_again_with_its_value_fires_nothing(stage: Stage) -> None:
    gold = journey(
        "gold", Send("hi", "sink"), enter=enters(attr("plan") == "gold", "gold"), entry=each_time()
    )
    trial = journey(
        "trial", Send("bye", "other"), enter=on_date("trial", -DAY, at="10:00"), entry=each_time()
    )
    async with stage.open(gold, trial) as crm:
        await crm.identify("ann", {"plan": "gold", "trial": START.date() + DAY}, id="one")
        await crm.advance()
        assert len(stage.sent()) == 2
        for number in range(3):
            stage.clock.tick(HOUR)
            await crm.identify("ann", {"plan": "gold", "trial": START.date() + DAY}, id=f"again-{number}")
            await crm.advance()
        assert len(stage.sent()) == 2
        await crm.identify("ann", {"plan": "free"}, id="down")
        await crm.identify("ann", {"plan": "gold"}, id="up")
        await crm.advance()
    assert len(stage.sent()) == 3


CART = on("cart", key="cart").unless("buy", within=2 * HOUR)


async def test_r49_an_absence_fires_once_at_its_deadline(stage: Stage) -> None:
    async with stage.open(journey("cart", Send("hi", "sink"), enter=CART)) as crm:
        await crm.track("ann", "cart", {"cart": 7}, id="one")
        await crm.advance(START + 2 * HOUR - TICK)
        assert stage.sent() == []
        await crm.advance(START + 2 * HOUR)
        assert stage.sent() == [("ann", "hi")]
        await crm.advance(START + 9 * DAY)
        await crm.track("ann", "cart", {"cart": 7}, id="one", at=START)
        await crm.advance(START + 10 * DAY)
    assert stage.sent() == [("ann", "hi")]


@pytest.mark.parametrize(("cart", "after", "sent"), [(7, 2 * HOUR, 0), (7, 2 * HOUR + TICK, 1), (8, HOUR, 1)])
async def test_r49_the_event_calls_it_off_up_to_the_deadline_and_for_its_own_key(
    stage: Stage, cart: int, after: timedelta, sent: int
) -> None:
    async with stage.open(journey("cart", Send("hi", "sink"), enter=CART)) as crm:
        await crm.track("ann", "cart", {"cart": 7}, id="one")
        stage.clock.set(START + after)
        if after > 2 * HOUR:
            await crm.advance(START + 2 * HOUR)
        await crm.track("ann", "buy", {"cart": cart}, id="two")
        await crm.advance(START + DAY)
    assert len(stage.sent()) == sent


async def test_r49_a_further_event_of_the_key_restarts_the_wait_with_its_own_values(stage: Stage) -> None:
    words = {"hi": {"sink.en": "{{ total }}\n"}}
    async with stage.open(journey("cart", Send("hi", "sink"), enter=CART), templates=words) as crm:
        await crm.track("ann", "cart", {"cart": 7, "total": 1}, id="one")
        stage.clock.tick(HOUR)
        await crm.track("ann", "cart", {"cart": 7, "total": 2}, id="two")
        await crm.advance(START + 2 * HOUR)
        assert stage.sent() == []
        await crm.advance(START + 3 * HOUR)
        assert stage.sent() == [("ann", "2")]
        await crm.track("ann", "cart", {"cart": 7, "total": 3}, id="next month")
        await crm.advance(START + 5 * HOUR)
    assert stage.sent() == [("ann", "2"), ("ann", "3")]


async def test_r49_inactivity_is_an_ordinary_segment_left_by_time(stage: Stage) -> None:
    seen = did("visit").within(14 * DAY)
    async with stage.open(
        journey("away", Send("hi", "sink"), enter=leaves(seen, "seen"), entry=each_time())
    ) as crm:
        await crm.track("ann", "visit", id="one")
        stage.clock.tick(10 * DAY)
        await crm.track("ann", "visit", id="two")
        done = await crm.advance(START + 24 * DAY - TICK)
        assert (done.sent, done.next_wakeup) == (0, START + 24 * DAY)
        await crm.advance(START + 24 * DAY)
        assert stage.sent() == [("ann", "hi")]
        await crm.advance(START + 90 * DAY)
    assert stage.sent() == [("ann", "hi")]


@pytest.mark.parametrize("key", [[1, 2], {"a": 1}, None])
async def test_an_event_with_no_usable_key_starts_nothing_and_stops_nobody(stage: Stage, key: object) -> None:
    async with stage.open(
        journey("cart", Send("hi", "sink"), enter=CART),
        journey("now", Send("bye", "other"), enter=on("cart", key="cart"), entry=once()),
    ) as crm:
        taken = await crm.ingest(
            [event("ann", "cart", START, "one", cart=key), event("bob", "cart", START, "two", cart=7)]
        )
        assert taken.accepted == 2
        await crm.track("ann", "buy", {"cart": key}, id="three")
        await crm.advance()
        await crm.advance(START + 2 * HOUR)
    assert sorted(stage.sent()) == [("bob", "bye"), ("bob", "hi")]
    assert any(kind == "not_entered" for kind, _ in await stage.notes("ann"))
