"""Definitions as documents: JSON text and JSON Schema, for files, editors and other languages."""

from typing import TypeVar

from crmsdk.errors import DefinitionError
from crmsdk.model import codec
from crmsdk.model.value_json import Json

__all__ = ["from_json", "json_schema", "to_json"]

T = TypeVar("T")


def to_json(definition: object) -> str:
    """Write a journey, segment, policy or catalog as JSON text: one text for equal definitions.

    Raises:
        DefinitionError: it is no definition, or a field holds what it must not; the path says where.
    """
    return codec.dumps(definition)


def from_json(text: str | bytes, kind: type[T]) -> T:
    """Read a definition from JSON text; what ``to_json`` wrote comes back equal.

    Args:
        text: In UTF-8, canonical or written by hand.
        kind: What it must be, as ``Journey``.

    Raises:
        UnknownVersion: written by a release with another format.
        DefinitionError: no JSON, no such definition, or a wrong field; the path says where.
    """
    try:
        return codec.loads(text.decode() if isinstance(text, bytes) else text, kind)
    except UnicodeDecodeError:
        raise DefinitionError("is not UTF-8; save it as UTF-8") from None


def json_schema(kind: type) -> dict[str, Json]:
    """Describe the documents of a kind as JSON Schema 2020-12, closed, with everything they can hold.

    Args:
        kind: A kind of definition, as ``Journey``.

    Raises:
        DefinitionError: it is none.
    """
    return codec.schema(kind)
