"""Runs that stand still: paused, held, parked."""

from typing import Any

import attrs
import pytest

from crmsdk.journeys.definition import Journey
from crmsdk.journeys.person import NoteKind, Phase
from crmsdk.journeys.steps import Branch, Update, Wait, When
from crmsdk.journeys.stimuli import Answered, Held, Resumed, Stopped
from crmsdk.journeys.triggers import on
from crmsdk.model.message import MessageKind
from crmsdk.segments.words import did
from tests.unit.journeys.stage import BOUGHT, DAY, HOUR, PROJECT, START, TASK, TICK, A, B, Stage, journey

# -------------------------------------------------------------------------------------- standing still


def test_t14_a_paused_journey_freezes_and_drops_nobody() -> None:
    stage = Stage.of(journey(Wait(DAY), A, Wait(DAY), B)).call()
    stage.paused = frozenset({"test"})
    stage.sleep(START + 3 * DAY)
    assert (stage.run.phase, stage.run.wake, stage.sent) == (Phase.WAITING, None, [])
    stage.paused = frozenset()
    stage.take()
    assert stage.sent == ["a"]
    assert stage.run.alive


def test_t14_who_reaches_a_message_meanwhile_gets_it_afterwards() -> None:
    stage = Stage.of(journey(A, B)).call()
    stage.paused = frozenset({"test"})
    stage.answer()
    assert (stage.run.phase, stage.sent) == (Phase.READY, ["a"])
    stage.go(START + HOUR)
    stage.paused = frozenset()
    stage.take()
    assert stage.sent == ["a", "b"]


def test_t14_who_enters_a_paused_journey_begins_when_it_goes_on() -> None:
    stage = Stage.of(journey(A), paused=frozenset({"test"})).call()
    assert (stage.run.phase, stage.run.wake, stage.sent) == (Phase.READY, None, [])
    stage.paused = frozenset()
    stage.take()
    assert stage.sent == ["a"]


def test_t14_an_overdue_message_follows_the_stated_rule_when_the_journey_goes_on() -> None:
    for rule, sent in (("send", ["a"]), ("skip", [])):
        stage = Stage.of(journey(Wait(DAY), A, overdue=rule, max_lateness=DAY)).call()
        stage.paused = frozenset({"test"})
        stage.sleep(START + 9 * DAY)
        stage.paused = frozenset()
        stage.take()
        assert stage.sent == sent


def test_goal_and_exit_act_on_held_runs() -> None:
    stage = Stage.of(journey(Wait(DAY), exit=BOUGHT), paused=frozenset({"test"})).call()
    assert stage.event("purchase", START + TICK).go(START + HOUR).run.alive is False
    assert stage.run.outcome == "exit"


def test_a_held_run_does_not_expire_before_it_goes_on() -> None:
    stage = Stage.of(journey(Wait(9 * DAY), lifetime=DAY)).call()
    stage.paused = frozenset({"test"})
    stage.sleep(START + 2 * DAY).event("visit")
    assert stage.run.alive
    stage.paused = frozenset()
    stage.take()
    assert stage.run.outcome == "expired"


@pytest.mark.parametrize("rules", [{"lifetime": 2 * DAY}, {"exit": ~did("visit").within(2 * DAY)}])
def test_a_run_that_waits_for_a_message_is_woken_again_when_its_journey_goes_on(rules: Any) -> None:
    stage = Stage.of(journey(A, **rules)).event("visit").call()
    stage.paused = frozenset({"test"})
    stage.sleep(START + HOUR)
    assert stage.run.wake is None
    stage.paused = frozenset()
    stage.take()
    assert stage.go(START + 3 * DAY).run.ended == START + 2 * DAY


def test_an_operator_holds_the_runs_of_one_person() -> None:
    stage = Stage.of(journey(Wait(DAY), A)).call()
    stage.take(Held(at=START))
    stage.take(Held(at=START, journey="test"))
    assert (stage.told(NoteKind.PAUSED), stage.run.paused, stage.run.wake) == ([""], True, None)
    stage.sleep(START + 2 * DAY)
    assert stage.sent == []
    stage.take(Resumed(at=stage.now))
    assert (stage.told(NoteKind.RESUMED), stage.sent) == ([""], ["a"])


def test_a_task_answered_while_held_is_not_lost() -> None:
    stage = Stage.of(TASK).call()
    stage.paused = frozenset({"test"})
    (task,) = stage.tasks.values()
    stage.take(Answered(at=stage.now, task=task, answer="yes"))
    assert (stage.run.phase, stage.sent) == (Phase.READY, [])
    stage.sleep(START + 2 * DAY)
    stage.paused = frozenset()
    stage.take()
    assert stage.sent == ["a"]


def test_the_last_step_passed_while_held_ends_the_run_afterwards() -> None:
    stage = Stage.of(journey(A)).call()
    stage.paused = frozenset({"test"})
    stage.answer()
    assert stage.run.alive
    stage.paused = frozenset()
    stage.take()
    assert stage.run.outcome == "completed"


def test_a_run_that_ends_where_no_step_is_tells_of_none() -> None:
    split = Branch(When(did("signed_up"), [B]), otherwise=[A])
    stage = Stage.of(journey(split)).call()
    stage.paused = frozenset({"test"})
    stage.answer()
    stage.paused = frozenset()
    stage.take()
    assert [note.step for note in stage.notes if note.kind is NoteKind.ENDED] == [""]


# ----------------------------------------------------------------------------------------- poison


def test_a_run_whose_definition_is_lost_is_parked_alone() -> None:
    stage = Stage.of(journey(Wait(DAY), A)).call()
    lost = attrs.evolve(stage.run, definition="unknown", id="lost")  # type: ignore[arg-type]  # an id is text
    stage.person = attrs.evolve(stage.person, enrollments=(lost, stage.run))
    stage.go(START + DAY)
    assert [(run.phase, bool(run.error)) for run in stage.runs] == [
        (Phase.PARKED, True),
        (Phase.SENDING, False),
    ]
    assert "definition unknown is not known" in stage.told(NoteKind.PARKED)[0]
    stage.take(Stopped(at=stage.now))
    assert [run.alive for run in stage.runs] == [True, False]  # without its definition nobody can end it


def test_a_run_that_raises_is_parked_alone_and_can_be_stopped() -> None:
    stage = Stage.of(journey(Wait(DAY), A)).call()
    broken = attrs.evolve(stage.run, cursor=99, id="broken")  # type: ignore[arg-type]  # an id is text
    stage.person = attrs.evolve(stage.person, enrollments=(broken, stage.run))
    stage.go(START + DAY)
    assert stage.told(NoteKind.PARKED) == ["IndexError at step none"]
    assert [run.phase for run in stage.runs] == [Phase.PARKED, Phase.SENDING]
    stage.go(START + 3 * DAY).event("visit")
    assert [run.phase for run in stage.runs] == [Phase.PARKED, Phase.SENDING]
    stage.take(Stopped(at=stage.now))
    assert [run.phase for run in stage.runs] == [Phase.ENDED, Phase.ENDED]


def test_a_parked_run_moves_by_nothing_but_a_stop() -> None:
    stage = Stage.of(journey(Wait(DAY), A, exit=BOUGHT)).call()
    stage.person = stage.person.with_enrollment(attrs.evolve(stage.run, phase=Phase.PARKED, wake=None))
    stage.event("purchase", START + TICK).go(START + 9 * DAY)
    assert stage.run.phase is Phase.PARKED
    stage.take(Stopped(at=stage.now))
    assert stage.run.outcome == "stopped"


def test_an_older_version_drains_and_new_entries_take_the_new_one() -> None:
    old, new = journey(Wait(DAY), A), journey(Wait(DAY), B)
    stage = Stage.of(old).call()
    stage.programs = type(stage.programs).of([new], project=PROJECT, older=[old])
    stage.answer().go(START + HOUR).call(key="2").go(START + DAY + HOUR)
    assert sorted(stage.sent) == ["a", "b"]


def test_more_steps_at_one_moment_than_there_can_be_park_the_run() -> None:
    many = [Update("seen", number) for number in range(1_001)]
    stage = Stage.of(journey(*many)).call()
    assert stage.run.phase is Phase.PARKED
    assert "DefinitionError" in stage.told(NoteKind.PARKED)[0]
    assert Stage.of(journey(*many[:998])).call().run.outcome == "completed"


def test_a_person_whose_timers_never_end_is_parked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crmsdk.journeys.turn._TIMERS", 2)
    made = [
        Journey(name, enter=on("visit"), steps=[Wait(DAY), Wait(DAY)], kind=MessageKind.TRIGGER)
        for name in ("x", "y", "z")
    ]
    stage = Stage.of(*made).event("visit").sleep(START + DAY)
    assert [run.phase for run in stage.runs] == [Phase.PARKED] * 3
    assert set(stage.told(NoteKind.PARKED)) == {"more than 2 timers at one moment"}
