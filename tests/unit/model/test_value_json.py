"""Values as JSON: nothing is confused with anything else."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import InputError, NaiveMoment
from crmsdk.model.money import Money
from crmsdk.model.value_json import (
    moment_text,
    properties_from_json,
    properties_to_json,
    value_from_json,
    value_to_json,
)
from crmsdk.model.values import Value

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.datetimes(timezones=st.just(UTC)),
    st.dates(),
    st.builds(Money, st.integers(), st.sampled_from(["RUB", "USD"])),
)
keys = st.sampled_from(["is", "of", "minor", "currency", "a"])
values: st.SearchStrategy[Value] = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3).map(tuple), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=8,
)


def _typed(value: Value) -> Any:
    if isinstance(value, tuple):
        return [_typed(item) for item in value]
    if isinstance(value, dict):
        return {key: _typed(item) for key, item in value.items()}
    return (type(value), value)


@given(values)
def test_every_value_comes_back_with_its_kind(value: Value) -> None:
    again = value_from_json(json.loads(json.dumps(value_to_json(value))), "x")
    assert _typed(again) == _typed(value)


@given(st.dictionaries(keys, values, max_size=4))
def test_every_mapping_comes_back(value: dict[str, Value]) -> None:
    assert properties_from_json(json.loads(json.dumps(properties_to_json(value))), "x") == value


@given(values, values)
def test_two_values_never_share_their_json(one: Value, other: Value) -> None:
    same = json.dumps(value_to_json(one), sort_keys=True) == json.dumps(value_to_json(other), sort_keys=True)
    if same:
        assert one == other


def test_a_mapping_may_look_like_money() -> None:
    sly: Value = {"is": "money", "minor": 1, "currency": "RUB"}
    assert value_from_json(value_to_json(sly), "x") == sly
    assert value_from_json(value_to_json(Money(1, "RUB")), "x") == Money(1, "RUB")


def test_moments_are_written_in_utc() -> None:
    moscow = timezone(timedelta(hours=3))
    assert moment_text(datetime(2026, 3, 29, 9, tzinfo=moscow)) == "2026-03-29T06:00:00Z"
    assert moment_text(datetime(2026, 3, 29, 9, 0, 0, 5, tzinfo=UTC)) == "2026-03-29T09:00:00.000005Z"
    with pytest.raises(NaiveMoment):
        moment_text(datetime(2026, 3, 29))  # noqa: DTZ001 - naive on purpose


def test_dates_and_moments_stay_apart() -> None:
    assert value_to_json(date(2026, 3, 29)) == {"is": "date", "of": "2026-03-29"}
    assert value_to_json(datetime(2026, 3, 29, tzinfo=UTC)) == {"is": "moment", "of": "2026-03-29T00:00:00Z"}


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"is": "elephant"}, "p"),
        ({"is": 5}, "p"),
        ({"is": ["date"]}, "p"),
        ({"a": [1, {"is": "date", "of": "2026-02-30"}]}, "p.a[1]"),
        ({"is": "date", "of": "2026-02-01", "more": 1}, "p"),
        ({"is": "moment", "of": "yesterday"}, "p"),
        ({"is": "money", "minor": True, "currency": "RUB"}, "p.minor"),
        ({"is": "mapping", "of": []}, "p"),
        ({"a": {1, 2}}, "p.a"),
        ("text", "p"),
    ],
)
def test_malformed_data_names_the_field(data: Any, field: str) -> None:
    with pytest.raises(InputError) as caught:
        properties_from_json(data, "p")
    assert caught.value.field == field
