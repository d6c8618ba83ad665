"""What a simulation (or a period of production) did, in numbers and reasons."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Literal

import attrs

from crmsdk.errors import UnknownName
from crmsdk.journeys.definition import Journey
from crmsdk.journeys.person import Enrollment, Note, NoteKind, Person
from crmsdk.model.ids import CustomerId
from crmsdk.model.message import Message, MessageState
from crmsdk.model.values import Value
from crmsdk.ports import Store
from crmsdk.runtime.telling import Timeline, timeline
from crmsdk.runtime.turning import Taken

__all__ = ["By", "Report", "Table", "report_of"]

By = Literal["day", "hour", "weekday", "channel", "journey", "kind", "step", "template", "sender"]
_PAGE = 500


@attrs.frozen
class Table:
    """Rows of one shape: print it, loop over its rows, or give ``columns`` to any dataframe library.

    Attributes:
        columns: By name, all of one length.
    """

    columns: Mapping[str, Sequence[Value]]

    def __iter__(self) -> Iterator[dict[str, Value]]:
        """Go through the rows as mappings."""
        names = list(self.columns)
        for values in zip(*self.columns.values(), strict=True):
            yield dict(zip(names, values, strict=True))

    def __len__(self) -> int:
        """Count the rows."""
        return len(next(iter(self.columns.values()), ()))

    def __str__(self) -> str:  # type: ignore[explicit-override]  # typing has override from 3.12 on
        """Show it as aligned text."""
        cells = [
            [str(name), *("" if value is None else str(value) for value in column)]
            for name, column in self.columns.items()
        ]
        widths = [max(map(len, column)) for column in cells]
        numbers = [
            all(isinstance(value, int | float) for value in column) for column in self.columns.values()
        ]
        lines = (
            "  ".join(
                text.rjust(width) if number else text.ljust(width)
                for text, width, number in zip(row, widths, numbers, strict=True)
            ).rstrip()
            for row in zip(*cells, strict=True)
        )
        return "\n".join(lines)


def _table(rows: Iterable[tuple[Value, ...]], *names: str) -> Table:
    listed = list(rows)
    return Table({name: tuple(row[index] for row in listed) for index, name in enumerate(names)})


@attrs.frozen(kw_only=True)
class Report:
    """What happened between two moments.

    Attributes:
        start, until: The span, UTC.
        journeys: The definitions that ran.
        taken: What became of the facts given.
        people: Everybody, with runs.
        messages: All messages, in the order of (due, id).
        notes: By customer, in the order written.
    """

    start: datetime
    until: datetime
    journeys: tuple[Journey, ...]
    taken: Taken
    people: Mapping[CustomerId, Person] = attrs.field(repr=False)
    messages: tuple[Message, ...] = attrs.field(repr=False)
    notes: Mapping[CustomerId, Sequence[Note]] = attrs.field(repr=False)

    # ----------------------------------------------------------------------------------- messages

    def _sent(self) -> Iterator[tuple[Message, datetime]]:
        moments = {
            note.message: note.at
            for notes in self.notes.values()
            for note in notes
            if note.kind is NoteKind.SENT
        }
        for message in self.messages:
            if message.state is MessageState.SENT and not message.seed:
                yield message, moments.get(message.id, message.not_before)

    def sends(self, by: By | Sequence[By] = "day") -> Table:
        """Count messages sent, by one or several things; days and hours are UTC.

        Raises:
            UnknownName: messages cannot be counted by that.
        """
        names = (by,) if isinstance(by, str) else tuple(by)
        for name in names:
            if name not in _BY:
                raise UnknownName("grouping", name, sorted(_BY))
        counts = Counter(tuple(_BY[name](message, at) for name in names) for message, at in self._sent())
        rows = sorted(
            ((*key, number) for key, number in counts.items()), key=lambda row: tuple(map(str, row))
        )
        return _table(rows, *names, "sends")

    def busiest_day(self) -> tuple[date, int] | None:
        """Give the day with most sends, the first of several, UTC; None when nothing was sent."""
        days = Counter(at.date() for _, at in self._sent())
        return min(days.items(), key=lambda one: (-one[1], one[0]), default=None)

    def held(self) -> Table:
        """Count messages held back, by rule: how often put off, how often refused, how many messages."""
        deferred: Counter[str] = Counter()
        refused: Counter[str] = Counter()
        messages: dict[str, set[str]] = {}
        for notes in self.notes.values():
            for note in notes:
                if note.kind not in (NoteKind.DEFERRED, NoteKind.REFUSED):
                    continue
                for rule in _rules_of(note):
                    (deferred if note.kind is NoteKind.DEFERRED else refused)[rule] += 1
                    messages.setdefault(rule, set()).add(note.message)
        rows = sorted(
            ((rule, deferred[rule], refused[rule], len(ids)) for rule, ids in messages.items()),
            key=lambda row: (-row[3], row[0]),
        )
        return _table(rows, "rule", "deferred", "refused", "messages")

    # --------------------------------------------------------------------------------------- runs

    def _runs(self) -> Iterator[Enrollment]:
        for person in self.people.values():
            yield from person.enrollments

    def runs(self) -> Table:
        """Count runs by journey: entered, going on, in the holdout, and how many reached the goal."""
        rows = []
        for journey in self.journeys:
            runs = [run for run in self._runs() if run.journey == journey.name]
            rows.append(
                (
                    journey.name,
                    len(runs),
                    sum(run.alive for run in runs),
                    sum(run.control for run in runs),
                    sum(run.goal_at is not None and not run.control for run in runs),
                    sum(run.goal_at is not None and run.control for run in runs),
                )
            )
        return _table(rows, "journey", "entered", "going on", "holdout", "goals", "goals in holdout")

    def exits(self) -> Table:
        """Count how runs ended, by journey and outcome."""
        counts = Counter((run.journey, run.outcome) for run in self._runs() if not run.alive)
        return _table(
            ((*key, number) for key, number in sorted(counts.items())), "journey", "outcome", "runs"
        )

    def steps(self, journey: str) -> Mapping[str, Counter[str]]:
        """Count what runs of a journey did at each step: by step key, kind of note and text."""
        out: dict[str, Counter[str]] = {}
        for notes in self.notes.values():
            for note in notes:
                if note.journey == journey and note.step:
                    out.setdefault(note.step, Counter())[f"{note.kind}:{note.text}"] += 1
        return out

    # -------------------------------------------------------------------------------------- people

    def timeline(self, customer: str) -> Timeline:
        """Give everything about one customer in order, with the reasons why a message was not sent.

        Raises:
            UnknownName: nobody of that id.
        """
        person = self.people.get(CustomerId(customer))
        if person is None:
            raise UnknownName("customer", customer)
        mine = [message for message in self.messages if message.customer == person.id]
        return timeline(person, self.notes[person.id], mine)

    def decisions(self) -> tuple[tuple[str, ...], ...]:
        """List everything decided about messages, so that two runs can be compared line by line.

        Each line: moment, customer, journey, step, message id, what, why. Providers' own ids are left out.
        """
        kinds = (NoteKind.ASKED, NoteKind.DEFERRED, NoteKind.REFUSED, NoteKind.SENT, NoteKind.SUPPRESSED)
        lines = [
            (note.at.isoformat(), customer, note.journey, note.step, note.message, str(note.kind), note.text)
            for customer, notes in self.notes.items()
            for note in notes
            if note.kind in kinds
        ]
        return tuple(sorted(lines))

    def summary(self) -> str:
        """Show the main counts as text for a terminal."""
        busiest = self.busiest_day()
        parts = [
            f"{self.start:%Y-%m-%d} to {self.until:%Y-%m-%d}, {len(self.people)} customers",
            str(self.runs()),
            str(self.sends(("journey", "channel"))),
            str(self.held()),
        ]
        if busiest is not None:
            parts.append(f"busiest day {busiest[0]}: {busiest[1]} messages")
        return "\n\n".join(parts)

    def __str__(self) -> str:  # type: ignore[explicit-override]  # typing has override from 3.12 on
        """Show the summary."""
        return self.summary()


def _rules_of(note: Note) -> set[str]:
    blocked = note.data.get("blocked")
    if not isinstance(blocked, tuple) or not blocked:
        return {note.text.split(":")[0]}
    return {str(one.get("rule")) for one in blocked if isinstance(one, Mapping)}


_BY: Mapping[str, Callable[[Message, datetime], Value]] = {
    "day": lambda message, at: at.date(),
    "hour": lambda message, at: at.hour,
    "weekday": lambda message, at: at.strftime("%a"),
    "channel": lambda message, at: message.channel,
    "journey": lambda message, at: message.journey,
    "kind": lambda message, at: str(message.kind),
    "step": lambda message, at: f"{message.journey}/{message.step}",
    "template": lambda message, at: message.template,
    "sender": lambda message, at: message.sender,
}


async def report_of(
    store: Store, journeys: Sequence[Journey], *, start: datetime, until: datetime, taken: Taken | None = None
) -> Report:
    """Read a store and sum up what happened between two moments.

    Args:
        store: Any store; of production, too.
        journeys: The definitions that ran.
        start, until: The span, UTC; notes and messages outside of it are left out.
        taken: What became of the facts given, if known.
    """
    people: dict[CustomerId, Person] = {}
    messages: list[Message] = []
    notes: dict[CustomerId, Sequence[Note]] = {}
    after = None
    while page := await store.customers(after=after, limit=_PAGE):
        after = page[-1]
        for person in await store.load(page):
            if person is not None:
                people[person.id] = person
                messages.extend(
                    message for message in await store.messages_of(person.id) if start <= message.due <= until
                )
                notes[person.id] = [
                    note for note in await store.notes_of(person.id) if start <= note.at <= until
                ]
    return Report(
        start=start,
        until=until,
        journeys=tuple(journeys),
        taken=taken or Taken(),
        people=people,
        messages=tuple(sorted(messages, key=lambda message: (message.due, message.id))),
        notes=notes,
    )
