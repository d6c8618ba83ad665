"""Values as JSON data and back, without ambiguity: what stores keep properties and attributes in.

Null, booleans, numbers, text and lists are themselves. What JSON lacks is an object with the key ``is``:
``{"is": "moment", "of": "2026-03-29T06:00:00Z"}``, ``{"is": "date", "of": "2026-03-29"}``,
``{"is": "money", "minor": 9000, "currency": "RUB"}``. A mapping is a plain object; one that has a key ``is``
itself is wrapped as ``{"is": "mapping", "of": {...}}``.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeAlias

from crmsdk.errors import InputError
from crmsdk.model.moment import parse_moment, to_moment
from crmsdk.model.money import Money
from crmsdk.model.values import Properties, Value

__all__ = [
    "Json",
    "moment_text",
    "properties_from_json",
    "properties_to_json",
    "value_from_json",
    "value_to_json",
]

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


def moment_text(value: datetime, field: str = "moment") -> str:
    """Write an aware moment as ISO 8601 text in UTC, as ``2026-03-29T06:00:00Z``.

    Raises:
        NaiveMoment: no offset.
    """
    return to_moment(value, field).replace(tzinfo=None).isoformat() + "Z"


def value_to_json(value: Value) -> Json:
    """Give the JSON data of a value in normal form."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return {"is": "moment", "of": moment_text(value)}
        case date():
            return {"is": "date", "of": value.isoformat()}
        case Money():
            return {"is": "money", "minor": value.minor, "currency": value.currency}
        case tuple():
            return [value_to_json(item) for item in value]
        case Mapping():
            return properties_to_json(value)


def properties_to_json(values: Properties) -> dict[str, Json]:
    """Give the JSON object of a mapping of values."""
    out = {key: value_to_json(value) for key, value in values.items()}
    return {"is": "mapping", "of": out} if "is" in out else out


def value_from_json(data: Any, field: str) -> Value:
    """Read a value from JSON data.

    Args:
        data: What ``value_to_json`` gave, after any JSON parser.
        field: The name to use in an error.

    Raises:
        InputError: an object whose ``is`` no value has, or one that is malformed; names the field.
    """
    match data:
        case None | bool() | int() | float() | str():
            return data
        case list():
            return tuple(value_from_json(item, f"{field}[{index}]") for index, item in enumerate(data))
        case {"is": tag, **rest}:
            return _tagged(tag, rest, field)
        case dict():
            return _mapping(data, field)
        case _:
            raise InputError(f"is {type(data).__name__}, which is not JSON", field=field)


def properties_from_json(data: Any, field: str) -> Properties:
    """Read a mapping of values from a JSON object.

    Raises:
        InputError: not an object, or one that is no mapping; names the field.
    """
    found = value_from_json(data, field)
    if not isinstance(found, dict):
        raise InputError("is not a mapping; give a JSON object", field=field)
    return found


def _mapping(data: dict[str, Any], field: str) -> dict[str, Value]:
    return {key: value_from_json(item, f"{field}.{key}") for key, item in data.items()}


def _tagged(tag: object, rest: dict[Any, Any], field: str) -> Value:
    match tag, rest:
        case "moment", {"of": str(text), **extra} if not extra:
            return parse_moment(text, field)
        case "date", {"of": str(text), **extra} if not extra:
            try:
                return date.fromisoformat(text)
            except ValueError:
                raise InputError("is not a date as '2026-03-29'", field=field) from None
        case "money", {"minor": minor, "currency": currency, **extra} if not extra:
            try:
                return Money(minor, currency)
            except InputError as error:
                raise InputError(error.problem, field=f"{field}.{error.field}") from error
        case "mapping", {"of": dict(data), **extra} if not extra:
            return _mapping(data, field)
        case (("moment" | "date" | "money" | "mapping"), _):
            raise InputError(f"is a malformed {tag}", field=field)
        case _:
            raise InputError("has an 'is' that is none of 'moment', 'date', 'money', 'mapping'", field=field)
