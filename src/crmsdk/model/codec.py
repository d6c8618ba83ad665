"""The codec of definitions: typed values to JSON and back, their canonical text, hash and JSON Schema.

A definition is an attrs class registered under a tag. Its JSON is an object with the key ``is`` (the tag) and
its fields by name; fields that hold their default are left out, so the default of a field may never change
within a format version. Spans are ISO 8601 text (``P1DT2H``), moments ISO text with ``Z``, tuples are lists,
enumerations their values, frozen sets sorted lists, money and values as ``crmsdk.model.value_json`` says.
Where members of a union would be the same text, spans, moments, dates and times become
``{"is": "span", "of": "P1D"}``. Reading follows the annotations of the fields.

A text carries the format version at its top: ``{"crmsdk":1,"is":"journey",...}``.
"""

import hashlib
import json
from itertools import pairwise
from typing import Any, NoReturn, TypeVar, overload

from crmsdk.errors import DefinitionError, UnknownVersion
from crmsdk.model._grammar import Definition, kind_of_hint
from crmsdk.model._kinds import DEPTH, canonical
from crmsdk.model._registry import definition, tag_of
from crmsdk.model.value_json import Json

__all__ = ["FORMAT", "content_hash", "decode", "definition", "dumps", "encode", "loads", "schema"]

FORMAT = 1
"""The version of the JSON format this release writes and reads."""

T = TypeVar("T")


def encode(value: object, hint: object = None) -> Json:
    """Give the JSON data of a definition.

    Args:
        value: A definition, or any value of the annotation ``hint``.
        hint: An annotation as of a field, as ``tuple[Step, ...]``; by default the class of the value.

    Raises:
        DefinitionError: a field holds what its annotation does not allow; the path says where.
    """
    if hint is None:
        tag_of(type(value))
        hint = type(value)
    return kind_of_hint(hint, {}, "hint").write(value, "", DEPTH)


@overload
def decode(data: object, cls: type[T], path: str = "") -> T: ...
@overload
def decode(data: object, cls: object, path: str = "") -> Any: ...
def decode(data: object, cls: object, path: str = "") -> Any:
    """Read a definition from JSON data; unchanged JSON gives back an equal value.

    Args:
        data: What a JSON parser gave; not trusted.
        cls: What is wanted: a definition class, a class above some, or an annotation as of a field.
        path: Where the data stands in a larger whole, for errors.

    Raises:
        DefinitionError: an unknown tag or field, a wrong kind, a missing field, too deep, or refused by the
            class itself; the path says where.
    """
    return kind_of_hint(cls, {}, "cls").read(data, path, DEPTH)


def dumps(value: object) -> str:
    """Give the canonical text of a definition: one text for equal definitions, whatever made them.

    Raises:
        DefinitionError: as ``encode``.
    """
    data = encode(value)
    assert isinstance(data, dict)  # noqa: S101 - a definition is an object
    return canonical({"crmsdk": FORMAT, **data})


@overload
def loads(text: str, cls: type[T]) -> T: ...
@overload
def loads(text: str, cls: object) -> Any: ...
def loads(text: str, cls: object) -> Any:
    """Read a definition from its text; written by hand it need not be canonical.

    Raises:
        UnknownVersion: another format version.
        DefinitionError: not JSON, a repeated key, no version, or as ``decode``.
    """
    try:
        data = json.loads(text, object_pairs_hook=_object, parse_constant=_not_a_number)
    except RecursionError:
        raise DefinitionError(f"is nested deeper than {DEPTH} levels; flatten the definition") from None
    except ValueError as error:
        where = (
            f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        )
        raise DefinitionError(f"is not JSON{where}; give the text of a definition") from None
    if not isinstance(data, dict) or "crmsdk" not in data:
        raise DefinitionError(f'has no format version; give an object with "crmsdk": {FORMAT}')
    version = data.pop("crmsdk")
    if type(version) is not int or version != FORMAT:
        raise UnknownVersion(
            f"has format version {version!r:.20}, this release reads {FORMAT}; upgrade crmsdk or re-export it"
        )
    return decode(data, cls)


def content_hash(value: object) -> str:
    """Give the hash of a definition: of its canonical text, so that a stored text can be checked against it.

    Returns:
        32 hexadecimal digits of BLAKE2b.

    Raises:
        DefinitionError: as ``encode``.
    """
    return hashlib.blake2b(dumps(value).encode(), digest_size=16).hexdigest()


def schema(cls: object) -> dict[str, Json]:
    """Describe the texts of a definition as JSON Schema 2020-12, closed, with everything reachable in it.

    Args:
        cls: A definition class, a class above some, or an annotation as of a field.

    Raises:
        DefinitionError: no registered definition is meant.
    """
    kind = kind_of_hint(cls, {}, "cls")
    if not isinstance(kind, Definition) or not kind.tags():
        raise DefinitionError("names no registered definition; import the module that declares it")
    defs: dict[str, Json] = {}
    roots: list[Json] = [_root(tag, defs) for tag in kind.tags()]
    out: dict[str, Json] = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": defs}
    return {**out, **roots[0]} if len(roots) == 1 and isinstance(roots[0], dict) else {**out, "anyOf": roots}


def _root(tag: str, defs: dict[str, Json]) -> Json:
    """Describe a definition at the top of a text; the shared part is closed and knows no version."""
    body: dict[str, Any] = Definition.described(tag, defs)
    body["properties"] = {"crmsdk": {"const": FORMAT}, **body["properties"]}
    body["required"] = ["crmsdk", *body["required"]]
    return body


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        names = sorted(key for key, _ in pairs)
        twice = next(first for first, second in pairwise(names) if first == second)
        raise DefinitionError(f"holds the key {twice!r:.40} twice in one object; keep one")
    return out


def _not_a_number(name: str) -> NoReturn:
    raise DefinitionError(f"holds {name}, which is not JSON; give a finite number")
