"""Values and moments as SQLite columns hold them: JSON text and integer microseconds."""

import json
from datetime import datetime
from typing import Final

from crmsdk.model.moment import from_micros, to_micros
from crmsdk.model.value_json import properties_from_json, value_from_json, value_to_json
from crmsdk.model.values import EMPTY, Properties, Value

__all__ = ["micros", "moment", "properties_of", "properties_text", "value_of", "value_text"]

# The C encoder writes plain values in one go and hands the others to value_to_json.
_ENCODER: Final = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",", ":"), default=value_to_json
)
_ASCII: Final = json.JSONEncoder(separators=(",", ":"))
_TAG: Final = '"is"'
_LIST: Final = "["


def micros(value: datetime | None) -> int | None:
    """Give the microseconds of a moment; None for None."""
    return None if value is None else to_micros(value)


def moment(value: int | None) -> datetime | None:
    """Give the moment of so many microseconds; None for None."""
    return None if value is None else from_micros(value)


def value_text(value: Value) -> str:
    """Write a value as JSON text from which ``value_of`` reads the very same value."""
    text = _ENCODER.encode(value)
    if _TAG in text:
        # Some mapping may have a key of that name, which has to be told from a tag.
        text = _ENCODER.encode(value_to_json(value))
    return _storable(text) if not text.isascii() else text


def properties_text(values: Properties) -> str:
    """Write a mapping of values as JSON text."""
    return value_text(values) if values else "{}"


def value_of(text: str) -> Value:
    """Read what ``value_text`` wrote."""
    data = json.loads(text)
    return value_from_json(data, "value") if _TAG in text or _LIST in text else data


def properties_of(text: str) -> Properties:
    """Read what ``properties_text`` wrote."""
    if text == "{}":
        return EMPTY
    data = json.loads(text)
    return properties_from_json(data, "properties") if _TAG in text or _LIST in text else data


def _storable(text: str) -> str:
    """Escape half a surrogate pair, which JSON can hold and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _ASCII.encode(json.loads(text))
    return text
