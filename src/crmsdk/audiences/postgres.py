"""Segments by PostgreSQL, where the rows already are. Needs the extra ``postgres``.

audience = PostgresAudience("postgresql://localhost/shop", Layout(events=Events("shop.events")))
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import psycopg
from typing_extensions import override

from crmsdk.audiences._sql import MAX_ROWS, Row, SqlAudience
from crmsdk.errors import AudienceError
from crmsdk.segments.sql.dialects.postgres import Postgres
from crmsdk.segments.sql.layout import Kind, Layout, Schema

__all__ = ["PostgresAudience"]

_CHUNK: Final = 20_000
_COLUMNS: Final = """
SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
# Expressions of many segments take longer to compile than to run.
_SETTINGS: Final = ("SET LOCAL jit = off", "SET LOCAL standard_conforming_strings = on")

_KINDS: Final[Mapping[str, Kind]] = {
    "text": Kind.TEXT,
    "character varying": Kind.TEXT,
    "boolean": Kind.BOOLEAN,
    "smallint": Kind.INTEGER,
    "integer": Kind.INTEGER,
    "bigint": Kind.INTEGER,
    "double precision": Kind.FLOAT,
    "date": Kind.DATE,
    "timestamp with time zone": Kind.MOMENT,
    "timestamp without time zone": Kind.UTC,
    "json": Kind.JSON,
    "jsonb": Kind.JSON,
}


class PostgresAudience(SqlAudience):
    """Answers by PostgreSQL: each question is one read-only transaction with one query.

    Args:
        source: Where to connect, as libpq reads it; or an open connection, which stays the caller's.
        layout: Where things are in it.
        max_rows: How many people an answer may name.

    Raises:
        AudienceError: no connection.
    """

    def __init__(
        self,
        source: "str | psycopg.Connection[Any]",
        layout: Layout | None = None,
        *,
        max_rows: int = MAX_ROWS,
    ) -> None:
        super().__init__(Postgres(), layout or Layout(), max_rows)
        self._owned: Final = isinstance(source, str)
        try:
            self._connection: Final = psycopg.connect(source) if isinstance(source, str) else source
        except psycopg.Error as error:
            raise AudienceError(f"PostgreSQL cannot be reached: {type(error).__name__}") from error

    @override
    def _schema(self, tables: Sequence[str]) -> Schema:
        found, types = {}, set()
        try:
            with self._connection.transaction():
                for table in tables:
                    name = self._dialect.table(table)
                    rows = self._connection.execute(_COLUMNS, (name,)).fetchall()
                    if rows:
                        found[table] = {column: kind_of_type(each) for column, each in rows}
                        types |= {each for _, each in rows}
        except psycopg.Error as error:
            raise AudienceError(f"the tables cannot be read: {type(error).__name__}") from error
        if "json" in types and "jsonb" not in types:
            self._dialect = Postgres("json")
        return found

    @override
    def _chunks(self, sql: str) -> Iterator[list[Row]]:
        try:
            with self._connection.transaction(force_rollback=True):
                for setting in _SETTINGS:
                    self._connection.execute(setting)
                with self._connection.cursor(name="crmsdk_audience") as cursor:
                    cursor.itersize = _CHUNK
                    cursor.execute(sql.encode())
                    while rows := cursor.fetchmany(_CHUNK):
                        yield rows
        except psycopg.Error as error:
            raise AudienceError(
                f"the query failed: {type(error).__name__}; the original error is its cause"
            ) from error

    @override
    def _let_go(self) -> None:
        if self._owned:
            self._connection.close()


def kind_of_type(name: str) -> Kind:
    """Say what the values of a type are."""
    return Kind.NESTED if name.endswith("[]") else _KINDS.get(name, Kind.OTHER)
