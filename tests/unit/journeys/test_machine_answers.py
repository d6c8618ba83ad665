"""One stimulus, one answer: the run and the wishes as whole values, asked of the machine itself."""

from datetime import date, datetime
from typing import Any

import attrs
import pytest

from crmsdk.errors import DefinitionError
from crmsdk.experiments.split import assign
from crmsdk.journeys.definition import Holdout, Journey
from crmsdk.journeys.machine import Step, step, view_of
from crmsdk.journeys.person import Enrollment, Note, NoteKind, Phase
from crmsdk.journeys.program import Project, compiled
from crmsdk.journeys.steps import (
    Arm,
    Branch,
    Emit,
    Exit,
    HandOver,
    Send,
    Split,
    Update,
    Wait,
    WaitFor,
    When,
    date_of,
)
from crmsdk.journeys.stimuli import (
    Ask,
    Asked,
    Begin,
    Effect,
    Fact,
    OpenTask,
    Record,
    Stimulus,
    Stop,
    Tell,
    Timer,
    Withdraw,
    Write,
)
from crmsdk.model.event import Position
from crmsdk.model.facts import Facts
from crmsdk.model.ids import EnrollmentId, keyed_id
from crmsdk.segments.meaning import RunView
from crmsdk.segments.words import attr, did
from tests.unit.journeys.stage import ANN, DAY, HOUR, START, A, journey, wrote

PROJECT = Project(zone="UTC", secret=b"key of a test application")
NOBODY = Facts(customer=ANN)


def new(made: Journey, **changes: Any) -> Enrollment:
    """Make a run before its first step."""
    fields: dict[str, Any] = {
        "id": EnrollmentId("r1"),
        "journey": "test",
        "definition": compiled(made).hash,
        "customer": ANN,
        "position": (START, "e1"),
        "entered": START,
        "since": START,
        "goal_open": made.goal is not None,
    }
    return Enrollment(**{**fields, **changes})


def ask(
    made: Journey,
    stimulus: Stimulus | None = None,
    *,
    run: Enrollment | None = None,
    facts: Facts = NOBODY,
    now: datetime = START,
    held: bool = False,
) -> Step:
    run = new(made) if run is None else run
    return step(compiled(made), run, stimulus or Begin(), facts=facts, now=now, project=PROJECT, held=held)


def told(kind: NoteKind, text: str, key: str, *, at: datetime = START, message: str = "") -> Tell:
    """Make a line of the timeline of the run."""
    return Tell(Note(at=at, kind=kind, journey="test", enrollment="r1", step=key, message=message, text=text))


def wishes(answer: Step, kind: type[Effect]) -> list[Any]:
    return [effect for effect in answer.effects if isinstance(effect, kind)]


# ------------------------------------------------------------------------------------------- ids


def test_id_of_a_message_is_that_of_journey_person_run_step_iteration_and_epoch() -> None:
    """It must be the same in every release: a provider knows a retry by it."""
    (asked,) = wishes(ask(journey(A)), Ask)
    assert asked.message.id == keyed_id(PROJECT.secret, ("test", ANN, "r1", "a", "0", "0"))
    assert asked.message.definition == compiled(journey(A)).hash
    assert asked.message.enrollment == "r1"


def test_id_of_a_task_is_that_of_run_and_step() -> None:
    (opened,) = wishes(ask(journey(HandOver("call", to="sales", within=DAY, key="t"))), OpenTask)
    assert opened.task.id == keyed_id(PROJECT.secret, ("task", "r1", "t"))


@pytest.mark.parametrize(
    ("position", "prefix"),
    [
        ((START, "e1"), "~"),
        ((START, ""), "~"),
        ((START, "~000002-x"), "~~"),
        ((START, "~~000002-x~"), "~~~"),
        ((START, "~" * 8 + "x"), "~" * 9),
        ((START, "~" * 9 + "x"), "~" * 9),  # deeper ones are a circle
        ((START - HOUR, "~~000002-x"), "~"),
    ],
)
def test_fact_of_a_run_sorts_behind_its_trigger_and_its_earlier_facts(
    position: Position, prefix: str
) -> None:
    made = journey(Update("vip", True, key="u"), Emit("ping", key="p"), Wait(DAY))
    answer = ask(made, run=new(made, position=position, token=7))
    (write,), (record,) = wishes(answer, Write), wishes(answer, Record)
    assert write.write.id == f"{prefix}000008-{keyed_id(PROJECT.secret, ('fact', 'r1', 'u'))}"
    assert record.event.id == f"{prefix}000009-{keyed_id(PROJECT.secret, ('fact', 'r1', 'p'))}"
    assert write.write.id < record.event.id


def test_a_run_reads_what_it_wrote() -> None:
    made = journey(
        Update("vip", True),
        Emit("ping"),
        Branch(When(did("ping") & (attr("vip") == True), [A])),  # noqa: E712 - a definition
    )
    assert wishes(ask(made), Ask)


# ----------------------------------------------------------------------------------------- timeline


def test_lines_say_when_what_where_and_about_which_message() -> None:
    arm = assign("test", ANN, {"x": 1, "y": 1})
    arms = [Arm(name, 1, [A] if name == arm else [Wait(DAY)]) for name in ("x", "y")]
    answer = ask(journey(Split("test", *arms, key="s")))
    (asked,) = wishes(answer, Ask)
    assert wishes(answer, Tell) == [
        told(NoteKind.STEP, f"arm {arm}", "s"),
        told(NoteKind.ASKED, "a", "a", message=asked.message.id),
    ]


def test_lines_of_a_held_out_person_name_the_step_and_the_message() -> None:
    made = journey(A, HandOver("call", to="sales", within=DAY, key="t"), holdout=Holdout(1.0))
    answer = ask(made, run=new(made, control=True))
    (asked,) = wishes(answer, Ask)
    assert wishes(answer, Tell) == [
        told(NoteKind.SUPPRESSED, "holdout", "a", message=asked.message.id),
        told(NoteKind.SUPPRESSED, "holdout", "t"),
    ]


def test_lines_of_waits_branches_and_tasks_name_their_step() -> None:
    made = journey(
        WaitFor(attr("x").missing(), timeout=DAY, key="w"),
        Branch(When(attr("x").exists(), [A]), key="b"),
        HandOver("call", to="sales", within=DAY, key="t", done=[Wait(DAY)], overdue=[Wait(DAY)]),
        Exit("enough", key="e"),
    )
    begun = ask(made)
    assert wishes(begun, Tell) == [
        told(NoteKind.STEP, "came true", "w"),
        told(NoteKind.STEP, "arm otherwise", "b"),
        told(NoteKind.TASK, "call", "t"),
    ]
    answered = ask(made, Asked(begun.run.waits_for, "done"), run=begun.run, now=START + HOUR)
    assert answered.effects == (told(NoteKind.TASK, "answered", "t", at=START + HOUR),)
    overdue = ask(made, Timer(begun.run.token), run=begun.run, now=START + DAY)
    assert overdue.effects == (told(NoteKind.TASK, "overdue", "t", at=START + DAY),)
    over = ask(made, Timer(overdue.run.token), run=overdue.run, now=START + 2 * DAY)
    assert over.effects == (told(NoteKind.ENDED, "enough", "e", at=START + 2 * DAY),)


def test_lines_of_a_wait_that_ends_name_it_and_not_what_follows() -> None:
    made = journey(WaitFor(attr("x").exists(), timeout=DAY, key="w", then=[Wait(DAY)], otherwise=[Wait(DAY)]))
    begun = ask(made).run
    late = ask(made, Timer(begun.token), run=begun, now=START + DAY)
    assert late.effects == (told(NoteKind.STEP, "time ran out", "w", at=START + DAY),)
    wrote_x = NOBODY.with_attributes(wrote(START + HOUR, x=1).attributes)
    came = ask(made, Fact(), run=begun, facts=wrote_x, now=START + HOUR)
    assert came.effects == (told(NoteKind.STEP, "came true", "w", at=START + HOUR),)


def test_lines_of_late_messages_name_the_step() -> None:
    made = journey(Wait(HOUR), A, overdue="skip", max_lateness=DAY)
    waiting = ask(made).run
    late = ask(made, Timer(waiting.token), run=waiting, now=START + 9 * DAY)
    assert late.effects[0] == told(NoteKind.LATE, "skip", "a", at=START + 9 * DAY)


def test_line_of_a_journey_without_steps_names_none() -> None:
    made = journey()
    assert ask(made, Stop("x")).effects == (told(NoteKind.ENDED, "x", ""),)


# -------------------------------------------------------------------------------------------- runs


def test_each_step_takes_a_token_of_its_own_and_the_moment_it_began() -> None:
    made = journey(Update("x", 1), Wait(DAY), Wait(HOUR))
    first = ask(made).run
    assert (first.cursor, first.token, first.since, first.due) == (
        1,
        2,
        START,
        START + DAY,
    )
    late = ask(made, Timer(first.token), run=first, now=START + DAY + HOUR / 2).run
    assert (late.cursor, late.token, late.since) == (2, 3, START + DAY)
    assert late.due == late.wake == START + DAY + HOUR


def test_a_run_that_ended_waits_for_nothing() -> None:
    for made in (journey(Wait(DAY)), journey(A), journey(HandOver("call", to="sales", within=DAY))):
        begun = ask(made).run
        answer = ask(made, Stop("enough"), run=begun, now=START + HOUR)
        assert answer.run == attrs.evolve(
            begun,
            phase=Phase.ENDED,
            ended=START + HOUR,
            outcome="enough",
            due=None,
            waits_for="",
            wake=None,
        )
        assert wishes(answer, Withdraw) == ([Withdraw(EnrollmentId("r1"))] if begun.waits_for else [])


@pytest.mark.parametrize(
    ("made", "result", "outcome"),
    [
        (journey(A), "sent", "completed"),
        (journey(Send("a", "email", on_refusal="exit")), "refused", "refused: why"),
        (journey(HandOver("call", to="sales", within=DAY)), "done", "completed"),
    ],
)
def test_what_came_to_its_end_is_not_taken_back(made: Journey, result: str, outcome: str) -> None:
    begun = ask(made).run
    answer = ask(made, Asked(begun.waits_for, result, "why"), run=begun)
    assert (answer.run.outcome, answer.run.waits_for) == (outcome, "")
    assert wishes(answer, Withdraw) == []


@pytest.mark.parametrize(
    "made", [journey(A, Wait(DAY)), journey(HandOver("c", to="s", within=DAY), Wait(DAY))]
)
def test_a_held_run_stands_before_the_next_step_and_keeps_no_timer(made: Journey) -> None:
    begun = ask(made).run
    answer = ask(made, Asked(begun.waits_for, "done"), run=begun, now=START + HOUR, held=True)
    assert answer.run == attrs.evolve(
        begun, phase=Phase.READY, cursor=1, since=START + HOUR, due=None, waits_for="", wake=None
    )


@pytest.mark.parametrize(
    "made",
    [
        journey(Wait(DAY)),
        journey(WaitFor(did("never"), timeout=DAY)),
        journey(HandOver("call", to="sales", within=DAY)),
    ],
)
def test_a_fact_fires_no_timer_and_a_stale_timer_asks_nothing(made: Journey) -> None:
    begun = ask(made).run
    for stimulus in (Fact(), Timer(begun.token - 1), Timer(begun.token + 1)):
        assert ask(made, stimulus, run=begun, now=START + DAY) == Step(run=begun)
    over = ask(made, Timer(begun.token), run=begun, now=START + DAY)
    assert over.run.outcome == "completed"


def test_a_fact_does_not_hasten_a_message_that_was_put_off() -> None:
    made = journey(Wait(HOUR), A, overdue="reschedule", max_lateness=DAY)
    waiting = ask(made).run
    late = START + 9 * DAY
    put_off = ask(made, Timer(waiting.token), run=waiting, now=late).run
    assert (put_off.phase, put_off.due) == (Phase.WAITING, late + HOUR)
    for stimulus in (Fact(), Timer(put_off.token)):
        assert ask(made, stimulus, run=put_off, now=late + HOUR / 2) == Step(run=put_off)
    assert wishes(ask(made, Timer(put_off.token), run=put_off, now=late + HOUR), Ask)


def test_a_stale_timer_asks_no_rule() -> None:
    made = journey(Wait(9 * DAY), exit=~did("visit"), lifetime=DAY)
    run = new(made, phase=Phase.WAITING, due=START + 9 * DAY, token=3)
    assert ask(made, Timer(2), run=run, now=START + 2 * DAY) == Step(run=run)
    assert ask(made, Timer(3), run=run, now=START + 2 * DAY).run.outcome == "exit"


def test_nobody_is_woken_while_held() -> None:
    made = journey(Wait(DAY), exit=~did("visit").within(HOUR) & attr("x").exists(), lifetime=2 * DAY)
    begun = ask(made).run
    assert begun.wake == START + DAY
    assert ask(made, Fact(), run=begun, held=True).run.wake is None


def test_after_a_date_that_moved_into_the_past_the_next_wait_counts_from_now() -> None:
    made = journey(Wait(date_of("day")), Wait(DAY))
    before = NOBODY.with_attributes(wrote(START, day=date(2026, 3, 9)).attributes)
    begun = ask(made, facts=before).run
    after = before.with_attributes(wrote(START + HOUR, day=date(2026, 3, 1)).attributes)
    moved = ask(made, Fact(), run=begun, facts=after, now=START + HOUR).run
    assert (moved.cursor, moved.since, moved.due) == (1, START + HOUR, START + HOUR + DAY)


def test_a_task_answered_while_held_does_not_put_the_expiry_off() -> None:
    made = journey(HandOver("call", to="sales", within=HOUR), Wait(9 * DAY), lifetime=DAY)
    begun = ask(made).run
    held = ask(made, Asked(begun.waits_for, "done"), run=begun, held=True).run
    assert ask(made, Timer(held.token), run=held, now=START + 2 * DAY).run.outcome == "expired"


def test_what_a_rule_may_know_of_a_run() -> None:
    run = new(journey(), key="7", key_name="cart", key_value=7)
    assert view_of(run) == RunView(entry=(START, "e1"), entered=START, key=7, key_name="cart")


def test_more_steps_than_there_can_be_are_a_fault_with_its_place() -> None:
    made = journey(*(Update("seen", number) for number in range(1_001)))
    with pytest.raises(DefinitionError, match=r"^steps\[1000\]: more than 1000 steps at one moment"):
        ask(made)
