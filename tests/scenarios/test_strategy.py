"""A communication strategy at work: usual journeys, kinds, limits, holdouts and rehearsals."""

import shutil
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.channels.memory import MemoryChannel
from crmsdk.journeys.definition import Holdout, Journey, each_time, once
from crmsdk.journeys.steps import Send, Wait
from crmsdk.journeys.triggers import enters, on
from crmsdk.model.content import ChatContent, EmailContent
from crmsdk.model.message import MessageKind, MessageState, Sender
from crmsdk.policy.ruleset import default_policy
from crmsdk.segments.words import did
from crmsdk.simulation.report import report_of
from crmsdk.simulation.simulating import simulate
from crmsdk.stores.sqlite import SqliteStore
from tests.scenarios.stage import DAY, HOUR, START, Stage, event, journey, known, user
from tests.scenarios.worlds import JOURNEYS, World, worlds

pytestmark = pytest.mark.anyio

BOUGHT = did("buy").since_entry()
LIFECYCLE = (
    journey(
        "welcome",
        Send("hi", "sink"),
        Wait(2 * DAY),
        Send("more", "sink"),
        enter=on("buy"),
        entry=once(),
        goal=BOUGHT,
    ),
    journey("repeat", Send("hi", "sink"), enter=on("buy").unless("buy", within=10 * DAY), goal=BOUGHT),
    journey(
        "win-back",
        Send("bye", "sink", purpose="winback"),
        enter=enters(did("buy") & ~did("buy").within(60 * DAY), "sleepers"),
        goal=BOUGHT,
        holdout=0.1,
    ),
)


def test_r47_welcome_repeat_purchase_and_win_back_run_in_simulation() -> None:
    history = [event("ann", "buy", START + days * DAY, f"ann-{days}") for days in (1, 4, 40)]
    history += [event(f"p{number}", "buy", START + number * HOUR, f"p{number}") for number in range(20)]
    report = simulate(LIFECYCLE, history, start=START, until=START + 130 * DAY, zone="UTC")
    runs = {row["journey"]: row for row in report.runs()}
    assert {name: row["entered"] for name, row in runs.items()} == {
        "welcome": 21,
        "repeat": 22,
        "win-back": 21,
    }
    assert runs["win-back"]["going on"] == 0
    assert (runs["welcome"]["goals"], runs["repeat"]["goals"]) == (1, 1)
    held_out = runs["win-back"]["holdout"]
    assert isinstance(held_out, int)
    assert {row["journey"]: row["sends"] for row in report.sends("journey")} == {
        "welcome": 42,
        "repeat": 22,
        "win-back": 21 - held_out,
    }
    told = [
        (entry.at - START, entry.about) for entry in report.timeline("ann") if entry.what == "message sent"
    ]
    assert [(span.days, about) for span, about in told] == [
        (1, "welcome/0"),
        (3, "welcome/2"),
        (14, "repeat/0"),
        (50, "repeat/0"),
        (100, "win-back/0"),
    ]


async def test_r52_repeat_purchase_after_n_days_without_one(stage: Stage) -> None:
    async with stage.open(LIFECYCLE[1]) as crm:
        await crm.track("ann", "buy", id="one")
        await crm.track("bob", "buy", id="two")
        stage.clock.set(START + 5 * DAY)
        await crm.track("bob", "buy", id="three")
        await crm.advance(START + 10 * DAY)
        assert stage.sent() == [("ann", "hi")]
        await crm.advance(START + 15 * DAY)
    assert stage.sent() == [("ann", "hi"), ("bob", "hi")]


async def test_t31_the_estimate_is_what_production_sends(stage: Stage, tmp_path: Path) -> None:
    plan = (journey("a", Send("hi", "sink"), Wait(DAY), Send("bye", "sink"), holdout=Holdout(0.3)),)
    names = [f"p{number}" for number in range(30)]
    gone = names[::4]
    async with stage.open() as crm:
        await crm.ingest(known(user(name), at=START, id=f"i-{name}") for name in names)
        for name in gone:
            await crm.consent(name, "withdrawn")
    (tmp_path / "copy").mkdir()
    rehearsal = Stage(tmp_path / "copy")
    shutil.copy(stage.path, rehearsal.path)
    for place, mode in ((rehearsal, "record"), (stage, "live")):
        async with place.open(*plan, policy=default_policy(), mode=mode) as crm:
            for number, name in enumerate(names):
                place.clock.set(START + number * HOUR)
                await crm.track(name, "signed_up", id=f"e-{name}")
                await crm.advance()
            while (due := await crm.next_wakeup()) is not None:
                await crm.advance(due)
    estimate: Counter[tuple[str, str]] = Counter()
    for name in names:
        estimate.update(
            (name, message.template)
            for message in await rehearsal.messages(name)
            if message.state is MessageState.SENT
        )
    assert rehearsal.sent() == []
    assert estimate == Counter(stage.sent())
    assert estimate
    assert not {name for name, _ in estimate} & set(gone)


@given(world=worlds())
def test_r113_a_control_person_gets_nothing(world: World) -> None:
    plan = [
        Journey(one.name, one.enter, one.steps, kind=one.kind, goal=one.goal, holdout=Holdout(0.5, "global"))
        for one in JOURNEYS[:5]
    ]
    channels = [MemoryChannel(name, everyone=True) for name in ("sink", "other")]
    report = simulate(plan, world.news, start=START, until=world.end, policy=world.policy, channels=channels)
    groups: dict[str, set[bool]] = {}
    for person in report.people.values():
        for run in person.enrollments:
            groups.setdefault(run.customer, set()).add(run.control)
    assert all(len(group) == 1 for group in groups.values())  # one lot over all journeys
    held = {customer for customer, group in groups.items() if group == {True}}
    runs = {run.id: run.control for person in report.people.values() for run in person.enrollments}
    handed = {one.message for channel in channels for one in channel.attempts}
    for message in report.messages:
        assert message.enrollment is not None
        assert message.control is runs[message.enrollment]
        assert (message.state is MessageState.SUPPRESSED) is message.control
        assert not (message.control and message.id in handed)
    addressed = {one.to.value for channel in channels for one in channel.attempts}
    assert not {customer for customer in held if customer in report.people} & addressed or any(
        run.customer != person.id for person in report.people.values() for run in person.enrollments
    )


async def test_r58_service_messages_pass_the_limits_and_are_logged(stage: Stage) -> None:
    notice = journey("notice", Send("bye", "sink"), enter=on("shipped"), kind="service", entry=each_time())
    async with stage.open(notice, LIFECYCLE[0], policy=default_policy()) as crm:
        stage.clock.set(START + 13 * HOUR)  # 23:00
        for number in range(9):
            await crm.track("ann", "shipped", id=f"s{number}")
        await crm.track("ann", "buy", id="buy")
        done = await crm.advance()
        assert (done.sent, done.deferred) == (9, 1)
        shown = [entry.about for entry in await crm.timeline("ann") if entry.what == "message sent"]
        assert shown == ["notice/0"] * 9
        await crm.advance(START + 22 * HOUR)  # 08:00
    assert len(stage.sent()) == 10  # nine notices took no place of the week


async def test_r70_three_journeys_are_a_few_lines(stage: Stage) -> None:
    cart = journey(
        "cart", Send("hi", "sink"), enter=on("cart", key="cart").unless("buy", within=2 * HOUR), goal=BOUGHT
    )
    async with stage.open(LIFECYCLE[0], LIFECYCLE[1], cart) as crm:
        await crm.track("ann", "buy", id="one")
        await crm.track("bob", "cart", {"cart": 1}, id="two")
        while (due := await crm.next_wakeup()) is not None:
            await crm.advance(due)
    assert Counter(who for who, _ in stage.sent()) == {"ann": 3, "bob": 1}


async def test_r71_r72_all_channels_count_together_calls_made_elsewhere_too(stage: Stage) -> None:
    daily = journey("daily", Send("hi", ("sink", "other")), enter=on("ping"), entry=each_time())
    async with stage.open(daily, policy=default_policy()) as crm:
        await crm.identify("ann", id="i")
        assert await crm.record_contact("ann", "phone", id="call-1", kind="promo")
        assert not await crm.record_contact("ann", "phone", id="call-1", kind="promo")
        for number in range(8):
            stage.clock.set(START + number * HOUR)
            await crm.track("ann", "ping", id=f"e{number}")
            await crm.advance()
        assert len(stage.sent()) == 5  # with the call six in the week
        (entry, *_) = (await crm.timeline("ann")).not_sent()
        assert "all-week" in entry.why


@given(
    hours=st.lists(st.integers(0, 24 * 20), min_size=1, max_size=40),
    kinds=st.lists(st.sampled_from(("promo", "content", "trigger")), min_size=1),
)
def test_r73_r76_no_rolling_week_holds_more_than_six(hours: list[int], kinds: list[str]) -> None:
    plan = [
        journey(kind, Send("hi", ("sink", "other")), enter=on(kind), kind=kind, entry=each_time())
        for kind in set(kinds)
    ]
    news = [
        event("ann", kinds[index % len(kinds)], START + hour * HOUR, f"e{index}")
        for index, hour in enumerate(hours)
    ]
    report = simulate(plan, news, start=START, until=START + 30 * DAY, policy=default_policy())
    sent = sorted(note.at for notes in report.notes.values() for note in notes if note.kind == "sent")
    assert sent
    for moment in sent:
        assert sum(moment - 7 * DAY < other <= moment for other in sent) <= 6
        assert 8 <= moment.hour < 21


async def test_r74_no_third_channel_within_an_hour(stage: Stage) -> None:
    third = MemoryChannel("third", everyone=True)
    plan = [journey(name, Send("hi", name), entry=each_time()) for name in ("sink", "other", "third")]
    words = {"hi": {f"{name}.en": "hi\n" for name in ("sink", "other", "third")}}
    async with stage.open(
        *plan, policy=default_policy(), channels=[stage.sink, stage.other, third], templates=words
    ) as crm:
        await crm.track("ann", "signed_up", id="one")
        done = await crm.advance()
        assert (done.sent, done.deferred, done.next_wakeup) == (2, 1, START + HOUR)
        assert "channels-hour" in (await crm.timeline("ann")).not_sent()[0].why
        await crm.advance(START + HOUR)
    assert {message.state for message in await stage.messages("ann")} == {MessageState.SENT}


async def test_r75_four_emails_a_week_for_each_sender(stage: Stage) -> None:
    email = MemoryChannel("email", everyone=True)
    plan = [
        journey(name, Send("hi", "email"), enter=on(name), sender=name, entry=each_time())
        for name in ("news", "shop")
    ]
    words = {"hi": {"email.en": "subject: Hi\n---\nHi {{ unsubscribe_url }}\n"}}
    async with stage.open(
        *plan,
        policy=default_policy(),
        channels=[email],
        templates=words,
        senders=[Sender(id="news"), Sender(id="shop")],
        unsubscribe="https://example.org/{token}",
    ) as crm:
        for number in range(5):
            stage.clock.set(START + number * HOUR)
            await crm.track("ann", "news", id=f"n{number}")
            await crm.advance()
        assert len(email.kept) == 4
        await crm.track("ann", "shop", id="shop")
        await crm.advance()
        assert len(email.kept) == 5
        assert {type(one.content) for one in email.kept} == {EmailContent}


def test_r76_every_message_has_a_kind() -> None:
    with pytest.raises(TypeError, match="kind"):
        Journey("a", on("b"), [Send("hi", "sink")])  # type: ignore[call-arg]  # the point
    assert {str(kind) for kind in MessageKind} == {"promo", "content", "trigger", "service"}


async def test_r79_the_inactive_get_only_win_back(stage: Stage) -> None:
    promo = journey("promo", Send("hi", "sink"), kind="promo")
    back = journey("back", Send("bye", "other"), kind="promo", purpose="winback")
    async with stage.open(promo, back, policy=default_policy(), active=did("visit").within(30 * DAY)) as crm:
        await crm.track("ann", "signed_up", id="one")
        await crm.track("bob", "visit", id="two")
        await crm.track("bob", "signed_up", id="three")
        await crm.advance()
    assert sorted(stage.sent()) == [("ann", "bye"), ("bob", "bye"), ("bob", "hi")]
    assert ("refused", "inactive") in await stage.notes("ann")


async def test_r114_a_seed_list_is_marked_and_left_out_of_metrics(stage: Stage) -> None:
    plan = journey("a", Send("hi", "sink"))
    stage.clock.set(datetime(2026, 3, 2, 23, tzinfo=START.tzinfo))
    async with stage.open(plan, policy=default_policy()) as crm:
        for name in ("ann", "tester"):
            await crm.track(name, "visit", id=name)
        await crm.send("tester", "hi", "sink", kind="promo", key="try", seed=True)
        await crm.send("tester", "hi", "sink", kind="promo", key="try", seed=True)
        await crm.send("ann", "hi", "sink", kind="promo", key="real")
        assert (await crm.advance()).deferred == 2
        await crm.advance(START + DAY)
    assert Counter(one.seed for one in stage.sink.kept) == {True: 1, False: 1}
    store = SqliteStore(stage.path)
    report = await report_of(store, [plan], start=START, until=START + DAY)
    await store.close()
    assert [row["sends"] for row in report.sends("channel")] == [1]
    assert [row["messages"] for row in report.held()] == [1]


async def test_r114_record_sends_nothing_off_keeps_everything_and_the_allowlist_bars_all_others(
    stage: Stage,
) -> None:
    plan = journey("a", Send("hi", "sink"))
    async with stage.open(plan, mode="off") as crm:
        await crm.track("ann", "signed_up", id="one")
        await crm.track("tester", "signed_up", id="two")
        done = await crm.advance()
        assert (done.sent, stage.sink.attempts) == (0, [])
        assert done.next_wakeup is None
    async with stage.open(plan, mode="allowlist", allowlist=["tester"]) as crm:
        done = await crm.advance()
        assert (done.sent, done.refused) == (1, 1)
    assert [one.to.value for one in stage.sink.kept] == ["tester"]
    async with stage.open(plan, mode="record") as crm:
        await crm.track("bob", "signed_up", id="three")
        assert (await crm.advance()).sent == 1
    assert len(stage.sink.attempts) == 1
    assert [message.provider_id for message in await stage.messages("bob")] == ["recorded"]


async def test_r114_a_preview_shows_the_text_and_the_decision_and_sends_nothing(stage: Stage) -> None:
    async with stage.open(journey("a", Send("hi", "sink")), policy=default_policy()) as crm:
        await crm.identify("ann", id="one", zone="Asia/Tokyo")
        shown = await crm.preview("hi", "ann", ("sink", "other"))
        stage.clock.tick(timedelta(hours=3))
        night = await crm.preview("hi", "ann", "sink")
        await crm.advance()
    assert isinstance(shown.content, ChatContent)
    assert (shown.content.text.strip(), shown.decision.allowed) == ("hi", True)
    assert (night.decision.allowed, night.decision.until) == (False, START + 13 * HOUR)
    assert stage.sink.attempts == []
    assert await stage.messages("ann") == []
