import builtins
import gzip
import io
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from crmsdk.errors import ConfigError, InputError
from crmsdk.wire.files import csv_rows, frame_rows
from crmsdk.wire.report import RejectedRow


def test_a_csv_file_becomes_rows() -> None:
    text = io.StringIO('a, b\n1,x\n\n,\n"2,5","y\nz"\n')
    assert list(csv_rows(text)) == [{"a": "1", "b": "x"}, {"a": "2,5", "b": "y\nz"}]


def test_a_row_of_another_width_is_rejected_by_its_number() -> None:
    rows = list(csv_rows(["a,b", "1,2", "1", "1,2,3", "3,4"]))
    assert rows[0] == {"a": "1", "b": "2"}
    assert rows[1] == RejectedRow(2, "ragged", "row 2: has 1 cells, the header 2; mend the line")
    assert rows[2] == RejectedRow(3, "ragged", "row 3: has 3 cells, the header 2; mend the line")
    assert rows[3] == {"a": "3", "b": "4"}


def test_broken_quotes_are_rejected_and_the_rest_is_read() -> None:
    rows = list(csv_rows(["a,b\n", '"x"y,2\n', "3,4\n"]))
    assert rows[0] == RejectedRow(1, "not_csv", "row 1: has broken quotes; mend the line")
    assert rows[-1] == {"a": "3", "b": "4"}


@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz"])
def test_a_path_is_opened_and_a_byte_order_mark_skipped(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    raw = "\ufeffname;город\nann;Москва\n".encode()
    path.write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
    assert list(csv_rows(path, delimiter=";")) == [{"name": "ann", "город": "Москва"}]
    assert list(csv_rows(str(path), delimiter=";")) == [{"name": "ann", "город": "Москва"}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no header"),
        (b"a,b,a\n", "names the column 'a' twice"),
        ("город\nx\n".encode("cp1251"), "row 1, field 'source': is not utf-8-sig text"),
    ],
)
def test_a_file_that_is_no_table_is_an_error(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "rows.csv").write_bytes(content)
    with pytest.raises(InputError, match=message):
        list(csv_rows(tmp_path / "rows.csv"))


def test_a_missing_file_and_a_cut_off_archive_are_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.csv' cannot be read \(FileNotFoundError\); name a file"):
        list(csv_rows(tmp_path / "nowhere.csv"))
    whole = gzip.compress(b"a,b\n" + b"1,2\n" * 100_000)
    (tmp_path / "cut.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="field 'source'"):
        list(csv_rows(tmp_path / "cut.csv.gz"))


def pandas_frame() -> Any:
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(
        {
            "id": [1, 2],
            "score": [1.5, float("nan")],
            "at": pandas.to_datetime(["2026-03-29T09:00", None]),
            "name": ["ann", None],
            "flag": pandas.array([True, None], dtype="boolean"),
        }
    )


def arrow_frame() -> Any:
    pyarrow = pytest.importorskip("pyarrow")
    return pyarrow.table(
        {
            "id": [1, 2],
            "score": [1.5, None],
            "at": [datetime(2026, 3, 29, 9), None],  # noqa: DTZ001 - a column without a zone
            "name": ["ann", None],
            "flag": [True, None],
        }
    )


@pytest.mark.parametrize("make", [pandas_frame, arrow_frame])
def test_a_dataframe_becomes_rows_of_python_values(make: Callable[[], Any]) -> None:
    pytest.importorskip("narwhals")
    first, second = frame_rows(make())
    assert first == {
        "id": 1,
        "score": 1.5,
        "at": datetime(2026, 3, 29, 9),  # noqa: DTZ001 - a column without a zone
        "name": "ann",
        "flag": True,
    }
    assert {name: type(value) for name, value in first.items()} == {
        "id": int,
        "score": float,
        "at": datetime,
        "name": str,
        "flag": bool,
    }
    assert second["id"] == 2
    assert [second[name] for name in ("score", "at", "name", "flag")] == [None] * 4


def test_what_is_no_dataframe_is_refused() -> None:
    pytest.importorskip("narwhals")
    with pytest.raises(InputError, match="is int; give a dataframe"):
        list(frame_rows(3))


def test_without_narwhals_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "narwhals":
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r"install crmsdk\[frames\]"):
        list(frame_rows(object()))


def test_an_archive_that_is_broken_inside_is_an_error(tmp_path: Path) -> None:
    raw = bytearray(gzip.compress(b"a,b\n" + bytes(range(48, 120)) * 2000))
    raw[30:60] = bytes(30)
    (tmp_path / "rows.csv.gz").write_bytes(raw)
    with pytest.raises(InputError, match="cannot be read on, perhaps it was cut off"):
        list(csv_rows(tmp_path / "rows.csv.gz"))


def test_an_encoding_nobody_knows_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a\n1\n")
    with pytest.raises(InputError, match="field 'encoding': is no encoding"):
        list(csv_rows(tmp_path / "rows.csv", encoding="utf-9"))
