"""Stages: total, disjoint, and exact in time."""

from collections.abc import Callable
from datetime import datetime
from datetime import timedelta as td

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import DefinitionError, IllegalTransition
from crmsdk.model.codec import content_hash, dumps, loads
from crmsdk.model.facts import Facts
from crmsdk.model.money import Money
from crmsdk.segments.grammar import Predicate
from crmsdk.segments.meaning import evaluate
from crmsdk.segments.stages import Stage, Stages, Transition, next_stage, stage_changes, stage_of
from crmsdk.segments.words import did, everyone
from crmsdk.testing.draws import histories, moments, predicates
from tests.unit.segments.oracle import first_change
from tests.unit.segments.people import NOW, TICK, ann, happened

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


BOUGHT = did("purchase")
RECENT = BOUGHT.within(td(days=90))
JOURNEY = Stages(
    "shopper",
    {
        "returned": RECENT & BOUGHT.first_at().more_than_ago(td(days=365)) & ~BOUGHT.previous(td(days=90), 3),
        "new": BOUGHT.first_at().within_last(td(days=30)),
        "active": RECENT,
        "churned": BOUGHT & ~BOUGHT.within(td(days=365)),
        "sleeping": BOUGHT,
    },
    otherwise="lead",
    audience="shoppers",
    transitions={
        "lead": ["new"],
        "new": ["active"],
        "active": ["sleeping"],
        "sleeping": ["churned", "active"],
        "churned": ["returned"],
        "returned": ["sleeping", "active"],
    },
)


def bought(*ago: int) -> Facts:
    return ann([happened("purchase", td(days=days), id=f"p{days}") for days in ago])


def test_40_a_customer_is_followed_from_the_first_touch_to_leaving_and_return() -> None:
    facts = bought(1000, 200, 190)
    changes = list(stage_changes(JOURNEY, facts, NOW - td(days=1100), NOW + td(days=400)))
    assert [(str(change.at - NOW), change.before, change.after) for change in changes] == [
        ("-1000 days, 0:00:00", "lead", "new"),
        ("-970 days, 0:00:00", "new", "active"),
        ("-910 days, 0:00:00", "active", "sleeping"),
        ("-635 days, 0:00:00", "sleeping", "churned"),
        ("-200 days, 0:00:00", "churned", "returned"),
        ("-110 days, 0:00:00", "returned", "active"),
        ("-100 days, 0:00:00", "active", "sleeping"),
        ("175 days, 0:00:00", "sleeping", "churned"),
    ]
    assert all(change.allowed for change in changes)
    assert [
        change.at for change in stage_changes(JOURNEY, facts, NOW - td(days=1000), NOW - td(days=910))
    ] == [
        NOW - td(days=970),
        NOW - td(days=910),
    ]


def test_39_what_is_not_declared_to_follow_is_told_and_refused() -> None:
    strict = attrs.evolve(JOURNEY, transitions={"lead": ["new"], "new": ["active"], "active": ["sleeping"]})
    told = list(stage_changes(strict, bought(1000), NOW - td(days=1100), NOW))
    assert [(change.after, change.allowed) for change in told] == [
        ("new", True),
        ("active", True),
        ("sleeping", True),
        ("churned", False),
    ]
    assert next_stage(JOURNEY, bought(1), NOW, was="lead") == stage_of(JOURNEY, bought(1), NOW)
    assert next_stage(JOURNEY, bought(1), NOW, was="new").name == "new"
    with pytest.raises(
        IllegalTransition, match="nobody go from 'churned' to 'new', after 'churned' may come ret"
    ) as error:
        next_stage(JOURNEY, bought(1), NOW, was="churned")
    assert (error.value.stages, error.value.before, error.value.after) == ("shopper", "churned", "new")
    assert error.value.allowed == ("returned",)
    with pytest.raises(DefinitionError, match="no stage 'gone'"):
        next_stage(JOURNEY, bought(1), NOW, was="gone")


def test_where_no_transitions_are_declared_every_stage_may_follow_every_other() -> None:
    assert BUYERS.allows("lead", "sleeping")
    assert BUYERS.after("new") == ("vip", "active", "sleeping", "lead")
    assert JOURNEY.after("returned") == ("active", "sleeping")
    assert not JOURNEY.allows("churned", "active")
    closed = attrs.evolve(BUYERS, transitions={"lead": ["new"]})
    assert closed.after("new") == ()
    with pytest.raises(IllegalTransition, match="may come nothing"):
        next_stage(closed, bought(), NOW, was="new")


def test_transitions_are_one_definition_however_they_are_listed() -> None:
    pairs = [Transition("new", "active"), Transition("lead", "new"), Transition("lead", "new")]
    listed = attrs.evolve(BUYERS, transitions=pairs)
    assert listed == attrs.evolve(BUYERS, transitions={"lead": ["new"], "new": ["active"]})
    assert loads(dumps(listed), Stages) == listed


@given(histories(), st.lists(predicates(max_leaves=2), min_size=1, max_size=3), moments())
def test_changes_of_stages_are_all_changes_there_are(
    facts: Facts, several: list[Predicate], now: datetime
) -> None:
    stages = Stages("s", {f"s{index}": each for index, each in enumerate(several)}, otherwise="none")
    end = min(now, NOW) + td(days=40)
    names, at = [stage_of(stages, facts, now).name], now
    for change in stage_changes(stages, facts, now, end):
        assert now < change.at <= end
        assert at <= change.at
        assert change.before == names[-1] != change.after
        assert stage_of(stages, facts, change.at - TICK).name == change.before
        names.append(change.after)
        at = change.at
        if len(names) > 50:
            return
    if now <= end:
        assert stage_of(stages, facts, end).name == names[-1]


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
        (lambda: attrs.evolve(BUYERS, transitions={"lead": ["old"]}), "transitions: there is no stage 'old'"),
        (lambda: attrs.evolve(BUYERS, transitions={"old": ["lead"]}), "transitions: there is no stage 'old'"),
        (lambda: attrs.evolve(BUYERS, transitions={"lead": ["lead"]}), "may always stay"),
        (lambda: attrs.evolve(BUYERS, transitions={"lead": "new"}), "transitions.lead: is one text"),
        (lambda: BUYERS.segment("gone"), "no stage 'gone'; there are vip, new"),
    ],
)
def test_impossible_stages_are_refused(wrong: Callable[[], object], message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        wrong()
