"""Ids that sort by time, and ids that nobody guesses without the key."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.model.ids import keyed_id, sortable_id

TICK = timedelta(microseconds=1)
moments = st.datetimes(datetime(1970, 1, 1), datetime(3110, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
entropies = st.binary(min_size=10, max_size=16)


@given(moments, entropies, entropies)
def test_later_id_sorts_behind_whatever_the_dice_say(moment: datetime, one: bytes, other: bytes) -> None:
    earlier, later = sortable_id(moment, one), sortable_id(moment + TICK, other)
    assert earlier < later
    assert len(earlier) == len(later) == 27
    assert (sortable_id(moment, one) == sortable_id(moment, other)) is (one[:10] == other[:10])


@pytest.mark.parametrize(
    ("moment", "entropy"),
    [
        (datetime(2026, 3, 2, tzinfo=UTC), b"123456789"),
        (datetime(1969, 12, 31, tzinfo=UTC), b"1234567890"),
    ],
)
def test_id_needs_ten_random_bytes_and_a_moment_after_1970(moment: datetime, entropy: bytes) -> None:
    with pytest.raises(ValueError, match="needs 10 random bytes and a moment after 1970"):
        sortable_id(moment, entropy)


def test_keyed_id_depends_on_the_key_and_on_where_parts_end() -> None:
    ids = {
        keyed_id(b"k", ("a", "bc")),
        keyed_id(b"k", ("ab", "c")),
        keyed_id(b"k", ("abc",)),
        keyed_id(b"k", ("abc", "")),
        keyed_id(b"other", ("a", "bc")),
    }
    assert len(ids) == 5
    assert all(len(id) == 32 and set(id) <= set("0123456789abcdef") for id in ids)
    assert keyed_id(b"k", ("a", "bc")) in ids
