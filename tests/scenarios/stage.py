"""The stage on which scenarios play: one database file, a virtual clock, channels that keep what they get."""

import sqlite3
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from crmsdk.channels.memory import MemoryChannel
from crmsdk.journeys.definition import Journey
from crmsdk.journeys.person import Enrollment
from crmsdk.journeys.steps import Step
from crmsdk.journeys.triggers import Trigger, on
from crmsdk.model.customer import Identifier, IdentifierKind
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.model.inputs import Identify, Track
from crmsdk.model.message import Message
from crmsdk.policy.ruleset import ContactPolicy
from crmsdk.runtime.clocks import VirtualClock
from crmsdk.runtime.crm import Crm
from crmsdk.segments.words import did
from crmsdk.stores.sqlite import SqliteStore

START = datetime(2026, 3, 2, 10, tzinfo=UTC)  # a Monday
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
NO_RULES = ContactPolicy()
NEVER = did("never_happens").since_entry()
WORDS = {name: {"sink.en": f"{name}\n", "other.en": f"{name}\n"} for name in ("hi", "bye", "more")}


def journey(
    name: str, *steps: Step, enter: Trigger | Iterable[Trigger] | None = None, **settings: Any
) -> Journey:
    """Write a journey shortly: begun by ``signed_up``, of kind content, with a goal nobody reaches."""
    begun = on("signed_up") if enter is None else enter
    given = begun if isinstance(begun, Trigger) else tuple(begun)
    return Journey(name, enter=given, steps=steps, **{"kind": "content", "goal": NEVER, **settings})


def user(name: str) -> Identifier:
    """Name a known person."""
    return Identifier(IdentifierKind.USER, name)


def device(name: str) -> Identifier:
    """Name a visitor."""
    return Identifier(IdentifierKind.ANONYMOUS, name)


def event(who: str | Identifier, name: str, at: datetime, id: str, **values: object) -> Track:
    """Write one event as news."""
    return Track(
        id=EventId(id),
        identifiers=(user(who) if isinstance(who, str) else who,),
        at=at,
        received=at,
        name=name,
        properties=values,
    )


def known(*names: Identifier, at: datetime, id: str, zone: str | None = None, **traits: object) -> Identify:
    """Write one identify as news."""
    return Identify(id=EventId(id), identifiers=names, at=at, received=at, zone=zone, traits=traits)


class Stage:
    """One SQLite file on which any number of Crm objects may be opened; the providers outlive them."""

    def __init__(self, folder: Path, start: datetime = START) -> None:
        self.path = folder / "crm.db"
        self.clock = VirtualClock(start)
        self.sink = MemoryChannel("sink", everyone=True)
        self.other = MemoryChannel("other", everyone=True)

    def open(self, *journeys: Journey, **settings: Any) -> Crm:
        """Open one more Crm on the same file."""
        return Crm.open(f"sqlite:///{self.path}", **self.settings(*journeys, **settings))

    def settings(self, *journeys: Journey, **settings: Any) -> dict[str, Any]:
        """Give the settings a Crm is opened with."""
        return {
            "journeys": journeys,
            "zone": "UTC",
            "policy": NO_RULES,
            "channels": [self.sink, self.other],
            "templates": WORDS,
            "mode": "live",
            "clock": self.clock,
            **settings,
        }

    def sent(self) -> list[tuple[str, str]]:
        """List what the providers took over: whom it is for, and its text."""
        return [(one.to.value, one.content.text.strip()) for one in (*self.sink.kept, *self.other.kept)]  # type: ignore[attr-defined]  # chats have text

    async def runs(self, who: str) -> tuple[Enrollment, ...]:
        """Read the runs of a person."""
        found: tuple[Enrollment, ...] = await self._with(lambda store: _runs(store, who))
        return found

    async def messages(self, who: str) -> list[Message]:
        """Read the messages of a person, in the order of (due, id)."""
        (messages,) = await self._with(lambda store: store.messages_of([CustomerId(who)]))
        return list(messages)

    async def notes(self, who: str) -> list[tuple[str, str]]:
        """Read kind and text of the lines of a person's timeline."""
        (notes,) = await self._with(lambda store: store.notes_of([CustomerId(who)]))
        return [(str(note.kind), note.text) for note in notes]

    async def spoil(self, definition: str) -> None:
        """Lose a stored definition, as a restored backup may."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute("DELETE FROM definition WHERE hash = ?", (definition,))

    async def set_cursor(self, run: str, cursor: int) -> None:
        """Damage a run, as a bug or a wrong repair may."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute("UPDATE enrollment SET cursor = ? WHERE id = ?", (cursor, run))

    async def _with(self, work: Callable[[SqliteStore], Coroutine[Any, Any, Any]]) -> Any:
        store = SqliteStore(self.path)
        try:
            return await work(store)
        finally:
            await store.close()


async def _runs(store: SqliteStore, who: str) -> tuple[Enrollment, ...]:
    (person,) = await store.load([CustomerId(who)])
    return () if person is None else person.enrollments


def templates(*names: str) -> Mapping[str, Mapping[str, str]]:
    """Write one-word templates for both channels."""
    return {name: {"sink.en": f"{name}\n", "other.en": f"{name}\n"} for name in names}
