"""The tracking plan as data: which events and attributes exist, with which properties of which type.

Classes declare it (``crmsdk.model.declared``), the door validates by it (``crmsdk.wire``), and checks of
definitions read ``Catalog.kinds``.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias, get_args, runtime_checkable

import attrs

from crmsdk.errors import DefinitionError, UnknownName
from crmsdk.model.codec import definition
from crmsdk.model.comparison import Op, compare, exact
from crmsdk.model.money import Money
from crmsdk.model.values import Properties, Value, properties

__all__ = [
    "Catalog",
    "EventSpec",
    "Kinds",
    "PropSpec",
    "TypeName",
    "named_properties",
]

TypeName: TypeAlias = Literal[
    "boolean", "integer", "number", "text", "moment", "date", "money", "list", "mapping"
]
"""What a property may be declared as. ``integer`` is a number without a fraction, ``moment`` an instant."""

_KINDS: Mapping[TypeName, str] = {"integer": "number"}
"""Declared types that ``comparison.kind_of`` calls otherwise."""


def _choices(given: Iterable[Value]) -> tuple[Value, ...]:
    return _listed(given, "choices")


def _sources(given: Iterable[str]) -> tuple[str, ...]:
    return _listed(given, "sources")


def _listed(given: Iterable[Any], field: str) -> tuple[Any, ...]:
    if isinstance(given, str):  # its letters would be taken one by one
        raise DefinitionError("is one text; give a list", path=field)
    return tuple(given)


def _known_type(_: object, field: "attrs.Attribute[Any]", value: object) -> None:
    known = get_args(TypeName)
    if value is not None and value not in known:
        raise DefinitionError(f"is {value!r:.40}; give one of {', '.join(known)}", path=field.name)


def _specs(given: "Iterable[PropSpec]") -> "tuple[PropSpec, ...]":
    return tuple(given)


@definition("catalog.property")
@attrs.frozen
class PropSpec:
    """One declared property of an event, or one declared attribute of a customer.

    Attributes:
        name: As it stands in the data.
        type: What it is.
        optional: Whether it may be missing or null.
        default: What stands in when it is missing; None for nothing.
        choices: The only values allowed; empty for any.
        items: What a list holds; None for anything.
        about: What it means, for the tracking plan.
        sources: The only sources that may write it (attributes); empty for any. What another source says is
            refused at the door, so the order of arrival never decides between two sources.
    """

    name: str
    type: TypeName = attrs.field(validator=_known_type)
    optional: bool = attrs.field(default=False, kw_only=True)
    default: Value = attrs.field(default=None, kw_only=True, eq=exact)
    choices: tuple[Value, ...] = attrs.field(default=(), kw_only=True, converter=_choices, eq=exact)
    items: TypeName | None = attrs.field(default=None, kw_only=True, validator=_known_type)
    about: str = attrs.field(default="", kw_only=True)
    sources: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_sources)

    @property
    def kind(self) -> str:
        """The kind it compares as; ``money`` stands for the money of every currency."""
        return _KINDS.get(self.type, self.type)

    @property
    def described(self) -> str:
        """The type in words, as ``list of text, optional``."""
        words = self.type if self.items is None else f"{self.type} of {self.items}"
        if self.choices:
            words += " (" + " | ".join(str(choice) for choice in self.choices) + ")"
        if self.default is not None:
            return f"{words}, default {self.default!r}"
        return f"{words}, optional" if self.optional else words

    def admits(self, value: Value) -> bool:
        """Say whether a value in normal form is what was declared."""
        if value is None:
            return self.optional
        if not _is(self.type, value):
            return False
        if self.items is not None and isinstance(value, tuple):
            return all(_is(self.items, item) and self._chosen(item) for item in value)
        return self._chosen(value)

    def _chosen(self, value: Value) -> bool:
        return not self.choices or compare(Op.IN, value, self.choices)


def _is(type_name: TypeName, value: Value) -> bool:
    match type_name:
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "text":
            return isinstance(value, str)
        case "moment":
            return isinstance(value, datetime)
        case "date":
            return isinstance(value, date) and not isinstance(value, datetime)
        case "money":
            return isinstance(value, Money)
        case "list":
            return isinstance(value, tuple)
        case "mapping":
            return isinstance(value, Mapping)


@definition("catalog.event")
@attrs.frozen
class EventSpec:
    """One declared event.

    Attributes:
        name: As it stands in the data, as ``purchase``.
        properties: What it carries; a name occurs once.
        about: What it means, for the tracking plan.
    """

    name: str
    properties: tuple[PropSpec, ...] = attrs.field(default=(), converter=_specs)
    about: str = attrs.field(default="", kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Refuse an empty name and a property declared twice."""
        if not self.name.strip():
            raise DefinitionError("an event needs a name; give non-empty text")
        _unique(self.name, self.properties)


@runtime_checkable
class _Fact(Protocol):
    __event_name__: str

    def __event_properties__(self) -> Properties: ...


class Kinds(NamedTuple):
    """What checks of definitions need to know, as plain mappings.

    Attributes:
        events: Event name to property name to kind, as ``comparison.kind_of`` names it, but ``money``
            without a currency.
        attributes: Attribute name to kind.
    """

    events: Mapping[str, Mapping[str, str]]
    attributes: Mapping[str, str]


def _unique(owner: str, specs: Iterable[PropSpec]) -> None:
    seen: dict[str, PropSpec] = {}
    for spec in specs:
        if spec.name in seen:
            raise DefinitionError(f"{spec.name!r} is declared twice; keep one", path=owner)
        seen[spec.name] = spec


def _event_specs(declared: Iterable[EventSpec | type]) -> tuple[EventSpec, ...]:
    specs: dict[str, EventSpec] = {}
    for item in declared:
        spec = item if isinstance(item, EventSpec) else getattr(item, "__event_spec__", None)
        if not isinstance(spec, EventSpec):
            raise DefinitionError(
                f"{_called(item)} declares no event; derive it from EventType, or register a pydantic model "
                "with crmsdk.wire.event_model"
            )
        if specs.setdefault(spec.name, spec) != spec:
            raise DefinitionError("is declared twice, differently; keep one", path=spec.name)
    return tuple(specs.values())


def _attribute_specs(declared: Iterable[PropSpec | type]) -> tuple[PropSpec, ...]:
    specs: dict[str, PropSpec] = {}
    for item in declared:
        found = (item,) if isinstance(item, PropSpec) else getattr(item, "__attribute_specs__", None)
        if not isinstance(found, tuple):
            raise DefinitionError(f"{_called(item)} declares no attributes; derive it from AttributeSet")
        for spec in found:
            if specs.setdefault(spec.name, spec) != spec:
                raise DefinitionError("is declared twice, differently; keep one", path=spec.name)
    return tuple(specs.values())


def _called(item: object) -> str:
    return item.__name__ if isinstance(item, type) else type(item).__name__


@definition("catalog")
@attrs.frozen
class Catalog:
    """Every event and attribute there is.

    Attributes:
        events: Classes derived from ``EventType``, registered pydantic models, or specs.
        attributes: Classes derived from ``AttributeSet``, or specs.
        strict: Refuse events, properties and attributes nobody declared; else they pass as they are.
    """

    events: tuple[EventSpec, ...] = attrs.field(default=(), converter=_event_specs)
    attributes: tuple[PropSpec, ...] = attrs.field(default=(), converter=_attribute_specs)
    strict: bool = attrs.field(default=True, kw_only=True)

    def event(self, name: str) -> EventSpec | None:
        """Give the declaration of an event; None when it is unknown and the catalog is not strict.

        Raises:
            UnknownName: nobody declared it, and the catalog is strict.
        """
        for spec in self.events:
            if spec.name == name:
                return spec
        if self.strict:
            raise UnknownName("event", name, [spec.name for spec in self.events])
        return None

    def attribute(self, name: str) -> PropSpec | None:
        """Give the declaration of an attribute; None when it is unknown and the catalog is not strict.

        Raises:
            UnknownName: nobody declared it, and the catalog is strict.
        """
        for spec in self.attributes:
            if spec.name == name:
                return spec
        if self.strict:
            raise UnknownName("attribute", name, [spec.name for spec in self.attributes])
        return None

    def kinds(self) -> Kinds:
        """Give the kind of every property and attribute, for checks of definitions."""
        return Kinds(
            {spec.name: {prop.name: prop.kind for prop in spec.properties} for spec in self.events},
            {spec.name: spec.kind for spec in self.attributes},
        )

    def describe(self) -> str:
        """Write the tracking plan as text for people."""
        lines = ["events"]
        for event in self.events:
            lines.append(f"  {event.name}" + (f": {event.about}" if event.about else ""))
            lines.extend(_rows(event.properties, "    "))
        lines.append("attributes")
        lines.extend(_rows(self.attributes, "  "))
        unknown = "is refused" if self.strict else "passes unchecked"
        lines.append(f"what is not listed {unknown}")
        return "\n".join(lines)


def _rows(specs: Iterable[PropSpec], indent: str) -> list[str]:
    rows = [(spec.name, spec.described, spec.about, ", ".join(spec.sources)) for spec in specs]
    width = max((len(name) for name, *_ in rows), default=0)
    return [
        f"{indent}{name:<{width}}  {described}"
        + (f"; {about}" if about else "")
        + (f"; only from {sources}" if sources else "")
        for name, described, about, sources in rows
    ]


def named_properties(event: object, given: Mapping[str, object] | None = None) -> tuple[str, Properties]:
    """Give the name and the properties of an event said in any of the three ways.

    Args:
        event: An instance of an event class, or a name with ``given``.
        given: The properties when the event is a name.

    Raises:
        DefinitionError: it is neither.
    """
    if isinstance(event, str):
        return event, properties(given or {})
    if isinstance(event, type) or not isinstance(event, _Fact) or given is not None:
        raise DefinitionError(
            f"{_called(event)} is not an event; give an instance of an event class, or a name and properties"
        )
    return event.__event_name__, event.__event_properties__()
