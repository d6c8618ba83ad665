"""The two queues of the memory store: people by their wake, messages by when a worker may take them.

Both are heaps whose outdated entries stay until they come up: an entry counts only while it agrees with the
row it points to. So a change costs one push, and nothing is ever searched for.
"""

from collections.abc import Iterator
from datetime import datetime
from heapq import heappop, heappush
from typing import TypeAlias

from crmsdk.model.changing import with_changes
from crmsdk.model.ids import CustomerId, MessageId
from crmsdk.model.message import Message
from crmsdk.stores._memory_rows import OwnedRows
from crmsdk.stores._writing import free_from

__all__ = ["Outbox", "Wakes"]

Order: TypeAlias = tuple[datetime, int, float, str]


class Wakes:
    """When each person must be looked at again."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, CustomerId]] = []
        self._at: dict[CustomerId, datetime] = {}

    def get(self, customer: CustomerId) -> datetime | None:
        """Give the wake of a person; None for never."""
        return self._at.get(customer)

    def put(self, customer: CustomerId, wake: datetime | None) -> None:
        """Set the wake of a person; None for never."""
        if wake is None:
            self._at.pop(customer, None)
        elif self._at.get(customer) != wake:
            self._at[customer] = wake
            heappush(self._heap, (wake, customer))

    def due(self, now: datetime, limit: int) -> list[CustomerId]:
        """Name who is due, earliest first, ties by id; they stay due."""
        found: list[tuple[datetime, CustomerId]] = []
        while self._heap and self._heap[0][0] <= now and len(found) < limit:
            entry = heappop(self._heap)
            # A wake that was moved away and back has two equal entries; they come up one after the other.
            if self._at.get(entry[1]) == entry[0] and not (found and found[-1] == entry):
                found.append(entry)
        for entry in found:
            heappush(self._heap, entry)
        return [customer for _, customer in found]

    def first(self) -> datetime | None:
        """Give the earliest wake."""
        heap = self._heap
        while heap and self._at.get(heap[0][1]) != heap[0][0]:
            heappop(heap)
        return heap[0][0] if heap else None


class _Lane:
    """The living messages of one journey: those not yet free by moment, the free ones by order."""

    def __init__(self, journey: str, rows: dict[str, Message]) -> None:
        self.journey = journey
        self._rows = rows
        self._waiting: list[tuple[datetime, MessageId]] = []
        self._overdue: list[tuple[datetime, MessageId]] = []
        """The free ones once more, by moment, for ``first``."""
        self._ready: list[tuple[Order, datetime]] = []

    def push(self, message: Message, free: datetime) -> None:
        """Queue a message up."""
        heappush(self._waiting, (free, message.id))

    def promote(self, now: datetime) -> None:
        """Move what is free by ``now`` into the order of sending."""
        waiting = self._waiting
        while waiting and waiting[0][0] <= now:
            entry = heappop(waiting)
            row = self._current(entry)
            if row is not None:
                heappush(self._overdue, entry)
                heappush(self._ready, (row.order, entry[0]))

    def pop(self, now: datetime) -> Message | None:
        """Take the next free message out of the order."""
        back: list[tuple[Order, datetime]] = []
        found: Message | None = None
        while self._ready and found is None:
            entry = heappop(self._ready)
            row = self._current((entry[1], MessageId(entry[0][3])))
            if row is None or row.order != entry[0]:
                continue
            if entry[1] > now:  # the clock of this worker is behind another's
                back.append(entry)
            else:
                found = row
        for entry in back:
            heappush(self._ready, entry)
        return found

    def unpop(self, message: Message, free: datetime) -> None:
        """Put back what was taken out and not used."""
        heappush(self._ready, (message.order, free))

    def first(self) -> datetime | None:
        """Give the earliest moment at which something is free."""
        moments = []
        for heap in (self._waiting, self._overdue):
            while heap and self._current(heap[0]) is None:
                heappop(heap)
            if heap:
                moments.append(heap[0][0])
        return min(moments, default=None)

    def _current(self, entry: tuple[datetime, MessageId]) -> Message | None:
        row = self._rows.get(entry[1])
        return row if row is not None and row.journey == self.journey and free_from(row) == entry[0] else None


class Outbox:
    """The living messages in the order in which they may go."""

    def __init__(self, rows: OwnedRows[Message]) -> None:
        self._rows = rows
        self._lanes: dict[str, _Lane] = {}

    def put(self, message: Message, owner: CustomerId) -> None:
        """Write a row."""
        self._rows.put(message, owner)
        free = free_from(message)
        if free is not None:
            lane = self._lanes.get(message.journey)
            if lane is None:
                lane = self._lanes[message.journey] = _Lane(message.journey, self._rows.by_id)
            lane.push(message, free)

    def take(
        self, now: datetime, *, limit: int, worker: str, lease: datetime, paused: frozenset[str]
    ) -> list[Message]:
        """Lease the next messages of journeys that are not paused, in order."""
        out: list[Message] = []
        heads: list[tuple[Order, str]] = []
        held: dict[str, Message] = {}
        for lane in self._open_lanes(paused):
            lane.promote(now)
            self._next(lane, now, heads=heads, held=held)
        taken: set[MessageId] = set()
        while heads and len(out) < limit:
            _, journey = heappop(heads)
            message = held.pop(journey)
            # A row written twice without moving has two equal entries.
            if message.id not in taken:
                taken.add(message.id)
                claimed = with_changes(message, worker=worker, lease=lease)
                self.put(claimed, claimed.customer)
                out.append(claimed)
            self._next(self._lanes[journey], now, heads=heads, held=held)
        for journey, message in held.items():
            free = free_from(message)
            if free is not None:
                self._lanes[journey].unpop(message, free)
        return out

    def first(self, paused: frozenset[str]) -> datetime | None:
        """Give the earliest moment at which a message of a journey that is not paused is free."""
        moments = (lane.first() for lane in self._open_lanes(paused))
        return min((moment for moment in moments if moment is not None), default=None)

    def _open_lanes(self, paused: frozenset[str]) -> Iterator[_Lane]:
        return (lane for journey, lane in self._lanes.items() if journey not in paused)

    @staticmethod
    def _next(
        lane: _Lane, now: datetime, *, heads: list[tuple[Order, str]], held: dict[str, Message]
    ) -> None:
        message = lane.pop(now)
        if message is not None:
            heappush(heads, (message.order, lane.journey))
            held[lane.journey] = message
