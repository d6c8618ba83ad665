"""A hundred segments by Spark in one query, next to a query for each, over Parquet files as events arrive.

Both sides hand over who belongs, by SQL of ours, in one session on two threads. Spark works in a JVM, so its
CPU time is added to that of this process. At most 100,000 people and 2,000,000 events: more takes the peer
many minutes a round.
"""

from functools import cache
from importlib.util import find_spec
from shutil import which
from typing import TYPE_CHECKING, Final

from bench.frame import Side, cpu_seconds, repeated, versus
from bench.segments._shop import NOW, PEOPLE, files
from bench.segments._shop_segments import hundred
from bench.segments.sets import LAYOUT
from crmsdk.audiences.spark import SparkAudience

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["spark"]

_PEOPLE: Final = min(PEOPLE, 100_000)
_SETTINGS: Final = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "2g",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


def _missing() -> str | None:
    if find_spec("pyspark") is None:
        return "pyspark is not installed (dependency group engines)"
    return None if which("java") else "Spark needs Java"


@cache
def _session() -> "SparkSession":
    from pyspark.sql import SparkSession  # noqa: PLC0415 - it may be missing

    builder = SparkSession.builder.master("local[2]")
    for name, value in _SETTINGS.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    return session


def _cpu_with_jvm() -> float:
    spent = _session()._jvm.java.lang.ProcessHandle.current().info().totalCpuDuration()  # noqa: SLF001
    return cpu_seconds() + float(spent.get().toMillis()) / 1000


@versus(
    "sets.a hundred segments in one query of Spark",
    n=100,
    peer="a hundred queries of Spark",
    most=0.55,
    rounds=3,
    clock=_cpu_with_jvm,
    missing=_missing,
)
def spark() -> tuple[Side, Side]:
    """Hand over who belongs to each."""
    session, segments = _session(), [each for each, _ in hundred()]
    for name in ("people", "events"):
        session.read.parquet(f"{files(_PEOPLE) / name}.parquet").createOrReplaceTempView(name)
    audience = SparkAudience(session, LAYOUT)

    def together() -> list[int]:
        return list(audience.memberships(segments, at=NOW).counts().values())

    def one_by_one() -> list[int]:
        return [len(audience.members(each, at=NOW)) for each in segments]

    assert together() == one_by_one()
    return repeated(together), repeated(one_by_one)
