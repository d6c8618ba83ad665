"""The comparison with the reference can fail: each fault planted in the compiler is found."""

import inspect
import sys
import textwrap
from collections.abc import Callable
from datetime import timedelta
from itertools import islice
from random import Random  # noqa: TID251 - seeded, so a run is repeatable
from typing import Any, TypeAlias

import pytest
from hypothesis import strategies as st

from crmsdk.model.codec import encode
from crmsdk.model.event import START
from crmsdk.model.facts import Facts
from crmsdk.segments import _asked, _written, compiling, meaning
from crmsdk.segments.compiling import Compiled
from crmsdk.segments.conditions import Condition
from crmsdk.segments.verdict import RunView
from crmsdk.testing.draws import NOW, histories, predicates, questions, run_predicates, runs
from tests.unit.segments.oracle_moments import numbers_of
from tests.unit.segments.people import TICK
from tests.unit.segments.planting import Fault, World, Worlds, drawn, rare
from tests.unit.segments.test_compiling import known

FAULTS: dict[str, Fault] = {
    "missing is true": (_written.compared, "is not None", "is None"),
    "a boolean is a number": (_written.compared, "is {constants", "== {constants"),
    "currencies are mixed": (_written.compared, " and v.currency == ", " and v.currency != "),
    "a test is never negated": (_written.tested, "'not ' * test.negated", "'' * test.negated"),
    "all tests may be one": (_written.tested, '" and "', '" or "'),
    "a dotted name is a plain one": (_written.read, '"." in name', '"" == name'),
    "between leaves out its end": (_written._usual, "<= {high}", "< {high}"),
    "in a list is equal to its first": (_written._usual, "frozenset(plain)", "frozenset(plain[:1])"),
    "attributes of the future count": (_written.reading, "since <= now", "True"),
    "moments of the future count": (_asked._attr_time, "log[-1].at > now", "False"),
    "consents of the future count": (_asked._consent, "entry.at > now", "entry.at is None"),
    "the first consent stands": (_asked._consent, "> (last.at", "< (last.at"),
    "a consent for all fits none": (_asked._consent, "(node.channel, ANY)", "(node.channel,)"),
    "nobody asked is refused": (_asked._consent, "ConsentState.UNKNOWN", "ConsentState.DENIED"),
    "recent includes its end": (_asked._lying, "leaves > now", "leaves >= now"),
    "old leaves out its beginning": (_asked._lying, "due <= now", "due < now"),
    "now is soon": (_asked._lying, "at <= now", "at < now"),
    "before includes its moment": (_asked._lying, "at < end", "at <= end"),
    "the last is the first": (_asked._event_time, "is Edge.LAST", "is Edge.FIRST"),
    "the last event never leaves": (_asked._event_time, "return True, leaves if", "return True, turn if"),
    "a turn comes after the event has left": (
        _asked._event_time,
        "turn < leaves else None",
        "True else None",
    ),
    "the edge of the window is in it": (_asked._edge, "event.at <= since", "event.at < since"),
    "the newest but one decides": (_asked._did, "events[-enough]", "events[-enough + 1 or -1]"),
    "an event stays at the end of its span": (_asked._did, "leaves > now", "leaves >= now"),
    "events of the future count": (_asked._did, "events[-1].at > now", "False"),
    "an upper bound is a lower one": (_asked._did, "reached = high is None", "reached = True"),
    "a window is forgotten": (_asked._newest, "event.at <= since", "False"),
    "too few events are looked at": (_asked._newest, "== enough", "== enough - 1"),
    "those of one moment leave one by one": (_asked._bounded, "sum(at > oldest", "-1 + sum(at >= oldest"),
    "the oldest event decides": (_asked._bounded, "newest[low - 1]", "newest[-1]"),
    "the trigger counts as after itself": (
        _asked._since_entry,
        "event.id <= entry_id",
        "event.id < entry_id",
    ),
    "the span since entry leaves out its end": (_asked._since_entry, "at <= end", "at < end"),
    "the key of a run is forgotten": (_asked._since_entry, "if keyed", "if not keyed"),
    "what adds up is never tested": (_asked._adding, "if node.of.tests", "if False"),
    "amounts of another currency are added": (_asked._adding, " and v.currency == ", " and v.currency != "),
    "a boolean is added": (_asked._adding, " and v is not True", ""),
    "sums never shrink": (_asked._aggregate, "left -= each", "left -= 0"),
    "sums shrink one by one": (_asked._aggregate, "added[place][0] == at", "False"),
    "sums keep what has left": (_asked._lying_in, "if since is None", "if True"),
    "sums know the future": (_asked._lying_in, "if events[-1].at <= now", "if True"),
    "not is forgotten": (compiling._answering, "return not matched, until", "return matched, until"),
    "and is or": (compiling._answering, "And | RunAnd", "Or | RunOr"),
    "until of and is the latest": (compiling._joined, "until < agreeing", "until > agreeing"),
    "until of or is the earliest": (compiling._joined, "until > opposing", "until < opposing"),
    "attributes never change": (compiling._settled, "log[-1].at > now", "False"),
    "the truth of and is or": (compiling._line, "' and '.join", "' or '.join"),
    "the truth of not is forgotten": (compiling._line, "(not {", "({"),
    "the truth is the moment": (_asked.holding, "[0]", "[1]"),
}


Asked: TypeAlias = Worlds[Condition, tuple[Facts, RunView]]


def asked(condition: Condition, person: tuple[Facts, RunView], chance: Random) -> World:
    """Ask at a moment where something may happen, mostly the last."""
    facts, run = person
    widths = [timedelta(microseconds=each) for each in numbers_of(encode(condition))]
    ats = [event.at for event in facts.events] + [write.at for write in facts.attributes]
    at = chance.choice(ats or [NOW])
    shift = chance.choice([timedelta(0), *widths]) + chance.choice((-1, 0, 1)) * TICK
    try:
        now, entry = at + shift, at - chance.choice(widths or [TICK])
    except OverflowError:
        now, entry = NOW, at
    if chance.random() < 0.3:
        run = RunView(entry=(entry, START), entered=now)
    elif chance.random() < 0.5:
        run = RunView(entry=run.entry, entered=now)
    return World(condition, facts if chance.random() < 0.2 else known(facts, now), now, run)


@pytest.fixture(scope="module")
def worlds() -> Asked:
    """Give every condition with every customer, the rare ones first."""
    people = drawn(histories(size=5).flatmap(lambda facts: st.tuples(st.just(facts), runs(facts))), 60)
    compiled = questions().filter(lambda one: type(one) in _asked._MAKERS)  # the rest is the reference's own
    conditions: list[Condition] = [*drawn(compiled, 500), *drawn(predicates(max_leaves=3), 100)]
    return Worlds([*conditions, *drawn(run_predicates(), 150)], people, asked, rare())


def disagrees(world: World) -> bool:
    condition, facts, now, run = world
    compiled, verdict = Compiled(condition), meaning.evaluate(condition, facts, now, run=run)  # type: ignore[arg-type]  # who needs a run has one
    if compiled(facts, now, run) != (verdict.matched, verdict.until):
        return True
    return compiled.holds(facts, now, run, "UTC") is not verdict.matched


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, worlds: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    function, right, wrong = FAULTS[fault]
    source = textwrap.dedent(inspect.getsource(function))
    assert right in source, "the line is written otherwise now; plant the fault anew"
    scope: dict[str, Any] = {}
    code = compile(source.replace(right, wrong), f"<{fault}>", "exec")
    exec(code, sys.modules[function.__module__].__dict__, scope)  # noqa: S102 - our own source, one change
    planted = scope[function.__name__]
    for module in (_asked, _written, compiling):
        if vars(module).get(function.__name__) is function:
            monkeypatch.setattr(module, function.__name__, planted)
    makers = {kind: planted if make is function else make for kind, make in _asked._MAKERS.items()}
    monkeypatch.setattr(_asked, "_MAKERS", makers)
    assert any(disagrees(world) for world in worlds)


def test_without_a_fault_there_is_none_to_be_found(worlds: Asked, sized: Callable[[int, int], int]) -> None:
    assert not any(disagrees(world) for world in islice(worlds, sized(1_000, len(worlds))))
