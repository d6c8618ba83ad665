"""The properties can fail: each fault planted in a rule is found by random customers and conditions."""

import bisect
import inspect
import sys
import textwrap
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random  # noqa: TID251 - seeded, so a run is repeatable
from typing import Any, TypeVar

import attrs
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crmsdk.model import comparison
from crmsdk.model.codec import encode
from crmsdk.model.event import START
from crmsdk.model.facts import Facts
from crmsdk.segments import meaning, unfolding
from crmsdk.segments.conditions import Condition, RunPredicate
from crmsdk.segments.verdict import RunView
from crmsdk.testing.draws import NOW, histories, predicates, questions, run_predicates, runs
from tests.unit.segments.oracle import answer, first_change, numbers_of

T = TypeVar("T")
World = tuple[Condition, Facts, datetime, RunView]

FAULTS: dict[str, tuple[Callable[..., Any], str, str]] = {
    "missing is true": (comparison.compare, "return False", "return True"),
    "the oldest end of a window is closed": (unfolding.events_of, "bisect_right", "bisect.bisect_left"),
    "the end of an interval is closed": (unfolding.events_of, "event.at < end", "event.at <= end"),
    "tests of properties are forgotten": (unfolding.events_of, "in of.tests", "in ()"),
    "an event does not count at its own moment": (
        unfolding.slices,
        "bisect_right(moments, now)",
        "len([moment for moment in moments if moment < now])",
    ),
    "events of the future count": (unfolding.slices, "bisect_right(moments, now)", "len(moments)"),
    "the trigger counts as after itself": (
        unfolding.events_since,
        "event.position <= run.entry",
        "event.position < run.entry",
    ),
    "the span since entry leaves out its end": (unfolding.events_since, "event.at <= end", "event.at < end"),
    "the key of a run is forgotten": (unfolding.events_since, "if node.keyed and", "if not node.keyed and"),
    "currencies are mixed": (
        unfolding.amount,
        "kind_of(value) != kind_of(wanted)",
        "kind_of(value)[:5] != kind_of(wanted)[:5]",
    ),
    "writes of the future never come": (unfolding.attribute_steps, "facts.attributes[-1].at > now", "False"),
    "consents of the future never come": (unfolding.consent_steps, "entry.at > now", "entry.at < now"),
    "not is forgotten": (meaning._answer, "return not matched, until", "return matched, until"),
    "and is or": (meaning._answer, "wanted=True", "wanted=False"),
    "until of and is the latest": (meaning._all, "until < agreeing", "until > agreeing"),
    "until of or is dropped": (meaning._all, "(wanted, agreeing)", "(wanted, None)"),
    "the first is the last": (meaning._edges, "is Edge.FIRST", "is Edge.LAST"),
    "recent includes its end": (meaning._within_last, "now < leaves", "now <= leaves"),
    "old leaves out its beginning": (meaning._more_than_ago, "due <= now", "due < now"),
    "now is soon": (meaning._within_next, "value <= now", "value < now"),
    "before includes its moment": (meaning._lies, "value < end", "value <= end"),
    "a turn between events is overlooked": (meaning._first_turn, "turn < at", "turn > at"),
}


def drawn(strategy: st.SearchStrategy[T], number: int) -> list[T]:
    """Draw so many values, the same ones every time."""
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

    collect()
    return out


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    """Give every condition with every customer, at moments where something may happen."""
    chance = Random(7)  # noqa: S311 - picks edges, the same ones every time
    people = [
        (facts, run)
        for facts, run in drawn(histories().flatmap(lambda f: st.tuples(st.just(f), runs(f))), 80)
    ]
    conditions: list[Condition] = [*drawn(questions(), 400), *drawn(predicates(max_leaves=3), 50)]
    conditions += drawn(run_predicates(), 100)
    out = []
    for condition in conditions:
        spans = [timedelta(microseconds=each) for each in numbers_of(encode(condition))] or [timedelta(0)]
        for facts, drawn_run in people:
            run = drawn_run
            at = chance.choice([event.at for event in facts.events] or [NOW])
            shift = chance.choice([timedelta(0), chance.choice(spans)])
            tick = chance.choice((-1, 0, 1)) * timedelta(microseconds=1)
            try:
                now, entry = at + shift + tick, at - chance.choice(spans)
            except OverflowError:
                now, entry = NOW, at
            if isinstance(condition, RunPredicate) and chance.random() < 0.5:
                run = attrs.evolve(run, entry=(entry, START), key_name=None)
            out.append((condition, facts, now, run))
    chance.shuffle(out)
    return out


def disagrees(world: World) -> bool:
    condition, facts, now, run = world
    verdict = meaning.evaluate(condition, facts, now, run=run)
    if verdict.matched != answer(condition, facts, now, run):
        return True
    change = first_change(condition, facts, now, run)
    if verdict.until is None:
        return change is not None
    return verdict.until <= now or (change is not None and change < verdict.until)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, worlds: list[World], monkeypatch: pytest.MonkeyPatch) -> None:
    function, right, wrong = FAULTS[fault]
    source = textwrap.dedent(inspect.getsource(function))
    assert right in source, "the rule is written otherwise now; plant the fault anew"
    scope: dict[str, Any] = {}
    monkeypatch.setattr(unfolding, "bisect", bisect, raising=False)
    code = compile(source.replace(right, wrong, 1), f"<{fault}>", "exec")
    exec(code, sys.modules[function.__module__].__dict__, scope)  # noqa: S102 - our own source, one change
    planted = scope[function.__name__]
    for module in (comparison, unfolding, meaning):
        if vars(module).get(function.__name__) is function:
            monkeypatch.setattr(module, function.__name__, planted)
    if function in meaning._RELATED.values():
        related = {key: planted if each is function else each for key, each in meaning._RELATED.items()}
        monkeypatch.setattr(meaning, "_RELATED", related)
    assert any(disagrees(world) for world in worlds)


def test_without_a_fault_there_is_none_to_be_found(
    worlds: list[World], sized: Callable[[int, int], int]
) -> None:
    assert not any(disagrees(world) for world in worlds[: sized(4_000, len(worlds))])
