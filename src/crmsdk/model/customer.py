"""Customers and what is known about them: identifiers and an append-only log of attributes."""

import re
import unicodedata
from datetime import datetime
from enum import StrEnum
from typing import Final

import attrs

from crmsdk.errors import InputError
from crmsdk.model.ids import AccountId, CustomerId, EventId
from crmsdk.model.values import EMPTY, Properties, Value, text

__all__ = [
    "ACCOUNT",
    "HAS",
    "LIST",
    "LOCALE",
    "RESERVED",
    "ZONE",
    "Account",
    "AttributeWrite",
    "Customer",
    "Identifier",
    "IdentifierKind",
    "is_reserved",
]

ZONE: Final = "crmsdk.zone"
LOCALE: Final = "crmsdk.locale"
ACCOUNT: Final = "crmsdk.account"
LIST: Final = "crmsdk.list."
"""What stands before the name of a manual list; its value is True for who is on it."""
HAS: Final = "crmsdk.has."
"""What stands before a kind of identifier; its value is True for who has one; the address stays out."""
RESERVED: Final = "crmsdk."
"""Names that begin so are ours: zone, locale, account, lists and addresses stand in the log under them."""


def is_reserved(name: str) -> bool:
    """Say whether an attribute of this name is ours; so is a mapping into which our names would read."""
    return f"{name}.".startswith(RESERVED)


class IdentifierKind(StrEnum):
    """What an identifier is; ``anonymous`` ids join a known person, all others identify one.

    ``user`` is the application's own id; ``external`` is the id of another system.
    """

    USER = "user"
    ANONYMOUS = "anonymous"
    EMAIL = "email"
    PHONE = "phone"
    EXTERNAL = "external"


def _kind(value: IdentifierKind | str) -> IdentifierKind:
    try:
        return IdentifierKind(value)
    except ValueError:
        raise InputError(f"is none of {', '.join(IdentifierKind)}", field="identifiers.kind") from None


_NOT_DIGIT = re.compile(r"[^0-9+]")


@attrs.frozen
class Identifier:
    """A name under which a person is known; its repr hides the value.

    All are compared in NFC and without surrounding space, e-mail without case, phone by its digits. Of an
    e-mail small letters are made and no more: ``straße.de`` and ``strasse.de`` are two domains.
    """

    kind: IdentifierKind = attrs.field(converter=_kind)
    value: str = attrs.field(repr=False)

    def __attrs_post_init__(self) -> None:
        """Bring the value into the form in which it is compared."""
        where = f"identifiers.{self.kind}"
        value = text(text(self.value, where).strip(), where)
        if not value.isascii():
            value = unicodedata.normalize("NFC", value)
        if self.kind is IdentifierKind.EMAIL:
            value = value.lower()
        elif self.kind is IdentifierKind.PHONE:
            value = _NOT_DIGIT.sub("", value)
            if not value.strip("+"):
                raise InputError("has no digits; give a phone number", field="identifiers.phone")
        object.__setattr__(self, "value", value)

    @property
    def identifies(self) -> bool:
        """Whether it names a known person, not a mere device or browser."""
        return self.kind is not IdentifierKind.ANONYMOUS


@attrs.frozen(kw_only=True)
class AttributeWrite:
    """One entry of the attribute log: the value of a name from a moment on.

    Attributes:
        name: The attribute, as ``city``.
        value: In normal form; None takes the attribute away.
        at: When it became true, UTC; the current value is the last by (at, id).
        id: The fact that wrote it.
        source: Who said so, as ``crm`` or ``form:landing``; the provenance of the value.
    """

    name: str
    value: Value = attrs.field(hash=False, repr=False)
    at: datetime
    id: EventId
    source: str = ""


@attrs.frozen(kw_only=True)
class Customer:
    """One person as applications see them; addresses and attribute values stay out of the repr.

    Attributes:
        id: Ours, opaque, for ever.
        identifiers: Every name the person is known under.
        attributes: The current value of each attribute.
        zone: IANA zone name, or None when unknown.
        locale: BCP 47 tag as ``en`` or ``ru``, or None.
        created: When the person was first seen, UTC.
        audience: The declared audience, as ``job-seeker``; empty when there is only one.
        account: The organisation they belong to, if any.
    """

    id: CustomerId
    identifiers: tuple[Identifier, ...] = attrs.field(default=(), repr=False)
    attributes: Properties = attrs.field(default=EMPTY, repr=False, hash=False)
    zone: str | None = None
    locale: str | None = None
    created: datetime
    audience: str = ""
    account: AccountId | None = None


@attrs.frozen(kw_only=True)
class Account:
    """An organisation with customers as its contacts."""

    id: AccountId
    name: str = attrs.field(default="", repr=False)
    attributes: Properties = attrs.field(default=EMPTY, repr=False, hash=False)
