"""What a simulation (or a period of production) did, in numbers and reasons."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Literal

import attrs

from crmsdk.errors import InputError, UnknownName
from crmsdk.journeys.definition import Journey
from crmsdk.journeys.person import Enrollment, Note, NoteKind, Person
from crmsdk.model.customer import Identifier, IdentifierKind
from crmsdk.model.ids import CustomerId
from crmsdk.model.message import Message, MessageState
from crmsdk.model.moment import to_moment
from crmsdk.model.values import Value
from crmsdk.runtime.telling import Timeline, timeline
from crmsdk.runtime.turning import Taken
from crmsdk.segments.stages import Stages, stage_of
from crmsdk.simulation.tables import Table, table_of

__all__ = ["By", "Figures"]

By = Literal["day", "week", "hour", "weekday", "channel", "journey", "kind", "step", "template", "sender"]


@attrs.frozen(kw_only=True)
class Figures:
    """What happened between two moments.

    Attributes:
        start, until: The span, UTC.
        journeys: The definitions that ran.
        zone: IANA zone of people whose zone is unknown, for stages.
        taken: What became of the facts given.
        people: Everybody, with runs.
        messages: All messages, in the order of (due, id).
        notes: By customer, in the order written.
    """

    start: datetime
    until: datetime
    journeys: tuple[Journey, ...]
    zone: str = "UTC"
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
            at = moments.get(message.id)  # missing when it was sent before the span, or after
            if at is not None and message.state is MessageState.SENT and not message.seed:
                yield message, at

    def sends(self, by: By | Sequence[By] = "day") -> Table:
        """Count messages sent, by one or several things; days and hours are UTC, a week is its Monday.

        Raises:
            UnknownName: messages cannot be counted by that.
        """
        names = (by,) if isinstance(by, str) else tuple(by)
        for name in names:
            if name not in _BY:
                raise UnknownName("grouping", name, sorted(_BY))
        counts = Counter(tuple(_BY[name](message, at) for name in names) for message, at in self._sent())

        def place(key: tuple[Any, ...]) -> list[Any]:
            pairs = zip(names, key, strict=True)
            return [_WEEKDAYS.index(one) if name == "weekday" else one for name, one in pairs]

        keys = sorted(counts, key=place)
        return table_of(((*key, counts[key]) for key in keys), *names, "sends")

    def busiest_day(self) -> tuple[date, int] | None:
        """Give the day with most sends, the first of several, UTC; None when nothing was sent."""
        days = Counter(at.date() for _, at in self._sent())
        return min(days.items(), key=lambda one: (-one[1], one[0]), default=None)

    def held(self) -> Table:
        """Count messages held back, by rule: how often put off, how often refused, how many messages.

        Those to a seed list are left out, here as everywhere.
        """
        seeds = {message.id for message in self.messages if message.seed}
        deferred: Counter[str] = Counter()
        refused: Counter[str] = Counter()
        messages: dict[str, set[str]] = {}
        for notes in self.notes.values():
            for note in notes:
                if note.kind not in (NoteKind.DEFERRED, NoteKind.REFUSED) or note.message in seeds:
                    continue
                for rule in _rules_of(note):
                    (deferred if note.kind is NoteKind.DEFERRED else refused)[rule] += 1
                    messages.setdefault(rule, set()).add(note.message)
        rows = sorted(
            ((rule, deferred[rule], refused[rule], len(ids)) for rule, ids in messages.items()),
            key=lambda row: (-row[3], row[0]),
        )
        return table_of(rows, "rule", "deferred", "refused", "messages")

    # --------------------------------------------------------------------------------------- runs

    def _runs(self) -> Iterator[Enrollment]:
        for person in self.people.values():
            yield from person.enrollments

    def runs(self) -> Table:
        """Count runs by journey: entered, going on, in the holdout, and how many reached the goal.

        ``entered`` and ``going on`` count the holdout in, ``goals`` leaves it out. So compare
        goals / (entered - holdout) with goals in holdout / holdout.
        """
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
        return table_of(rows, "journey", "entered", "going on", "holdout", "goals", "goals in holdout")

    def exits(self) -> Table:
        """Count how runs ended, by journey and outcome."""
        counts = Counter((run.journey, run.outcome) for run in self._runs() if not run.alive)
        return table_of(
            ((*key, number) for key, number in sorted(counts.items())), "journey", "outcome", "runs"
        )

    def steps(self, journey: str) -> Mapping[str, Counter[str]]:
        """Count what runs of a journey did at each step: by step key, kind of note and text.

        Raises:
            UnknownName: no journey of that name ran.
        """
        out: dict[str, Counter[str]] = {}
        for notes in self.notes.values():
            for note in notes:
                if note.journey == journey and note.step:
                    out.setdefault(note.step, Counter())[f"{note.kind}:{note.text}"] += 1
        names = [one.name for one in self.journeys]
        if not out and journey not in names:
            raise UnknownName("journey", journey, names, mend=f"there are {', '.join(names) or 'none'}")
        return out

    # -------------------------------------------------------------------------------------- people

    def timeline(self, who: str | Identifier) -> Timeline:
        """Give everything about one customer in order, with the reasons why a message was not sent.

        Args:
            who: The customer: the application's user id, an ``Identifier``, or the id a table shows.

        Raises:
            UnknownName: nobody of that name.
        """
        person = self._find(who)
        mine = [message for message in self.messages if message.customer == person.id]
        return timeline(person, self.notes[person.id], mine)

    def stages(self, stages: Stages, *moments: datetime) -> Table:
        """Count customers by stage at one or several moments.

        Whoever is known at a moment, by an event or an attribute, is in exactly one stage then.

        Args:
            stages: The function from customer and moment to stage.
            moments: Aware; the end of the report if left out.

        Returns:
            Columns ``at``, ``stage`` and ``customers``; every stage has a row for every moment.

        Raises:
            InputError: a moment after the end, of which the report knows too little.
        """
        rows: list[tuple[Value, ...]] = []
        for given in moments or (self.until,):
            at = to_moment(given, "moments")
            if at > self.until:
                raise InputError("lies after the end of the report; give until= a later one", field="moments")
            counts = Counter(
                stage_of(stages, person.facts, at, zone=self.zone).name
                for person in self.people.values()
                if any(log and log[0].at <= at for log in (person.facts.events, person.facts.attributes))
            )
            rows.extend((at, name, counts[name]) for name in stages.names)
        return table_of(rows, "at", "stage", "customers")

    def _find(self, who: str | Identifier) -> Person:
        name = Identifier(IdentifierKind.USER, who) if isinstance(who, str) else who
        found = next((person for person in self.people.values() if name in person.identifiers), None)
        if found is None and isinstance(who, str):
            found = self.people.get(CustomerId(who))
        if found is None:
            raise UnknownName(
                "customer",
                who if isinstance(who, str) else f"by {who.kind}",
                mend="nobody of that name is in the report",
            )
        return found

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
            f"{self.start:%Y-%m-%d} to {self.until:%Y-%m-%d}, {_counted(len(self.people), 'customer')}",
            str(self.runs()),
            str(self.sends(("journey", "channel"))),
            str(self.held()),
        ]
        if busiest is not None:
            parts.append(f"busiest day {busiest[0]}: {_counted(busiest[1], 'message')}")
        return "\n\n".join(parts)

    def __str__(self) -> str:  # type: ignore[explicit-override]  # typing has override from 3.12 on
        """Show the summary."""
        return self.summary()


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _rules_of(note: Note) -> set[str]:
    blocked = note.data.get("blocked")
    if not isinstance(blocked, tuple) or not blocked:
        return {note.text.split(":")[0]}
    return {str(one.get("rule")) for one in blocked if isinstance(one, Mapping)}


_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _day(_: Message, at: datetime) -> Value:
    return at.date()


def _week(_: Message, at: datetime) -> Value:
    return at.date() - timedelta(days=at.weekday())


def _hour(_: Message, at: datetime) -> Value:
    return at.hour


def _weekday(_: Message, at: datetime) -> Value:
    return _WEEKDAYS[at.weekday()]  # strftime speaks the language of the machine


def _step(message: Message, _: datetime) -> Value:
    return f"{message.journey}/{message.step}"


def _field(name: str) -> Callable[[Message, datetime], Value]:
    def read(message: Message, _: datetime) -> Value:
        return str(getattr(message, name))

    return read


_BY: Mapping[str, Callable[[Message, datetime], Value]] = {
    "day": _day,
    "week": _week,
    "hour": _hour,
    "weekday": _weekday,
    "step": _step,
    **{name: _field(name) for name in ("channel", "journey", "kind", "template", "sender")},
}
