"""Salted hashes instead of chance: the same subject always draws the same lot, in every process.

A salt is the id of an experiment. Subjects draw independently under different salts.
"""

import hashlib
from collections.abc import Iterable

__all__ = ["bucket", "fraction"]

_BITS = 52  # with the half added below, the 53 that a float holds exactly


def bucket(experiment: str, subject: str, *, buckets: int = 10_000) -> int:
    """Put a subject into one of some buckets, all about equally full.

    The first 8 hexadecimal digits of ``md5(experiment || ':' || subject)``, modulo the number of buckets:
    every SQL engine has MD5 and so finds the same bucket, which no engine's own ``hash()`` does. MD5 is
    broken for signatures; here nobody gains by a collision, and all that counts is an even spread.

    Args:
        experiment: The salt.
        subject: As a customer's id.
        buckets: How many, up to 2**32; their sizes differ by at most ``buckets / 2**32`` of their size.

    Returns:
        0 to ``buckets - 1``.

    Raises:
        ValueError: fewer than one bucket, or more than the hash can tell apart.

    >>> bucket("welcome-2026", "ann")
    3388
    """
    if not 1 <= buckets <= 1 << 32:
        raise ValueError("bucket needs 1 to 2**32 buckets")
    digest = hashlib.md5(f"{experiment}:{subject}".encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:4], "big") % buckets


def fraction(parts: Iterable[str]) -> float:
    """Draw a number between 0 and 1, both excluded, the same for the same parts.

    Parts are length-prefixed before hashing (BLAKE2b), so ("a", "bc") and ("ab", "c") draw apart; 52 bits
    tell more subjects apart than a bucket does, but only Python finds them.
    """
    hashed = hashlib.blake2b(digest_size=8)
    for raw in (part.encode() for part in parts):
        hashed.update(len(raw).to_bytes(4, "big") + raw)
    return ((int.from_bytes(hashed.digest(), "big") >> (64 - _BITS)) + 0.5) / (1 << _BITS)
