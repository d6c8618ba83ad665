"""The place a message takes in a ledger: which channel, what is written, and when nothing is."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from crmsdk.model.ids import CustomerId, MessageId
from crmsdk.policy.answer import Reason
from crmsdk.policy.limits import place
from crmsdk.policy.record import Check, Contact, ContactState, Option, Reserve, Suppression
from crmsdk.policy.request import ContactRequest

ANN = CustomerId("ann")
NOW, LEASE = 1_000, 60
REQUEST = ContactRequest(
    message_id=MessageId("m0"),
    customer=ANN,
    channels=("push", "sms"),
    kind="trigger",
    purpose="sale",
    sender="shop",
    journey="welcome",
    campaign="spring",
    topic="shoes",
    priority=70,
    expires=datetime(2026, 3, 2, tzinfo=UTC),
)
ONE_IN_100 = Check("one", Reason.CAPPED, 1, 100, None, 0, (), None, "")
SENT = Contact(
    NOW - 10, "email", "promo", "promo", "", "", "", "", MessageId("a"), 50, ContactState.SENT, 0, 1
)


def own(lease: int, **fields: Any) -> Contact:
    """Make the place of the message itself, while it is sending by sms."""
    state = ContactState.SENDING
    return SENT._replace(
        message_id=MessageId("m0"), channel="sms", at=NOW - 5, state=state, lease=lease, **fields
    )


def reserve(*options: Option, **fields: Any) -> Reserve:
    return Reserve(request=REQUEST, now=NOW, since=0, lease=LEASE, options=options, **fields)


def placed(
    asked: Reserve,
    contacts: Sequence[Contact] = (),
    mine: Contact | None = None,
    suppressions: Sequence[Suppression] = (),
) -> Contact | None:
    return place(asked, contacts=contacts, own=mine, suppressions=suppressions)


def test_place_holds_all_that_rules_tell_contacts_apart_by() -> None:
    assert placed(reserve(Option("push", ()), Option("sms", ()))) == Contact(
        at=NOW,
        channel="push",
        kind="trigger",
        purpose="sale",
        sender="shop",
        journey="welcome",
        campaign="spring",
        topic="shoes",
        message_id=MessageId("m0"),
        priority=70,
        state=ContactState.SENDING,
        lease=NOW + LEASE,
        attempt=1,
    )


def test_place_is_that_of_the_first_channel_whose_checks_hold() -> None:
    full, free = Option("push", (ONE_IN_100,)), Option("sms", (ONE_IN_100._replace(window=10),))
    taken = placed(reserve(full, free), [SENT])
    assert taken is not None
    assert taken.channel == "sms"
    assert placed(reserve(full), [SENT]) is None
    assert placed(reserve()) is None


@pytest.mark.parametrize(("last", "at"), [(NOW - 1, NOW), (NOW, NOW), (NOW + 7, NOW + 7)])
def test_clock_that_went_back_hides_no_contact_behind_the_last_one(last: int, at: int) -> None:
    taken = placed(reserve(Option("push", ())), [SENT, SENT._replace(at=last)])
    assert taken is not None
    assert (taken.at, taken.lease) == (at, NOW + LEASE)


def test_suppressed_channel_is_passed_over() -> None:
    asked = reserve(Option("push", ()), Option("sms", ()), addresses={"push": "h1", "sms": "h2"})
    for stop in (
        Suppression(customer=ANN, channel="push"),
        Suppression(customer=ANN, channel="push", purpose="sale"),
        Suppression(address="h1"),
    ):
        taken = placed(asked, suppressions=[stop])
        assert taken is not None
        assert taken.channel == "sms"
    assert placed(asked, suppressions=[Suppression(customer=ANN)]) is None
    other = placed(asked, suppressions=[Suppression(customer=ANN, purpose="news"), Suppression(address="h3")])
    assert other is not None
    assert other.channel == "push"


def test_contact_that_was_sent_differs_from_its_place_by_state_and_lease_only() -> None:
    taken = placed(reserve(Option("push", ())))
    assert taken is not None
    assert taken.sent() == taken._replace(state=ContactState.SENT, lease=0)


def test_message_that_is_sending_or_sent_takes_no_second_place() -> None:
    asked = reserve(Option("push", ()), Option("sms", ()))
    for mine in (own(NOW + 1), own(0)._replace(state=ContactState.SENT)):
        assert placed(asked, [mine], mine) is None


def test_expired_lease_is_taken_over_by_its_own_message_on_its_own_channel() -> None:
    full = Option("sms", (ONE_IN_100,))
    mine = own(NOW, attempt=2)
    expected = mine._replace(lease=NOW + LEASE, attempt=3)
    assert placed(reserve(Option("push", ()), full), [SENT, mine], mine) == expected
    assert placed(reserve(Option("push", ())), [SENT, mine], mine) is None
    stop = Suppression(customer=ANN, channel="sms")
    assert placed(reserve(full), [mine], mine, [stop]) is None
