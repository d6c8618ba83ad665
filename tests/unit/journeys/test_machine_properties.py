"""What holds for every journey, every person and every stimulus."""

from datetime import timedelta
from itertools import count
from pickle import dumps as frozen

import attrs
from hypothesis import assume, given
from hypothesis import strategies as st

from crmsdk.journeys.deadlines import moved
from crmsdk.journeys.definition import Journey
from crmsdk.journeys.machine import step
from crmsdk.journeys.person import Enrollment, NoteKind, Phase
from crmsdk.journeys.stimuli import Answered, Ask, Asked, Begin, Fact, Input, Stimulus, Stop, Timer
from crmsdk.journeys.triggers import by_call
from crmsdk.journeys.turn import react
from crmsdk.model.codec import content_hash, dumps, loads
from crmsdk.model.facts import Facts
from crmsdk.model.message import MessageState
from crmsdk.testing.draws import NOW, histories
from crmsdk.testing.journey_draws import inputs, journeys
from tests.unit.journeys.stage import PROJECT, Stage, person

CALLED = journeys(enter=st.just(by_call()))
RESULTS = (MessageState.SENT, MessageState.REFUSED, MessageState.IN_DOUBT)
_MANY = 500


def begun(journey: Journey, facts: Facts) -> Stage:
    """Put a person on the stage and start one run, if the rules let it start."""
    stage = Stage.of(journey, who=person(facts), now=NOW).call("drawn")
    assume(stage.runs)
    return stage


def play(stage: Stage, data: st.DataObject) -> None:
    """Answer messages and tasks or let time go on, until nothing is left to do."""
    for _ in range(_MANY):
        if not any(run.alive for run in stage.runs):
            return
        open_tasks = [task for task in stage.tasks.values() if task.done is None]
        if data.draw(st.booleans()) and stage.pending:
            stage.answer(data.draw(st.sampled_from(RESULTS)), "why", stage.pending[:1])
        elif data.draw(st.booleans()) and open_tasks:
            stage.take(Answered(at=stage.now, task=open_tasks[0], answer="yes"))
        elif (wake := stage.person.wake) is not None:
            # At the end of the year 9999 nobody can be later.
            stage.sleep(moved(wake, data.draw(st.sampled_from((timedelta(0), timedelta(days=2))))) or wake)
        elif stage.pending:
            stage.answer()
    raise AssertionError("the person is still inside")


def stimuli(run: Enrollment) -> list[Stimulus]:
    """Give every kind of stimulus, those that mean nothing included."""
    about = [Asked(run.waits_for or "none", str(result), "why") for result in (*RESULTS, "done")]
    return [
        Begin(),
        Fact(),
        Timer(run.token),
        Timer(run.token - 1),
        *about,
        Asked("other", "sent"),
        Stop("x"),
    ]


def phases(run: Enrollment) -> list[Enrollment]:
    """Give a run in every phase, that fits any step."""
    able = (Phase.READY, Phase.PARKED, Phase.ENDED)
    return [run, *(attrs.evolve(run, phase=phase) for phase in able), attrs.evolve(run, paused=True)]


@given(st.data(), CALLED, histories(size=4))
def test_every_stimulus_in_every_phase_has_one_answer_and_changes_no_argument(
    data: st.DataObject, journey: Journey, facts: Facts
) -> None:
    stage = begun(journey, facts)
    program = stage.programs.active["drawn"]
    for held in (False, True):
        for now in (stage.now, stage.now + timedelta(days=data.draw(st.integers(0, 60)))):
            for run in phases(stage.run):
                for stimulus in stimuli(run):
                    before = frozen((run, stage.person.facts, stimulus))
                    first, second = (
                        step(
                            program,
                            run,
                            stimulus,
                            facts=stage.person.facts,
                            now=now,
                            project=PROJECT,
                            held=held,
                        )
                        for _ in range(2)
                    )
                    assert first == second
                    assert frozen((run, stage.person.facts, stimulus)) == before


@given(st.data(), CALLED, histories(size=4))
def test_a_stale_timer_changes_nothing(data: st.DataObject, journey: Journey, facts: Facts) -> None:
    stage = begun(journey, facts)
    later = stage.now + timedelta(days=data.draw(st.integers(0, 400)))
    for run in phases(stage.run):
        for token in (run.token - 1, run.token + 1):
            done = step(
                stage.programs.active["drawn"],
                run,
                Timer(token),
                facts=stage.person.facts,
                now=later,
                project=PROJECT,
            )
            assert (done.run, done.effects) == (run, ())


@given(journeys(), histories(size=4), inputs())
def test_an_early_timer_changes_nothing(journey: Journey, facts: Facts, given: list[Input]) -> None:
    stage = Stage.of(journey, who=person(facts), now=NOW)
    stage.take(*only_possible(journey, given))
    for run in stage.runs:
        done = step(
            stage.programs.active["drawn"],
            run,
            Timer(run.token),
            facts=stage.person.facts,
            now=stage.now,
            project=PROJECT,
        )
        assert (done.run, done.effects) == (run, ())


def only_possible(journey: Journey, given: list[Input]) -> list[Input]:
    """Leave out calls of a journey that takes none."""
    calls = any(trigger == by_call() for trigger in journey.enter)
    return [one for one in given if calls or type(one).__name__ != "Entered"]


@given(st.data(), journeys(), histories(size=4), inputs(), st.integers(0, 1))
def test_the_order_in_which_one_batch_is_given_means_nothing(
    data: st.DataObject, journey: Journey, facts: Facts, given: list[Input], version: int
) -> None:
    stage = Stage.of(journey, who=person(facts, version=version), now=NOW)
    possible = only_possible(journey, given)
    shuffled = data.draw(st.permutations(possible))
    one, other = (react(stage.programs, stage.person, batch, now=stage.now) for batch in (possible, shuffled))
    assert one == other


@given(journeys(), histories(size=4), inputs(), inputs(first=5), st.integers(0, 1))
def test_a_turn_is_settled_and_pure(
    journey: Journey, facts: Facts, given: list[Input], more: list[Input], version: int
) -> None:
    stage = Stage.of(journey, who=person(facts, version=version), now=NOW)
    for batch in (given, more):
        possible = only_possible(journey, batch)
        before = frozen(stage.person)
        first, second = (
            react(stage.programs, stage.person, possible, now=stage.now, paused=stage.paused)
            for _ in range(2)
        )
        assert first == second
        assert frozen(stage.person) == before
        stage.take(*possible)  # it asserts that the next wake is later
        again = react(stage.programs, stage.person, now=stage.now, paused=stage.paused)
        assert again.person == stage.person, "nothing is left to do at the same moment"
        assert not again.messages
        assert not again.notes
        stage.now += timedelta(days=1)
        stage.paused = frozenset({"drawn"}) - stage.paused


@given(st.data(), CALLED, histories(size=4))
def test_everybody_comes_to_an_end(data: st.DataObject, journey: Journey, facts: Facts) -> None:
    stage = begun(journey, facts)
    play(stage, data)
    assert [note for note in stage.notes if note.kind is NoteKind.PARKED] == []
    assert all(run.ended is not None and run.outcome for run in stage.runs)
    assert stage.pending == []


@given(st.data(), journeys(), histories(size=4), inputs(), inputs(first=5))
def test_no_message_is_asked_for_twice(
    data: st.DataObject, journey: Journey, facts: Facts, given: list[Input], more: list[Input]
) -> None:
    stage = Stage.of(journey, who=person(facts), now=NOW)
    for batch, number in zip((given, more, []), count(), strict=False):
        stage.take(*only_possible(journey, batch))
        if data.draw(st.booleans()):
            stage.answer(data.draw(st.sampled_from(RESULTS)))
        stage.sleep(NOW + timedelta(days=number * data.draw(st.sampled_from((1, 40)))))
    assert len(stage.asked) == len(set(stage.asked))


@given(st.data(), CALLED, histories(size=4))
def test_a_held_run_moves_only_by_goal_exit_and_answers(
    data: st.DataObject, journey: Journey, facts: Facts
) -> None:
    stage = begun(journey, facts)
    if data.draw(st.booleans()):
        stage.answer()
    program, run = stage.programs.active["drawn"], stage.run
    assume(run.alive)
    later = stage.now + timedelta(days=data.draw(st.integers(0, 60)))

    def held(stimulus: Stimulus) -> Enrollment:
        done = step(program, run, stimulus, facts=stage.person.facts, now=later, project=PROJECT, held=True)
        assert not any(isinstance(effect, Ask) for effect in done.effects)
        assert done.run.wake is None
        return done.run

    for stimulus in (Begin(), Fact(), Timer(run.token)):
        moved = held(stimulus)
        if moved.alive:
            assert (moved.cursor, moved.phase, moved.since, moved.token) == (
                run.cursor,
                run.phase,
                run.since,
                run.token,
            )
        else:
            assert moved.outcome in {"goal", "exit"}
    moved = held(Asked(run.waits_for or "none", "sent"))
    if moved.alive and run.waits_for:
        assert (moved.phase, moved.waits_for) == (Phase.READY, "")


@given(journeys())
def test_a_journey_comes_back_from_its_text(journey: Journey) -> None:
    back = loads(dumps(journey), Journey)
    assert back == journey
    assert content_hash(back) == content_hash(journey)
