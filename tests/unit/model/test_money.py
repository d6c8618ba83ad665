"""Amounts of one currency add and compare as integers; two currencies do neither."""

import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import InputError
from crmsdk.model.money import Money

minors = st.integers(-(10**12), 10**12)


@given(minors, minors)
def test_money_reckons_as_its_minor_units_do(one: int, other: int) -> None:
    a, b = Money(one, "RUB"), Money(other, "RUB")
    assert a + b == Money(one + other, "RUB")
    assert a - b == Money(one - other, "RUB")
    assert -a == Money(-one, "RUB")
    for compare in (operator.lt, operator.le, operator.gt, operator.ge):
        assert compare(a, b) is compare(one, other)
        assert compare(a, a) is compare(one, one)


@pytest.mark.parametrize(
    "mix", [operator.add, operator.sub, operator.lt, operator.le, operator.gt, operator.ge]
)
def test_two_currencies_do_not_mix(mix: Callable[[Money, Money], object]) -> None:
    with pytest.raises(InputError, match=r"^field 'currency': (RUB and EUR|EUR and RUB) do not mix"):
        mix(Money(1, "RUB"), Money(1, "EUR"))
    assert Money(1, "RUB") != Money(1, "EUR")


@pytest.mark.parametrize(
    ("minor", "currency", "message"),
    [
        (90.0, "RUB", "field 'minor': is float"),
        (True, "RUB", "field 'minor': is bool"),
        ("90", "RUB", "field 'minor': is str"),
        (90, "rub", "field 'currency': is not a currency code"),
        (90, "RUBLE", "field 'currency': is not a currency code"),
        (90, "RUB\n", "field 'currency': is not a currency code"),
        (90, None, "field 'currency': is not a currency code"),
    ],
)
def test_what_is_no_amount_is_refused_by_field(minor: Any, currency: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        Money(minor, currency)


@pytest.mark.parametrize(
    "mix", [operator.add, operator.sub, operator.lt, operator.le, operator.gt, operator.ge]
)
def test_money_and_a_number_do_not_mix(mix: Callable[[Any, Any], object]) -> None:
    with pytest.raises(InputError, match=r"^field 'money': does not mix with int; give Money"):
        mix(Money(1, "RUB"), 5)
