"""The text every dialect writes can be read by an independent parser of that dialect, whatever is asked."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import get_args

import pytest
import sqlglot
from sqlglot.errors import SqlglotError

from crmsdk.segments.conditions import And, Not, Or, Predicate, RunPredicate, Segment
from crmsdk.segments.grammar import Node
from crmsdk.segments.sql.accounts import colleagues_query
from crmsdk.segments.sql.compiling import compile_count, compile_masks, compile_members
from crmsdk.segments.sql.dialects.bigquery import BigQuery
from crmsdk.segments.sql.dialects.clickhouse import ClickHouse
from crmsdk.segments.sql.dialects.dialect import Dialect
from crmsdk.segments.sql.dialects.duckdb import DuckDB
from crmsdk.segments.sql.dialects.postgres import Postgres
from crmsdk.segments.sql.dialects.snowflake import Snowflake
from crmsdk.segments.sql.dialects.spark import Spark
from crmsdk.segments.sql.layout import Kind, Layout, Schema
from crmsdk.segments.sql.questions import QUESTIONS
from crmsdk.segments.sql.zoning import zones_of_people
from crmsdk.segments.words import attr, did, prop
from crmsdk.testing._audience_draws import drawn
from crmsdk.testing.account_draws import account_predicates
from crmsdk.testing.draws import NOW, moments, predicates

DIALECTS = (DuckDB(), Postgres(), ClickHouse(), Snowflake(), BigQuery(), Spark())
TOGETHER = 8
LOGS: Schema = {
    "people": {"id": Kind.TEXT, "zone": Kind.TEXT},
    "events": {
        "customer": Kind.TEXT,
        "id": Kind.TEXT,
        "name": Kind.TEXT,
        "at": Kind.MOMENT,
        "properties": Kind.JSON,
    },
    "attributes": {
        "customer": Kind.TEXT,
        "name": Kind.TEXT,
        "value": Kind.JSON,
        "at": Kind.MOMENT,
        "id": Kind.TEXT,
    },
    "consents": {
        "customer": Kind.TEXT,
        "channel": Kind.TEXT,
        "purpose": Kind.TEXT,
        "state": Kind.TEXT,
        "at": Kind.MOMENT,
        "id": Kind.TEXT,
    },
}
LAYOUT = Layout(nfc=True).bound(LOGS)
HOSTILE = ("'", "\\", "\\'", "'; DROP TABLE people; --", '"', "`", "/*", "\n", "--")


@pytest.fixture(scope="module")
def asked(sized: Callable[[int, int], int]) -> list[tuple[list[Predicate], datetime]]:
    questions, ats = drawn(predicates(), sized(24, 960)), drawn(moments(), 20)
    questions += drawn(account_predicates(), sized(24, 480))
    return [
        (questions[start : start + TOGETHER], ats[start % len(ats)])
        for start in range(0, len(questions), TOGETHER)
    ]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_the_colleagues_of_many_can_be_read(dialect: Dialect) -> None:
    text = colleagues_query(dialect, LAYOUT, HOSTILE, 0)
    (statement,) = sqlglot.parse(text, read=dialect.name, error_level=sqlglot.ErrorLevel.RAISE)
    literals = {each.this for each in statement.find_all(sqlglot.exp.Literal)}  # type: ignore[union-attr]
    assert literals.issuperset(HOSTILE)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_whatever_is_asked_can_be_read(
    dialect: Dialect, asked: list[tuple[list[Predicate], datetime]]
) -> None:
    for questions, at in asked:
        texts, written = [], []
        for each in questions:
            texts.append(compile_members(dialect, LAYOUT, each, at).sql)
            written.append(each)
        if written:
            texts.append(compile_count(dialect, LAYOUT, written[0], at).sql)
            texts.append(compile_masks(dialect, LAYOUT, written, at, zones=lambda: ("Europe/Moscow",)).sql)
        for text in texts:
            try:
                statements = sqlglot.parse(text, read=dialect.name, error_level=sqlglot.ErrorLevel.RAISE)
            except SqlglotError as error:
                raise AssertionError(text) from error
            assert len(statements) == 1


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_stays_one_literal(dialect: Dialect, text: str) -> None:
    asked = (attr("city") == text) & did(text).where(prop("page").contains(text))
    plain = (attr("city") == "x") & did("x").where(prop("page").contains("x"))
    found, expected = (
        sqlglot.parse(compile_members(dialect, LAYOUT, each, NOW).sql, read=dialect.name)
        for each in (asked, plain)
    )
    assert len(found) == 1
    literals = {each.this for each in found[0].find_all(sqlglot.exp.Literal)}  # type: ignore[union-attr]
    assert text in literals
    shapes = [len(list(each[0].walk())) for each in (found, expected)]  # type: ignore[union-attr]
    assert shapes[0] == shapes[1]


def test_every_kind_of_question_is_asked_of_sets() -> None:
    joining = {And, Or, Not, Segment}
    about_runs = {kind for kind in get_args(Node) if issubclass(kind, RunPredicate)}
    assert set(get_args(Node)) == {*QUESTIONS, *joining, *about_runs}


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_events_of_two_names_are_two_passes_or_one(dialect: Dialect) -> None:
    query = compile_masks(dialect, LAYOUT, [did("view"), did("cart").at_least(2)], NOW)
    assert query.sql.count(f"FROM {dialect.table('events')}") == (1 if dialect.one_pass else 2)


def test_spark_cuts_an_end_off_in_its_own_order_and_parses_what_is_json_in_text() -> None:
    signed = compile_count(Spark(), LAYOUT, attr("signup").within_last(timedelta(days=1)), NOW).sql
    assert "trim(TRAILING 'Z' FROM " in signed
    assert "rtrim(" not in signed
    assert all("parse_json(`value`)" in text for text in (signed, *zones_of_people(Spark(), LAYOUT)[1:]))
