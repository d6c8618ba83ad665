"""What all databases have in common: compile, run, look again where rounding might decide."""

from abc import abstractmethod
from array import array
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cached_property
from itertools import chain, islice
from typing import Any, Final

from typing_extensions import override

from crmsdk.audiences._asked import names_of
from crmsdk.errors import AudienceError, TooManyRows
from crmsdk.model.changing import with_changes
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId
from crmsdk.model.moment import to_micros, to_moment
from crmsdk.ports import Audience
from crmsdk.segments.accounts import about_account
from crmsdk.segments.conditions import Predicate, Segment, predicate_of
from crmsdk.segments.meaning import evaluate
from crmsdk.segments.memberships import WORD, Memberships
from crmsdk.segments.sql.accounts import colleagues_query
from crmsdk.segments.sql.compiling import compile_count, compile_masks, compile_members
from crmsdk.segments.sql.dialects.dialect import Dialect
from crmsdk.segments.sql.layout import Layout, Schema
from crmsdk.segments.sql.recalling import recalled
from crmsdk.segments.sql.zoning import zones_of_people

__all__ = ["MAX_ROWS", "SqlAudience"]

MAX_ROWS: Final = 5_000_000
_AT_ONCE: Final = 500
"""How many people in doubt are read back in one query."""

Row = tuple[Any, ...]


class SqlAudience(Audience):
    """Answers from tables; a database gives its schema and the rows of a query.

    Args:
        dialect: Whose SQL.
        layout: Where things are.
        max_rows: How many people an answer may name.
    """

    def __init__(self, dialect: Dialect, layout: Layout, max_rows: int) -> None:
        self._dialect = dialect
        self._declared: Final = layout
        self._max_rows: Final = max_rows
        self._closed = False

    @abstractmethod
    def _schema(self, tables: Sequence[str]) -> Schema:
        """Say which of the tables are there, with their columns."""

    @abstractmethod
    def _chunks(self, sql: str) -> Iterator[list[Row]]:
        """Run a query and give its rows in lists; the driver's errors leave as ``AudienceError``."""

    @abstractmethod
    def _let_go(self) -> None:
        """Close what was opened here."""

    @cached_property
    def layout(self) -> Layout:
        """The layout with every column found; what the database has is looked up once.

        Raises:
            LayoutError: a table or column is missing, or holds what it cannot mean.
        """
        return self._declared.bound(self._schema(self._declared.tables()))

    @override
    def members(self, predicate: Predicate, *, at: datetime) -> Sequence[CustomerId]:
        at = self._ready(at)
        query = compile_members(self._dialect, self.layout, predicate_of(predicate), at, zones=self._zones)
        rows = self._limited(query.sql, "ask count(), narrow the segment, or raise max_rows")
        if not query.doubtful:
            return tuple(sorted(self._named(row[0] for row in rows)))
        sure = self._named(customer for customer, doubt in rows if not doubt)
        doubtful = self._named(customer for customer, doubt in rows if doubt)
        sure += (whose for whose, (matched,) in self._judged([predicate], doubtful, at) if matched)
        return tuple(sorted(sure))

    @override
    def count(self, predicate: Predicate, *, at: datetime) -> int:
        at = self._ready(at)
        query = compile_count(self._dialect, self.layout, predicate_of(predicate), at, zones=self._zones)
        ((found,),) = self._rows(query.sql)
        if not query.doubtful:
            return int(found)
        again = compile_members(
            self._dialect, self.layout, predicate, at, only_doubtful=True, zones=self._zones
        )
        doubtful = [CustomerId(row[0]) for row in self._rows(again.sql)]
        return int(found) + sum(matched for _, (matched,) in self._judged([predicate], doubtful, at))

    @override
    def memberships(self, segments: Sequence[Segment], *, at: datetime) -> Memberships:
        names = names_of(segments)
        at = self._ready(at)
        query = compile_masks(self._dialect, self.layout, segments, at, zones=self._zones)
        people: list[CustomerId] = []
        words = [array("q") for _ in range(0, len(names), WORD)]
        doubts: list[int] = []
        for chunk in self._chunks(query.sql):
            ids, *columns = zip(*chunk, strict=True)
            people += self._named(ids)
            if len(people) > self._max_rows:
                raise TooManyRows(self._max_rows, "ask count() of each segment, or raise max_rows")
            if query.doubtful:
                start = len(people) - len(ids)
                doubts += (start + row for row, doubt in enumerate(columns.pop()) if doubt)
            for word, column in zip(words, columns, strict=True):
                word.extend(column)
        rows = {people[row]: row for row in doubts}
        for whose, answers in self._judged(segments, list(rows), at):
            for place, word in enumerate(words):
                part = answers[place * WORD : (place + 1) * WORD]
                word[rows[whose]] = sum(1 << bit for bit, matched in enumerate(part) if matched)
        return Memberships(at=at, names=names, people=tuple(people), words=words)

    @override
    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._let_go()

    def _zones(self) -> Iterable[str]:
        """Look up which zones there are."""
        queries = zones_of_people(self._dialect, self.layout)
        return {name for query in queries for (name,) in self._rows(query) if isinstance(name, str)}

    def _ready(self, at: datetime) -> datetime:
        if self._closed:
            raise AudienceError("the audience is closed; make a new one")
        return to_moment(at, "at")

    def _named(self, ids: Iterable[Any]) -> list[CustomerId]:
        """Take ids of people; a row without one is somebody nobody can be told of.

        Raises:
            AudienceError: one is null.
        """
        found = [CustomerId(each) for each in ids]
        if None in found:
            people = self.layout.people
            other = ", or the customer of another table," if self.layout.complete else ""
            raise AudienceError(
                f"column {people.id!r} of table {people.table!r}{other} holds null; leave such rows out, or "
                "give each an id"
            )
        return found

    def _rows(self, sql: str) -> Iterator[Row]:
        return chain.from_iterable(self._chunks(sql))

    def _limited(self, sql: str, mend: str) -> list[Row]:
        rows = list(islice(self._rows(self._dialect.limited(sql, self._max_rows + 1)), self._max_rows + 1))
        if len(rows) > self._max_rows:
            raise TooManyRows(self._max_rows, mend)
        return rows

    def _judged(
        self, predicates: Sequence[Predicate], customers: Sequence[CustomerId], at: datetime
    ) -> Iterable[tuple[CustomerId, list[bool]]]:
        """Ask the reference about people of whom rounding might decide."""
        recall = self._beside if any(about_account(each) for each in predicates) else self._recalled
        for start in range(0, len(customers), _AT_ONCE):
            for facts in recall(customers[start : start + _AT_ONCE], at):
                yield facts.customer, [evaluate(each, facts, at).matched for each in predicates]

    def _recalled(self, customers: Sequence[CustomerId], _: datetime) -> Iterable[Facts]:
        return recalled(self._dialect, self.layout, customers, self._rows)

    def _beside(self, customers: Sequence[CustomerId], at: datetime) -> Iterable[Facts]:
        """Read people with everybody in their accounts; those may be more than the people themselves."""
        query = colleagues_query(self._dialect, self.layout, customers, to_micros(at, "at"))
        accounts = {CustomerId(row[0]): row[1] for row in self._rows(query)}
        everybody = list(dict.fromkeys((*customers, *accounts)))
        known = {
            facts.customer: facts
            for start in range(0, len(everybody), _AT_ONCE)
            for facts in self._recalled(everybody[start : start + _AT_ONCE], at)
        }
        people: dict[object, list[Facts]] = {}
        for customer, account in accounts.items():
            people.setdefault(account, []).append(known[customer])
        for customer in customers:
            others = people.get(accounts.get(customer), ())
            yield with_changes(known[customer], colleagues=tuple(others))
