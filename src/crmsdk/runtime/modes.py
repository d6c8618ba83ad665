"""Delivery mode: whether anything leaves at all. ``live`` must be said."""

from collections.abc import Iterable
from enum import StrEnum

import attrs

from crmsdk.errors import ConfigError
from crmsdk.model.address import Address

__all__ = ["DeliveryMode", "Gate"]


class DeliveryMode(StrEnum):
    """What becomes of messages that the policy allows.

    ``off``: the outbox is not touched. ``record``: everything happens but the handing over. ``allowlist``:
    only listed addresses get something, all others are refused. ``live``: everybody does.
    """

    OFF = "off"
    RECORD = "record"
    ALLOWLIST = "allowlist"
    LIVE = "live"


def _fold(addresses: Iterable[str]) -> frozenset[str]:
    if isinstance(addresses, str):
        raise ConfigError("allowlist is one text; give a list of addresses")
    return frozenset(address.strip().casefold() for address in addresses)


@attrs.frozen
class Gate:
    """The last look before a message leaves; its repr hides the addresses."""

    mode: DeliveryMode = attrs.field(default=DeliveryMode.RECORD, converter=DeliveryMode)
    allowlist: frozenset[str] = attrs.field(default=(), converter=_fold, repr=False)

    def bars(self, address: Address) -> str:
        """Say why an address must not be written to; empty when it may."""
        if self.mode is DeliveryMode.ALLOWLIST and address.value.strip().casefold() not in self.allowlist:
            return "the address is not on the allowlist"
        return ""
