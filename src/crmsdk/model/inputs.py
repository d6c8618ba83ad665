"""What the intake of the runtime takes: four kinds of news about a person, not yet resolved to a customer.

A batch is taken in the order (moment, rank, id): at one moment an alias comes before an identify, that before
a group, that before a track, so that the fact finds the person already known.

Source:
    The Segment spec for identify, track, alias and group; research notes on its wire form.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, TypeAlias

import attrs

from crmsdk.errors import InputError
from crmsdk.model.customer import LIST, AttributeWrite, Identifier, IdentifierKind, is_reserved
from crmsdk.model.event import Event
from crmsdk.model.ids import AccountId, CustomerId, EventId
from crmsdk.model.moment import to_moment
from crmsdk.model.values import EMPTY, Properties, properties, text

__all__ = ["Alias", "Group", "Identify", "Input", "Track"]


_NO_LISTS: Mapping[str, bool] = {}


def _at(value: datetime) -> datetime:
    return to_moment(value, "at")


def _received(value: datetime) -> datetime:
    return to_moment(value, "received")


def _traits(value: Mapping[str, object]) -> Properties:
    found = properties(value, "traits")
    kept = next((name for name in found if is_reserved(name)), None)
    if kept is not None:  # it would be taken at its word, however wrong
        raise InputError(
            "is kept for crmsdk; give zone, locale, account or a list by its own name", field=f"traits.{kept}"
        )
    return found


def _lists(value: Mapping[str, bool]) -> Mapping[str, bool]:
    lists = dict(value)
    for name, member in lists.items():
        text(name, "lists")
        if not isinstance(member, bool):
            raise InputError(
                f"is {type(member).__name__}; give True to put the person on it, False to take them off",
                field=f"lists.{name}",
            )
    return lists


def _account(value: str) -> AccountId:
    name = text(value, "account")
    return AccountId(name if name.isascii() else unicodedata.normalize("NFC", name))


def _properties(value: Mapping[str, object]) -> Properties:
    return properties(value)


def _identifiers(value: Iterable[Identifier]) -> tuple[Identifier, ...]:
    names = tuple(value)
    for name in names:
        if not isinstance(name, Identifier):
            raise InputError(
                f"has one of kind {type(name).__name__}; give Identifier(kind, value)", field="identifiers"
            )
    return tuple(dict.fromkeys(names))


def _some(_: object, field: "attrs.Attribute[Any]", value: object) -> None:
    text(value, field.name)


def _any(_: object, field: "attrs.Attribute[Any]", value: object) -> None:
    text(value, field.name, empty=True)


def _named(_: object, field: "attrs.Attribute[Any]", value: object) -> None:
    if not isinstance(value, Identifier):
        raise InputError(f"is {type(value).__name__}; give Identifier(kind, value)", field=field.name)


def _said(_: object, field: "attrs.Attribute[Any]", value: object) -> None:
    if value is not None:
        text(value, field.name)


def _anyone(
    _: object, field: "attrs.Attribute[tuple[Identifier, ...]]", value: tuple[Identifier, ...]
) -> None:
    if not value:
        raise InputError("is empty; name the person by a user id or an anonymous id", field=field.name)


def _count(values: Properties) -> str:
    return f"<{len(values)} values>"


@attrs.frozen(kw_only=True)
class _News:
    """What all four have.

    Attributes:
        id: Names the fact for ever.
        identifiers: Names of the person, at least one, each once; the first identifying one leads.
        at: When it happened, UTC.
        received: When it arrived, UTC; not part of the fact.
        source: Where it came from, as ``shop``.
    """

    rank: ClassVar[int]

    id: EventId = attrs.field(validator=_some)
    identifiers: tuple[Identifier, ...] = attrs.field(converter=_identifiers, validator=_anyone)
    at: datetime = attrs.field(converter=_at)
    received: datetime = attrs.field(converter=_received)
    source: str = attrs.field(default="", validator=_any)

    @property
    def order(self) -> tuple[datetime, int, str]:
        """The order in which a batch is taken: moment, rank, id."""
        return (self.at, self.rank, self.id)

    @property
    def anonymous(self) -> Identifier | None:
        """The first anonymous id; None without one."""
        return next((name for name in self.identifiers if name.kind is IdentifierKind.ANONYMOUS), None)

    @property
    def user(self) -> Identifier | None:
        """The first identifier that names a known person; None when only a device is known."""
        return next((name for name in self.identifiers if name.identifies), None)


@attrs.frozen(kw_only=True)
class Alias(_News):
    """A person known under ``previous`` is also known under the identifiers.

    Attributes:
        previous: The earlier name, mostly an anonymous id.
    """

    rank: ClassVar[int] = 0

    previous: Identifier = attrs.field(validator=_named)


@attrs.frozen(kw_only=True)
class Identify(_News):
    """Who a person is and what is known about them.

    Attributes:
        traits: Attributes in normal form; None takes an attribute away.
        zone: IANA zone name; None when nothing was said.
        locale: BCP 47 tag; None when nothing was said.
        lists: Manual lists the person is put on (True) or taken off (False).
    """

    rank: ClassVar[int] = 1

    traits: Properties = attrs.field(default=EMPTY, converter=_traits, hash=False, repr=_count)
    zone: str | None = attrs.field(default=None, validator=_said)
    locale: str | None = attrs.field(default=None, validator=_said)
    lists: Mapping[str, bool] = attrs.field(default=_NO_LISTS, converter=_lists, hash=False)

    def writes(self) -> tuple[AttributeWrite, ...]:
        """Give the entries of the attribute log, with their provenance."""
        said: Properties = {
            **self.traits,
            **{f"{LIST}{name}": member or None for name, member in self.lists.items()},
        }
        return tuple(
            AttributeWrite(name=name, value=value, at=self.at, id=self.id, source=self.source)
            for name, value in said.items()
        )


@attrs.frozen(kw_only=True)
class Group(_News):
    """A person belongs to an organisation.

    Attributes:
        account: The organisation's id; kept in NFC.
        traits: Attributes of the organisation in normal form.
    """

    rank: ClassVar[int] = 2

    account: AccountId = attrs.field(converter=_account)
    traits: Properties = attrs.field(default=EMPTY, converter=_traits, hash=False, repr=_count)


@attrs.frozen(kw_only=True)
class Track(_News):
    """A person did something.

    Attributes:
        name: The event, declared in the catalog.
        properties: Values in normal form.
    """

    rank: ClassVar[int] = 3

    name: str = attrs.field(validator=_some)
    properties: Properties = attrs.field(default=EMPTY, converter=_properties, hash=False, repr=_count)

    def event(self, customer: CustomerId) -> Event:
        """Give the event of the customer the identifiers led to."""
        return Event(
            id=self.id,
            customer=customer,
            name=self.name,
            at=self.at,
            received=self.received,
            properties=self.properties,
            source=self.source,
        )


Input: TypeAlias = Alias | Identify | Group | Track
