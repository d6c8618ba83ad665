"""From the annotations of a class to the kinds of its fields, and the kind of definitions themselves.

Annotations are resolved when a class is first written or read, because the members of a grammar name each
other.
"""

import json
import sys
import types
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from enum import Enum
from functools import cache
from typing import Annotated, Any, ForwardRef, Literal, NewType, TypeAlias, Union, get_args, get_origin

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.model._containers import ListOf, MapOf, OneOf, Row, SetOf
from crmsdk.model._kinds import DEPTH, RESERVED, Kind, canonical, deeper, join, located, misread, unfit
from crmsdk.model._leaves import INTEGER, LEAVES, NUMBER, TEXT, Leaf
from crmsdk.model._registry import class_of, tag_of, tags_under
from crmsdk.model._tagged import AnyValue, Choice, MoneyKind, Tagged
from crmsdk.model.money import Money
from crmsdk.model.value_json import Json
from crmsdk.model.values import Value

Names: TypeAlias = Mapping[str, Any]

_VALUES = frozenset(get_args(Value))
# In Python 3.11 and later Any is a class; list, set and dict would come back as tuples or not at all.
_NO_CLASSES = frozenset({Any, object, tuple, frozenset, list, set, dict, bytes, Mapping})


@attrs.frozen
class _Slot:
    """One field of a definition."""

    name: str
    key: str
    kind: Kind
    required: bool
    default: str | None
    """Canonical text of the default; None if it cannot be told beforehand, so that the field is written."""


@cache
def _slots(cls: Any) -> Mapping[str, _Slot]:
    # An inherited field's annotation is meant in the module of the class that declares it.
    modules = (sys.modules.get(each.__module__) for each in cls.__mro__)
    names = ChainMap(*(vars(module) for module in modules if module is not None))
    out = {}
    for field in attrs.fields(cls):
        if not field.init:
            continue
        kind = kind_of_hint(field.type, names, f"{cls.__name__}.{field.name}")
        required = field.default is attrs.NOTHING
        out[field.alias] = _Slot(field.name, field.alias, kind, required, _default(field, kind))
    return out


def _default(field: "attrs.Attribute[Any]", kind: Kind) -> str | None:
    value: Any = field.default
    converter: Any = field.converter
    if value is attrs.NOTHING or isinstance(converter, attrs.Converter):
        return None
    factory: Any = attrs.Factory  # a class that the stubs of attrs call a function
    if isinstance(value, factory):
        if value.takes_self:
            return None
        value = value.factory()
    try:
        if converter is not None:
            value = converter(value)
        return canonical(kind.write(value, "", DEPTH))
    except DefinitionError:
        return None


@attrs.frozen
class Definition:
    """A definition of one of some classes or of their subclasses."""

    classes: tuple[type, ...]

    rank = 7

    @property
    def wanted(self) -> str:
        """Name the tags."""
        tags = self.tags()
        shown = ", ".join(repr(tag) for tag in tags[:8]) + (" …" if len(tags) > 8 else "")
        return f"an object with 'is' one of {shown}" if len(tags) > 1 else f"an object with 'is' {shown}"

    def tags(self) -> tuple[str, ...]:
        """Give the tags that may stand here, sorted; subclasses registered later count."""
        return tags_under(self.classes)

    def fits(self, value: Any) -> bool:
        """Look at the class."""
        return isinstance(value, self.classes)

    def takes(self, data: Any) -> bool:
        """Look for any tag that is not a value's."""
        return isinstance(data, dict) and isinstance(tag := data.get("is"), str) and tag not in RESERVED

    def write(self, value: Any, path: str, depth: int, /) -> Json:
        """Write the tag and every field that differs from its default."""
        if not self.fits(value):
            raise unfit(value, self.wanted, path)
        depth = deeper(depth, path)
        cls: Any = type(value)
        with located(path):
            tag = tag_of(cls)
        out: dict[str, Json] = {"is": tag}
        for key, slot in _slots(cls).items():
            data = slot.kind.write(getattr(value, slot.name), join(path, key), depth)
            if slot.default is None or canonical(data) != slot.default:
                out[key] = data
        return out

    def read(self, data: Any, path: str, depth: int, /) -> Any:
        """Find the class by its tag, read the fields, and let the class judge them."""
        if not isinstance(data, dict):
            raise misread(data, self.wanted, path)
        depth = deeper(depth, path)
        cls = self._class(data, path)
        slots = _slots(cls)
        fields = {}
        for key, item in data.items():
            if key == "is":
                continue
            if key not in slots:
                raise DefinitionError(
                    f"{data['is']!r} has no field {_shown(str(key))}{_nearest(str(key), slots)}", path=path
                )
            fields[key] = slots[key].kind.read(item, join(path, key), depth)
        missing = [key for key, slot in slots.items() if slot.required and key not in fields]
        if missing:
            raise DefinitionError(f"{data['is']!r} lacks the field {missing[0]!r}", path=path)
        with located(path):
            try:
                return _built(cls, fields)
            except (TypeError, ValueError) as error:
                raise DefinitionError(f"{data['is']!r} refuses its fields; see the cause") from error

    def _class(self, data: dict[str, Any], path: str) -> type:
        if "is" not in data:
            raise DefinitionError(f"has no 'is'; give {self.wanted}", path=path)
        tag = data["is"]
        if not isinstance(tag, str):
            raise misread(tag, "the tag of a definition", join(path, "is"))
        cls = class_of(tag)
        if cls is None:
            near = _nearest(tag, self.tags())
            raise DefinitionError(f"unknown definition {_shown(tag)}{near}; give {self.wanted}", path=path)
        if not issubclass(cls, self.classes):
            raise DefinitionError(f"is {tag!r}, which cannot stand here; give {self.wanted}", path=path)
        return cls

    def schema(self, defs: dict[str, Json], /) -> dict[str, Json]:
        """Refer to the shared part of each tag, and describe those not yet described."""
        tags = self.tags()
        for tag in tags:
            if tag not in defs:
                defs[tag] = {}  # taken, so that a grammar that holds itself ends
                defs[tag] = self.described(tag, defs)
        if len(tags) == 1:
            return {"$ref": f"#/$defs/{tags[0]}"}
        return {"anyOf": [{"$ref": f"#/$defs/{tag}"} for tag in tags]}

    @staticmethod
    def described(tag: str, defs: dict[str, Json]) -> dict[str, Json]:
        """Describe the object of one tag, closed."""
        cls = class_of(tag)
        assert cls is not None  # noqa: S101 - tags come from the registry
        properties: dict[str, Json] = {"is": {"const": tag}}
        required: list[Json] = ["is"]
        for key, slot in _slots(cls).items():
            form = slot.kind.schema(defs)
            if slot.default is not None:
                form = {**form, "default": json.loads(slot.default)}
            properties[key] = form
            if slot.required:
                required.append(key)
        return {
            "type": "object",
            "description": (cls.__doc__ or tag).partition("\n")[0],
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }


def _built(cls: Any, fields: Mapping[str, Any]) -> Any:
    """Make a definition from its fields, also where its own __init__ takes other arguments."""
    if "__attrs_init__" not in vars(cls):
        return cls(**fields)
    made = cls.__new__(cls)
    made.__attrs_init__(**fields)
    return made


def _shown(name: str) -> str:
    return repr(name if len(name) <= 40 else name[:40] + "…")


def _nearest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def kind_of_hint(hint: Any, names: Names, where: str) -> Kind:
    """Give the kind an annotation stands for.

    Args:
        hint: An annotation, as object or as text.
        names: What names in it mean.
        where: The class and field, for errors.

    Raises:
        DefinitionError: no JSON form is known for it, or members of a union look alike in JSON.
    """
    members = tuple(_members(hint, names, where))
    if frozenset(members) >= _VALUES:
        members = (Value, *(member for member in members if member not in _VALUES))
    kinds: list[Kind] = []
    classes: list[type] = []
    for member in members:
        kind = _single(member, names, where)
        if isinstance(kind, Definition):
            classes.extend(kind.classes)
        elif kind not in kinds:
            kinds.append(kind)
    if classes:
        kinds.append(Definition(tuple(classes)))
    if len(kinds) == 1:
        return kinds[0]
    return _union(kinds, where)


def _members(hint: Any, names: Names, where: str) -> Iterator[Any]:
    """Give the members of a union, whatever it is wrapped in; a single annotation is a union of one."""
    hint = _resolved(hint, names, where)
    if get_origin(hint) in (Union, types.UnionType):
        for member in get_args(hint):
            yield from _members(member, names, where)
    else:
        yield hint


def _resolved(hint: Any, names: Names, where: str) -> Any:
    """Take the wrapping off an annotation: text, Annotated, NewType, the alias statement."""
    while True:
        if isinstance(hint, ForwardRef):
            hint = hint.__forward_arg__
        if isinstance(hint, str):
            try:
                hint = eval(hint, {}, names)  # noqa: S307 - the annotation of a class, which is code already
            except NameError as error:
                raise DefinitionError(f"the annotation of {where} cannot be resolved: {error}") from None
        elif isinstance(hint, NewType):
            hint = hint.__supertype__
        elif get_origin(hint) is Annotated:
            hint = get_args(hint)[0]
        elif type(hint).__name__ == "TypeAliasType":  # the `type` statement of Python 3.12
            hint = hint.__value__
        else:
            return hint


def _single(hint: Any, names: Names, where: str) -> Kind:
    if hint is Value:
        return AnyValue()
    if hint in LEAVES:
        return LEAVES[hint]
    if hint is Money:
        return MoneyKind()
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return Choice.of(arguments, where)
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return ListOf(kind_of_hint(arguments[0], names, where))
        return Row(tuple(kind_of_hint(each, names, where) for each in arguments))
    if origin is frozenset:
        return SetOf(kind_of_hint(arguments[0], names, where))
    if origin is Mapping:
        key = kind_of_hint(arguments[0], names, where)
        if key is not TEXT and not isinstance(key, Choice):
            raise DefinitionError(f"{where}: keys of a mapping must be text")
        return MapOf(key, kind_of_hint(arguments[1], names, where))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return Choice.of(hint, where)
    if isinstance(hint, type) and hint not in _NO_CLASSES:
        return Definition((hint,))
    raise DefinitionError(f"{where}: no JSON form is known for {hint!r}; use tuples, frozen sets and Mapping")


def _union(kinds: list[Kind], where: str) -> OneOf:
    """Put members together so that the JSON data of each tells which it is."""
    text = [kind for kind in kinds if _textual(kind)]
    if len(text) > 1:
        kinds = [Tagged(kind) if isinstance(kind, Leaf) and kind.tag else kind for kind in kinds]
    listed = [kind for kind in kinds if isinstance(kind, ListOf | Row | SetOf | AnyValue)]
    mapped = [kind for kind in kinds if isinstance(kind, MapOf | AnyValue)]
    if len(listed) > 1 or len(mapped) > 1:
        raise DefinitionError(f"{where}: two members of the union look alike in JSON; make one a definition")
    open_ended = any(kind in (TEXT, INTEGER, NUMBER) or isinstance(kind, AnyValue) for kind in kinds)
    constants = [key for kind in kinds if isinstance(kind, Choice) for key in kind.options]
    foreign = any(
        isinstance(item, Enum) and not isinstance(item, str | int)
        for kind in kinds
        if isinstance(kind, Choice)
        for item in kind.options.values()
    )
    if len(set(constants)) != len(constants) or (open_ended and foreign):
        raise DefinitionError(f"{where}: constants of the union look alike in JSON; use StrEnum, once")
    return OneOf(tuple(sorted(kinds, key=lambda kind: kind.rank)))


def _textual(kind: Kind) -> bool:
    return (isinstance(kind, Leaf) and kind.takes("")) or isinstance(kind, Choice | AnyValue)
