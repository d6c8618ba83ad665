"""Segments by Apache Spark 4: over tables, views and files that a session knows. Needs the extra ``spark``.

spark = SparkSession.builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
spark.read.parquet("events/").createOrReplaceTempView("events")
audience = SparkAudience(spark)
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from crmsdk.audiences._sql import MAX_ROWS, Row, SqlAudience
from crmsdk.errors import AudienceError, ConfigError
from crmsdk.segments.sql.dialects.spark import Spark
from crmsdk.segments.sql.layout import Kind, Layout, Schema

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["SparkAudience"]

_CHUNK: Final = 50_000
_ZONE: Final = "spark.sql.session.timeZone"
_KINDS: Final[Mapping[str, Kind]] = {
    "string": Kind.TEXT,
    "boolean": Kind.BOOLEAN,
    "double": Kind.FLOAT,
    "date": Kind.DATE,
    "timestamp": Kind.MOMENT,
    "timestamp_ntz": Kind.UTC,
    "variant": Kind.NESTED,
    **dict.fromkeys(("tinyint", "smallint", "int", "bigint"), Kind.INTEGER),
}


class SparkAudience(SqlAudience):
    """Answers by Spark.

    A group of segments is one query. What they count, add up or look at first and last is read in one pass
    over the events of all names; different values, and the order and rhythm of events, in passes of their
    own.

    Args:
        session: An open session; it stays the caller's. Its time zone must be UTC.
        layout: Where things are in it; text is compared as it stands, so the layout vouches for its form C.
        max_rows: How many people an answer may name.

    Raises:
        ConfigError: the session's time zone is not UTC.
    """

    def __init__(
        self, session: "SparkSession", layout: Layout | None = None, *, max_rows: int = MAX_ROWS
    ) -> None:
        super().__init__(Spark(), layout or Layout(nfc=True), max_rows)
        zone = session.conf.get(_ZONE)
        if zone not in {"UTC", "Etc/UTC"}:
            raise ConfigError(f"the session's time zone is {zone}; set {_ZONE} to UTC when it is made")
        self._session: Final = session

    @override
    def _schema(self, tables: Sequence[str]) -> Schema:
        found = {}
        for table in tables:
            name = self._dialect.table(table)
            try:
                if not self._session.catalog.tableExists(name):
                    continue
                types = self._session.table(name).dtypes
            except Exception as error:  # pyspark's errors of the JVM and of the server have no common class
                raise _told("the tables cannot be read", error) from error
            found[table] = {column: kind_of_type(kind) for column, kind in types}
        return found

    @override
    def _chunks(self, sql: str) -> Iterator[list[Row]]:
        try:
            rows = self._session.sql(sql).toLocalIterator(prefetchPartitions=True)
            while chunk := [tuple(row) for row in islice(rows, _CHUNK)]:
                yield chunk
        except Exception as error:  # as above
            raise _told("the query failed", error) from error

    @override
    def _let_go(self) -> None:
        """Leave the session to its owner."""


def kind_of_type(name: str) -> Kind:
    """Say what the values of a type are."""
    if name.startswith(("array<", "map<", "struct<")):
        return Kind.NESTED
    return Kind.TEXT if name.startswith(("char(", "varchar(")) else _KINDS.get(name, Kind.OTHER)


def _told(what: str, error: Exception) -> AudienceError:
    return AudienceError(f"{what}: {type(error).__name__}; the original error is its cause")
