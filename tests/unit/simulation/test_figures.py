"""A customer of a report is found by every name the application may know; stages and weeks are counted."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from crmsdk.errors import ConfigError, InputError, NaiveMoment, UnknownName
from crmsdk.journeys.definition import Journey
from crmsdk.journeys.steps import Send
from crmsdk.journeys.triggers import on
from crmsdk.model.customer import Identifier
from crmsdk.policy.ruleset import ContactPolicy, default_policy
from crmsdk.segments.stages import Stages
from crmsdk.segments.words import attr, did
from crmsdk.simulation import ConstantResponses, Report, Simulation, simulate
from crmsdk.simulation.driving import drive
from crmsdk.simulation.report import report_of
from crmsdk.wire.recorded import identify, track

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DEVICE = Identifier("anonymous", "device")


@pytest.fixture
def report() -> Report:
    """Report on a visitor who became Bob: the id is that of the visitor, and not his user id."""
    history = [
        track(DEVICE, "visit", at=MONDAY),
        identify("bob", email="bob@shop.example", anonymous="device", at=MONDAY + HOUR),
        track("ann", "visit", at=MONDAY),
    ]
    return simulate([], history, start=MONDAY, until=MONDAY + 2 * HOUR)


def test_a_timeline_is_found_by_every_name(report: Report) -> None:
    told = report.timeline("bob")
    assert [entry.what for entry in told] == ["event"]
    assert report.timeline(DEVICE) == report.timeline(Identifier("email", "bob@shop.example")) == told
    assert told.customer != "bob"
    assert report.timeline(told.customer) == told
    assert len(report.timeline("ann")) == 1


@pytest.mark.parametrize("who", ["cat", Identifier("email", "cat@shop.example")])
def test_nobody_of_that_name_is_an_error_without_the_address(report: Report, who: str | Identifier) -> None:
    with pytest.raises(UnknownName) as refused:
        report.timeline(who)
    assert "shop.example" not in str(refused.value)


STAGES = Stages(
    "life", {"fresh": did("visit").within(2 * HOUR), "known": attr("city").exists()}, otherwise="gone"
)


def test_everybody_known_at_a_moment_is_in_one_stage() -> None:
    history = [
        track("ann", "visit", at=MONDAY),
        identify("bob", {"city": "Minsk"}, at=MONDAY + HOUR),
        identify("cat", at=MONDAY),
        track("dan", "visit", at=MONDAY + 4 * HOUR),
    ]
    report = simulate([], history, start=MONDAY, until=MONDAY + 5 * HOUR)
    early, middle = MONDAY + HOUR / 2, MONDAY + 3 * HOUR
    assert list(report.stages(STAGES, early, middle)) == [
        {"at": early, "stage": "fresh", "customers": 1},
        {"at": early, "stage": "known", "customers": 0},
        {"at": early, "stage": "gone", "customers": 0},
        {"at": middle, "stage": "fresh", "customers": 0},
        {"at": middle, "stage": "known", "customers": 1},
        {"at": middle, "stage": "gone", "customers": 1},
    ]
    assert list(report.stages(STAGES).columns["customers"]) == [1, 1, 1]


def test_a_stage_after_the_end_is_not_guessed(report: Report) -> None:
    with pytest.raises(InputError, match="lies after the end of the report"):
        report.stages(STAGES, report.until + HOUR)
    with pytest.raises(NaiveMoment):
        report.stages(STAGES, datetime(2026, 3, 2))  # noqa: DTZ001 - the point


def test_a_week_is_named_by_its_monday() -> None:
    plan = Journey("plan", on("visit"), [Send("hi", "email")], kind="promo", goal=did("paid").since_entry())
    days = (0, 6, 7)
    history = [track("ann", "visit", at=MONDAY + timedelta(days=day)) for day in days]
    report = simulate([plan], history, start=MONDAY, until=MONDAY + timedelta(days=9), policy=ContactPolicy())
    weeks = report.sends("week")
    assert [str(day) for day in weeks.columns["week"]] == ["2026-03-02", "2026-03-09"]
    assert list(weeks.columns["sends"]) == [2, 1]


def test_a_history_of_something_else_and_a_span_backwards_are_refused() -> None:
    nested: Any = [identify("ann", at=MONDAY), [track("ann", "visit", at=MONDAY)]]
    with pytest.raises(InputError, match=r"'history\[1\]': is list, no fact"):
        simulate([], nested, start=MONDAY, until=MONDAY + HOUR)
    with pytest.raises(InputError, match="'until': lies before start"):
        simulate([], [], start=MONDAY, until=MONDAY - HOUR)


PLAN = Journey("plan", on("visit"), [Send("hi", "email")], kind="promo", goal=did("paid").since_entry())


def test_one_journey_stands_in_a_list() -> None:
    alone: Any = PLAN
    with pytest.raises(ConfigError, match="journeys: is Journey; give a list"):
        simulate(alone, [], start=MONDAY, until=MONDAY + HOUR)
    with pytest.raises(ConfigError, match="journeys: is Journey; give a list"):
        Simulation(alone, [], start=MONDAY)


def test_steps_of_a_journey_nobody_wrote_are_an_error() -> None:
    report = simulate([PLAN], [], start=MONDAY, until=MONDAY + HOUR)
    assert report.steps("plan") == {}
    with pytest.raises(UnknownName, match="unknown journey 'plans'; did you mean 'plan'"):
        report.steps("plans")
    with pytest.raises(UnknownName, match="unknown journey 'welcome'; there are plan"):
        report.steps("welcome")


def test_hours_and_weekdays_stand_in_their_own_order() -> None:
    hours = (2, 10, 9, 24 * 4, 24 * 6 + 1)  # Monday, Friday, Sunday; 12:00 plus
    history = [track(f"p{hour}", "visit", at=MONDAY + HOUR * hour) for hour in hours]
    report = simulate([PLAN], history, start=MONDAY, until=MONDAY + 9 * 24 * HOUR, policy=ContactPolicy())
    assert report.sends("hour").columns["hour"] == (12, 13, 14, 21, 22)
    assert report.sends("weekday").columns["weekday"] == ("Mon", "Fri", "Sun")
    assert report.sends(("journey", "weekday")).columns["weekday"] == ("Mon", "Fri", "Sun")


def test_one_is_no_plural() -> None:
    report = simulate([PLAN], [track("ann", "visit", at=MONDAY)], start=MONDAY, until=MONDAY + HOUR)
    assert "2026-03-02 to 2026-03-02, 1 customer\n" in str(report)
    assert "busiest day 2026-03-02: 1 message" in str(report).splitlines()


def test_a_message_counts_in_the_span_it_was_sent_in() -> None:
    evening, midnight, noon = MONDAY + 10 * HOUR, MONDAY + 12 * HOUR, MONDAY + 24 * HOUR
    run = Simulation([PLAN], [track("ann", "visit", at=evening)], start=MONDAY, policy=default_policy())
    run.run(noon)  # the night holds the message back until eight

    def sent(start: datetime, until: datetime) -> list[object]:
        return list(drive(report_of(run.store, [PLAN], start=start, until=until)).sends("day"))

    assert sent(MONDAY, midnight) == []
    assert sent(midnight, noon) == [{"day": date(2026, 3, 3), "sends": 1}]
    assert sent(MONDAY, noon) == [{"day": date(2026, 3, 3), "sends": 1}]


@pytest.mark.parametrize("chance", ["opens", "clicks", "buys", "unsubscribes"])
@pytest.mark.parametrize("odd", [30, -0.1, "0.3", float("nan")])
def test_a_chance_lies_between_nought_and_one(chance: str, odd: Any) -> None:
    with pytest.raises(ConfigError, match=f"^{chance} is no chance"):
        ConstantResponses(**{chance: odd})
