"""Rows out of files and dataframes, for ``read_rows``."""

import csv
import gzip
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any

from crmsdk.errors import ConfigError, InputError
from crmsdk.wire.columns import Cells, is_empty
from crmsdk.wire.report import RejectedRow

__all__ = ["csv_rows", "frame_rows"]

_NO_VALUE = frozenset({"NAType", "NaTType"})


def csv_rows(
    source: str | os.PathLike[str] | Iterable[str], *, encoding: str = "utf-8-sig", delimiter: str = ","
) -> Iterator[Cells | RejectedRow]:
    """Read a CSV file with a header; lines that are all empty are skipped and not counted.

    Args:
        source: A path, read through gzip if it ends in ``.gz``, or open text.
        encoding: Of a file given by its path.
        delimiter: Between cells.

    Yields:
        Column to text, or a rejected row where the number of cells is not that of the header.

    Raises:
        InputError: no file, no header, a column named twice, or bytes that are not in the encoding.
    """
    if isinstance(source, str | os.PathLike):
        opened = gzip.open if os.fspath(source).endswith(".gz") else open
        try:
            context: Any = opened(source, "rt", encoding=encoding, newline="")
        except OSError as error:
            raise InputError(
                f"{os.fspath(source)!r} cannot be read ({type(error).__name__}); name a file that is there",
                field="source",
            ) from None
        except LookupError:
            raise InputError("is no encoding; give one as 'utf-8' or 'cp1251'", field="encoding") from None
    else:
        context = nullcontext(source)
    with context as lines:
        yield from _rows(csv.reader(lines, delimiter=delimiter, strict=True), encoding)


def _rows(reader: Any, encoding: str) -> Iterator[Cells | RejectedRow]:
    number, header = 0, None
    while True:
        try:
            cells = next(reader, None)
        except csv.Error:
            cells = []
            number += 1
            yield RejectedRow(number, "not_csv", f"row {number}: has broken quotes; mend the line")
            continue
        except UnicodeDecodeError:
            raise InputError(
                f"is not {encoding} text; state its encoding", field="source", row=number + 1
            ) from None
        except (OSError, EOFError, zlib.error):
            raise InputError(
                "cannot be read on, perhaps it was cut off; get it anew", field="source", row=number + 1
            ) from None
        if cells is None:
            break
        if not any(cells):
            continue
        if header is None:
            header = _header(cells)
            continue
        number += 1
        if len(cells) == len(header):
            yield dict(zip(header, cells, strict=True))
        else:
            problem = f"row {number}: has {len(cells)} cells, the header {len(header)}; mend the line"
            yield RejectedRow(number, "ragged", problem)
    if header is None:
        raise InputError("has no header; the first line names the columns", field="source")


def _header(cells: Sequence[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"names the column {twice!r} twice; rename one", field="source")
    return names


def frame_rows(frame: Any) -> Iterator[Cells]:
    """Read a dataframe of any library that narwhals knows: pandas, polars, pyarrow, DuckDB and more.

    Args:
        frame: A dataframe, or a lazy one, which is computed.

    Yields:
        Column to Python value; NaN, NaT, NA and empty text are None.

    Raises:
        ConfigError: narwhals is not installed.
        InputError: it is no dataframe.
    """
    try:
        import narwhals  # noqa: PLC0415 - an extra, and 86 ms
    except ModuleNotFoundError:
        raise ConfigError("dataframes need narwhals; install crmsdk[frames]") from None
    try:
        native = narwhals.from_native(frame)
    except TypeError:
        raise InputError(f"is {type(frame).__name__}; give a dataframe", field="frame") from None
    eager = native.collect() if isinstance(native, narwhals.LazyFrame) else native
    for row in eager.iter_rows(named=True):
        yield {name: _python(value) for name, value in row.items()}


def _python(value: Any) -> object:
    if is_empty(value) or type(value).__name__ in _NO_VALUE:
        return None
    if hasattr(value, "to_pydatetime"):  # a pandas Timestamp is a datetime with nanoseconds
        return value.to_pydatetime(warn=False)
    if type(value).__module__ == "numpy" and hasattr(value, "item"):
        return value.item()
    return value
