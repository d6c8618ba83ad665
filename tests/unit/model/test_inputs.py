from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from crmsdk.errors import InputError, NaiveMoment
from crmsdk.model.customer import AttributeWrite, Identifier, IdentifierKind
from crmsdk.model.event import Event
from crmsdk.model.ids import AccountId, CustomerId, EventId
from crmsdk.model.inputs import Alias, Group, Identify, Track

AT = datetime(2026, 3, 29, 6, tzinfo=UTC)
ANN = Identifier(IdentifierKind.USER, "ann")
DEVICE = Identifier(IdentifierKind.ANONYMOUS, "device-1")


def track(id: str = "1", *, at: datetime = AT) -> Track:
    return Track(
        id=EventId(id),
        identifiers=[ANN, DEVICE, ANN],
        at=at,
        received=AT,
        source="shop",
        name="seen",
        properties={"tags": ["a"]},
    )


def identify(**traits: object) -> Identify:
    return Identify(id=EventId("1"), identifiers=[DEVICE], at=AT, received=AT, source="crm", traits=traits)


def test_a_batch_is_taken_by_moment_then_rank_then_id() -> None:
    alias = Alias(id=EventId("9"), identifiers=[ANN], at=AT, received=AT, previous=DEVICE)
    group = Group(id=EventId("0"), identifiers=[ANN], at=AT, received=AT, account=AccountId("acme"))
    early = track("5", at=AT - timedelta(seconds=1))
    batch = [track("2"), track("1"), group, identify(), alias, early]
    ordered = sorted(batch, key=lambda one: one.order)
    assert [type(one).__name__ for one in ordered] == [
        "Track",
        "Alias",
        "Identify",
        "Group",
        "Track",
        "Track",
    ]
    assert [one.id for one in ordered] == ["5", "9", "1", "0", "1", "2"]


def test_identifiers_are_kept_once_and_the_user_leads() -> None:
    assert track().identifiers == (ANN, DEVICE)
    assert track().user == ANN
    assert track().anonymous == DEVICE
    assert identify().user is None
    assert Alias(id=EventId("1"), identifiers=[ANN], at=AT, received=AT, previous=DEVICE).anonymous is None


def test_a_track_becomes_an_event_of_its_customer() -> None:
    assert track().event(CustomerId("c1")) == Event(
        id=EventId("1"),
        customer=CustomerId("c1"),
        name="seen",
        at=AT,
        received=AT,
        properties={"tags": ("a",)},
        source="shop",
    )


def test_an_identify_becomes_entries_of_the_attribute_log_with_their_source() -> None:
    assert identify(city="Moscow", phone=None).writes() == (
        AttributeWrite(name="city", value="Moscow", at=AT, id=EventId("1"), source="crm"),
        AttributeWrite(name="phone", value=None, at=AT, id=EventId("1"), source="crm"),
    )


def test_moments_are_kept_in_utc() -> None:
    assert track(at=AT.astimezone(timezone(timedelta(hours=3)))).at.tzinfo is UTC


def test_a_repr_shows_no_values() -> None:
    assert "ann" not in repr(track())
    assert "tags" not in repr(track())
    assert "Moscow" not in repr(identify(city="Moscow"))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: track(""), InputError, "field 'id'"),
        (lambda: track(at=datetime(2026, 1, 1)), NaiveMoment, "field 'at'"),  # noqa: DTZ001 - the fault
        (lambda: identify(x=b"x"), InputError, r"field 'traits\.x'"),
        (
            lambda: Identify(id=EventId("1"), identifiers=[ANN], at=AT, received=AT, lists={"vip": 1}),  # type: ignore[dict-item]  # the fault
            InputError,
            r"field 'lists\.vip': is int; give True",
        ),
        (
            lambda: Identify(id=EventId("1"), identifiers=[], at=AT, received=AT),
            InputError,
            "name the person by a user id or an anonymous id",
        ),
        (
            lambda: Group(id=EventId("1"), identifiers=[ANN], at=AT, received=AT, account=AccountId("")),
            InputError,
            "field 'account'",
        ),
    ],
)
def test_bad_news_are_refused(make: Callable[[], object], error: type[InputError], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("slip", "message"),
    [
        ({"id": "a\ud800"}, "field 'id': holds half a surrogate pair"),
        ({"source": None}, "field 'source': is NoneType; give text"),
        ({"zone": 3}, "field 'zone': is int; give non-empty text"),
        ({"locale": ["en"]}, "field 'locale': is list; give non-empty text"),
        ({"identifiers": ["ann"]}, "field 'identifiers': has one of kind str; give Identifier"),
        ({"identifiers": "ann"}, "field 'identifiers': has one of kind str"),
    ],
)
def test_a_field_of_another_kind_is_named(slip: Any, message: str) -> None:
    given: dict[str, Any] = {"id": "1", "identifiers": [ANN], "at": AT, "received": AT}
    with pytest.raises(InputError, match=f"^{message}"):
        Identify(**{**given, **slip})


def test_an_account_is_kept_in_one_form() -> None:
    def group(account: str) -> Group:
        return Group(id=EventId("1"), identifiers=[ANN], at=AT, received=AT, account=AccountId(account))

    assert group("e\u0301") == group("é")
    assert group("e\u0301").account == "é"


@pytest.mark.parametrize(
    "name", ["crmsdk", "crmsdk.zone", "crmsdk.locale", "crmsdk.account", "crmsdk.list.vip"]
)
def test_names_kept_for_the_profile_are_no_traits(name: str) -> None:
    with pytest.raises(InputError, match=f"^field 'traits.{name}': is kept for crmsdk; give zone"):
        identify(**{name: "Mars/North"})
