"""What a check of a journey knows and says: its surroundings, its faults, and where each step stands."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Literal

import attrs

from crmsdk.journeys.definition import Journey
from crmsdk.journeys.program import arms_of, key_at
from crmsdk.journeys.steps import Branch, Step, WaitFor
from crmsdk.model.catalog import Kinds
from crmsdk.segments.conditions import Always, And, Not, Or, RunAnd, RunNot, RunOr, Segment
from crmsdk.segments.grammar import Condition, SinceEntry

__all__ = ["Fault", "Place", "Surroundings", "asked", "nearest", "places", "possible"]


@attrs.frozen
class Fault:
    """One thing wrong with a journey.

    Attributes:
        path: Where, as ``steps[2].then[0].template``; empty for the journey as a whole.
        sentence: What, and the mend.
        severity: An ``error`` keeps the journey from running; a ``warning`` may be meant.
    """

    path: str
    sentence: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:  # type: ignore[explicit-override]  # typing has override from 3.12 on
        """Give the path and the sentence."""
        return f"{self.path}: {self.sentence}" if self.path else self.sentence


def _names(given: Iterable[str]) -> frozenset[str]:
    return frozenset(given)


@attrs.frozen(kw_only=True)
class Surroundings:
    """What a journey may refer to; what is None is not known, and nothing is checked against it.

    Attributes:
        kinds: Declared events and attributes, as ``Catalog.kinds`` gives them.
        strict: Whether a name nobody declared is an error; else a warning.
        variables: Template name to file (``email.en``) to the variables that file cannot be rendered without.
        channels: Names of the channels that have an adapter.
        senders: Ids of the sending identities.
        links: Template variables the runtime fills in by itself, as ``unsubscribe_url``.
    """

    kinds: Kinds | None = None
    strict: bool = True
    variables: Mapping[str, Mapping[str, frozenset[str]]] | None = None
    channels: frozenset[str] | None = attrs.field(default=None, converter=attrs.converters.optional(_names))
    senders: frozenset[str] | None = attrs.field(default=None, converter=attrs.converters.optional(_names))
    links: frozenset[str] = attrs.field(default=frozenset(), converter=_names)


@attrs.frozen
class Place:
    """A step and where it stands."""

    path: str
    key: str
    step: Step


def places(steps: Sequence[Step], path: str = "steps") -> Iterator[Place]:
    """Give every step, the outer ones before those inside, in the order they are written."""
    for index, step in enumerate(steps):
        here = f"{path}[{index}]"
        yield Place(here, key_at(step, here), step)
        for name, nested in arms_of(step):
            yield from places(nested, f"{here}.{name}")


def asked(journey: Journey) -> Iterator[tuple[str, Condition]]:
    """Give every condition asked within a run, with its path."""
    if journey.goal is not None:
        yield "goal", journey.goal
    if journey.exit is not None:
        yield "exit", journey.exit
    for place in places(journey.steps):
        match place.step:
            case WaitFor(condition=condition):
                yield f"{place.path}.condition", condition
            case Branch(arms=arms):
                yield from (
                    (f"{place.path}.arms[{index}].condition", arm.condition) for index, arm in enumerate(arms)
                )
            case _:
                pass


def possible(condition: Condition, *, at_entry: bool = False) -> frozenset[bool]:
    """Say which answers a condition can give, as far as its form alone tells.

    Args:
        condition: What is asked.
        at_entry: Asked at the entry of a run, where no event has come since.
    """
    match condition:
        case Always(holds):
            return frozenset({holds})
        case Not(part) | RunNot(part):
            return frozenset(not answer for answer in possible(part, at_entry=at_entry))
        case Segment(predicate=part):
            return possible(part, at_entry=at_entry)
        case And(parts) | RunAnd(parts):
            return _joined(parts, decides=False, at_entry=at_entry)
        case Or(parts) | RunOr(parts):
            return _joined(parts, decides=True, at_entry=at_entry)
        case SinceEntry(low=low) if at_entry:
            return frozenset({low == 0})
        case SinceEntry(low=0, high=None):
            return frozenset({True})
        case _:
            return frozenset({True, False})


def _joined(parts: Iterable[Condition], *, decides: bool, at_entry: bool) -> frozenset[bool]:
    """Join parts of which one alone decides, where it gives ``decides``."""
    answers = [possible(part, at_entry=at_entry) for part in parts]
    out = set()
    if any(decides in each for each in answers):
        out.add(decides)
    if all((not decides) in each for each in answers):
        out.add(not decides)
    return frozenset(out)


def nearest(name: str, known: Iterable[str], otherwise: str) -> str:
    """Offer the nearest known name, or another mend."""
    near = get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else otherwise
