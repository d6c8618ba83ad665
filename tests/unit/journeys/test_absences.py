"""One event without another: whatever the order of arrival, what is watched for is the same."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.journeys.definition import Journey
from crmsdk.journeys.person import WatchKind
from crmsdk.journeys.steps import Send
from crmsdk.journeys.triggers import on
from tests.unit.journeys.stage import HOUR, START, Stage

MINUTE = timedelta(minutes=1)
LATEST = 100  # minutes; less than the wait, so that nothing is due before all have come

_facts = st.lists(
    st.tuples(st.integers(0, LATEST), st.sampled_from(["cart", "buy"]), st.sampled_from([1, 2])),
    min_size=1,
    max_size=6,
)


def watched(anchor: Any, facts: list[tuple[int, str, int, str]]) -> dict[str, tuple[object, ...]]:
    """Let events arrive one by one; give what is watched for afterwards, by key."""
    cart = Journey(
        "test",
        enter=on("cart", key="cart").unless("buy", within=2 * HOUR, anchor=anchor),
        steps=[Send("hi", via="email")],
        kind="trigger",
    )
    stage = Stage.of(cart, now=START + LATEST * MINUTE)
    for minute, name, key, id in facts:
        stage.event(name, at=START + minute * MINUTE, id=id, cart=key)
    waits = [watch for watch in stage.person.watches if watch.kind is WatchKind.ABSENCE]
    return {watch.key: (watch.due, watch.position) for watch in waits}


@pytest.mark.parametrize("anchor", ["first", "last"])
@given(facts=_facts, order=st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_what_arrival_in_time_gives(
    anchor: str, facts: list[tuple[int, str, int]], order: Any
) -> None:
    named = [(*fact, f"{index}") for index, fact in enumerate(facts)]
    in_time = sorted(named, key=lambda fact: (fact[0], fact[3]))
    arrived = list(in_time)
    order.shuffle(arrived)
    assert watched(anchor, arrived) == watched(anchor, in_time)


@pytest.mark.parametrize(
    ("anchor", "begun"),
    [("first", 0), ("last", 20)],
)
def test_the_stated_anchor_is_the_one_that_counts(anchor: str, begun: int) -> None:
    (wait,) = watched(anchor, [(0, "cart", 1, "a"), (20, "cart", 1, "b")]).values()
    assert wait[0] == START + begun * MINUTE + 2 * HOUR


@pytest.mark.parametrize("late", ["a", "u", "b"])
def test_an_anchor_after_the_calling_off_begins_its_own_wait(late: str) -> None:
    facts = [(0, "cart", 1, "a"), (10, "buy", 1, "u"), (20, "cart", 1, "b")]
    arrived = [*(fact for fact in facts if fact[3] != late), *(fact for fact in facts if fact[3] == late)]
    (wait,) = watched("first", arrived).values()
    assert wait[0] == START + 20 * MINUTE + 2 * HOUR
