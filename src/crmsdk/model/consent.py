"""Consent per channel and purpose, and suppression: who may be written to, and the proof of it."""

from datetime import datetime
from enum import StrEnum

import attrs

from crmsdk.errors import InputError

__all__ = ["ANY", "ConsentState", "ConsentWrite", "consent_state", "state_of"]

ANY = "*"
"""Stands for every channel or every purpose."""


class ConsentState(StrEnum):
    """Where a consent stands; ``unknown`` is what nobody ever asked."""

    UNKNOWN = "unknown"
    PENDING = "pending"
    GRANTED = "granted"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"


def state_of(value: ConsentState | str) -> ConsentState:
    """Read what a person said.

    Raises:
        InputError: it is no state of a consent.
    """
    try:
        return ConsentState(value)
    except ValueError:
        raise InputError(f"is no consent; give one of {', '.join(ConsentState)}", field="state") from None


@attrs.frozen(kw_only=True)
class ConsentWrite:
    """One entry of the append-only consent log, with its evidence.

    Attributes:
        channel: ``email``, ``sms`` … or ``*`` for all.
        purpose: ``promo``, ``winback`` … or ``*`` for all.
        state: What the person said.
        at: When, UTC; the last entry by (at, id) that fits rules.
        id: The fact that wrote it.
        basis: Legal basis, as ``express`` or ``contract``.
        source: Where it was given, as ``form:footer``.
        evidence: A pointer to the proof, as a form version; never an address.
    """

    channel: str = ANY
    purpose: str = ANY
    state: ConsentState = attrs.field(converter=state_of)
    at: datetime
    id: str
    basis: str = ""
    source: str = ""
    evidence: str = ""


def consent_state(
    log: tuple[ConsentWrite, ...], channel: str, purpose: str, *, now: datetime
) -> ConsentState:
    """Read the state of one channel and purpose: the last entry that fits, up to ``now``.

    Args:
        log: In any order.
        channel, purpose: What is to be sent; entries for ``*`` fit all.
        now: Entries dated later do not count yet.
    """
    fitting = [
        entry
        for entry in log
        if entry.channel in (channel, ANY) and entry.purpose in (purpose, ANY) and entry.at <= now
    ]
    if not fitting:
        return ConsentState.UNKNOWN
    return max(fitting, key=lambda entry: (entry.at, entry.id)).state
