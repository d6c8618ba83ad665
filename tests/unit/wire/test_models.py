from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, HttpUrl, field_validator

from crmsdk.errors import DefinitionError, InputError, UnknownName
from crmsdk.model.catalog import Catalog, EventSpec, named_properties
from crmsdk.segments.words import did, prop
from crmsdk.wire import models
from crmsdk.wire.models import event_model, model_of
from crmsdk.wire.validation import Validator

KEY = UUID("12345678-1234-5678-1234-567812345678")


class Plan(StrEnum):
    FREE = "free"
    PRO = "pro"


class Address(BaseModel):
    city: str
    since: AwareDatetime


class SignedUp(BaseModel):
    """Somebody signed up.

    More.
    """

    model_config = ConfigDict(populate_by_name=True)

    key: UUID
    age: int = Field(gt=17, description="in years")
    plan: Plan = Plan.FREE
    addresses: list[Address] = []
    page: HttpUrl | None = None
    referrer: str | None = Field(default=None, alias="Referrer URL")

    @field_validator("referrer")
    @classmethod
    def _not_secret(cls, value: str | None) -> str | None:
        if value == "secret":
            raise ValueError(f"{value} is not allowed")
        return value


@pytest.fixture(autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(models, "_MODELS", {})
    event_model(SignedUp, name="signed_up")
    yield
    for name in ("__event_spec__", "__event_name__", "__event_properties__"):
        delattr(SignedUp, name)


def test_a_model_is_an_event_class() -> None:
    catalog = Catalog([SignedUp])
    assert (
        catalog.describe()
        == """\
events
  signed_up: Somebody signed up
    key           text
    age           integer; in years
    plan          text (free | pro), optional
    addresses     list of mapping, optional
    page          text, optional
    Referrer URL  text, optional
attributes
what is not listed is refused"""
    )
    assert did(SignedUp).where(prop("age") > 20).of.event == "signed_up"


def test_an_instance_is_an_event() -> None:
    event = SignedUp.model_validate(
        {
            "key": KEY,
            "age": 20,
            "plan": "pro",
            "addresses": [{"city": "Moscow", "since": "2026-03-29T09:00:00+03:00"}],
            "page": "https://x.example/a",
            "referrer": "r",
        }
    )
    name, values = named_properties(event)
    assert name == "signed_up"
    assert values == {
        "key": str(KEY),
        "age": 20,
        "plan": "pro",
        "addresses": ({"city": "Moscow", "since": datetime.fromisoformat("2026-03-29T06:00:00Z")},),
        "page": "https://x.example/a",
        "Referrer URL": "r",
    }
    assert Validator(Catalog([SignedUp])).properties(name, values) == values


def test_the_model_checks_what_comes_from_outside() -> None:
    door = Validator(Catalog([SignedUp]))
    assert door.properties("signed_up", {"key": str(KEY), "age": 20}) == {
        "key": str(KEY),
        "age": 20,
        "plan": "free",
        "addresses": (),
    }
    with pytest.raises(InputError, match=r"field 'signed_up\.age': is refused by SignedUp \(greater_than\)"):
        door.properties("signed_up", {"key": str(KEY), "age": 3})
    with pytest.raises(InputError, match=r"field 'signed_up\.key': is refused by SignedUp \(missing\)"):
        door.properties("signed_up", {"age": 20})
    with pytest.raises(UnknownName, match="unknown property 'agee'; did you mean 'age'"):
        door.properties("signed_up", {"key": str(KEY), "age": 20, "agee": 1})


def test_no_error_shows_what_a_validator_of_the_model_says() -> None:
    with pytest.raises(InputError, match="value_error") as caught:
        Validator(Catalog([SignedUp])).properties(
            "signed_up", {"key": str(KEY), "age": 20, "Referrer URL": "secret"}
        )
    assert "secret" not in str(caught.value)


def test_a_name_belongs_to_one_model() -> None:
    class Other(BaseModel):
        x: int

    with pytest.raises(DefinitionError, match="SignedUp is this event already"):
        event_model(Other, name="signed_up")
    assert event_model(SignedUp, name="signed_up") is SignedUp


def test_a_field_that_no_property_can_be_is_refused() -> None:
    class Bill(BaseModel):
        amount: Decimal

    with pytest.raises(DefinitionError, match=r"Bill\.amount: is declared as Decimal"):
        event_model(Bill, name="bill")


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(DefinitionError, match="int is no pydantic model"):
        event_model(int, name="x")  # type: ignore[type-var]  # the fault


def test_a_spec_of_the_same_name_is_not_the_model() -> None:
    assert model_of(EventSpec("signed_up")) is None
    assert model_of(Catalog([SignedUp]).events[0]) is SignedUp
