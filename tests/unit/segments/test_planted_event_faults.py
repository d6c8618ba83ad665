"""The properties of questions about events can fail: each planted fault is found by busy customers."""

from collections.abc import Callable
from random import Random  # noqa: TID251 - seeded, so a run is repeatable

import pytest

from crmsdk.segments import measuring
from crmsdk.testing.draws import NOW
from crmsdk.testing.event_draws import aggregates, busy_histories
from tests.unit.segments.oracle import around
from tests.unit.segments.planting import Fault, World, disagrees, drawn, plant

AGGREGATES: dict[str, Fault] = {
    "the last value there is, not that of the last event": (
        measuring._brought,
        "return found",
        "return [(event, value) for event, value in found if value is not None]",
    ),
    "missing is a value": (measuring._brought, "if value is not None", "if True"),
    "values count each time": (measuring.aggregated, "{exact(value) for value in values}", "values"),
    "an average of nothing is zero": (measuring.aggregate_holds, "bool(amounts) and", "not amounts or"),
    "the smallest is the largest": (measuring.aggregated, "min(values)", "max(values)"),
}


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    """Give every question with every customer, at moments where something may happen."""
    chance = Random(7)  # noqa: S311 - picks edges, the same ones every time
    people = drawn(busy_histories(), 40)
    out: list[World] = [
        (question, facts, chance.choice(around(question, facts) or [NOW]), None)
        for question in drawn(aggregates(), 200)
        for facts in people
    ]
    chance.shuffle(out)
    return out


@pytest.mark.parametrize("fault", AGGREGATES)
def test_a_fault_planted_in_aggregates_is_found(
    fault: str, worlds: list[World], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, *AGGREGATES[fault])
    assert any(disagrees(world) for world in worlds)


def test_without_a_fault_there_is_none_to_be_found(
    worlds: list[World], sized: Callable[[int, int], int]
) -> None:
    assert not any(disagrees(world) for world in worlds[: sized(2_000, len(worlds))])
