"""Databases for tests, filled with the facts of people."""

import os
from collections.abc import Iterable

import duckdb

from crmsdk.audiences.duckdb import DuckDBAudience
from crmsdk.audiences.postgres import PostgresAudience
from crmsdk.model.facts import Facts
from crmsdk.segments.sql.layout import Layout
from crmsdk.testing.audience_rows import audience_rows
from tests.services import SERVICES

__all__ = ["duckdb_of", "postgres_of"]

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
            # By columns: row by row the engine would take a hundred times as long.
            columns = ", ".join(f"unnest(${place + 1})" for place in range(len(found[0])))
            connection.execute(
                f"INSERT INTO {table} SELECT {columns}",
                [list(column) for column in zip(*found, strict=True)],
            )
    return DuckDBAudience(connection, layout or Layout(nfc=True), max_rows=max_rows)


POSTGRES_TABLES = """
CREATE TABLE people (id text PRIMARY KEY, zone text);
CREATE TABLE events (customer text, id text PRIMARY KEY, name text, at bigint, properties json);
CREATE TABLE attributes (customer text, name text, value json, at bigint, id text);
CREATE TABLE consents (customer text, channel text, purpose text, state text, at bigint, id text);
"""


def postgres_of(facts: Iterable[Facts], *, max_rows: int = 1_000_000) -> PostgresAudience:
    """Fill temporary tables; they go with the connection."""
    audience = PostgresAudience(SERVICES["postgres"].url(os.environ), Layout(nfc=True), max_rows=max_rows)
    connection = audience._connection
    rows = audience_rows(facts)
    with connection.transaction():
        connection.execute(POSTGRES_TABLES.replace("CREATE TABLE", "CREATE TEMPORARY TABLE"))
        for table in ("people", "events", "attributes", "consents"):
            with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for row in getattr(rows, table):
                    copy.write_row(row)
    return audience
