"""Ask a hundred segments of a database file in a process of its own, and print the most bytes it took.

Usage: ``python -m bench.segments._asking PATH``
"""

import sys
from pathlib import Path

from bench.segments._shop import NOW
from bench.segments._shop_segments import hundred
from bench.segments.sets import LAYOUT
from crmsdk.audiences.duckdb import DuckDBAudience


def main(path: str) -> None:
    """Ask, and print."""
    found = DuckDBAudience(path, LAYOUT).memberships([each for each, _ in hundred()], at=NOW)
    assert max(found.counts().values()) > 0
    # What getrusage calls the most of a process begins with that of the process which started it.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    print(int(status.partition("VmHWM:")[2].split()[0]) * 1024)


if __name__ == "__main__":
    main(sys.argv[1])
