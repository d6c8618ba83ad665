"""Databases for tests, filled with the facts of people."""

from collections.abc import Iterable

import duckdb

from crmsdk.audiences.duckdb import DuckDBAudience
from crmsdk.model.facts import Facts
from crmsdk.segments.sql.layout import Layout
from crmsdk.testing.audience_rows import audience_rows

__all__ = ["duckdb_of"]

DUCKDB_TABLES = """
CREATE TABLE people (id VARCHAR PRIMARY KEY, zone VARCHAR);
CREATE TABLE events (customer VARCHAR, id VARCHAR PRIMARY KEY, name VARCHAR, "at" BIGINT, properties JSON);
CREATE TABLE attributes (customer VARCHAR, name VARCHAR, value JSON, "at" BIGINT, id VARCHAR);
CREATE TABLE consents (
    customer VARCHAR, channel VARCHAR, purpose VARCHAR, state VARCHAR, "at" BIGINT, id VARCHAR
);
"""


def duckdb_of(
    facts: Iterable[Facts], *, max_rows: int = 1_000_000, layout: Layout | None = None
) -> DuckDBAudience:
    connection = duckdb.connect()
    connection.execute(DUCKDB_TABLES)
    rows = audience_rows(facts)
    for table in ("people", "events", "attributes", "consents"):
        found = getattr(rows, table)
        if found:
            places = ", ".join("?" * len(found[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({places})", found)  # noqa: S608 - our own tables
    return DuckDBAudience(connection, layout or Layout(nfc=True), max_rows=max_rows)
