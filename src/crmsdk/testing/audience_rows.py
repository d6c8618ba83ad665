"""Facts as rows of the default layout: what a test of an audience fills its tables with."""

import json
from collections.abc import Iterable
from typing import Any

import attrs

from crmsdk.model.facts import Facts
from crmsdk.model.moment import to_micros
from crmsdk.model.value_json import value_to_json

__all__ = ["AudienceRows", "audience_rows"]


@attrs.frozen(kw_only=True)
class AudienceRows:
    """The rows of the four tables, columns in the order of the default layout; moments in microseconds.

    Attributes:
        people: (id, zone).
        events: (customer, id, name, at, properties as JSON).
        attributes: (customer, name, value as JSON, at, id).
        consents: (customer, channel, purpose, state, at, id).
    """

    people: list[tuple[str, str | None]]
    events: list[tuple[str, str, str, int, str]]
    attributes: list[tuple[str, str, str, int, str]]
    consents: list[tuple[str, str, str, str, int, str]]


def audience_rows(facts: Iterable[Facts]) -> AudienceRows:
    """Write the facts of many people as rows."""
    rows = AudienceRows(people=[], events=[], attributes=[], consents=[])
    for each in facts:
        who = each.customer
        rows.people.append((who, each.zone))
        for event in each.events:
            properties = {name: value_to_json(value) for name, value in event.properties.items()}
            rows.events.append((who, event.id, event.name, to_micros(event.at), _text(properties)))
        for write in each.attributes:
            value = _text(value_to_json(write.value))
            rows.attributes.append((who, write.name, value, to_micros(write.at), write.id))
        for entry in each.consents:
            rows.consents.append(
                (who, entry.channel, entry.purpose, entry.state.value, to_micros(entry.at), entry.id)
            )
    return rows


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
