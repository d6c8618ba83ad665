"""Salted hashes: the same everywhere, even, and apart under different salts."""

import hashlib
import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.model.salt import bucket, fraction

SUBJECTS = [f"customer-{number}" for number in range(20_000)]


def _chi_square(counts: Counter[int], cells: int) -> float:
    expected = len(SUBJECTS) / cells
    return sum((counts[cell] - expected) ** 2 / expected for cell in range(cells))


BUCKETS = [3388, 8600, 5613, 3630]


def test_t29_buckets_are_fixed_for_ever() -> None:
    assert [bucket("welcome-2026", name) for name in ("ann", "bob", "", "Анна")] == BUCKETS
    assert bucket("welcome-2026", "ann", buckets=1) == 0


def test_a_bucket_is_what_sql_engines_compute() -> None:
    for name in (*SUBJECTS[:200], "", "Анна", "a:b"):
        text = hashlib.md5(f"salt:{name}".encode()).hexdigest()  # noqa: S324 - the promised function
        assert bucket("salt", name) == int(text[:8], 16) % 10_000


@pytest.mark.parametrize("salt", ["a", "b", "welcome-2026"])
def test_t29_buckets_are_even(salt: str) -> None:
    counts = Counter(bucket(salt, name, buckets=100) for name in SUBJECTS)
    assert _chi_square(counts, 100) < 149  # 99 degrees of freedom: exceeded once in a thousand


def test_two_salts_draw_apart() -> None:
    both = Counter(bucket("a", name, buckets=10) * 10 + bucket("b", name, buckets=10) for name in SUBJECTS)
    assert _chi_square(both, 100) < 149


@given(st.text(max_size=8), st.text(max_size=8), st.integers(1, 2**32))
def test_a_bucket_is_one_of_the_buckets(salt: str, subject: str, buckets: int) -> None:
    try:
        found = bucket(salt, subject, buckets=buckets)
    except UnicodeEncodeError:
        return
    assert 0 <= found < buckets


@pytest.mark.parametrize("buckets", [0, -1, 2**32 + 1])
def test_an_impossible_number_of_buckets_is_an_error(buckets: int) -> None:
    with pytest.raises(ValueError, match="buckets"):
        bucket("a", "b", buckets=buckets)


def test_fractions_are_even_and_inside() -> None:
    drawn = [fraction(("salt", name)) for name in SUBJECTS]
    assert 0 < min(drawn) < max(drawn) < 1
    assert _chi_square(Counter(math.floor(value * 100) for value in drawn), 100) < 149
    assert fraction(("a", "bc")) != fraction(("ab", "c"))
    assert fraction(["a", "bc"]) == fraction(("a", "bc"))
