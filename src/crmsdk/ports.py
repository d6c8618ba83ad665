"""Every port of crmsdk on one page: what the outside must provide, with its promises.

A promise in a docstring here is one test of the port's exported suite in ``crmsdk.testing``. Ports are
async; ports that live in memory never suspend, so a simulation drives them without an event loop.
"""

from abc import abstractmethod
from datetime import datetime
from typing import Protocol

__all__ = ["Clock", "Entropy"]


class Clock(Protocol):
    """Tells the time; the only place the shell gets it from."""

    @abstractmethod
    def now(self) -> datetime:
        """Give the present moment, aware, UTC; never earlier than given before."""


class Entropy(Protocol):
    """Gives randomness; the only place the shell gets it from."""

    @abstractmethod
    def bytes(self, count: int) -> bytes:
        """Give so many random bytes."""
