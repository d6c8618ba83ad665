"""What an audience of tables says of its tables, and that planted faults of each dialect are found."""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import attrs
import duckdb
import pytest

from crmsdk.audiences._sql import SqlAudience
from crmsdk.audiences.duckdb import DuckDBAudience
from crmsdk.errors import AudienceError, ConfigError, LayoutError, UnknownName
from crmsdk.model.money import Money
from crmsdk.segments.conditions import Predicate, Segment
from crmsdk.segments.sql.dialects.duckdb import DuckDB
from crmsdk.segments.sql.dialects.postgres import Postgres
from crmsdk.segments.sql.layout import Events, Kind, Layout, People, micros, money
from crmsdk.segments.words import attr, consent, did, prop
from crmsdk.testing._audience_draws import Asked, all_questions
from crmsdk.testing.draws import NOW
from crmsdk.testing.populations import population
from tests.audience_databases import duckdb_of, postgres_of

DAY = dt.timedelta(days=1)


# --- typed columns ----------------------------------------------------------------------------------------


@pytest.fixture
def shop() -> Iterator["duckdb.DuckDBPyConnection"]:
    connection = duckdb.connect()
    connection.execute("""
        CREATE TABLE people (id VARCHAR, zone VARCHAR, city VARCHAR, age INTEGER, score DOUBLE, born DATE,
            seen TIMESTAMP, agreed BOOLEAN, tags VARCHAR[], blob BLOB);
        INSERT INTO people VALUES
            ('ann', NULL, 'Moscow', 31, 1.5, '1990-02-28', '2026-03-28 01:00:00', true, ['a', 'b'], NULL),
            ('bob', NULL, '', NULL, 'nan', NULL, NULL, NULL, NULL, NULL),
            ('cem', NULL, NULL, 40, 'inf', '2000-01-01', '2026-03-29 01:00:00.000001', false, [], NULL);
        CREATE TABLE events (customer VARCHAR, id BIGINT, name VARCHAR, "at" TIMESTAMPTZ, amount BIGINT,
            code VARCHAR, price DOUBLE);
        SET TimeZone = 'Asia/Tokyo';
        INSERT INTO events VALUES
            ('ann', 9, 'purchase', '2026-03-28 10:00:00+00', 100, 'RUB', 0.1),
            ('ann', 10, 'purchase', '2026-03-28 10:00:00+00', 200, 'USD', 0.2),
            ('bob', 11, 'purchase', '2026-03-29 01:00:00+00', 300, NULL, 'nan'),
            ('stranger', 12, 'purchase', '2026-03-28 10:00:00+00', 100, 'RUB', 1);
    """)
    yield connection
    connection.close()


MIXED = Layout(events=Events(properties={"amount": money("amount", currency_in="code")}))


@pytest.mark.parametrize(
    ("asked", "members"),
    [
        (attr("city") == "", ["bob"]),
        (attr("city").missing(), ["cem"]),
        (attr("age") > 30.5, ["ann", "cem"]),
        (attr("score").exists(), ["ann"]),
        (attr("score") != 1.5, ["bob", "cem"]),
        (attr("born") == dt.date(1990, 2, 28), ["ann"]),
        (attr("born") < dt.date(1, 1, 2), []),
        (attr("seen").within_last(DAY), []),
        (attr("seen").within_last(DAY + dt.timedelta(microseconds=1)), ["ann"]),
        (attr("seen").within_next(dt.timedelta(microseconds=1)), ["cem"]),
        (attr("agreed") == False, ["cem"]),  # noqa: E712 - a question
        (attr("tags").contains("b"), ["ann"]),
        (attr("tags") == (), ["cem"]),
        (did("purchase").within(DAY), ["ann", "bob"]),
        (did("purchase").where(prop("amount") == Money(100, "RUB")), ["ann"]),
        (did("purchase").sum("amount") >= Money(200, "USD"), ["ann"]),
        (did("purchase").sum("amount") == Money(0, "RUB"), ["bob", "cem"]),
        (did("purchase").last("amount") == Money(200, "USD"), ["ann"]),  # 10 is later than 9
        (did("purchase").distinct("amount") == 2, ["ann"]),
        (did("purchase").sum("price") == 0.30000000000000004, ["ann"]),
        (did("purchase").max("price") > 0.1, ["ann"]),
    ],
)
def test_typed_columns_mean_what_values_mean(
    shop: "duckdb.DuckDBPyConnection", asked: Predicate, members: list[str]
) -> None:
    audience = DuckDBAudience(shop, MIXED)
    assert list(audience.members(asked, at=NOW)) == members
    assert audience.count(asked, at=NOW) == len(members)
    assert audience.memberships([Segment("s", asked)], at=NOW).counts() == {"s": len(members)}


def test_text_in_another_form_of_unicode_is_found(shop: "duckdb.DuckDBPyConnection") -> None:
    shop.execute("UPDATE people SET city = 'cafe\u0301' WHERE id = 'ann'")
    assert DuckDBAudience(shop, MIXED).count(attr("city") == "café", at=NOW) == 1
    assert DuckDBAudience(shop, attrs.evolve(MIXED, nfc=True)).count(attr("city") == "café", at=NOW) == 0


def test_arrow_rows_and_files_are_sources(shop: "duckdb.DuckDBPyConnection", tmp_path: Any) -> None:
    class Frame:
        """A dataframe of a library nobody knows."""

        def __init__(self, table: str) -> None:
            self.cursor = shop.cursor()
            some = "* EXCLUDE (tags, blob)" if table == "people" else "*"
            self.query = f"SELECT {some} FROM {table}"  # noqa: S608 - our own tables

        def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
            return self.cursor.sql(self.query).__arrow_c_stream__()

    shop.execute(f"COPY people TO '{tmp_path}/people.parquet'; COPY events TO '{tmp_path}/events.parquet'")
    files = DuckDBAudience(
        {"people": tmp_path / "people.parquet", "events": f"{tmp_path}/ev*.parquet"}, MIXED
    )
    frames = DuckDBAudience({"people": Frame("people"), "events": Frame("events")}, MIXED)
    for audience in (files, frames):
        assert list(audience.members(did("purchase").within(DAY), at=NOW)) == ["ann", "bob"]
        audience.close()


# --- what is refused ---------------------------------------------------------------------------------------


def test_missing_tables_and_columns_are_named(shop: "duckdb.DuckDBPyConnection") -> None:
    with pytest.raises(LayoutError, match="table 'customers' is not there") as raised:
        DuckDBAudience(shop, Layout(people=People("customers"))).count(attr("city") == "x", at=NOW)
    assert (raised.value.table, raised.value.column) == ("customers", "")
    with pytest.raises(LayoutError, match="did you mean 'customer'") as raised:
        DuckDBAudience(shop, Layout(events=Events(customer="custmer"))).count(attr("city") == "x", at=NOW)
    assert (raised.value.table, raised.value.column) == ("events", "custmer")
    with pytest.raises(LayoutError, match="is text, no moment"):
        DuckDBAudience(shop, Layout(events=Events(at="code"))).count(attr("city") == "x", at=NOW)
    with pytest.raises(LayoutError, match="type no question understands"):
        DuckDBAudience(shop, MIXED).count(attr("blob") == "x", at=NOW)
    with pytest.raises(LayoutError, match="consents"):
        DuckDBAudience(shop, MIXED).count(consent("email", "promo"), at=NOW)


def test_unknown_names_come_with_the_nearest(shop: "duckdb.DuckDBPyConnection") -> None:
    audience = DuckDBAudience(shop, MIXED)
    with pytest.raises(UnknownName, match="did you mean 'city'"):
        audience.count(attr("ciyt") == "x", at=NOW)
    with pytest.raises(UnknownName, match="did you mean 'amount'"):
        audience.count(did("purchase").where(prop("amont") == 1), at=NOW)


def test_a_layout_is_checked_where_it_is_written() -> None:
    with pytest.raises(ConfigError, match="one of them"):
        money("amount")
    with pytest.raises(ConfigError, match="one of them"):
        money("amount", "RUB", currency_in="code")
    assert micros("at").kind is Kind.MICROS


def test_a_source_that_is_none_is_refused(tmp_path: Any) -> None:
    with pytest.raises(AudienceError, match="no file"):
        DuckDBAudience(tmp_path / "none.duckdb")
    with pytest.raises(ConfigError, match="no source"):
        DuckDBAudience(3)  # type: ignore[arg-type]  # the point
    with pytest.raises(ConfigError, match="Arrow"):
        DuckDBAudience({"people": [1]})  # type: ignore[dict-item]  # the point


def test_what_cannot_be_opened_is_named_and_not_the_key_in_its_address(tmp_path: Any) -> None:
    (tmp_path / "odd.duckdb").write_text("no database")
    with pytest.raises(
        AudienceError, match=r"the file '.*odd\.duckdb' cannot be opened: IOException; the or"
    ):
        DuckDBAudience(tmp_path / "odd.duckdb")
    with pytest.raises(
        AudienceError, match=r"table 'people', '.*none\.parquet', cannot be read: IOException"
    ):
        DuckDBAudience({"people": tmp_path / "none.parquet"})
    with pytest.raises(AudienceError, match="memory='lots' cannot be set: ParserException"):
        DuckDBAudience({}, memory="lots")
    with pytest.raises(AudienceError, match=r"table 'people', 'p\.parquet', cannot") as raised:
        DuckDBAudience({"people": "nowhere://me:secret@host/p.parquet?key=secret"})
    assert "secret" not in str(raised.value)


def test_somebody_without_an_id_is_an_error_that_names_the_column(shop: "duckdb.DuckDBPyConnection") -> None:
    shop.execute("INSERT INTO people (id, city) VALUES (NULL, 'Minsk')")
    audience = DuckDBAudience(shop)
    far = attr("city") == "Minsk"
    assert audience.members(attr("city") == "Moscow", at=NOW) == ("ann",)
    with pytest.raises(AudienceError, match="column 'id' of table 'people' holds null; leave such rows out"):
        audience.members(far, at=NOW)
    with pytest.raises(AudienceError, match="column 'id' of table 'people' holds null"):
        audience.memberships([Segment("far", far)], at=NOW)


def test_a_failing_query_leaves_as_our_error_and_tells_no_value(shop: "duckdb.DuckDBPyConnection") -> None:
    shop.execute("ALTER TABLE events ADD COLUMN properties VARCHAR; UPDATE events SET properties = '{secret'")
    with pytest.raises(AudienceError) as raised:
        DuckDBAudience(shop, Layout()).count(did("purchase").where(prop("x") == 1), at=NOW)
    assert "secret" not in str(raised.value)


# --- planted faults ----------------------------------------------------------------------------------------


def _skips_nulls(self: DuckDB, x: str, keys: Any, condition: str, *, last: bool) -> str:
    return DuckDB.at_edge(self, x, keys, condition, last=last).replace("_null", "")


def _unordered(self: Any, x: str, keys: Any, condition: str, *, last: bool) -> str:
    return str(type(self).__mro__[1].at_edge(self, x, keys[:1], condition, last=last))  # type: ignore[attr-defined]  # the dialect that is broken


def _last_is_first(self: Any, x: str, keys: Any, condition: str, *, last: bool) -> str:
    return str(type(self).__mro__[1].at_edge(self, x, keys, condition, last=not last))  # type: ignore[attr-defined]  # the same


FAULTS: dict[str, tuple[type[Any], dict[str, Callable[..., str]]]] = {
    "duckdb: the last event with a value": (DuckDB, {"at_edge": _skips_nulls}),
    "duckdb: ties fall as they like": (DuckDB, {"at_edge": _unordered}),
    "duckdb: last and first exchanged": (DuckDB, {"at_edge": _last_is_first}),
    "duckdb: numbers are doubles": (
        DuckDB,
        {
            "json_integer": lambda self, x: (
                f"CASE WHEN json_type({x}) IN ('UBIGINT', 'BIGINT') THEN CAST({x} AS DOUBLE) END"
            )
        },
    ),
    "duckdb: null of JSON is a value": (
        DuckDB,
        {
            "json_value": lambda self, x: f"CAST({x} AS JSON)",
            "field": lambda self, x, key: f"json_extract({x}, '/{key}')",
        },
    ),
    "duckdb: any kind is text": (DuckDB, {"json_text": lambda self, x: f"({x}->>'$')"}),
    "duckdb: money of any currency": (
        DuckDB,
        {
            "json_money": lambda self, x, currency: (
                f"CASE WHEN {self.marked(x, 'is')} = 'money' THEN {self.field(x, 'minor')} END"
            )
        },
    ),
    "duckdb: marks are members": (DuckDB, {"json_mapping": lambda self, x: x}),
    "duckdb: an end is a part": (DuckDB, {"ends": lambda self, x, part: self.contains(x, part)}),
    "duckdb: bounds are left out": (
        DuckDB,
        {
            "inside": lambda self, x, low, high: (
                DuckDB.inside(self, x, low, high).replace(">=", ">").replace("<=", "<")
            )
        },
    ),
    "postgres: last and first exchanged": (Postgres, {"at_edge": _last_is_first}),
    "postgres: ties fall as they like": (Postgres, {"at_edge": _unordered}),
    "postgres: any kind is text": (Postgres, {"json_text": lambda self, x: f"({x} #>> '{{}}')"}),
    "postgres: null of JSON is a value": (Postgres, {"_without_null": lambda self, x: x}),
    "postgres: an end is a part": (Postgres, {"ends": lambda self, x, part: self.contains(x, part)}),
    "postgres: one bit is all": (Postgres, {"bit": lambda self, x, place: f"({x} & {1 << place}) >= 0"}),
}


def _faulty(name: str) -> SqlAudience:
    kind, methods = FAULTS[name]
    people = population(7, 120)
    audience: SqlAudience = duckdb_of(people) if kind is DuckDB else postgres_of(people)
    _ = audience.layout  # PostgreSQL chooses its dialect as it looks at the tables
    broken = type("Broken", (kind,), methods)
    audience._dialect = broken() if kind is DuckDB else broken("json")
    return audience


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.service("postgres")] if kind is Postgres else [])
        for name, (kind, _) in FAULTS.items()
    ],
)
def test_a_planted_fault_of_a_dialect_is_found(name: str) -> None:
    with closing(_faulty(name)) as audience:
        assert any(_differs(audience, asked) for asked in all_questions())


def _differs(audience: SqlAudience, asked: Asked) -> bool:
    try:
        found = audience.memberships(asked.segments, at=asked.at)
    except AudienceError:
        return True
    return any(
        tuple(sorted(found.members(each.name))) != members
        for each, members in zip(asked.segments, asked.members, strict=True)
    )
