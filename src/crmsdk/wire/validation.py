"""Checks data from outside against the catalog, by pydantic, each declaration compiled at its first use."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from crmsdk.errors import InputError, NaiveMoment, UnknownName
from crmsdk.model.catalog import Catalog, EventSpec, PropSpec
from crmsdk.model.comparison import kind_of
from crmsdk.model.values import Properties, Value, normal, properties
from crmsdk.wire.models import model_of, plain_properties

if TYPE_CHECKING:
    from pydantic import BaseModel, TypeAdapter, ValidationError
    from pydantic_core import ErrorDetails

__all__ = ["Validator"]


class Validator:
    """Turns properties and traits from outside into normal form, or says what is wrong with which field.

    Args:
        catalog: What exists.
        lax: Read text as numbers, yes or no, and lists, as tables need it; JSON and Python data do not.
    """

    def __init__(self, catalog: Catalog, *, lax: bool = False) -> None:
        self.catalog = catalog
        self.lax = lax
        self._adapters: dict[PropSpec, TypeAdapter[Value]] = {}

    def properties(self, event: str, given: Mapping[str, object]) -> Properties:
        """Check the properties of an event.

        Args:
            event: The event's name.
            given: What came; null, NaN and absent are one thing.

        Returns:
            In normal form, defaults filled in, without what is missing.

        Raises:
            UnknownName: nobody declared the event or a property, and the catalog is strict.
            NaiveMoment: a moment without an offset.
            InputError: a property is missing or of another type.
        """
        spec = self.catalog.event(event)
        if spec is None:
            return properties(given)
        model = model_of(spec)
        if model is not None:
            return self._by_model(spec, model, given)
        declared = {prop.name: prop for prop in spec.properties}
        present = {name: value for name, value in given.items() if not _missing(value)}
        unknown = {name: value for name, value in present.items() if name not in declared}
        if unknown and self.catalog.strict:
            name = next(iter(unknown))
            raise UnknownName("property", name, list(declared), field=f"{event}.{name}")
        found = dict(properties(unknown, event))
        for name, prop in declared.items():
            if name in present:
                found[name] = self._checked(prop, present[name], f"{event}.{name}")
            elif prop.default is not None:
                found[name] = prop.default
            elif not prop.optional:
                raise InputError(f"is missing; give {prop.described}", field=f"{event}.{name}")
        return found

    def traits(self, given: Mapping[str, object], *, source: str = "") -> Properties:
        """Check attributes of a customer; None, which takes one away, passes.

        Args:
            given: Attribute names and values.
            source: Who says so; a declaration may name the only sources allowed.

        Raises:
            UnknownName: nobody declared an attribute, and the catalog is strict.
            NaiveMoment: a moment without an offset.
            InputError: an attribute is of another type, or this source may not write it.
        """
        found: dict[str, Value] = {}
        for name, value in given.items():
            spec = self.catalog.attribute(name)
            if spec is None:
                found |= properties({name: value}, "traits")
                continue
            if spec.sources and source not in spec.sources:
                raise InputError(
                    f"is written by {' or '.join(spec.sources)} only, not by {source!r}; leave it out",
                    field=f"traits.{name}",
                )
            found[name] = None if _missing(value) else self._checked(spec, value, f"traits.{name}")
        return found

    def _checked(self, spec: PropSpec, value: object, field: str) -> Value:
        adapter = self._adapters.get(spec)
        if adapter is None:
            # So late that a process that validates nothing never loads pydantic.
            from crmsdk.wire._fields import adapter_of  # noqa: PLC0415

            adapter = self._adapters[spec] = adapter_of(spec, lax=self.lax)
        try:
            return adapter.validate_python(value)
        except ValueError as error:  # pydantic's ValidationError, without importing it
            raise _fault(error, field, value, spec) from None

    def _by_model(self, spec: EventSpec, model: "type[BaseModel]", given: Mapping[str, object]) -> Properties:
        declared = {prop.name: prop for prop in spec.properties}
        present = {name: value for name, value in given.items() if not _missing(value)}
        unknown = next((name for name in present if name not in declared), None)
        if unknown is not None and self.catalog.strict:
            raise UnknownName("property", unknown, list(declared), field=f"{spec.name}.{unknown}")
        try:
            return plain_properties(model.model_validate(present))
        except ValueError as error:
            first = _first(error)
            where = "".join(f".{part}" for part in first["loc"])
            message = f"is refused by {model.__name__} ({first['type']}); give what the model declares"
            raise InputError(message, field=f"{spec.name}{where}") from None


def _missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _kind(value: object) -> str:
    try:
        return kind_of(normal(value, ""))
    except InputError:
        return type(value).__name__


def _first(error: ValueError) -> "ErrorDetails":
    found: ValidationError = error  # type: ignore[assignment]  # nothing else leaves a pydantic validator as one
    return found.errors(include_url=False, include_context=False, include_input=False)[0]


def _fault(error: ValueError, field: str, value: object, spec: PropSpec) -> InputError:
    """Say the first fault in our words: pydantic's own hold the value."""
    first = _first(error)
    index = next((part for part in first["loc"] if isinstance(part, int)), None)
    wanted = spec.described
    if index is not None and isinstance(value, list | tuple):
        field, value, wanted = f"{field}[{index}]", value[index], str(spec.items)
    if first["type"] == "naive":
        return NaiveMoment(field)
    return InputError(
        first["msg"] if first["type"] == "refused" else f"is {_kind(value)}; give {wanted}", field=field
    )
