"""One person's timeline: what happened, what was decided, what was sent, and why something was not."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import overload

import attrs

from crmsdk.journeys.person import Note, NoteKind, Person
from crmsdk.model.ids import CustomerId
from crmsdk.model.message import Message
from crmsdk.model.values import EMPTY, Properties

__all__ = ["Entry", "Timeline", "timeline"]

_WORDS: Mapping[NoteKind, str] = {
    NoteKind.ENTERED: "entered",
    NoteKind.NOT_ENTERED: "did not enter",
    NoteKind.STEP: "went on",
    NoteKind.GOAL: "reached the goal",
    NoteKind.ENDED: "left",
    NoteKind.ASKED: "message asked for",
    NoteKind.DEFERRED: "message put off",
    NoteKind.REFUSED: "message not sent",
    NoteKind.SENT: "message sent",
    NoteKind.RETRY: "message will be tried again",
    NoteKind.IN_DOUBT: "nobody knows whether the message left",
    NoteKind.SUPPRESSED: "message held out",
    NoteKind.WITHDRAWN: "message withdrawn",
    NoteKind.LATE: "came too late to the step",
    NoteKind.TASK: "task",
    NoteKind.PAUSED: "paused",
    NoteKind.RESUMED: "resumed",
    NoteKind.PARKED: "stopped by an error",
    NoteKind.JOINED: "joined",
    NoteKind.CONFLICT: "conflict",
}
_HELD = frozenset(
    _WORDS[kind]
    for kind in (
        NoteKind.DEFERRED,
        NoteKind.REFUSED,
        NoteKind.RETRY,
        NoteKind.SUPPRESSED,
        NoteKind.IN_DOUBT,
        NoteKind.LATE,
    )
)


@attrs.frozen(kw_only=True)
class Entry:
    """One line of a timeline.

    Attributes:
        at: When, UTC.
        what: In a few words.
        about: The event's name, journey and step, or the template of a message sent by hand.
        why: The reason, with the rules that held a message back and when it would be allowed.
        message: The message it concerns; empty if none.
        data: The facts behind it.
    """

    at: datetime
    what: str
    about: str = ""
    why: str = ""
    message: str = ""
    data: Properties = attrs.field(default=EMPTY, hash=False, repr=False)


@attrs.frozen(kw_only=True)
class Timeline:
    """Everything about one person, oldest first: print it, loop over it, or take a part of it."""

    customer: CustomerId
    entries: tuple[Entry, ...]

    def __iter__(self) -> Iterator[Entry]:
        """Go through the entries, oldest first."""
        return iter(self.entries)

    def __len__(self) -> int:
        """Count the entries."""
        return len(self.entries)

    @overload
    def __getitem__(self, place: int) -> Entry: ...
    @overload
    def __getitem__(self, place: slice) -> "Timeline": ...
    def __getitem__(self, place: int | slice) -> "Entry | Timeline":
        """Give one entry, or a part of the timeline."""
        if isinstance(place, int):
            return self.entries[place]
        return attrs.evolve(self, entries=self.entries[place])

    def not_sent(self) -> "Timeline":
        """Keep the entries that tell why a message was not sent, or not yet."""
        return attrs.evolve(self, entries=tuple(entry for entry in self if entry.what in _HELD))

    def __str__(self) -> str:  # type: ignore[explicit-override]  # typing has override from 3.12 on
        """Show it as a table for a terminal."""
        return "\n".join(
            "  ".join(
                part
                for part in (f"{entry.at:%Y-%m-%d %H:%M:%S}", f"{entry.what:<20}", entry.about, entry.why)
                if part
            ).rstrip()
            for entry in self.entries
        )


def _rules(note: Note) -> str:
    """Put the rules that held a message back into a sentence."""
    blocked = note.data.get("blocked")
    parts = []
    for one in blocked if isinstance(blocked, tuple) else ():
        if not isinstance(one, Mapping):
            continue
        text = f"rule {one.get('rule')}"
        if one.get("limit"):
            text += f": {one.get('used')} of {one.get('limit')} used"
        until = one.get("until")
        if isinstance(until, datetime):
            text += f", free again {until:%Y-%m-%d %H:%M}"
        parts.append(text)
    return "; ".join(dict.fromkeys(parts))


def _told(note: Note, templates: Mapping[str, str]) -> Entry:
    until = note.data.get("until")
    why = note.text
    rules = _rules(note)
    if rules:
        why = f"{why} ({rules})" if why else rules
    if isinstance(until, datetime):
        why += f", next try {until:%Y-%m-%d %H:%M}"
    if note.data.get("recorded"):
        why += ", recorded and not handed over (mode record)"
    return Entry(
        at=note.at,
        what=_WORDS[note.kind],
        about="/".join(part for part in (note.journey, note.step) if part) or templates.get(note.message, ""),
        why=why,
        message=note.message,
        data=note.data,
    )


def timeline(person: Person, notes: Sequence[Note], messages: Sequence[Message]) -> Timeline:
    """Put events, notes and what is still in the outbox into one order.

    Args:
        person: With events.
        notes: In the order written.
        messages: All of the person; only living ones make a line of their own.
    """
    lines = [
        ((event.at, 0, index), Entry(at=event.at, what="event", about=event.name, data=event.properties))
        for index, event in enumerate(person.facts.events)
    ]
    templates: dict[str, str] = {message.id: message.template for message in messages}
    lines += [((note.at, 1, index), _told(note, templates)) for index, note in enumerate(notes)]
    lines += [
        (
            (message.not_before, 2, index),
            Entry(
                at=message.not_before,
                what="message waiting",
                about=f"{message.journey}/{message.step}".strip("/") or message.template,
                why=message.reason,
                message=message.id,
            ),
        )
        for index, message in enumerate(messages)
        if not message.state.final
    ]
    return Timeline(
        customer=person.id, entries=tuple(entry for _, entry in sorted(lines, key=lambda one: one[0]))
    )
