"""The properties can fail: each fault planted in a rule is found by random customers and conditions."""

from collections.abc import Callable
from datetime import timedelta
from random import Random  # noqa: TID251 - seeded, so a run is repeatable

import attrs
import pytest
from hypothesis import strategies as st

from crmsdk.model import comparison
from crmsdk.model.codec import encode
from crmsdk.model.event import START
from crmsdk.model.facts import Facts
from crmsdk.segments import framing, meaning, unfolding
from crmsdk.segments.conditions import Condition, RunPredicate
from crmsdk.segments.verdict import RunView
from crmsdk.testing.draws import NOW, histories, predicates, questions, run_predicates, runs
from tests.unit.segments.oracle_moments import numbers_of
from tests.unit.segments.planting import Fault, World, Worlds, disagrees, drawn, finds, rare

FAULTS: dict[str, Fault] = {
    "missing is true": (comparison.compare, "return False", "return True"),
    "the oldest end of a window is closed": (framing._Sliding.kept, "bisect_right", "bisect_left"),
    "the end of an interval is closed": (unfolding.events_of, "event.at < end", "event.at <= end"),
    "tests of properties are forgotten": (unfolding.events_of, "in of.tests", "in ()"),
    "an event does not count at its own moment": (
        unfolding.slices,
        "bisect_right(moments, now)",
        "len([moment for moment in moments if moment < now])",
    ),
    "events of the future count": (unfolding._by, "moment <= now", "True"),
    "the trigger counts as after itself": (
        unfolding.events_since,
        "event.position <= run.entry",
        "event.position < run.entry",
    ),
    "the span since entry leaves out its end": (unfolding.events_since, "event.at <= end", "event.at < end"),
    "the key of a run is forgotten": (unfolding.events_since, "if node.keyed and", "if not node.keyed and"),
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


def asked(condition: Condition, person: tuple[Facts, RunView], chance: Random) -> World:
    """Ask at a moment where something may happen, of a run that may have begun a moment before."""
    facts, run = person
    at = chance.choice([event.at for event in facts.events] or [NOW])
    spans = [timedelta(microseconds=each) for each in numbers_of(encode(condition))] or [timedelta(0)]
    shift = chance.choice([timedelta(0), chance.choice(spans)])
    tick = chance.choice((-1, 0, 1)) * timedelta(microseconds=1)
    try:
        now, entry = at + shift + tick, at - chance.choice(spans)
    except OverflowError:
        now, entry = NOW, at
    if isinstance(condition, RunPredicate) and chance.random() < 0.5:
        run = attrs.evolve(run, entry=(entry, START), key_name=None)
    return World(condition, facts, now, run)


@pytest.fixture(scope="module")
def worlds() -> Worlds[Condition, tuple[Facts, RunView]]:
    """Give every condition with every customer, the rare ones first."""
    people = drawn(histories().flatmap(lambda f: st.tuples(st.just(f), runs(f))), 80)
    conditions: list[Condition] = [*drawn(questions(), 400), *drawn(predicates(max_leaves=3), 100)]
    return Worlds([*conditions, *drawn(run_predicates(), 100)], people, asked, rare())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, worlds: Worlds[Condition, tuple[Facts, RunView]]) -> None:
    assert finds(worlds, FAULTS[fault])


def test_without_a_fault_there_is_none_to_be_found(
    worlds: Worlds[Condition, tuple[Facts, RunView]], sized: Callable[[int, int], int]
) -> None:
    assert not any(disagrees(world) for world in worlds.up_to(sized(500, len(worlds))))
