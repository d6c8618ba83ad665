import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import InputError, NaiveMoment, UnknownName, UnknownZone
from crmsdk.model.catalog import Catalog
from crmsdk.model.customer import Identifier, IdentifierKind
from crmsdk.model.declared import AttributeSet, EventType, Prop
from crmsdk.model.ids import AccountId, EventId
from crmsdk.model.inputs import Alias, Group, Identify, Track
from crmsdk.wire.payloads import PayloadReader
from crmsdk.wire.report import ReadRow, RejectedRow
from crmsdk.wire.validation import Validator


class OrderCompleted(EventType, name="Order Completed"):
    order_id: Prop[str]
    total: Prop[float | None]


class Person(AttributeSet):
    plan: Prop[str]


READER = PayloadReader(Validator(Catalog([OrderCompleted], [Person])), source="web")
RECEIVED = datetime(2026, 3, 29, 12, 0, 7, tzinfo=UTC)
USER = Identifier(IdentifierKind.USER, "u1")
DEVICE = Identifier(IdentifierKind.ANONYMOUS, "d1")
# As the Python SDKs of Segment and RudderStack send it.
TRACK: dict[str, Any] = {
    "type": "track",
    "event": "Order Completed",
    "properties": {"order_id": "o1", "total": 9.5},
    "messageId": "m1",
    "userId": "u1",
    "anonymousId": None,
    "timestamp": "2026-03-29T12:00:00.000Z",
    "context": {"library": {"name": "python"}},
    "integrations": {},
}
IDENTIFY: dict[str, Any] = {
    "type": "identify",
    "traits": {"plan": "pro", "email": "Ann@Shop.Example", "phone": "+7 (999) 123-45-67"},
    "messageId": "m2",
    "userId": "u1",
    "anonymousId": "d1",
    "timestamp": "2026-03-29T12:00:00Z",
    "context": {"timezone": "Europe/Moscow", "locale": "ru-RU"},
}


def read(payload: object) -> Any:
    return READER.message(payload, received=RECEIVED)


# ----------------------------------------------------------------------------------------- four calls


def test_track() -> None:
    assert read(TRACK) == Track(
        id=EventId("m1"),
        identifiers=[USER],
        at=datetime(2026, 3, 29, 12, tzinfo=UTC),
        received=RECEIVED,
        source="web",
        name="Order Completed",
        properties={"order_id": "o1", "total": 9.5},
    )


def test_identify_makes_identifiers_of_address_and_number() -> None:
    assert read(IDENTIFY) == Identify(
        id=EventId("m2"),
        identifiers=[
            USER,
            DEVICE,
            Identifier(IdentifierKind.EMAIL, "ann@shop.example"),
            Identifier(IdentifierKind.PHONE, "+79991234567"),
        ],
        at=datetime(2026, 3, 29, 12, tzinfo=UTC),
        received=RECEIVED,
        source="web",
        traits={"plan": "pro"},
        zone="Europe/Moscow",
        locale="ru-RU",
    )


def test_a_declared_address_stays_an_attribute_too() -> None:
    class WithEmail(AttributeSet):
        email: Prop[str]

    reader = PayloadReader(Validator(Catalog([], [Person, WithEmail])))
    found = reader.message({**IDENTIFY, "traits": {"email": "a@b.example"}}, received=RECEIVED)
    assert isinstance(found, Identify)
    assert found.traits == {"email": "a@b.example"}
    assert Identifier(IdentifierKind.EMAIL, "a@b.example") in found.identifiers


def test_an_address_alone_names_a_person() -> None:
    found = read({"type": "identify", "messageId": "m", "traits": {"email": "a@b.example"}})
    assert found.identifiers == (Identifier(IdentifierKind.EMAIL, "a@b.example"),)
    assert (found.zone, found.locale, found.at) == (None, None, RECEIVED)


def test_a_null_trait_takes_an_attribute_away_and_a_null_address_says_nothing() -> None:
    found = read({**IDENTIFY, "traits": {"plan": None, "email": None}})
    assert found.traits == {"plan": None}
    assert found.identifiers == (USER, DEVICE)


def test_alias() -> None:
    found = read({"type": "alias", "previousId": "d1", "userId": "u1", "messageId": "m3"})
    assert found == Alias(
        id=EventId("m3"), identifiers=[USER], at=RECEIVED, received=RECEIVED, source="web", previous=DEVICE
    )


def test_group() -> None:
    found = read(
        {"type": "group", "groupId": "acme", "userId": "u1", "messageId": "m4", "traits": {"size": 3}}
    )
    assert found == Group(
        id=EventId("m4"),
        identifiers=[USER],
        at=RECEIVED,
        received=RECEIVED,
        source="web",
        account=AccountId("acme"),
        traits={"size": 3},
    )


def test_ids_may_be_numbers() -> None:
    assert read({**TRACK, "userId": 7}).identifiers == (Identifier(IdentifierKind.USER, "7"),)


@pytest.mark.parametrize(
    ("change", "error", "field"),
    [
        ({"type": "page"}, InputError, "type"),
        ({"type": None}, InputError, "type"),
        ({"type": ["track"]}, InputError, "type"),
        ({"event": "Order Complete"}, UnknownName, ""),
        ({"event": None}, InputError, "event"),
        ({"event": ["x"]}, InputError, "event"),
        ({"userId": None}, InputError, "userId"),
        ({"userId": ""}, InputError, "userId"),
        ({"userId": {"id": 1}}, InputError, "userId"),
        ({"userId": True}, InputError, "userId"),
        ({"properties": {"order_id": 7}}, InputError, "Order Completed.order_id"),
        ({"properties": {"order_id": "1", "sum": 7}}, UnknownName, "Order Completed.sum"),
        ({"properties": ["x"]}, InputError, "properties"),
        ({"context": "x"}, InputError, "context"),
        ({"timestamp": "2026-03-29T12:00:00"}, NaiveMoment, "timestamp"),
        ({"timestamp": "today"}, InputError, "timestamp"),
        ({"timestamp": 1700000000}, InputError, "timestamp"),
        ({"sentAt": "2026-03-29T12:00:00"}, NaiveMoment, "sentAt"),
        ({"messageId": ["x"]}, InputError, "messageId"),
        ({"messageId": None, "timestamp": None}, InputError, "messageId"),
        ({"type": "alias"}, InputError, "previousId"),
        ({"type": "group"}, InputError, "groupId"),
        ({"type": "group", "groupId": "g", "traits": {"a": float("inf")}}, InputError, "traits.a"),
        ({"type": "identify", "traits": {"plan": 3}}, InputError, "traits.plan"),
        ({"type": "identify", "traits": {"plam": "x"}}, UnknownName, ""),
        ({"type": "identify", "traits": {"email": ["x"]}}, InputError, "traits.email"),
        ({"type": "identify", "traits": "x"}, InputError, "traits"),
        ({"type": "identify", "context": {"timezone": "Mars/North"}}, UnknownZone, "context.timezone"),
        ({"type": "identify", "context": {"locale": 3.5}}, InputError, "context.locale"),
    ],
)
def test_a_wrong_payload_names_the_field(change: dict[str, Any], error: type[InputError], field: str) -> None:
    with pytest.raises(error) as caught:
        read({**TRACK, **change})
    assert caught.value.field == field


@pytest.mark.parametrize("payload", [None, [], "track", 3])
def test_a_payload_is_an_object(payload: object) -> None:
    with pytest.raises(InputError, match="give an object"):
        read(payload)


# ----------------------------------------------------------------------------------- times and names


def at(**times: str) -> datetime:
    payload = {key: value for key, value in TRACK.items() if key != "timestamp"} | times
    found = read(payload)
    assert isinstance(found, Track)
    return found.at


def test_a_clock_that_is_off_is_corrected_by_how_far() -> None:
    # The device shows 10:00:05 when it sends; it is received at 12:00:07.
    expected = datetime(2026, 3, 29, 12, 0, 2, tzinfo=UTC)
    assert at(timestamp="2026-03-29T10:00:00Z", sentAt="2026-03-29T10:00:05Z") == expected
    assert at(originalTimestamp="2026-03-29T10:00:00Z", sentAt="2026-03-29T10:00:05Z") == expected


def test_a_clock_that_is_nearly_right_is_believed_so_that_a_repeat_is_the_same_fact() -> None:
    said = datetime(2026, 3, 29, 11, 59, tzinfo=UTC)
    for sent in ("2026-03-29T12:00:05Z", "2026-03-29T12:00:06Z", "2026-03-29T12:01:07Z"):
        assert at(timestamp="2026-03-29T11:59:00Z", sentAt=sent) == said
    assert at(timestamp="2026-03-29T11:59:00Z", sentAt="2026-03-29T12:01:08Z") != said


def test_a_time_corrected_upstream_is_not_corrected_again() -> None:
    found = at(
        timestamp="2026-03-29T11:00:00Z",
        originalTimestamp="2026-03-29T09:00:00Z",
        sentAt="2026-03-29T09:00:01Z",
    )
    assert found == datetime(2026, 3, 29, 11, tzinfo=UTC)


def test_without_a_time_it_happened_on_arrival() -> None:
    assert at() == RECEIVED
    assert at(sentAt="2026-03-29T09:00:01Z") == RECEIVED


@given(
    st.timedeltas(timedelta(0), timedelta(days=3)),
    st.timedeltas(timedelta(days=-400), timedelta(days=400)),
    st.timedeltas(timedelta(0), timedelta(seconds=59)),
)
def test_the_moment_is_right_whatever_the_device_shows(
    queued: timedelta, off: timedelta, travel: timedelta
) -> None:
    happened = RECEIVED - travel - queued
    shown = {"timestamp": (happened + off).isoformat(), "sentAt": (RECEIVED - travel + off).isoformat()}
    assert abs(at(**shown) - happened) <= travel + timedelta(minutes=1)


def test_without_a_message_id_the_content_names_the_fact() -> None:
    bare = {key: value for key, value in TRACK.items() if key != "messageId"}
    first, again = read(bare), READER.message(bare, received=RECEIVED + timedelta(hours=1))
    assert first.id == again.id
    assert first.id.startswith("c-")
    others: list[dict[str, object]] = [
        {"timestamp": "2026-03-29T12:00:00.001Z"},
        {"userId": "u2"},
        {"anonymousId": "d1"},
        {"properties": {"order_id": "o2"}},
    ]
    assert len({read({**bare, **other}).id for other in others} | {first.id}) == 5
    elsewhere = PayloadReader(READER.validator, source="app").message(bare, received=RECEIVED)
    assert elsewhere.id != first.id


def test_a_repeat_from_a_device_with_a_wrong_clock_has_the_same_name() -> None:
    bare = {key: value for key, value in TRACK.items() if key != "messageId"}
    sent = [{**bare, "sentAt": f"2026-03-28T12:00:0{second}Z"} for second in (1, 2)]
    assert read(sent[0]).id == read(sent[1]).id


# -------------------------------------------------------------------------------------------- batches


def test_one_bad_message_stops_no_other() -> None:
    batch = {
        "batch": [TRACK, {**TRACK, "event": "x"}, "nonsense", IDENTIFY],
        "sentAt": "2026-03-29T12:00:05Z",
    }
    rows = list(READER.batch(batch, received=RECEIVED))
    assert [type(row).__name__ for row in rows] == ["ReadRow", "RejectedRow", "RejectedRow", "ReadRow"]
    assert [row.row for row in rows] == [1, 2, 3, 4]
    assert rows[1] == RejectedRow(2, "unknown_event", "unknown event 'x'; declare it first")
    assert isinstance(rows[2], RejectedRow)
    assert "batch[2]" in rows[2].problem


def test_a_batch_lends_its_times_and_context_to_its_messages() -> None:
    early = {**TRACK, "timestamp": "2026-03-29T10:00:00Z"}
    batch = {"batch": [early], "sentAt": "2026-03-29T10:00:05Z"}
    (row,) = READER.batch(batch, received=RECEIVED)
    assert isinstance(row, ReadRow)
    assert row.inputs[0].at == datetime(2026, 3, 29, 12, 0, 2, tzinfo=UTC)
    (row,) = READER.batch(
        {"batch": [{**IDENTIFY, "context": {}}], "context": {"locale": "en"}}, received=RECEIVED
    )
    assert isinstance(row, ReadRow)
    assert isinstance(row.inputs[0], Identify)


def test_a_single_message_is_a_batch_of_one() -> None:
    assert list(READER.batch(TRACK, received=RECEIVED)) == [ReadRow(1, (read(TRACK),))]


def test_a_batch_is_a_list() -> None:
    with pytest.raises(InputError, match="give a list of messages"):
        list(READER.batch({"batch": {"a": 1}}, received=RECEIVED))


def test_json_lines_hold_a_message_each() -> None:
    lines: list[str | bytes] = [
        json.dumps(TRACK),
        "",
        "{broken ann@example.org",
        json.dumps([1]),
        json.dumps({**TRACK, "properties": {"order_id": "o1", "total": float("nan")}}),
        json.dumps({"batch": [TRACK, {**TRACK, "messageId": "m9", "userId": None}]}).encode(),
    ]
    rows = list(READER.lines(lines, received=RECEIVED))
    assert [(row.row, getattr(row, "reason", "")) for row in rows] == [
        (1, ""),
        (3, "not_json"),
        (4, "invalid"),
        (5, "not_json"),
        (6, ""),
        (6, "missing_userId"),
    ]
    assert not any("ann" in row.problem for row in rows if isinstance(row, RejectedRow))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"timestamp": "9999-12-31T23:59:59Z", "sentAt": "0001-01-01T00:00:00Z"}, "timestamp"),
        ({"properties": {"a": "\ud800"}}, "properties.a"),
        ({"event": "\ud800"}, "event"),
        ({"userId": "\ud800"}, "userId"),
        ({"messageId": "\ud800"}, "messageId"),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_no_message_stops_the_batch(change: dict[str, Any], field: str, named: bool) -> None:
    loose = PayloadReader(Validator(Catalog(strict=False)))
    good = {**TRACK, "event": "seen", "properties": {}}
    bad = {**good, **change}
    if not named and "messageId" not in change:
        bad.pop("messageId")
    first, second = loose.batch({"batch": [bad, good]}, received=RECEIVED)
    assert isinstance(first, RejectedRow)
    assert f"field {field!r}" in first.problem
    assert isinstance(second, ReadRow)


def test_another_zone_is_another_fact() -> None:
    plain = {key: value for key, value in IDENTIFY.items() if key != "messageId"}
    said = [plain, {**plain, "context": {"timezone": "Europe/London"}}, {**plain, "context": {}}]
    assert len({read(one).id for one in said}) == 3
    assert read(plain).id == read(plain).id
