"""Names of things: typed ids, ids that sort by time, and keyed ids.

Ids are opaque strings. Nothing here draws randomness or reads a clock: both are arguments.
"""

import hmac
from collections.abc import Iterable
from datetime import datetime
from typing import NewType

from crmsdk.model.moment import to_micros

__all__ = ["AccountId", "CustomerId", "EnrollmentId", "EventId", "MessageId", "keyed_id", "sortable_id"]

CustomerId = NewType("CustomerId", str)
AccountId = NewType("AccountId", str)
EventId = NewType("EventId", str)
EnrollmentId = NewType("EnrollmentId", str)
MessageId = NewType("MessageId", str)

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_TIME_DIGITS = 11  # 55 bits of microseconds reach the year 3111
_RANDOM_DIGITS = 16  # 80 bits


def _base32(number: int, digits: int) -> str:
    out = []
    for _ in range(digits):
        number, digit = divmod(number, 32)
        out.append(_ALPHABET[digit])
    return "".join(reversed(out))


def sortable_id(now: datetime, entropy: bytes) -> str:
    """Make an id whose text order is the order of time.

    Args:
        now: The moment of making, aware; at or after 1970.
        entropy: At least 10 random bytes; the first 10 are used.

    Returns:
        27 characters: 11 of time in microseconds, 16 of randomness.

    Raises:
        ValueError: fewer than 10 bytes, or a moment before 1970.
    """
    micros = to_micros(now, "now")
    if len(entropy) < _RANDOM_DIGITS * 5 // 8 or micros < 0:
        raise ValueError("sortable_id needs 10 random bytes and a moment after 1970")
    return _base32(micros, _TIME_DIGITS) + _base32(int.from_bytes(entropy[:10], "big"), _RANDOM_DIGITS)


def keyed_id(key: bytes, parts: Iterable[str]) -> str:
    """Derive one id from parts, the same for the same parts, unguessable without the key.

    Parts are length-prefixed before hashing, so ("a", "bc") and ("ab", "c") differ.

    Returns:
        32 hexadecimal digits of HMAC-SHA256.
    """
    message = b"".join(len(raw).to_bytes(4, "big") + raw for raw in (part.encode() for part in parts))
    return hmac.digest(key, message, "sha256").hex()[:32]
