"""Triggers start runs, once and in time: events, absences, segments, dates, schedules and calls."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
import pytest

from crmsdk.errors import DefinitionError
from crmsdk.journeys.definition import Entry, Journey, each_time, once
from crmsdk.journeys.person import NoteKind, Phase, WatchKind
from crmsdk.journeys.programs import Programs
from crmsdk.journeys.steps import Send, Wait
from crmsdk.journeys.stimuli import Entered, Joined, Wrote
from crmsdk.journeys.triggers import by_call, enters, every, leaves, on, on_date
from crmsdk.journeys.turn import react
from crmsdk.model.customer import AttributeWrite, Identifier, IdentifierKind
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.model.message import MessageKind
from crmsdk.segments.words import attr, did, prop
from tests.unit.journeys.stage import ANN, DAY, HOUR, PROJECT, START, TICK, Stage, happened, person, wrote

LONG = Wait(400 * DAY)


def journey(enter: Any, *steps: Any, name: str = "test", **changes: Any) -> Journey:
    return Journey(name, enter=enter, steps=steps or (LONG,), kind=MessageKind.TRIGGER, **changes)


def test_an_event_starts_a_run_with_its_values() -> None:
    stage = Stage.of(journey(on("cart"), Send("hello", "email"))).event("cart", total=3)
    assert stage.run.values == {"total": 3}
    assert [(message.template, message.payload) for message in stage.pending] == [("hello", {"total": 3})]
    assert stage.told(NoteKind.ENTERED) == [""]


def test_only_events_that_pass_the_tests_start() -> None:
    stage = Stage.of(journey(on("cart").where(prop("total") >= 3)))
    assert not stage.event("cart", total=2).runs
    assert stage.event("cart", START - HOUR, total=3).runs


def test_a_question_about_the_customer_bars() -> None:
    stage = Stage.of(journey(on("cart").only_if(attr("vip") == True)))  # noqa: E712 - a definition
    assert not stage.event("cart", id="1").runs
    assert stage.write(vip=True).event("cart", id="2").runs


def test_a_journey_for_an_audience_takes_only_its_people() -> None:
    for audience, number in (("seeker", 1), ("employer", 0), ("", 0)):
        who = person(audience=audience)
        stage = Stage.of(journey(on("cart"), audience="seeker"), who=who).event("cart")
        assert len(stage.runs) == number


def test_facts_older_than_the_trigger_takes_start_nothing() -> None:
    stage = Stage.of(journey(on("cart")))
    assert not stage.event("cart", START - DAY - TICK).runs
    assert stage.event("cart", START - DAY).runs


def test_an_event_dated_in_the_future_starts_at_its_time() -> None:
    stage = Stage.of(journey(on("cart"))).event("cart", START + HOUR)
    assert not stage.runs
    assert stage.person.wake == START + HOUR
    assert stage.go(START + HOUR).run.entered == START + HOUR


def test_read_your_writes_an_event_that_makes_a_person_enrols_and_sees_what_came_with_it() -> None:
    stage = Stage.of(journey(on("cart").only_if(attr("city") == "Moscow")), who=person(version=0))
    stage.take(happened("cart", START), wrote(START, city="Moscow"))
    assert stage.runs


def test_what_comes_after_a_trigger_in_one_batch_is_not_seen_by_it() -> None:
    stage = Stage.of(journey(on("cart").only_if(~did("purchase"))))
    stage.take(happened("purchase", START - HOUR), happened("cart", START - 2 * HOUR))
    assert stage.runs


# -------------------------------------------------------------------------------------------- keys


def test_runs_are_told_apart_by_the_declared_key() -> None:
    stage = Stage.of(journey(on("cart", key="id")))
    stage.event("cart", id="1", id_=0)
    assert stage.told(NoteKind.NOT_ENTERED) == ["the event has no 'id' that can be a key"]
    stage.take(happened("cart", START, "2", cart=7))
    keyed = Stage.of(journey(on("cart", key="cart")))
    for number, key in enumerate((7, 8, 7, "7")):
        keyed.event("cart", id=str(number), cart=key)
    assert [run.key for run in keyed.runs] == ["7", "8", "'7'"]
    assert keyed.told(NoteKind.NOT_ENTERED) == ["already inside"]


def test_a_key_may_lie_inside_a_mapping() -> None:
    stage = Stage.of(journey(on("cart", key="cart.id"), exit=did("purchase").since_entry()))
    stage.event("cart", id="1", cart={"id": 7})
    assert [run.key for run in stage.runs] == ["7"]
    stage.event("purchase", START + TICK, id="2", cart={"id": 8})
    assert stage.run.alive
    stage.now += HOUR
    stage.event("purchase", id="3", cart={"id": 7})
    assert stage.run.outcome == "exit"


@pytest.mark.parametrize("odd", [[7], {"id": 7}])
def test_a_value_that_is_no_key_starts_nothing_and_stops_nobody(odd: Any) -> None:
    absent = on("cart", key="cart").unless("purchase", within=2 * HOUR)
    stage = Stage.of(journey(on("cart", key="cart")), journey(absent, name="absent"))
    stage.event("cart", id="1", cart=odd)
    assert not stage.runs
    assert len(stage.told(NoteKind.NOT_ENTERED)) == 2
    stage.event("cart", id="2", cart=7).event("purchase", START, id="3", cart=odd)
    assert [run.journey for run in stage.go(START + 2 * HOUR).runs] == ["test", "absent"]


# ------------------------------------------------------------------------------------- entry policy


def test_once_means_once_in_a_life_and_is_not_said_at_every_event() -> None:
    stage = Stage.of(journey(on("cart"), Send("a", "email"), entry=once()))
    stage.event("cart", id="1").answer().event("cart", id="2").event("cart", id="3")
    assert len(stage.runs) == 1
    assert stage.told(NoteKind.NOT_ENTERED) == []


def test_after_exit_bars_while_inside_only() -> None:
    stage = Stage.of(journey(on("cart"), Send("a", "email")))
    stage.event("cart", id="1").event("cart", id="2")
    assert stage.told(NoteKind.NOT_ENTERED) == ["already inside"]
    stage.answer().event("cart", id="3")
    assert len(stage.runs) == 2


def test_once_per_span_counts_from_the_last_entry() -> None:
    stage = Stage.of(journey(on("cart"), Send("a", "email"), entry=once(DAY)))
    stage.event("cart", id="1").answer()
    stage.now = START + DAY - TICK
    stage.event("cart", id="2")
    assert stage.told(NoteKind.NOT_ENTERED) == ["entered too recently"]
    stage.now = START + DAY
    assert len(stage.event("cart", id="3").runs) == 2


def test_each_time_takes_several_runs_at_a_time_but_no_event_twice() -> None:
    stage = Stage.of(journey(on("cart"), entry=each_time()))
    stage.event("cart", id="1").event("cart", id="2")
    assert len(stage.runs) == 2
    assert len({run.id for run in stage.runs}) == 2


@pytest.mark.parametrize(("rule", "why"), [("goal", "goal already reached"), ("exit", "exit already true")])
def test_a_rule_that_holds_already_refuses_entry_and_says_so(rule: str, why: str) -> None:
    rules: Any = {rule: did("purchase")}
    stage = Stage.of(journey(on("cart"), **rules))
    stage.event("purchase", START - HOUR).event("cart")
    assert not stage.runs
    assert stage.told(NoteKind.NOT_ENTERED) == [why]


def test_since_entry_counts_events_stored_before_the_run_began() -> None:
    """An absence begins after its span; what came in between ends the run at once."""
    stage = Stage.of(journey(on("cart").unless("pay", within=HOUR), exit=did("purchase").since_entry()))
    stage.event("cart").event("purchase", START + HOUR / 2, id="p").go(START + HOUR)
    assert not stage.runs
    assert stage.told(NoteKind.NOT_ENTERED) == ["exit already true"]


# ---------------------------------------------------------------------------------------- absence


def absent(anchor: Any = "last", **changes: Any) -> Journey:
    trigger = on("cart", key="cart").unless("purchase", within=2 * HOUR, anchor=anchor)
    return journey(attrs.evolve(trigger, **changes))


def test_an_absence_starts_after_its_span_with_the_values_of_the_event() -> None:
    stage = Stage.of(absent()).event("cart", cart=7, total=3)
    assert not stage.runs
    assert not stage.go(START + 2 * HOUR - TICK).runs
    assert stage.go(START + 2 * HOUR).run.values == {"cart": 7, "total": 3}
    assert stage.run.position[0] == START
    assert stage.person.watches == ()


@pytest.mark.parametrize(("after", "entered"), [(2 * HOUR, False), (2 * HOUR + TICK, True)])
def test_an_event_at_the_very_end_of_the_span_calls_off(after: timedelta, entered: bool) -> None:
    stage = Stage.of(absent()).event("cart", cart=7)
    stage.event("purchase", START + after, cart=7).go(START + DAY)
    assert bool(stage.runs) is entered


def test_an_absence_is_called_off_only_by_its_key_and_tests() -> None:
    cases: tuple[tuple[Any, bool], ...] = (
        ({"cart": 7, "paid": 1}, False),
        ({"cart": 8, "paid": 1}, True),
        ({"cart": 7}, True),
    )
    for values, entered in cases:
        stage = Stage.of(absent(unless_tests=(prop("paid") == 1,))).event("cart", cart=7)
        stage.now = START + HOUR
        stage.event("purchase", **values)
        assert bool(stage.go(START + DAY).runs) is entered


@pytest.mark.parametrize(("anchor", "due", "total"), [("last", 3 * HOUR, 2), ("first", 2 * HOUR, 1)])
def test_a_further_event_restarts_the_span_or_not(anchor: str, due: timedelta, total: int) -> None:
    stage = Stage.of(absent(anchor)).event("cart", cart=7, total=1)
    stage.now = START + HOUR
    stage.event("cart", cart=7, total=2)
    assert not stage.go(START + due - TICK).runs
    assert stage.go(START + due).run.values["total"] == total
    assert len(stage.go(START + DAY).runs) == 1


@pytest.mark.parametrize("anchor", ["first", "last"])
def test_an_absence_does_not_hang_on_the_order_of_arrival(anchor: str) -> None:
    first, second = happened("cart", START, "1", cart=7), happened("cart", START + HOUR, "2", cart=7)
    found = []
    for order in ((first, second), (second, first)):
        stage = Stage.of(absent(anchor))
        stage.now = START + HOUR
        for one in order:
            stage.take(one)
        found.append([run.id for run in stage.go(START + 10 * DAY).runs])
    assert found[0] == found[1] != []


def test_an_anchor_that_a_later_one_had_replaced_starts_nothing_when_it_comes_late() -> None:
    stage = Stage.of(absent())
    stage.now = START + HOUR
    stage.event("cart", START + HOUR, id="2", cart=7).go(START + 4 * HOUR)
    assert len(stage.runs) == 1
    stage.person = attrs.evolve(
        stage.person, enrollments=(attrs.evolve(stage.run, phase=Phase.ENDED, wake=None),)
    )
    stage.event("cart", START, id="1", cart=7).go(START + DAY)
    assert len(stage.runs) == 1
    stage.event("cart", START, id="3", cart=8).go(START + DAY)
    assert len(stage.runs) == 2, "of another key nothing replaced it"


def test_an_absence_already_broken_when_the_anchor_arrives_late_starts_nothing() -> None:
    stage = Stage.of(absent())
    stage.now = START + 3 * HOUR
    stage.event("purchase", START + HOUR, cart=7).event("cart", START, cart=7)
    assert not stage.go(START + DAY).runs


def test_an_older_event_that_arrives_late_takes_down_a_wait_it_breaks() -> None:
    stage = Stage.of(absent("first"))
    stage.now = START + HOUR
    stage.event("cart", START + HOUR, id="2", cart=7)
    stage.event("purchase", START + HOUR, id="z", cart=7)
    assert stage.person.watches == ()
    assert not stage.go(START + DAY).runs


def test_one_absence_waits_per_key() -> None:
    stage = Stage.of(absent()).event("cart", id="1", cart=7).event("cart", id="2", cart=8)
    assert len(stage.go(START + DAY).runs) == 2


def test_an_absence_of_a_journey_that_is_gone_or_changed_starts_nothing() -> None:
    stage = Stage.of(absent()).event("cart", cart=7)
    gone = attrs.evolve(stage, programs=Programs.of([], project=PROJECT))
    assert not gone.go(START + DAY).runs
    for other in (
        on("visit"),
        on("visit").unless("purchase", within=HOUR),
        by_call(),
        on("cart", key="cart"),
    ):
        changed = attrs.evolve(stage, programs=Programs.of([journey(other)], project=PROJECT))
        assert not changed.go(START + DAY).runs


# --------------------------------------------------------------------------------------- segments


def test_entering_a_segment_by_a_fact_starts_a_run() -> None:
    stage = Stage.of(journey(enters(attr("city") == "Moscow", "in Moscow")))
    stage.take()
    assert not stage.runs
    assert stage.write(city="Moscow").run.entered == START
    assert len(stage.write(city="Moscow", other=1).runs) == 1


def test_a_segment_is_entered_and_left_by_time_alone_at_the_exact_moment() -> None:
    sleeping = did("visit").last_at().more_than_ago(14 * DAY)
    stage = Stage.of(
        journey(enters(sleeping, "sleeping")),
        journey(leaves(did("visit").within(DAY), "fresh"), name="left"),
    )
    stage.event("visit")
    assert [run.journey for run in stage.go(START + DAY).runs] == ["left"]
    stage.go(START + 14 * DAY)
    assert [run.entered for run in stage.runs] == [START + DAY, START + 14 * DAY]


def test_who_is_in_a_segment_already_is_left_where_they_are() -> None:
    inside = Facts(customer=ANN).with_attributes(wrote(START - DAY, city="Moscow").attributes)
    stage = Stage.of(journey(enters(attr("city") == "Moscow", "in Moscow")), who=person(inside))
    stage.take()
    assert not stage.runs
    stage.write(city=None).write(city="Moscow")
    assert stage.runs


def test_a_new_person_enters_a_segment_at_once() -> None:
    stage = Stage.of(journey(enters(attr("city") == "Moscow", "in Moscow")), who=person(version=0))
    assert stage.write(city="Moscow").runs


def test_old_facts_move_the_segment_silently() -> None:
    stage = Stage.of(journey(enters(did("purchase"), "buyers")))
    stage.take()
    stage.event("purchase", START - DAY - TICK)
    assert not stage.runs
    assert [watch.matched for watch in stage.person.watches] == [True]


def test_t32_writing_the_same_value_changes_nothing() -> None:
    stage = Stage.of(journey(enters(attr("city") == "Moscow", "in Moscow"), entry=each_time()))
    stage.take()
    stage.write(city="Moscow")
    stage.now += HOUR
    stage.write(city="Moscow")
    assert len(stage.runs) == 1


# ------------------------------------------------------------------------------------------- dates


def test_a_date_comes_at_the_local_time_and_a_moment_exactly() -> None:
    stage = Stage.of(
        journey(on_date("day", -DAY, at="09:30")), journey(on_date("moment", HOUR), name="moment")
    )
    stage.take()
    stage.write("Europe/Moscow", day=date(2026, 3, 5), moment=START + DAY)
    stage.go(START + 10 * DAY)
    assert {run.journey: run.entered for run in stage.runs} == {
        "test": datetime(2026, 3, 4, 6, 30, tzinfo=UTC),
        "moment": START + DAY + HOUR,
    }


def test_t32_a_date_written_again_with_the_same_value_fires_once_and_a_moved_one_anew() -> None:
    stage = Stage.of(journey(on_date("day"), entry=each_time()))
    stage.take()
    stage.write(day=date(2026, 3, 3)).go(START + 2 * DAY)
    stage.write(day=date(2026, 3, 3)).go(START + 3 * DAY)
    assert len(stage.runs) == 1
    stage.write(day=date(2026, 3, 9)).go(START + 10 * DAY)
    assert len(stage.runs) == 2


def test_a_date_that_moves_before_it_comes_is_followed() -> None:
    stage = Stage.of(journey(on_date("day")))
    stage.take()
    stage.write(day=date(2026, 3, 9))
    stage.now += HOUR
    stage.write(day=date(2026, 3, 4))
    assert stage.go(START + 30 * DAY).run.entered == datetime(2026, 3, 4, 9, tzinfo=UTC)


def test_a_date_inside_a_mapping_is_followed() -> None:
    stage = Stage.of(journey(on_date("contract.ends")))
    stage.take()
    stage.write(contract={"ends": date(2026, 3, 4)})
    assert stage.go(START + 30 * DAY).runs


@pytest.mark.parametrize(
    "value",
    [
        date(9999, 12, 31),
        date(1, 1, 1),
        datetime(9999, 12, 31, 23, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC),
        "soon",
        None,
        7,
    ],
)
@pytest.mark.parametrize("offset", [DAY, -DAY])
def test_a_date_that_names_no_instant_is_missing(value: Any, offset: timedelta) -> None:
    stage = Stage.of(journey(on_date("day", offset)))
    stage.take()
    stage.write(day=value)
    assert not stage.go(START + 10 * DAY).runs


def test_a_date_long_past_starts_nothing() -> None:
    stage = Stage.of(journey(on_date("day")))
    stage.take()
    assert not stage.write(day=date(2026, 3, 1)).runs  # 09:00 the day before, more than a day ago
    assert stage.write(day=date(2026, 3, 2)).runs
    for moment, number in ((START - DAY - TICK, 0), (START - DAY, 1)):
        exact = Stage.of(journey(on_date("moment")))
        exact.take()
        assert len(exact.write(moment=moment).runs) == number


# --------------------------------------------------------------------------------------- schedules


def test_a_schedule_fires_in_the_zone_of_the_person_or_its_own() -> None:
    for zone, hour in ((None, 8), ("Asia/Tokyo", 0)):
        who = person(attrs.evolve(Facts(customer=ANN), zone="Europe/Berlin"))
        stage = Stage.of(journey(every("0 9 * * *", zone=zone)), who=who)
        stage.take()
        assert stage.go(START + DAY).run.entered == datetime(2026, 3, 3, hour, tzinfo=UTC)


def test_a_schedule_fires_for_those_who_are_in_the_segment_then() -> None:
    stage = Stage.of(journey(every("0 9 * * *", segment=attr("vip") == True), entry=each_time()))  # noqa: E712 - a definition
    stage.take()
    assert not stage.go(START + DAY).runs
    assert len(stage.write(vip=True).go(START + 3 * DAY).runs) == 2


def test_occurrences_missed_in_an_outage_are_one_and_old_ones_none() -> None:
    stage = Stage.of(journey(every("0 * * * *"), entry=each_time()))
    stage.take()
    stage.sleep(START + 5 * HOUR + HOUR / 2)
    assert len(stage.runs) == 1
    other = Stage.of(journey(every("0 9 1 * *")))
    other.take()
    assert not other.sleep(START + 60 * DAY).runs
    for late, number in ((DAY, 1), (DAY + TICK, 0)):
        monthly = Stage.of(journey(every("0 9 1 * *")))
        monthly.take()
        assert len(monthly.sleep(datetime(2026, 4, 1, 9, tzinfo=UTC) + late).runs) == number


def test_t16_a_schedule_fires_once_in_the_night_of_the_repeated_hour() -> None:
    before = datetime(2026, 10, 24, 12, tzinfo=UTC)
    who = person(attrs.evolve(Facts(customer=ANN), zone="Europe/Berlin"))
    stage = Stage.of(journey(every("30 2 * * *"), entry=each_time()), who=who, now=before)
    stage.take()
    stage.go(before + DAY)
    assert [run.entered for run in stage.runs] == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]


def test_a_change_of_zone_moves_the_next_occurrence() -> None:
    stage = Stage.of(journey(every("0 9 * * *")))
    stage.take()
    stage.write("Asia/Tokyo")
    assert stage.go(START + DAY).run.entered == datetime(2026, 3, 3, 0, tzinfo=UTC)


# ------------------------------------------------------------------------------------------- calls


def test_a_call_starts_one_run_a_key() -> None:
    stage = Stage.of(journey(by_call())).call(key="a", total=3).call(key="a").call(key="b")
    assert [(run.key, run.values) for run in stage.runs] == [("a", {"total": 3}), ("b", {})]


def test_a_call_of_what_takes_none_is_refused() -> None:
    stage = Stage.of(journey(on("cart")))
    with pytest.raises(DefinitionError, match="has no by_call"):
        stage.call()
    with pytest.raises(DefinitionError, match="no journey 'other' takes entries"):
        stage.call("other")


# ------------------------------------------------------------------------------- versions, joining


def test_watches_start_over_silently_when_a_journey_is_activated() -> None:
    stage = Stage.of(journey(enters(attr("city") == "Moscow", "x")))
    stage.take()
    stage.write(city="Minsk")
    other = Programs.of([journey(enters(attr("city") == "Minsk", "y"))], project=PROJECT)
    change = react(other, stage.person, now=START, anew=frozenset({"test"}))
    assert not change.enrollments
    assert [(watch.kind, watch.matched) for watch in change.watches] == [(WatchKind.SEGMENT, True)]


def test_watches_of_a_journey_that_is_gone_are_dropped() -> None:
    stage = Stage.of(journey(enters(attr("city") == "Moscow", "x")))
    stage.take()
    change = react(Programs.of([], project=PROJECT), stage.person, now=START)
    assert [watch_id[0] for watch_id in change.dropped] == [WatchKind.SEGMENT]


def anonymous(*events: Any, **changes: Any) -> Any:
    ghost = CustomerId("ghost")
    facts = Facts(customer=ghost).with_events(attrs.evolve(one.event, customer=ghost) for one in events)
    return attrs.evolve(person(), id=ghost, facts=facts, **changes)


def test_a_visitor_joins_with_history_runs_and_open_absences() -> None:
    made = [absent(), journey(on("visit"), name="other")]
    visitor = Stage.of(*made, who=anonymous(created=START - DAY))
    visitor.event("visit", id="v").event("cart", id="c", cart=7)
    stage = Stage.of(*made)
    change = stage.take(Joined(at=START, other=visitor.person))
    assert [other.id for other in change.absorbs] == ["ghost"]
    assert change.events == ()  # they are stored already, as the visitor's
    assert [run.journey for run in stage.runs] == ["other"]
    assert {event.customer for event in stage.person.facts.events} == {ANN}
    assert stage.person.created == START - DAY
    assert [run.journey for run in stage.go(START + 2 * HOUR).runs] == ["other", "test"]


def test_who_joins_is_not_inside_twice() -> None:
    made = journey(on("visit"))
    visitor = Stage.of(made, who=anonymous()).event("visit", id="1")
    stage = Stage.of(made).event("visit", id="2")
    stage.take(Joined(at=START, other=visitor.person))
    assert [(run.outcome, run.customer) for run in stage.runs] == [("", "ann"), ("joined", "ghost")]


def test_what_a_visitor_did_ends_a_run_of_the_person() -> None:
    stage = Stage.of(journey(on("visit"), exit=did("purchase").since_entry())).event("visit")
    stage.now += HOUR
    stage.take(Joined(at=stage.now, other=anonymous(happened("purchase", START + TICK))))
    assert stage.run.outcome == "exit"


def test_the_profile_of_the_person_wins_over_the_visitors() -> None:
    name = Identifier(IdentifierKind.ANONYMOUS, "a-1")
    ghost = anonymous(locale="ru", audience="guests", identifiers=(name,))
    ghost = attrs.evolve(ghost, facts=attrs.evolve(ghost.facts, zone="Asia/Tokyo"))
    stage = Stage.of(journey(on("visit")), who=person(locale="en"))
    change = stage.take(Joined(at=START, other=ghost))
    assert (stage.person.locale, stage.person.audience, stage.person.facts.zone) == (
        "en",
        "guests",
        "Asia/Tokyo",
    )
    assert stage.person.identifiers == (name,)
    assert change.identifiers == ()


def test_a_write_brings_identifiers_locale_and_account_once() -> None:
    name = Identifier(IdentifierKind.EMAIL, "ann@example.org")
    stage = Stage.of(journey(on("visit")))
    stage.take(Wrote(at=START, id="w", identifiers=(name, name), locale="ru", audience="seeker"))
    stage.take(Wrote(at=START, id="w2", identifiers=(name,)))
    assert (stage.person.identifiers, stage.person.locale) == ((name,), "ru")
    assert stage.person.identified
    profile = stage.person.profile(START)
    assert (profile.locale, profile.audience, profile.identifiers) == ("ru", "seeker", (name,))


def test_a_write_dated_in_the_future_counts_from_then() -> None:
    stage = Stage.of(
        journey(enters(attr("city") == "Moscow", "x")),
        journey(by_call(), exit=attr("city").exists(), name="out"),
    )
    stage.take()
    stage.call("out")
    write = AttributeWrite(name="city", value="Moscow", at=START + HOUR, id=EventId("w"))
    stage.take(Wrote(at=START, id="w", attributes=(write,)))
    assert [run.journey for run in stage.runs] == ["out"]
    stage.go(START + HOUR)
    assert [(run.journey, run.outcome) for run in stage.runs] == [("out", "exit"), ("test", "")]


def test_calls_of_one_moment_are_taken_in_the_order_of_their_keys() -> None:
    made = journey(by_call(), entry=Entry("always"))
    calls = [Entered(at=START, journey="test", key=key) for key in ("b", "a")]
    stage = Stage.of(made)
    stage.take(*calls)
    assert [run.key for run in stage.runs] == ["a", "b"]
