"""Audits: what a table looks like before anybody imports it."""

import math
from datetime import timedelta as td
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import DefinitionError, InputError, UnknownName
from crmsdk.model.customer import IdentifierKind
from crmsdk.segments.words import prop
from crmsdk.wire.audit import audit
from crmsdk.wire.files import csv_rows
from crmsdk.wire.report import RejectedRow

EXTRACT = Path(__file__).parents[3] / "examples/data/online_retail_invoices.csv.gz"
PEOPLE: list[dict[str, object]] = [
    {"id": "1", "email": "Ann@Shop.example", "phone": "+7 900 000-00-01", "source": "form"},
    {"id": "2", "email": " ann@shop.example ", "phone": "89000000001", "source": "form"},
    {"id": "3", "email": "bob@shop", "phone": "+79000000001", "source": ""},
    {"id": "1", "email": "Ann@Shop.example", "phone": "+7 900 000-00-01", "source": "form"},
    {"id": "4", "email": None, "phone": "none", "source": "call"},
]


def test_18_the_invoices_of_a_real_shop() -> None:
    missing, cancelled = prop("customer").missing(), prop("kind") == "cancellation"
    found = audit(
        csv_rows(EXTRACT),
        by=["kind"],
        count={"without customer": missing, "cancelled by nobody": [missing, cancelled]},
    )
    assert (found.rows, found.duplicates) == (25_900, 0)
    assert found.counted == {"without customer": 3_710, "cancelled by nobody": 182}
    assert found.by == {"kind": {"purchase": 22_061, "cancellation": 3_836, "adjustment": 3}}
    assert found.columns["customer"].filled == 25_900 - 3_710
    assert math.isclose(found.fill_rate("customer"), 22_190 / 25_900)


def test_19_one_call_gives_count_source_fill_rate_and_groups_of_duplicates() -> None:
    found = audit(PEOPLE, by=["source"], contacts={"email": "email", "phone": "phone"})
    assert (found.rows, found.duplicates) == (5, 1)
    assert found.by == {"source": {"form": 3, None: 1, "call": 1}}
    assert found.fill_rate("email") == 0.8
    email, phone = found.contacts[IdentifierKind.EMAIL], found.contacts[IdentifierKind.PHONE]
    assert (email.filled, email.unusable, email.shared) == (4, (3,), ((1, 2, 4),))
    assert (phone.filled, phone.unusable, phone.shared) == (5, (2, 5), ((1, 3, 4),))


def test_it_prints_as_a_table_without_an_address() -> None:
    found = audit(PEOPLE, by=["source"], contacts={"email": "email"})
    assert str(found).splitlines() == [
        "rows                         5",
        "exact duplicates             1",
        "id filled               100.0%",
        "email filled             80.0%",
        "phone filled            100.0%",
        "source filled            80.0%",
        "email unusable               1",
        "email shared            3 rows",
        "source: form                 3",
        "source: (empty)              1",
        "source: call                 1",
    ]
    assert "shop" not in repr(found)


def test_nothing_is_an_audit_too() -> None:
    found = audit([], by=["source"], contacts={"email": "email"})
    assert (found.rows, found.duplicates, found.by) == (0, 0, {"source": {}})
    assert str(found)


def test_a_row_that_cannot_be_read_is_counted_and_named() -> None:
    found = audit([PEOPLE[0], RejectedRow(2, "cells", "more cells than columns")], by=["source"])
    assert (found.rows, [row.row for row in found.broken]) == (2, [2])
    assert "broken" in str(found)


def test_kinds_of_values_are_told_apart() -> None:
    found = audit([{"n": 1}, {"n": 1.0}, {"n": "1"}, {"n": True}, {"n": math.nan}, {"n": "  "}, {}])
    assert found.duplicates == 0
    assert found.columns["n"].kinds == {"int": 1, "float": 1, "str": 1, "bool": 1}


def test_what_is_unknown_is_named() -> None:
    with pytest.raises(UnknownName, match="unknown column 'sorce'; did you mean 'source'"):
        audit(PEOPLE, by=["sorce"])
    with pytest.raises(UnknownName, match="unknown column 'nme'"):
        audit(PEOPLE, count={"x": prop("nme").missing()})
    with pytest.raises(UnknownName, match="unknown column 'emial'; did you mean 'email'"):
        audit(PEOPLE).fill_rate("emial")
    with pytest.raises(InputError, match="is unknown; give one of"):
        audit(PEOPLE, contacts={"mail": "email"})
    with pytest.raises(DefinitionError, match="when: a rule asks about columns"):
        audit(PEOPLE, count={"x": td(1)})  # type: ignore[dict-item]  # the fault


@given(
    st.lists(
        st.dictionaries(st.sampled_from("ab"), st.none() | st.booleans() | st.text("a\x1e\x1f", max_size=3))
    )
)
def test_duplicates_are_the_rows_less_the_different_ones(rows: list[dict[str, object]]) -> None:
    different = {frozenset((name, type(cell), cell) for name, cell in row.items()) for row in rows}
    assert audit(rows).duplicates == len(rows) - len(different)
