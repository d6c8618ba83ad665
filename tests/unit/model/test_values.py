"""Values in one normal form, at any depth."""

import math
from datetime import UTC, date, datetime, timedelta, timezone
from enum import IntEnum, StrEnum
from typing import Any

import pytest

from crmsdk.errors import InputError, NaiveMoment
from crmsdk.model.money import Money
from crmsdk.model.values import normal, properties, text

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("e\u0301", "\u00e9"),
        ("", ""),
        (math.nan, None),
        (1.5, 1.5),
        (NOON.astimezone(timezone(timedelta(hours=3))), NOON),
        (date(2026, 3, 2), date(2026, 3, 2)),
        (Money(1, "RUB"), Money(1, "RUB")),
        ([1, (2, "e\u0301")], (1, (2, "\u00e9"))),
        ({"e\u0301": [math.nan]}, {"\u00e9": (None,)}),
    ],
)
def test_value_is_kept_in_normal_form(said: Any, kept: Any) -> None:
    assert normal(said, "p") == kept


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (-math.inf, "field 'p': is infinite"),
        (b"x", "field 'p': is bytes; give text, a number"),
        ({1, 2}, "field 'p': is set; give text"),
        ({"a": [0, {"b": object()}]}, r"field 'p.a\[1\].b': is object"),
        ({"a": {7: "x"}}, "field 'p.a': has a key of kind int"),
        ({"": "x"}, "field 'p': has a key of kind str"),
        ({"\ud800": "x"}, "field 'a key of p': holds half a surrogate pair"),
        (2**512, "field 'p': is an integer of over 512 bits; give it as text"),
        (-(2**600), "field 'p': is an integer of over 512 bits"),
    ],
)
def test_value_no_executor_knows_is_refused_where_it_stands(value: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        normal(value, "p")


class Plan(StrEnum):
    GOLD = "gold"


class Seats(IntEnum):
    ONE = 1


class Stamp(datetime):
    """A moment of another library."""


class NotATime(datetime):
    """As pandas has it: a datetime that equals nothing, and has no offset."""

    __hash__ = None  # type: ignore[assignment]  # it is compared only

    def __eq__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return True

    def utcoffset(self) -> timedelta:
        raise ValueError("NaT has none")


@pytest.mark.parametrize("said", [Plan.GOLD, Seats.ONE, Stamp(2026, 3, 2, 12, tzinfo=UTC)])
def test_a_value_is_the_same_kind_before_and_after_it_was_stored(said: Any) -> None:
    kept: Any = normal(said, "p")
    assert kept == said
    assert type(kept) in {str, int, datetime}
    assert repr(kept) in {"'gold'", "1", repr(NOON)}


def test_not_a_time_is_missing() -> None:
    assert normal({"a": NotATime(2026, 1, 1)}, "p") == {"a": None}


@pytest.mark.parametrize("value", [None, 5, "abc", [("a", 1)], 0])
def test_properties_that_are_no_mapping_are_refused(value: Any) -> None:
    with pytest.raises(InputError, match=r"^field 'traits': is .*; give a mapping"):
        properties(value, "traits")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "is NoneType; give non-empty text"),
        ("", "is empty; give non-empty text"),
        ("a\ud800", "holds half a surrogate pair"),
    ],
)
def test_text_is_taken_as_every_store_can_hold_it(value: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"^field 'who': {message}"):
        text(value, "who")
    assert text("", "who", empty=True) == ""
    assert text("a\nb 😀", "who") == "a\nb 😀"


def test_naive_moment_is_refused_at_any_depth() -> None:
    with pytest.raises(NaiveMoment, match=r"p\.when\[0\]"):
        normal({"when": [datetime(2026, 3, 2)]}, "p")  # noqa: DTZ001 - the point


def test_eight_levels_are_allowed_and_nine_are_not() -> None:
    deep: Any = "x"
    for _ in range(8):
        deep = [deep]
    assert normal(deep, "p")
    with pytest.raises(InputError, match="nested deeper than eight levels"):
        normal([deep], "p")


def test_properties_are_a_copy() -> None:
    given = {"total": 1}
    kept = properties(given)
    given["total"] = 2
    assert kept == {"total": 1}
    assert properties({}) == {}


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("\ud800", "field 'a': holds half a surrogate pair"),
        (["x", "\udfff"], r"field 'a\[1\]': holds half a surrogate pair"),
        (Money(10**200, "RUB"), "field 'a.minor': is an integer of over 512 bits"),
        ({"e\u0301": 1, "\u00e9": 2}, "field 'a.\u00e9': has one key in two Unicode forms"),
    ],
)
def test_what_no_store_could_keep_or_tell_apart_is_refused(said: object, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        normal(said, "a")
