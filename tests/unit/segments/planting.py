"""Plant one fault in a rule of segments, and see whether random worlds tell it from the oracle."""

import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice, product
from random import Random  # noqa: TID251 - seeded, so a run is repeatable
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

from crmsdk.errors import CrmsdkError
from crmsdk.model import colleagues, comparison
from crmsdk.model.event import START
from crmsdk.model.facts import Facts
from crmsdk.model.money import Money
from crmsdk.segments import (
    accounting,
    calendars,
    chaining,
    framing,
    habits,
    knowing,
    meaning,
    measuring,
    ratios,
    reckoning,
    recurring,
    spells,
    trending,
    unfolding,
)
from crmsdk.segments.conditions import Condition
from crmsdk.segments.verdict import RunView
from crmsdk.segments.words import attr, did, prop
from crmsdk.testing.draws import NOW
from tests.unit.segments.oracle import answer, first_change
from tests.unit.segments.people import ann, happened, wrote


class _Asked(NamedTuple):
    condition: Condition
    facts: Facts
    now: datetime
    run: RunView | None = None


class World(_Asked):
    """A question about a customer at a moment; what is true of it is found once, whatever faults follow."""

    @cached_property
    def truth(self) -> tuple[bool, datetime | None]:
        return answer(*self), first_change(*self)


T = TypeVar("T")
Q = TypeVar("Q")
P = TypeVar("P")
Answer: TypeAlias = tuple[bool, datetime | None] | type[CrmsdkError]
"""What is answered, or the error raised."""
Fault: TypeAlias = tuple[Callable[..., Any], str, str]
"""The function, what stands in its source, and what shall stand there."""

MODULES = (
    comparison,
    colleagues,
    accounting,
    calendars,
    framing,
    unfolding,
    ratios,
    measuring,
    spells,
    chaining,
    trending,
    recurring,
    habits,
    reckoning,
    knowing,
    meaning,
)


def drawn(strategy: st.SearchStrategy[T], number: int) -> list[T]:
    """Draw so many values, the same ones every time, whatever modules other tests have loaded."""
    out: list[T] = []

    @settings(
        max_examples=number,
        phases=[Phase.generate],
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(value: T) -> None:
        out.append(value)

    with pytest.MonkeyPatch.context() as patch:
        # Hypothesis mixes in constants of all modules loaded so far, and remembers them.
        patch.setattr(providers, "_get_local_constants", Constants)
        patch.setattr(providers, "CONSTANTS_CACHE", type(providers.CONSTANTS_CACHE)(1024))
        collect()
    return out


def rare() -> list[World]:
    """Give what is seldom drawn: a value that is nearly the one asked for, amounts of one moment."""
    day, week = timedelta(days=1), timedelta(days=7)
    bought = [
        ("a", day, 3),
        ("b", day, -3),
        ("c", day / 2, 1),
        ("d", day, Money(1, "RUB")),
        ("e", 9 * day, 9),
    ]
    facts = ann(
        [
            *(happened("purchase", ago, id, amount=amount) for id, ago, amount in bought),
            happened("visit", day, cart={"id": 1}, seen=True),
        ],
        [
            wrote("one", 1),
            wrote("two", 2),
            wrote("three", 3),
            wrote("seen", NOW),
            wrote("paid", Money(2, "USD")),
        ],
    )
    later = facts.with_attributes([wrote("two", 3, -day)])
    asked: list[tuple[Condition, Facts]] = [
        (attr("one") == True, facts),  # noqa: E712 - the question, not a comparison
        (attr("two").in_([1, 2]), facts),
        (attr("two").between(1, 2), facts),
        (did("visit").within(week).at_least(2), facts.with_events([happened("visit", 3 * day, "f")])),
        (did("visit").where(prop("cart.id") == 1), facts),
        (did("purchase").within(week).sum("amount").between(1, 2), facts),
        (did("purchase").where(prop("amount") > 1).sum("amount") == 12, facts),
        (did("purchase").within(week) & did("visit").within(week), facts),
        (did("purchase").sum("amount") == Money(0, "USD"), facts),
        (did("visit").sum("seen") == 0, facts),
        ((attr("one") == 1) & (attr("two") == 2), later),
        (did("purchase").within(week) | did("visit").within(2 * day), facts),
        (did("visit").within(2 * day).last_at().more_than_ago(week), facts),
        (did("visit").within(day).last_at().within_last(week), facts),
        (did("visit").within(2 * day).last_at().within_last(week), facts),
        (did("purchase").sum("amount") > 12, facts.with_events([happened("purchase", -day, "f", amount=5)])),
        (did("visit").last_at().more_than_ago(day), facts),
        (did("purchase").within(week).count().between(1, 4), facts),
        (did("purchase").within(2 * day).count().between(2, 2), facts),
        (did("visit").last_at().within_last(day), facts),
        (did("visit").within(week).last_at().more_than_ago(9 * day), facts),
        (attr("seen").within_next(day), facts),
        (attr("paid") >= Money(1, "RUB"), facts),
        (attr("two") == 2, later),
        (did("visit").between(NOW - week, NOW - day), facts),
        (did("purchase").within(2 * day).at_least(3), facts),
        (attr("seen").before(NOW), facts),
        (attr("seen").within_last(week), facts.with_attributes([wrote("seen", NOW - 9 * day, -day)])),
    ]
    run = RunView(entry=(NOW, START), entered=NOW)
    visited = next(event for event in facts.events if event.name == "visit")
    at_it = RunView(entry=visited.position, entered=visited.at)
    return [
        *(World(condition, of, NOW, run) for condition, of in asked),
        World(did("visit").since_entry(), facts, NOW, at_it),
        World(attr("two") == 3, later, NOW + 2 * day, run),  # the same facts are asked about the past, next
        World(attr("two") == 2, later, NOW, run),
    ]


class Worlds(Generic[Q, P]):
    """Every question with every customer, mixed; each made and answered when it is first asked for."""

    def __init__(
        self,
        questions: Sequence[Q],
        people: Sequence[P],
        make: Callable[[Q, P, Random], World],
        first: Sequence[World] = (),
    ) -> None:
        self._pairs = list(product(questions, people))
        self._chance = Random(7)  # noqa: S311 - picks edges, the same ones every time
        self._chance.shuffle(self._pairs)
        self._make = make
        self._made = list(first)
        self._right: list[Answer] = []
        self._left = iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def __iter__(self) -> Iterator[World]:
        yield from self._made
        for pair in self._left:
            self._made.append(self._make(*pair, self._chance))
            yield self._made[-1]

    def up_to(self, number: int) -> list[World]:
        """Give the first so many."""
        missing = islice(self._left, max(0, number - len(self._made)))
        self._made += [self._make(*pair, self._chance) for pair in missing]
        return self._made[:number]

    def parts(self, size: int = 250) -> Iterator[list[tuple[World, Answer]]]:
        """Give them all in parts, with what is answered now; whatever is planted must be gone by then."""
        for begin in range(0, len(self), size):
            made = self.up_to(begin + size)
            self._right += [_answer(world) for world in made[len(self._right) :]]
            yield list(zip(made, self._right, strict=False))[begin:]


def finds(worlds: Worlds[Any, Any], fault: Fault, *, exact: bool = False) -> bool:
    """Say whether any world tells that a fault is planted: it answers anew, and the oracle disagrees."""
    for part in worlds.parts():
        with pytest.MonkeyPatch.context() as patch:
            plant(patch, *fault)
            if any(_answer(world) != right and disagrees(world, exact=exact) for world, right in part):
                return True
    return False


def _answer(world: World) -> Answer:
    try:
        verdict = meaning.evaluate(world.condition, world.facts, world.now, run=world.run)  # type: ignore[arg-type]  # who needs a run has one
    except CrmsdkError as error:
        return type(error)
    return verdict.matched, verdict.until


def disagrees(world: World, *, exact: bool = False) -> bool:
    """Say whether what is answered now contradicts the oracle; an evaluation never raises."""
    match _answer(world):
        case bool(matched), until:
            right, change = world.truth
        case _:
            return True
    if matched != right:
        return True
    if exact:
        return until != change
    if until is None:
        return change is not None
    return until <= world.now or (change is not None and change < until)


def plant(monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any], right: str, wrong: str) -> None:
    """Put a faulty copy of a function wherever the segments use it."""
    source = textwrap.dedent(inspect.getsource(function))
    assert right in source, "the rule is written otherwise now; plant the fault anew"
    scope: dict[str, Any] = {}
    code = compile(source.replace(right, wrong, 1), "<fault>", "exec")
    exec(code, sys.modules[function.__module__].__dict__, scope)  # noqa: S102 - our own source, one change
    planted = scope[function.__name__]
    owner = function.__qualname__.rpartition(".")[0]
    if owner:
        monkeypatch.setattr(getattr(sys.modules[function.__module__], owner), function.__name__, planted)
        return
    for module in MODULES:
        if vars(module).get(function.__name__) is function:
            monkeypatch.setattr(module, function.__name__, planted)
    if function in meaning._RELATED.values():
        related = {key: planted if each is function else each for key, each in meaning._RELATED.items()}
        monkeypatch.setattr(meaning, "_RELATED", related)
