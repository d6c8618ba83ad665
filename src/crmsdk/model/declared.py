"""Events and attributes declared as classes: typed like a database mapper's, checked like a form.

    class CartUpdated(EventType):              # the event "cart_updated"
        cart_id: Prop[int]
        total: Prop[Money]
        note: Prop[str | None] = declare(default=None)

``CartUpdated.cart_id`` is a reference to ask questions with, ``CartUpdated(cart_id=7, ...)`` is one event,
its ``cart_id`` is an ``int``; type checkers know all three.
"""
# mypy: disable-error-code="explicit-override"
# Python 3.11 has no typing.override, and the core imports nothing but attrs and the standard library.

import re
import sys
from collections.abc import Iterable, Mapping
from enum import Enum
from inspect import get_annotations
from types import SimpleNamespace
from typing import (
    Any,
    ClassVar,
    Generic,
    NoReturn,
    TypeVar,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
    overload,
)

import attrs

from crmsdk.errors import DefinitionError, InputError, UnknownName
from crmsdk.model._annotations import declared_type
from crmsdk.model.catalog import EventSpec, PropSpec
from crmsdk.model.comparison import Op, PropTest, kind_of
from crmsdk.model.values import Properties, Value, normal

__all__ = ["AttrRef", "AttributeSet", "EventType", "Prop", "PropRef", "declare"]

T = TypeVar("T")
_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class PropRef(Generic[T]):
    """A reference to one property of one event; comparing it makes a question.

    Attributes:
        name: The property.
        event: The event's name.
        spec: How it was declared.
    """

    __slots__ = ("event", "name", "spec")

    def __init__(self, event: str, spec: PropSpec) -> None:
        self.event = event
        self.name = spec.name
        self.spec = spec

    def __eq__(self, other: T) -> PropTest:  # type: ignore[override]  # a comparison makes a question
        return self._ask(Op.EQ, other)

    def __ne__(self, other: T) -> PropTest:  # type: ignore[override]  # the same
        return ~self._ask(Op.EQ, other)

    def __hash__(self) -> int:
        return hash((self.event, self.name))

    def __lt__(self, other: T) -> PropTest:
        return self._ask(Op.LT, other)

    def __le__(self, other: T) -> PropTest:
        return self._ask(Op.LE, other)

    def __gt__(self, other: T) -> PropTest:
        return self._ask(Op.GT, other)

    def __ge__(self, other: T) -> PropTest:
        return self._ask(Op.GE, other)

    def in_(self, values: Iterable[T]) -> PropTest:
        """Ask whether the value is one of these."""
        return PropTest(self.name, Op.IN, tuple(self._operand(value) for value in values))

    def between(self, low: T, high: T) -> PropTest:
        """Ask whether the value lies between two, both included."""
        return PropTest(self.name, Op.BETWEEN, (self._operand(low), self._operand(high)))

    def contains(self, item: object) -> PropTest:
        """Ask whether the text holds this text, or the list this item."""
        self._hold(Op.CONTAINS)
        return PropTest(self.name, Op.CONTAINS, _plain(item, self._path))

    def contains_any(self, items: Iterable[object]) -> PropTest:
        """Ask whether the text or the list holds one of these or more."""
        return self._holds(Op.CONTAINS_ANY, items)

    def contains_all(self, items: Iterable[object]) -> PropTest:
        """Ask whether the text or the list holds every one of these."""
        return self._holds(Op.CONTAINS_ALL, items)

    def matches(self, pattern: str) -> PropTest:
        """Ask whether the text holds a pattern of ``crmsdk.model.patterns`` anywhere."""
        return self._ask(Op.MATCHES, pattern)

    def startswith(self, text: str) -> PropTest:
        """Ask whether the text starts so."""
        return self._ask(Op.STARTS, text)

    def endswith(self, text: str) -> PropTest:
        """Ask whether the text ends so."""
        return self._ask(Op.ENDS, text)

    def exists(self) -> PropTest:
        """Ask whether there is a value at all."""
        return PropTest(self.name, Op.EXISTS)

    def missing(self) -> PropTest:
        """Ask whether there is no value."""
        return ~self.exists()

    def __repr__(self) -> str:
        return f"<property {self.name} of {self.event}>"

    def _holds(self, op: Op, items: Iterable[object]) -> PropTest:
        self._hold(op)
        if isinstance(items, str):
            self._refuse(f"is asked {op} of one text; give a list, or ask contains")
        return PropTest(self.name, op, tuple(_plain(item, self._path) for item in items))

    def _hold(self, op: Op) -> None:
        if self.spec.kind not in {"text", "list"}:
            self._refuse(f"is {self.spec.kind}; {op} asks about text and lists")

    @property
    def _path(self) -> str:
        return f"{self.event}.{self.name}"

    def _refuse(self, message: str) -> NoReturn:
        raise DefinitionError(message, path=self._path)

    def _operand(self, value: object) -> Value:
        plain = _plain(value, self._path)
        if plain is None:
            self._refuse("is compared with None; ask missing() or exists()")
        kind = kind_of(plain).partition(" ")[0]  # money of any currency
        if kind != self.spec.kind:
            self._refuse(f"is {self.spec.kind}, never {kind}; compare values of one kind")
        return plain

    def _ask(self, op: Op, other: object) -> PropTest:
        operand = self._operand(other)
        if op is Op.EQ and self.spec.choices and not self.spec.admits(operand):
            self._refuse(f"is never such a value; it is {self.spec.described}")
        return PropTest(self.name, op, operand)


@attrs.frozen
class AttrRef(Generic[T]):
    """A reference to one declared attribute; ``attr(Shopper.city)`` asks questions with it.

    Attributes:
        name: The attribute.
        spec: How it was declared.
    """

    name: str
    spec: PropSpec


def _plain(value: object, where: str) -> Value:
    return normal(value.value if isinstance(value, Enum) else value, where)


@attrs.frozen
class _Said:
    """What ``declare`` was told, until the class is made."""

    default: object = ...
    about: str = ""
    sources: tuple[str, ...] = ()


def declare(*, default: object = ..., about: str = "", sources: Iterable[str] = ()) -> Any:
    """Say more about a property than its type.

    Args:
        default: What stands in when the property is missing; without it the property is required.
        about: What it means, for the tracking plan.
        sources: The only sources that may write it (attributes of customers); none for any.
    """
    return _Said(default, about, tuple(sources))


class Prop(Generic[T]):
    """A declared property: on the class a reference, on an event its value."""

    __slots__ = ("ref",)

    def __init__(self, ref: "PropRef[T] | AttrRef[T]") -> None:
        self.ref = ref

    @overload
    def __get__(self, instance: None, owner: "type[EventType]") -> PropRef[T]: ...
    @overload
    def __get__(self, instance: None, owner: "type[AttributeSet]") -> AttrRef[T]: ...
    @overload
    def __get__(self, instance: "EventType", owner: type) -> T: ...
    def __get__(self, instance: "EventType | None", owner: type) -> Any:
        if instance is None:
            return self.ref
        return instance._given[self.ref.name]  # noqa: SLF001 - the event is ours

    def __set__(self, instance: "EventType", value: T) -> None:
        """Refuse: an event is a fact."""
        raise AttributeError(f"{self.ref.name} of an event cannot be changed; make a new event")


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(declare,))
class EventType:
    """Derive from this to declare an event; the name defaults to the class name in snake case.

    An event may derive from another and then has its properties too. mypy takes such an inherited property,
    asked of the class, for its value; repeat its line where you ask questions with it.

    Raises:
        DefinitionError: at the class statement, when a property has an impossible type; it names class and
            property.
        UnknownName: at construction, for a property nobody declared.
        InputError: at construction, for a missing property or one of another type.
    """

    __slots__ = ("_given", "_values")
    __event_name__: ClassVar[str]
    __event_spec__: ClassVar[EventSpec]
    __event_defaults__: ClassVar[Mapping[str, object]] = {}
    _given: dict[str, Any]
    _values: Properties

    def __init_subclass__(cls, *, name: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        inherited = getattr(cls, "__event_spec__", None)
        specs = {spec.name: spec for spec in inherited.properties} if inherited else {}
        declared = _declared(cls)
        specs |= {spec.name: spec for spec, _ in declared}
        cls.__event_defaults__ = {**cls.__event_defaults__, **{spec.name: said for spec, said in declared}}
        cls.__event_name__ = name or _WORD_STARTS.sub("_", cls.__name__).lower()
        cls.__event_spec__ = EventSpec(cls.__event_name__, specs.values(), about=_about(cls))
        for spec in specs.values():
            setattr(cls, spec.name, Prop(PropRef(cls.__event_name__, spec)))

    def __init__(self, /, **given: object) -> None:
        values: dict[str, Value] = {}
        specs = {spec.name: spec for spec in self.__event_spec__.properties}
        for name in given:
            if name not in specs:
                raise UnknownName("property", name, list(specs), field=f"{self.__event_name__}.{name}")
        for name, spec in specs.items():
            where = f"{self.__event_name__}.{name}"
            if name not in given:
                if not spec.optional and spec.default is None:
                    raise InputError("is missing; give it", field=where)
                given[name] = self.__event_defaults__.get(name)
            values[name] = _plain(given[name], where)
            if not spec.admits(values[name]):
                raise InputError(f"is {kind_of(values[name])}; give {spec.described}", field=where)
        self._given = given
        self._values = {name: value for name, value in values.items() if value is not None}

    def __event_properties__(self) -> Properties:
        """Give the properties in normal form; what is missing is left out."""
        return self._values

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EventType) and type(self) is type(other) and self._values == other._values

    def __hash__(self) -> int:
        return hash((self.__event_name__, tuple(self._values)))

    def __repr__(self) -> str:
        """Show which properties there are, never their values."""
        return f"{type(self).__name__}({', '.join(f'{name}=…' for name in self._values)})"


class AttributeSet:
    """Derive from this to declare attributes of customers; it is a declaration and has no instances.

    Raises:
        DefinitionError: at the class statement, when an attribute has an impossible type.
    """

    __attribute_specs__: ClassVar[tuple[PropSpec, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        specs = {spec.name: spec for spec in cls.__attribute_specs__}
        specs |= {spec.name: spec for spec, _ in _declared(cls)}
        cls.__attribute_specs__ = tuple(specs.values())
        for spec in specs.values():
            setattr(cls, spec.name, Prop(AttrRef(spec.name, spec)))

    def __init__(self) -> None:
        raise DefinitionError(f"{type(self).__name__} declares attributes; pass their values by name")


def _about(cls: type) -> str:
    return (cls.__doc__ or "").strip().partition("\n")[0].rstrip(".")


def _declared(cls: type) -> list[tuple[PropSpec, object]]:
    """Read the annotations of a class: each property with its default as it was said, None for none."""
    specs = []
    for name, annotation in get_annotations(cls).items():
        where = f"{cls.__name__}.{name}"
        try:
            hint = get_type_hints(
                SimpleNamespace(__annotations__={name: annotation}),
                vars(sys.modules[cls.__module__]) if cls.__module__ in sys.modules else {},
                dict(vars(cls)),
                include_extras=True,
            )[name]
        except NameError as error:
            raise DefinitionError(
                f"names the unknown type {error.name!r}; define or import it above, at module level",
                path=where,
            ) from None
        if get_origin(hint) is ClassVar or hint is ClassVar:
            continue
        if get_origin(hint) is not Prop:
            raise DefinitionError(
                "is not declared as a property; write Prop[...] around its type", path=where
            )
        given = cls.__dict__.get(name, ...)
        said = given if isinstance(given, _Said) else _Said(given)
        specs.append(
            (_spec(name, get_args(hint)[0], said, where), None if said.default is ... else said.default)
        )
    return specs


def _spec(name: str, annotation: object, more: _Said, where: str) -> PropSpec:
    if name.startswith("_"):
        raise DefinitionError("starts with an underscore; name it otherwise", path=where)
    found = declared_type(annotation, where)
    default = None if more.default is ... else _plain(more.default, where)
    spec = PropSpec(
        name,
        found.type,
        optional=found.optional,
        default=default,
        choices=found.choices,
        items=found.items,
        about=more.about,
        sources=more.sources,
    )
    if default is not None and not spec.admits(default):
        raise DefinitionError(f"has a default that is {kind_of(default)}; give {spec.type}", path=where)
    if more.default is None and not found.optional:
        raise DefinitionError("has the default None; declare it as Prop[... | None]", path=where)
    return spec
