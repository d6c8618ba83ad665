"""A policy is asked about a message to Ann, on a Monday at noon."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from crmsdk.model.consent import ConsentState, ConsentWrite
from crmsdk.model.ids import CustomerId, MessageId
from crmsdk.model.moment import to_micros
from crmsdk.policy.answer import Decision
from crmsdk.policy.evaluation import Evaluator
from crmsdk.policy.record import Contact, ContactState, Standing, Suppression
from crmsdk.policy.request import NOTHING_KNOWN, ContactFacts, ContactRequest
from crmsdk.policy.ruleset import ContactPolicy

ANN = CustomerId("ann")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
FIELDS = {"customer": ANN, "kind": "promo", "channels": "email"}


def asked(name: str = "m0", **fields: Any) -> ContactRequest:
    """Make a request for a promotional e-mail."""
    return ContactRequest(message_id=MessageId(name), **{**FIELDS, **fields})


def contact(name: str, at: datetime, **fields: Any) -> Contact:
    """Make an e-mail that was sent at a moment."""
    made = Contact(
        to_micros(at), "email", "promo", "promo", "", "", "", "", MessageId(name), 50, ContactState.SENT, 0, 1
    )
    return made._replace(**fields)


def decide(
    policy: ContactPolicy,
    request: ContactRequest | None = None,
    facts: ContactFacts = NOTHING_KNOWN,
    *,
    contacts: Sequence[Contact] = (),
    suppressions: Sequence[Suppression] = (),
    now: datetime = NOON,
    zone: str = "UTC",
) -> Decision:
    """Decide by a policy, for somebody to whom that much was sent."""
    standing = Standing(now=to_micros(now), contacts=tuple(contacts), suppressions=frozenset(suppressions))
    return Evaluator(policy, zone=zone).decide(request or asked(), facts, standing)


def said(state: ConsentState, at: datetime = NOON - DAY, **fields: str) -> ConsentWrite:
    """Write down what was said of consent, a day ago if not otherwise."""
    return ConsentWrite(state=state, at=at, id=f"c-{at}", **fields)
