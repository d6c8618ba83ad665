"""One table: its columns, the SQL over them, and how a row becomes a value."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, Generic, TypeAlias, TypeVar

import attrs

__all__ = ["Row", "Table"]

Row: TypeAlias = tuple[Any, ...]
_Value = TypeVar("_Value")


@attrs.frozen(kw_only=True)
class Table(Generic[_Value]):
    """A table of the schema; names in it are constants of this package, so they may be pasted into SQL.

    Attributes:
        name: The table's name.
        columns: In the order of ``row``; the first is the id of the person the row belongs to.
        key: Columns by which a row is found again and overwritten; empty for a log.
        row: Makes a row from the owner's id and a value.
        value: Makes the value from a row.
    """

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...] = ()
    row: Callable[[str, _Value], Row]
    value: Callable[[Row], _Value]

    @cached_property
    def insert(self) -> str:
        """Write a new row, or overwrite the one of the same key."""
        marks = ", ".join("?" * len(self.columns))
        sql = f"INSERT INTO {self.name} ({self._names}) VALUES ({marks})"  # noqa: S608 - names are constants
        if not self.key:
            return sql
        rest = ", ".join(f'"{name}" = excluded."{name}"' for name in self.columns if name not in self.key)
        return f"{sql} ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET {rest}"

    @cached_property
    def select(self) -> str:
        """Read rows; a WHERE or ORDER BY follows."""
        return f"SELECT {self._names} FROM {self.name}"  # noqa: S608 - names are constants

    @cached_property
    def _names(self) -> str:
        return ", ".join(f'"{name}"' for name in self.columns)
