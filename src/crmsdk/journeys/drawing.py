"""A journey as a graph of boxes and ways, with counts where somebody counted; and that graph as text.

Ids: a step has its key, everything else begins with ``@``: ``@enter.0`` (the first trigger), ``@completed``,
``@refused``, ``@past``, ``@goal``, ``@exit``, ``@lifetime``. A way has the name of the exit it takes: empty
for the only one, ``0``, ``1`` … or ``otherwise`` of a branch, the arm of a split, ``then`` or ``otherwise``
of a wait, ``done`` or ``overdue`` of a task, ``refused`` of a message, ``past`` of a date.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal, TypeAlias

import attrs

from crmsdk.journeys._wording import step_words, trigger_words
from crmsdk.journeys.definition import Journey
from crmsdk.journeys.program import END, Node, Program, compiled
from crmsdk.journeys.steps import (
    Branch,
    Emit,
    Exit,
    HandOver,
    Send,
    Split,
    Step,
    UntilDate,
    Update,
    Wait,
    WaitFor,
)
from crmsdk.segments.explain import describe, spell_span

__all__ = ["Counts", "Drawing", "DrawnEdge", "DrawnKind", "DrawnStep", "graph_of", "to_dot", "to_mermaid"]

Counts: TypeAlias = Mapping[str | tuple[str, str], int]
"""People by the id of a box they reached, or by (id of the box they left, name of the exit)."""

DrawnKind: TypeAlias = Literal["enter", "send", "wait", "branch", "split", "update", "task", "goal", "exit"]

_NOTHING: Counts = {}
_KINDS: Mapping[type[Step], DrawnKind] = {
    Send: "send",
    Wait: "wait",
    WaitFor: "wait",
    Branch: "branch",
    Split: "split",
    Update: "update",
    Emit: "update",
    HandOver: "task",
    Exit: "exit",
}


@attrs.frozen
class DrawnStep:
    """A box.

    Attributes:
        id: Unique in its drawing.
        kind: What it is.
        title: In a few words.
        detail: More about it.
        count: People who reached it; None when nobody counted.
    """

    id: str
    kind: DrawnKind
    title: str
    detail: str = attrs.field(default="", kw_only=True)
    count: int | None = attrs.field(default=None, kw_only=True)


@attrs.frozen
class DrawnEdge:
    """A way from box to box.

    Attributes:
        source, target: Ids of the boxes.
        exit: Name of the exit; with ``source`` unique in its drawing.
        label: When it is taken; empty for always.
        count: People who took it; None when nobody counted.
        order: Its place among the ways of one box, from the left.
    """

    source: str
    target: str
    exit: str = attrs.field(default="", kw_only=True)
    label: str = attrs.field(default="", kw_only=True)
    count: int | None = attrs.field(default=None, kw_only=True)
    order: int = attrs.field(default=0, kw_only=True)


@attrs.frozen
class Drawing:
    """A journey as a graph.

    Attributes:
        name: The journey's.
        steps: The boxes: triggers, steps in the order they are written, ends, and the rules that end a run
            from anywhere, which no way leads to.
        edges: The ways.
    """

    name: str
    steps: tuple[DrawnStep, ...]
    edges: tuple[DrawnEdge, ...]


def graph_of(journey: Journey, counts: Counts | None = None) -> Drawing:
    """Give a journey as a graph.

    Args:
        journey: What to draw.
        counts: Numbers to write on boxes and ways; what it lacks stays without one.

    Raises:
        DefinitionError: two steps have one key.
    """
    program = compiled(journey)
    given = _NOTHING if counts is None else counts
    edges = tuple(attrs.evolve(edge, count=given.get((edge.source, edge.exit))) for edge in _edges(program))
    reached = {edge.target for edge in edges}
    steps = tuple(
        attrs.evolve(step, count=given.get(step.id))
        for step in _boxes(program)
        if step.id not in _ENDS or step.id in reached
    )
    return Drawing(journey.name, steps, edges)


_ENDS: Mapping[str, str] = {
    "@completed": "completed",
    "@refused": "refused",
    "@past": "date is past or missing",
}
"""Ends that ways lead to, drawn where one does."""


def _boxes(program: Program) -> Iterator[DrawnStep]:
    journey = program.journey
    held_out = f"{100 * journey.holdout.share:.3g} % get nothing" if journey.holdout is not None else ""
    for index, trigger in enumerate(journey.enter):
        title, detail = trigger_words(trigger)
        more = "; ".join(part for part in (detail, held_out) if part)
        yield DrawnStep(f"@enter.{index}", "enter", title, detail=more)
    for node in program.nodes:
        title, detail = step_words(node.step)
        yield DrawnStep(node.key, _KINDS[type(node.step)], title, detail=detail)
    for name, title in _ENDS.items():
        yield DrawnStep(name, "exit", title)
    if journey.goal is not None:
        yield DrawnStep("@goal", "goal", "goal", detail=describe(journey.goal))
    if journey.exit is not None:
        yield DrawnStep("@exit", "exit", "exit", detail=describe(journey.exit))
    if journey.lifetime is not None:
        yield DrawnStep("@lifetime", "exit", "expired", detail=f"after {spell_span(journey.lifetime)}")


def _edges(program: Program) -> Iterator[DrawnEdge]:
    def target(index: int) -> str:
        return "@completed" if index == END else program.nodes[index].key

    first = target(0) if program.nodes else "@completed"
    for index in range(len(program.journey.enter)):
        yield DrawnEdge(f"@enter.{index}", first)
    for node in program.nodes:
        names = _exits(node)
        for order, ((name, label), where) in enumerate(
            zip(names, node.arms or (node.next,) * len(names), strict=True)
        ):
            yield DrawnEdge(node.key, target(where), exit=name, label=label, order=order)
        yield from _side_exits(node, len(names))


def _exits(node: Node) -> list[tuple[str, str]]:
    """Name the ways on from a step, each with its label, in the order of its arms."""
    match node.step:
        case Branch(arms=arms):
            said = [(str(index), describe(arm.condition)) for index, arm in enumerate(arms)]
            return [*said, ("otherwise", "otherwise")]
        case Split(arms=arms):
            total = sum(arm.weight for arm in arms)
            return [(arm.name, f"{arm.name} {100 * arm.weight / total:.3g} %") for arm in arms]
        case WaitFor(timeout=timeout):
            return [("then", "came true"), ("otherwise", f"not within {spell_span(timeout)}")]
        case HandOver(within=within):
            return [("done", "done"), ("overdue", f"not within {spell_span(within)}")]
        case Exit():
            return []
        case _:
            return [("", "")]


def _side_exits(node: Node, order: int) -> Iterator[DrawnEdge]:
    match node.step:
        case Send(on_refusal="exit"):
            yield DrawnEdge(node.key, "@refused", exit="refused", label="refused", order=order)
        case Wait(until=until, past="exit") if isinstance(until, UntilDate | datetime):
            missing = " or missing" if isinstance(until, UntilDate) else ""
            yield DrawnEdge(node.key, "@past", exit="past", label=f"past{missing}", order=order)
        case _:
            pass


# ------------------------------------------------------------------------------------------------ text

_MERMAID_SHAPES: Mapping[DrawnKind, tuple[str, str]] = {
    "enter": ("([", "])"),
    "send": ("(", ")"),
    "wait": ("[[", "]]"),
    "branch": ("{{", "}}"),
    "split": ("{{", "}}"),
    "update": ("[", "]"),
    "task": ("[/", "/]"),
    "goal": ("([", "])"),
    "exit": ("([", "])"),
}
_DOT_SHAPES: Mapping[DrawnKind, str] = {
    "enter": "oval",
    "send": "box",
    "wait": "component",
    "branch": "hexagon",
    "split": "hexagon",
    "update": "box",
    "task": "note",
    "goal": "oval",
    "exit": "oval",
}
_MERMAID_ESCAPES = str.maketrans({"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "\n": " "})
_DOT_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": " "})


def to_mermaid(journey: Journey, counts: Counts | None = None) -> str:
    """Write a journey as a Mermaid flowchart.

    Source:
        the syntax of flowcharts, mermaid.js.org/syntax/flowchart.html (quoted labels, entity codes)
    """
    drawing = graph_of(journey, counts)
    ids = _text_ids(drawing)
    lines = ["flowchart TD"]
    for step in drawing.steps:
        opening, closing = _MERMAID_SHAPES[step.kind]
        words = "<br/>".join(part.translate(_MERMAID_ESCAPES) for part in _lines(step))
        lines.append(f'    {ids[step.id]}{opening}"{words}"{closing}')
    for edge in drawing.edges:
        label = _label(edge).translate(_MERMAID_ESCAPES)
        arrow = f'-->|"{label}"|' if label else "-->"
        lines.append(f"    {ids[edge.source]} {arrow} {ids[edge.target]}")
    return "\n".join(lines) + "\n"


def to_dot(journey: Journey, counts: Counts | None = None) -> str:
    """Write a journey in the DOT language of Graphviz.

    Source:
        graphviz.org/doc/info/lang.html
    """
    drawing = graph_of(journey, counts)
    ids = _text_ids(drawing)
    lines = [f'digraph "{drawing.name.translate(_DOT_ESCAPES)}" {{']
    for step in drawing.steps:
        words = "\\n".join(part.translate(_DOT_ESCAPES) for part in _lines(step))
        lines.append(f'    {ids[step.id]} [shape={_DOT_SHAPES[step.kind]}, label="{words}"];')
    for edge in drawing.edges:
        label = _label(edge).translate(_DOT_ESCAPES)
        lines.append(
            f"    {ids[edge.source]} -> {ids[edge.target]}" + (f' [label="{label}"];' if label else ";")
        )
    return "\n".join([*lines, "}"]) + "\n"


def _text_ids(drawing: Drawing) -> dict[str, str]:
    """Give ids that every language of graphs takes: a key may hold anything, or be a word of the language."""
    return {step.id: f"n_{index}" for index, step in enumerate(drawing.steps)}


def _lines(step: DrawnStep) -> list[str]:
    count = "" if step.count is None else f"{step.count:,}"
    return [part for part in (step.title, step.detail, count) if part]


def _label(edge: DrawnEdge) -> str:
    count = "" if edge.count is None else f"{edge.count:,}"
    return " · ".join(part for part in (edge.label, count) if part)
