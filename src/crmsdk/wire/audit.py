"""Look a table over before it is imported: how full it is, what repeats, whom one could reach.

found = audit(
    csv_rows("contacts.csv"),
    by=["source"],
    count={"without customer": prop("customer").missing()},
    contacts={"email": "email", "phone": "phone"},
)
print(found)
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

import attrs
from typing_extensions import override

from crmsdk.errors import InputError, UnknownName
from crmsdk.model.comparison import PropTest
from crmsdk.model.customer import Identifier, IdentifierKind
from crmsdk.model.values import Value, normal
from crmsdk.wire.columns import Cells, is_empty, name_in, tests_of
from crmsdk.wire.report import RejectedRow

__all__ = ["Audit", "ColumnAudit", "ContactAudit", "audit"]

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_PHONE = re.compile(r"\+\d{8,15}")  # ITU-T E.164: a country code and at most 15 digits


@attrs.frozen
class ColumnAudit:
    """One column.

    Attributes:
        filled: Rows in which something stands.
        kinds: Python's name of a kind of value to the number of cells of it; of a CSV file all are ``str``.
    """

    filled: int
    kinds: Mapping[str, int]


@attrs.frozen
class ContactAudit:
    """One kind of address; rows are named by number, never by address.

    Attributes:
        filled: Rows with one.
        unusable: Rows whose address nothing can be sent to: an e-mail without a domain, a phone that is not
            in international form.
        shared: Groups of rows with one address, compared as identities are: without case, space or dashes.
    """

    filled: int
    unusable: tuple[int, ...]
    shared: tuple[tuple[int, ...], ...]


@attrs.frozen(kw_only=True)
class Audit:
    """What a table looks like.

    Attributes:
        rows: Rows seen, broken ones included.
        broken: Rows that could not be read.
        duplicates: Rows that repeat an earlier one in every cell.
        columns: Column to how full it is.
        counted: Name to the number of rows it asks for.
        by: Column to value to number of rows; None stands for an empty cell.
        contacts: Kind of address to its quality.
    """

    rows: int
    broken: tuple[RejectedRow, ...]
    duplicates: int
    columns: Mapping[str, ColumnAudit]
    counted: Mapping[str, int]
    by: Mapping[str, Mapping[Value, int]]
    contacts: Mapping[IdentifierKind, ContactAudit]

    def fill_rate(self, column: str) -> float:
        """Give the share of rows in which something stands, from 0 to 1; of no rows it is 0.

        Raises:
            UnknownName: the table has no such column.
        """
        if column not in self.columns:
            raise UnknownName("column", column, list(self.columns), mend="give one of the table's")
        return self.columns[column].filled / self.rows if self.rows else 0.0

    @override
    def __str__(self) -> str:
        """Write it as a small table."""
        lines = [("rows", f"{self.rows:,}"), ("exact duplicates", f"{self.duplicates:,}")]
        lines += [("broken", f"{len(self.broken):,}")] if self.broken else []
        lines += [(name, f"{number:,}") for name, number in self.counted.items()]
        lines += [(f"{name} filled", f"{self.fill_rate(name):.1%}") for name in self.columns]
        for kind, contact in self.contacts.items():
            lines.append((f"{kind} unusable", f"{len(contact.unusable):,}"))
            lines.append((f"{kind} shared", f"{sum(map(len, contact.shared)):,} rows"))
        for column, values in self.by.items():
            lines += [
                (f"{column}: {'(empty)' if value is None else value}", f"{number:,}")
                for value, number in sorted(values.items(), key=lambda pair: (-pair[1], str(pair[0])))
            ]
        width = max(len(name) for name, _ in lines)
        return "\n".join(f"{name:<{width}}  {figure:>12}" for name, figure in lines)


def audit(
    rows: Iterable[Cells | RejectedRow],
    *,
    by: Iterable[str] = (),
    count: Mapping[str, PropTest | Sequence[PropTest]] | None = None,
    contacts: Mapping[IdentifierKind | str, str] | None = None,
) -> Audit:
    """Count rows, exact duplicates, how full each column is, and how good the contacts are.

    One pass; it keeps 16 bytes for each row and each address.

    Args:
        rows: ``csv_rows``, ``frame_rows``, or mappings of column to cell.
        by: Columns whose values to count, as the source of a contact; their values are shown.
        count: A name to questions about columns, all of which hold in the rows counted.
        contacts: Kind of address, as ``email``, to its column.

    Raises:
        UnknownName: the table has no such column.
        InputError: an unknown kind of address.
    """
    looking = _Auditor(
        tuple(by),
        {name: tests_of(tests) for name, tests in (count or {}).items()},
        {_kind(kind): column for kind, column in (contacts or {}).items()},
    )
    for number, cells in enumerate(rows, 1):
        looking.take(number, cells)
    return looking.result()


class _Auditor:
    """What is counted so far."""

    def __init__(
        self,
        by: tuple[str, ...],
        count: Mapping[str, tuple[PropTest, ...]],
        contacts: Mapping[IdentifierKind, str],
    ) -> None:
        self.count, self.contacts = count, contacts
        self.rows = self.duplicates = 0
        self.broken: list[RejectedRow] = []
        self.seen: set[bytes] = set()
        self.kinds: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.counted = dict.fromkeys(count, 0)
        self.by: dict[str, Counter[Value]] = {column: Counter() for column in by}
        self.unusable: dict[IdentifierKind, list[int]] = {kind: [] for kind in contacts}
        self.holders: dict[IdentifierKind, dict[bytes, list[int]]] = {kind: {} for kind in contacts}
        self.asked = {test.name for tests in count.values() for test in tests}
        self.needed = (*by, *contacts.values(), *sorted(self.asked))

    def take(self, number: int, cells: Cells | RejectedRow) -> None:
        """Count one row."""
        self.rows += 1
        if isinstance(cells, RejectedRow):
            self.broken.append(cells)
            return
        for column in self.needed:
            if column not in cells:
                raise UnknownName("column", column, list(cells), mend="give one of the table's")
        key = _digest("\x1f".join(f"{name}\x1e{cells[name]!r}" for name in sorted(cells)))
        self.duplicates += key in self.seen
        self.seen.add(key)
        for name, cell in cells.items():
            kinds = self.kinds[name]
            if not is_empty(cell):
                kinds[type(cell).__name__] += 1
        for column, values in self.by.items():
            values[_value(column, cells)] += 1
        asked = {name: _value(name, cells) for name in self.asked}
        for name, tests in self.count.items():
            self.counted[name] += all(test.holds(asked) for test in tests)
        for kind, column in self.contacts.items():
            if not is_empty(cells[column]):
                self._contact(number, kind, cells, column)

    def _contact(self, number: int, kind: IdentifierKind, cells: Cells, column: str) -> None:
        try:
            found = Identifier(kind, name_in(cells, column)).value
        except InputError:
            self.unusable[kind].append(number)
            return
        shape = {IdentifierKind.EMAIL: _EMAIL, IdentifierKind.PHONE: _PHONE}.get(kind)
        if shape and not shape.fullmatch(found):
            self.unusable[kind].append(number)
        self.holders[kind].setdefault(_digest(found), []).append(number)

    def result(self) -> Audit:
        """Give the account."""
        return Audit(
            rows=self.rows,
            broken=tuple(self.broken),
            duplicates=self.duplicates,
            columns={name: ColumnAudit(kinds.total(), dict(kinds)) for name, kinds in self.kinds.items()},
            counted=dict(self.counted),
            by={column: dict(values) for column, values in self.by.items()},
            contacts={kind: self._contacts(kind) for kind in self.contacts},
        )

    def _contacts(self, kind: IdentifierKind) -> ContactAudit:
        holders = self.holders[kind].values()
        filled = self.kinds[self.contacts[kind]].total() if self.rows else 0
        shared = tuple(tuple(numbers) for numbers in holders if len(numbers) > 1)
        return ContactAudit(filled, tuple(self.unusable[kind]), shared)


def _digest(text: str) -> bytes:
    return blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()


def _value(name: str, cells: Cells) -> Value:
    cell = cells[name]
    if is_empty(cell):
        return None
    return normal(cell.strip() if isinstance(cell, str) else cell, name)


def _kind(kind: IdentifierKind | str) -> IdentifierKind:
    try:
        return IdentifierKind(kind)
    except ValueError:
        known = ", ".join(each.value for each in IdentifierKind)
        raise InputError(f"is unknown; give one of {known}", field="contacts") from None
