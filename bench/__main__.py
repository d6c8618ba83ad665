"""Run the benchmarks: JSON lines on stdout, a table on stderr, exit 1 when a bar is missed.

Usage: ``python -m bench [of=TOPIC[,TOPIC…]]``
"""

import json
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final, TextIO

from bench.frame import Bench, Row, measure

HERE: Final = Path(__file__).parent
USAGE: Final = 2


def topics(folder: Path = HERE) -> list[str]:
    """Return the folders that hold benchmarks."""
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and any(path.glob("[!_]*.py")))


def collect(topic: str, folder: Path = HERE) -> Iterator[Bench]:
    """Import a topic's modules and hand out the benchmarks they declare, one by one or in lists, in order."""
    for path in sorted((folder / topic).glob("[!_]*.py")):
        module = import_module(f"{folder.name}.{topic}.{path.stem}")
        for value in vars(module).values():
            declared = value if isinstance(value, list) else [value]
            yield from (each for each in declared if isinstance(each, Bench))


def table(rows: Sequence[Row]) -> str:
    """Set rows as aligned columns of plain text."""
    head = ("bench", "n", "ours", "peer", "peer_name", "ratio", "bar", "wall", "of peer", "load", "")
    cells = [
        head,
        *(
            (
                row.bench,
                f"{row.n:,}",
                _figure(row.ours, row.unit),
                _figure(row.peer, row.unit),
                row.peer_name,
                f"{row.ratio:.2f}",
                row.bar,
                _wall(row.wall),
                _wall(row.peer_wall),
                f"{row.load:.1f}",
                "" if row.ok else "MISSED",
            )
            for row in rows
        ),
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def _figure(value: float, unit: str) -> str:
    if unit.startswith("GB"):
        return f"{value:,.2f} GB"
    return f"{value:,.0f}/s" if unit.startswith("items") else f"{value * 1e6:,.1f} µs"


def _wall(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1e6:,.1f} µs"


def wanted(arguments: Sequence[str], known: Sequence[str]) -> list[str]:
    """Read ``of=a,b`` from the command line; without it, every topic.

    Raises:
        ValueError: an argument is no ``of=``, or names no topic.
    """
    names: list[str] = []
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key != "of":
            message = f"unknown argument {argument!r}; say of=TOPIC"
            raise ValueError(message)
        names += [name for name in value.split(",") if name]
    for name in names:
        if name not in known:
            message = f"no topic {name!r}; there are: {', '.join(known)}"
            raise ValueError(message)
    return names or list(known)


def main(arguments: Sequence[str], *, out: TextIO, err: TextIO, folder: Path = HERE) -> int:
    """Run what was asked for and return the exit status: 0 all met, 1 a bar missed, 2 not runnable.

    What cannot run here has no row; it is named below the table.
    """
    try:
        chosen = wanted(arguments, topics(folder))
        benches = [bench for topic in chosen for bench in collect(topic, folder)]
    except ValueError as error:
        print(error, file=err)
        return USAGE
    except ModuleNotFoundError as error:
        print(f"{error}; `make bench` installs the peers", file=err)
        return USAGE
    rows: list[Row] = []
    left_out: list[str] = []
    for bench in benches:
        if missing := bench.missing():
            left_out.append(f"NOT RUN {bench.name}: {missing}")
            continue
        row = measure(bench)
        rows.append(row)
        print(json.dumps(row.as_dict(), ensure_ascii=False), file=out, flush=True)
    print(table(rows), *left_out, sep="\n", file=err)
    return 0 if all(row.ok for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], out=sys.stdout, err=sys.stderr))
