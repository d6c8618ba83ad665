"""Delivery mode: whether anything leaves at all. ``live`` must be said."""

from collections.abc import Iterable

import attrs

from crmsdk.errors import ConfigError
from crmsdk.model.address import Address
from crmsdk.model.settings import DeliveryMode, comparable

__all__ = ["DeliveryMode", "Gate"]


def _fold(addresses: Iterable[str]) -> frozenset[str]:
    if isinstance(addresses, str):
        raise ConfigError("allowlist is one text; give a list of addresses")
    return frozenset(comparable(address) for address in addresses)


@attrs.frozen
class Gate:
    """The last look before a message leaves; its repr hides the addresses."""

    mode: DeliveryMode = attrs.field(default=DeliveryMode.RECORD, converter=DeliveryMode)
    allowlist: frozenset[str] = attrs.field(default=(), converter=_fold, repr=False)

    def bars(self, address: Address) -> str:
        """Say why an address must not be written to; empty when it may."""
        if self.mode is DeliveryMode.ALLOWLIST and comparable(address.value) not in self.allowlist:
            return "the address is not on the allowlist"
        return ""
