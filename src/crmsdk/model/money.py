"""Money: an integer of minor units and a currency."""

import re

import attrs

from crmsdk.errors import InputError

__all__ = ["Money"]

_CODE = re.compile(r"[A-Z]{3}\Z")


@attrs.frozen
class Money:
    """An amount in minor units (kopecks, cents) of one currency (ISO 4217 code).

    Sums stay integers, so they are exact in every executor. Amounts of two currencies neither add nor
    compare: there is no rate here.

    >>> Money(9000, "RUB") + Money(500, "RUB")
    Money(minor=9500, currency='RUB')
    """

    minor: int
    currency: str

    def __attrs_post_init__(self) -> None:
        """Refuse floats, booleans and codes that are not three capital letters."""
        if isinstance(self.minor, bool) or not isinstance(self.minor, int):
            raise InputError(
                f"is {type(self.minor).__name__}; give an integer of minor units (9000 for 90.00)",
                field="minor",
            )
        if not isinstance(self.currency, str) or not _CODE.match(self.currency):
            raise InputError("is not a currency code; give three capital letters as 'RUB'", field="currency")

    def _same(self, other: object) -> None:
        if not isinstance(other, Money):
            raise InputError(f"does not mix with {type(other).__name__}; give Money", field="money")
        if self.currency != other.currency:
            raise InputError(
                f"{self.currency} and {other.currency} do not mix; convert one first", field="currency"
            )

    def __add__(self, other: "Money") -> "Money":
        """Add an amount of the same currency."""
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        """Take away an amount of the same currency."""
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> "Money":
        """Turn the sign."""
        return Money(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        """Order amounts of the same currency."""
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: "Money") -> bool:
        """Order amounts of the same currency."""
        self._same(other)
        return self.minor <= other.minor

    def __gt__(self, other: "Money") -> bool:
        """Order amounts of the same currency."""
        self._same(other)
        return self.minor > other.minor

    def __ge__(self, other: "Money") -> bool:
        """Order amounts of the same currency."""
        self._same(other)
        return self.minor >= other.minor
