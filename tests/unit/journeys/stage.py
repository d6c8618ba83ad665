"""A stage for one person: time goes on, facts come, messages are answered; all by the pure core."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from crmsdk.journeys.definition import Journey
from crmsdk.journeys.person import Change, Enrollment, Note, NoteKind, Person, Task
from crmsdk.journeys.program import Project
from crmsdk.journeys.programs import Programs
from crmsdk.journeys.steps import Exit, HandOver, Send
from crmsdk.journeys.stimuli import Entered, Handed, Happened, Input, Wrote
from crmsdk.journeys.triggers import by_call
from crmsdk.journeys.turn import react
from crmsdk.model.customer import AttributeWrite
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.model.message import Message, MessageKind, MessageState
from crmsdk.segments.words import did

ANN = CustomerId("ann")
START = datetime(2026, 3, 2, 10, tzinfo=UTC)  # a Monday
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
PROJECT = Project(zone="UTC")
BOUGHT = did("purchase").since_entry()
A, B = Send("a", "email", key="a"), Send("b", "email", key="b")


def journey(*steps: Any, **changes: Any) -> Journey:
    """Make the journey "test", which begins by call."""
    return Journey("test", enter=by_call(), steps=steps, kind=MessageKind.TRIGGER, **changes)


TASK = journey(HandOver("call", to="sales", within=DAY, done=[A], overdue=[B], key="t"), Exit("after"))


def person(facts: Facts | None = None, **changes: Any) -> Person:
    """Make a person who is stored already, so that what they are is no news."""
    made = Person(id=ANN, version=1, created=START, facts=facts or Facts(customer=ANN))
    return attrs.evolve(made, **changes)


def happened(name: str, at: datetime, id: str = "", **values: Any) -> Happened:
    """Make an event that arrived in time."""
    event = Event(
        id=EventId(id or f"{name}-{at.isoformat()}"),
        customer=ANN,
        name=name,
        at=at,
        received=at,
        properties=values,
    )
    return Happened(event=event)


def wrote(at: datetime, zone: str | None = None, **values: Any) -> Wrote:
    """Make writes of attributes."""
    id = EventId(f"w-{at.isoformat()}-{'-'.join(values)}")
    writes = tuple(AttributeWrite(name=name, value=value, at=at, id=id) for name, value in values.items())
    return Wrote(at=at, id=id, attributes=writes, zone=zone)


@attrs.define
class Stage:
    """One person and everything that happened to them."""

    programs: Programs
    person: Person
    now: datetime = START
    paused: frozenset[str] = frozenset()
    outbox: dict[str, Message] = attrs.field(factory=dict)
    tasks: dict[str, Task] = attrs.field(factory=dict)
    notes: list[Note] = attrs.field(factory=list)
    asked: list[str] = attrs.field(factory=list)

    @classmethod
    def of(cls, *journeys: Journey, who: Person | None = None, **settings: Any) -> "Stage":
        """Open a stage with journeys in force."""
        return cls(Programs.of(journeys, project=PROJECT), who or person(), **settings)

    def take(self, *inputs: Input) -> Change:
        """Let inputs act now."""
        change = react(self.programs, self.person, inputs, now=self.now, paused=self.paused)
        wake = change.person.wake
        assert wake is None or wake > self.now, "after a turn, the next one is later"
        self.person = attrs.evolve(change.person, version=change.person.version + 1)
        self.notes += change.notes
        self.tasks |= {task.id: task for task in change.tasks}
        for message in change.messages:
            self.outbox[message.id] = message
            self.asked.append(message.id)
        for run in change.withdrawn:
            pending = [m.id for m in self.outbox.values() if m.enrollment == run and not m.state.final]
            for id in pending:
                del self.outbox[id]
        return change

    def go(self, to: datetime) -> "Stage":
        """Let time go on, stopping wherever something is due."""
        while (wake := self.person.wake) is not None and wake <= to:
            self.now = max(wake, self.now)
            self.take()
        self.now = to
        return self

    def sleep(self, to: datetime) -> "Stage":
        """Let time go on with nobody looking, as in an outage; then look once."""
        self.now = to
        self.take()
        return self

    def call(self, journey: str = "test", key: str = "1", **values: Any) -> "Stage":
        """Start a run by hand."""
        self.take(Entered(at=self.now, journey=journey, key=key, values=values))
        return self

    def event(self, name: str, at: datetime | None = None, id: str = "", **values: Any) -> "Stage":
        """Let an event arrive now."""
        self.take(happened(name, self.now if at is None else at, id, **values))
        return self

    def write(self, zone: str | None = None, **values: Any) -> "Stage":
        """Write attributes now."""
        self.take(wrote(self.now, zone, **values))
        return self

    @property
    def pending(self) -> list[Message]:
        """The messages that wait to be sent, in the order they go."""
        return sorted((m for m in self.outbox.values() if not m.state.final), key=lambda m: m.order)

    def answer(
        self,
        result: MessageState = MessageState.SENT,
        reason: str = "",
        messages: Iterable[Message] | None = None,
    ) -> "Stage":
        """Bring messages to their end, all pending ones if none are named."""
        for message in self.pending if messages is None else messages:
            self.outbox[message.id] = attrs.evolve(message, state=result, reason=reason)
            self.take(Handed(at=self.now, message=message.id, result=result, reason=reason))
        return self

    @property
    def runs(self) -> tuple[Enrollment, ...]:
        """All runs, by entry."""
        return self.person.enrollments

    @property
    def run(self) -> Enrollment:
        """The only run."""
        (run,) = self.person.enrollments
        return run

    def told(self, kind: NoteKind) -> list[str]:
        """Give the texts of the notes of a kind."""
        return [note.text for note in self.notes if note.kind is kind]

    @property
    def sent(self) -> list[str]:
        """The templates asked for, in order."""
        return [note.text for note in self.notes if note.kind is NoteKind.ASKED]
