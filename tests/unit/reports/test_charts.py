"""Charts: honest axes, right figures, no markup from data."""

import math
import re
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import DefinitionError
from crmsdk.reports._axes import date_ticks, nice_ticks, tick_name, write_number
from crmsdk.reports.charts import (
    Bar,
    Line,
    Series,
    Stage,
    add_by_week,
    draw_funnel,
    draw_heat_map,
    draw_lines,
    draw_ranking,
    draw_stacks,
    draw_week_map,
)
from crmsdk.reports.labels import ENGLISH
from crmsdk.reports.svg import Svg
from tests.unit.reports.reading import HOSTILE, find, number, parse, tips

FIRST = date(2011, 1, 3)
WEEK = timedelta(days=7)
DAYS = tuple(FIRST + timedelta(days=shift) for shift in range(14))


def heights(picture: Svg, style: str) -> list[float]:
    """Read the heights of the pieces of stacked bars."""
    found: list[float] = []
    for path in find(parse(picture), "path", style):
        shape = re.match(r"M\S+ (\S+)V(\S+)H", path.get("d", ""))
        assert shape
        found.append(float(shape[1]) - float(shape[2]))
    return found


@given(st.floats(-1e9, 1e9), st.floats(0, 1e9), st.integers(3, 9), st.booleans())
def test_ticks_span_the_values_evenly_and_are_few(low: float, size: float, most: int, whole: bool) -> None:
    ticks = nice_ticks(low, low + size, most=most, whole=whole)
    slack = 1e-6 * max(1.0, abs(low), size)
    assert ticks[0] <= low + slack
    assert ticks[-1] >= low + size - slack
    assert 2 <= len(ticks) <= most + 3
    steps = [b - a for a, b in pairwise(ticks)]
    assert max(steps) == pytest.approx(min(steps), abs=4 * math.ulp(max(map(abs, ticks))))


@given(st.integers(0, 10**9))
def test_ticks_of_counts_are_whole(high: int) -> None:
    assert all(tick == int(tick) for tick in nice_ticks(0, high, whole=True))


@pytest.mark.parametrize(
    ("high", "ticks"), [(0, (0, 1)), (1, (0, 1)), (7, (0, 2, 4, 6, 8)), (450, (0, 100, 200, 300, 400, 500))]
)
def test_ticks_are_round(high: float, ticks: tuple[float, ...]) -> None:
    assert nice_ticks(0, high, whole=True) == ticks


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(0, 9000), st.integers(2, 12))
def test_date_ticks_lie_inside_and_are_few(first: date, days: int, most: int) -> None:
    last = first + timedelta(days=days)
    ticks = date_ticks(first, last, most=most)
    assert all(first <= tick <= last for tick in ticks)
    assert len(ticks) <= most
    assert list(ticks) == sorted(set(ticks))
    if 60 < days < 9000 and most >= 4:
        assert ticks


def test_date_ticks_are_days_mondays_or_months() -> None:
    assert date_ticks(FIRST, FIRST + timedelta(days=5), most=8)[1] == FIRST + timedelta(days=1)
    assert {tick.weekday() for tick in date_ticks(date(2011, 1, 1), date(2011, 3, 1), most=9)} == {0}
    assert {tick.day for tick in date_ticks(date(2010, 12, 1), date(2011, 12, 9), most=8)} == {1}


def test_the_year_is_named_first_and_where_it_changes() -> None:
    ticks = (date(2010, 11, 1), date(2010, 12, 1), date(2011, 1, 1), date(2011, 2, 1))
    assert [tick_name(tick, ticks, ENGLISH) for tick in ticks] == ["Nov 2010", "Dec", "Jan 2011", "Feb"]
    days = (date(2010, 12, 31), date(2011, 1, 1), date(2011, 1, 2))
    assert [tick_name(day, days, ENGLISH) for day in days] == ["31 Dec 2010", "1 Jan 2011", "2 Jan"]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (12840, "12\u202f840"),
        (-3, "−3"),
        (2.5, "2.5"),
        (0.0312, "0.031"),
        (1234.5, "1\u202f234"),
        (99.96, "100.0"),
    ],
)
def test_numbers_are_written_for_readers(value: float, written: str) -> None:
    assert write_number(value) == written


def test_ticks_have_as_many_decimals_as_their_step_needs() -> None:
    assert write_number(0.5, step=0.25) == "0.50"
    assert write_number(0.1, step=0.05, percent=True) == "10%"
    assert write_number(0.125, step=0.025, percent=True) == "12.5%"
    assert write_number(0.318, percent=True) == "31.8%"


def test_pieces_are_in_proportion_and_stand_on_each_other() -> None:
    picture = draw_stacks(DAYS[:2], [Series("a", (10, 20)), Series("b", (30, 0))], prefix="p", title="t")
    ten, twenty = heights(picture, "c1")
    (thirty,) = heights(picture, "c2")
    assert twenty == pytest.approx(2 * ten, abs=0.2)
    assert thirty == pytest.approx(3 * ten, abs=0.2)
    assert tips(parse(picture)) == ["3 Jan 2011\na: 10\nb: 30\ntotal: 40", "4 Jan 2011\na: 20"]


def test_the_value_axis_starts_at_zero() -> None:
    picture = draw_stacks(DAYS[:2], [Series("a", (1000, 1001))], prefix="p", title="t")
    names = [node.text for node in find(parse(picture), "text", "end")]
    assert names[0] == "0"


def test_a_pause_is_seen() -> None:
    starts = (DAYS[0], DAYS[1], DAYS[9])
    picture = draw_stacks(starts, [Series("a", (1, 1, 1))], prefix="p", title="t")
    lefts = [float(p.get("d", "").split()[0][1:]) for p in find(parse(picture), "path", "c1")]
    assert lefts[2] - lefts[1] == pytest.approx(8 * (lefts[1] - lefts[0]), abs=0.5)


def test_more_than_seven_categories_are_folded_and_none_is_lost() -> None:
    series = [Series(f"s{n}", (n + 1,)) for n in range(10)]
    picture = draw_stacks(DAYS[:1], series, prefix="p", title="t")
    (tip,) = tips(parse(picture))
    assert "other: 10" in tip  # 1 + 2 + 3 + 4
    assert "total: 55" in tip
    assert "s9: 10" in tip
    assert "s3" not in tip


def test_weeks_are_added_up_from_monday() -> None:
    days = (date(2011, 1, 2), *DAYS)
    mondays, (added,) = add_by_week(days, [Series("a", (5.0, *([1.0] * 14)))])
    assert mondays == (date(2010, 12, 27), date(2011, 1, 3), date(2011, 1, 10))
    assert list(added.values) == [5, 7, 7]
    picture = draw_stacks(mondays, [added], prefix="p", title="t", span=WEEK)
    assert tips(parse(picture))[1].startswith("3 Jan 2011 – 9 Jan 2011")


@pytest.mark.parametrize(
    ("starts", "values", "words"),
    [
        (DAYS[:2], (1.0,), "1 values for 2"),
        (DAYS[:1], (-1.0,), "negative"),
        (DAYS[:1], (float("nan"),), "not finite"),
        (DAYS[1::-1], (1.0, 1.0), "do not rise"),
    ],
)
def test_series_that_do_not_fit_are_refused(
    starts: tuple[date, ...], values: tuple[float, ...], words: str
) -> None:
    with pytest.raises(DefinitionError, match=words):
        draw_stacks(starts, [Series("a", values)], prefix="p", title="t")


def test_ranked_bars_are_in_proportion() -> None:
    root = parse(draw_ranking([Bar("a", 100), Bar("b", 25, "why"), Bar("c", 0)], prefix="p", title="t"))
    long, short, none = (number(bar, "width") for bar in find(root, "rect", "c1"))
    assert short == pytest.approx(long / 4, abs=0.02)
    assert none == 0
    assert tips(root) == ["a: 100", "b: 25\nwhy", "c: 0"]


def test_funnel_tells_both_shares() -> None:
    stages = [Stage("in", 200), Stage("sent", 100), Stage("bought", 25)]
    root = parse(draw_funnel(stages, prefix="p", title="t"))
    assert tips(root)[1:] == [
        "sent: 100\n50.0% of the first",
        "bought: 25\n12.5% of the first, 25.0% of the previous",
    ]
    first, second, third = (number(bar, "width") for bar in find(root, "rect", "c1"))
    assert second == pytest.approx(first / 2, abs=0.02)
    assert third == pytest.approx(first / 8, abs=0.02)


def test_an_empty_first_stage_divides_nothing() -> None:
    assert tips(parse(draw_funnel([Stage("in", 0), Stage("out", 0)], prefix="p", title="t"))) == [
        "in: 0",
        "out: 0",
    ]


def test_an_empty_cell_differs_from_a_small_one() -> None:
    root = parse(draw_heat_map([[0, 1, 1000]], rows=["r"], columns=["a", "b", "c"], prefix="p", title="t"))
    cells = [node for node in find(root, "rect") if find(node, "title")]
    assert [cell.get("class") for cell in cells] == ["none", "c1", "c1"]
    assert [number(cell, "fill-opacity") for cell in cells[1:]] == [pytest.approx(0.14), 1]
    assert tips(root) == ["r a: 0", "r b: 1", "r c: 1\u202f000"]


def test_a_week_map_starts_on_monday_at_midnight() -> None:
    values = [[0] * 24 for _ in range(7)]
    values[6][9] = 5
    told = tips(parse(draw_week_map(values, prefix="p", title="t")))
    assert (told[0], told[-1], len(told)) == ("Mon 00: 0", "Sun 23: 0", 168)
    assert "Sun 09: 5" in told


def test_a_heat_map_of_another_shape_is_refused() -> None:
    with pytest.raises(DefinitionError, match="1 rows for 7"):
        draw_week_map([[0] * 24], prefix="p", title="t")
    with pytest.raises(DefinitionError, match="23 values for 24"):
        draw_week_map([[0] * 23] * 7, prefix="p", title="t")


def test_a_gap_breaks_a_line_and_its_band() -> None:
    line = Line("a", (0.1, 0.2, None, 0.3), (0.0, 0.1, None, 0.2), (0.2, 0.3, None, 0.4))
    root = parse(draw_lines(DAYS[:4], [line], prefix="p", title="t", percent=True))
    assert len(find(root, "path", "line")) == 2
    assert len(find(root, "path", "band")) == 2
    assert tips(root)[0] == "3 Jan 2011\na: 10.0% (0.0% – 20.0%)"
    assert len(tips(root)) == 3


def test_lines_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DefinitionError, match="2 values for 1 dates"):
        draw_lines(DAYS[:1], [Line("a", (1, 2))], prefix="p", title="t")
    with pytest.raises(DefinitionError, match="more than seven"):
        draw_lines(DAYS[:1], [Line(f"l{n}", (1,)) for n in range(8)], prefix="p", title="t")
    with pytest.raises(DefinitionError, match="do not rise"):
        draw_lines((DAYS[0], DAYS[0]), [Line("a", (1, 2))], prefix="p", title="t")


def test_one_day_is_enough() -> None:
    assert find(parse(draw_lines(DAYS[:1], [Line("a", (1.0,))], prefix="p", title="t")), "path", "line")
    assert find(parse(draw_stacks(DAYS[:1], [Series("a", (1.0,))], prefix="p", title="t")), "path", "c1")


CHARTS: dict[str, Callable[[str], Svg]] = {
    "stacks": lambda text: draw_stacks(
        DAYS[:1], [Series(text, (1,)), Series("b", (1,))], prefix="p", title=text
    ),
    "ranking": lambda text: draw_ranking([Bar(text, 1, text)], prefix="p", title=text),
    "heat": lambda text: draw_heat_map([[1, 2]], rows=[text], columns=[text, "b"], prefix="p", title=text),
    "funnel": lambda text: draw_funnel([Stage(text, 2), Stage("b", 1)], prefix="p", title=text),
    "lines": lambda text: draw_lines(DAYS[:2], [Line(text, (1, 2), (0, 1), (2, 3))], prefix="p", title=text),
}


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_stay_text_inside_the_picture(chart: Callable[[str], Svg], text: str) -> None:
    picture = chart(text)
    root = parse(picture)
    assert "<script" not in picture
    assert "<img" not in picture
    width = number(root, "width")
    for node in find(root, "text"):
        assert len(node.text or "") < 90
        assert 0 <= number(node, "x") <= width


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
def test_each_chart_is_named_for_all_readers(chart: Callable[[str], Svg]) -> None:
    root = parse(chart("Sends"))
    assert (root.get("role"), root.get("aria-label"), root.get("id")) == ("img", "Sends", "p")
    assert chart("Sends") == chart("Sends")


def test_nothing_to_show_is_said_in_the_readers_language() -> None:
    labels = {"no_data": "нет данных"}
    for picture in (
        draw_stacks([], [], prefix="p", title="t", labels=labels),
        draw_ranking([], prefix="p", title="t", labels=labels),
        draw_heat_map([], rows=[], columns=[], prefix="p", title="t", labels=labels),
        draw_funnel([], prefix="p", title="t", labels=labels),
        draw_lines([], [], prefix="p", title="t", labels=labels),
    ):
        assert "нет данных" in [node.text for node in find(parse(picture), "text")]


def test_months_and_weekdays_follow_the_labels() -> None:
    labels = {"month.1": "янв", "weekday.1": "пн"}
    assert "3 янв 2011" in draw_stacks(DAYS[:1], [Series("a", (1,))], prefix="p", title="t", labels=labels)
    assert "пн 00" in draw_week_map([[0] * 24] * 7, prefix="p", title="t", labels=labels)
