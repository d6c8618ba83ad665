"""A pause freezes: it drops nobody and sends nothing; what came due meanwhile follows the journey's rule."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from typing_extensions import override

from crmsdk.channels.memory import MemoryChannel
from crmsdk.errors import UnknownName
from crmsdk.journeys.person import Phase
from crmsdk.journeys.steps import Exit, HandOver, Send, Wait
from crmsdk.model.ids import CustomerId
from crmsdk.policy.rules import quiet
from crmsdk.policy.ruleset import ContactPolicy
from crmsdk.runtime.clocks import VirtualClock
from crmsdk.runtime.crm import Crm
from crmsdk.segments.words import did
from crmsdk.stores.memory import MemoryStore
from tests.scenarios.stage import DAY, HOUR, NO_RULES, START, WORDS, Stage, journey

pytestmark = pytest.mark.anyio

SERIES = journey("series", Send("hi", "sink"), Wait(HOUR), Send("bye", "sink"))


@pytest.mark.parametrize(
    ("overdue", "sent"),
    [("send", [START + 2 * DAY]), ("skip", []), ("reschedule", [START + 2 * DAY + HOUR])],
)
async def test_t14_pause_freezes_and_resume_follows_the_overdue_rule(
    stage: Stage, overdue: str, sent: list[object]
) -> None:
    late = journey("late", Wait(HOUR), Send("hi", "sink"), Wait(HOUR), Send("bye", "sink"), overdue=overdue)
    async with stage.open(late) as crm:
        for name in ("ann", "bob"):
            await crm.track(name, "signed_up", id=name)
        await crm.pause("late")
        await crm.advance(START + DAY)
        assert stage.sent() == []
        assert await crm.next_wakeup() is None
    async with stage.open(late) as crm:  # the pause outlives the process
        await crm.advance(START + 2 * DAY)
        assert stage.sent() == []
        await crm.resume("late")
        moments = []
        for _ in range(10):
            done = await crm.advance()
            moments += [stage.clock.now()] * (done.sent // 2)
            if done.next_wakeup is None:
                break
            stage.clock.set(done.next_wakeup)
    assert moments[: len(sent)] == sent
    for name in ("ann", "bob"):
        (run,) = await stage.runs(name)
        assert run.outcome == "completed"
        assert ([text for who, text in stage.sent() if who == name] == ["hi", "bye"]) is (overdue != "skip")


async def test_t14_a_message_asked_for_before_the_pause_waits_with_its_run(stage: Stage) -> None:
    night = ContactPolicy(quiet("09:00", "12:00"))
    async with stage.open(SERIES, policy=night) as crm:
        await crm.track("ann", "signed_up", id="one")
        await crm.advance()
        await crm.pause("series")
        await crm.advance(START + 5 * HOUR)
        assert stage.sent() == []
        await crm.resume("series")
        await crm.advance()
        assert stage.sent() == [("ann", "hi")]


async def test_t14_who_enters_during_the_pause_begins_after_it(stage: Stage) -> None:
    async with stage.open(SERIES) as crm:
        await crm.pause("series")
        await crm.track("ann", "signed_up", id="one")
        await crm.advance(START + HOUR)
        (run,) = await stage.runs("ann")
        assert (run.phase, stage.sent()) == (Phase.READY, [])
        await crm.resume("series")
        await crm.advance()
        assert stage.sent() == [("ann", "hi")]


async def test_t14_the_goal_acts_during_the_pause(stage: Stage) -> None:
    async with stage.open(journey("a", Wait(HOUR), Send("hi", "sink"), goal=did("buy").since_entry())) as crm:
        await crm.track("ann", "signed_up", id="one")
        await crm.pause("a")
        stage.clock.tick(HOUR)
        await crm.track("ann", "buy", id="two")
        await crm.resume("a")
        await crm.advance()
    (run,) = await stage.runs("ann")
    assert (run.outcome, stage.sent()) == ("goal", [])


async def test_r65_one_person_is_paused_and_sent_nothing_while_others_go_on(stage: Stage) -> None:
    night = ContactPolicy(quiet("09:00", "12:00"))
    async with stage.open(SERIES, policy=night) as crm:
        for name in ("ann", "bob"):
            await crm.track(name, "signed_up", id=name)
        await crm.advance()  # both messages wait for the end of the quiet hours
        await crm.pause(who="ann")
        await crm.advance(START + 3 * HOUR)
        assert stage.sent() == [("bob", "hi")]
        await crm.resume(who="ann")
        await crm.advance()
        assert stage.sent() == [("bob", "hi"), ("ann", "hi")]
        await crm.advance(START + 5 * HOUR)
    assert sorted(stage.sent()) == [("ann", "bye"), ("ann", "hi"), ("bob", "bye"), ("bob", "hi")]


async def test_r65_a_paused_person_does_not_keep_the_worker_awake(stage: Stage) -> None:
    async with stage.open(SERIES) as crm:
        await crm.track("ann", "signed_up", id="one")
        await crm.pause(who="ann")
        done = await crm.advance(START + DAY)
        assert done.next_wakeup is None or done.next_wakeup > stage.clock.now()
        assert stage.sent() == []


async def test_r65_skip_and_exit_for_one_person(stage: Stage) -> None:
    async with stage.open(SERIES) as crm:
        for name in ("ann", "bob"):
            await crm.track(name, "signed_up", id=name)
        await crm.stop("ann", journey="series", reason="asked by phone")
        await crm.advance()
        await crm.advance(START + HOUR)
        with pytest.raises(UnknownName, match="journey 'serie'"):
            await crm.pause("serie")
        with pytest.raises(UnknownName, match="customer 'eve'"):
            await crm.stop("eve")
    (run,) = await stage.runs("ann")
    assert run.outcome == "asked by phone"
    assert stage.sent() == [("bob", "hi"), ("bob", "bye")]


async def test_r65_a_task_goes_to_a_person_and_its_deadline_acts(stage: Stage) -> None:
    call = journey(
        "call",
        HandOver(
            "call the customer",
            to="sales",
            within=4 * HOUR,
            done=[Send("hi", "sink")],
            overdue=[Send("bye", "sink")],
        ),
    )
    async with stage.open(call) as crm:
        for name in ("ann", "bob"):
            await crm.track(name, "signed_up", id=name)
        await crm.advance()
        tasks = await crm.tasks()
        assert {task.customer: task.deadline for task in tasks} == dict.fromkeys(
            ("ann", "bob"), START + 4 * HOUR
        )
        await crm.complete_task(next(task.id for task in tasks if task.customer == "ann"), "reached")
        await crm.advance()
        assert stage.sent() == [("ann", "hi")]
        await crm.advance(START + 4 * HOUR - timedelta(microseconds=1))
        assert stage.sent() == [("ann", "hi")]
        await crm.advance(START + 4 * HOUR)
        assert stage.sent() == [("ann", "hi"), ("bob", "bye")]
        assert [task.customer for task in await crm.tasks()] == ["bob"]  # late, and still to be done
        assert "task_answered" in [entry.about for entry in await crm.timeline("ann")]


async def test_a_run_that_reaches_its_goal_takes_its_task_back(stage: Stage) -> None:
    call = journey("call", HandOver("call the customer", to="sales", within=4 * HOUR))
    async with stage.open(call) as crm:
        await crm.track("ann", "signed_up", id="ann")
        await crm.advance()
        assert len(await crm.tasks()) == 1
        await crm.stop("ann", reason="bought by phone")
        assert not await crm.tasks(open_only=False)


class _Resuming(MemoryStore):
    """Lets another process resume a journey just before it is asked who is due."""

    def __init__(self) -> None:
        super().__init__()
        self.other: Callable[[], Awaitable[object]] | None = None

    @override
    async def due(self, now: datetime, *, limit: int) -> Sequence[CustomerId]:
        other, self.other = self.other, None
        if other is not None:
            await other()
        return await super().due(now, limit=limit)


async def test_t11_a_resume_while_a_worker_looks_for_work_wakes_everybody() -> None:
    store, clock, sink = _Resuming(), VirtualClock(START), MemoryChannel("sink", everyone=True)
    later = journey("later", Wait(DAY), Send("hi", "sink"))
    other = journey("other", Wait(2 * DAY), Exit())
    rules: dict[str, Any] = {
        "journeys": [later, other],
        "channels": [sink],
        "zone": "UTC",
        "clock": clock,
        "policy": NO_RULES,
        "templates": WORDS,
        "mode": "live",
    }
    async with Crm.over(store, **rules) as crm, Crm.over(store, **rules) as twin:
        await crm.track("ann", "signed_up", id="one")
        await crm.pause("later")
        await crm.advance(START + DAY)
        store.other = lambda: twin.resume("later")
        await crm.advance(START + 2 * DAY)
        assert (await crm.advance(START + 3 * DAY)).next_wakeup is None
    assert len(sink.kept) == 1
