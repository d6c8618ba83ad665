"""Segments by ClickHouse inside the process: chdb, for tables of MergeTree or whatever it can read.

audience = ClickHouseAudience(chdb.session.Session("crm.chdb"), Layout(events=Events("shop.events")))
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from typing_extensions import override

from crmsdk.audiences._sql import MAX_ROWS, Row, SqlAudience
from crmsdk.errors import AudienceError
from crmsdk.segments.sql.dialects.clickhouse import ClickHouse
from crmsdk.segments.sql.layout import Kind, Layout, Schema

__all__ = ["ClickHouseAudience", "ClickHouseSession"]

_ROWS: Final = "JSONCompactEachRow"
_CHUNK: Final = 50_000
_KINDS: Final[Mapping[str, Kind]] = {
    "String": Kind.TEXT,
    "Bool": Kind.BOOLEAN,
    "Float64": Kind.FLOAT,
    "Date": Kind.DATE,
    "Date32": Kind.DATE,
    "DateTime": Kind.MOMENT,
    **dict.fromkeys(("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64"), Kind.INTEGER),
}
_WRAPPED: Final = re.compile(r"(?:Nullable|LowCardinality)\((.*)\)\Z")


class ClickHouseSession(Protocol):
    """What is needed of a session: ``chdb.session.Session`` has it."""

    def query(self, sql: str, fmt: str = ...) -> Any:
        """Run a query and give its result, whose text is in the format asked for."""


class ClickHouseAudience(SqlAudience):
    """Answers by ClickHouse.

    Args:
        session: An open session; it stays the caller's.
        layout: Where things are in it.
        max_rows: How many people an answer may name.
    """

    def __init__(
        self, session: ClickHouseSession, layout: Layout | None = None, *, max_rows: int = MAX_ROWS
    ) -> None:
        super().__init__(ClickHouse(), layout or Layout(), max_rows)
        self._session: Final = session

    @override
    def _schema(self, tables: Sequence[str]) -> Schema:
        found = {}
        for table in tables:
            name = self._dialect.table(table)
            ((there,),) = self._run(f"EXISTS TABLE {name}")
            if int(there):
                rows = self._run(f"DESCRIBE TABLE {name}")
                found[table] = {row[0]: kind_of_type(row[1]) for row in rows}
        return found

    @override
    def _chunks(self, sql: str) -> Iterator[list[Row]]:
        rows = self._run(sql)
        for start in range(0, len(rows), _CHUNK):
            yield rows[start : start + _CHUNK]

    def _run(self, sql: str) -> list[Row]:
        try:
            text = str(self._session.query(sql, _ROWS))
        except Exception as error:  # its errors are of classes that differ between releases
            raise AudienceError(
                f"the query failed: {type(error).__name__}; the original error is its cause"
            ) from error
        return [tuple(json.loads(line)) for line in text.splitlines() if line]

    @override
    def _let_go(self) -> None:
        """Leave the session to its owner."""


def kind_of_type(name: str) -> Kind:
    """Say what the values of a type are."""
    while wrapped := _WRAPPED.match(name):
        name = wrapped[1]
    if name.startswith("DateTime"):
        return Kind.MOMENT
    if name.startswith(("Array(", "Map(", "Tuple(")):
        return Kind.NESTED
    return Kind.TEXT if name.startswith("Enum") else _KINDS.get(name, Kind.OTHER)
