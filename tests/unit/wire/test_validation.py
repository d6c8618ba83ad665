import subprocess
import sys
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import InputError, NaiveMoment, UnknownName
from crmsdk.model.catalog import Catalog, named_properties
from crmsdk.model.declared import AttributeSet, EventType, Prop, declare
from crmsdk.model.money import Money
from crmsdk.model.value_json import properties_to_json
from crmsdk.model.values import Value
from crmsdk.wire.validation import Validator


class Status(StrEnum):
    NEW = "new"
    PAID = "paid"


class Order(EventType):
    order_id: Prop[int]
    total: Prop[Money]
    paid: Prop[bool | None]
    weight: Prop[float | None]
    note: Prop[str | None]
    at: Prop[datetime | None]
    day: Prop[date | None]
    tags: Prop[list[str] | None]
    sizes: Prop[list[Literal[1, 2]] | None]
    extra: Prop[dict[str, object] | None]
    status: Prop[Status] = declare(default=Status.NEW)


class Shopper(AttributeSet):
    city: Prop[str] = declare(sources=["crm", "shop"])
    born: Prop[date]


CATALOG = Catalog([Order], [Shopper])
STRICT = Validator(CATALOG)
LAX = Validator(CATALOG, lax=True)
TOTAL = {"minor": 9000, "currency": "RUB"}
MOMENT = datetime(2026, 3, 29, 6, tzinfo=UTC)


def order(validator: Validator = STRICT, /, **given: object) -> Any:
    return validator.properties("order", {"order_id": 7, "total": TOTAL} | given)


def test_properties_come_out_in_normal_form_with_defaults() -> None:
    assert order(
        at="2026-03-29T09:00:00+03:00", day="2026-03-29", tags=["a"], weight=1, extra={"a": [1]}
    ) == {
        "order_id": 7,
        "total": Money(9000, "RUB"),
        "weight": 1,
        "at": MOMENT,
        "day": date(2026, 3, 29),
        "tags": ("a",),
        "extra": {"a": (1,)},
        "status": "new",
    }


@pytest.mark.parametrize("nothing", [None, float("nan")])
def test_null_nan_and_absent_are_one_thing(nothing: object) -> None:
    assert order(note=nothing, weight=nothing) == order()
    with pytest.raises(InputError, match="is missing; give integer"):
        order(order_id=nothing)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("order_id", "7", "is text; give integer"),
        ("order_id", True, "is boolean; give integer"),
        ("order_id", 7.5, "is number; give integer"),
        ("order_id", 2**63, "is number; give integer"),
        ("total", 90, "is no money"),
        ("total", {"minor": 1.5, "currency": "RUB"}, "give an integer of minor units"),
        ("total", {"minor": 1, "currency": "rub"}, "three capital letters"),
        ("total", {"minor": 1}, "is no money"),
        ("paid", 1, "is number; give boolean, optional"),
        ("weight", "1", "is text; give number, optional"),
        ("weight", float("inf"), "give number, optional"),
        ("note", 1, "is number; give text, optional"),
        ("at", 1700000000, "is int, not a datetime"),
        ("at", "yesterday", "is not an ISO 8601 moment"),
        ("day", "29.03.2026", "is no date"),
        ("day", "2026-02-30", "is no date"),
        ("day", MOMENT, "is no date"),
        ("tags", "a", "is text; give list of text, optional"),
        ("extra", [], "is list; give mapping, optional"),
        ("extra", {"a": {"b": b"x"}}, "is bytes"),
        ("status", "sold", "is none of the values declared"),
        ("status", 1, r"is number; give text \(new \| paid\)"),
        ("note", object(), "is object; give text"),
    ],
)
def test_a_wrong_value_is_an_error_that_names_field_kind_and_mend(
    name: str, value: object, message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        order(**{name: value})
    assert caught.value.field == f"order.{name}"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("name", "value", "field", "message"),
    [
        ("tags", ["a", 1], "order.tags[1]", "is number; give text"),
        ("sizes", [1, 3], "order.sizes", "none of the values declared"),
        ("sizes", ["x"], "order.sizes[0]", "is text; give integer"),
    ],
)
def test_a_wrong_item_is_named_by_its_place(name: str, value: object, field: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        order(**{name: value})
    assert caught.value.field == field


@pytest.mark.parametrize("value", ["2026-03-29T09:00", datetime(2026, 1, 1)])  # noqa: DTZ001 - the fault
def test_a_moment_without_an_offset_is_refused(value: object) -> None:
    with pytest.raises(NaiveMoment, match=r"field 'order\.at'"):
        order(at=value)


def test_unknown_names_are_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="unknown event 'ordr'; did you mean 'order'"):
        STRICT.properties("ordr", {})
    with pytest.raises(
        UnknownName, match=r"field 'order\.totl': unknown property 'totl'; did you mean 'total'"
    ):
        order(totl=1)
    with pytest.raises(UnknownName, match="unknown attribute 'town'"):
        STRICT.traits({"town": "x"})


def test_a_catalog_that_is_not_strict_lets_the_unknown_pass_in_normal_form() -> None:
    loose = Validator(Catalog([Order], strict=False))
    assert loose.properties("seen", {"tags": ["a"]}) == {"tags": ("a",)}
    assert order(loose, colour="red")["colour"] == "red"
    assert loose.traits({"town": "x"}) == {"town": "x"}
    with pytest.raises(InputError, match="is bytes"):
        order(loose, colour=b"red")
    with pytest.raises(InputError, match="is text; give integer"):
        order(loose, order_id="7")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("order_id", " 7 ", 7),
        ("order_id", 7.0, 7),
        ("paid", "yes", True),
        ("paid", "0", False),
        ("weight", "1.5", 1.5),
        ("note", 7, "7"),
        ("tags", '["a"]', ("a",)),
        ("sizes", "[1, 2]", (1, 2)),
        ("extra", '{"a": 1}', {"a": 1}),
        ("day", datetime(2026, 3, 29), date(2026, 3, 29)),  # noqa: DTZ001 - how dataframes write a date
    ],
)
def test_tables_hold_text_for_everything(name: str, value: object, expected: Value) -> None:
    assert order(LAX, **{name: value})[name] == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("order_id", "x"),
        ("order_id", "7.5"),
        ("order_id", True),
        ("paid", "maybe"),
        ("tags", "a"),
        ("extra", "{"),
    ],
)
def test_a_table_is_not_believed_everything(name: str, value: object) -> None:
    with pytest.raises(InputError):
        order(LAX, **{name: value})


def test_traits_are_checked_and_none_takes_one_away() -> None:
    assert STRICT.traits({"city": "Moscow", "born": "2000-02-29"}, source="crm") == {
        "city": "Moscow",
        "born": date(2000, 2, 29),
    }
    assert STRICT.traits({"city": None}, source="shop") == {"city": None}
    with pytest.raises(InputError, match=r"field 'traits\.born'"):
        STRICT.traits({"born": 3})


def test_only_the_declared_sources_write_an_attribute() -> None:
    with pytest.raises(InputError, match="is written by crm or shop only, not by 'form'; leave it out"):
        STRICT.traits({"city": "Moscow"}, source="form")


@given(
    st.text(), st.integers(-(2**63), 2**63 - 1), st.none() | st.booleans(), st.lists(st.text(), max_size=3)
)
def test_the_door_and_the_constructor_agree(
    note: str, number: int, paid: bool | None, tags: list[str]
) -> None:
    event = Order(
        order_id=number,
        total=Money(number, "RUB"),
        note=note,
        paid=paid,
        tags=tags,
        weight=None,
        at=None,
        day=None,
        sizes=None,
        extra=None,
    )
    name, values = named_properties(event)
    assert STRICT.properties(name, values) == values
    money = {"minor": number, "currency": "RUB"}
    assert STRICT.properties(name, properties_to_json(values) | {"total": money}) == values


def test_pydantic_comes_with_the_first_validation_only() -> None:
    code = (
        "import sys\n"
        "from crmsdk.model.catalog import Catalog, EventSpec, PropSpec\n"
        "from crmsdk.wire.validation import Validator\n"
        "import crmsdk.wire.tables, crmsdk.wire.payloads, crmsdk.wire.models, crmsdk.wire.environment\n"
        "door = Validator(Catalog([EventSpec('e', [PropSpec('p', 'text')])]))\n"
        "before = 'pydantic' in sys.modules\n"
        "door.properties('e', {'p': 'x'})\n"
        "print(before, 'pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_a_moment_is_no_date_by_a_microsecond() -> None:
    with pytest.raises(InputError, match="is no date"):
        order(Validator(Catalog([Order]), lax=True), day=datetime(2026, 3, 29, 0, 0, 0, 5))  # noqa: DTZ001 - as above
