"""How Spark runs a group of segments: it reads the table of events once, however many of them ask of it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crmsdk.audiences.spark import SparkAudience
from crmsdk.segments.conditions import Segment
from crmsdk.segments.sql.compiling import compile_masks
from crmsdk.segments.sql.dialects.spark import Spark
from crmsdk.segments.sql.layout import Events, Layout, People
from crmsdk.segments.words import attr, did, prop, segment
from tests.audience_spark import session_of_tests

pytestmark = [pytest.mark.proof, pytest.mark.engine("pyspark", "java")]

NOW = datetime(2026, 3, 29, tzinfo=UTC)
MONTH = timedelta(days=30)
EVENTS = ("view", "search", "cart", "purchase", "refund")
LAYOUT = Layout(people=People("plan_people"), events=Events("plan_events"), nfc=True)


def twenty() -> list[Segment]:
    return [
        segment(f"{event} {number}", asked)
        for event in EVENTS
        for number, asked in enumerate(
            (
                did(event).within(MONTH).at_least(3),
                (attr("city") == "Perm") & ~did(event).where(prop("page") == "/sale"),
                did(event).sum("amount") > 100,
                did(event).last("page") == "/sale",
            )
        )
    ]


def scans_of_events(folder: Path, segments: Sequence[Segment]) -> int:
    """Count where the physical plan reads the table of events, of which alone ``customer`` is a column."""
    session = session_of_tests()
    people = session.range(9).selectExpr("CAST(id AS STRING) AS id", "'Perm' AS city")
    events = session.range(99).selectExpr(
        "CAST(id % 9 AS STRING) AS customer", "CAST(id AS STRING) AS id", "'view' AS name", "id AS at",
        "'/' AS page", "id AS amount",
    )  # fmt: skip
    for name, rows in (("plan_people", people), ("plan_events", events)):
        rows.write.mode("overwrite").parquet(str(folder / name))
        session.read.parquet(str(folder / name)).createOrReplaceTempView(name)
    layout = SparkAudience(session, LAYOUT).layout
    asked = session.sql(compile_masks(Spark(), layout, segments, NOW).sql)
    leaves = asked._jdf.queryExecution().executedPlan().collectLeaves()
    read = [leaves.apply(place).output().mkString(",") for place in range(leaves.size())]
    assert sum("city#" in columns for columns in read) == 1, read
    return sum("customer#" in columns for columns in read)


def test_events_of_all_names_are_read_in_one_pass(tmp_path: Path) -> None:
    assert len(twenty()) == 20
    assert scans_of_events(tmp_path, twenty()) == 1


def test_different_values_are_counted_in_a_pass_over_the_events_of_their_name(tmp_path: Path) -> None:
    viewed = [
        segment(f"{least} pages", did("view").within(MONTH).distinct("page") >= least) for least in (2, 5)
    ]
    assert scans_of_events(tmp_path, [*twenty(), *viewed]) == 2
