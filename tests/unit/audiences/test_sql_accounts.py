"""Questions about the people of accounts over tables: typed columns, doubts, and planted faults."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import timedelta
from functools import cache
from typing import Any

import attrs
import duckdb
import pytest

from crmsdk.audiences._sql import SqlAudience
from crmsdk.audiences.duckdb import DuckDBAudience
from crmsdk.audiences.memory import MemoryAudience
from crmsdk.errors import DefinitionError, UnknownName, UnknownZone, UnsupportedQuestion
from crmsdk.model.customer import ACCOUNT, AttributeWrite
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.model.money import Money
from crmsdk.segments.conditions import Predicate, Segment
from crmsdk.segments.sql import accounts, questions
from crmsdk.segments.sql.layout import Column, Events, Layout, People, money
from crmsdk.segments.sql.terms import Term
from crmsdk.segments.words import account, attr, bucket, did
from crmsdk.testing._audience_draws import Asked, answered, drawn
from crmsdk.testing.account_draws import account_predicates
from crmsdk.testing.draws import NOW
from crmsdk.testing.populations import population
from tests.audience_databases import duckdb_of

DAY = timedelta(days=1)


# --- typed columns ----------------------------------------------------------------------------------------

COMPANY = Layout(
    people=People(attributes={ACCOUNT: Column("company")}),
    events=Events(properties={"amount": money("amount", "RUB")}),
)


@pytest.fixture
def shop() -> Iterator["duckdb.DuckDBPyConnection"]:
    connection = duckdb.connect()
    connection.execute("""
        CREATE TABLE people (id BIGINT, company INTEGER, name VARCHAR, paid BOOLEAN);
        INSERT INTO people VALUES
            (1, 7, 'e\u0301', true), (2, 7, 'é', false), (3, 8, 'é', false), (4, NULL, NULL, NULL);
        CREATE TABLE events (customer BIGINT, id BIGINT, name VARCHAR, "at" TIMESTAMPTZ, amount BIGINT);
        INSERT INTO events VALUES
            (1, 1, 'buy', '2026-03-28 10:00:00+00', 100), (2, 2, 'buy', '2026-03-28 11:00:00+00', 30),
            (3, 3, 'buy', '2026-03-28 10:00:00+00', 5), (4, 4, 'buy', '2026-03-28 10:00:00+00', 1),
            (9, 5, 'buy', '2026-03-28 10:00:00+00', 1);
    """)
    yield connection
    connection.close()


bought = account.sum(did("buy").within(DAY), "amount")


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        (bought < 130, "a number"),
        (bought < Money(130, "USD"), "money in USD"),
        (did("buy").sum("amount") < 100, "a number"),
        (did("buy").avg("amount") < Money(1, "USD"), "money in USD"),
        (did("buy").within(DAY).trend("amount") > 1, "a number"),
    ],
)
def test_a_sum_of_money_is_compared_with_that_money_only(shop: Any, asked: Predicate, what: str) -> None:
    with (
        closing(DuckDBAudience(shop, COMPANY)) as audience,
        pytest.raises(DefinitionError, match=rf"'amount' is money in RUB .* {what} .*Money\(…, 'RUB'\)"),
    ):
        audience.count(asked, at=NOW)


@pytest.mark.parametrize(
    ("asked", "members"),
    [
        (bought == Money(130, "RUB"), ["1", "2"]),
        (bought == Money(5, "RUB"), ["3"]),
        (bought <= Money(0, "RUB"), ["4"]),
        (account.others.sum(did("buy"), "amount") >= Money(100, "RUB"), ["2"]),
        (account.others.sum(did("buy"), "amount") == Money(0, "RUB"), ["3", "4"]),
        (account.any(attr("paid") == True), ["1", "2"]),  # noqa: E712 - a question
        (account.others.any(attr("paid") == True), ["2"]),  # noqa: E712 - a question
        (account.all(~(attr("paid") == True)), ["3"]),  # noqa: E712 - a question
        (~account.any(attr("paid") == False), ["4"]),  # noqa: E712 - a question
        (account.count(did("buy")) == 2, ["1", "2"]),
        (account.count(bucket("x", 0, 10_000)) == 1, ["3"]),
        (account.others.all(did("buy")), ["1", "2"]),
    ],
)
def test_an_account_may_be_a_column_of_numbers(
    shop: "duckdb.DuckDBPyConnection", asked: Predicate, members: list[str]
) -> None:
    with closing(DuckDBAudience(shop, COMPANY)) as audience:
        assert list(audience.members(asked, at=NOW)) == members
        assert audience.count(asked, at=NOW) == len(members)
        assert sorted(audience.memberships([Segment("s", asked)], at=NOW).members("s")) == members


def test_an_account_of_text_is_compared_in_one_form(shop: "duckdb.DuckDBPyConnection") -> None:
    layout = Layout(people=People(attributes={ACCOUNT: Column("name")}))
    with closing(DuckDBAudience(shop, layout)) as audience:
        assert audience.count(account.count(did("buy")) == 3, at=NOW) == 3
    layout = Layout(people=People(attributes={ACCOUNT: Column("paid")}))
    with closing(DuckDBAudience(shop, layout)) as audience:  # truth is no account
        assert audience.count(account.any(did("buy")), at=NOW) == 0
        assert audience.count(account.all(did("buy")), at=NOW) == 0


def test_a_database_without_accounts_says_so(shop: "duckdb.DuckDBPyConnection") -> None:
    with closing(DuckDBAudience(shop)) as audience, pytest.raises(UnknownName, match=r"crmsdk\.account"):
        audience.count(account.any(did("buy")), at=NOW)


def test_what_cannot_be_asked_of_each_cannot_be_asked_of_all(shop: "duckdb.DuckDBPyConnection") -> None:
    with (
        closing(DuckDBAudience(shop, COMPANY)) as audience,
        pytest.raises(UnsupportedQuestion, match="attr-changed"),
    ):
        audience.count(account.any(attr("name").changed_within(DAY)), at=NOW)


# --- doubts -----------------------------------------------------------------------------------------------


def person(name: str, *scores: float, where: str = "acme") -> Facts:
    events = [
        Event(
            id=EventId(f"{name}{n}"),
            customer=CustomerId(name),
            name="visit",
            at=NOW,
            received=NOW,
            properties={"score": score},
        )
        for n, score in enumerate(scores)
    ]
    works = AttributeWrite(name=ACCOUNT, value=where, at=NOW, id=EventId("a"))
    return Facts(customer=CustomerId(name)).with_events(events).with_attributes([works])


TENTHS = [person(f"p{n}", 0.1) for n in range(10)]
DOUBTFUL: list[tuple[Sequence[Facts], Predicate, int]] = [
    ([*TENTHS, person("x", 0.1, where="b")], account.sum(did("visit"), "score") == 1, 10),
    (TENTHS, account.sum(did("visit"), "score") < 1, 0),
    ([*TENTHS, person("none")], account.others.sum(did("visit"), "score") == 1, 1),
    ([person("a", *[0.1] * 10), person("b")], account.any(did("visit").sum("score") == 1), 2),
    ([person("a", *[0.1] * 10), person("b")], account.others.any(did("visit").sum("score") == 1), 1),
    ([person("a", 1e16, 1.0), person("b", -1e16)], account.sum(did("visit"), "score") == 1, 2),
    ([person("a", 2**200), person("b", -5)], account.sum(did("visit"), "score") == 2**200 - 5, 2),
]


@pytest.mark.parametrize(("people", "asked", "number"), DOUBTFUL)
def test_where_rounding_might_decide_the_reference_judges(
    people: Sequence[Facts], asked: Predicate, number: int
) -> None:
    with closing(duckdb_of(people)) as audience, closing(MemoryAudience(people)) as memory:
        assert audience.count(asked, at=NOW) == memory.count(asked, at=NOW) == number
        assert audience.members(asked, at=NOW) == memory.members(asked, at=NOW)
        assert audience.memberships([Segment("s", asked)], at=NOW).counts() == {"s": number}


def test_each_is_asked_in_their_own_zone_also_in_one_nobody_knows() -> None:
    visited = NOW - timedelta(hours=9)  # 1 o'clock of the same day in Tokyo
    people = []
    for place, zone in enumerate(("Asia/Tokyo", "UTC", "Mars/Base")):
        one = person(f"p{place}", where=f"w{place % 2}")
        event = Event(
            id=EventId(f"e{place}"),
            customer=one.customer,
            name="visit",
            at=visited,
            received=visited,
            properties={"score": 3},
        )
        people.append(attrs.evolve(one.with_events([event]), zone=zone))
    today = did("visit").this("day")
    with closing(duckdb_of(people[:2])) as audience:
        assert list(audience.members(account.sum(today, "score") == 3, at=NOW)) == ["p0"]
        assert list(audience.members(account.any(today) & did("visit").this("week"), at=NOW)) == ["p0"]
    with closing(duckdb_of(people)) as audience, pytest.raises(UnknownZone):
        audience.count(account.any(today), at=NOW)  # as the reference does


def test_one_query_looks_at_the_people_once_for_all_questions() -> None:
    asked = [account.count(did("visit")) >= n for n in range(1, 20)] + [account.all(did("visit"))]
    with closing(duckdb_of(TENTHS)) as audience:
        seen: list[str] = []
        real = audience._chunks
        audience._chunks = lambda sql: (seen.append(sql), real(sql))[1]  # type: ignore[method-assign, func-returns-value]  # to look on
        audience.memberships([Segment(f"s{n}", each) for n, each in enumerate(asked)], at=NOW)
    assert [sql.count('"people"') for sql in seen] == [2]
    assert [sql.count("PARTITION BY account") for sql in seen] == [2]


# --- planted faults ---------------------------------------------------------------------------------------

Patch = Callable[[pytest.MonkeyPatch], None]


def _written(right: str, wrong: str) -> Patch:
    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        real = accounts.AccountGroup.sql

        def sql(group: Any) -> str:
            text = real(group)
            assert right in text
            return text.replace(right, wrong)

        monkeypatch.setattr(accounts.AccountGroup, "sql", sql)

    return patch


def _named(owner: object, name: str, value: object) -> Patch:
    return lambda monkeypatch: monkeypatch.setattr(owner, name, value)


def _all_of_nobody(*given: Any) -> Term:
    term = accounts.account_all(*given)
    return attrs.evolve(term, sql=term.sql.replace("> 0 AND", ">= 0 AND"))


def _alone(audience: SqlAudience, some: Any, at: Any) -> Iterator[Facts]:
    for facts in audience._recalled(some, at):
        yield attrs.evolve(facts, colleagues=())


_added = accounts._Added
FAULTS: dict[str, Patch] = {
    "everybody is one account": _written("PARTITION BY account", "PARTITION BY 1"),
    "nobody is an account": _written(" WHERE account IS NOT NULL", ""),
    "whoever is asked holds": _written("THEN 1 ELSE 0 END AS v", "THEN 1 ELSE 1 END AS v"),
    "the person is one of the others": _named(accounts, "_Added", lambda x, others=False: _added(x)),
    "only text is an account": _named(accounts, "_key", lambda plan: plan.attribute(ACCOUNT)[0].text()),
    "nobody is in doubt": _named(accounts, "_doubted", lambda *_: None),
    "all of nobody holds": _named(questions, "account_all", _all_of_nobody),
    "colleagues are not read back": _named(SqlAudience, "_beside", _alone),
}


@cache
def asked_of_all() -> tuple[Asked, ...]:
    """Give questions with the people they are asked of, answered by the reference."""
    return (
        *(answered(tuple(people), NOW, [asked]) for people, asked, _ in DOUBTFUL),
        answered(population(7, 120), NOW, [*CERTAIN, *drawn(account_predicates(), 60)]),
    )


CERTAIN = (account.others.all(did("visit")), account.others.any(did("visit")), account.any(did("visit")))


def _differs(asked: Asked) -> bool:
    with closing(duckdb_of(asked.people)) as audience:
        for segment, members in zip(asked.segments, asked.members, strict=True):
            with suppress(UnsupportedQuestion):
                if audience.members(segment, at=asked.at) != members:
                    return True
    return False


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asked_of_all()
    FAULTS[fault](monkeypatch)
    assert any(map(_differs, asked))


def test_without_a_fault_there_is_none_to_be_found() -> None:
    assert not any(map(_differs, asked_of_all()))
