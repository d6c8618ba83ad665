"""Make the invoice-level extract of UCI Online Retail that the demo imports.

Run as ``python make_online_retail_extract.py PARQUET [CSV_GZ]``. The parquet file holds the whole dataset
with the eight columns of its publisher, one row per invoice line. The script prints a table of checks against
the figures known for the dataset and writes nothing, exit code 1, when one of them fails. It needs pyarrow;
reading the extract does not.

The same lines in any order give the same CSV; the gzip header carries no name and no time.

Source:
    Chen, D. (2015). Online Retail [Dataset]. UCI Machine Learning Repository. doi:10.24432/C5BW33. CC BY 4.0.
"""

import argparse
import csv
import gzip
import io
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import NamedTuple

from pyarrow import parquet  # type: ignore[import-untyped]  # pyarrow ships no types

__all__ = ["Check", "Invoice", "Line", "checks", "compressed", "invoices", "main", "read_lines"]

TARGET = Path(__file__).with_name("online_retail_invoices.csv.gz")


class Line(NamedTuple):
    """Hold one invoice line as published; equal lines are exact duplicates."""

    invoice: str
    stock_code: str
    description: str | None
    quantity: int
    placed_at: datetime  # wall clock of the shop: the publisher gives no zone
    unit_price: float
    customer: int | None
    country: str


class Invoice(NamedTuple):
    """Hold one row of the extract; the field names are its header."""

    invoice: str
    placed_at: str
    customer: str
    country: str
    kind: str
    lines: int
    duplicate_lines: int
    units: int
    amount_pence: int


class Check(NamedTuple):
    """Hold one figure of the extract beside the figure known for the dataset."""

    name: str
    found: str
    known: str


def read_lines(path: Path) -> Iterator[Line]:
    """Yield every line of the parquet file, in its order.

    Args:
        path: Parquet file with the publisher's eight columns, InvoiceDate as a timestamp without zone.
    """
    names = (
        "InvoiceNo",
        "StockCode",
        "Description",
        "Quantity",
        "InvoiceDate",
        "UnitPrice",
        "CustomerID",
        "Country",
    )
    for batch in parquet.ParquetFile(path).iter_batches(columns=list(names)):
        columns = [batch.column(name).to_pylist() for name in names]
        yield from map(Line._make, zip(*columns, strict=True))


def invoices(lines: Iterable[Line]) -> list[Invoice]:
    """Sum lines up to invoices, ordered by moment and then by invoice number.

    Exact duplicates count as often as they stand: the source has no line number, so a repeated line may as
    well be the same article entered twice, and the published order value keeps them.

    Args:
        lines: Lines in any order.

    Raises:
        ValueError: One invoice names two customers or two countries.
    """
    grouped: defaultdict[str, list[Line]] = defaultdict(list)
    for line in lines:
        grouped[line.invoice].append(line)
    rows = [_invoice(number, members) for number, members in grouped.items()]
    return sorted(rows, key=lambda row: (row.placed_at, row.invoice))


def _invoice(number: str, lines: Sequence[Line]) -> Invoice:
    parties = {(line.customer, line.country) for line in lines}
    if len(parties) != 1:
        raise ValueError(
            f"invoice {number}: expected one customer and one country, found {len(parties)} pairs"
        )
    customer, country = parties.pop()
    # repr of a float is the shortest decimal that reads back as it, which is the price as it was typed.
    amount = sum((line.quantity * Decimal(repr(line.unit_price)) for line in lines), Decimal(0))
    return Invoice(
        invoice=number,
        # 43 invoices were entered over a turn of the minute; the sale begins with its first line.
        placed_at=min(line.placed_at for line in lines).isoformat(timespec="seconds"),
        customer="" if customer is None else str(customer),
        country=country,
        kind=_kind(number),
        lines=len(lines),
        duplicate_lines=len(lines) - len(set(lines)),
        units=sum(line.quantity for line in lines),
        # Four lines cost a tenth of a penny: rounding once per invoice keeps the error below a penny each.
        amount_pence=int((amount * 100).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)),
    )


def _kind(number: str) -> str:
    if number.isdigit():
        return "purchase"
    return "cancellation" if number.startswith("C") else "adjustment"


def checks(rows: Sequence[Invoice]) -> list[Check]:
    """Compare what survives the summing with the figures known for the dataset.

    Args:
        rows: The extract, whole.

    Source:
        Rows and period: the publisher's page. The other counts are those every audit of the dataset reports.
    """
    lines_by_kind: Counter[str] = Counter()
    for row in rows:
        lines_by_kind[row.kind] += row.lines
    valid = [
        row.amount_pence for row in rows if row.kind == "purchase" and row.customer and row.amount_pence > 0
    ]
    order_value = f"{sum(valid) / 100 / len(valid):.3f}" if valid else "none"
    return [
        Check("lines", str(sum(row.lines for row in rows)), "541909"),
        Check("exact duplicate lines", str(sum(row.duplicate_lines for row in rows)), "5268"),
        Check("lines without customer", str(sum(row.lines for row in rows if not row.customer)), "135080"),
        Check("cancellation lines", str(lines_by_kind["cancellation"]), "9288"),
        Check("adjustment lines", str(lines_by_kind["adjustment"]), "3"),
        Check("invoice numbers", str(len({row.invoice for row in rows})), "25900"),
        Check("customers", str(len({row.customer for row in rows} - {""})), "4372"),
        Check("countries", str(len({row.country for row in rows})), "38"),
        Check("first moment", min(row.placed_at for row in rows), "2010-12-01T08:26:00"),
        Check("last moment", max(row.placed_at for row in rows), "2011-12-09T12:50:00"),
        Check("valid purchases", str(len(valid)), "18532"),
        Check("pounds per valid purchase", order_value, "480.866"),
    ]


def compressed(rows: Iterable[Invoice]) -> bytes:
    """Return the rows as gzipped CSV in UTF-8 with a header, free of file name and time."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Invoice._fields)
    writer.writerows(rows)
    return gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read, check and write; return the exit code."""
    parser = argparse.ArgumentParser(description="Make the invoice-level extract of UCI Online Retail.")
    parser.add_argument("parquet", type=Path, help="the whole dataset, one row per invoice line")
    parser.add_argument("target", type=Path, nargs="?", default=TARGET, help="the .csv.gz to write")
    chosen = parser.parse_args(arguments)
    rows = invoices(read_lines(chosen.parquet))
    table = checks(rows)
    for check in table:
        verdict = "ok" if check.found == check.known else "DIFFERS"
        sys.stdout.write(f"{check.name:<26}{check.found:>20}{check.known:>20}  {verdict}\n")
    if any(check.found != check.known for check in table):
        sys.stderr.write("nothing written: this is not the dataset the extract is made from\n")
        return 1
    content = compressed(rows)
    chosen.target.write_bytes(content)
    sys.stdout.write(f"{len(rows)} rows, {len(content)} bytes: {chosen.target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
