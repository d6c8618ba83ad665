"""Identifiers in the form in which they are compared, and values that show no address."""

from datetime import UTC, datetime
from typing import Any

import pytest

from crmsdk.errors import InputError
from crmsdk.model.customer import Account, AttributeWrite, Customer, Identifier, IdentifierKind
from crmsdk.model.ids import AccountId, CustomerId, EventId

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "said", "kept"),
    [
        ("email", " Ann@Example.ORG ", "ann@example.org"),
        ("email", "Ann@Straße.DE", "ann@straße.de"),  # strasse.de is somebody else's
        ("email", "Ann@E\u0301.fr", "ann@\u00e9.fr"),
        ("user", "e\u0301", "\u00e9"),
        ("phone", "+7 (900) 000-00-01", "+79000000001"),
        ("user", " Ann ", "Ann"),
        ("anonymous", "A-1", "A-1"),
        ("external", "X 1", "X 1"),
    ],
)
def test_identifier_is_kept_as_it_is_compared(kind: Any, said: str, kept: str) -> None:
    identifier = Identifier(kind, said)
    assert identifier == Identifier(IdentifierKind(kind), kept)
    assert identifier.value == kept
    assert identifier.identifies is (kind != "anonymous")


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("email", "  ", "field 'identifiers.email': is empty"),
        ("user", 7, "field 'identifiers.user': is int; give non-empty text"),
        ("user", "a\ud800", "field 'identifiers.user': holds half a surrogate pair"),
        ("fax", "7", "field 'identifiers.kind': is none of user, anonymous"),
        ("phone", "call me", "field 'identifiers.phone': has no digits"),
        ("phone", "+", "field 'identifiers.phone': has no digits"),
    ],
)
def test_identifier_that_names_nobody_is_refused(kind: Any, value: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        Identifier(kind, value)


def test_reprs_show_no_address_and_no_attribute() -> None:
    hidden = "ann@example.org"
    who = Customer(
        id=CustomerId("c1"),
        identifiers=(Identifier(IdentifierKind.EMAIL, hidden),),
        attributes={"mail": hidden},
        created=NOON,
    )
    write = AttributeWrite(name="mail", value=hidden, at=NOON, id=EventId("e1"))
    account = Account(id=AccountId("a1"), name=hidden, attributes={"mail": hidden})
    assert hidden not in f"{who}{who.identifiers}{write}{account}"
