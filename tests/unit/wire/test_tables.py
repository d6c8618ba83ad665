from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import ConfigError, DefinitionError, InputError, NaiveMoment, UnknownName
from crmsdk.model.catalog import Catalog
from crmsdk.model.customer import Identifier, IdentifierKind
from crmsdk.model.declared import AttributeSet, EventType, Prop, declare
from crmsdk.model.ids import EventId
from crmsdk.model.inputs import Identify, Track
from crmsdk.model.money import Money
from crmsdk.segments.words import prop
from crmsdk.wire.columns import MoneyColumn, Reject, Rename
from crmsdk.wire.files import csv_rows, frame_rows
from crmsdk.wire.maps import CustomerMap, EventMap
from crmsdk.wire.report import ReadRow, RejectedRow, Tally
from crmsdk.wire.tables import read_rows
from crmsdk.wire.wall_clock import WallClock

INVOICES = Path(__file__).parents[3] / "examples" / "data" / "online_retail_invoices.csv.gz"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Purchase(EventType):
    amount: Prop[Money]
    units: Prop[int | None]


class Cancellation(EventType):
    amount: Prop[Money]


class Person(AttributeSet):
    country: Prop[str]
    plan: Prop[str] = declare(sources=["crm"])


CATALOG = Catalog([Purchase, Cancellation], [Person])
MAP = EventMap(
    event="purchase",
    customer="customer",
    at=WallClock("placed_at", "Europe/London"),
    id="invoice",
    properties={"amount": MoneyColumn("amount_pence", "GBP"), "units": "units"},
    traits={"country": "country"},
    columns={"amount_pence": "integer"},
    rules=[
        Reject("adjustment", prop("kind") == "adjustment"),
        Reject("missing_customer", prop("customer").missing()),
        Rename(
            "cancellation",
            prop("kind") == "cancellation",
            properties={"amount": MoneyColumn("amount_pence", "GBP")},
        ),
        Reject("amount_not_positive", prop("amount_pence") <= 0),
    ],
    source="shop",
)
ROW: dict[str, object] = {
    "invoice": "536365",
    "placed_at": "2011-06-01T08:26:00",
    "customer": "17850",
    "country": "United Kingdom",
    "kind": "purchase",
    "units": "40",
    "amount_pence": "13912",
}


def read(row: dict[str, object], by: EventMap | CustomerMap = MAP) -> ReadRow | RejectedRow:
    (found,) = read_rows([row], by, catalog=CATALOG, received=NOW)
    return found


def inputs(row: dict[str, object], by: EventMap | CustomerMap = MAP) -> Any:
    found = read(row, by)
    assert isinstance(found, ReadRow), found
    return found.inputs


def test_a_row_becomes_an_event_and_what_it_says_about_the_person() -> None:
    at = datetime(2011, 6, 1, 7, 26, tzinfo=UTC)
    who = [Identifier(IdentifierKind.USER, "17850")]
    assert inputs(ROW) == (
        Identify(
            id=EventId("536365/traits"),
            identifiers=who,
            at=at,
            received=NOW,
            source="shop",
            traits={"country": "United Kingdom"},
        ),
        Track(
            id=EventId("536365"),
            identifiers=who,
            at=at,
            received=NOW,
            source="shop",
            name="purchase",
            properties={"amount": Money(13912, "GBP"), "units": 40},
        ),
    )


def test_every_invoice_of_a_real_shop_is_stored_or_rejected_for_a_stated_reason() -> None:
    tally, sums, names = Tally(), Counter[str](), Counter[str]()
    for row in read_rows(csv_rows(INVOICES), MAP, catalog=CATALOG, received=NOW):
        if isinstance(row, RejectedRow):
            tally.reject(row)
            continue
        tally.accept()
        (track,) = (one for one in row.inputs if isinstance(one, Track))
        amount = track.properties["amount"]
        assert isinstance(amount, Money)
        names[track.name] += 1
        sums[track.name] += amount.minor
    report = tally.report()
    # The figures stand in examples/data/README.md.
    assert (report.read, report.accepted) == (25_900, 22_186)
    assert report.rejected == {"adjustment": 3, "amount_not_positive": 4, "missing_customer": 3_707}
    assert names == {"purchase": 18_532, "cancellation": 3_654}
    assert sums == {"purchase": 891_140_790, "cancellation": -61_134_209}


def test_a_dataframe_tells_what_its_file_tells() -> None:
    pytest.importorskip("narwhals")
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(INVOICES, parse_dates=["placed_at"], dtype={"invoice": str}, nrows=2_000)
    from_frame = list(read_rows(frame_rows(frame), MAP, catalog=CATALOG, received=NOW))
    from_file = read_rows(csv_rows(INVOICES), MAP, catalog=CATALOG, received=NOW)
    assert from_frame == [row for row, _ in zip(from_file, range(2_000), strict=False)]
    assert any(isinstance(row, RejectedRow) for row in from_frame)


@pytest.mark.parametrize(
    ("change", "reason", "problem"),
    [
        ({"kind": "adjustment", "customer": ""}, "adjustment", ""),
        ({"customer": " "}, "missing_customer", ""),
        ({"amount_pence": "0"}, "amount_not_positive", ""),
        ({"amount_pence": "x"}, "invalid", "field 'amount_pence': is text; give integer, optional"),
        ({"amount_pence": ""}, "missing_amount", "field 'purchase.amount': is missing"),
        ({"units": "many"}, "invalid", "field 'purchase.units': is text; give integer, optional"),
        ({"placed_at": ""}, "missing_placed_at", "field 'placed_at': is missing"),
        ({"placed_at": "soon"}, "invalid", "field 'placed_at': is no date and time"),
        ({"placed_at": "2011-03-27T01:30"}, "invalid", "is skipped by the clocks"),
        ({"invoice": ""}, "missing_invoice", "field 'invoice': is missing"),
        ({"invoice": 1.5}, "invalid", "field 'invoice': is float"),
        ({"customer": 3.5}, "invalid", "field 'customer': is float"),
    ],
)
def test_a_row_is_rejected_with_a_reason(change: dict[str, object], reason: str, problem: str) -> None:
    found = read({**ROW, **change})
    assert isinstance(found, RejectedRow)
    assert found.reason == reason
    assert found.row == 1
    assert problem in found.problem
    assert bool(problem) == bool(found.problem)


def test_one_bad_row_stops_no_other_and_keeps_its_number() -> None:
    ragged = RejectedRow(2, "ragged")
    rows: list[dict[str, object] | RejectedRow] = [ROW, ragged, {**ROW, "units": "x"}, ROW]
    found = list(read_rows(rows, MAP, catalog=CATALOG, received=NOW))
    assert [row.row for row in found] == [1, 2, 3, 4]
    assert found[1] is ragged
    assert isinstance(found[2], RejectedRow)


def test_the_first_rule_that_fits_decides() -> None:
    (_, track) = inputs({**ROW, "kind": "cancellation", "amount_pence": "-5", "units": "x"})
    assert (track.name, track.properties) == ("cancellation", {"amount": Money(-5, "GBP")})


def test_ids_of_dataframes_may_be_numbers() -> None:
    (_, track) = inputs({**ROW, "customer": 17850.0, "invoice": 536365, "units": 40.0, "amount_pence": 13912})
    assert (track.id, track.identifiers[0].value, track.properties["units"]) == ("536365", "17850", 40)


def test_without_an_id_column_the_content_names_the_row() -> None:
    by = EventMap(
        event="cancellation",
        customer="customer",
        at="at",
        id=None,
        properties={"amount": MoneyColumn("sum", "EUR", digits=2)},
    )
    row: dict[str, object] = {"customer": "a", "at": "2026-01-01T00:00:00Z", "sum": "1.50"}
    (first,) = inputs(row, by)
    assert inputs(dict(row), by) == (first,)
    assert first.id.startswith("c-")
    others = [{"customer": "b"}, {"at": "2026-01-01T00:00:01Z"}, {"sum": "1.51"}]
    assert len({inputs({**row, **other}, by)[0].id for other in others} | {first.id}) == 4


def test_a_moment_of_a_plain_column_carries_its_offset() -> None:
    by = EventMap(
        event="cancellation", customer="c", at="at", id=None, properties={"amount": MoneyColumn("m", "EUR")}
    )
    found = read({"c": "a", "at": "2026-01-01T00:00:00", "m": "1"}, by)
    assert isinstance(found, RejectedRow)
    assert found.reason == "naive_moment"
    assert NaiveMoment("at").problem in found.problem


@pytest.mark.parametrize(
    ("cell", "digits", "minor"),
    [
        ("139.12", 2, 13912),
        (139.12, 2, 13912),
        (" -0.10 ", 2, -10),
        ("5", 2, 500),
        (Decimal("1.5"), 1, 15),
        (7, 0, 7),
        ("0.001", 3, 1),
        ("12345678901234567890123456789.12", 2, 1234567890123456789012345678912),
    ],
)
def test_amounts_are_read_exactly(cell: object, digits: int, minor: int) -> None:
    assert MoneyColumn("a", "GBP", digits=digits).read({"a": cell}) == Money(minor, "GBP")


@given(st.integers(-(10**12), 10**12), st.integers(0, 3))
def test_an_amount_written_out_is_read_back(minor: int, digits: int) -> None:
    text = f"{Decimal(minor).scaleb(-digits):f}"
    assert MoneyColumn("a", "GBP", digits=digits).read({"a": text}) == Money(minor, "GBP")


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("1.234", "has more decimals than 2"),
        ("1,50", "is no amount"),
        ("£1", "is no amount"),
        ("inf", "is no amount"),
        (True, "is no amount"),
        ("1e9999999", "is no amount"),
        ("9" * 101, "is no amount"),
        ("100." + "0" * 98 + "1", "is no amount"),
        ("100." + "0" * 28 + "1", "has more decimals than 2"),
    ],
)
def test_an_amount_that_is_none_is_refused(cell: object, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        MoneyColumn("a", "GBP", digits=2).read({"a": cell})
    assert caught.value.field == "a"


def test_a_currency_may_stand_in_its_own_column() -> None:
    column = MoneyColumn("a", currency_column="c")
    assert column.read({"a": "5", "c": "USD"}) == Money(5, "USD")
    assert column.read({"a": "", "c": "USD"}) is None
    with pytest.raises(InputError, match="is missing"):
        column.read({"a": "5", "c": ""})
    with pytest.raises(InputError, match="three capital letters"):
        column.read({"a": "5", "c": "usd"})


# --------------------------------------------------------------------------------------------- people

PEOPLE = CustomerMap(
    identifiers={IdentifierKind.USER: "id", IdentifierKind.EMAIL: "email"},
    traits={"country": "country", "plan": "plan"},
    at=NOW,
    zone="zone",
    locale="locale",
    rules=[Reject("test_account", prop("email").endswith("@test.example"))],
    source="crm",
)
ANN: dict[str, object] = {
    "id": "1",
    "email": "Ann@Shop.example",
    "country": "",
    "plan": "pro",
    "zone": "Europe/Moscow",
    "locale": "",
}


def test_a_row_of_people_becomes_an_identify() -> None:
    (found,) = inputs(ANN, PEOPLE)
    assert isinstance(found, Identify)
    assert found.identifiers == (
        Identifier(IdentifierKind.USER, "1"),
        Identifier(IdentifierKind.EMAIL, "ann@shop.example"),
    )
    assert found.traits == {"plan": "pro"}
    assert (found.at, found.zone, found.locale, found.source) == (NOW, "Europe/Moscow", None, "crm")
    assert found.id == inputs(dict(ANN), PEOPLE)[0].id
    assert found.id != inputs({**ANN, "zone": ""}, PEOPLE)[0].id


def test_one_name_is_enough() -> None:
    (found,) = inputs({**ANN, "id": ""}, PEOPLE)
    assert found.identifiers == (Identifier(IdentifierKind.EMAIL, "ann@shop.example"),)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": "", "email": ""}, "missing_id and email"),
        ({"email": "x@test.example"}, "test_account"),
        ({"zone": "Mars/North"}, "unknown_zone"),
    ],
)
def test_a_row_of_people_is_rejected_with_a_reason(change: dict[str, object], reason: str) -> None:
    found = read({**ANN, **change}, PEOPLE)
    assert isinstance(found, RejectedRow)
    assert found.reason == reason


def test_a_table_of_another_source_may_not_write_what_is_not_its_own() -> None:
    by = CustomerMap(identifiers={IdentifierKind.USER: "id"}, traits={"plan": "plan"}, at=NOW, source="form")
    found = read({"id": "1", "plan": "pro"}, by)
    assert isinstance(found, RejectedRow)
    assert "is written by crm only, not by 'form'" in found.problem
    assert isinstance(read({"id": "1", "plan": ""}, by), ReadRow)


def test_ids_and_moments_of_people_may_stand_in_columns() -> None:
    by = CustomerMap(identifiers={IdentifierKind.USER: "id"}, at="at", id="row")
    (found,) = inputs({"id": "1", "at": "2026-01-01T00:00:00Z", "row": "r1"}, by)
    assert (found.id, found.at) == ("r1", NOW)


# ----------------------------------------------------------------------------------------- wrong maps


@pytest.mark.parametrize(
    "column",
    ["invoice", "customer", "placed_at", "units", "amount_pence", "country", "kind"],
)
def test_a_column_that_is_not_there_is_an_error_at_once(column: str) -> None:
    row = {name: value for name, value in ROW.items() if name != column}
    with pytest.raises(UnknownName, match=f"unknown column '{column}'"):
        list(read_rows([row], MAP, catalog=CATALOG, received=NOW))


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: MoneyColumn("a"), ConfigError),
        (lambda: MoneyColumn("a", "GBP", currency_column="c"), ConfigError),
        (lambda: MoneyColumn("a", "gbp"), InputError),
        (lambda: Reject("x", ["kind"]), DefinitionError),  # type: ignore[list-item]  # the fault
        (lambda: CustomerMap(identifiers={}, at=NOW), DefinitionError),
        (lambda: CustomerMap(identifiers={IdentifierKind.USER: "id"}, at=datetime(2026, 1, 1)), NaiveMoment),  # noqa: DTZ001 - the fault
    ],
)
def test_a_wrong_map_is_refused(make: Callable[[], object], error: type[Exception]) -> None:
    with pytest.raises(error):
        make()


def test_a_later_row_without_a_column_stops_no_other() -> None:
    short = {name: cell for name, cell in ROW.items() if name != "units"}
    first, second, third = read_rows([ROW, short, ROW], MAP, catalog=CATALOG, received=NOW)
    assert second == RejectedRow(
        2, "missing_units", "field 'units': is missing; give every row all columns, empty ones too"
    )
    assert isinstance(first, ReadRow)
    assert isinstance(third, ReadRow)
