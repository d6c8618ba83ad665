"""Addresses: where a message goes, and where in a customer's record a channel finds it."""

import re
from typing import Final, TypeAlias, assert_never

import attrs

from crmsdk.errors import InputError
from crmsdk.model.customer import Customer, IdentifierKind
from crmsdk.model.values import Value

__all__ = ["Address", "AddressSource", "ByAttribute", "ByCustomer", "ByIdentifier", "address_in"]


_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""The whole of Unicode's category Cc."""


def _clean(_: object, field: "attrs.Attribute[str]", value: str) -> None:
    if not isinstance(value, str) or not value or value != value.strip():
        raise InputError("is empty or has space around it; give the bare address", field=field.name)
    if _CONTROL.search(value):
        # A line break in an address is how foreign headers and recipients are smuggled in.
        raise InputError("holds a control character; give the bare address", field=field.name)


@attrs.frozen
class Address:
    """One address of one channel: an e-mail address, a phone number, a chat id. Its repr hides it."""

    value: str = attrs.field(repr=False, validator=_clean)


@attrs.frozen
class ByIdentifier:
    """The address is the customer's first identifier of a kind, as the e-mail address."""

    kind: IdentifierKind = attrs.field(converter=IdentifierKind)


@attrs.frozen
class ByAttribute:
    """The address is an attribute of the customer, as ``telegram_chat``."""

    name: str


@attrs.frozen
class ByCustomer:
    """The address is the customer's own id: for simulations and consoles, where everyone is reachable."""


AddressSource: TypeAlias = ByIdentifier | ByAttribute | ByCustomer


def address_in(customer: Customer, source: AddressSource) -> Address | None:
    """Find a customer's address for a channel; None when the customer has none.

    An attribute counts when it is text or an integer; anything else is no address, nor is a text that no
    address can be.
    """
    match source:
        case ByIdentifier(kind):
            found = (identifier.value for identifier in customer.identifiers if identifier.kind is kind)
            return _address_of(next(found, None))
        case ByAttribute(name):
            return _address_of(customer.attributes.get(name))
        case ByCustomer():
            return Address(customer.id)
        case _:
            assert_never(source)


def _address_of(value: Value) -> Address | None:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        return None
    try:
        return Address(text.strip())
    except InputError:
        return None
