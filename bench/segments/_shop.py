"""A shop's people and events in DuckDB, made from numbers alone: the same size gives the same rows.

Twelve event names, most of them views; amounts and categories are missing now and then; a third of the people
did little and lately nothing. Events lie sorted by name and time, as the page about segments advises.
"""

import atexit
import os
import shutil
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

import duckdb

__all__ = ["EVENTS_EACH", "NOW", "PEOPLE", "database", "files", "shop"]

PEOPLE: Final = int(os.environ.get("CRMSDK_BENCH_PEOPLE", "100000"))
NOW: Final = datetime(2026, 11, 21, tzinfo=UTC)
EVENTS_EACH: Final = 20
_SPAN: Final = 400 * 86_400_000_000

# hash() is DuckDB's own, without a seed; the second argument keeps the draws apart.
_MAKE: Final = """
CREATE MACRO draw(i, salt) AS (hash(i * 64 + salt) % 1000000)::DOUBLE / 1000000;
CREATE MACRO one(many, drawn) AS many[1 + (drawn * len(many))::INT % len(many)];
CREATE TABLE people AS
SELECT i AS id,
    CASE WHEN draw(i, 1) < 0.03 THEN NULL
        ELSE one(['RU', 'RU', 'RU', 'RU', 'RU', 'KZ', 'BY', 'AM', 'GE', 'DE'], draw(i, 2)) END AS country,
    one(['free', 'free', 'free', 'free', 'free', 'free', 'basic', 'basic', 'pro'], draw(i, 3)) AS plan,
    CASE WHEN draw(i, 4) < 0.12 THEN NULL ELSE 16 + (draw(i, 5) * 59)::INT END AS age,
    CASE WHEN draw(i, 6) < 0.1 THEN NULL ELSE draw(i, 7) < 0.8 END AS agreed,
    CASE WHEN draw(i, 8) < 0.06 THEN NULL ELSE 'u' || i || '@example.org' END AS email,
    CASE WHEN draw(i, 9) < 0.3 THEN NULL ELSE round(draw(i, 10) * 100, 2) END AS score
FROM range({people}) t(i);
CREATE TABLE events AS
WITH drawn AS (
    SELECT i, (draw(i, 11) * draw(i, 12) * {people})::BIGINT AS customer, draw(i, 13) AS named,
        draw(i, 14) AS aged
    FROM range({events}) t(i)
)
SELECT customer, i AS id,
    CASE WHEN named < 0.42 THEN 'view' WHEN named < 0.62 THEN 'session' WHEN named < 0.72 THEN 'search'
        WHEN named < 0.80 THEN 'cart' WHEN named < 0.86 THEN 'email_open' WHEN named < 0.89 THEN 'email_click'
        WHEN named < 0.925 THEN 'purchase' WHEN named < 0.955 THEN 'push_open'
        WHEN named < 0.965 THEN 'support'
        WHEN named < 0.969 THEN 'refund' WHEN named < 0.97 THEN 'unsubscribe' ELSE 'login' END AS name,
    {now} - (CASE WHEN customer % 3 = 0 THEN 0.3 + 0.7 * aged ELSE aged END * {span})::BIGINT AS "at",
    CASE WHEN named BETWEEN 0.89 AND 0.925 AND draw(i, 15) > 0.02
        THEN (exp(4.3 + 3 * (draw(i, 16) - 0.5)) * 100)::BIGINT END AS amount,
    CASE WHEN (named < 0.42 OR named BETWEEN 0.72 AND 0.80 OR named BETWEEN 0.89 AND 0.925)
        AND draw(i, 17) > 0.03
        THEN one(['electronics', 'books', 'toys', 'garden', 'food', 'auto', 'kids', 'sport'], draw(i, 18))
        END AS category
FROM drawn ORDER BY name, "at";
"""


@cache
def shop(people: int) -> "duckdb.DuckDBPyConnection":
    """Make a shop of so many people, each with twenty events on average, in memory; one for all who ask."""
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    now = int(NOW.timestamp()) * 1_000_000
    connection.execute(_MAKE.format(people=people, events=people * EVENTS_EACH, now=now, span=_SPAN))
    return connection


@cache
def files(people: int) -> Path:
    """Write a shop as two Parquet files into a folder that is gone when the process ends.

    The events lie there as they arrive: in the order of time, all names mixed.
    """
    folder = _folder()
    for query, name in (("FROM people", "people"), ('FROM events ORDER BY "at", id', "events")):
        shop(people).execute(
            f"COPY ({query}) TO '{folder / name}.parquet' (FORMAT parquet, COMPRESSION zstd)"
        )
    return folder


@cache
def database(people: int) -> Path:
    """Write a shop as a database file, in the order it has in memory; it is gone when the process ends."""
    path = _folder() / "shop.duckdb"
    connection = shop(people).cursor()
    connection.execute(f"ATTACH '{path}' AS written")
    for name in ("people", "events"):
        connection.execute(f"CREATE TABLE written.{name} AS FROM memory.{name}")
    connection.execute("DETACH written")
    return path


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    return folder
