"""Facts written by hand are those the runtime would take in; tables read at once are accounted for."""

from datetime import UTC, datetime

import pytest

from crmsdk.blocking import Crm
from crmsdk.errors import NaiveMoment, UnknownZone
from crmsdk.model.catalog import Catalog
from crmsdk.model.customer import Identifier
from crmsdk.model.declared import EventType, Prop
from crmsdk.runtime.clocks import VirtualClock
from crmsdk.wire.maps import EventMap
from crmsdk.wire.recorded import identify, load_history, track

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)


class Purchase(EventType, name="purchase"):
    amount: Prop[int]


def test_an_event_says_what_the_runtime_would_record() -> None:
    by_hand = track("ann", Purchase(amount=3), at=AT, id="e1", source="shop")
    with Crm.open("memory://", zone="UTC", clock=VirtualClock(AT)) as crm:
        crm.track("ann", Purchase(amount=3), id="e1", source="shop")
        assert crm.ingest([by_hand]).duplicates == 1


def test_a_person_says_what_the_runtime_would_record() -> None:
    by_hand = identify(
        "ann",
        {"city": "Perm"},
        at=AT,
        email="Ann@shop.example",
        phone="+7 900 1",
        anonymous="device",
        zone="Asia/Yekaterinburg",
        locale="ru",
        identifiers=[Identifier("external", "17")],
    )
    with Crm.open("memory://", zone="UTC", clock=VirtualClock(AT)) as crm:
        crm.ingest([by_hand])
        ann = crm.customer("ann")
        assert crm.customer(Identifier("email", "ann@shop.example")) == ann
        assert crm.customer(Identifier("anonymous", "device")) == ann
        assert (ann.zone, ann.locale, ann.attributes["city"]) == ("Asia/Yekaterinburg", "ru", "Perm")
        assert len(ann.identifiers) == 5


def test_a_fact_without_an_id_is_named_by_its_content() -> None:
    one, again, other = (track("ann", "visit", {"page": page}, at=AT) for page in ("a", "a", "b"))
    assert one.id == again.id != other.id
    here, there = (identify("ann", at=AT, zone=zone) for zone in ("Europe/Moscow", "UTC"))
    assert here.id != there.id


def test_odd_moments_and_zones_are_refused() -> None:
    with pytest.raises(NaiveMoment, match="at"):
        track("ann", "visit", at=datetime(2026, 3, 2))  # noqa: DTZ001 - what is to be refused
    with pytest.raises(UnknownZone):
        identify("ann", at=AT, zone="Moscow")


def test_a_table_is_read_whole_with_its_account() -> None:
    rows = [
        {"who": "ann", "when": "2026-03-02T10:00Z", "amount": "3"},
        {"who": "", "when": "2026-03-02T10:00Z", "amount": "3"},
        {"who": "bob", "when": "2026-03-02T10:00Z", "amount": "many"},
    ]
    by = EventMap(event="purchase", customer="who", at="when", id=None, properties={"amount": "amount"})
    history = load_history(rows, by, catalog=Catalog([Purchase]), received=AT)
    assert [news.identifiers[0].value for news in history] == ["ann"]
    assert len(history) == 1
    assert (history.account.read, history.account.accepted) == (3, 1)
    assert [row.row for row in history.account.rows] == [2, 3]
