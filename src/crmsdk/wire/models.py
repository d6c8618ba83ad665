"""Pydantic models of your own as events: declare an event once, where it already is."""

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from crmsdk.errors import DefinitionError
from crmsdk.model._annotations import declared_type
from crmsdk.model.catalog import EventSpec, PropSpec, TypeName
from crmsdk.model.values import Properties, properties

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["event_model", "model_of", "plain_properties"]

M = TypeVar("M", bound="BaseModel")

_MODELS: "dict[str, type[BaseModel]]" = {}
"""By event name; fills while modules are imported and is only read afterwards."""

_PYDANTIC: Mapping[str, TypeName] = {
    **dict.fromkeys(("AwareDatetime", "FutureDatetime", "PastDatetime"), "moment"),
    **dict.fromkeys(("FutureDate", "PastDate"), "date"),
    **dict.fromkeys(("AnyHttpUrl", "AnyUrl", "EmailStr", "HttpUrl", "IPvAnyAddress"), "text"),
}


def _type_of(cls: object) -> TypeName | None:
    if not isinstance(cls, type):
        return None
    if cls.__module__.partition(".")[0] == "pydantic":
        return _PYDANTIC.get(cls.__name__)
    if hasattr(cls, "model_fields"):
        return "mapping"
    return "text" if cls is UUID else None


def event_model(model: type[M], *, name: str) -> type[M]:
    """Register a pydantic model as an event; it then stands wherever an event class does.

    Data from outside is checked by the model itself, with its own validators. Aliases are the names of the
    properties, if there are any.

    Args:
        model: The model; its fields are of the kinds a property may have, nested models are mappings.
        name: The event's name.

    Returns:
        The same class.

    Raises:
        DefinitionError: a field no property can be, or another model has the name.
    """
    known = _MODELS.get(name)
    if known is not None and (known.__module__, known.__qualname__) != (model.__module__, model.__qualname__):
        raise DefinitionError(f"{known.__qualname__} is this event already; choose another name", path=name)
    if "model_fields" not in dir(model):
        raise DefinitionError(
            f"{model.__qualname__} is no pydantic model; derive it from BaseModel", path=name
        )
    about = (model.__doc__ or "").strip().partition("\n")[0].rstrip(".")
    said: Any = model
    said.__event_spec__ = EventSpec(name, _specs(model), about=about)
    said.__event_name__ = name
    said.__event_properties__ = plain_properties
    _MODELS[name] = model
    return model


def _specs(model: "type[BaseModel]") -> list[PropSpec]:
    specs = []
    for field, info in model.model_fields.items():
        found = declared_type(info.annotation, f"{model.__name__}.{field}", _type_of)
        specs.append(
            PropSpec(
                info.serialization_alias or info.alias or field,
                found.type,
                optional=found.optional or not info.is_required(),
                choices=found.choices,
                items=found.items,
                about=info.description or "",
            )
        )
    return specs


def model_of(spec: EventSpec) -> "type[BaseModel] | None":
    """Give the model an event was declared by; None when it was declared otherwise."""
    model = _MODELS.get(spec.name)
    return model if getattr(model, "__event_spec__", None) == spec else None


def plain_properties(event: "BaseModel") -> Properties:
    """Give the properties of an instance in normal form; what is None is left out."""
    found = properties(_plain(event.model_dump(by_alias=True)), type(event).__name__)
    return {name: value for name, value in found.items() if value is not None}


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case Mapping():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case UUID():
            return str(value)
        case _ if _type_of(type(value)) == "text" or type(value).__module__ == "ipaddress":
            return str(value)
        case _:
            return value
