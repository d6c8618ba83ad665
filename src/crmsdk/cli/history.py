"""Reads recorded facts for a simulation: tables by a map of the user's, plain CSV, JSON lines."""

import gzip
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Final

import attrs

from crmsdk.errors import ConfigError, InputError, UnknownName
from crmsdk.model.catalog import Catalog
from crmsdk.model.inputs import Input
from crmsdk.wire.columns import Cells, is_empty
from crmsdk.wire.files import csv_rows
from crmsdk.wire.maps import CustomerMap, EventMap
from crmsdk.wire.payloads import PayloadReader
from crmsdk.wire.report import RejectedRow, Row
from crmsdk.wire.tables import read_rows
from crmsdk.wire.validation import Validator

__all__ = ["History", "read_history"]

_OPEN: Final = Catalog(strict=False)
_LINES: Final = (".jsonl", ".ndjson")
_NEEDED: Final = ("customer", "event", "at")


@attrs.frozen
class History:
    """Recorded facts, and the rows that told none.

    Attributes:
        news: In the order of the files.
        rows: How many rows were read.
        rejected: File name to the rows not taken.
    """

    news: tuple[Input, ...] = attrs.field(repr=False)
    rows: int
    rejected: Mapping[str, Sequence[RejectedRow]]


def read_history(
    sources: Iterable[str], *, catalog: Catalog | None, names: Mapping[str, object], received: datetime
) -> History:
    """Read all tables named on the command line.

    Args:
        sources: ``table.csv`` or ``map=table.csv``.
        catalog: What exists; without it cells of plain tables stay text.
        names: Where maps are looked up; a table that names none takes the only one there is.
        received: When the tables arrived, aware.

    Raises:
        UnknownName: no such map, or a column the table has not.
        InputError: a file that cannot be read.
        ConfigError: several maps, and none is named.
    """
    maps = {name: value for name, value in names.items() if isinstance(value, EventMap | CustomerMap)}
    known = _OPEN if catalog is None else catalog
    news: list[Input] = []
    rejected: dict[str, list[RejectedRow]] = {}
    count = 0
    for source in sources:
        path, chosen = _chosen(source, maps)
        for row in _rows(path, chosen, known, received):
            count += 1
            if isinstance(row, RejectedRow):
                rejected.setdefault(path.name, []).append(row)
            else:
                news.extend(row.inputs)
    return History(tuple(news), count, rejected)


def _chosen(
    source: str, maps: Mapping[str, EventMap | CustomerMap]
) -> tuple[Path, EventMap | CustomerMap | None]:
    name, sign, rest = source.partition("=")
    if sign and name.isidentifier() and not Path(source).exists():
        if name not in maps:
            raise UnknownName("map", name, sorted(maps), field="history")
        return Path(rest), maps[name]
    path = Path(source)
    if _kind(path) in _LINES or not maps:
        return path, None
    if len(maps) > 1:
        raise ConfigError(
            f"there are {len(maps)} maps; say which reads {path.name}: --history {min(maps)}={path.name}"
        )
    return path, next(iter(maps.values()))


def _kind(path: Path) -> str:
    return Path(path.stem).suffix if path.suffix == ".gz" else path.suffix


def _rows(
    path: Path, by: EventMap | CustomerMap | None, catalog: Catalog, received: datetime
) -> Iterator[Row]:
    if _kind(path) in _LINES:
        with _opened(path) as lines:
            yield from PayloadReader(Validator(catalog)).lines(lines, received=received)
    elif by is not None:
        yield from read_rows(csv_rows(path), by, catalog=catalog, received=received)
    else:
        yield from _plain(path, catalog, received)


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return TextIOWrapper(gzip.open(path), encoding="utf-8")
    return path.open(encoding="utf-8")


def _plain(path: Path, catalog: Catalog, received: datetime) -> Iterator[Row]:
    """Read a table whose columns are customer, event, at, perhaps id, and properties."""
    reader = PayloadReader(Validator(catalog, lax=True))
    checked = False
    for number, cells in enumerate(csv_rows(path), 1):
        if isinstance(cells, RejectedRow):
            yield cells
            continue
        if not checked:
            _check(cells)
            checked = True
        empty = next((column for column in _NEEDED if is_empty(cells[column])), None)
        if empty is not None:
            yield RejectedRow.of(number, InputError("is missing; fill it in", field=empty))
            continue
        for row in reader.batch(_payload(cells), received=received):
            yield attrs.evolve(row, row=number)


def _check(cells: Cells) -> None:
    for column in _NEEDED:
        if column not in cells:
            raise UnknownName("column", column, sorted(cells), field="history")


def _payload(cells: Cells) -> dict[str, object]:
    said = {name: cell for name, cell in cells.items() if not is_empty(cell)}
    return {
        "type": "track",
        "userId": said.pop("customer", None),
        "event": said.pop("event", None),
        "timestamp": said.pop("at", None),
        "messageId": said.pop("id", None),
        "properties": said,
    }
