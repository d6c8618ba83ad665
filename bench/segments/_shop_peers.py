"""The eight typical segments in ibis and in polars, as somebody would write them there; both count people.

ibis asks the shop's own tables in DuckDB. polars has the same rows in the same order in memory, their names,
categories, countries and plans as categories, which it compares sooner than text.
"""

from typing import Any, Final

import duckdb
import ibis
import polars as pl

from bench.segments._shop import NOW

__all__ = ["in_ibis", "in_polars"]

_NOW: Final = int(NOW.timestamp()) * 1_000_000
_DAY: Final = 86_400_000_000


def in_ibis(connection: "duckdb.DuckDBPyConnection") -> list[Any]:
    """Write the eight as expressions of how many, in their order."""
    backend = ibis.duckdb.from_connection(connection)
    people, events = backend.table("people"), backend.table("events")

    def done(*names: str, days: int | None = None) -> Any:
        found = events.filter(events.name.isin(names) if len(names) > 1 else events.name == names[0])
        found = found.filter(found["at"] <= _NOW)
        return found if days is None else found.filter(found["at"] > _NOW - days * _DAY)

    def grouped(found: Any, **figures: Any) -> Any:
        return found.group_by("customer").aggregate(**figures)

    wanted = (people.country == "RU") & people.plan.isin(["basic", "pro"]) & (people.age >= 25)
    month, year = done("session", days=30), done("purchase", days=365)
    quarter, viewed, carts = done("session", days=90), done("view"), done("cart")
    recent = done("view", days=90)
    both = done("purchase", "unsubscribe", days=365)
    bought, left = both.name == "purchase", both.name == "unsubscribe"
    active = grouped(
        both,
        orders=both.count(where=bought & (both["at"] > _NOW - 30 * _DAY)),
        spent=both.amount.sum(where=bought),
        left=both.count(where=left),
    )
    joined = people.filter(people.email.notnull()).join(active, people.id == active.customer)
    answers = [
        people.filter(wanted & people.agreed),
        grouped(month, n=month.count()).filter(ibis._.n >= 3),
        people.anti_join(quarter, people.id == quarter.customer),
        grouped(year, spent=year.amount.sum()).filter(ibis._.spent > 50_000),
        grouped(viewed, last=viewed["at"].max()).filter(ibis._.last <= _NOW - 60 * _DAY),
        grouped(recent, n=recent.category.nunique()).filter(ibis._.n >= 3),
        joined.filter(
            (joined.country.isin(["RU", "KZ"]) & (joined.orders >= 2))
            | ((joined.spent > 50_000) & ~(joined.left > 0))
        ),
        grouped(carts, last=carts.category.last(order_by=carts["at"], include_null=True)).filter(
            ibis._.last == "electronics"
        ),
    ]
    return [each.count() for each in answers]


def in_polars(connection: "duckdb.DuckDBPyConnection") -> list[Any]:
    """Write the eight as lazy frames of how many, in their order."""
    col = pl.col
    people, events = (
        pl.DataFrame(connection.table(name)).with_columns(col(texts).cast(pl.Categorical)).lazy()
        for name, texts in (("people", ["country", "plan"]), ("events", ["name", "category"]))
    )

    def done(*names: str, days: int | None = None) -> Any:
        found = events.filter(col("name").is_in(names) if len(names) > 1 else col("name") == names[0])
        found = found.filter(col("at") <= _NOW)
        return found if days is None else found.filter(col("at") > _NOW - days * _DAY)

    def grouped(found: Any, **figures: Any) -> Any:
        return found.group_by("customer").agg(**figures)

    bought, left = col("name") == "purchase", col("name") == "unsubscribe"
    active = grouped(
        done("purchase", "unsubscribe", days=365),
        orders=(bought & (col("at") > _NOW - 30 * _DAY)).sum(),
        spent=col("amount").filter(bought).sum(),
        left=left.sum(),
    )
    joined = people.filter(col("email").is_not_null()).join(active, left_on="id", right_on="customer")
    answers = [
        people.filter(
            col("country") == "RU", col("plan").is_in(["basic", "pro"]), col("age") >= 25, col("agreed")
        ),
        grouped(done("session", days=30), n=pl.len()).filter(col("n") >= 3),
        people.join(done("session", days=90), left_on="id", right_on="customer", how="anti"),
        grouped(done("purchase", days=365), spent=col("amount").sum()).filter(col("spent") > 50_000),
        grouped(done("view"), last=col("at").max()).filter(col("last") <= _NOW - 60 * _DAY),
        grouped(done("view", days=90), n=col("category").drop_nulls().n_unique()).filter(col("n") >= 3),
        joined.filter(
            (col("country").is_in(["RU", "KZ"]) & (col("orders") >= 2))
            | ((col("spent") > 50_000) & ~(col("left") > 0))
        ),
        grouped(done("cart"), last=col("category").sort_by("at").last()).filter(col("last") == "electronics"),
    ]
    return [each.select(pl.len()) for each in answers]
