"""Kinds of content that hold other kinds: tuples, sets, mappings and unions."""

from collections.abc import Mapping
from typing import Any

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.model._kinds import Kind, canonical, deeper, join, misread, unfit
from crmsdk.model._tagged import closed
from crmsdk.model.value_json import Json


@attrs.frozen
class ListOf:
    """A tuple of any length, of one kind of item."""

    item: Kind

    rank = 5
    wanted = "a list"

    def fits(self, value: Any) -> bool:
        """Look for a tuple."""
        return isinstance(value, tuple)

    def takes(self, data: Any) -> bool:
        """Look for a list."""
        return isinstance(data, list)

    def write(self, value: Any, path: str, depth: int, /) -> Json:
        """Write each item."""
        if not self.fits(value):
            raise unfit(value, "a tuple", path)
        depth = deeper(depth, path)
        return [self.item.write(item, f"{path}[{i}]", depth) for i, item in enumerate(value)]

    def read(self, data: Any, path: str, depth: int, /) -> Any:
        """Read each item."""
        if not self.takes(data):
            raise misread(data, self.wanted, path)
        depth = deeper(depth, path)
        return tuple(self.item.read(item, f"{path}[{i}]", depth) for i, item in enumerate(data))

    def schema(self, defs: dict[str, Json], /) -> dict[str, Json]:
        """Describe the items."""
        return {"type": "array", "items": self.item.schema(defs)}


@attrs.frozen
class Row:
    """A tuple of fixed length, each place of its own kind."""

    items: tuple[Kind, ...]

    rank = 5

    @property
    def wanted(self) -> str:
        """Name the length."""
        return f"a list of {len(self.items)}"

    def fits(self, value: Any) -> bool:
        """Look for a tuple."""
        return isinstance(value, tuple)

    def takes(self, data: Any) -> bool:
        """Look for a list."""
        return isinstance(data, list)

    def write(self, value: Any, path: str, depth: int, /) -> Json:
        """Write each place."""
        if not self.fits(value) or len(value) != len(self.items):
            raise unfit(value, f"a tuple of {len(self.items)}", path)
        depth = deeper(depth, path)
        places = zip(self.items, value, strict=True)
        return [kind.write(item, f"{path}[{i}]", depth) for i, (kind, item) in enumerate(places)]

    def read(self, data: Any, path: str, depth: int, /) -> Any:
        """Read each place."""
        if not self.takes(data):
            raise misread(data, self.wanted, path)
        if len(data) != len(self.items):
            raise DefinitionError(f"is a list of {len(data)}; give {self.wanted}", path=path)
        depth = deeper(depth, path)
        places = zip(self.items, data, strict=True)
        return tuple(kind.read(item, f"{path}[{i}]", depth) for i, (kind, item) in enumerate(places))

    def schema(self, defs: dict[str, Json], /) -> dict[str, Json]:
        """Describe each place."""
        if not self.items:
            return {"type": "array", "maxItems": 0}
        size = len(self.items)
        return {
            "type": "array",
            "prefixItems": [kind.schema(defs) for kind in self.items],
            "minItems": size,
            "maxItems": size,
        }


@attrs.frozen
class SetOf:
    """A frozen set, written as a list in the order of its items' texts."""

    item: Kind

    rank = 5
    wanted = "a list without repetitions"

    def fits(self, value: Any) -> bool:
        """Look for a frozen set."""
        return isinstance(value, frozenset)

    def takes(self, data: Any) -> bool:
        """Look for a list."""
        return isinstance(data, list)

    def write(self, value: Any, path: str, depth: int, /) -> Json:
        """Write each item and sort."""
        if not self.fits(value):
            raise unfit(value, "a frozenset", path)
        depth = deeper(depth, path)
        items = [self.item.write(item, f"{path}[]", depth) for item in value]
        if all(isinstance(item, int) for item in items):
            return sorted(items, key=int)  # type: ignore[arg-type]  # all are integers
        return sorted(items, key=canonical)

    def read(self, data: Any, path: str, depth: int, /) -> Any:
        """Read each item."""
        if not self.takes(data):
            raise misread(data, self.wanted, path)
        depth = deeper(depth, path)
        items = frozenset(self.item.read(item, f"{path}[{i}]", depth) for i, item in enumerate(data))
        if len(items) != len(data):
            raise DefinitionError(f"holds an item twice; give {self.wanted}", path=path)
        return items

    def schema(self, defs: dict[str, Json], /) -> dict[str, Json]:
        """Describe the items."""
        return {"type": "array", "uniqueItems": True, "items": self.item.schema(defs)}


@attrs.frozen
class MapOf:
    """A mapping of text to one kind; one with the key ``is`` is wrapped, or it would look like a tag."""

    key: Kind
    item: Kind

    rank = 6
    wanted = "an object"

    def fits(self, value: Any) -> bool:
        """Look for a mapping."""
        return isinstance(value, Mapping)

    def takes(self, data: Any) -> bool:
        """Look for an object without a tag, or a wrapped one."""
        return isinstance(data, dict) and data.get("is", "mapping") == "mapping"

    def write(self, value: Any, path: str, depth: int, /) -> Json:
        """Write each entry."""
        if not self.fits(value):
            raise unfit(value, "a mapping", path)
        depth = deeper(depth, path)
        out: dict[str, Json] = {}
        for key, item in value.items():
            name = self.key.write(key, join(path, "key"), depth)
            out[str(name)] = self.item.write(item, join(path, str(name)), depth)
        return {"is": "mapping", "of": out} if "is" in out else out

    def read(self, data: Any, path: str, depth: int, /) -> Any:
        """Read each entry."""
        if not self.takes(data):
            raise misread(data, self.wanted, path)
        if "is" in data:
            if set(data) != {"is", "of"} or not isinstance(data["of"], dict):
                raise DefinitionError("is a malformed mapping; give 'is' and an object 'of'", path=path)
            data = data["of"]
        depth = deeper(depth, path)
        return {
            self.key.read(key, join(path, "key"), depth): self.item.read(item, join(path, key), depth)
            for key, item in data.items()
        }

    def schema(self, defs: dict[str, Json], /) -> dict[str, Json]:
        """Describe both forms."""
        entries: dict[str, Json] = {
            "type": "object",
            "propertyNames": self.key.schema(defs),
            "additionalProperties": self.item.schema(defs),
        }
        plain: dict[str, Json] = {**entries, "not": {"required": ["is"]}}
        return {"anyOf": [plain, closed({"is": {"const": "mapping"}, "of": entries})]}


@attrs.frozen
class OneOf:
    """A union: the first member, in the order of rank, that fits."""

    members: tuple[Kind, ...]

    @property
    def rank(self) -> int:
        """As the first member; unions never nest, so nobody compares it."""
        return self.members[0].rank

    @property
    def wanted(self) -> str:
        """Name all members."""
        return " or ".join(member.wanted for member in self.members)

    def fits(self, value: Any) -> bool:
        """Ask the members."""
        return any(member.fits(value) for member in self.members)

    def takes(self, data: Any) -> bool:
        """Ask the members."""
        return any(member.takes(data) for member in self.members)

    def write(self, value: Any, path: str, depth: int, /) -> Json:
        """Let the member write."""
        for member in self.members:
            if member.fits(value):
                return member.write(value, path, depth)
        raise unfit(value, self.wanted, path)

    def read(self, data: Any, path: str, depth: int, /) -> Any:
        """Let the member read."""
        for member in self.members:
            if member.takes(data):
                return member.read(data, path, depth)
        raise misread(data, self.wanted, path)

    def schema(self, defs: dict[str, Json], /) -> dict[str, Json]:
        """List the members."""
        return {"anyOf": [member.schema(defs) for member in self.members]}
