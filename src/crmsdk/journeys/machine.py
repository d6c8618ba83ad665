"""The machine: one run, one stimulus, one answer. It reads no clock, waits for nothing and sends nothing.

Rules of the house, all of them here:

- A stimulus is taken to its end: the run goes on from step to step until it has to wait (or ends).
- At one instant goal comes before exit, exit before expiry, and all three before the step at hand.
- Facts come before timers: ``Fact`` never fires a timer, and a wait asks about events dated up to its
  deadline even when it is asked later.
- A timer counts only with the run's token and not before its time; a late one acts once, as if in time
  (``nominal``), except that a send then follows the journey's ``overdue`` rule.
- A run that waits for a message goes on only by the end of that message.
- Every stimulus in every phase has an answer; one that means nothing changes nothing.
"""

from datetime import datetime
from typing import assert_never

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.experiments.split import assign
from crmsdk.journeys.deadlines import due_of, same_time_after
from crmsdk.journeys.person import Enrollment, Note, NoteKind, Phase, Task
from crmsdk.journeys.program import END, Node, Program, Project
from crmsdk.journeys.steps import (
    Branch,
    Emit,
    Exit,
    HandOver,
    Send,
    Split,
    UntilDate,
    UntilLocal,
    Update,
    Wait,
    WaitFor,
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
from crmsdk.model.changing import with_changes
from crmsdk.model.customer import AttributeWrite
from crmsdk.model.event import AFTERWARDS, Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import EventId, MessageId, keyed_id
from crmsdk.model.message import Message, MessageState
from crmsdk.segments.compiling import compile_condition
from crmsdk.segments.evaluating import holds
from crmsdk.segments.grammar import Condition
from crmsdk.segments.verdict import RunView

__all__ = ["Step", "step", "view_of"]

_BUDGET = 1_000  # steps one stimulus may take; a program without loops cannot reach it
_DEEPEST = 9  # answers to answers of one moment that keep their order; deeper ones are a circle


@attrs.frozen(kw_only=True)
class Step:
    """The machine's answer.

    Attributes:
        run: The run afterwards.
        effects: What it wishes for, in order.
    """

    run: Enrollment
    effects: tuple[Effect, ...] = ()

    @property
    def wake_at(self) -> datetime | None:
        """When to ask again at the latest, UTC; None when only facts move the run."""
        return self.run.wake


def view_of(run: Enrollment) -> RunView:
    """Give what a run-relative condition may know of the run."""
    return RunView(entry=run.position, entered=run.entered, key=run.key_value, key_name=run.key_name)


def step(
    program: Program,
    run: Enrollment,
    stimulus: Stimulus,
    *,
    facts: Facts,
    now: datetime,
    project: Project,
    held: bool = False,
) -> Step:
    """Give the run and its wishes after one stimulus; total and pure.

    Args:
        program: The compiled definition the run is pinned to.
        run: The run before.
        stimulus: What happened.
        facts: All facts of the customer at this place of the order, the stimulus included.
        now: The present moment, UTC; never before ``run.since`` by more than clock skew.
        project: Zone and key of the application.
        held: The run or its journey is paused: goal and exit act, nothing else moves.

    Returns:
        The run afterwards with its next wake, and effects in the order they were wished.

    Source:
        docs/explanation/time.md states the order; docs/explanation/journeys.md the machine.
    """
    return _Turn(program, run, facts, now, project, held=held or run.paused).take(stimulus)


class _Turn:
    """One macrostep; lives for one call of ``step``."""

    __slots__ = ("effects", "facts", "held", "now", "program", "project", "run", "untils", "view")

    def __init__(
        self, program: Program, run: Enrollment, facts: Facts, now: datetime, project: Project, *, held: bool
    ) -> None:
        self.program = program
        self.run = run
        self.facts = facts
        self.now = now
        self.project = project
        self.held = held
        self.view = view_of(run)  # what it holds of a run never changes
        self.effects: list[Effect] = []
        self.untils: list[datetime] = []

    # -------------------------------------------------------------------------------------- entrance

    def take(self, stimulus: Stimulus) -> Step:
        run = self.run
        if run.phase is Phase.ENDED:
            if isinstance(stimulus, Fact):
                self._measure()
            return Step(run=self.run, effects=tuple(self.effects))
        match stimulus:
            case Stop():
                self._end(stimulus.reason)
            case Timer(token) if token != run.token:
                return Step(run=run)
            case _ if run.phase is Phase.PARKED:
                return Step(run=run)
            case Begin() | Fact() | Timer() | Asked():
                if not self._rules() and not self._expires(stimulus):
                    self._act(stimulus)
            case _:
                assert_never(stimulus)
        return Step(run=with_changes(self.run, wake=self._wake()), effects=tuple(self.effects))

    def _holds(self, condition: Condition) -> bool:
        return holds(condition, self.facts, self.now, run=self.view, zone=self.project.zone)

    def _stands(self, condition: Condition) -> bool:
        """Ask, and wake the run when the answer may have changed by time alone."""
        answer = compile_condition(condition)
        matched, until = answer(self.facts, self.now, self.view, self.project.zone)
        if until is not None:
            self.untils.append(until)
        return matched

    # ----------------------------------------------------------------------------------- standing rules

    def _measure(self) -> None:
        goal = self.program.journey.goal
        if self.run.goal_open and goal is not None and self._holds(goal):
            self.run = with_changes(self.run, goal_at=self.now, goal_open=False)
            self._tell(NoteKind.GOAL, "after the run")

    def _rules(self) -> bool:
        """Apply goal and exit; say whether the run ended."""
        journey = self.program.journey
        if journey.goal is not None and self.run.goal_open and self._stands(journey.goal):
            self.run = with_changes(self.run, goal_at=self.now, goal_open=False)
            self._tell(NoteKind.GOAL)
            self._end("goal")
            return True
        if journey.exit is not None and self._stands(journey.exit):
            self._end("exit")
            return True
        return False

    def _expires(self, stimulus: Stimulus) -> bool:
        """Apply the lifetime, unless a timer that is due earlier has yet to act."""
        lifetime = self.program.journey.lifetime
        if lifetime is None or self.held:
            return False
        expires = self.run.entered + lifetime
        self.untils.append(expires)
        earlier = self.run.due is not None and self.run.due < expires
        if expires <= self.now and isinstance(stimulus, Timer) and not earlier:
            self._end("expired")
            return True
        return False

    def _end(self, outcome: str) -> None:
        waits, sending = self.run.waits_for, self.run.phase is Phase.SENDING
        self.run = with_changes(
            self.run,
            phase=Phase.ENDED,
            ended=self.now,
            outcome=outcome,
            due=None,
            waits_for="",
        )
        self.untils.clear()
        if waits:
            self.effects.append(Withdraw(self.run.id))
            if sending:
                self._tell(NoteKind.WITHDRAWN, "the run ended before it was sent", message=waits)
        self._tell(NoteKind.ENDED, outcome)

    def _wake(self) -> datetime | None:
        if self.held:
            return None
        due = self.run.due
        return min([*self.untils, *([due] if due is not None else [])], default=None)

    # ----------------------------------------------------------------------------------- the step at hand

    def _act(self, stimulus: Stimulus) -> None:
        run = self.run
        match run.phase:
            case Phase.SENDING if isinstance(stimulus, Asked) and stimulus.about == run.waits_for:
                self._handed(stimulus)
            case Phase.TASK if not self.held or isinstance(stimulus, Asked):
                self._tasked(stimulus)
            case Phase.READY if not self.held:
                self._go(run.cursor, run.since)
            case Phase.WAITING if not self.held:
                self._waiting(stimulus)
            case _:
                pass

    def _node(self) -> Node:
        return self.program.nodes[self.run.cursor]

    def _due(self) -> datetime:
        return self.run.due or self.now

    def _fires(self, stimulus: Stimulus) -> bool:
        return isinstance(stimulus, Timer) and self.run.due is not None and self.run.due <= self.now

    def _waiting(self, stimulus: Stimulus) -> None:
        node = self._node()
        at = node.step
        fires = self._fires(stimulus)
        match at:
            case WaitFor():
                if self._came_true(at):
                    self._tell(NoteKind.STEP, "came true")
                    self._go(node.arms[0], self.now)
                elif fires:
                    self._tell(NoteKind.STEP, "time ran out")
                    self._go(node.arms[1], self._due())
            case Wait():
                if isinstance(at.until, UntilDate | UntilLocal):  # date or zone may have moved meanwhile
                    going = self._wait(at, node, self.run.since)
                    if going is not None:
                        self._go(going, self.now)
                        return
                if self.run.alive and self._fires(stimulus):
                    self._go(node.next, self._due())
            case _ if fires:  # a late send that was put off
                self._go(node.index, self._due())
            case _:
                pass

    def _came_true(self, at: WaitFor) -> bool:
        """Ask about events dated up to the deadline, also when the question comes later."""
        deadline = self.run.since + at.timeout
        if self.now <= deadline:
            return self._stands(at.condition)
        return holds(at.condition, self.facts, deadline, run=self.view, zone=self.project.zone)

    def _handed(self, stimulus: Asked) -> None:
        node = self._node()
        at = node.step
        refused = stimulus.result == MessageState.REFUSED
        if refused and isinstance(at, Send) and at.on_refusal == "exit":
            self._let_go()
            self._end(f"refused: {stimulus.reason}")
        else:
            self._go(node.next, self.now)

    def _tasked(self, stimulus: Stimulus) -> None:
        node = self._node()
        if isinstance(stimulus, Asked) and stimulus.about == self.run.waits_for:
            self._tell(NoteKind.TASK, "answered")
            self._go(node.arms[0], self.now)
        elif self._fires(stimulus):
            self._tell(NoteKind.TASK, "overdue")
            self._go(node.arms[1], self._due())

    # ----------------------------------------------------------------------------------- going on

    def _go(self, cursor: int, nominal: datetime) -> None:
        """Go from step to step until one of them waits; a held run stays before the first."""
        self._let_go()
        if self.held:
            self.run = with_changes(self.run, phase=Phase.READY, cursor=cursor, since=self.now, due=None)
            return
        for _ in range(_BUDGET):
            if cursor == END:
                self._end("completed")
                return
            node = self.program.nodes[cursor]
            self.run = with_changes(
                self.run,
                cursor=cursor,
                since=nominal,
                due=None,
                token=self.run.token + 1,
            )
            going = self._enter(node, nominal)
            if going is None:
                return
            cursor = going
        raise DefinitionError(
            f"more than {_BUDGET} steps at one moment", path=self.program.nodes[cursor].path
        )

    def _let_go(self) -> None:
        """Wait for no message or task any longer: it has come to its end, and is not to be taken back."""
        if self.run.waits_for:
            self.run = with_changes(self.run, waits_for="")

    def _arm(self, due: datetime) -> None:
        self.run = with_changes(self.run, phase=Phase.WAITING, due=due)

    def _enter(self, node: Node, nominal: datetime) -> int | None:
        """Enter a step; give the next one, or None where the run waits or has ended."""
        at = node.step
        match at:
            case Send():
                return self._send(at, node, nominal)
            case Wait():
                return self._wait(at, node, nominal)
            case WaitFor():
                if self._came_true(at):
                    self._tell(NoteKind.STEP, "came true")
                    return node.arms[0]
                self._arm(nominal + at.timeout + at.grace)
                return None
            case Branch():
                taken = next(
                    (index for index, arm in enumerate(at.arms) if self._holds(arm.condition)),
                    len(at.arms),
                )
                name = str(taken) if taken < len(at.arms) else "otherwise"
                self._tell(NoteKind.STEP, f"arm {name}")
                return node.arms[taken]
            case Split():
                name = assign(at.experiment, self.run.customer, {arm.name: arm.weight for arm in at.arms})
                self._tell(NoteKind.STEP, f"arm {name}")
                return node.arms[[arm.name for arm in at.arms].index(name)]
            case Update():
                self._write(at, node)
                return node.next
            case Emit():
                self._emit(at, node)
                return node.next
            case HandOver():
                return self._hand_over(at, node)
            case Exit():
                self._end(at.reason)
                return None
            case _:
                assert_never(at)

    def _wait(self, at: Wait, node: Node, nominal: datetime) -> int | None:
        due = due_of(at, nominal, facts=self.facts, now=self.now, zone=self.project.zone)
        if due is not None and due >= nominal:
            self._arm(due)
            return None
        if at.past == "exit":
            self._end("date is past" if due is not None else "no date")
            return None
        return node.next

    def _send(self, at: Send, node: Node, nominal: datetime) -> int | None:
        journey = self.program.journey
        late = self.now - nominal
        if late > journey.max_lateness and journey.overdue != "send":
            self._tell(NoteKind.LATE, journey.overdue)
            if journey.overdue == "skip":
                return node.next
            zone = self.facts.zone or self.project.zone
            self._arm(same_time_after(nominal, self.now, zone))
            return None
        message = self._message(at, node)
        self.effects.append(Ask(message))
        if message.control:
            self._tell(NoteKind.SUPPRESSED, "holdout", message=message.id)
            return node.next
        self._tell(NoteKind.ASKED, at.template, message=message.id)
        self.run = with_changes(self.run, phase=Phase.SENDING, waits_for=message.id)
        return None

    def _message(self, at: Send, node: Node) -> Message:
        journey, run = self.program.journey, self.run
        kind = journey.kind if at.kind is None else at.kind
        purpose = (journey.purpose if at.purpose is None else at.purpose) or str(kind)
        return Message(
            id=MessageId(
                keyed_id(self.project.secret, (run.journey, run.customer, run.id, node.key, "0", "0"))
            ),
            customer=self.facts.customer,
            journey=run.journey,
            definition=run.definition,
            enrollment=run.id,
            step=node.key,
            template=at.template,
            channels=at.via,
            kind=kind,
            purpose=purpose,
            topic=at.topic,
            campaign=(journey.campaign if at.campaign is None else at.campaign) or run.journey,
            sender=journey.sender if at.sender is None else at.sender,
            priority=journey.priority if at.priority is None else at.priority,
            due=self.now,
            not_before=self.now,
            expires=self.now + (journey.expires if at.expires is None else at.expires),
            payload={**run.values, **at.values},
            state=MessageState.SUPPRESSED if run.control else MessageState.PENDING,
            reason="holdout" if run.control else "",
            control=run.control,
        )

    def _write(self, at: Update, node: Node) -> None:
        write = AttributeWrite(
            name=at.attribute,
            value=at.value,
            at=self.now,
            id=self._fact_id(node),
            source=f"journey:{self.run.journey}",
        )
        self.facts = self.facts.with_attributes((write,))
        self.effects.append(Write(write))

    def _emit(self, at: Emit, node: Node) -> None:
        event = Event(
            id=self._fact_id(node),
            customer=self.facts.customer,
            name=at.event,
            at=self.now,
            received=self.now,
            properties={**self.run.values, **at.values},
            source=f"journey:{self.run.journey}",
        )
        self.facts = self.facts.with_events((event,))
        self.effects.append(Record(event))

    def _hand_over(self, at: HandOver, node: Node) -> int | None:
        deadline = self.now + at.within  # from the opening, however late: nobody could have done it before
        if self.run.control:
            self._tell(NoteKind.SUPPRESSED, "holdout")
            self.run = with_changes(self.run, phase=Phase.TASK, due=deadline)
            return None
        task = Task(
            id=keyed_id(self.project.secret, ("task", self.run.id, node.key)),
            customer=self.facts.customer,
            journey=self.run.journey,
            enrollment=self.run.id,
            step=node.key,
            title=at.task,
            to=at.to,
            opened=self.now,
            deadline=deadline,
        )
        self.effects.append(OpenTask(task))
        self._tell(NoteKind.TASK, at.task)
        self.run = with_changes(self.run, phase=Phase.TASK, waits_for=task.id, due=deadline)
        return None

    # ----------------------------------------------------------------------------------- small change

    def _fact_id(self, node: Node) -> EventId:
        """Name a fact so that it sorts behind its trigger and the run's earlier facts of its moment."""
        made = keyed_id(self.project.secret, ("fact", self.run.id, node.key))
        moment, trigger = self.run.position
        answers = len(trigger) - len(trigger.lstrip(AFTERWARDS)) if moment == self.now else 0
        return EventId(f"{AFTERWARDS * min(answers + 1, _DEEPEST)}{self.run.token:06}-{made}")

    def _tell(self, kind: NoteKind, text: str = "", *, message: str = "") -> None:
        self.effects.append(
            Tell(
                Note(
                    at=self.now,
                    kind=kind,
                    journey=self.run.journey,
                    enrollment=self.run.id,
                    step=self.program.key_at(self.run.cursor),
                    message=message,
                    text=text,
                )
            )
        )
