"""People read or written lately: one who is read again costs a look at the version instead of all rows.

Whoever writes a person takes its version on, so the same version is the same person. Only an id that was
absorbed may come back with a version used before. Therefore a counter in the file tells how often people were
taken out; where it differs from the one last seen, everybody is forgotten.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Iterable

from crmsdk.journeys.person import Person
from crmsdk.model.ids import CustomerId

__all__ = ["KnownPeople"]

_SEEN = "SELECT value FROM meta WHERE key = 'taken_out'"
_COUNT = """
    INSERT INTO meta VALUES ('taken_out', '1')
    ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1
"""


class KnownPeople:
    """People by id, the least lately used first to be forgotten; for the thread of one connection.

    Args:
        room: How many facts and runs they may have together; 0 to know nobody.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._people: OrderedDict[CustomerId, Person] = OrderedDict()
        self._weight = 0
        self._taken_out = ""
        self._staged: list[Person] = []

    def agree(self, connection: sqlite3.Connection) -> None:
        """Forget everybody if somebody was taken out of the file by others; first in each transaction."""
        row = connection.execute(_SEEN).fetchone()
        taken_out = "" if row is None else row[0]
        if taken_out != self._taken_out:
            self.clear()
            self._taken_out = taken_out

    def get(self, customer: CustomerId, version: int) -> Person | None:
        """Give a person, if it is known in this version."""
        person = self._people.get(customer)
        if person is None or person.version != version:
            return None
        self._people.move_to_end(customer)
        return person

    def put(self, person: Person) -> None:
        """Know a person as it was read."""
        self._forget(person.id)
        weight = _weight(person)
        if weight > self._room:
            return
        self._people[person.id] = person
        self._weight += weight
        while self._weight > self._room:
            self._forget(next(iter(self._people)))

    def stage(self, person: Person) -> None:
        """Know a person as it is being written, once that is committed."""
        self._staged.append(person)

    def take_out(self, connection: sqlite3.Connection, customers: Iterable[CustomerId]) -> None:
        """Tell all who use the file that these are taken out; their ids may be used again."""
        connection.execute(_COUNT)
        (self._taken_out,) = connection.execute(_SEEN).fetchone()
        for customer in customers:
            self._forget(customer)

    def keep(self) -> None:
        """Take over what was staged: it is committed."""
        for person in self._staged:
            self.put(person)
        self._staged.clear()

    def clear(self) -> None:
        """Forget everybody, also who was staged."""
        self._people.clear()
        self._weight = 0
        self._staged.clear()

    def _forget(self, customer: CustomerId) -> None:
        person = self._people.pop(customer, None)
        if person is not None:
            self._weight -= _weight(person)


def _weight(person: Person) -> int:
    facts = person.facts
    parts = (facts.events, facts.attributes, facts.consents, person.identifiers)
    return 1 + sum(map(len, parts)) + len(person.enrollments) + len(person.watches)
