"""Quick ways to make a frozen value out of what is in its final form already."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

import attrs

__all__ = ["assembler", "with_changes"]

T = TypeVar("T")

_Setter = Callable[[Any, Any], None]


@cache
def _copier(cls: type) -> tuple[Callable[[Any], Any], Mapping[str, _Setter]]:
    """Write a function that copies slot by slot: a loop over the slots takes twice as long."""
    names = [field.name for field in attrs.fields(cls)]
    setters = {f"set_{place}": getattr(cls, name).__set__ for place, name in enumerate(names)}
    lines = [f"    set_{place}(copy, value.{name})" for place, name in enumerate(names)]
    source = "\n".join(("def copier(value):", "    copy = new(cls)", *lines, "    return copy"))
    scope: dict[str, Any] = {**setters, "new": object.__new__, "cls": cls}
    exec(source, scope)  # noqa: S102 - made of the names of a class's own fields, nothing else
    return scope["copier"], {name: setters[f"set_{place}"] for place, name in enumerate(names)}


@cache
def assembler(cls: Any) -> Callable[..., Any]:
    """Give a function that puts a slotted attrs value together from all its fields, by name.

    Converters and validators do not run: it is for reading back what a value once held.

    Args:
        cls: A class made by ``attrs.frozen`` without fields that it makes itself.
    """
    names = [field.name for field in attrs.fields(cls)]
    lines = [f"    set_{name}(made, {name})" for name in names]
    source = "\n".join(
        (f"def assemble(*, {', '.join(names)}):", "    made = new(cls)", *lines, "    return made")
    )
    scope: dict[str, Any] = {f"set_{name}": getattr(cls, name).__set__ for name in names}
    scope |= {"new": object.__new__, "cls": cls}
    exec(source, scope)  # noqa: S102 - made of the names of a class's own fields, nothing else
    made: Callable[..., Any] = scope["assemble"]
    return made


def with_changes(value: T, /, **changes: object) -> T:
    """Copy a slotted attrs value with some fields changed.

    Converters and validators do not run: what is given must be in the form the value keeps. Runs of journeys
    and rows of the outbox change at every step, and ``attrs.evolve`` takes several times as long for them.

    Args:
        value: An instance of a class made by ``attrs.frozen``.
        changes: New contents by field.

    Raises:
        KeyError: the class has no such field.
    """
    cls: Any = type(value)
    copier, setters = _copier(cls)
    copy: T = copier(value)
    for name, content in changes.items():
        setters[name](copy, content)
    return copy
