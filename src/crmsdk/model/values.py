"""The values attributes and event properties may hold, in one normal form.

A value is text (NFC), a boolean, an integer, a finite float, a date, an aware moment in UTC, money, a list
of values (kept as a tuple) or a mapping of text to values. Missing, absent, null and NaN are one thing:
``None``. The empty string is a value.
"""

import math
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TypeAlias

from crmsdk.errors import InputError
from crmsdk.model.moment import to_moment
from crmsdk.model.money import Money

__all__ = ["EMPTY", "Properties", "Value", "normal", "properties", "text"]

Value: TypeAlias = (
    bool | int | float | str | datetime | date | Money | tuple["Value", ...] | Mapping[str, "Value"] | None
)
Properties: TypeAlias = Mapping[str, Value]

EMPTY: Properties = {}
_DEPTH = 8
_BITS = 512  # of an integer: averages of such integers still fit a float


def text(value: object, field: str, *, empty: bool = False) -> str:
    """Take text that names or tells something, as every store can hold it.

    Args:
        value: What came from outside.
        field: The name to use in an error.
        empty: Whether nothing may be said.

    Raises:
        InputError: another kind of value, empty text, or half a surrogate pair.
    """
    if not isinstance(value, str) or not (value or empty):
        kind = "empty" if isinstance(value, str) else type(value).__name__
        raise InputError(f"is {kind}; give {'' if empty else 'non-empty '}text", field=field)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InputError("holds half a surrogate pair; give valid Unicode text", field=field) from None
    return value


def normal(value: object, field: str, depth: int = _DEPTH) -> Value:
    """Bring a value into normal form.

    Args:
        value: What came from outside.
        field: The name to use in an error.
        depth: How many more levels of lists and mappings are allowed.

    Members of enumerations and numbers of other libraries become plain text and numbers: how a value is
    written must not depend on whether it was stored in between.

    Raises:
        NaiveMoment: a datetime without an offset, at any depth.
        InputError: a kind of value that no executor knows (bytes, objects), an infinite float, an integer or
            amount of over 512 bits, half a surrogate pair, two keys that differ in their Unicode form only,
            more than eight levels.
    """
    match value:
        case None | bool():
            return value
        case int():
            return _integer(value, field)
        case Money():
            _integer(value.minor, f"{field}.minor")
            return value
        case str():
            plain = value if type(value) is str else str.__str__(value)
            return plain if plain.isascii() else unicodedata.normalize("NFC", text(plain, field))
        case float():
            if math.isnan(value):
                return None
            if math.isinf(value):
                raise InputError("is infinite; leave it out or give a finite number", field=field)
            return value if type(value) is float else float(value)
        case datetime():
            return None if value != value else to_moment(value, field)  # noqa: PLR0124 - as NaN, NaT of pandas is missing
        case date():
            return value
        case Mapping() | list() | tuple():
            if depth == 0:
                raise InputError("is nested deeper than eight levels; flatten it", field=field)
            if isinstance(value, Mapping):
                return _mapping(value, field, depth - 1)
            return _sequence(value, field, depth - 1)
        case _:
            raise InputError(
                f"is {type(value).__name__}; give text, a number, a boolean, a date, an aware moment, Money, "
                "a list or a mapping",
                field=field,
            )


def _integer(value: int, field: str) -> int:
    if value.bit_length() > _BITS:
        raise InputError(f"is an integer of over {_BITS} bits; give it as text", field=field)
    return value if type(value) is int else int(value)


def _sequence(value: Sequence[object], field: str, depth: int) -> tuple[Value, ...]:
    return tuple(normal(item, f"{field}[{index}]", depth) for index, item in enumerate(value))


def _mapping(value: Mapping[str, object], field: str, depth: int) -> Properties:
    out: dict[str, Value] = {}
    for key, item in value.items():
        if not isinstance(key, str) or not key:  # a JSON document cannot do this, a Python caller can
            raise InputError(f"has a key of kind {type(key).__name__}; keys are non-empty text", field=field)
        if not key.isascii():
            text(key, f"a key of {field}")
        name = key if key.isascii() else unicodedata.normalize("NFC", key)
        if name in out:
            raise InputError("has one key in two Unicode forms; keep one", field=f"{field}.{name}")
        out[name] = normal(item, f"{field}.{key}", depth)
    return out


def properties(value: Mapping[str, object], field: str = "properties") -> Properties:
    """Bring a mapping of properties or attributes into normal form, as a copy.

    The copy is typed read-only; a plain dict inside, because a proxy can be neither pickled nor hashed.

    Raises:
        InputError: as ``normal``, or no mapping.
    """
    if not isinstance(value, Mapping):
        raise InputError(f"is {type(value).__name__}; give a mapping of names to values", field=field)
    return _mapping(value, field, _DEPTH) if value else EMPTY
