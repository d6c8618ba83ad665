"""A journey made ready to run: its steps in one row, each knowing where to go next."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import cast

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.journeys.definition import Journey
from crmsdk.journeys.steps import AnyStep, Branch, Exit, HandOver, Split, Step, UntilDate, Wait, WaitFor
from crmsdk.model.codec import content_hash
from crmsdk.model.comparison import kind_of
from crmsdk.model.values import Value
from crmsdk.segments.grammar import Condition
from crmsdk.segments.reading import Reads, reads

__all__ = ["END", "Node", "Program", "Project", "arms_of", "both_names", "compiled", "key_at", "key_text"]

END = -1
"""The cursor of a run that has no further step."""


@attrs.frozen(kw_only=True)
class Project:
    """What the core must know of the application.

    Attributes:
        zone: IANA zone of people whose zone is unknown.
        secret: Key of the message ids; whoever has it can derive them.
    """

    zone: str
    secret: bytes = attrs.field(default=b"crmsdk", repr=False)


@attrs.frozen(kw_only=True)
class Node:
    """One step and its exits.

    Attributes:
        index: Its number in the program.
        key: The step's key, given or made from its place.
        path: Its place, as ``steps[2].then[0]``.
        step: The step.
        next: Where to go on; ``END`` for nowhere.
        arms: Where each arm begins: of a branch the arms, then otherwise; of a split the arms; of a wait
            then, otherwise; of a task done, overdue. An empty arm begins at ``next``.
    """

    index: int
    key: str
    path: str
    step: AnyStep
    next: int
    arms: tuple[int, ...] = ()


@attrs.frozen(kw_only=True)
class Program:
    """A journey made ready to run.

    Attributes:
        journey: The definition.
        hash: Its content hash.
        nodes: Its steps; a run begins at 0.
        rules: Names of facts that can change the answer of goal, exit or any wait.
    """

    journey: Journey
    hash: str
    nodes: tuple[Node, ...]
    rules: Reads

    @property
    def name(self) -> str:
        """The journey's name."""
        return self.journey.name

    def key_at(self, cursor: int) -> str:
        """Give the key of a step; empty where there is no such step, as at the end."""
        return self.nodes[cursor].key if 0 <= cursor < len(self.nodes) else ""

    def path_at(self, cursor: int) -> str:
        """Give the place of a step, for messages; ``none`` where there is no such step."""
        return self.nodes[cursor].path if 0 <= cursor < len(self.nodes) else "none"


def arms_of(step: Step) -> tuple[tuple[str, Sequence[Step]], ...]:
    """Name the nested rows of steps, in the order of ``Node.arms``."""
    match step:
        case Branch():
            named = tuple((f"arms[{index}].steps", arm.steps) for index, arm in enumerate(step.arms))
            return (*named, ("otherwise", step.otherwise))
        case Split():
            return tuple((f"arms[{index}].steps", arm.steps) for index, arm in enumerate(step.arms))
        case WaitFor():
            return (("then", step.then), ("otherwise", step.otherwise))
        case HandOver():
            return (("done", step.done), ("overdue", step.overdue))
        case _:
            return ()


def key_at(step: Step, path: str) -> str:
    """Give the key of a step: its own, or one made from its place.

    >>> key_at(Step(), "steps[2].then[0]")
    '2.then.0'
    """
    return step.key or path.removeprefix("steps").replace("[", ".").replace("]", "").strip(".")


def both_names(attribute: str) -> frozenset[str]:
    """Name what may be written when an attribute changes: of a dotted name the part before the dot too."""
    return frozenset((attribute, attribute.partition(".")[0]))


def _dates(nodes: Sequence[Node]) -> Iterator[Reads]:
    for node in nodes:
        if isinstance(node.step, Wait) and isinstance(node.step.until, UntilDate):
            yield Reads(attributes=both_names(node.step.until.attribute))


def _conditions(nodes: Sequence[Node], journey: Journey) -> Iterator[Condition]:
    yield from (rule for rule in (journey.goal, journey.exit) if rule is not None)
    yield from (node.step.condition for node in nodes if isinstance(node.step, WaitFor))


def compiled(journey: Journey) -> Program:
    """Lay the steps of a journey out in a row.

    Raises:
        DefinitionError: two steps have one key.
    """
    nodes: dict[int, Node] = {}
    keys: dict[str, str] = {}

    def place(steps: Sequence[Step], path: str, follow: int) -> int:
        first = len(nodes)
        for offset in range(len(steps)):
            nodes[first + offset] = _RESERVED
        for offset, step in enumerate(steps):
            index = first + offset
            after = index + 1 if offset + 1 < len(steps) else follow
            here = f"{path}[{offset}]"
            key = key_at(step, here)
            if key in keys:
                raise DefinitionError(
                    f"the key {key!r} is also that of {keys[key]}; give each its own", path=here
                )
            keys[key] = here
            arms = tuple(place(nested, f"{here}.{name}", after) for name, nested in arms_of(step))
            known = cast("AnyStep", step)
            nodes[index] = Node(index=index, key=key, path=here, step=known, next=after, arms=arms)
        return first if steps else follow

    place(journey.steps, "steps", END)
    row = tuple(nodes[index] for index in range(len(nodes)))
    return Program(
        journey=journey,
        hash=content_hash(journey),
        nodes=row,
        rules=Reads.union((*(reads(condition) for condition in _conditions(row, journey)), *_dates(row))),
    )


_RESERVED = Node(index=END, key="", path="", step=Exit(), next=END)


def key_text(value: Value) -> str:
    """Write the value of an entry key as text, one text a value.

    >>> key_text(7), key_text("7")
    ('7', "'7'")
    """
    match value:
        case None:
            return ""
        case str():
            return repr(value)
        case datetime():
            return value.isoformat()
        case Mapping() | tuple():
            raise DefinitionError(f"a {kind_of(value)} cannot be an entry key; use a plain value")
        case _:
            return str(value)
