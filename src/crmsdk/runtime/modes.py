"""The last look before a message leaves: does the delivery mode let this address have it."""

import attrs

from crmsdk.errors import ConfigError
from crmsdk.model.address import Address
from crmsdk.model.settings import DeliveryMode, comparable, mode_of

__all__ = ["Gate"]


@attrs.frozen
class Gate:
    """Delivery mode and allowlist; its repr hides the addresses.

    Attributes:
        mode: What becomes of messages that the policy allows.
        allowlist: Addresses that mode ``allowlist`` may write to, in the form in which they are compared.
    """

    mode: DeliveryMode = attrs.field(converter=mode_of)
    allowlist: frozenset[str] = attrs.field(repr=False)

    def __attrs_post_init__(self) -> None:
        """Refuse a list that lists nobody."""
        if self.mode is DeliveryMode.ALLOWLIST and not self.allowlist:
            raise ConfigError("mode allowlist has no allowlist; name the addresses that may be written to")

    def bars(self, address: Address) -> str:
        """Say why an address must not be written to; empty when it may."""
        if self.mode is DeliveryMode.ALLOWLIST and comparable(address.value) not in self.allowlist:
            return "the address is not on the allowlist"
        return ""
