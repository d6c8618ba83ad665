"""The pure machine next to ``python-statemachine`` doing the same transitions.

``machine_step`` is the machine alone: a run is made, begun, timed and told that its message left. ``react``
is the whole turn of a person around it: triggers, entry policy, the order of facts, and the change to commit.
The peer holds its state in a Python object, keeps no time, and has nobody but its own run to mind.
"""

from typing import Final

from bench.engine._toy import LATER, PROGRAMS, START, Toy, buys, customers, started
from bench.frame import Run, Side, versus
from crmsdk.journeys.entering import run_of
from crmsdk.journeys.machine import step
from crmsdk.journeys.person import Person, Phase
from crmsdk.journeys.stimuli import Asked, Begin, Handed, Happened, Timer
from crmsdk.journeys.turn import react
from crmsdk.model.changing import with_changes
from crmsdk.model.facts import Facts
from crmsdk.model.message import MessageState
from crmsdk.model.values import EMPTY

__all__ = ["react_sides", "step_sides"]

N: Final = 1_000
TRANSITIONS: Final = 3
PEER: Final = "python-statemachine 3"
(PROGRAM,) = PROGRAMS.active.values()


def _people(n: int) -> list[Person]:
    return [Person(id=one, created=START, facts=Facts(customer=one)) for one in customers(n)]


def _steps(n: int) -> Side:
    def prepare() -> Run:
        known = [
            with_changes(person, facts=person.facts.with_events([started(person.id, number)]))
            for number, person in enumerate(_people(n))
        ]

        def play() -> None:
            sent = 0
            project = PROGRAMS.project
            for person in known:
                facts = person.facts
                run = run_of(
                    PROGRAM,
                    person,
                    key="",
                    key_name=None,
                    key_value=None,
                    started_by=facts.events[0].id,
                    position=facts.events[0].position,
                    values=EMPTY,
                    now=START,
                    project=project,
                )
                run = step(PROGRAM, run, Begin(), facts=facts, now=START, project=project).run
                run = step(PROGRAM, run, Timer(run.token), facts=facts, now=LATER, project=project).run
                asked = Asked(run.waits_for, "sent", "")
                run = step(PROGRAM, run, asked, facts=facts, now=LATER, project=project).run
                sent += run.phase is Phase.ENDED
            assert sent == n, sent

        return play

    return prepare


def _reacts(n: int) -> Side:
    def prepare() -> Run:
        people = [
            (person, Happened(event=started(person.id, number))) for number, person in enumerate(_people(n))
        ]

        def play() -> None:
            sent = 0
            for person, happened in people:
                after = react(PROGRAMS, person, [happened], now=START).person
                change = react(PROGRAMS, with_changes(after, version=1), now=LATER)
                (message,) = change.messages
                handed = Handed(at=LATER, message=message.id, result=MessageState.SENT)
                after = react(PROGRAMS, with_changes(change.person, version=2), [handed], now=LATER).person
                sent += not after.enrollments[0].alive
            assert sent == n, sent

        return play

    return prepare


def _peer(n: int) -> Side:
    def prepare() -> Run:
        def play() -> None:
            out: list[str] = []
            for number in range(n):
                machine = Toy(out, rich=buys(number))
                machine.enter()
                machine.due()
                machine.handed()
            assert len(out) == n, len(out)

        return play

    return prepare


def step_sides(n: int) -> tuple[Side, Side]:
    """Play so many journeys by the machine alone, and by the peer."""
    return _steps(n), _peer(n)


def react_sides(n: int) -> tuple[Side, Side]:
    """Play so many journeys by whole turns, and by the peer."""
    return _reacts(n), _peer(n)


@versus("engine.machine_step", n=N * TRANSITIONS, peer=PEER, least=4)
def machine_step() -> tuple[Side, Side]:
    """Count transitions of the machine alone."""
    return step_sides(N)


@versus("engine.machine_react", n=N * TRANSITIONS, peer=PEER, least=2)
def machine_react() -> tuple[Side, Side]:
    """Count transitions inside whole turns."""
    return react_sides(N)
