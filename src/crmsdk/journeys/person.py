"""One customer as the engine sees it: facts, runs and what is being watched for. The unit of consistency.

Nothing about one person depends on another, so a store guards each person with one version number and the
engine needs no other lock.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

import attrs

from crmsdk.model.changing import with_changes
from crmsdk.model.consent import ConsentWrite
from crmsdk.model.customer import AttributeWrite, Customer, Identifier
from crmsdk.model.event import Event, Position
from crmsdk.model.facts import Facts
from crmsdk.model.ids import AccountId, CustomerId, EnrollmentId
from crmsdk.model.message import Message
from crmsdk.model.values import EMPTY, Properties, Value

__all__ = [
    "Change",
    "Enrollment",
    "Note",
    "NoteKind",
    "Person",
    "Phase",
    "Task",
    "Watch",
    "WatchKind",
]


class Phase(StrEnum):
    """Where a run stands. All but ``ended`` are alive."""

    READY = "ready"
    WAITING = "waiting"
    SENDING = "sending"
    TASK = "task"
    PARKED = "parked"
    ENDED = "ended"


@attrs.frozen(kw_only=True)
class Enrollment:
    """One run of one customer through one journey; small, and everything the machine needs to go on.

    Attributes:
        id: Derived from journey, customer, key and what started it: the same start never makes two runs.
        journey: Its name.
        definition: Content hash of the definition the run is pinned to.
        customer: The customer at entry; stays in the message ids when people are joined.
        key, key_name, key_value: What tells runs of one customer apart; the property it was read from.
        position: Place of the trigger in the total order of facts: "since entry" counts after it.
        entered: When the run began, UTC.
        values: Properties of the trigger, for templates.
        control: In a holdout: walks through, gets nothing.
        cursor: Index of the step in the program.
        phase: What the run is doing there.
        since: When it came to the step, UTC; after an outage, when it should have come.
        due: When its timer fires, UTC; None without a timer.
        token: Grows at every arrival at a step, so that an old timer means nothing.
        waits_for: Message or task the run stays for.
        paused: By an operator, for this one run.
        wake: When the machine must be asked again at the latest, UTC; None when only facts move it.
        goal_at: When the goal was reached, UTC.
        goal_open: Whether the goal may still be reached; measured after the end, too.
        ended, outcome: When and how the run ended: completed, goal, exit …, or a reason of its own.
        error: Why it is parked.
    """

    id: EnrollmentId
    journey: str
    definition: str
    customer: CustomerId
    key: str = ""
    key_name: str | None = None
    key_value: Value = attrs.field(default=None, hash=False, repr=False)
    position: Position
    entered: datetime
    values: Properties = attrs.field(default=EMPTY, hash=False, repr=False)
    control: bool = False
    cursor: int = 0
    phase: Phase = Phase.READY
    since: datetime
    due: datetime | None = None
    token: int = 0
    waits_for: str = ""
    paused: bool = False
    wake: datetime | None = None
    goal_at: datetime | None = None
    goal_open: bool = True
    ended: datetime | None = None
    outcome: str = ""
    error: str = ""

    @property
    def alive(self) -> bool:
        """Whether the run has not ended."""
        return self.phase is not Phase.ENDED


class WatchKind(StrEnum):
    """What is being watched for on behalf of a trigger."""

    ABSENCE = "absence"
    SEGMENT = "segment"
    DATE = "date"
    SCHEDULE = "schedule"
    EVENT = "event"


@attrs.frozen(kw_only=True)
class Watch:
    """One thing a trigger waits for, for one person.

    Attributes:
        kind: An absence to be completed, a segment's answer, a date, a schedule, or a future-dated event.
        journey, slot: The journey's name and the index of the trigger in it; empty and 0 for an event.
        key: Of an absence the entry key, of an event its id; else empty.
        due: When to look again, UTC; None when only facts change it.
        matched: Of a segment the last answer.
        position: Of an absence the anchor event; of an event its place.
        value: Of a date the value it was computed from; of a segment its content hash.
    """

    kind: WatchKind
    journey: str = ""
    slot: int = 0
    key: str = ""
    due: datetime | None = None
    matched: bool = False
    position: Position | None = None
    value: Value = attrs.field(default=None, hash=False, repr=False)

    @property
    def id(self) -> tuple[str, str, int, str]:
        """What it is of one person: one watch per kind, journey, slot and key."""
        return (self.kind, self.journey, self.slot, self.key)


@attrs.frozen(kw_only=True)
class Task:
    """Something a person is asked to do for a run.

    Attributes:
        id: Derived from run and step.
        customer, journey, enrollment, step: Whom and which run it is for.
        title, to: What, and which team or person.
        opened, deadline, done: Moments, UTC.
        answer: What the person said; empty until done.
    """

    id: str
    customer: CustomerId
    journey: str
    enrollment: EnrollmentId
    step: str
    title: str
    to: str
    opened: datetime
    deadline: datetime
    done: datetime | None = None
    answer: str = attrs.field(default="", repr=False)


class NoteKind(StrEnum):
    """What a line of a customer's timeline tells."""

    ENTERED = "entered"
    NOT_ENTERED = "not_entered"
    STEP = "step"
    GOAL = "goal"
    ENDED = "ended"
    ASKED = "asked"
    DEFERRED = "deferred"
    REFUSED = "refused"
    SENT = "sent"
    RETRY = "retry"
    IN_DOUBT = "in_doubt"
    SUPPRESSED = "suppressed"
    WITHDRAWN = "withdrawn"
    LATE = "late"
    TASK = "task"
    PAUSED = "paused"
    RESUMED = "resumed"
    PARKED = "parked"
    JOINED = "joined"
    CONFLICT = "conflict"


@attrs.frozen(kw_only=True)
class Note:
    """One line of a customer's timeline; decisions and reasons, never an address.

    Attributes:
        at: When, UTC.
        kind: What happened.
        journey, enrollment, step, message: Which it concerns; empty where none.
        text: The reason or name in a few words.
        data: Further facts: of a decision the rules that blocked it, of a step where it went.
    """

    at: datetime
    kind: NoteKind
    journey: str = ""
    enrollment: str = ""
    step: str = ""
    message: str = ""
    text: str = ""
    data: Properties = attrs.field(default=EMPTY, hash=False)


@attrs.frozen(kw_only=True)
class Person:
    """Everything about one customer that the engine reads and writes.

    Attributes:
        id: The customer.
        version: Grows with every commit; 0 for one not stored yet.
        created: When first seen, UTC.
        identifiers: Every name the person is known under.
        facts: History, attribute log, consents, zone.
        locale, audience, account: As in ``Customer``.
        enrollments: Runs, ended ones included, by entry.
        watches: By their id.
    """

    id: CustomerId
    version: int = 0
    created: datetime
    identifiers: tuple[Identifier, ...] = attrs.field(default=(), repr=False)
    facts: Facts
    locale: str | None = None
    audience: str = ""
    account: AccountId | None = None
    enrollments: tuple[Enrollment, ...] = ()
    watches: tuple[Watch, ...] = ()

    @property
    def wake(self) -> datetime | None:
        """When the engine must look at the person again at the latest, UTC."""
        moments = [run.wake for run in self.enrollments if run.wake is not None]
        moments += [watch.due for watch in self.watches if watch.due is not None]
        return min(moments, default=None)

    @property
    def identified(self) -> bool:
        """Whether any identifier names a known person."""
        return any(identifier.identifies for identifier in self.identifiers)

    def profile(self, now: datetime) -> Customer:
        """Give the current view of the customer, for applications and templates."""
        return Customer(
            id=self.id,
            identifiers=self.identifiers,
            attributes=self.facts.current(now),
            zone=self.facts.zone,
            locale=self.locale,
            created=self.created,
            audience=self.audience,
            account=self.account,
        )

    def also_named(self, names: Iterable[Identifier]) -> "Person":
        """Add the names that are new."""
        new = tuple(name for name in dict.fromkeys(names) if name not in self.identifiers)
        return with_changes(self, identifiers=(*self.identifiers, *new)) if new else self

    def with_enrollment(self, run: Enrollment) -> "Person":
        """Put a run in its place, or add it."""
        runs = list(self.enrollments)
        for index, old in enumerate(runs):
            if old.id == run.id:
                runs[index] = run
                break
        else:
            runs.append(run)
        return with_changes(self, enrollments=tuple(runs))

    def with_watch(self, watch: Watch) -> "Person":
        """Put a watch in its place, or add it."""
        return with_changes(self, watches=(*(old for old in self.watches if old.id != watch.id), watch))

    def without_watch(self, watch: Watch) -> "Person":
        """Stop watching."""
        return with_changes(self, watches=tuple(old for old in self.watches if old.id != watch.id))


@attrs.frozen(kw_only=True)
class Change:
    """What one turn did to one person: written whole or not at all.

    Attributes:
        person: The person afterwards; its ``version`` is still that from before.
        events, attributes, consents, identifiers: What is new in the logs.
        enrollments, watches: New or changed.
        dropped: Ids of watches that are gone.
        messages: New or changed rows of the outbox.
        withdrawn: Runs whose pending messages and unanswered tasks are deleted.
        tasks: New or changed.
        notes: New lines of the timeline, in order.
        absorbs: Anonymous customers, as they were read, whose whole history ``person`` now holds.
    """

    person: Person
    events: tuple[Event, ...] = ()
    attributes: tuple[AttributeWrite, ...] = ()
    consents: tuple[ConsentWrite, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    enrollments: tuple[Enrollment, ...] = ()
    watches: tuple[Watch, ...] = ()
    dropped: tuple[tuple[str, str, int, str], ...] = ()
    messages: tuple[Message, ...] = ()
    withdrawn: tuple[EnrollmentId, ...] = ()
    tasks: tuple[Task, ...] = ()
    notes: tuple[Note, ...] = ()
    absorbs: tuple[Person, ...] = ()

    @classmethod
    def between(
        cls,
        before: Person,
        after: Person,
        *,
        messages: Iterable[Message] = (),
        withdrawn: Iterable[EnrollmentId] = (),
        tasks: Iterable[Task] = (),
        notes: Iterable[Note] = (),
        absorbs: Iterable[Person] = (),
    ) -> "Change":
        """Find what is new or other in ``after``; unchanged parts are told by identity, at little cost."""
        old, new = before.facts, after.facts
        same = new is old
        return cls(
            person=after,
            events=() if same else _other(old.events, new.events),
            attributes=() if same else _other(old.attributes, new.attributes),
            consents=() if same else _other(old.consents, new.consents),
            identifiers=tuple(i for i in after.identifiers if i not in before.identifiers)
            if after.identifiers is not before.identifiers
            else (),
            enrollments=_other(before.enrollments, after.enrollments),
            watches=_other(before.watches, after.watches),
            dropped=_dropped(before.watches, after.watches),
            messages=tuple(messages),
            withdrawn=tuple(withdrawn),
            tasks=tuple(tasks),
            notes=tuple(notes),
            absorbs=tuple(absorbs),
        )


_T = TypeVar("_T")


def _other(before: tuple[_T, ...], after: tuple[_T, ...]) -> tuple[_T, ...]:
    """Give what was not there before, by identity: an untouched log of any length costs nothing."""
    if after is before:
        return ()
    known = set(map(id, before))
    return tuple(one for one in after if id(one) not in known)


def _dropped(before: tuple[Watch, ...], after: tuple[Watch, ...]) -> tuple[tuple[str, str, int, str], ...]:
    if after is before:
        return ()
    kept = {watch.id for watch in after}
    return tuple(watch.id for watch in before if watch.id not in kept)
