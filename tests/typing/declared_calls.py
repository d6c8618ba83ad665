"""Calls of declared events that type checkers must take, and calls they must refuse.

Nothing here runs. Every ignore is a refusal that must come: mypy counts one it does not need as an error.
"""

from datetime import date, datetime
from typing import assert_type

from crmsdk.model.catalog import Catalog
from crmsdk.model.comparison import PropTest
from crmsdk.model.declared import AttributeSet, AttrRef, EventType, Prop, PropRef, declare
from crmsdk.model.money import Money


class CartUpdated(EventType, name="cart_updated"):
    cart_id: Prop[int]
    total: Prop[Money]
    note: Prop[str | None] = declare(default=None)


class Shopper(AttributeSet):
    city: Prop[str]
    trial_ends: Prop[date]


def take(_: object) -> None:
    """Take anything."""


def what_must_pass() -> None:
    event = CartUpdated(cart_id=7, total=Money(9000, "RUB"))
    CartUpdated(cart_id=7, total=Money(9000, "RUB"), note="x")
    assert_type(event.cart_id, int)
    assert_type(event.note, str | None)
    assert_type(CartUpdated.cart_id, PropRef[int])
    assert_type(CartUpdated.note, PropRef[str | None])
    assert_type(Shopper.city, AttrRef[str])
    assert_type(CartUpdated.cart_id == 7, PropTest)
    assert_type(CartUpdated.cart_id != 7, PropTest)
    assert_type(CartUpdated.total >= Money(1, "RUB"), PropTest)
    assert_type(CartUpdated.cart_id.in_([1, 2]), PropTest)
    assert_type(CartUpdated.cart_id.between(1, 2), PropTest)
    assert_type(CartUpdated.note.exists(), PropTest)
    Catalog([CartUpdated], [Shopper], strict=False)


def what_must_be_refused(now: datetime) -> None:
    CartUpdated()  # type: ignore[call-arg]
    CartUpdated(cart_id=7)  # type: ignore[call-arg]
    CartUpdated(7, Money(1, "RUB"))  # type: ignore[call-arg]
    CartUpdated(cart_id="x", total=Money(1, "RUB"))  # type: ignore[arg-type]
    CartUpdated(cart_id=7, total=90)  # type: ignore[arg-type]
    CartUpdated(cart_id=7, total=Money(1, "RUB"), nope=1)  # type: ignore[call-arg]
    event = CartUpdated(cart_id=7, total=Money(1, "RUB"))
    event.cart_id = 8  # type: ignore[misc]
    take(event.nope)  # type: ignore[attr-defined]
    take(CartUpdated.nope)  # type: ignore[attr-defined]
    take(CartUpdated.cart_id < "x")  # type: ignore[operator]
    take(CartUpdated.total > 90)  # type: ignore[operator]
    CartUpdated.cart_id.in_(["x"])  # type: ignore[list-item]
    CartUpdated.cart_id.between(1, now)  # type: ignore[arg-type]
    Shopper(city="x")  # type: ignore[call-arg]
    take(Shopper.city > "x")  # type: ignore[operator]
    Catalog(["purchase"])  # type: ignore[list-item]
