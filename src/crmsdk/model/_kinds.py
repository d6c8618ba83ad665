"""What a field of a definition may hold, and how each kind is written as JSON, read back and described.

A kind answers six questions: what is wanted in words; does a Python value fit; would I read this JSON data;
write; read; give a JSON Schema. ``_grammar`` builds kinds from annotations.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from crmsdk.errors import DefinitionError, InputError
from crmsdk.model.value_json import Json

DEPTH = 100
"""Levels of JSON lists and objects a definition may have; Python's own stack ends at about ten times that."""

RESERVED = frozenset({"date", "mapping", "moment", "money", "span", "time", "value"})
"""Tags of values; no definition may take one of them."""


class Kind(Protocol):
    """One kind of content of a field."""

    @property
    def wanted(self) -> str:
        """What to give, in words, for error messages."""

    @property
    def rank(self) -> int:
        """Where it stands among the members of a union: the more special first."""

    def fits(self, value: Any, /) -> bool:
        """Say whether a Python value is of this kind, at its top level."""

    def takes(self, data: Any, /) -> bool:
        """Say whether JSON data is of this kind, at its top level."""

    def write(self, value: Any, path: str, depth: int, /) -> Json:
        """Give the JSON data of a value."""

    def read(self, data: Any, path: str, depth: int, /) -> Any:
        """Give the value of JSON data."""

    def schema(self, defs: dict[str, Json], /) -> dict[str, Json]:
        """Describe the JSON data; shared parts go into ``defs``."""


def found(data: Any) -> str:
    """Name the kind of JSON data."""
    match data:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return f"{type(data).__name__}, which is not JSON"


def misread(data: Any, wanted: str, path: str) -> DefinitionError:
    """Make the error of JSON data of another kind than wanted."""
    return DefinitionError(f"is {found(data)}; give {wanted}", path=path)


def unfit(value: Any, wanted: str, path: str) -> DefinitionError:
    """Make the error of a Python value of another kind than wanted."""
    return DefinitionError(f"is {type(value).__name__}; give {wanted}", path=path)


def deeper(depth: int, path: str) -> int:
    """Go one level down.

    Raises:
        DefinitionError: there are too many levels.
    """
    if depth <= 0:
        shown = path if len(path) <= 60 else path[:60] + "…"
        raise DefinitionError(f"is nested deeper than {DEPTH} levels; flatten the definition", path=shown)
    return depth - 1


def join(path: str, tail: str) -> str:
    """Put a field, an index or a path below a path."""
    return f"{path}{tail}" if not path or not tail or tail.startswith("[") else f"{path}.{tail}"


@contextmanager
def located(path: str) -> Iterator[None]:
    """Say in every error of the block where in the definition it arose."""
    try:
        yield
    except DefinitionError as error:
        if path:
            message = str(error).removeprefix(f"{error.path}: ") if error.path else str(error)
            error.path = join(path, error.path)
            error.args = (f"{error.path}: {message}", *error.args[1:])
        raise
    except InputError as error:
        raise DefinitionError(error.problem, path=join(path, error.field.lstrip("."))) from error


def canonical(data: Json) -> str:
    """Give the one text of JSON data: sorted keys, no spaces."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
