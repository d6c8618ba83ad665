"""What ends a run besides its steps: goal, exit, lifetime, an operator."""

from typing import Any

import pytest

from crmsdk.journeys.definition import Journey
from crmsdk.journeys.person import NoteKind
from crmsdk.journeys.steps import HandOver, Update, Wait, WaitFor
from crmsdk.journeys.stimuli import Stopped
from crmsdk.journeys.triggers import by_call
from crmsdk.model.message import MessageKind
from crmsdk.segments.words import did
from tests.unit.journeys.stage import BOUGHT, DAY, HOUR, START, TICK, A, Stage, happened, journey


@pytest.mark.parametrize("field", ["goal", "exit"])
def test_t22_goal_and_exit_act_during_waits_at_once(field: str) -> None:
    rules: dict[str, Any] = {field: BOUGHT}
    for wait in (
        Wait(29 * DAY),
        WaitFor(did("never").since_entry(), timeout=29 * DAY),
        HandOver("call", to="sales", within=29 * DAY),
    ):
        stage = Stage.of(journey(wait, A, **rules)).call().go(START + DAY)
        stage.event("purchase")
        assert (stage.run.outcome, stage.run.ended) == (field, START + DAY)
        assert stage.go(START + 60 * DAY).sent == []


def test_t22_an_exit_that_holds_only_for_an_hour_is_not_missed() -> None:
    stage = Stage.of(journey(Wait(29 * DAY), exit=did("purchase").within(HOUR))).call().go(START + DAY)
    stage.event("purchase")
    assert stage.run.outcome == "exit"


def test_t22_an_exit_that_comes_true_by_time_alone_acts_at_the_exact_moment() -> None:
    silent = ~did("visit").within(3 * DAY)
    stage = Stage.of(journey(Wait(29 * DAY), exit=silent)).event("visit").call()
    assert stage.go(START + 20 * DAY).run.ended == START + 3 * DAY


def test_an_exit_deletes_what_is_not_sent_yet() -> None:
    stage = Stage.of(journey(A, exit=BOUGHT)).call().go(START + HOUR)
    change = stage.take(happened("purchase", stage.now))
    assert change.withdrawn == (stage.run.id,)
    assert stage.outbox == {}


def test_goal_comes_before_exit_and_exit_before_expiry() -> None:
    both = journey(Wait(29 * DAY), goal=BOUGHT, exit=BOUGHT, lifetime=DAY)
    stage = Stage.of(both).call()
    stage.now = START + DAY
    stage.event("purchase")
    assert (stage.run.outcome, stage.run.goal_at) == ("goal", START + DAY)
    exits = journey(Wait(29 * DAY), exit=BOUGHT, lifetime=DAY)
    stage = Stage.of(exits).call()
    stage.now = START + DAY
    assert stage.event("purchase").run.outcome == "exit"


def test_a_run_expires_wherever_it_is_and_before_the_step_of_that_moment() -> None:
    for steps in ([Wait(DAY), A], [A], [HandOver("call", to="x", within=9 * DAY)], [Wait(9 * DAY)]):
        stage = Stage.of(journey(*steps, lifetime=DAY)).call()
        stage.go(START + DAY - TICK)
        assert stage.run.alive
        stage.go(START + 3 * DAY)
        assert (stage.run.outcome, stage.run.ended) == ("expired", START + DAY)
        assert stage.pending == []
        assert stage.sent == (["a"] if steps == [A] else [])


def test_after_an_outage_what_was_due_before_the_expiry_comes_first() -> None:
    stage = Stage.of(journey(Wait(HOUR), Update("seen", 1), Wait(9 * DAY), lifetime=DAY)).call()
    stage.sleep(START + 5 * DAY)
    assert stage.person.facts.attribute("seen", stage.now) == 1
    assert stage.run.outcome == "expired"


def test_the_goal_goes_on_measuring_after_the_run() -> None:
    stage = Stage.of(journey(goal=did("purchase").since_entry().within(7 * DAY))).call()
    assert (stage.run.outcome, stage.run.goal_open) == ("completed", True)
    stage.go(START + 5 * DAY).event("purchase")
    assert (stage.run.outcome, stage.run.goal_at, stage.run.goal_open) == (
        "completed",
        START + 5 * DAY,
        False,
    )
    assert stage.told(NoteKind.GOAL) == ["after the run"]
    stage.event("purchase", id="again")
    assert stage.told(NoteKind.GOAL) == ["after the run"]
    late = Stage.of(journey(goal=did("purchase").since_entry().within(7 * DAY))).call()
    assert late.go(START + 8 * DAY).event("purchase").run.goal_at is None


def test_at_one_instant_what_time_alone_brings_comes_in_the_same_order() -> None:
    silent = ~did("visit").within(DAY)
    for rules, outcome in (
        ({"goal": silent, "exit": silent}, "goal"),
        ({"exit": silent}, "exit"),
        ({"exit": did("visit").within(DAY) & silent}, "expired"),
    ):
        made = journey(Wait(DAY), A, lifetime=DAY, **rules)
        stage = Stage.of(made).event("visit").call().go(START + 2 * DAY)
        assert (stage.run.outcome, stage.run.ended, stage.sent) == (outcome, START + DAY, [])


def test_a_goal_reached_in_the_run_is_not_measured_again() -> None:
    stage = Stage.of(journey(Wait(9 * DAY), goal=BOUGHT)).call().go(START + HOUR).event("purchase")
    stage.go(START + DAY).event("purchase")
    assert (stage.run.goal_at, stage.run.goal_open) == (START + HOUR, False)
    assert stage.told(NoteKind.GOAL) == [""]
    assert stage.told(NoteKind.ENDED) == ["goal"]


def test_a_run_without_a_goal_measures_nothing() -> None:
    stage = Stage.of(journey()).call()
    assert stage.run.goal_open is False


def test_an_operator_ends_runs_of_one_journey_or_all() -> None:
    other = Journey("other", enter=by_call(), steps=[A], kind=MessageKind.TRIGGER)
    stage = Stage.of(journey(A), other).call().call("other")
    stage.take(Stopped(at=START, journey="other", reason="mistake"))
    assert [(run.journey, run.outcome) for run in stage.runs] == [("test", ""), ("other", "mistake")]
    stage.take(Stopped(at=START))
    assert [run.outcome for run in stage.runs] == ["stopped", "mistake"]
    assert stage.outbox == {}
