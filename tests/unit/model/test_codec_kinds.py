"""Each kind of content alone: what it refuses, in which words, and how the schema describes it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from typing import Any, Literal, Optional

import attrs
import pytest

from crmsdk.errors import DefinitionError
from crmsdk.model.codec import decode, definition, encode, schema
from crmsdk.model.money import Money
from crmsdk.model.values import Value


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Odd(Enum):
    PAIR = (1, 2)


@definition("test.kinds.node")
@attrs.frozen
class Node:
    below: "Node | None" = None
    tags: frozenset[str] = attrs.Factory(frozenset)
    wrong: int = "not an integer"  # type: ignore[assignment]  # a default that cannot be written


@pytest.mark.parametrize(
    ("data", "hint", "message"),
    [
        (None, int, "is null; give an integer"),
        (True, int, "is a boolean; give an integer"),
        (1, bool, "is a number; give a boolean"),
        (1.5, int, "is a number; give an integer"),
        ("1", float, "is text; give a number"),
        (10**400, float, "is not finite"),
        (float("nan"), float, "is not finite"),
        (b"x", str, "is bytes, which is not JSON; give text"),
        ([], Mapping[str, int], "is a list; give an object"),
        ({"is": "mapping"}, Mapping[str, int], "is a malformed mapping"),
        ({"is": "elephant"}, Mapping[str, int], "is an object; give an object"),
        ({"a": "b"}, Mapping[str, int], "a: is text; give an integer"),
        ({}, frozenset[int], "is an object; give a list without repetitions"),
        ([1, 1], frozenset[int], "holds an item twice"),
        ({}, tuple[int, int], "is an object; give a list of 2"),
        ([1], tuple[int, int], "is a list of 1; give a list of 2"),
        ("25:00", time, "is not a time of day"),
        ("21:00+03:00", time, "has an offset"),
        ("2026-02-30", date, "is not a date"),
        ("2026-02-01", datetime, "is text without an offset"),
        ("soon", timedelta, "is not a span"),
        (5, timedelta, "is a number; give a span as 'P1DT2H'"),
        ("P1D", timedelta | time, "is text; give an object with 'is' 'span' or an object with 'is' 'time'"),
        ({"is": "span"}, timedelta | time, "is not an object with 'is' 'span' and 'of'"),
        ({"is": "span", "of": "P1D", "x": 1}, timedelta | time, "is not an object with 'is' 'span' and 'of'"),
        (9000, Money, "is a number; give money as"),
        ({"is": "money", "minor": 1, "currency": "rub"}, Money, "currency: is not a currency code"),
        ("green", Color, "is 'green'; give one of 'red', 'blue'"),
        ("g" * 50, Color, "is text; give one of"),
        (True, Literal[1, 2], "is a boolean; give one of 1, 2"),
        ({"is": "test.kinds.node"}, Value, "has an 'is' that is none of"),
    ],
)
def test_wrong_data_is_named(data: Any, hint: Any, message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        decode(data, hint)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("value", "hint", "message"),
    [
        ([1], tuple[int, ...], "is list; give a tuple"),
        ([1, 2], tuple[int, int], "is list; give a tuple of 2"),
        ({1}, frozenset[int], "is set; give a frozenset"),
        ((), Mapping[str, int], "is tuple; give a mapping"),
        ({1: 2}, Mapping[str, int], "key: is int; give text"),
        (9000, Money, "is int; give money"),
        (b"x", Value, "is bytes; give a value"),
        (b"x", int | str, "is bytes; give an integer or text"),
        (3, Node, "is int; give an object with 'is' 'test.kinds.node'"),
        (float("inf"), Value, "is infinite"),
        ("x", Odd, "needs constants that are distinct"),
        ("x", list[int], "no JSON form is known"),
        ("x", Any, "no JSON form is known"),
        ([1], list, "no JSON form is known"),
        ("x", Literal["a", "red"] | Color, "look alike in JSON"),
        ("x", Mapping[str, int] | Mapping[str, str], "look alike in JSON"),
        (1, "int | Nowhere", "cannot be resolved"),
    ],
)
def test_wrong_values_are_named(value: Any, hint: Any, message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        encode(value, hint)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("value", "hint", "data"),
    [
        (1.0, float, 1),
        (2.0**60, float, 2.0**60),
        (Color.RED, Color, "red"),
        (frozenset({"b", "a"}), frozenset[str], ["a", "b"]),
        (frozenset({10, 9}), frozenset[int], [9, 10]),
        (timedelta(days=1), timedelta | None, "P1D"),
        (timedelta(days=1), timedelta | str, {"is": "span", "of": "P1D"}),
        ("P1D", timedelta | str, "P1D"),
        (datetime(2026, 3, 29, tzinfo=UTC), datetime | date, {"is": "moment", "of": "2026-03-29T00:00:00Z"}),
        (date(2026, 3, 29), datetime | date, {"is": "date", "of": "2026-03-29"}),
        (time(21), time | None, "21:00"),
        ((), tuple[()], []),
        ({"is": 1}, Mapping[str, int], {"is": "mapping", "of": {"is": 1}}),
        (None, Optional["int"], None),
        (Node(None, frozenset(), 1), Node, {"is": "test.kinds.node", "wrong": 1}),
    ],
)
def test_the_form_of_each_kind(value: Any, hint: Any, data: Any) -> None:
    assert encode(value, hint) == data
    assert decode(data, hint) == value


def test_a_whole_number_may_come_with_a_point() -> None:
    found = decode(3.0, int)
    assert found == 3
    assert isinstance(found, int)


def test_a_schema_needs_a_definition() -> None:
    with pytest.raises(DefinitionError, match="no registered definition"):
        schema(int)
    with pytest.raises(DefinitionError, match="no registered definition"):
        schema(Money | None)


def test_a_default_that_cannot_be_written_is_no_default() -> None:
    found: Any = schema(Node)
    assert "default" not in found["properties"]["wrong"]
    assert found["properties"]["tags"]["default"] == []
    assert found["required"] == ["crmsdk", "is"]


def test_the_key_of_the_format_is_no_field() -> None:
    with pytest.raises(DefinitionError, match="field 'crmsdk'"):
        definition("test.kinds.crmsdk")(attrs.make_class("Clash", ["crmsdk"], frozen=True))
