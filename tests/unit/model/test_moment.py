"""Moments are aware and in UTC, or refused by the name of their field."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import InputError, NaiveMoment
from crmsdk.model.moment import EPOCH, from_micros, parse_moment, to_micros, to_moment

NINE = datetime(2026, 3, 29, 6, tzinfo=UTC)
MOSCOW = timezone(timedelta(hours=3))


@pytest.mark.parametrize("value", [NINE, NINE.astimezone(MOSCOW), "2026-03-29T09:00:00+03:00"])
def test_moment_is_given_in_utc(value: Any) -> None:
    moment = to_moment(value, "at")
    assert (moment, moment.tzinfo) == (NINE, UTC)


@pytest.mark.parametrize("value", [datetime(2026, 3, 29), "2026-03-29T09:00:00", "2026-03-29"])  # noqa: DTZ001 - the point
def test_naive_moment_is_refused_by_field(value: Any) -> None:
    kind = "is text without an offset" if isinstance(value, str) else "is a naive datetime"
    with pytest.raises(NaiveMoment, match=f"'at': {kind}"):
        to_moment(value, "at")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (date(2026, 3, 29), "is date, not a datetime"),
        (1_774_764_000, "is int, not a datetime"),
        (None, "is NoneType, not a datetime"),
        ("tomorrow", "is not an ISO 8601 moment"),
        (
            datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-3))),
            "lies outside the years 1 to 9999",
        ),
        ("0001-01-01T00:00:00+03:00", "lies outside the years 1 to 9999"),
    ],
)
def test_what_is_no_moment_is_refused_by_field(value: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"^field 'at': {message}"):
        to_moment(value, "at")


@given(st.datetimes(timezones=st.just(UTC)))
def test_microseconds_are_exact_both_ways(moment: datetime) -> None:
    assert from_micros(to_micros(moment)) == moment
    assert to_micros(moment) == (moment - EPOCH) // timedelta(microseconds=1)
    assert parse_moment(moment.isoformat(), "at") == moment
