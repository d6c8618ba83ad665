"""Segments over everybody, next to SQL somebody wrote by hand, both by DuckDB on the same clustered table.

100,000 people and 2,000,000 events; ``CRMSDK_BENCH_PEOPLE=1000000`` is the full size. The peer of a hundred
segments are a hundred queries: once they hand over who belongs, as one pass does, once they only count, and
once they read Parquet files in which the events lie as they arrived.
"""

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from typing import Final

import duckdb

from bench.frame import Bench, Side, repeated, versus, within
from bench.segments._shop import NOW, PEOPLE, database, files, shop
from bench.segments._shop_segments import EIGHT, Typical, hundred
from crmsdk.audiences.duckdb import DuckDBAudience
from crmsdk.segments.sql.compiling import compile_masks
from crmsdk.segments.sql.dialects.duckdb import DuckDB
from crmsdk.segments.sql.layout import Events, Layout, money

__all__ = [
    "EIGHT_ONE_BY_ONE",
    "GROWTH",
    "audience",
    "compile_hundred",
    "eight",
    "hundred_counts",
    "hundred_unclustered",
    "hundred_who",
    "memory",
]

FEW: Final = 20
PEER: Final = "SQL by hand, DuckDB"
LAYOUT: Final = Layout(events=Events(properties={"amount": money("amount", "RUB")}), complete=True, nfc=True)


@cache
def audience() -> DuckDBAudience:
    """Ask the shop."""
    return DuckDBAudience(shop(PEOPLE), LAYOUT)


def _counted(sql: str) -> int:
    ((count,),) = shop(PEOPLE).cursor().execute(f"SELECT count(*) FROM ({sql})").fetchall()
    return int(count)


def _sides(each: Typical) -> tuple[Side, Side]:
    assert audience().count(each.predicate, at=NOW) == _counted(each.sql), each.name
    return repeated(lambda: audience().count(each.predicate, at=NOW)), repeated(lambda: _counted(each.sql))


def _one(each: Typical) -> Bench:
    name = f"sets.one: {each.name}"
    return versus(name, n=1, peer=PEER, most=1.5)(lambda: _sides(each))


EIGHT_ONE_BY_ONE: Final = [_one(each) for each in EIGHT]


@versus("sets.eight typical segments together", n=8, peer=PEER, most=1.1)
def eight() -> tuple[Side, Side]:
    """Count all eight, one after the other."""

    def ours() -> None:
        for each in EIGHT:
            audience().count(each.predicate, at=NOW)

    def by_hand() -> None:
        for each in EIGHT:
            _counted(each.sql)

    return repeated(ours), repeated(by_hand)


def _pass(count: int) -> Callable[[], object]:
    segments = [each for each, _ in hundred(count)]
    return lambda: audience().memberships(segments, at=NOW)


_taken: Final = list[float]()


@within(
    "sets.the memory of a hundred segments",
    n=1,
    budget=lambda: 2.0,
    rounds=3,
    clock=lambda: sum(_taken),
    unit="GB",
)
def memory() -> Side:
    """Hold the most that a process takes which only asks, of a database file."""
    command = [sys.executable, "-m", "bench.segments._asking", str(database(PEOPLE))]

    def ask() -> None:
        asked = subprocess.run(command, check=True, capture_output=True, text=True)
        _taken.append(int(asked.stdout) / 1e9)

    return repeated(ask)


def _by_hand(connection: "duckdb.DuckDBPyConnection") -> Callable[[], object]:
    """Ask a hundred queries who belongs; they find as many as one pass does."""
    queries = [sql for _, sql in hundred()]

    def ask() -> list[list[object]]:
        return [[row[0] for row in connection.execute(sql).fetchall()] for sql in queries]

    found = audience().memberships([each for each, _ in hundred()], at=NOW)
    assert [len(ids) for ids in ask()] == list(found.counts().values())
    return ask


@versus("sets.a hundred segments: who belongs", n=100, peer="a hundred queries by hand", most=0.45, rounds=3)
def hundred_who() -> tuple[Side, Side]:
    """Hand over who belongs to each."""
    return repeated(_pass(100)), repeated(_by_hand(shop(PEOPLE).cursor()))


@versus("sets.a hundred segments: only counted", n=100, peer="a hundred counts by hand", most=1.0, rounds=3)
def hundred_counts() -> tuple[Side, Side]:
    """Hand over who belongs, against queries that only count."""
    return repeated(_pass(100)), repeated(lambda: [_counted(sql) for _, sql in hundred()])


@versus(
    "sets.a hundred segments, clustered, against Parquet as it arrives",
    n=100,
    peer="a hundred queries by hand",
    most=0.2,
    rounds=3,
)
def hundred_unclustered() -> tuple[Side, Side]:
    """Hand over who belongs, from the table as the page advises, against files nobody has put in order."""
    arrived = duckdb.connect()
    arrived.execute("SET threads = 2")
    for name in ("people", "events"):
        arrived.execute(f"CREATE VIEW {name} AS FROM '{files(PEOPLE) / name}.parquet'")
    return repeated(_pass(100)), repeated(_by_hand(arrived))


def _grown(count: int) -> Bench:
    times = count // FEW
    name = f"sets.{count:,} segments cost less than {times} times {FEW}"
    return versus(name, n=1, peer=f"{FEW} segments", most=float(times), rounds=3)(
        lambda: (repeated(_pass(count)), repeated(_pass(FEW)))
    )


# Features are shared, so a segment more costs less than the one before.
GROWTH: Final = [_grown(count) for count in (100, 300, 1_000)]


@within("sets.compile a hundred segments", n=100, budget=lambda: 10e-3 / 100)
def compile_hundred() -> Side:
    """Write the SQL of a hundred segments, without running it."""
    segments, layout = [each for each, _ in hundred()], audience().layout
    return repeated(lambda: compile_masks(DuckDB(), layout, segments, NOW))
