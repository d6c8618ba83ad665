"""The main job on real data: import, segments, three journeys, a year simulated, its last week for real."""

from crmsdk.demo.showing import main

__all__ = ["main"]
