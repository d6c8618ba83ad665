"""The benchmark frame: turns, medians, bars, rows, exit codes."""

import gc
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from bench.__main__ import collect, main, table, topics, wanted
from bench.frame import Bench, Row, Run, Side, cpu_seconds, measure, versus, within


@pytest.fixture(autouse=True)
def _no_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the garbage of a whole test run where it is: nothing is timed here."""
    monkeypatch.setattr(gc, "collect", lambda: 0)


class Ticker:
    """A clock moved by the work itself: each run adds its own cost."""

    def __init__(self) -> None:
        self.now = 0.0
        self.turns: list[str] = []

    def __call__(self) -> float:
        return self.now

    def side(self, name: str, costs: Iterable[float]) -> Side:
        left = iter(costs)

        def prepare() -> Run:
            self.turns.append(f"{name} made")

            def run() -> None:
                self.turns.append(name)
                self.now += next(left)

            return run

        return prepare


def _bench(
    ours: Side, peer: Side, *, least: float | None = None, most: float | None = None, n: int = 1
) -> Bench:
    declare = versus("topic.what", n=n, peer="peer 1.0", least=least, most=most, rounds=3)
    return declare(lambda: (ours, peer))


def test_sides_take_turns_after_one_warming_run_each() -> None:
    ticker = Ticker()
    measure(_bench(ticker.side("A", [1] * 4), ticker.side("B", [1] * 4), most=2), clock=ticker)
    assert [turn for turn in ticker.turns if "made" not in turn] == ["A", "B"] * 4


def test_every_round_is_prepared_afresh_outside_the_clock() -> None:
    ticker = Ticker()
    measure(_bench(ticker.side("A", [1] * 4), ticker.side("B", [1] * 4), most=2), clock=ticker)
    assert ticker.turns == ["A made", "A", "B made", "B"] * 4


def test_the_figure_is_the_median_for_one_item_and_the_warming_run_is_left_out() -> None:
    ticker = Ticker()
    ours, peer = ticker.side("A", [99, 1, 40, 2]), ticker.side("B", [99, 4, 4, 90])
    row = measure(_bench(ours, peer, most=1, n=10), clock=ticker)
    assert (row.ours, row.peer, row.ratio) == (0.2, 0.4, 0.5)
    assert row.unit == "CPU seconds per item"


@pytest.mark.parametrize(("bar", "ok"), [(0.5, True), (0.49, False)])
def test_a_cost_may_be_at_most_the_bar(bar: float, ok: bool) -> None:
    ticker = Ticker()
    row = measure(_bench(ticker.side("A", [1] * 4), ticker.side("B", [2] * 4), most=bar), clock=ticker)
    assert (row.ratio, row.ok, row.bar) == (0.5, ok, f"<= {bar:g}")


@pytest.mark.parametrize(("bar", "ok"), [(2.0, True), (2.01, False)])
def test_a_rate_must_be_at_least_the_bar(bar: float, ok: bool) -> None:
    ticker = Ticker()
    row = measure(_bench(ticker.side("A", [1] * 4), ticker.side("B", [2] * 4), least=bar), clock=ticker)
    assert (row.ours, row.peer, row.ratio, row.ok) == (1.0, 0.5, 2.0, ok)
    assert (row.bar, row.unit) == (f">= {bar:g}", "items per CPU second")


@pytest.mark.parametrize(("cost", "ok"), [(0.2, True), (0.3, False)])
def test_a_budget_stands_in_for_a_peer(cost: float, ok: bool) -> None:
    ticker = Ticker()
    declare = within("topic.what", n=1, budget=lambda: 0.25, rounds=3)
    row = measure(declare(lambda: ticker.side("A", [cost] * 4)), clock=ticker)
    assert row.ours == pytest.approx(cost)
    assert (row.peer, row.peer_name, row.ok) == (0.25, "budget", ok)
    assert (row.wall or 0.0) > 0.0
    assert row.peer_wall is None


@pytest.mark.parametrize("bar", [None, 1.0])
def test_a_comparison_has_exactly_one_bar(bar: float | None) -> None:
    with pytest.raises(ValueError, match="exactly one bar"):
        versus("topic.what", n=1, peer="peer", least=bar, most=bar)


def test_work_outside_the_process_has_a_clock_of_its_own() -> None:
    ticker = Ticker()
    declare = versus("topic.what", n=1, peer="peer 1.0", most=1, rounds=3, clock=ticker)
    row = measure(declare(lambda: (ticker.side("A", [1] * 4), ticker.side("B", [2] * 4))))
    assert (row.ours, row.peer) == (1, 2)


def test_work_below_the_clock_s_sight_is_no_error() -> None:
    ticker = Ticker()
    ours, peer = ticker.side("A", [0] * 4), ticker.side("B", [0] * 4)
    assert measure(_bench(ours, peer, least=1), clock=ticker).ok
    ours, peer = ticker.side("A", [0] * 4), ticker.side("B", [0] * 4)
    assert not measure(_bench(ours, peer, most=1), clock=ticker).ok


def test_the_clock_counts_work_and_not_waiting() -> None:
    before = cpu_seconds()
    sum(range(200_000))
    assert cpu_seconds() > before


# --- the command ------------------------------------------------------------------------------------------

MODULE = """
from bench.frame import versus, within

def busy(size):
    return lambda: (lambda: sum(range(size)))

@versus("alpha.race", n=1, peer="slow", least={least}, rounds=3)
def race():
    return busy(10_000), busy(300_000)

@within("alpha.budget", n=1, budget=lambda: 10.0, rounds=1)
def budget():
    return busy(10)

LISTED = [within("alpha.listed", n=1, budget=lambda: 10.0, rounds=1)(lambda: busy(10))]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], Path]]:
    """Make a folder of benchmarks with one topic, ``alpha``."""
    made: list[str] = []

    def make(least: float) -> Path:
        root = tmp_path / f"benches_{len(made)}_{tmp_path.name.replace('-', '_')}"
        (root / "alpha").mkdir(parents=True)
        (root / "alpha" / "race.py").write_text(MODULE.format(least=least), encoding="utf-8")
        (root / "empty").mkdir()
        (root / "__pycache__").mkdir()
        made.append(root.name)
        return root

    monkeypatch.syspath_prepend(str(tmp_path))
    yield make
    for name in [name for name in sys.modules if name.partition(".")[0] in made]:
        del sys.modules[name]


def _play(folder: Path, *arguments: str) -> tuple[int, list[dict[str, object]], str]:
    out, err = io.StringIO(), io.StringIO()
    status = main(arguments, out=out, err=err, folder=folder)
    return status, [json.loads(line) for line in out.getvalue().splitlines()], err.getvalue()


def test_a_topic_is_a_folder_with_modules(folder: Callable[[float], Path]) -> None:
    root = folder(2.0)
    assert topics(root) == ["alpha"]
    assert [bench.name for bench in collect("alpha", root)] == ["alpha.race", "alpha.budget", "alpha.listed"]


def test_met_bars_exit_0_with_one_json_line_a_row(folder: Callable[[float], Path]) -> None:
    status, rows, shown = _play(folder(2.0), "of=alpha")
    assert status == 0
    assert [row["bench"] for row in rows] == ["alpha.race", "alpha.budget", "alpha.listed"]
    fields = {"bench", "n", "ours", "peer", "peer_name", "ratio", "bar", "ok", "load", "unit"}
    fields |= {"wall", "peer_wall"}
    assert all(set(row) == fields for row in rows)
    assert "alpha.race" in shown
    assert "MISSED" not in shown


def test_a_missed_bar_exits_1_and_the_rest_still_runs(folder: Callable[[float], Path]) -> None:
    status, rows, shown = _play(folder(1e9))
    assert status == 1
    assert [row["ok"] for row in rows] == [False, True, True]
    assert "MISSED" in shown


@pytest.mark.parametrize(
    ("argument", "said"),
    [("of=beta", "no topic 'beta'; there are: alpha"), ("fast", "unknown argument 'fast'")],
)
def test_a_wrong_argument_exits_2_and_says_what_there_is(
    folder: Callable[[float], Path], argument: str, said: str
) -> None:
    status, rows, shown = _play(folder(2.0), argument)
    assert (status, rows) == (2, [])
    assert said in shown


def test_a_missing_peer_exits_2_and_says_how_to_get_it(folder: Callable[[float], Path]) -> None:
    root = folder(2.0)
    (root / "alpha" / "absent.py").write_text("import no_such_peer\n", encoding="utf-8")
    status, _, shown = _play(root)
    assert status == 2
    assert "no_such_peer" in shown
    assert "make bench" in shown


def test_what_cannot_run_here_has_no_row_and_is_named_below_the_table(
    folder: Callable[[float], Path],
) -> None:
    root = folder(2.0)
    (root / "alpha" / "far.py").write_text(
        "from bench.frame import versus\n"
        'far = versus("alpha.far", n=1, peer="x", most=1, missing=lambda: "no engine")(lambda: 1 / 0)\n',
        encoding="utf-8",
    )
    status, rows, shown = _play(root)
    assert (status, len(rows)) == (0, 3)
    assert shown.splitlines()[-1] == "NOT RUN alpha.far: no engine"


def test_several_topics_are_separated_by_commas() -> None:
    assert wanted(["of=b,a"], ["a", "b", "c"]) == ["b", "a"]
    assert wanted([], ["a", "b"]) == ["a", "b"]


def test_the_table_is_aligned_and_readable() -> None:
    row = Row(
        bench="policy.reserve",
        n=10_000,
        ours=127_000.0,
        peer=190_000.0,
        peer_name="limits",
        ratio=0.668,
        bar=">= 0.6",
        ok=True,
        load=1.5,
        unit="items per CPU second",
        wall=8e-6,
        peer_wall=None,
    )
    assert table([row]).splitlines() == [
        "bench           n       ours       peer       peer_name  ratio  bar     wall    of peer  load",
        "policy.reserve  10,000  127,000/s  190,000/s  limits     0.67   >= 0.6  8.0 µs           1.5",
    ]


def test_the_import_budget_is_declared() -> None:
    assert [bench.name for bench in collect("face")] == ["face.import"]
