"""From the annotation of a property to its declared type."""

import types
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from crmsdk.errors import DefinitionError
from crmsdk.model.catalog import TypeName
from crmsdk.model.money import Money
from crmsdk.model.values import Value, normal

__all__ = ["Declared", "declared_type"]

_TYPES: Mapping[object, TypeName] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "text",
    datetime: "moment",
    date: "date",
    Money: "money",
    list: "list",
    tuple: "list",
    Sequence: "list",
    dict: "mapping",
    Mapping: "mapping",
}
_ALLOWED = (
    "bool, int, float, str, datetime, date, Money, list[...], dict, an Enum or a Literal, "
    "or one of them | None"
)


class Declared(NamedTuple):
    """What an annotation says."""

    type: TypeName
    optional: bool = False
    choices: tuple[Value, ...] = ()
    items: TypeName | None = None


def _refused(_: object) -> TypeName | None:
    return None


def declared_type(
    annotation: Any, where: str, other: Callable[[object], TypeName | None] = _refused
) -> Declared:
    """Read an annotation.

    Args:
        annotation: An evaluated annotation, as ``str | None``.
        where: Class and property, for errors.
        other: Names the type of classes this module does not know; None for none.

    Raises:
        DefinitionError: no property can be of this type.
    """
    plain, optional = _without_none(annotation)
    origin = get_origin(plain) or plain
    if origin is Annotated:
        inner = declared_type(get_args(plain)[0], where, other)
        return inner._replace(optional=inner.optional or optional)
    if origin is Literal:
        return _closed(get_args(plain), where, optional=optional)
    if isinstance(origin, type) and issubclass(origin, Enum):
        return _closed([member.value for member in origin], where, optional=optional)
    found = (_TYPES.get(origin) or other(origin)) if isinstance(origin, type) else None
    if found is None:
        shown = getattr(plain, "__name__", None) or str(plain)
        raise DefinitionError(f"is declared as {shown}; a property is {_ALLOWED}", path=where)
    if found == "list" and get_args(plain):
        item = declared_type(get_args(plain)[0], f"{where}[]", other)
        return Declared("list", optional, item.choices, item.type)
    return Declared(found, optional)


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [arg for arg in get_args(annotation) if arg is not type(None)]
        if len(rest) == 1:
            return rest[0], True
    return annotation, False


def _closed(values: Sequence[object], where: str, *, optional: bool) -> Declared:
    choices = tuple(normal(value, where) for value in values if value is not None)
    names = {_TYPES.get(type(value)) for value in choices}
    name = names.pop() if len(names) == 1 else None
    if name is None:
        raise DefinitionError("mixes kinds of values in its choices; keep one kind", path=where)
    return Declared(name, optional or None in values, choices)
