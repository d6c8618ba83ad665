"""How many people took each way of a journey, from the lines of their timelines."""

from collections import Counter
from collections.abc import Iterable, Mapping

import attrs

from crmsdk.journeys.definition import Journey
from crmsdk.journeys.drawing import Drawing, graph_of
from crmsdk.journeys.person import Note, NoteKind
from crmsdk.journeys.program import compiled
from crmsdk.journeys.steps import Exit, HandOver, Send, Step, Wait, WaitFor

__all__ = ["count_ways"]

_Key = str | tuple[str, str]

_RULES = {"goal": "@goal", "exit": "@exit", "expired": "@lifetime"}
_PAST = frozenset({"date is past", "no date"})
_WAYS = {"came true": "then", "time ran out": "otherwise"}


def count_ways(journey: Journey, notes: Iterable[Note]) -> dict[_Key, int]:
    """Count boxes and ways of a journey's drawing.

    What no line tells is found where people can neither come from elsewhere nor stay; what even that does not
    tell is left out, never guessed.

    Args:
        journey: The definition people were in; runs of another version with other keys do not fit.
        notes: Of many customers, those of one run in their order; of other journeys they are left aside.

    Returns:
        Counts for ``graph_of``.
    """
    drawing = graph_of(journey)
    steps = {node.key: node.step for node in compiled(journey).nodes}
    told = _Told(steps)
    for note in notes:
        if note.journey == journey.name:
            told.take(note)
    counts = _known(drawing, steps, told)
    return _balanced(drawing, steps, counts, told.completed)


@attrs.define
class _Told:
    """What the lines tell by themselves."""

    steps: Mapping[str, Step]
    counts: Counter[_Key] = attrs.field(factory=Counter)
    completed: Counter[str] = attrs.field(factory=Counter)
    entered: int = 0
    over: set[str] = attrs.field(factory=set)
    opened: set[tuple[str, str]] = attrs.field(factory=set)

    def take(self, note: Note) -> None:
        """Count one line."""
        match note.kind:
            case NoteKind.ENTERED:
                self.entered += 1
            case NoteKind.STEP:
                self.counts[note.step, _WAYS.get(note.text, note.text.removeprefix("arm "))] += 1
            case NoteKind.ASKED:
                self.counts[note.step] += 1
            case NoteKind.SUPPRESSED:
                self._passed_by(note)
            case NoteKind.LATE if note.text == "skip":
                self._passed_by(note)
            case NoteKind.SENT | NoteKind.IN_DOUBT | NoteKind.REFUSED if note.enrollment not in self.over:
                self._handed(note)
            case NoteKind.TASK:
                self._tasked(note)
            case NoteKind.ENDED:
                self._ended(note)
            case _:
                pass

    def _passed_by(self, note: Note) -> None:
        self.counts[note.step] += 1
        if isinstance(self.steps.get(note.step), HandOver):
            self.opened.add((note.enrollment, note.step))
        else:
            self.counts[note.step, ""] += 1

    def _handed(self, note: Note) -> None:
        at = self.steps.get(note.step)
        refused = note.kind is NoteKind.REFUSED and isinstance(at, Send) and at.on_refusal == "exit"
        self.counts[note.step, "refused" if refused else ""] += 1

    def _tasked(self, note: Note) -> None:
        run = (note.enrollment, note.step)
        if run in self.opened:
            self.counts[note.step, "done" if note.text == "answered" else "overdue"] += 1
        else:
            self.opened.add(run)
            self.counts[note.step] += 1

    def _ended(self, note: Note) -> None:
        self.over.add(note.enrollment)
        if isinstance(self.steps.get(note.step), Exit):
            self.counts[note.step] += 1
        elif note.text == "completed":
            self.completed[note.step] += 1
        elif note.text in _PAST:
            self.counts[note.step, "past"] += 1
        elif note.text in _RULES:
            self.counts[_RULES[note.text]] += 1


def _known(drawing: Drawing, steps: Mapping[str, Step], told: _Told) -> dict[_Key, int]:
    """Write zero wherever a line would have told otherwise."""
    counts: dict[_Key, int] = {}
    for box in drawing.steps:
        if isinstance(steps.get(box.id), Send | HandOver | Exit) or box.id in _RULES.values():
            counts[box.id] = told.counts[box.id]
    for way in drawing.edges:
        # Who goes on after a wait, or after writing something, leaves no line.
        if way.exit or isinstance(steps.get(way.source), Send):
            counts[way.source, way.exit] = told.counts[way.source, way.exit]
    entrances = [way for way in drawing.edges if way.source.startswith("@enter.")]
    counts[entrances[0].target] = told.entered
    if len(entrances) == 1:
        counts[entrances[0].source] = told.entered
    return counts


def _balanced(
    drawing: Drawing, steps: Mapping[str, Step], counts: dict[_Key, int], completed: Mapping[str, int]
) -> dict[_Key, int]:
    """Find what is missing: whoever reached a box came by a way, and left again where nothing waits."""
    sums: list[tuple[_Key | None, int, list[_Key]]] = []
    for box in drawing.steps:
        ways_in: list[_Key] = [(way.source, way.exit) for way in drawing.edges if way.target == box.id]
        ways_out: list[_Key] = [(way.source, way.exit) for way in drawing.edges if way.source == box.id]
        ending: list[_Key] = [
            (way.source, way.exit)
            for way in drawing.edges
            if way.source == box.id and way.target == "@completed"
        ]
        if ways_in:
            sums.append((box.id, 0, ways_in))
        if ways_out and not isinstance(steps.get(box.id), Send | Wait | WaitFor | HandOver):
            sums.append((box.id, 0, ways_out))
        if ending and box.id in steps:
            sums.append((None, completed.get(box.id, 0), ending))
    changed = True
    while changed:
        changed = False
        for whole, constant, parts in sums:
            total = constant if whole is None else counts.get(whole)
            missing = [part for part in parts if part not in counts]
            found = sum(counts[part] for part in parts if part in counts)
            if whole is not None and total is None and not missing:
                counts[whole] = found
                changed = True
            elif total is not None and len(missing) == 1 and total >= found:
                counts[missing[0]] = total - found
                changed = True
    return counts
