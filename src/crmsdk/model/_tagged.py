"""Kinds of content that hold no other: constants, money, values, and leafs that say what they are."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.model._kinds import RESERVED, found, located, misread, unfit
from crmsdk.model._leaves import DATE, MOMENT, Leaf, number, text
from crmsdk.model.money import Money
from crmsdk.model.value_json import Json, value_from_json, value_to_json
from crmsdk.model.values import normal


@attrs.frozen
class Tagged:
    """A leaf that shares a union with other text, and so says what it is."""

    leaf: Leaf

    rank = 1

    @property
    def wanted(self) -> str:
        """As the leaf, in an object."""
        return f"an object with 'is' {self.leaf.tag!r}"

    def fits(self, value: Any) -> bool:
        """Ask the leaf."""
        return self.leaf.fits(value)

    def takes(self, data: Any) -> bool:
        """Look at the tag."""
        return isinstance(data, dict) and data.get("is") == self.leaf.tag

    def write(self, value: Any, path: str, depth: int, /) -> Json:
        """Wrap the scalar."""
        return {"is": self.leaf.tag, "of": self.leaf.write(value, path, depth)}

    def read(self, data: Any, path: str, depth: int, /) -> Any:
        """Unwrap the scalar."""
        if not self.takes(data) or set(data) != {"is", "of"}:
            raise DefinitionError(f"is not {self.wanted} and 'of'", path=path)
        return self.leaf.read(data["of"], path, depth)

    def schema(self, defs: dict[str, Json], /) -> dict[str, Json]:
        """Describe the object."""
        return closed({"is": {"const": self.leaf.tag}, "of": self.leaf.schema(defs)})


def closed(properties: dict[str, Json]) -> dict[str, Json]:
    required: list[Json] = list(properties)
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


@attrs.frozen
class Choice:
    """One of a few constants: an enumeration by its values, or a literal."""

    options: Mapping[Any, Any]
    """The Python value of each JSON constant."""

    rank = 1

    @classmethod
    def of(cls, constants: "type[Enum] | tuple[Any, ...]", path: str) -> "Choice":
        """Build it from an Enum class or the arguments of a Literal.

        Raises:
            DefinitionError: a constant is neither text, a number nor a boolean, or two look alike in JSON.
        """
        members = constants if isinstance(constants, tuple) else tuple(constants)
        options = {item.value if isinstance(item, Enum) else item: item for item in members}
        if len(options) != len(members) or not all(isinstance(key, str | int) for key in options):
            raise DefinitionError("needs constants that are distinct text, integers or booleans", path=path)
        return cls(options)

    @property
    def wanted(self) -> str:
        """Name the constants."""
        return "one of " + ", ".join(repr(key) for key in self.options)

    def fits(self, value: Any) -> bool:
        """Look among the Python values; True is not 1."""
        return any(type(value) is type(item) and value == item for item in self.options.values())

    def takes(self, data: Any) -> bool:
        """Look among the constants; true is not 1."""
        return any(type(data) is type(key) and data == key for key in self.options)

    def write(self, value: Any, path: str, _depth: int, /) -> Json:
        """Give the constant."""
        if not self.fits(value):
            raise unfit(value, self.wanted, path)
        constant: Json = value.value if isinstance(value, Enum) else value
        return constant

    def read(self, data: Any, path: str, _depth: int, /) -> Any:
        """Give the value of the constant."""
        if not self.takes(data):
            shown = repr(data) if isinstance(data, str) and len(data) < 40 else found(data)
            raise DefinitionError(f"is {shown}; give {self.wanted}", path=path)
        return self.options[data]

    def schema(self, _defs: dict[str, Json], /) -> dict[str, Json]:
        """List the constants."""
        return {"enum": list(self.options)}


@attrs.frozen
class MoneyKind:
    """An amount in a field of type Money."""

    rank = 1
    wanted = "money as {'is': 'money', 'minor': 9000, 'currency': 'RUB'}"

    def fits(self, value: Any) -> bool:
        """Look at the class."""
        return isinstance(value, Money)

    def takes(self, data: Any) -> bool:
        """Look at the tag."""
        return isinstance(data, dict) and data.get("is") == "money"

    def write(self, value: Any, path: str, _depth: int, /) -> Json:
        """Give the object."""
        if not self.fits(value):
            raise unfit(value, self.wanted, path)
        return value_to_json(value)

    def read(self, data: Any, path: str, _depth: int, /) -> Any:
        """Give the amount."""
        if not self.takes(data):
            raise misread(data, self.wanted, path)
        with located(path):
            return value_from_json(data, "")

    def schema(self, _defs: dict[str, Json], /) -> dict[str, Json]:
        """Describe the object."""
        return closed(
            {
                "is": {"const": "money"},
                "minor": {"type": "integer"},
                "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
            }
        )


@attrs.frozen
class AnyValue:
    """Any value of an attribute or a property."""

    rank = 9
    wanted = "a value: text, a number, a boolean, a date, a moment, money, a list or a mapping"

    def fits(self, value: Any) -> bool:
        """Look at the class, at the top level only."""
        return value is None or isinstance(
            value, bool | int | float | str | datetime | date | Money | tuple | Mapping
        )

    def takes(self, data: Any) -> bool:
        """Take all but definitions."""
        return not (isinstance(data, dict) and isinstance(tag := data.get("is"), str)) or tag in RESERVED

    def write(self, value: Any, path: str, _depth: int, /) -> Json:
        """Give the JSON data of the normal form."""
        if not self.fits(value):
            raise unfit(value, self.wanted, path)
        with located(path):
            return self._scalars(value_to_json(normal(value, "")))

    def _scalars(self, data: Json) -> Json:
        match data:
            case float():
                return number(data)
            case str():
                return text(data)
            case list():
                return [self._scalars(item) for item in data]
            case dict():
                return {text(key): self._scalars(item) for key, item in data.items()}
            case _:
                return data

    def read(self, data: Any, path: str, _depth: int, /) -> Any:
        """Give the value in normal form."""
        with located(path):
            return normal(value_from_json(bounded(data, path), ""), "")

    def schema(self, defs: dict[str, Json], /) -> dict[str, Json]:
        """Describe it once, as the shared part ``value``."""
        ref: dict[str, Json] = {"$ref": "#/$defs/value"}
        if "value" not in defs:
            plain: dict[str, Json] = {
                "type": "object",
                "not": {"required": ["is"]},
                "additionalProperties": ref,
            }
            defs["value"] = {
                "description": "A value of an attribute or a property.",
                "anyOf": [
                    {"type": ["null", "boolean", "number", "string"]},
                    Tagged(MOMENT).schema(defs),
                    Tagged(DATE).schema(defs),
                    MoneyKind().schema(defs),
                    {"type": "array", "items": ref},
                    plain,
                    closed(
                        {"is": {"const": "mapping"}, "of": {"type": "object", "additionalProperties": ref}}
                    ),
                ],
            }
        return ref


def bounded(data: Any, path: str, depth: int = 20) -> Any:
    """Give the data back if it is not nested too deep for any value (eight levels, tags included)."""
    items = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    if items and depth == 0:
        raise DefinitionError("is nested deeper than eight levels; flatten it")
    for item in items:
        bounded(item, path, depth - 1)
    return data
