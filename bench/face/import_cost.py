"""What ``import crmsdk`` costs, the interpreter's own start taken off."""

import subprocess
import sys
from typing import Final

from bench.frame import Run, Side, cpu_seconds, within

STARTS: Final = 3
BUDGET: Final = 0.220  # CPU seconds, with typed events in use
TYPED_EVENTS: Final = """
from crmsdk import EventType, Prop

class Purchase(EventType, name="purchase"):
    basket: Prop[int]
"""


def _starts(code: str) -> Run:
    def run() -> None:
        for _ in range(STARTS):
            subprocess.run([sys.executable, "-c", code], check=True)

    return run


def _with_bare_start() -> float:
    """Add what the interpreter alone costs, measured now."""
    start = cpu_seconds()
    _starts("pass")()
    return BUDGET + (cpu_seconds() - start) / STARTS


@within("face.import", n=STARTS, budget=_with_bare_start)
def import_with_typed_events() -> Side:
    """Import the package in a fresh interpreter and declare an event type."""
    return lambda: _starts(TYPED_EVENTS)
