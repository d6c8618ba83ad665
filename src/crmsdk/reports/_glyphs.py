"""The signs of the kinds of steps: strokes inside a square of 12 around the origin."""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["GLYPHS"]

GLYPHS: Mapping[str, str] = MappingProxyType(
    {
        "enter": "M-5 0H4M0.5 -4L4.5 0L0.5 4",
        "send": "M-6 -4H6V4.5H-6zM-6 -4L0 1L6 -4",
        "wait": "M-6 0A6 6 0 1 1 6 0A6 6 0 1 1 -6 0M0 -3.5V0L2.5 1.5",
        "branch": "M0 5.5V0.5L-4.5 -4M0 0.5L4.5 -4M-5 -0.8V-4.5H-1.3M5 -0.8V-4.5H1.3",
        "split": "M-5.5 4.5L5.5 -4.5M-4 -3.6A1 1 0 1 1 -4 -3.5M4 3.6A1 1 0 1 1 4 3.7",
        "update": "M-4.5 5L-5 2L3 -5.5L5.5 -3L-2 4.5zM1 -3.5L3.5 -1",
        "task": "M-2.5 -3A2.5 2.5 0 1 1 2.5 -3A2.5 2.5 0 1 1 -2.5 -3M-5 5.5C-5 1 5 1 5 5.5",
        "goal": "M-3.5 6V-5.5M-3.5 -5H4.5L2.5 -2L4.5 1H-3.5",
        "exit": "M-3 -5.5H-5.5V5.5H-3M-2 0H6M3 -3L6 0L3 3",
    }
)
