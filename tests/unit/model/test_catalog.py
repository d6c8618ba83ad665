import pickle
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from enum import Enum, StrEnum
from typing import Annotated, Any, ClassVar, Literal, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import DefinitionError, InputError, NaiveMoment, UnknownName
from crmsdk.model.catalog import Catalog, EventSpec, Kinds, PropSpec, named_properties
from crmsdk.model.codec import content_hash, dumps, loads
from crmsdk.model.comparison import Op, PropTest, kind_of
from crmsdk.model.declared import AttributeSet, EventType, Prop, PropRef, declare
from crmsdk.model.money import Money
from crmsdk.model.values import normal


class Status(StrEnum):
    NEW = "new"
    PAID = "paid"


class Size(Enum):
    SMALL = 1
    LARGE = 2


class CartUpdated(EventType):
    """Somebody changed a cart.

    More about it.
    """

    cart_id: Prop[int]
    total: Prop[Money]
    note: Prop[str | None] = declare(default=None, about="what they wrote")
    status: Prop[Status] = declare(default=Status.NEW)


class Everything(EventType, name="Everything Happened"):
    yes: Prop[bool | None]
    whole: Prop[int | None]
    number: Prop[float | None]
    text: Prop[str | None]
    moment: Prop[datetime | None]
    day: Prop[date | None]
    money: Prop[Money | None]
    things: Prop[list[str] | None]
    anything: Prop[list | None]  # type: ignore[type-arg]  # no item named
    mapping: Prop[dict[str, object] | None]
    size: Prop[Size | None]
    colour: Prop[Literal["red", "blue"] | None]
    colours: Prop[tuple[Literal["red", "blue"], ...] | None]
    noted: Prop[Annotated[int | None, "a note"]]
    shared: ClassVar[int] = 3


class Shopper(AttributeSet):
    city: Prop[str] = declare(about="where they live", sources=["crm"])
    trial_ends: Prop[date]


CATALOG = Catalog([CartUpdated, Everything], [Shopper])
CART = CartUpdated(cart_id=7, total=Money(9000, "RUB"))


# --------------------------------------------------------------------------------------------- events


def test_the_name_defaults_to_snake_case() -> None:
    class HTTPPageSeen2(EventType):
        pass

    assert CartUpdated.__event_name__ == "cart_updated"
    assert Everything.__event_name__ == "Everything Happened"
    assert HTTPPageSeen2.__event_name__ == "http_page_seen2"


def test_an_event_gives_its_values_and_its_normal_form() -> None:
    event = CartUpdated(cart_id=7, total=Money(1, "RUB"), note="cafe\u0301", status=Status.PAID)
    assert (event.cart_id, event.total, event.note, event.status) == (
        7,
        Money(1, "RUB"),
        "cafe\u0301",
        Status.PAID,
    )
    assert named_properties(event) == (
        "cart_updated",
        {"cart_id": 7, "total": Money(1, "RUB"), "note": "café", "status": "paid"},
    )


def test_a_missing_property_takes_its_default_and_none_is_left_out() -> None:
    assert CART.note is None
    assert CART.status is Status.NEW
    assert named_properties(CART)[1] == {"cart_id": 7, "total": Money(9000, "RUB"), "status": "new"}


def test_a_plain_default_works_too() -> None:
    class Seen(EventType):
        page: Prop[str] = "/"  # type: ignore[assignment]  # type checkers want declare(default=...)

    assert named_properties(Seen()) == ("seen", {"page": "/"})


def test_an_event_is_a_value() -> None:
    same = CartUpdated(cart_id=7, total=Money(9000, "RUB"))
    assert same == CART
    assert hash(same) == hash(CART)
    assert CartUpdated(cart_id=8, total=Money(9000, "RUB")) != CART
    assert pickle.loads(pickle.dumps(CART)) == CART  # noqa: S301 - our own bytes
    with pytest.raises(AttributeError, match="make a new event"):
        CART.cart_id = 8  # type: ignore[misc]  # the fault under test
    assert repr(CART) == "CartUpdated(cart_id=…, total=…, status=…)"


def test_an_event_class_inherits_properties() -> None:
    class CartShared(CartUpdated):
        with_whom: Prop[str]

    assert CartShared.__event_name__ == "cart_shared"
    assert named_properties(CartShared(cart_id=1, total=Money(1, "RUB"), with_whom="x"))[1]["cart_id"] == 1
    with pytest.raises(InputError, match="with_whom"):
        CartShared(cart_id=1, total=Money(1, "RUB"))  # type: ignore[call-arg]  # the fault under test
    shared: Any = CartShared  # mypy takes an inherited property of the class for its value
    assert shared.cart_id.event == "cart_shared"
    assert CartUpdated.cart_id.event == "cart_updated"


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"cart_id": "x"}, InputError, "field 'cart_updated.cart_id': is text; give integer"),
        ({"cart_id": True}, InputError, "is boolean; give integer"),
        ({"cart_id": 1.0}, InputError, "is number; give integer"),
        ({"cart_id": None}, InputError, "is missing; give integer"),
        ({"total": 90}, InputError, "is number; give money"),
        ({"note": 3}, InputError, "is number; give text, optional"),
        ({"status": "sold"}, InputError, r"is text; give text \(new \| paid\)"),
        ({"cart_idd": 1}, UnknownName, "did you mean 'cart_id'"),
        ({"note": b"x"}, InputError, "is bytes"),
        ({"note": datetime(2026, 1, 1)}, NaiveMoment, "field 'cart_updated.note'"),  # noqa: DTZ001 - the fault
    ],
)
def test_a_wrong_property_is_an_error_that_names_it(
    given: dict[str, object], error: type[InputError], message: str
) -> None:
    make: Callable[..., object] = CartUpdated
    with pytest.raises(error, match=message):
        make(**{"cart_id": 1, "total": Money(1, "RUB")} | given)


def test_a_missing_property_is_an_error_that_names_it() -> None:
    with pytest.raises(InputError, match=r"field 'cart_updated\.total': is missing") as caught:
        CartUpdated(cart_id=1)  # type: ignore[call-arg]  # the fault under test
    assert caught.value.field == "cart_updated.total"


# --------------------------------------------------------------------------------------- declarations

SPECS = {spec.name: spec for spec in Everything.__event_spec__.properties}


@pytest.mark.parametrize(
    ("name", "described", "good", "bad"),
    [
        ("yes", "boolean", True, 1),
        ("whole", "integer", 1, 1.5),
        ("number", "number", 1, "1"),
        ("text", "text", "", 1),
        ("moment", "moment", datetime(2026, 1, 1, tzinfo=UTC), date(2026, 1, 1)),
        ("day", "date", date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)),
        ("money", "money", Money(1, "EUR"), 1),
        ("things", "list of text", ["a"], ["a", 1]),
        ("anything", "list", ["a", 1], "a"),
        ("mapping", "mapping", {"a": {"b": 1}}, []),
        ("size", "integer (1 | 2)", 1, 3),
        ("colour", "text (red | blue)", "red", "green"),
        ("colours", "list of text (red | blue)", ["red"], ["red", "green"]),
        ("noted", "integer", 1, "x"),
    ],
)
def test_every_type_admits_its_own_values_only(name: str, described: str, good: object, bad: object) -> None:
    spec = SPECS[name]
    assert spec.described == f"{described}, optional"
    assert spec.admits(normal(good, name))
    assert spec.admits(None)
    assert not spec.admits(normal(bad, name))
    assert spec.kind == kind_of(normal(good, name)).partition(" ")[0]


def impossible_type() -> object:
    class Bad(EventType):
        amount: Prop[complex]

    return Bad


def union() -> object:
    class Bad(EventType):
        amount: Prop[int | str]

    return Bad


def plain_field() -> object:
    class Bad(EventType):
        amount: int

    return Bad


def unknown_type() -> object:
    class Bad(EventType):
        amount: "Prop[Nowhere]"  # type: ignore[name-defined]  # noqa: F821 - the fault

    return Bad


def wrong_default() -> object:
    class Bad(EventType):
        amount: Prop[int] = declare(default="x")

    return Bad


def none_default() -> object:
    class Bad(EventType):
        amount: Prop[int] = declare(default=None)

    return Bad


def private() -> object:
    class Bad(EventType):
        _amount: Prop[int]

    return Bad


def mixed_choices() -> object:
    class Bad(AttributeSet):
        amount: Prop[Literal[1, "x"]]

    return Bad


def bad_items() -> object:
    class Bad(AttributeSet):
        amount: Prop[list[complex]]

    return Bad


@pytest.mark.parametrize(
    ("declare_it", "message"),
    [
        (impossible_type, r"Bad\.amount: is declared as complex"),
        (union, r"Bad\.amount: is declared as int \| str"),
        (plain_field, r"Bad\.amount: .*write Prop\[\.\.\.\]"),
        (unknown_type, r"Bad\.amount: names the unknown type 'Nowhere'"),
        (wrong_default, r"Bad\.amount: has a default that is text; give integer"),
        (none_default, r"Bad\.amount: has the default None"),
        (private, r"Bad\._amount: starts with an underscore"),
        (mixed_choices, r"Bad\.amount: mixes kinds"),
        (bad_items, r"Bad\.amount\[\]: is declared as complex"),
    ],
)
def test_a_wrong_declaration_names_class_and_property(declare_it: Callable[[], object], message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        declare_it()


def test_annotations_may_be_text() -> None:
    class Late(EventType):
        cart: "Prop[int]"

    assert Late.cart.spec == PropSpec("cart", "integer")


def test_attributes_have_names_and_no_instances() -> None:
    assert Shopper.city.name == "city"
    assert Shopper.trial_ends.spec.type == "date"
    with pytest.raises(DefinitionError, match="by name"):
        Shopper()


# ------------------------------------------------------------------------------------------ questions


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (CartUpdated.cart_id == 7, PropTest("cart_id", Op.EQ, 7)),
        (CartUpdated.cart_id != 7, PropTest("cart_id", Op.EQ, 7, negated=True)),
        (CartUpdated.cart_id < 7, PropTest("cart_id", Op.LT, 7)),
        (CartUpdated.cart_id <= 7, PropTest("cart_id", Op.LE, 7)),
        (CartUpdated.cart_id > 7, PropTest("cart_id", Op.GT, 7)),
        (CartUpdated.cart_id >= 7, PropTest("cart_id", Op.GE, 7)),
        (CartUpdated.total > Money(5, "RUB"), PropTest("total", Op.GT, Money(5, "RUB"))),
        (CartUpdated.cart_id.in_([1, 2]), PropTest("cart_id", Op.IN, (1, 2))),
        (CartUpdated.cart_id.between(1, 2), PropTest("cart_id", Op.BETWEEN, (1, 2))),
        (CartUpdated.note.contains("x"), PropTest("note", Op.CONTAINS, "x")),
        (Everything.things.contains("x"), PropTest("things", Op.CONTAINS, "x")),
        (CartUpdated.note.startswith("x"), PropTest("note", Op.STARTS, "x")),
        (CartUpdated.note.endswith("x"), PropTest("note", Op.ENDS, "x")),
        (CartUpdated.note.exists(), PropTest("note", Op.EXISTS)),
        (CartUpdated.note.missing(), PropTest("note", Op.EXISTS, negated=True)),
        (CartUpdated.status == Status.PAID, PropTest("status", Op.EQ, "paid")),
    ],
)
def test_a_comparison_makes_a_question(made: PropTest, expected: PropTest) -> None:
    assert made == expected


ANY: PropRef[Any] = CartUpdated.cart_id
NOTE: PropRef[Any] = CartUpdated.note
STATUS: PropRef[Any] = CartUpdated.status


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: ANY == "x", "cart_updated.cart_id: is number, never text"),
        (lambda: NOTE == None, "missing"),  # noqa: E711 - the fault
        (lambda: NOTE < "x", "no order"),
        (lambda: NOTE.between("a", "b"), "no order"),
        (lambda: ANY.in_([1, "x"]), "is number, never text"),
        (lambda: ANY.in_([]), "one value or more"),
        (lambda: ANY.between(2, 1), "reversed"),
        (lambda: ANY.contains("x"), "contains asks about text and lists"),
        (lambda: ANY.startswith("x"), "is number, never text"),
        (lambda: STATUS == "sold", "is never such a value"),
        (lambda: bool(ANY == 1), "no truth of its own"),
    ],
)
def test_a_question_that_could_never_hold_is_refused(ask: Callable[[], object], message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        ask()


@given(st.integers(), st.integers())
def test_a_question_answers_as_python_does(actual: int, operand: int) -> None:
    event = CartUpdated(cart_id=actual, total=Money(1, "RUB"))
    _, properties = named_properties(event)
    assert (CartUpdated.cart_id < operand).holds(properties) is (actual < operand)
    assert (CartUpdated.cart_id == operand).holds(properties) is (actual == operand)
    assert (CartUpdated.cart_id != operand).holds(properties) is (actual != operand)


def test_a_reference_can_be_a_key_and_shows_itself() -> None:
    assert {CartUpdated.cart_id: 1}[CartUpdated.cart_id] == 1
    assert repr(CartUpdated.cart_id) == "<property cart_id of cart_updated>"


# ------------------------------------------------------------------------------------------- catalogs


def test_the_tracking_plan_prints() -> None:
    assert (
        Catalog([CartUpdated], [Shopper]).describe()
        == """\
events
  cart_updated: Somebody changed a cart
    cart_id  integer
    total    money
    note     text, optional; what they wrote
    status   text (new | paid), default 'new'
attributes
  city        text; where they live; only from crm
  trial_ends  date
what is not listed is refused"""
    )
    assert Catalog(strict=False).describe() == "events\nattributes\nwhat is not listed passes unchecked"


def test_kinds_are_plain_mappings() -> None:
    assert Catalog([CartUpdated], [Shopper]).kinds() == Kinds(
        {"cart_updated": {"cart_id": "number", "total": "money", "note": "text", "status": "text"}},
        {"city": "text", "trial_ends": "date"},
    )


def test_a_catalog_finds_by_name() -> None:
    assert CATALOG.event("cart_updated") == CartUpdated.__event_spec__
    assert CATALOG.attribute("city") == Shopper.city.spec
    with pytest.raises(UnknownName, match="unknown event 'cart_update'; did you mean 'cart_updated'"):
        CATALOG.event("cart_update")
    with pytest.raises(UnknownName, match="unknown attribute 'town'; declare it first"):
        CATALOG.attribute("town")


def test_a_catalog_that_is_not_strict_lets_the_unknown_pass() -> None:
    loose = Catalog([CartUpdated], strict=False)
    assert loose.event("other") is None
    assert loose.attribute("other") is None


def test_one_declaration_may_be_given_twice() -> None:
    assert Catalog([CartUpdated, CartUpdated.__event_spec__], [Shopper, Shopper.city.spec]) == Catalog(
        [CartUpdated], [Shopper]
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Catalog([CartUpdated, EventSpec("cart_updated")]), "cart_updated: is declared twice"),
        (lambda: Catalog([], [Shopper, PropSpec("city", "integer")]), "city: is declared twice"),
        (lambda: Catalog([int]), "int declares no event"),
        (lambda: Catalog(["purchase"]), "str declares no event"),  # type: ignore[list-item]  # the fault
        (lambda: Catalog([], [CartUpdated]), "CartUpdated declares no attributes"),
        (lambda: EventSpec(" "), "needs a name"),
        (lambda: EventSpec("x", [PropSpec("a", "text"), PropSpec("a", "date")]), "x: 'a' is declared twice"),
        (lambda: named_properties(CartUpdated), "is not an event"),
        (lambda: named_properties(3), "int is not an event"),
        (lambda: named_properties(CART, {"a": 1}), "is not an event"),
    ],
)
def test_a_wrong_catalog_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        make()


def test_a_name_with_properties_is_an_event_too() -> None:
    assert named_properties("seen", {"tags": ["a"]}) == ("seen", {"tags": ("a",)})
    assert named_properties("seen") == ("seen", {})


def test_a_catalog_is_data() -> None:
    assert loads(dumps(CATALOG), Catalog) == CATALOG
    assert content_hash(CATALOG) == content_hash(loads(dumps(CATALOG), Catalog))


def test_typed_events_load_no_validator() -> None:
    code = (
        "import sys\n"
        "from crmsdk.model.declared import EventType, Prop\n"
        "class Seen(EventType):\n"
        "    page: Prop[str]\n"
        "Seen(page='/'), Seen.page == '/'\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'pydantic', 'jinja2', 'asyncio'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PropSpec("x", cast("Any", "string")), "^type: is 'string'; give one of boolean, integer"),
        (lambda: PropSpec("x", "list", items=cast("Any", "str")), "^items: is 'str'; give one of boolean"),
        (lambda: PropSpec("x", "text", sources="crm"), "^sources: is one text; give a list"),
        (lambda: PropSpec("x", "text", choices="abc"), "^choices: is one text; give a list"),
        (lambda: PropTest("x", "like", "a"), "^op: is 'like'; give one of eq, lt"),
    ],
)
def test_a_declaration_that_could_never_hold_is_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        make()
