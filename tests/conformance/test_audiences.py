"""The audiences of this library keep the promises of the port."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import pytest

from crmsdk.audiences.memory import MemoryAudience
from crmsdk.model.facts import Facts
from crmsdk.ports import Audience
from crmsdk.testing.audience_suite import AudienceSuite
from tests.audience_clickhouse import clickhouse_of
from tests.audience_databases import duckdb_of, postgres_of
from tests.audience_spark import spark_of
from tests.conftest import PROFILE


class TestMemoryAudience(AudienceSuite):
    examples = 5

    def open_audience(self, facts: Sequence[Facts], *, max_rows: int = 1_000_000) -> Audience:
        return MemoryAudience(facts, max_rows=max_rows)


class TestDuckDBAudience(AudienceSuite):
    def open_audience(self, facts: Sequence[Facts], *, max_rows: int = 1_000_000) -> Audience:
        return duckdb_of(facts, max_rows=max_rows)


@pytest.mark.service("postgres")
class TestPostgresAudience(AudienceSuite):
    def open_audience(self, facts: Sequence[Facts], *, max_rows: int = 1_000_000) -> Audience:
        return postgres_of(facts, max_rows=max_rows)


@pytest.mark.proof
@pytest.mark.engine("chdb")
class TestClickHouseAudience(AudienceSuite):
    examples = 200 if PROFILE == "proofs" else 8  # a query takes it longer to plan than all others to run
    deviations: ClassVar[Mapping[str, str]] = {
        "test_large_integers_and_doubles_stay_apart": "an integer of more than 64 bits in JSON is text to it"
    }

    def open_audience(self, facts: Sequence[Facts], *, max_rows: int = 1_000_000) -> Audience:
        return clickhouse_of(facts, max_rows=max_rows)


@pytest.mark.proof
@pytest.mark.engine("pyspark", "java")
class TestSparkAudience(AudienceSuite):
    examples = 100 if PROFILE == "proofs" else 4
    deviations: ClassVar[Mapping[str, str]] = {
        "test_names_and_values_are_never_read_as_a_query": "a name in JSON cannot hold a quotation mark"
    }

    def open_audience(self, facts: Sequence[Facts], *, max_rows: int = 1_000_000) -> Audience:
        return spark_of(facts, max_rows=max_rows)
