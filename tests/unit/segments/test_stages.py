"""Stages: total, disjoint, and exact in time."""

from collections.abc import Callable
from datetime import datetime
from datetime import timedelta as td

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import DefinitionError
from crmsdk.model.codec import content_hash, dumps, loads
from crmsdk.model.facts import Facts
from crmsdk.model.money import Money
from crmsdk.segments.grammar import Predicate
from crmsdk.segments.meaning import evaluate
from crmsdk.segments.stages import Stage, Stages, stage_of
from crmsdk.segments.words import did, everyone
from crmsdk.testing.draws import histories, moments, predicates
from tests.unit.segments.oracle import first_change
from tests.unit.segments.people import NOW, ann, happened

BUYERS = Stages(
    "lifecycle",
    {
        "vip": did("purchase").within(td(days=365)).sum("amount") >= Money(1000, "RUB"),
        "new": did("purchase").first_at().within_last(td(days=30)),
        "active": did("purchase").within(td(days=90)),
        "sleeping": did("purchase"),
    },
    otherwise="lead",
)


@pytest.mark.parametrize(
    ("ago", "amount", "stage", "until"),
    [
        ([], 0, "lead", None),
        ([1], 10, "new", NOW + td(days=29)),
        ([31], 10, "active", NOW + td(days=59)),
        ([90], 10, "sleeping", None),
        ([1, 400], 999, "active", NOW + td(days=89)),
        ([1], 1000, "vip", NOW + td(days=364)),
        ([1, 400], 1000, "vip", NOW + td(days=364)),
    ],
)
def test_28_every_customer_is_in_exactly_one_stage_until_a_stated_moment(
    ago: list[int], amount: int, stage: str, until: datetime | None
) -> None:
    facts = ann([happened("purchase", td(days=day), amount=Money(amount, "RUB")) for day in ago])
    answer = stage_of(BUYERS, facts, NOW)
    assert answer == (stage, until)
    members = [name for name in BUYERS.names if evaluate(BUYERS.segment(name), facts, NOW).matched]
    assert members == [stage]


@given(histories(), st.lists(predicates(max_leaves=2), min_size=1, max_size=3), moments())
def test_28_any_stages_are_total_and_disjoint_and_hold_until_they_say(
    facts: Facts, several: list[Predicate], now: datetime
) -> None:
    stages = Stages(
        "s", {f"s{index}": predicate for index, predicate in enumerate(several)}, otherwise="none"
    )
    answer = stage_of(stages, facts, now)
    members = [name for name in stages.names if evaluate(stages.segment(name), facts, now).matched]
    assert members == [answer.name]
    change = first_change(stages.segment(answer.name), facts, now)
    assert change is None if answer.until is None else change is None or answer.until <= change


def test_stages_are_data() -> None:
    assert loads(dumps(BUYERS), Stages) == BUYERS
    assert content_hash(BUYERS) == content_hash(Stages("lifecycle", list(BUYERS.stages), otherwise="lead"))
    assert BUYERS.segment("lead").name == "lifecycle: lead"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Stages("s", {}, otherwise="x"), "one stage or more"),
        (lambda: Stages("s", {"x": everyone}, otherwise="x"), "one name"),
        (lambda: Stages("s", [Stage("a", everyone)] * 2, otherwise="x"), "one name"),
        (lambda: Stages("", {"x": everyone}, otherwise="y"), "need a name"),
        (lambda: Stages("s", {"x": everyone}, otherwise=""), "everybody else"),
        (lambda: Stage("", everyone), "needs a name"),
        (lambda: Stages("s", {"x": did("p").since_entry()}, otherwise="y"), "give a predicate"),  # type: ignore[arg-type]  # the fault
        (lambda: BUYERS.segment("gone"), "no stage 'gone'; there are vip, new"),
    ],
)
def test_impossible_stages_are_refused(wrong: Callable[[], object], message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        wrong()
