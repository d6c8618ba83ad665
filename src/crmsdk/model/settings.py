"""Settings of one application: what differs between a laptop, a test system and production."""

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import attrs

from crmsdk.errors import ConfigError
from crmsdk.model.message import Sender
from crmsdk.model.secret import Secret
from crmsdk.model.zones import zone as known_zone

__all__ = ["DeliveryMode", "Settings", "comparable", "mode_of"]


class DeliveryMode(StrEnum):
    """What becomes of messages that the policy allows.

    ``off``: the outbox is not touched. ``record``: everything happens but the handing over. ``allowlist``:
    only listed addresses get something, all others are refused. ``live``: everybody does.
    """

    OFF = "off"
    RECORD = "record"
    ALLOWLIST = "allowlist"
    LIVE = "live"


_NOT_DIGIT = re.compile(r"[^0-9+]")


def comparable(address: str) -> str:
    """Write an address in the form in which it is compared: without case and space, of a phone the digits."""
    bare = unicodedata.normalize("NFC", address.strip()).lower()
    return _NOT_DIGIT.sub("", bare) if bare.startswith("+") else bare


def mode_of(value: DeliveryMode | str) -> DeliveryMode:
    """Read the name of a delivery mode.

    Raises:
        ConfigError: there is no such mode.
    """
    try:
        return DeliveryMode(value)
    except ValueError:
        raise ConfigError(f"mode is none of {', '.join(DeliveryMode)}; choose one") from None


def _allowlist(addresses: Iterable[str]) -> frozenset[str]:
    if isinstance(addresses, str):
        raise ConfigError("allowlist is one text; give a list of addresses")
    return frozenset(comparable(address) for address in addresses if address.strip())


def _senders(senders: Iterable[Sender]) -> tuple[Sender, ...]:
    return tuple(senders)


def _zone(_: object, field: "attrs.Attribute[str]", value: str) -> None:
    known_zone(value, field.name)


@attrs.frozen(kw_only=True)
class Settings:
    """What ``Crm.open`` needs from outside: ``Crm.open(**settings.options(), journeys=[...])``.

    Attributes:
        zone: IANA zone of people whose zone is unknown; there is no default on purpose.
        secret: Key of message ids, links and address hashes; change it, and all of them change.
        url: The database.
        mode: Whether anything leaves; ``live`` must be said.
        allowlist: Addresses that may be written to in mode ``allowlist``; not shown in reprs.
        senders: Sending identities; the first is the default.
        unsubscribe: The https address of the one-click page; ``{token}`` in it is replaced per person.

    Raises:
        ConfigError: mode ``allowlist`` without a list, two senders of one id.
        UnknownZone: the zone data does not hold ``zone``.
    """

    zone: str = attrs.field(validator=_zone)
    secret: Secret
    url: str = attrs.field(default="sqlite:///crm.db", repr=False)  # it may hold a password
    mode: DeliveryMode = attrs.field(default=DeliveryMode.RECORD, converter=mode_of)
    allowlist: frozenset[str] = attrs.field(
        default=frozenset(), converter=_allowlist, repr=lambda found: f"<{len(found)} addresses>"
    )
    senders: tuple[Sender, ...] = attrs.field(default=(), converter=_senders)
    unsubscribe: str | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse settings that contradict each other."""
        if self.mode is DeliveryMode.ALLOWLIST and not self.allowlist:
            raise ConfigError("mode allowlist has no allowlist; name the addresses that may be written to")
        ids = [sender.id for sender in self.senders]
        twice = next((name for name in ids if ids.count(name) > 1), None)
        if twice is not None:
            raise ConfigError(f"two senders have the id {twice!r}; give one of them another")

    def options(self) -> dict[str, Any]:
        """Give the arguments of ``Crm.open``."""
        return {field.name: getattr(self, field.name) for field in attrs.fields(type(self))}
