"""Payloads of the Segment spec: identify, track, alias, group and batch, as SDKs and webhooks send them.

Source:
    https://segment.com/docs/connections/spec/common/ and the pages of the four calls. Python SDKs send
    ``anonymousId`` as null, keep ``timestamp`` in each message and ``sentAt`` at the batch.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs

from crmsdk.errors import CrmsdkError, InputError
from crmsdk.model.customer import Identifier, IdentifierKind
from crmsdk.model.ids import AccountId, EventId
from crmsdk.model.inputs import Alias, Group, Identify, Input, Track
from crmsdk.model.moment import to_moment
from crmsdk.model.values import Properties, properties, text
from crmsdk.model.zones import zone
from crmsdk.wire.naming import content_id
from crmsdk.wire.report import ReadRow, RejectedRow, Row
from crmsdk.wire.validation import Validator

__all__ = ["PayloadReader"]

_TRUSTED = timedelta(minutes=1)
_NAMES = {"email": IdentifierKind.EMAIL, "phone": IdentifierKind.PHONE}


@attrs.frozen
class PayloadReader:
    """Reads payloads against a catalog.

    Traits ``email`` and ``phone`` become identifiers and no attributes, unless the catalog declares them;
    ``context.timezone`` and ``context.locale`` become the person's zone and locale. Keys this reader does not
    know are left alone, as the spec asks.

    Attributes:
        validator: Checks properties and traits.
        source: Where the payloads come from; the provenance of what they say.
        trusted: How far a device's clock may be off and is believed. Within it the moment is the same for
            every repeat of a message; beyond it the moment is corrected by how far the clock is off.
    """

    validator: Validator
    source: str = ""
    trusted: timedelta = _TRUSTED

    def message(self, payload: object, *, received: datetime) -> Input:
        """Read one message.

        Args:
            payload: A JSON object, parsed.
            received: When it arrived, aware.

        Raises:
            UnknownName: the event, a property or a trait nobody declared.
            NaiveMoment: a time without an offset.
            UnknownZone: ``context.timezone`` is no zone.
            InputError: anything else that is not as the spec says; the field is named.
        """
        return _Message(self, _mapping(payload, "payload"), to_moment(received, "received")).read()

    def batch(self, payload: object, *, received: datetime) -> Iterator[Row]:
        """Read a batch, or one message; what is wrong with one message stops no other.

        Args:
            payload: A JSON object with the key ``batch``, or one message, parsed.
            received: When it arrived, aware.

        Raises:
            InputError: it is no object, or its ``batch`` is no list.
        """
        whole = _mapping(payload, "payload")
        messages = whole.get("batch", [whole])
        if not isinstance(messages, list | tuple):
            raise InputError(f"is {type(messages).__name__}; give a list of messages", field="batch")
        shared = {key: whole[key] for key in ("sentAt", "context") if key in whole}
        return self._rows(messages, shared, received)

    def lines(self, lines: Iterable[str | bytes], *, received: datetime) -> Iterator[Row]:
        """Read JSON lines, one message or batch each; empty lines are skipped.

        Args:
            lines: An open file, or any lines.
            received: When they arrived, aware.
        """
        from pydantic_core import from_json  # noqa: PLC0415 - a process that validates nothing never loads it

        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                found = list(self.batch(from_json(line, allow_inf_nan=False), received=received))
            except ValueError:  # the parser's words would show the line
                yield RejectedRow(number, "not_json", f"row {number}: is not one JSON object; mend the line")
            except CrmsdkError as error:
                yield RejectedRow.of(number, error)
            else:
                yield from (attrs.evolve(row, row=number) for row in found)

    def _rows(
        self, messages: Sequence[object], shared: Mapping[str, object], received: datetime
    ) -> Iterator[Row]:
        for number, message in enumerate(messages, 1):
            try:
                one = {**shared, **_mapping(message, f"batch[{number - 1}]")}
                yield ReadRow(number, (self.message(one, received=received),))
            except CrmsdkError as error:
                yield RejectedRow.of(number, error)


class _Message:
    """One message while it is read."""

    def __init__(self, reader: PayloadReader, payload: Mapping[str, Any], received: datetime) -> None:
        self.reader = reader
        self.payload = payload
        self.received = received
        self.context = _mapping(payload.get("context") or {}, "context")

    def read(self) -> Input:
        kinds: Mapping[str, Callable[[], Input]] = {
            "identify": self._identify,
            "track": self._track,
            "alias": self._alias,
            "group": self._group,
        }
        kind = self.payload.get("type")
        if not isinstance(kind, str) or kind not in kinds:
            raise InputError(
                "is none of identify, track, alias and group; send a page or screen as track", field="type"
            )
        return kinds[kind]()

    def _identify(self) -> Input:
        traits = dict(self._traits())
        names = [*self._who(needed=False)]
        for trait, kind in _NAMES.items():
            declared = any(spec.name == trait for spec in self.reader.validator.catalog.attributes)
            if traits.get(trait) is not None:
                names.append(Identifier(kind, _text(traits[trait], f"traits.{trait}")))
            if not declared:
                traits.pop(trait, None)
        if not names:
            raise _nobody()
        found = self.reader.validator.traits(traits, source=self.reader.source)
        place = _optional_text(self.context.get("timezone"), "context.timezone")
        locale = _optional_text(self.context.get("locale"), "context.locale")
        about = "/".join((place or "", locale or "")) if place or locale else ""
        return Identify(
            id=self._id("identify", names, found, about=about),
            identifiers=names,
            at=self._at(),
            received=self.received,
            source=self.reader.source,
            traits=found,
            zone=None if place is None else zone(place, "context.timezone").key,
            locale=locale,
        )

    def _track(self) -> Input:
        names = self._who()
        event = _text(self.payload.get("event"), "event")
        given = _mapping(self.payload.get("properties") or {}, "properties")
        found = self.reader.validator.properties(event, given)
        return Track(
            id=self._id("track", names, found, about=event),
            identifiers=names,
            at=self._at(),
            received=self.received,
            source=self.reader.source,
            name=event,
            properties=found,
        )

    def _alias(self) -> Input:
        names = self._who()
        # The spec does not say what kind of name it is; in practice it is the anonymous one.
        previous = Identifier(IdentifierKind.ANONYMOUS, _text(self.payload.get("previousId"), "previousId"))
        return Alias(
            id=self._id("alias", [*names, previous], {}),
            identifiers=names,
            at=self._at(),
            received=self.received,
            source=self.reader.source,
            previous=previous,
        )

    def _group(self) -> Input:
        names = self._who()
        account = AccountId(_text(self.payload.get("groupId"), "groupId"))
        traits = properties(self._traits(), "traits")
        return Group(
            id=self._id("group", names, traits, about=account),
            identifiers=names,
            at=self._at(),
            received=self.received,
            source=self.reader.source,
            account=account,
            traits=traits,
        )

    def _traits(self) -> Mapping[str, Any]:
        return _mapping(self.payload.get("traits") or {}, "traits")

    def _who(self, *, needed: bool = True) -> list[Identifier]:
        pairs = ((IdentifierKind.USER, "userId"), (IdentifierKind.ANONYMOUS, "anonymousId"))
        names = [
            Identifier(kind, _text(self.payload[key], key))
            for kind, key in pairs
            if self.payload.get(key) not in (None, "")
        ]
        if needed and not names:
            raise _nobody()
        return names

    def _id(self, kind: str, names: Sequence[Identifier], values: Properties, *, about: str = "") -> EventId:
        given = _optional_text(self.payload.get("messageId"), "messageId")
        if given is not None:
            return EventId(given)
        said = self._said()
        if said is None:
            raise InputError("is missing, and so is timestamp; give one of them", field="messageId")
        return content_id(kind, names, at=said, values=values, source=self.reader.source, about=about)

    def _said(self) -> datetime | None:
        """When the sender says it happened; a time already corrected upstream goes before the original."""
        for key in ("timestamp", "originalTimestamp"):
            if self.payload.get(key) is not None:
                return to_moment(self.payload[key], key)
        return None

    def _at(self) -> datetime:
        """When it happened by our clock: ``received - (sentAt - originalTimestamp)``.

        Source:
            https://segment.com/docs/connections/spec/common/#timestamps
        """
        said = self._said()
        if said is None:
            return self.received
        corrected = (
            self.payload.get("timestamp") is not None and self.payload.get("originalTimestamp") is not None
        )
        if corrected or self.payload.get("sentAt") is None:
            return said
        off = self.received - to_moment(self.payload["sentAt"], "sentAt")
        try:
            return said if abs(off) <= self.reader.trusted else said + off
        except OverflowError:
            raise InputError("with sentAt lies outside the years 1 to 9999", field="timestamp") from None


def _nobody() -> InputError:
    return InputError("is missing, and so is anonymousId; give one of them", field="userId")


def _mapping(value: object, field: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(f"is {type(value).__name__}; give an object", field=field)
    return value


def _text(value: object, field: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # SDKs of languages without types send numbers as ids
    if value is None or value == "":
        raise InputError("is missing; give text", field=field)
    return text(value, field)


def _optional_text(value: object, field: str) -> str | None:
    return None if value is None or value == "" else _text(value, field)
