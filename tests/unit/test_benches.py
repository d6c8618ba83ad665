"""Rows of the engine, segments and simulation benchmarks run, and their two sides do the same work."""

from collections.abc import Callable
from functools import partial

import pytest

pytest.importorskip("statemachine", reason="`make bench` installs the peers")
pytest.importorskip("cel", reason="`make bench` installs the peers")
pytest.importorskip("ibis", reason="`make bench` installs the peers")
pytest.importorskip("polars", reason="`make bench` installs the peers")

from bench.engine.journeys import journey_sides
from bench.engine.machine import react_sides, step_sides
from bench.frame import Side
from bench.segments._shop import NOW, shop
from bench.segments._shop_peers import in_ibis, in_polars
from bench.segments._shop_segments import EIGHT
from bench.segments.evaluating import QUESTIONS, evaluate_sides
from bench.segments.rules import PEERS, RULES, rule_sides
from bench.segments.sets import LAYOUT
from bench.simulation.world import world_sides
from crmsdk.audiences.duckdb import DuckDBAudience
from crmsdk.stores.memory import MemoryStore
from crmsdk.stores.sqlite import SqliteStore

Sides = Callable[[], tuple[Side, Side]]

# Each run asserts its own result, which both sides share.
ROWS: dict[str, Sides] = {
    "machine_step": lambda: step_sides(3),
    "machine_react": lambda: react_sides(3),
    "journeys_memory": lambda: journey_sides(lambda _: MemoryStore(), 3),
    "journeys_sqlite": lambda: journey_sides(SqliteStore, 3),
    "people_days": lambda: world_sides(3, 20),
    **{f"evaluate_{name}": partial(evaluate_sides, 20, (name,)) for name in QUESTIONS},
    **{f"rule_{rule}, {peer}": partial(rule_sides, 20, rule, peer) for rule in RULES for peer in PEERS},
}


@pytest.mark.parametrize("sides", [pytest.param(sides, id=name) for name, sides in ROWS.items()])
def test_both_sides_of_a_row_run_and_agree(sides: Sides) -> None:
    for side in sides():
        side()()
        side()()


@pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")  # ibis 12 still calls it
def test_the_eight_segments_are_of_the_same_people_in_every_tongue() -> None:
    rows = shop(2_000)
    ours = [DuckDBAudience(rows, LAYOUT).count(each.predicate, at=NOW) for each in EIGHT]
    assert min(ours) > 0
    assert ours == [len(rows.cursor().execute(each.sql).fetchall()) for each in EIGHT]
    assert ours == [each.to_pyarrow().as_py() for each in in_ibis(rows)]
    assert ours == [each.collect().item() for each in in_polars(rows)]
