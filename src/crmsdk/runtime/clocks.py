"""Where the shell gets time and randomness from: the system's, or ones that stand still."""

import os
import time
from datetime import datetime, timedelta

from typing_extensions import override

from crmsdk.model.moment import from_micros, to_moment
from crmsdk.ports import Clock, Entropy

__all__ = ["SystemClock", "SystemEntropy", "VirtualClock"]


class SystemClock(Clock):
    """The machine's clock; when that is set back, time stands still until it catches up."""

    def __init__(self) -> None:
        self._last = 0

    @override
    def now(self) -> datetime:
        self._last = max(self._last, time.time_ns() // 1000)
        return from_micros(self._last)


class VirtualClock(Clock):
    """A clock that moves only when told to; for simulations and tests."""

    def __init__(self, start: datetime) -> None:
        self._now = to_moment(start, "start")

    @override
    def now(self) -> datetime:
        return self._now

    def set(self, moment: datetime) -> None:
        """Go to a moment; an earlier one than now is left alone."""
        self._now = max(self._now, to_moment(moment, "moment"))

    def tick(self, span: timedelta) -> None:
        """Go on by a span."""
        self.set(self._now + span)


class SystemEntropy(Entropy):
    """The operating system's randomness."""

    @override
    def bytes(self, count: int) -> bytes:
        return os.urandom(count)
