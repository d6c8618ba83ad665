"""Segments by DuckDB: over a database file, Parquet files, or any dataframe. Needs the extra ``sets``.

audience = DuckDBAudience("crm.duckdb")
audience = DuckDBAudience({"people": "people.parquet", "events": "events/*.parquet"})
audience = DuckDBAudience({"people": people, "events": events})     # dataframes with an Arrow capsule
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol, TypeAlias

import duckdb
from typing_extensions import override

from crmsdk.audiences._sql import MAX_ROWS, Row, SqlAudience
from crmsdk.errors import AudienceError, ConfigError
from crmsdk.segments.sql.dialects.duckdb import DuckDB
from crmsdk.segments.sql.layout import Kind, Layout, Schema

__all__ = ["ArrowFrame", "DuckDBAudience", "Source"]


class ArrowFrame(Protocol):
    """A dataframe of any library that gives its rows as an Arrow stream."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Give the stream as a capsule."""


Source: TypeAlias = "str | Path | duckdb.DuckDBPyConnection | Mapping[str, str | Path | ArrowFrame]"
"""A database file, an open connection, or table names with Parquet files (or a pattern of them) or frames."""

_CHUNK: Final = 50_000


class DuckDBAudience(SqlAudience):
    """Answers by DuckDB.

    Args:
        source: Where the rows are. A file is opened read-only; a connection stays the caller's and keeps its
            settings.
        layout: Where things are in it.
        memory: The most the engine may take, as ``2GB``; beyond it works on disk. None leaves it as it is.
        max_rows: How many people an answer may name.

    Raises:
        ConfigError: the source is none.
        AudienceError: it cannot be opened.
    """

    def __init__(
        self,
        source: Source,
        layout: Layout | None = None,
        *,
        memory: str | None = None,
        max_rows: int = MAX_ROWS,
    ) -> None:
        super().__init__(DuckDB(), layout or Layout(), max_rows)
        self._connection: Final = _opened(source)
        if memory is not None:
            try:
                self._connection.execute("SET memory_limit = $1", [memory])
            except duckdb.Error as error:
                self._connection.close()
                raise AudienceError(_told(f"memory={memory!r} cannot be set", error)) from error

    @override
    def _schema(self, tables: Sequence[str]) -> Schema:
        found = {}
        for table in tables:
            try:
                rows = self._connection.execute(f"DESCRIBE {self._dialect.table(table)}").fetchall()
            except duckdb.CatalogException:
                continue
            except duckdb.Error as error:
                raise AudienceError(_told("the tables cannot be read", error)) from error
            found[table] = {row[0]: kind_of_type(row[1]) for row in rows}
        return found

    @override
    def _chunks(self, sql: str) -> Iterator[list[Row]]:
        try:
            cursor = self._connection.cursor()
            try:
                result = cursor.execute(sql)
                while rows := result.fetchmany(_CHUNK):
                    yield rows
            finally:
                cursor.close()
        except duckdb.Error as error:
            raise AudienceError(_told("the query failed", error)) from error

    @override
    def _let_go(self) -> None:
        self._connection.close()


def _opened(source: Source) -> "duckdb.DuckDBPyConnection":
    match source:
        case duckdb.DuckDBPyConnection():
            return source.cursor()
        case str() | Path():
            if not Path(source).exists():
                raise AudienceError(
                    f"there is no file {Path(source).name!r}; give the path of a DuckDB database"
                )
            try:
                return duckdb.connect(str(source), read_only=True)
            except duckdb.Error as error:
                raise AudienceError(_told(f"the file {_file(source)!r} cannot be opened", error)) from error
        case Mapping():
            connection = duckdb.connect()
            for name, rows in source.items():
                try:
                    _attach(connection, name, rows)
                except duckdb.Error as error:
                    connection.close()
                    where = f", {_file(rows)!r}," if isinstance(rows, str | Path) else ""
                    raise AudienceError(_told(f"table {name!r}{where} cannot be read", error)) from error
            return connection
        case _:
            raise ConfigError(
                f"{type(source).__name__} is no source; give a path, a DuckDB connection, or a dict of tables"
            )


def _file(given: str | Path) -> str:
    """Name a file as the caller did; of an address elsewhere, which may hold a key, only its last part."""
    name = str(given)
    return name.partition("?")[0].rpartition("/")[2] if "://" in name else name


def _attach(connection: "duckdb.DuckDBPyConnection", name: str, rows: "str | Path | ArrowFrame") -> None:
    dialect = DuckDB()
    if isinstance(rows, str | Path):
        files = dialect.text(str(rows))
        connection.execute(f"CREATE VIEW {dialect.table(name)} AS SELECT * FROM read_parquet({files})")
    elif hasattr(rows, "__arrow_c_stream__"):
        # A stream is read once, so its rows are taken over.
        connection.register("crmsdk_frame", rows)
        connection.execute(f"CREATE TABLE {dialect.table(name)} AS SELECT * FROM crmsdk_frame")
        connection.unregister("crmsdk_frame")
    else:
        raise ConfigError(f"table {name!r} is {type(rows).__name__}; give Parquet files or an Arrow frame")


_KINDS: Final[Mapping[str, Kind]] = {
    "VARCHAR": Kind.TEXT,
    "BOOLEAN": Kind.BOOLEAN,
    "DOUBLE": Kind.FLOAT,
    "DATE": Kind.DATE,
    "TIMESTAMP WITH TIME ZONE": Kind.MOMENT,
    "TIMESTAMP": Kind.UTC,
    "JSON": Kind.JSON,
    "VARIANT": Kind.NESTED,
    **dict.fromkeys(
        ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"), Kind.INTEGER
    ),
}
_NESTED: Final = re.compile(r"(STRUCT|MAP)\(|.*\[[0-9]*\]\Z")


def kind_of_type(name: str) -> Kind:
    """Say what the values of a type are."""
    if name.startswith("ENUM("):
        return Kind.TEXT
    return Kind.NESTED if _NESTED.match(name) else _KINDS.get(name, Kind.OTHER)


def _told(what: str, error: Exception) -> str:
    """Tell of an error without its values: the first line names the kind, the rest may quote rows."""
    return f"{what}: {type(error).__name__}; {_MEND}"


_MEND: Final = "the original error is its cause"
