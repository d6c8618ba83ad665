"""How one benchmark is declared, run and judged.

Both sides run in turns, A B A B, in one process, and are measured in CPU time, so that a busy machine slows
both alike and a pause counts for neither. The figures are medians over the rounds. Wall time is shown, and
judged by nothing: it is the machine's as much as ours.
"""

import gc
import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Final, Literal, TypeAlias

from attrs import asdict, frozen

__all__ = ["Bench", "Row", "Run", "Side", "cpu_seconds", "measure", "repeated", "versus", "within"]

Run: TypeAlias = Callable[[], object]
"""What the clock sees: all n items once."""

Side: TypeAlias = Callable[[], Run]
"""Prepares one fresh round outside the clock and returns what to run inside it."""

ROUNDS: Final = 5


@frozen(kw_only=True)
class Row:
    """One line of the result.

    ``ours`` and ``peer`` are rates (items a CPU second, more is better) where the bar is a least ratio, and
    costs (CPU seconds an item, less is better) where it is a most ratio; ``unit`` says which. ``wall`` and
    ``peer_wall`` are seconds an item; a budget has none.
    """

    bench: str
    n: int
    ours: float
    peer: float
    peer_name: str
    ratio: float
    bar: str
    ok: bool
    load: float
    unit: str
    wall: float | None
    peer_wall: float | None

    def as_dict(self) -> dict[str, object]:
        """Return the row as it is printed in JSON."""
        return asdict(self)


def cpu_seconds() -> float:
    """Return the CPU time of this process and of the children it has waited for."""
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


@frozen(kw_only=True)
class Bench:
    """A declared benchmark: two sides, or one side and a budget, and the bar they are held to.

    ``clock`` gives what has been spent so far, ``unit`` says of what; ``missing`` tells why it cannot run
    here, if it cannot.
    """

    name: str
    n: int
    sides: Callable[[], tuple[Side, Side | float]]
    peer_name: str
    bar: float
    direction: Literal["least", "most"]
    rounds: int = ROUNDS
    clock: Callable[[], float] = cpu_seconds
    unit: str = "CPU seconds"
    missing: Callable[[], str | None] = lambda: None


def versus(
    name: str,
    *,
    n: int,
    peer: str,
    least: float | None = None,
    most: float | None = None,
    rounds: int = ROUNDS,
    clock: Callable[[], float] = cpu_seconds,
    missing: Callable[[], str | None] = lambda: None,
) -> Callable[[Callable[[], tuple[Side, Side]]], Bench]:
    """Declare a benchmark against a peer; the function makes ``(ours, peer)``.

    Args:
        name: ``topic.what``, as printed.
        n: Items that one run handles on either side.
        peer: Whose code it is, with its version where that matters.
        least: Our rate must be at least this many times the peer's.
        most: Our cost must be at most this many times the peer's.
        rounds: Measured turns for each side, after one that warms up.
        clock: Gives the CPU seconds spent so far, where the work is also done outside this process.
        missing: Tells why it cannot run here, if it cannot.

    Raises:
        ValueError: not exactly one bar was given.
    """
    if (least is None) == (most is None):
        message = f"bench {name!r} needs exactly one bar: least= or most="
        raise ValueError(message)

    def declare(sides: Callable[[], tuple[Side, Side]]) -> Bench:
        return Bench(
            name=name,
            n=n,
            sides=sides,
            peer_name=peer,
            bar=least if least is not None else most or 0.0,
            direction="least" if least is not None else "most",
            rounds=rounds,
            clock=clock,
            missing=missing,
        )

    return declare


def within(
    name: str,
    *,
    n: int,
    budget: Callable[[], float],
    rounds: int = ROUNDS,
    clock: Callable[[], float] = cpu_seconds,
    unit: str = "CPU seconds",
) -> Callable[[Callable[[], Side]], Bench]:
    """Declare a benchmark against a budget; the function makes our side.

    Args:
        name: ``topic.what``, as printed.
        n: Items that one run handles.
        budget: Gives what an item may cost; asked when the benchmark runs, so it may measure.
        rounds: Measured turns, after one that warms up.
        clock: Gives what has been spent so far.
        unit: Of what.
    """

    def declare(side: Callable[[], Side]) -> Bench:
        return Bench(
            name=name,
            n=n,
            sides=lambda: (side(), budget()),
            peer_name="budget",
            bar=1.0,
            direction="most",
            rounds=rounds,
            clock=clock,
            unit=unit,
        )

    return declare


def repeated(run: Run) -> Side:
    """Make a side of what needs no preparation and can run again and again."""
    return lambda: run


def measure(bench: Bench, *, clock: Callable[[], float] | None = None) -> Row:
    """Run both sides in turns and judge the medians against the bar; the clock is the benchmark's own."""
    clock = clock or bench.clock
    ours, other = bench.sides()
    sides = [ours] if isinstance(other, float) else [ours, other]
    for side in sides:
        side()()  # imports, caches and pools fill here
    rounds: list[list[_Cost]] = [[] for _ in sides]
    for _ in range(bench.rounds):
        for side, costs in zip(sides, rounds, strict=True):
            costs.append(_round(side, clock=clock))
    cost, *more = (_Cost.median_of(costs, bench.n) for costs in rounds)
    return _judge(bench, cost, _Cost(other) if isinstance(other, float) else more[0])


@frozen
class _Cost:
    """What is spent by the clock, and how long it takes; a budget takes no time."""

    spent: float
    wall: float | None = None

    @classmethod
    def median_of(cls, costs: Sequence["_Cost"], n: int) -> "_Cost":
        """Give the medians of rounds, for one of n items."""
        return cls(median(each.spent for each in costs) / n, median(each.wall or 0.0 for each in costs) / n)


def _round(side: Side, *, clock: Callable[[], float]) -> _Cost:
    """Measure one fresh round of one side."""
    run = side()
    with _quiet_collector():
        start, began = clock(), time.perf_counter()
        run()
        took = time.perf_counter() - began
        return _Cost(clock() - start, took)


@contextmanager
def _quiet_collector() -> Iterator[None]:
    """Keep the garbage of one side from being collected on the other's time."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _judge(bench: Bench, cost: _Cost, peer_cost: _Cost) -> Row:
    if bench.direction == "least":
        ours, peer = _rate(cost.spent), _rate(peer_cost.spent)
        ratio = ours / peer
        ok = ratio >= bench.bar
    else:
        ours, peer = cost.spent, peer_cost.spent
        ratio = ours / peer if peer else float("inf")
        ok = ratio <= bench.bar
    return Row(
        bench=bench.name,
        n=bench.n,
        ours=ours,
        peer=peer,
        peer_name=bench.peer_name,
        ratio=round(ratio, 3),
        bar=f"{'>=' if bench.direction == 'least' else '<='} {bench.bar:g}",
        ok=ok,
        load=round(os.getloadavg()[0], 2),
        unit="items per CPU second" if bench.direction == "least" else f"{bench.unit} per item",
        wall=cost.wall,
        peer_wall=peer_cost.wall,
    )


def _rate(cost: float) -> float:
    """Turn a cost into a rate; a cost below what the clock can see counts as its resolution."""
    return 1 / max(cost, 1e-9)
