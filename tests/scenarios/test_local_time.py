"""Waits on a person's own clock: weekdays, clocks that change, past dates, windows to the tick."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
import whenever
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.channels.memory import MemoryChannel
from crmsdk.journeys.definition import Journey
from crmsdk.journeys.steps import Branch, Send, UntilLocal, Wait, When, date_of, local_time
from crmsdk.journeys.triggers import every, on, on_date
from crmsdk.ledgers.memory import MemoryLedger
from crmsdk.policy.rules import quiet
from crmsdk.policy.ruleset import ContactPolicy
from crmsdk.runtime.clocks import VirtualClock
from crmsdk.runtime.crm import Crm
from crmsdk.segments.words import did
from crmsdk.simulation.driving import drive
from crmsdk.stores.memory import MemoryStore
from tests.scenarios.stage import DAY, HOUR, NO_RULES, START, WORDS, Stage, journey

pytestmark = pytest.mark.anyio

TICK = timedelta(microseconds=1)


def utc(*parts: int) -> datetime:
    """Write a moment shortly."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]  # year to microsecond


async def _awaited(stage: Stage, now: datetime, zone: str, wait: Journey) -> datetime | None:
    stage.clock.set(now)
    async with stage.open(wait) as crm:
        await crm.identify("ann", id="i", zone=zone)
        await crm.track("ann", "signed_up", id="one")
        return await crm.next_wakeup()


@pytest.mark.parametrize(
    ("zone", "now", "wait", "expected"),
    [
        ("Asia/Tokyo", utc(2026, 3, 7, 12), local_time("05:00", on="mon"), utc(2026, 3, 8, 20)),
        ("Asia/Tokyo", utc(2026, 3, 8, 20), local_time("05:00", on="mon"), utc(2026, 3, 15, 20)),
        ("Asia/Tokyo", utc(2026, 3, 8, 20, 0, 1), local_time("05:00", on="mon"), utc(2026, 3, 15, 20)),
        (
            "Pacific/Auckland",
            utc(2026, 6, 5, 3),
            local_time("09:00", on="weekdays"),
            utc(2026, 6, 7, 21),
        ),  # Friday afternoon there
        (
            "Pacific/Auckland",
            utc(2026, 6, 4, 20),
            local_time("09:00", on="weekdays"),
            utc(2026, 6, 4, 21),
        ),  # Friday morning there
        ("Europe/Berlin", utc(2026, 3, 28, 12), local_time("09:00", on="every day"), utc(2026, 3, 29, 7)),
        (
            "Europe/Berlin",
            utc(2026, 3, 28, 12),
            local_time("02:30", on="every day"),
            utc(2026, 3, 29, 1),
        ),  # skipped: after the gap
        (
            "America/New_York",
            utc(2026, 10, 31, 18),
            local_time("09:00", on="every day"),
            utc(2026, 11, 1, 14),
        ),
        (
            "America/New_York",
            utc(2026, 10, 31, 18),
            local_time("01:30", on="every day"),
            utc(2026, 11, 1, 5, 30),
        ),  # the first of two
        (
            "Australia/Lord_Howe",
            utc(2026, 10, 3, 2),
            local_time("02:15", on="every day"),
            utc(2026, 10, 3, 15, 30),
        ),
        (
            "Australia/Lord_Howe",
            utc(2026, 10, 3, 2),
            local_time("09:00", on="every day"),
            utc(2026, 10, 3, 22),
        ),
        ("UTC", utc(2028, 2, 28, 12), local_time("09:00", on="every day"), utc(2028, 2, 29, 9)),
    ],
)
async def test_t16_t17_t20_a_wait_ends_when_the_persons_clock_says_so(
    stage: Stage, zone: str, now: datetime, wait: UntilLocal, expected: datetime
) -> None:
    waiting = journey("morning", Wait(wait), Send("hi", "sink"))
    assert await _awaited(Stage(stage.path.parent, now), now, zone, waiting) == expected


@given(
    zone=st.sampled_from(sorted(whenever.available_timezones() - {"Factory", "localtime", "posixrules"})),
    minutes=st.integers(0, 366 * 24 * 60),
    at=st.times(),
    weekday=st.integers(0, 6),
)
def test_t16_any_zone_any_weekday_against_an_oracle(zone: str, minutes: int, at: time, weekday: int) -> None:
    now = utc(2026, 1, 1) + timedelta(minutes=minutes)
    clock, store = VirtualClock(now), MemoryStore()
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[weekday]
    crm = Crm.over(
        store, ledger=MemoryLedger(), zone="UTC", clock=clock, policy=NO_RULES, templates=WORDS,
        channels=[MemoryChannel("sink", everyone=True)],
        journeys=[journey("morning", Wait(local_time(at, on=days)), Send("hi", "sink"))],
    )  # fmt: skip
    drive(crm.__aenter__())
    drive(crm.identify("ann", id="i", zone=zone))
    drive(crm.track("ann", "signed_up", id="one"))
    due = drive(crm.next_wakeup())
    assert due == _oracle(zone, now, at, weekday)


def _oracle(zone: str, now: datetime, at: time, weekday: int) -> datetime:
    day = whenever.Instant(now).to_tz(zone).date()
    while True:
        if day.day_of_week().value == weekday + 1:
            wall = day.at(whenever.Time(at))
            earlier = wall.assume_tz(zone, disambiguation="earlier")
            later = wall.assume_tz(zone, disambiguation="later")
            if earlier.to_plain() == wall:  # it exists, perhaps twice
                found = earlier.to_stdlib()
            else:  # skipped: the first instant after the gap
                gap = later.to_instant() if later < earlier else earlier.to_instant()
                found = _after_gap(zone, gap.to_stdlib())
            if found >= now:
                return found.astimezone(UTC)
        day = day.add(days=1)


def _after_gap(zone: str, near: datetime) -> datetime:
    """Find the change of clocks next to a moment, by halving."""
    low, high = near - DAY, near + DAY
    offset = whenever.Instant(low).to_tz(zone).offset
    while high - low > TICK:
        middle = low + (high - low) / 2
        low, high = (middle, high) if whenever.Instant(middle).to_tz(zone).offset == offset else (low, middle)
    return high


async def test_t15_dates_that_are_past_go_on_or_leave_and_never_hang(stage: Stage) -> None:
    async def outcome(name: str, wait: Wait, **traits: object) -> tuple[str, int]:
        here = Stage(stage.path.parent / name)
        here.path.parent.mkdir()
        async with here.open(journey(name, wait, Send("hi", "sink"), Wait(DAY))) as crm:
            await crm.identify("ann", traits, id="i")
            await crm.track("ann", "signed_up", id="one")
            await crm.advance()
            await crm.advance(START + DAY)
        (run,) = await here.runs("ann")
        return run.outcome, len(here.sent())

    past, today = date(2026, 3, 1), date(2026, 3, 2)
    assert await outcome("moment", Wait(START - HOUR)) == ("completed", 1)
    assert await outcome("moment-exit", Wait(START - HOUR, past="exit")) == ("date is past", 0)
    assert await outcome("now", Wait(START, past="exit")) == ("completed", 1)
    assert await outcome("date", Wait(date_of("trial")), trial=past) == ("completed", 1)
    assert await outcome("date-exit", Wait(date_of("trial"), past="exit"), trial=past) == ("date is past", 0)
    assert await outcome("earlier-today", Wait(date_of("trial", at="09:00"), past="exit"), trial=today) == (
        "date is past",
        0,
    )
    assert await outcome("later-today", Wait(date_of("trial", at="11:00"), past="exit"), trial=today) == (
        "",
        1,
    )
    assert await outcome("missing", Wait(date_of("trial"), past="exit")) == ("no date", 0)
    assert await outcome("missing-on", Wait(date_of("trial"))) == ("completed", 1)
    assert await outcome(
        "beyond", Wait(date_of("trial", timedelta(days=2)), past="exit"), trial=date.max
    ) == ("no date", 0)


async def test_t15_a_wait_as_last_step_is_waited(stage: Stage) -> None:
    async with stage.open(journey("last", Send("hi", "sink"), Wait(DAY))) as crm:
        await crm.track("ann", "signed_up", id="one")
        await crm.advance()
        (run,) = await stage.runs("ann")
        assert run.alive
        await crm.advance(START + DAY)
    (run,) = await stage.runs("ann")
    assert run.ended == START + DAY


async def test_t15_a_date_beyond_the_calendar_poisons_nobody(stage: Stage) -> None:
    party = journey("party", Send("hi", "sink"), enter=on_date("birthday", timedelta(days=1)))
    async with stage.open(party) as crm:
        await crm.identify("ann", {"birthday": date.max}, id="one")
        await crm.identify("bob", {"birthday": date(2026, 3, 1)}, id="two")
        await crm.identify("eve", {"birthday": date.min}, id="three")
        await crm.identify("dan", {"birthday": datetime.max.replace(tzinfo=UTC)}, id="four")
        await crm.advance()
    assert stage.sent() == [("bob", "hi")]


async def test_t20_a_zone_that_changes_during_a_wait_moves_its_end(stage: Stage) -> None:
    async with stage.open(journey("morning", Wait(local_time("09:00")), Send("hi", "sink"))) as crm:
        await crm.identify("ann", id="i", zone="Europe/Berlin")
        await crm.track("ann", "signed_up", id="one")
        assert await crm.next_wakeup() == utc(2026, 3, 3, 8)
        await crm.identify("ann", id="j", zone="America/New_York")
        assert await crm.next_wakeup() == utc(2026, 3, 2, 14)
        await crm.advance(utc(2026, 3, 2, 14))
    assert stage.sent() == [("ann", "hi")]


async def test_t20_a_zone_told_late_or_again_does_not_win_over_a_newer_one(stage: Stage) -> None:
    async with stage.open(journey("morning", Wait(local_time("09:00")), Send("hi", "sink"))) as crm:
        await crm.identify("ann", id="new", zone="America/New_York", locale="en-US")
        await crm.identify("ann", id="old", zone="Europe/Berlin", locale="de", at=START - HOUR)
        await crm.identify("ann", id="old", zone="Europe/Berlin", locale="de", at=START - HOUR)
        await crm.identify("ann", id="next", zone="Asia/Tokyo", at=START + 4 * HOUR)
        profile = await crm.customer("ann")
        assert (profile.zone, profile.locale, dict(profile.attributes)) == ("America/New_York", "en-US", {})
        await crm.advance(START + 4 * HOUR)
        assert (await crm.customer("ann")).zone == "Asia/Tokyo"


async def test_t20_a_window_ends_exactly_one_span_after_the_event(stage: Stage) -> None:
    recent = did("visit").within(DAY)
    ask = journey(
        "ask", Branch(When(recent, [Send("hi", "sink")]), otherwise=[Send("bye", "sink")]), enter=on("ask")
    )
    async with stage.open(ask) as crm:
        for name in ("ann", "bob"):
            await crm.track(name, "visit", id=f"visit-{name}")
        stage.clock.set(START + DAY - TICK)
        await crm.track("ann", "ask", id="ask-ann")
        stage.clock.set(START + DAY)
        await crm.track("bob", "ask", id="ask-bob")
        await crm.advance()
    assert sorted(stage.sent()) == [("ann", "hi"), ("bob", "bye")]


async def test_t20_a_birthday_on_the_leap_day_comes_on_that_day(stage: Stage) -> None:
    stage = Stage(stage.path.parent, utc(2028, 2, 27))
    async with stage.open(journey("party", Send("hi", "sink"), enter=on_date("birthday", at="10:00"))) as crm:
        await crm.identify("ann", {"birthday": date(2028, 2, 29)}, id="i", zone="Europe/Moscow")
        assert await crm.next_wakeup() == utc(2028, 2, 29, 7)
        await crm.advance(utc(2028, 2, 29, 7))
    assert stage.sent() == [("ann", "hi")]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (utc(2026, 3, 29), [utc(2026, 3, 29, 1), utc(2026, 3, 30, 0, 30), utc(2026, 3, 31, 0, 30)]),
        (utc(2026, 10, 25), [utc(2026, 10, 25, 0, 30), utc(2026, 10, 26, 1, 30), utc(2026, 10, 27, 1, 30)]),
    ],
)
async def test_t20_a_schedule_fires_once_on_days_of_any_length(
    stage: Stage, day: datetime, expected: list[datetime]
) -> None:
    stage = Stage(stage.path.parent, day - 2 * HOUR)
    async with stage.open(journey("nightly", Send("hi", "sink"), enter=every("30 2 * * *"))) as crm:
        await crm.identify("ann", id="i", zone="Europe/Berlin")
        fired = []
        while (due := await crm.next_wakeup()) is not None and due <= expected[-1]:
            fired += [due] * (await crm.advance(due)).sent
    assert fired == expected


async def test_t20_quiet_hours_last_through_the_repeated_hour(stage: Stage) -> None:
    night = ContactPolicy(quiet("21:00", "02:30"))
    stage = Stage(stage.path.parent, utc(2026, 10, 25, 0, 15))  # 02:15, the first time
    async with stage.open(journey("a", Send("hi", "sink")), policy=night) as crm:
        await crm.identify("ann", id="i", zone="Europe/Berlin")
        await crm.track("ann", "signed_up", id="one")
        done = await crm.advance()
        assert (done.deferred, done.next_wakeup) == (1, utc(2026, 10, 25, 1, 30))  # 02:30, the second time
        await crm.advance(utc(2026, 10, 25, 1, 30))
    assert stage.sent() == [("ann", "hi")]
