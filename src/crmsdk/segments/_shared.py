"""Many segments over one set of questions: each asked once, and every segment a function of their truths."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TypeAlias

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.model.codec import content_hash
from crmsdk.model.event import Event
from crmsdk.model.values import Properties
from crmsdk.segments._asked import Answering, answering
from crmsdk.segments._written import Constants, function, passing
from crmsdk.segments.conditions import Always, And, Condition, Not, Or, Segment, leaves
from crmsdk.segments.grammar import Occurrences
from crmsdk.segments.reading import reads

__all__ = ["Plan", "each", "plan_of"]

_Passes: TypeAlias = Callable[[Properties], bool] | None
_Holds: TypeAlias = Callable[[Sequence[int]], bool]
_DEEPEST = 50  # Python reads at most 200 brackets in one another


@attrs.frozen(eq=False)
class Plan:
    """What many segments ask, each question once.

    Attributes:
        segments: As given.
        questions: The different leaves.
        answers: By question, the function that answers it.
        holds: By segment, a function from the truths of all questions to its own.
        readers: By question, the places of the segments that ask it.
        on_event: By event name, places of questions that read such events, each with the test an event must
            pass to matter to it; None for any.
        on_attribute: By attribute name, the places of questions that read it.
        on_consent, on_zone: The places of questions that read consents, or the person's zone.
    """

    segments: tuple[Segment, ...]
    questions: tuple[Condition, ...]
    answers: tuple[Answering, ...]
    holds: tuple[_Holds, ...]
    readers: tuple[tuple[int, ...], ...]
    on_event: Mapping[str, Sequence[tuple[int, _Passes]]]
    on_attribute: Mapping[str, Sequence[int]]
    on_consent: Sequence[int]
    on_zone: Sequence[int]

    def touched(self, event: Event) -> list[int]:
        """Name the questions whose answer an event may change."""
        return [
            place
            for place, passes in self.on_event.get(event.name, ())
            if passes is None or passes(event.properties)
        ]


def plan_of(segments: Iterable[Segment]) -> Plan:
    """Find the different questions of segments.

    Raises:
        DefinitionError: something is no segment, or two have one name.
    """
    given = tuple(segments)
    names: set[str] = set()
    for one in given:
        if not isinstance(one, Segment):
            raise DefinitionError(
                f"{type(one).__name__} is no segment; give segment('name', ...)", path="segments"
            )
        if one.name in names:
            raise DefinitionError(f"two segments are named {one.name!r}; names are unique", path="segments")
        names.add(one.name)
    places: dict[str, int] = {}
    questions: list[Condition] = []
    named = cache(content_hash)
    for one in given:
        for leaf in leaves(one):
            if not isinstance(leaf, Always) and places.setdefault(named(leaf), len(questions)) == len(
                questions
            ):
                questions.append(leaf)

    def place(leaf: Condition) -> int:
        return places[named(leaf)]

    readers: list[dict[int, None]] = [{} for _ in questions]
    for index, one in enumerate(given):
        for leaf in leaves(one):
            if not isinstance(leaf, Always):
                readers[place(leaf)][index] = None
    on_event: dict[str, list[tuple[int, _Passes]]] = {}
    on_attribute: dict[str, list[int]] = {}
    read = [reads(question) for question in questions]
    for index, (question, facts) in enumerate(zip(questions, read, strict=True)):
        of = getattr(question, "of", None)
        passes = passing(of.tests) if isinstance(of, Occurrences) else None
        for name in facts.events:
            on_event.setdefault(name, []).append((index, passes))
        for name in facts.attributes:
            on_attribute.setdefault(name, []).append(index)
    return Plan(
        segments=given,
        questions=tuple(questions),
        answers=tuple(map(answering, questions)),
        holds=tuple(_holds(one, place) for one in given),
        readers=tuple(map(tuple, readers)),
        on_event=on_event,
        on_attribute=on_attribute,
        on_consent=[index for index, facts in enumerate(read) if facts.consents],
        on_zone=[index for index, facts in enumerate(read) if facts.zone],
    )


def each(bits: int) -> Iterator[int]:
    """Give the places of the bits that are set, lowest first."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _holds(condition: Condition, place: Callable[[Condition], int]) -> _Holds:
    constants = Constants()
    return function("truths", [f"not not ({_line(condition, place, constants, _DEEPEST)})"], constants)


def _line(condition: Condition, place: Callable[[Condition], int], constants: Constants, depth: int) -> str:
    if depth == 0:
        return f"{constants.name(_holds(condition, place))}(truths)"
    match condition:
        case Always():
            return str(condition.holds)
        case Segment():
            return _line(condition.predicate, place, constants, depth - 1)
        case Not():
            return f"not ({_line(condition.part, place, constants, depth - 1)})"
        case And() | Or():
            word = " and " if isinstance(condition, And) else " or "
            parts = (f"({_line(part, place, constants, depth - 1)})" for part in condition.parts)
            return word.join(parts)
        case _:
            return f"truths[{place(condition)}]"
