"""ClickHouse for tests: chdb, one session a process."""

import json
from collections.abc import Iterable
from functools import cache
from itertools import count
from typing import Any

from crmsdk.audiences.clickhouse import ClickHouseAudience
from crmsdk.model.facts import Facts
from crmsdk.segments.sql.layout import Attributes, Consents, Events, Layout, People
from crmsdk.testing.audience_rows import audience_rows

__all__ = ["clickhouse_of"]

_TABLES = {
    "people": "id String, zone Nullable(String)",
    "events": "customer String, id String, name String, at Int64, properties String",
    "attributes": "customer String, name String, value String, at Int64, id String",
    "consents": "customer String, channel String, purpose String, state String, at Int64, id String",
}
_numbers = count()


@cache
def _session() -> Any:
    from chdb import session  # noqa: PLC0415 - only `make proofs` has it

    return session.Session()


def clickhouse_of(facts: Iterable[Facts], *, max_rows: int = 1_000_000) -> ClickHouseAudience:
    """Fill tables of a database of their own."""
    session, base = _session(), f"test{next(_numbers)}"
    session.query(f"CREATE DATABASE {base}")
    rows = audience_rows(facts)
    for table, columns in _TABLES.items():
        session.query(f"CREATE TABLE {base}.{table} ({columns}) ENGINE = MergeTree ORDER BY tuple()")
        lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in getattr(rows, table))
        if lines:
            session.query(f"INSERT INTO {base}.{table} FORMAT JSONCompactEachRow\n{lines}")
    layout = Layout(
        people=People(f"{base}.people"),
        events=Events(f"{base}.events"),
        attributes=Attributes(f"{base}.attributes"),
        consents=Consents(f"{base}.consents"),
        nfc=True,
    )
    return ClickHouseAudience(session, layout, max_rows=max_rows)
