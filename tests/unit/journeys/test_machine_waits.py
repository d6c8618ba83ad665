"""Waits end exactly when they should: spans, local times across clock changes, dates, conditions."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import attrs
import pytest

from crmsdk.journeys.deadlines import due_of, moment_of_date, same_time_after
from crmsdk.journeys.definition import Journey
from crmsdk.journeys.person import NoteKind, Phase
from crmsdk.journeys.steps import Exit, Send, UntilDate, UntilLocal, Wait, WaitFor, date_of, local_time
from crmsdk.journeys.triggers import on
from crmsdk.model.facts import Facts
from crmsdk.model.message import MessageKind
from crmsdk.segments.words import attr, did
from tests.unit.journeys.stage import ANN, DAY, HOUR, START, TICK, Stage, journey, person, wrote


def living_in(zone: str | None, **attributes: Any) -> Any:
    facts = Facts(customer=ANN).with_attributes(wrote(START - DAY, **attributes).attributes)
    return person(attrs.evolve(facts, zone=zone))


def ends(wait: Wait, *, at: datetime, zone: str | None = None, **attributes: Any) -> datetime | None:
    """Give the moment at which a run that comes to a wait at a moment goes on."""
    stage = Stage.of(journey(wait), who=living_in(zone, **attributes), now=at).call()
    return stage.go(at + 40 * DAY).run.ended


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]  # a test gives as many as it needs


def test_a_span_is_absolute_also_over_a_clock_change() -> None:
    before = utc(2026, 3, 28, 8)
    assert ends(Wait(DAY), at=before, zone="Europe/Berlin") == before + DAY


@pytest.mark.parametrize(
    ("at", "zone", "days", "expected"),
    [
        # The weekday is that of the person's day, not of the UTC day.
        (utc(2026, 3, 1, 12), "Asia/Tokyo", "mon", utc(2026, 3, 1, 20)),
        (utc(2026, 3, 6, 0), "Pacific/Auckland", "weekdays", utc(2026, 3, 8, 16)),
        (utc(2026, 3, 6, 20), "Pacific/Auckland", "weekend", utc(2026, 3, 7, 16)),
        # The offset is that of the day that comes, not of today.
        (utc(2026, 3, 28, 12), "Europe/Berlin", "every day", utc(2026, 3, 29, 3)),
        (utc(2026, 10, 31, 12), "America/New_York", "every day", utc(2026, 11, 1, 10)),
    ],
)
def test_t16_a_local_weekday_and_hour_is_that_of_the_person(
    at: datetime, zone: str, days: str, expected: datetime
) -> None:
    assert ends(Wait(local_time("05:00", on=days)), at=at, zone=zone) == expected


@pytest.mark.parametrize(
    ("clock", "at", "zone", "expected"),
    [
        ("02:30", utc(2026, 3, 28, 12), "Europe/Berlin", utc(2026, 3, 29, 1)),  # skipped: the end of the gap
        ("02:30", utc(2026, 10, 24, 12), "Europe/Berlin", utc(2026, 10, 25, 0, 30)),  # repeated: the first
        (
            "02:15",
            utc(2026, 10, 3, 12),
            "Australia/Lord_Howe",
            utc(2026, 10, 3, 15, 30),
        ),  # a gap of 30 minutes
        ("09:00", utc(2028, 2, 28, 12), "UTC", utc(2028, 2, 29, 9)),  # a leap day
    ],
)
def test_t20_skipped_and_repeated_local_times_happen_once(
    clock: str, at: datetime, zone: str, expected: datetime
) -> None:
    assert ends(Wait(local_time(clock)), at=at, zone=zone) == expected


@pytest.mark.parametrize("late", [-TICK, timedelta(0), TICK, 30 * HOUR / 60])
def test_t17_the_local_time_of_today_counts_only_if_it_is_still_to_come(late: timedelta) -> None:
    nine = utc(2026, 3, 2, 9)
    assert ends(Wait(local_time("09:00")), at=nine + late) == nine + (
        timedelta(0) if late < timedelta(0) else DAY
    )


def test_two_waits_for_one_local_time_end_on_two_days() -> None:
    nine = local_time("09:00")
    stage = Stage.of(
        journey(Wait(nine), Send("a", "email"), Wait(nine), Send("b", "email")), now=utc(2026, 3, 2, 8)
    ).call()
    stage.go(utc(2026, 3, 2, 9))
    stage.answer()  # handed over in the very instant it was due, as on a virtual clock
    stage.go(utc(2026, 3, 3, 9) - TICK)
    assert stage.sent == ["a"]
    stage.go(utc(2026, 3, 3, 9))
    assert stage.sent == ["a", "b"]


def test_t17_nine_stays_nine_over_a_clock_change() -> None:
    stage = Stage.of(
        journey(Wait(local_time("09:00")), Send("a", "email"), Wait(local_time("09:00")), Send("b", "email")),
        who=living_in("Europe/Berlin"),
        now=utc(2026, 3, 27, 12),
    ).call()
    stage.go(utc(2026, 3, 28, 8))
    assert stage.sent == ["a"]
    stage.now += TICK
    stage.answer()
    stage.go(utc(2026, 3, 29, 7) - TICK)
    assert stage.sent == ["a"]
    stage.go(utc(2026, 3, 29, 7))
    assert stage.sent == ["a", "b"]


def test_t20_a_wait_follows_the_person_into_another_zone() -> None:
    stage = Stage.of(journey(Wait(local_time("09:00")), Exit()), who=living_in("Europe/Berlin")).call()
    assert stage.run.due == utc(2026, 3, 3, 8)
    stage.write("Asia/Tokyo")
    assert stage.run.due == utc(2026, 3, 3, 0)
    stage.write("America/New_York")
    assert stage.go(START + 2 * DAY).run.ended == utc(2026, 3, 2, 14)


def test_t20_a_local_time_that_the_change_of_zone_jumps_over_is_now() -> None:
    """As a time that the clocks skip: it happens at the first instant after the jump."""
    stage = Stage.of(journey(Wait(local_time("21:00")), Exit()), who=living_in("Europe/Berlin")).call()
    stage.now += 5 * HOUR  # 16:00 in Berlin, midnight in Tokyo
    stage.write("Asia/Tokyo")
    assert stage.run.ended == stage.now


def test_the_zone_of_the_project_stands_in_for_an_unknown_one() -> None:
    assert ends(Wait(local_time("09:00")), at=START) == utc(2026, 3, 3, 9)


def test_t15_a_fixed_moment_is_waited_for_and_a_past_one_follows_the_stated_policy() -> None:
    assert ends(Wait(START + HOUR), at=START) == START + HOUR
    now = Stage.of(journey(Wait(START, past="exit"))).call()
    assert (now.run.outcome, now.run.ended) == ("completed", START)
    for past, outcome in (("continue", "completed"), ("exit", "date is past")):
        stage = Stage.of(journey(Wait(START - TICK, past=past))).call()  # type: ignore[arg-type]  # one of two
        assert (stage.run.ended, stage.run.outcome) == (START, outcome)


@pytest.mark.parametrize("value", [date(2026, 3, 1), START - TICK, None, "soon", 7])
@pytest.mark.parametrize("past", ["continue", "exit"])
def test_t15_a_date_that_is_past_or_missing_follows_the_stated_policy(value: Any, past: Any) -> None:
    stage = Stage.of(journey(Wait(date_of("day"), past=past)), who=living_in(None, day=value)).call()
    missing = value is None or isinstance(value, str | int)
    told = {"continue": "completed", "exit": "no date" if missing else "date is past"}
    assert (stage.run.ended, stage.run.outcome) == (START, told[past])


def test_t15_a_second_date_inside_the_first_follows_the_stated_policy() -> None:
    first, second = Wait(START + 2 * DAY), Wait(START + DAY, past="exit")
    stage = Stage.of(journey(first, second, Send("never", "email"))).call().go(START + 3 * DAY)
    assert (stage.run.outcome, stage.run.ended) == ("date is past", START + 2 * DAY)


def test_a_wait_as_the_last_step_is_waited_for() -> None:
    stage = Stage.of(journey(Wait(DAY))).call()
    assert stage.run.alive
    assert stage.go(START + DAY).run.ended == START + DAY


@pytest.mark.parametrize(
    ("moved", "expected"),
    [
        (date(2026, 3, 4), utc(2026, 3, 4, 9)),
        (date(2026, 3, 20), utc(2026, 3, 20, 9)),
        (date(2026, 3, 2), START + HOUR),  # now past: at once
        (None, START + HOUR),
    ],
)
def test_t32_a_wait_for_a_date_follows_the_date(moved: date | None, expected: datetime) -> None:
    stage = Stage.of(journey(Wait(date_of("day"))), who=living_in(None, day=date(2026, 3, 9))).call()
    stage.now += HOUR
    stage.write(day=moved)
    assert stage.go(START + 30 * DAY).run.ended == expected


def test_t32_writing_the_same_date_again_changes_nothing() -> None:
    stage = Stage.of(journey(Wait(date_of("day"))), who=living_in(None, day=date(2026, 3, 9))).call()
    before = stage.run
    stage.now += HOUR
    stage.write(day=date(2026, 3, 9))
    assert stage.run == before


def test_a_date_inside_a_mapping_is_followed_too() -> None:
    stage = Stage.of(
        journey(Wait(date_of("contract.ends"))), who=living_in(None, contract={"ends": date(2026, 3, 9)})
    ).call()
    stage.write(contract={"ends": date(2026, 3, 4)})
    assert stage.run.due == utc(2026, 3, 4, 9)


# --------------------------------------------------------------------------------------- deadlines


@pytest.mark.parametrize(
    ("value", "offset", "expected"),
    [
        (date(2026, 3, 29), timedelta(0), utc(2026, 3, 29, 7)),
        (date(2026, 3, 30), -DAY, utc(2026, 3, 29, 7)),
        (date(2026, 3, 28), DAY, utc(2026, 3, 29, 7)),
        (date(2026, 3, 29), -HOUR, utc(2026, 3, 29, 7)),  # 23 hours after 09:00 the day before
        (date(2026, 3, 30), -HOUR, utc(2026, 3, 30, 6)),
        (START, -DAY, START - DAY),
        (START, HOUR, START + HOUR),
        (date(9999, 12, 31), DAY, None),
        (utc(9999, 12, 31, 23), DAY, None),
        ("2026-03-29", DAY, None),
        (True, DAY, None),
        (None, DAY, None),
    ],
)
def test_an_offset_moves_a_date_by_days_and_a_moment_exactly(
    value: Any, offset: timedelta, expected: datetime | None
) -> None:
    assert moment_of_date(value, offset, time(9), "Europe/Berlin") == expected


def test_a_deadline_is_asked_for_the_place_the_wait_began() -> None:
    facts = Facts(customer=ANN, zone="Asia/Tokyo")
    wait = Wait(UntilLocal(time(9), frozenset({0})))
    assert due_of(wait, START, facts=facts, now=START, zone="UTC") == utc(2026, 3, 9, 0)
    dated = Wait(UntilDate("none"))
    assert due_of(dated, START, facts=facts, now=START, zone="UTC") is None


def test_the_same_local_time_again_is_strictly_later() -> None:
    assert same_time_after(START, START + 3 * DAY, "UTC") == START + 4 * DAY
    assert same_time_after(START, START + 3 * DAY + HOUR, "UTC") == START + 4 * DAY
    assert same_time_after(utc(2026, 3, 27, 8), utc(2026, 3, 28, 9), "Europe/Berlin") == utc(2026, 3, 29, 7)


# -------------------------------------------------------------------------------------- conditions


VISITED = did("visit").since_entry()


def waiting(grace: timedelta = timedelta(0), condition: Any = VISITED, **changes: Any) -> Journey:
    then, late = [Send("came", "email")], [Send("late", "email")]
    return journey(WaitFor(condition, timeout=DAY, then=then, otherwise=late, grace=grace), **changes)


def test_a_wait_for_a_condition_ends_at_once_when_it_holds() -> None:
    stage = Stage.of(waiting()).call().go(START + HOUR).event("visit")
    assert (stage.sent, stage.run.since, stage.run.phase) == (["came"], START + HOUR, Phase.SENDING)
    assert stage.told(NoteKind.STEP) == ["came true"]
    assert stage.answer().go(START + 3 * DAY).sent == ["came"]


def test_a_wait_for_what_holds_already_is_no_wait() -> None:
    stage = Stage.of(waiting(condition=attr("city").missing())).call()
    assert stage.sent == ["came"]
    assert stage.told(NoteKind.STEP) == ["came true"]


def test_a_wait_for_a_condition_ends_at_its_timeout() -> None:
    stage = Stage.of(waiting()).call().go(START + DAY - TICK)
    assert stage.sent == []
    assert stage.go(START + DAY).sent == ["late"]
    assert stage.told(NoteKind.STEP) == ["time ran out"]


def test_an_event_at_the_deadline_counts_before_the_timer() -> None:
    stage = Stage.of(waiting()).call()
    stage.now = START + DAY
    assert stage.event("visit").sent == ["came"]


@pytest.mark.parametrize(("dated", "sent"), [(DAY, "came"), (DAY + TICK, "late")])
def test_in_one_turn_facts_come_before_timers_but_only_up_to_the_deadline(
    dated: timedelta, sent: str
) -> None:
    stage = Stage.of(waiting()).call()
    stage.now = START + 2 * DAY
    assert stage.event("visit", START + dated).sent == [sent]


@pytest.mark.parametrize(("dated", "sent"), [(DAY, "came"), (DAY + TICK, "late")])
def test_within_the_grace_events_dated_up_to_the_deadline_still_count(dated: timedelta, sent: str) -> None:
    stage = Stage.of(waiting(HOUR)).call().go(START + DAY + HOUR / 2)
    assert stage.sent == []
    stage.event("visit", START + dated).go(START + DAY + HOUR)
    assert stage.sent == [sent]
    assert stage.run.since == (stage.now - HOUR / 2 if sent == "came" else START + DAY + HOUR)


def test_later_events_do_not_reopen_a_wait() -> None:
    stage = Stage.of(waiting()).call().go(START + DAY)
    assert stage.event("visit", START + HOUR).sent == ["late"]


def test_time_alone_can_make_a_condition_hold() -> None:
    made = Journey(
        "test",
        enter=on("visit"),
        steps=[WaitFor(~did("visit").within(2 * HOUR), timeout=DAY, then=[Send("quiet", "email")])],
        kind=MessageKind.TRIGGER,
    )
    stage = Stage.of(made).event("visit").go(START + 2 * HOUR - TICK)
    assert stage.sent == []
    assert stage.go(START + 2 * HOUR).sent == ["quiet"]
