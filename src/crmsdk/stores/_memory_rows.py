"""Rows that belong to a customer and can pass to another, found by id and by customer."""

from collections.abc import Iterable
from typing import Generic, TypeVar

import attrs

from crmsdk.journeys.person import Task
from crmsdk.model.ids import CustomerId
from crmsdk.model.message import Message

__all__ = ["OwnedRows"]

_Row = TypeVar("_Row", Message, Task)


class OwnedRows(Generic[_Row]):
    """The rows of one kind; an id is one row, whoever it belongs to."""

    def __init__(self) -> None:
        self.by_id: dict[str, _Row] = {}
        self._ids: dict[CustomerId, set[str]] = {}

    def put(self, row: _Row, owner: CustomerId) -> _Row:
        """Write a row as the owner's; give it as it is stored."""
        before = self.by_id.get(row.id)
        if before is not None and before.customer != owner:
            self._ids[before.customer].discard(row.id)
        if row.customer != owner:
            row = attrs.evolve(row, customer=owner)
        self.by_id[row.id] = row
        self._ids.setdefault(owner, set()).add(row.id)
        return row

    def remove(self, row: _Row) -> None:
        """Delete a row."""
        del self.by_id[row.id]
        self._ids[row.customer].discard(row.id)

    def of(self, owner: CustomerId) -> list[_Row]:
        """Give the rows of a customer, in any order."""
        return [self.by_id[id] for id in self._ids.get(owner, ())]

    def all(self) -> Iterable[_Row]:
        """Give every row, in any order."""
        return self.by_id.values()
