"""What may happen to a person or a run, and what a run may wish for: the two closed sets of the engine."""

from datetime import datetime
from typing import TypeAlias, assert_never

import attrs

from crmsdk.journeys.person import Note, Person, Task
from crmsdk.model.consent import ConsentWrite
from crmsdk.model.customer import AttributeWrite, Identifier
from crmsdk.model.event import Event
from crmsdk.model.ids import AccountId, EnrollmentId, MessageId
from crmsdk.model.message import Message, MessageState
from crmsdk.model.values import EMPTY, Properties

__all__ = [
    "Answered",
    "Ask",
    "Asked",
    "Begin",
    "Consented",
    "Effect",
    "Entered",
    "Fact",
    "Handed",
    "Happened",
    "Held",
    "Input",
    "Joined",
    "OpenTask",
    "Record",
    "Resumed",
    "Stimulus",
    "Stop",
    "Stopped",
    "Tell",
    "Timer",
    "Withdraw",
    "Write",
    "Wrote",
    "place_of",
]

# ------------------------------------------------------------------ inputs: what may happen to a person


@attrs.frozen(kw_only=True)
class Joined:
    """An anonymous customer turned out to be this person."""

    at: datetime
    other: Person


@attrs.frozen(kw_only=True)
class Wrote:
    """Something about the person was written; None says nothing about a field of the profile."""

    at: datetime
    id: str
    attributes: tuple[AttributeWrite, ...] = ()
    identifiers: tuple[Identifier, ...] = attrs.field(default=(), repr=False)
    zone: str | None = None
    locale: str | None = None
    audience: str | None = None
    account: AccountId | None = None


@attrs.frozen(kw_only=True)
class Consented:
    """The person said yes or no to something."""

    consent: ConsentWrite


@attrs.frozen(kw_only=True)
class Happened:
    """An event of the person arrived.

    Attributes:
        event: The event.
        identifiers: Names it came under that the person had not yet; by themselves they are no news.
    """

    event: Event
    identifiers: tuple[Identifier, ...] = attrs.field(default=(), repr=False)


@attrs.frozen(kw_only=True)
class Handed:
    """A message reached its end: sent, refused, or nobody knows."""

    at: datetime
    message: MessageId
    result: MessageState
    reason: str = ""


@attrs.frozen(kw_only=True)
class Entered:
    """The application starts a run itself.

    Attributes:
        key: The entry key; the same key never makes two runs.
    """

    at: datetime
    journey: str
    key: str
    values: Properties = attrs.field(default=EMPTY, hash=False)


@attrs.frozen(kw_only=True)
class Answered:
    """A task was answered."""

    at: datetime
    task: Task
    answer: str


@attrs.frozen(kw_only=True)
class Held:
    """An operator pauses the runs of this person, of one journey or of all (empty)."""

    at: datetime
    journey: str = ""


@attrs.frozen(kw_only=True)
class Resumed:
    """An operator lets the paused runs of this person go on."""

    at: datetime
    journey: str = ""


@attrs.frozen(kw_only=True)
class Stopped:
    """An operator ends the runs of this person."""

    at: datetime
    journey: str = ""
    reason: str = "stopped"


Input: TypeAlias = (
    Joined | Wrote | Consented | Happened | Handed | Entered | Answered | Held | Resumed | Stopped
)


_RANK = {Joined: 0, Wrote: 1, Consented: 1, Happened: 2, Handed: 3}
_COMMAND = 4


def place_of(entry: Input) -> tuple[datetime, int, str, str]:
    """Give the place of an input in its batch; no two different ones share it."""
    rank, name = _RANK.get(type(entry), _COMMAND), type(entry).__name__
    match entry:
        case Happened(event=event):
            return (event.at, rank, event.id, name)
        case Consented(consent=consent):
            return (consent.at, rank, consent.id, name)
        case Wrote():
            return (entry.at, rank, entry.id, name)
        case Handed():
            return (entry.at, rank, entry.message, name)
        case Joined():
            return (entry.at, rank, entry.other.id, name)
        case Answered():
            return (entry.at, rank, name, entry.task.id)
        case Entered():
            return (entry.at, rank, name, f"{entry.journey}/{entry.key}")
        case Held() | Resumed() | Stopped():
            return (entry.at, rank, name, entry.journey)
        case _:
            assert_never(entry)


# ------------------------------------------------------------------ stimuli: what may happen to a run


@attrs.frozen
class Begin:
    """The run is new."""


@attrs.frozen
class Fact:
    """Facts changed: ask goal, exit and the wait again. No timer fires by it."""


@attrs.frozen
class Timer:
    """Time passed; a token other than the run's means nothing, and an early timer changes nothing."""

    token: int


@attrs.frozen
class Asked:
    """The message or task the run stays for came to its end.

    Attributes:
        about: Id of message or task.
        result: ``sent``, ``refused`` or ``in_doubt`` of a message; ``done`` of a task.
    """

    about: str
    result: str
    reason: str = ""


@attrs.frozen
class Stop:
    """End the run."""

    reason: str


Stimulus: TypeAlias = Begin | Fact | Timer | Asked | Stop


# ------------------------------------------------------------------ effects: what a run may wish for


@attrs.frozen
class Ask:
    """Put a message into the outbox."""

    message: Message


@attrs.frozen
class Withdraw:
    """Delete what the run asked for and nobody sends yet."""

    enrollment: EnrollmentId


@attrs.frozen
class Write:
    """Write an attribute."""

    write: AttributeWrite


@attrs.frozen
class Record:
    """Record an event."""

    event: Event


@attrs.frozen
class OpenTask:
    """Ask a person to do something."""

    task: Task


@attrs.frozen
class Tell:
    """Add a line to the timeline."""

    note: Note


Effect: TypeAlias = Ask | Withdraw | Write | Record | OpenTask | Tell
