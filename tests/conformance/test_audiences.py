"""The audiences of this library keep the promises of the port."""

from collections.abc import Sequence

from crmsdk.audiences.memory import MemoryAudience
from crmsdk.model.facts import Facts
from crmsdk.ports import Audience
from crmsdk.testing.audience_suite import AudienceSuite
from tests.audience_databases import duckdb_of


class TestMemoryAudience(AudienceSuite):
    examples = 5

    def open_audience(self, facts: Sequence[Facts], *, max_rows: int = 1_000_000) -> Audience:
        return MemoryAudience(facts, max_rows=max_rows)


class TestDuckDBAudience(AudienceSuite):
    refuses = frozenset({"calendar"})

    def open_audience(self, facts: Sequence[Facts], *, max_rows: int = 1_000_000) -> Audience:
        return duckdb_of(facts, max_rows=max_rows)
