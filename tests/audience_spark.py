"""Spark for tests: one session a process, on one core, without its web page."""

from collections.abc import Iterable
from functools import cache
from itertools import count
from typing import Any

from crmsdk.audiences.spark import SparkAudience
from crmsdk.model.facts import Facts
from crmsdk.segments.sql.layout import Attributes, Consents, Events, Layout, People
from crmsdk.testing.audience_rows import audience_rows

__all__ = ["session_of_tests", "spark_of"]

_TABLES = {
    "people": "id string, zone string",
    "events": "customer string, id string, name string, at bigint, properties string",
    "attributes": "customer string, name string, value string, at bigint, id string",
    "consents": "customer string, channel string, purpose string, state string, at bigint, id string",
}
_numbers = count()


@cache
def session_of_tests() -> Any:
    """Start Spark inside the process; it listens on loopback only."""
    from pyspark.sql import SparkSession  # noqa: PLC0415 - only `make proofs` has it

    settings = {
        "spark.buffer.pageSize": "1m",  # a query of many questions holds a page for each of its joins
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "2g",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder.master("local[1]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    return session


def spark_of(facts: Iterable[Facts], *, max_rows: int = 1_000_000) -> SparkAudience:
    """Make views of the rows, with names of their own."""
    session, base = session_of_tests(), f"test{next(_numbers)}"
    rows = audience_rows(facts)
    for table, columns in _TABLES.items():
        session.createDataFrame(getattr(rows, table), columns).coalesce(1).createOrReplaceTempView(
            f"{base}_{table}"
        )
    layout = Layout(
        people=People(f"{base}_people"),
        events=Events(f"{base}_events"),
        attributes=Attributes(f"{base}_attributes"),
        consents=Consents(f"{base}_consents"),
        nfc=True,
    )
    return SparkAudience(session, layout, max_rows=max_rows)
