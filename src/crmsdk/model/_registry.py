"""The registered classes of definitions.

The registry fills while modules are imported and is only read afterwards.
"""

import re
from collections.abc import Callable
from typing import TypeVar

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.model._kinds import RESERVED

T = TypeVar("T")

_TAG = re.compile(r"[a-z][a-z0-9_.-]*")
_BY_TAG: dict[str, type] = {}
_BY_CLASS: dict[type, str] = {}


def definition(tag: str) -> Callable[[type[T]], type[T]]:
    """Register an attrs class as a definition under a tag; stands above ``@attrs.frozen``.

    Args:
        tag: What ``"is"`` says in JSON: lower case, unique, and for ever, because stored texts hold it.

    Raises:
        DefinitionError: the tag is taken, reserved or malformed, or the class is no attrs class. A class may
            replace itself (same module and name), so that a module can be reloaded.
    """

    def register(cls: type[T]) -> type[T]:
        fields = attrs.fields(cls) if attrs.has(cls) else None
        if not _TAG.fullmatch(tag) or tag in RESERVED:
            raise DefinitionError(f"tag {tag!r} of {cls.__name__} is malformed or reserved; choose another")
        if fields is None:
            raise DefinitionError(f"{cls.__name__} is no attrs class; put @definition above @attrs.frozen")
        if any(field.alias == "crmsdk" for field in fields):
            raise DefinitionError(f"{cls.__name__} has a field 'crmsdk', which names the format; rename it")
        holder = _BY_TAG.get(tag)
        if holder is not None and (holder.__module__, holder.__qualname__) != (
            cls.__module__,
            cls.__qualname__,
        ):
            raise DefinitionError(
                f"tag {tag!r} of {cls.__name__} belongs to {holder.__module__}.{holder.__qualname__}"
            )
        if cls in _BY_CLASS:
            raise DefinitionError(f"{cls.__name__} already has the tag {_BY_CLASS[cls]!r}; a class has one")
        if holder is not None:
            del _BY_CLASS[holder]
        _BY_TAG[tag] = cls
        _BY_CLASS[cls] = tag
        return cls

    return register


def tag_of(cls: type) -> str:
    """Give the tag of a registered class.

    Raises:
        DefinitionError: the class is not registered.
    """
    try:
        return _BY_CLASS[cls]
    except KeyError:
        raise DefinitionError(
            f"{cls.__name__} is no registered definition; decorate it with @definition"
        ) from None


def class_of(tag: str) -> type | None:
    """Give the class of a tag; None if nobody registered it."""
    return _BY_TAG.get(tag)


def tags_under(classes: tuple[type, ...]) -> tuple[str, ...]:
    """Give the tags of these classes and their subclasses, sorted; late registrations count."""
    return tuple(sorted(tag for tag, cls in _BY_TAG.items() if issubclass(cls, classes)))
