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
_NESTED: Final = (tuple, dict)
_KEY: Final = "is"
_TAG: Final = '"is"'
_LIST: Final = "["
_NULL: Final = "null"
_WRAPPED: Final = '"mapping"'


def _untagged(data: dict[str, Any]) -> Any:
    """Read one object of a text without wrapped mappings: there ``is`` is always a tag."""
    if _KEY not in data:
        return data
    if data[_KEY] == "money":
        return _made_money(minor=data["minor"], currency=data["currency"])
    return value_from_json(data, "value")


_made_money: Callable[..., Money] = assembler(Money)
# What we wrote begins at once and ends with the value, so nothing need be skipped around it.
_read_plain: Final = json.JSONDecoder().raw_decode
_read_tagged: Final = json.JSONDecoder(object_hook=_untagged).raw_decode


def micros(value: datetime | None) -> int | None:
    """Give the microseconds of a moment; None for None."""
    return None if value is None else to_micros(value)


def moment(value: int | None) -> datetime | None:
    """Give the moment of so many microseconds; None for None."""
    return None if value is None else from_micros(value)


def value_text(value: Value) -> str:
    """Write a value as JSON text from which ``value_of`` reads the very same value."""
    if value is None:
        return _NULL
    if isinstance(value, tuple | Mapping):
        # Some mapping inside may have the key "is", which has to be told from a tag.
        return _ENCODER.encode(value_to_json(value))
    return _ENCODER.encode(value)


def properties_text(values: Properties) -> str:
    """Write a mapping of values as JSON text."""
    if not values:
        return "{}"
    if _KEY in values or any(isinstance(value, _NESTED) for value in values.values()):
        return value_text(values)
    return _ENCODER.encode(values)


def value_of(text: str) -> Value:
    """Read what ``value_text`` wrote."""
    if text == _NULL:
        return None
    if _LIST in text or _WRAPPED in text:
        return value_from_json(_read_plain(text)[0], "value")
    found: Value = _read_tagged(text)[0] if _TAG in text else _read_plain(text)[0]
    return found


def properties_of(text: str) -> Properties:
    """Read what ``properties_text`` wrote."""
    if text == "{}":
        return EMPTY
    if _LIST in text or _WRAPPED in text:
        return properties_from_json(_read_plain(text)[0], "properties")
    found: Properties = _read_tagged(text)[0] if _TAG in text else _read_plain(text)[0]
    return found
