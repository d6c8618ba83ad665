"""Values made without their converters are those made with them."""

from datetime import UTC, datetime

import attrs
import pytest

from crmsdk.model.changing import assembler, with_changes
from crmsdk.model.event import Event
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.model.money import Money

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BOUGHT = Event(
    id=EventId("e1"),
    customer=CustomerId("ann"),
    name="purchase",
    at=NOON,
    received=NOON,
    properties={"total": Money(9000, "RUB")},
)


def test_an_assembled_value_is_the_one_its_fields_came_from() -> None:
    fields = {field.name: getattr(BOUGHT, field.name) for field in attrs.fields(Event)}
    made = assembler(Event)(**fields)
    assert made == BOUGHT
    assert hash(made) == hash(BOUGHT)


def test_an_assembled_value_needs_every_field() -> None:
    with pytest.raises(TypeError, match="currency"):
        assembler(Money)(minor=1)


def test_a_changed_copy_differs_in_what_was_asked_and_leaves_the_first_alone() -> None:
    changed = with_changes(BOUGHT, source="shop")
    assert changed == attrs.evolve(BOUGHT, source="shop")
    assert BOUGHT.source == ""


def test_a_field_that_is_none_is_refused() -> None:
    with pytest.raises(KeyError):
        with_changes(BOUGHT, sauce="shop")
