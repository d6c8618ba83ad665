"""Names for facts that came without one: a hash of all they say."""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime

from crmsdk.model.customer import Identifier
from crmsdk.model.ids import EventId
from crmsdk.model.value_json import Json, moment_text, properties_to_json
from crmsdk.model.values import Properties

__all__ = ["content_id"]


def content_id(
    kind: str,
    identifiers: Iterable[Identifier],
    *,
    at: datetime,
    values: Properties,
    source: str,
    about: str = "",
) -> EventId:
    """Derive the id of a fact from its content, so that the same fact told twice is one.

    Two facts that are equal in everything, to the microsecond, are one as well: what may truly happen twice
    at one moment needs an id of its own.

    Args:
        kind: ``track``, ``identify`` …
        identifiers: Names of the person.
        at: When it happened, aware.
        values: Properties or traits.
        source: Where it came from.
        about: The event's name, the account, the earlier identifier.

    Returns:
        ``c-`` and 32 hexadecimal digits of BLAKE2b.
    """
    who: list[Json] = [[name.kind.value, name.value] for name in sorted(identifiers, key=_place)]
    content: list[Json] = [kind, about, who, moment_text(at), properties_to_json(values), source]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return EventId("c-" + hashlib.blake2b(text.encode(), digest_size=16).hexdigest())


def _place(name: Identifier) -> tuple[str, str]:
    return (name.kind.value, name.value)
