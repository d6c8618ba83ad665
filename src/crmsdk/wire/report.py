"""What became of the rows of an import: each is accepted, a duplicate, or rejected with a reason."""

from collections import Counter
from collections.abc import Mapping
from typing import TypeAlias

import attrs
from typing_extensions import override

from crmsdk.errors import (
    CrmsdkError,
    DuplicateEvent,
    InputError,
    MergeRefused,
    NaiveMoment,
    UnknownName,
    UnknownZone,
)
from crmsdk.model.inputs import Input

__all__ = ["ImportReport", "ReadRow", "RejectedRow", "Row", "Tally", "reason_of"]


def reason_of(error: CrmsdkError) -> str:
    """Name a fault in one word to count by, as ``unknown_event``."""
    match error:
        case UnknownName():
            return f"unknown_{error.kind}"
        case NaiveMoment():
            return "naive_moment"
        case UnknownZone():
            return "unknown_zone"
        case DuplicateEvent():
            return "duplicate_event"
        case MergeRefused():
            return "merge_refused"
        case InputError() if error.problem.startswith("is missing"):
            return "missing_" + error.field.rpartition(".")[2] if error.field else "missing"
        case _:
            return "invalid"


@attrs.frozen
class ReadRow:
    """A row that says something.

    Attributes:
        row: Its number, counted from 1 without the header.
        inputs: The news it holds, one at least.
    """

    row: int
    inputs: tuple[Input, ...]


@attrs.frozen
class RejectedRow:
    """A row that was not taken.

    Attributes:
        row: Its number, counted from 1 without the header.
        reason: One word to count by, as ``missing_customer``.
        problem: A sentence with field and mend, without values; empty when a rule rejected it.
    """

    row: int
    reason: str
    problem: str = ""

    @classmethod
    def of(cls, row: int, error: CrmsdkError) -> "RejectedRow":
        """Make it of an error."""
        return cls(row, reason_of(error), str(error))


Row: TypeAlias = ReadRow | RejectedRow


@attrs.frozen(kw_only=True)
class ImportReport:
    """The account of an import: ``read == accepted + duplicates + sum of rejected``.

    Attributes:
        read: Rows seen.
        accepted: Rows that told something new.
        duplicates: Rows whose facts were known already, word for word.
        rejected: Reason to number of rows.
        rows: Every rejected row, in order.
    """

    read: int
    accepted: int
    duplicates: int
    rejected: Mapping[str, int]
    rows: tuple[RejectedRow, ...]

    def __attrs_post_init__(self) -> None:
        """Refuse an account that does not add up.

        Raises:
            InputError: rows are lost or counted twice, or the rejected rows are not those counted.
        """
        if self.read != self.accepted + self.duplicates + sum(self.rejected.values()):
            raise InputError("is not accepted + duplicates + rejected; count each row once", field="read")
        if Counter(row.reason for row in self.rows) != Counter(self.rejected):
            raise InputError("are not the rows counted as rejected; list each row once", field="rows")

    @override
    def __str__(self) -> str:
        """Write the account as a small table."""
        lines = [("read", self.read), ("accepted", self.accepted), ("duplicates", self.duplicates)]
        lines += [(f"rejected: {reason}", count) for reason, count in sorted(self.rejected.items())]
        width = max(len(name) for name, _ in lines)
        return "\n".join(f"{name:<{width}}  {count:>9,}" for name, count in lines)


class Tally:
    """Counts the rows of an import while it runs."""

    def __init__(self) -> None:
        self.accepted = 0
        self.duplicates = 0
        self.rows: list[RejectedRow] = []

    def accept(self, rows: int = 1) -> None:
        """Count rows that told something new."""
        self.accepted += rows

    def duplicate(self, rows: int = 1) -> None:
        """Count rows whose facts were known already."""
        self.duplicates += rows

    def reject(self, row: RejectedRow) -> None:
        """Count and keep a row that was not taken."""
        self.rows.append(row)

    def report(self) -> ImportReport:
        """Give the account so far."""
        return ImportReport(
            read=self.accepted + self.duplicates + len(self.rows),
            accepted=self.accepted,
            duplicates=self.duplicates,
            rejected=dict(sorted(Counter(row.reason for row in self.rows).items())),
            rows=tuple(sorted(self.rows, key=lambda row: row.row)),
        )
