"""Questions to be asked of many people at once: drawn and answered by the reference once for all adapters."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from itertools import count
from typing import Final, NamedTuple, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crmsdk.model.colleagues import Colleagues
from crmsdk.model.facts import Facts
from crmsdk.segments.conditions import Predicate, Segment
from crmsdk.segments.meaning import evaluate
from crmsdk.testing.account_draws import account_predicates
from crmsdk.testing.draws import NOW, moments, predicates
from crmsdk.testing.edge_questions import edge_questions
from crmsdk.testing.populations import population

__all__ = ["Asked", "all_questions", "answered", "drawn", "drawn_questions"]

T = TypeVar("T")
_TOGETHER: Final = 24
"""How many drawn questions are asked at one moment, in one query."""
_ABOUT_ACCOUNTS: Final = 5
"""One of so many drawn questions is about the people of an account."""
_STRIDES: Final = 48


class Asked(NamedTuple):
    """Questions of one moment, and who is meant by each."""

    people: tuple[Facts, ...]
    at: datetime
    segments: tuple[Segment, ...]
    members: tuple[tuple[str, ...], ...]


def drawn(strategy: st.SearchStrategy[T], number: int) -> list[T]:
    """Draw so many, at once: they are tried together, so that nothing shrinks."""
    found: list[T] = []

    @settings(
        max_examples=number,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    @given(strategy)
    def draw(one: T) -> None:
        found.append(one)

    draw()
    return found


def answered(people: tuple[Facts, ...], at: datetime, questions: Iterable[Predicate]) -> Asked:
    """Let the reference answer."""
    segments = tuple(Segment(f"s{place}", each) for place, each in enumerate(questions))
    known = Colleagues(people)
    beside = [known.beside(facts) for facts in people]
    members = (
        tuple(sorted(facts.customer for facts in beside if evaluate(each, facts, at).matched))
        for each in segments
    )
    return Asked(people, at, segments, tuple(members))


_drawn: dict[int, tuple[list[Predicate], list[datetime]]] = {}


@cache
def _group(number: int, place: int) -> Asked:
    questions, ats = _drawn[number]
    some = questions[place * _TOGETHER : (place + 1) * _TOGETHER]
    return answered(population(7), ats[place % len(ats)], some)


def drawn_questions(number: int) -> Iterator[Asked]:
    """Give random questions of 200 people, the same ones to everybody in one process."""
    if number not in _drawn:
        _drawn[number] = (
            [
                *drawn(predicates(), number - number // _ABOUT_ACCOUNTS),
                *drawn(account_predicates(), number // _ABOUT_ACCOUNTS),
            ],
            [NOW, *drawn(moments(), max(1, number // _TOGETHER))],
        )
    for place in count():
        if place * _TOGETHER >= len(_drawn[number][0]):
            return
        yield _group(number, place)


@cache
def _stride(place: int) -> Asked:
    return answered(population(7, 120), NOW, edge_questions()[place::_STRIDES])


def all_questions(part: int = 1) -> Iterator[Asked]:
    """Give the edge questions of 120 people, of every kind some in each group.

    Args:
        part: Give one of so many groups.
    """
    for place in range(0, _STRIDES, part):
        yield _stride(place)
