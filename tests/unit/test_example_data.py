"""Recompute from the shipped extract every figure that its README states."""

import csv
import gzip
import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

DATA = Path(__file__).parents[2] / "examples" / "data"
EXTRACT = DATA / "online_retail_invoices.csv.gz"
SIGNS = {-1: "negative", 0: "zero", 1: "positive"}


class Row(NamedTuple):
    """Hold one invoice of the extract, numbers read."""

    invoice: str
    placed_at: datetime
    customer: str
    country: str
    kind: str
    lines: int
    duplicate_lines: int
    units: int
    amount_pence: int


@pytest.fixture(scope="module")
def content() -> bytes:
    return gzip.decompress(EXTRACT.read_bytes())


@pytest.fixture(scope="module")
def rows(content: bytes) -> list[Row]:
    header, *records = csv.reader(content.decode().splitlines())
    assert tuple(header) == Row._fields
    return [
        Row(number, datetime.fromisoformat(placed_at), customer, country, kind, *map(int, figures))
        for number, placed_at, customer, country, kind, *figures in records
    ]


@pytest.fixture(scope="module")
def readme() -> str:
    return (DATA / "README.md").read_text(encoding="utf-8")


def table(readme: str, *header: str) -> list[tuple[str, ...]]:
    """Return the body cells of the README's table with these column names, code marks removed."""
    lines = iter(readme.splitlines())
    wanted = f"| {' | '.join(header)} |"
    assert wanted in lines, f"the README has no table {wanted}"
    next(lines)
    body: list[tuple[str, ...]] = []
    for line in lines:
        if not line.startswith("|"):
            break
        body.append(tuple(cell.strip().replace("`", "") for cell in line.strip("|").split("|")))
    return body


def written(*cells: str | int) -> tuple[str, ...]:
    """Write cells as the README does."""
    return tuple(cell if isinstance(cell, str) else f"{cell:,}" for cell in cells)


def customers(rows: Iterable[Row]) -> set[str]:
    return {row.customer for row in rows} - {""}


def total(rows: Iterable[Row], figure: Callable[[Row], int]) -> int:
    return sum(map(figure, rows))


def lines_of(row: Row) -> int:
    return row.lines


def pence_of(row: Row) -> int:
    return row.amount_pence


def rule(row: Row) -> tuple[str, str]:
    """Return the outcome and the rule that the README proposes for a row."""
    if row.kind not in {"purchase", "cancellation"}:
        return "rejected", "adjustment"
    if not row.customer:
        return "rejected", "missing_customer"
    if row.kind == "purchase" and row.amount_pence <= 0:
        return "rejected", "amount_not_positive"
    return "stored", row.kind


def stored(rows: Iterable[Row], kind: str) -> list[Row]:
    return [row for row in rows if rule(row) == ("stored", kind)]


def sign(number: int) -> str:
    return SIGNS[(number > 0) - (number < 0)]


def test_csv_inside_has_the_stated_hash(content: bytes, readme: str) -> None:
    assert hashlib.sha256(content).hexdigest() in readme


def test_archive_is_small_and_its_header_has_no_name_and_no_time() -> None:
    archive = EXTRACT.read_bytes()
    assert len(archive) < 500_000
    flags, moment = archive[3], archive[4:8]
    assert (flags, moment) == (0, bytes(4))


def test_rows_are_unique_and_ordered(rows: Sequence[Row]) -> None:
    keys = [(row.placed_at, row.invoice) for row in rows]
    assert keys == sorted(keys)
    assert len({row.invoice for row in rows}) == len(rows)


def test_totals_by_kind(rows: Sequence[Row], readme: str) -> None:
    found = []
    for kind in ("purchase", "cancellation", "adjustment", "all"):
        chosen = [row for row in rows if kind in (row.kind, "all")]
        found.append(
            written(
                kind,
                len(chosen),
                len(customers(chosen)),
                total(chosen, lines_of),
                total(chosen, lambda row: row.duplicate_lines),
                total(chosen, lambda row: row.units),
                total(chosen, pence_of),
            )
        )
    header = ("kind", "rows", "customers", "lines", "duplicate lines", "units", "amount in pence")
    assert table(readme, *header) == found


def test_every_row_is_stored_or_rejected_by_one_stated_rule(rows: Sequence[Row], readme: str) -> None:
    stated = table(readme, "outcome", "rule", "rows", "customers", "lines", "amount in pence")
    parts = [(outcome, text.split(":")[0]) for outcome, text, *_ in stated]
    assert {rule(row) for row in rows} == {part for part in parts if part[1] != "all"}
    for (outcome, name), (_, _, *figures) in zip(parts, stated, strict=True):
        chosen = [row for row in rows if rule(row)[0] == outcome and name in (rule(row)[1], "all")]
        found = written(len(chosen), len(customers(chosen)), total(chosen, lines_of), total(chosen, pence_of))
        assert tuple(figures) == found, name


def test_rows_in_are_rows_stored_and_rejected(readme: str) -> None:
    outcomes = table(readme, "outcome", "rule", "rows", "customers", "lines", "amount in pence")
    kinds = table(readme, "kind", "rows", "customers", "lines", "duplicate lines", "units", "amount in pence")
    whole = {name: figures for name, *figures in kinds}["all"]
    ends = [figures for _, name, *figures in outcomes if name == "all"]
    assert len(ends) == 2
    for ours, theirs in ((0, 0), (2, 2), (3, 5)):  # rows, lines, pence
        summed = sum(int(figures[ours].replace(",", "")) for figures in ends)
        assert f"{summed:,}" == whole[theirs]


def test_rows_without_customer(rows: Sequence[Row], readme: str) -> None:
    looks: dict[tuple[str, str, str], int] = {}
    for row in rows:
        if rule(row)[1] == "missing_customer":
            look = (row.kind, sign(row.amount_pence), sign(row.units))
            looks[look] = looks.get(look, 0) + 1
    stated = table(readme, "kind", "amount", "units", "rows", "what it is")
    assert {(kind, amount, units): count for kind, amount, units, count, _ in stated} == {
        look: f"{count:,}" for look, count in looks.items()
    }


def test_other_facts(rows: Sequence[Row], readme: str) -> None:
    purchases, cancellations = stored(rows, "purchase"), stored(rows, "cancellation")
    first: dict[str, datetime] = {}
    for row in purchases:
        first.setdefault(row.customer, row.placed_at)
    homes: dict[str, set[str]] = {}
    for row in purchases + cancellations:
        homes.setdefault(row.customer, set()).add(row.country)
    found = [
        len(customers(cancellations) - customers(purchases)),
        sum(row.customer not in first or row.placed_at < first[row.customer] for row in cancellations),
        len(purchases) - len({(row.customer, row.placed_at) for row in purchases}),
        sum(len(countries) == 2 for countries in homes.values()),
    ]
    assert [count for _, count in table(readme, "fact", "count")] == [f"{count:,}" for count in found]
    assert max(map(len, homes.values())) == 2


def test_figures_known_for_the_dataset_survive_the_summing(rows: Sequence[Row], readme: str) -> None:
    valid = stored(rows, "purchase")
    found = {
        "lines": 541_909,
        "exact duplicate lines": 5_268,
        "lines without customer": 135_080,
        "cancellation lines": 9_288,
        "invoice numbers": 25_900,
        "customers": 4_372,
        "countries": 38,
    }
    assert found == {
        "lines": total(rows, lines_of),
        "exact duplicate lines": total(rows, lambda row: row.duplicate_lines),
        "lines without customer": total((row for row in rows if not row.customer), lines_of),
        "cancellation lines": total((row for row in rows if row.kind == "cancellation"), lines_of),
        "invoice numbers": len(rows),
        "customers": len(customers(rows)),
        "countries": len({row.country for row in rows}),
    }
    order_value = f"{total(valid, pence_of) / 100 / len(valid):.3f}"
    assert order_value == "480.866"
    expected = [written(name, count) for name, count in found.items()]
    assert table(readme, "figure", "value") == [*expected, ("pounds per valid purchase", order_value)]


def test_signs_follow_the_kind(rows: Sequence[Row]) -> None:
    for row in rows:
        assert row.lines > row.duplicate_lines >= 0
        if row.kind == "cancellation":
            assert row.units < 0, row.invoice
            assert row.amount_pence < 0, row.invoice


def test_each_row_names_exactly_one_instant_in_london(rows: Sequence[Row]) -> None:
    london = ZoneInfo("Europe/London")
    for row in rows:
        assert row.placed_at.tzinfo is None
        early, late = (row.placed_at.replace(tzinfo=london, fold=fold) for fold in (0, 1))
        assert early.utcoffset() == late.utcoffset(), row.invoice
        assert 6 <= row.placed_at.hour < 21


def test_days_when_the_clocks_changed_begin_late(rows: Sequence[Row], readme: str) -> None:
    for day in (date(2011, 3, 27), date(2011, 10, 30)):
        assert min(row.placed_at for row in rows if row.placed_at.date() == day).hour == 10
    assert "(27 March and 30 October 2011)" in readme
