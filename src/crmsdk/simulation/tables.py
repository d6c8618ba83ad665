"""Rows of one shape, for people and for dataframe libraries."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from crmsdk.model.values import Value

__all__ = ["Table", "table_of"]


@attrs.frozen
class Table:
    """Rows of one shape: print it, loop over its rows, or give ``columns`` to any dataframe library.

    Attributes:
        columns: By name, all of one length.
    """

    columns: Mapping[str, Sequence[Value]]

    def __iter__(self) -> Iterator[dict[str, Value]]:
        """Go through the rows as mappings."""
        names = list(self.columns)
        for values in zip(*self.columns.values(), strict=True):
            yield dict(zip(names, values, strict=True))

    def __len__(self) -> int:
        """Count the rows."""
        return len(next(iter(self.columns.values()), ()))

    def __str__(self) -> str:  # type: ignore[explicit-override]  # typing has override from 3.12 on
        """Show it as aligned text."""
        cells = [
            [str(name), *("" if value is None else str(value) for value in column)]
            for name, column in self.columns.items()
        ]
        widths = [max(map(len, column)) for column in cells]
        numbers = [
            all(isinstance(value, int | float) for value in column) for column in self.columns.values()
        ]
        lines = (
            "  ".join(
                text.rjust(width) if number else text.ljust(width)
                for text, width, number in zip(row, widths, numbers, strict=True)
            ).rstrip()
            for row in zip(*cells, strict=True)
        )
        return "\n".join(lines)


def table_of(rows: Iterable[tuple[Value, ...]], *names: str) -> Table:
    """Make a table of rows; every row has one value a name."""
    listed = list(rows)
    return Table({name: tuple(row[index] for row in listed) for index, name in enumerate(names)})
