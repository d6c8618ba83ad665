"""How long a channel waits and how often it tries, and where it gets time and chance from."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

__all__ = ["Pace", "RetryPolicy"]


def _now() -> datetime:
    return datetime.now(UTC)


def _one_or_more(_: object, field: "attrs.Attribute[int]", value: int) -> None:
    if value < 1:
        message = f"{field.name} is below 1; the first try counts"
        raise ValueError(message)


def _not_negative(_: object, field: "attrs.Attribute[timedelta]", value: timedelta) -> None:
    if value < timedelta():
        message = f"{field.name} is negative"
        raise ValueError(message)


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How a channel repeats what failed, within one call; longer waits are the outbox's.

    Attributes:
        attempts: How often a provider is asked in all.
        first_wait: The wait after the first failure; it doubles with each, and is drawn from its upper half.
        longest_wait: The longest wait. A provider that asks for more is not asked again within the call:
            the outcome is handed back with its ``retry_after``.
    """

    attempts: int = attrs.field(default=3, validator=_one_or_more)
    first_wait: timedelta = attrs.field(default=timedelta(milliseconds=500), validator=_not_negative)
    longest_wait: timedelta = attrs.field(default=timedelta(seconds=10), validator=_not_negative)

    def wait(self, failures: int, *, asked: timedelta | None, draw: float) -> timedelta:
        """Compute the wait before the next attempt.

        Args:
            failures: How many attempts have failed, from 1.
            asked: What the provider asked for; None if nothing.
            draw: A number from 0 up to 1.
        """
        doubled = min(self.first_wait * (1 << min(failures - 1, 16)), self.longest_wait)
        return max(asked or timedelta(), doubled * (0.5 + draw / 2))


@attrs.frozen(kw_only=True)
class Pace:
    """Where a channel gets time and chance from; a test gives its own and never sleeps.

    Attributes:
        now: The present moment, aware, UTC.
        elapsed: Seconds on a clock that never goes back.
        sleep: Waits so many seconds.
        draw: A random number from 0 up to 1.
    """

    now: Callable[[], datetime] = _now
    elapsed: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep
    draw: Callable[[], float] = random.random
