"""Values and moments as SQLite columns hold them: JSON text and integer microseconds."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from crmsdk.model.changing import assembler
from crmsdk.model.moment import from_micros, to_micros
from crmsdk.model.money import Money
from crmsdk.model.value_json import properties_from_json, value_from_json, value_to_json
from crmsdk.model.values import EMPTY, Properties, Value

__all__ = ["micros", "moment", "properties_of", "properties_text", "value_of", "value_text"]

# The C encoder writes plain values in one go and hands the others to value_to_json.
_ENCODER: Final = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",", ":"), default=value_to_json
)
_ASCII: Final = json.JSONEncoder(separators=(",", ":"))
_NESTED: Final = (tuple, dict)
_KEY: Final = "is"
_TAG: Final = '"is"'
_LIST: Final = "["
_WRAPPED: Final = '"mapping"'


def _untagged(data: dict[str, Any]) -> Any:
    """Read one object of a text without wrapped mappings: there ``is`` is always a tag."""
    if _KEY not in data:
        return data
    if data[_KEY] == "money":
        return _made_money(minor=data["minor"], currency=data["currency"])
    return value_from_json(data, "value")


_made_money: Callable[..., Money] = assembler(Money)
_DECODER: Final = json.JSONDecoder(object_hook=_untagged)


def micros(value: datetime | None) -> int | None:
    """Give the microseconds of a moment; None for None."""
    return None if value is None else to_micros(value)


def moment(value: int | None) -> datetime | None:
    """Give the moment of so many microseconds; None for None."""
    return None if value is None else from_micros(value)


def value_text(value: Value) -> str:
    """Write a value as JSON text from which ``value_of`` reads the very same value."""
    if isinstance(value, tuple | Mapping):
        # Some mapping inside may have the key "is", which has to be told from a tag.
        text = _ENCODER.encode(value_to_json(value))
    else:
        text = _ENCODER.encode(value)
    return text if text.isascii() else _storable(text)


def properties_text(values: Properties) -> str:
    """Write a mapping of values as JSON text."""
    if not values:
        return "{}"
    if _KEY in values or any(isinstance(value, _NESTED) for value in values.values()):
        return value_text(values)
    text = _ENCODER.encode(values)
    return text if text.isascii() else _storable(text)


def value_of(text: str) -> Value:
    """Read what ``value_text`` wrote."""
    if _LIST in text or _WRAPPED in text:
        return value_from_json(json.loads(text), "value")
    found: Value = _DECODER.decode(text) if _TAG in text else json.loads(text)
    return found


def properties_of(text: str) -> Properties:
    """Read what ``properties_text`` wrote."""
    if text == "{}":
        return EMPTY
    if _LIST in text or _WRAPPED in text:
        return properties_from_json(json.loads(text), "properties")
    found: Properties = _DECODER.decode(text) if _TAG in text else json.loads(text)
    return found


def _storable(text: str) -> str:
    """Escape half a surrogate pair, which JSON can hold and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _ASCII.encode(json.loads(text))
    return text
