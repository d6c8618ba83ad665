"""Time travel in tests: go to a moment as production would, through every moment something is due."""

from collections.abc import Coroutine, Iterator
from datetime import datetime
from typing import Any, overload

import attrs

from crmsdk.blocking import Crm as BlockingCrm
from crmsdk.runtime.advanced import Advanced
from crmsdk.runtime.crm import Crm

__all__ = ["advance_to"]


@overload
def advance_to(crm: Crm, moment: datetime) -> Coroutine[Any, Any, Advanced]: ...
@overload
def advance_to(crm: BlockingCrm, moment: datetime) -> Advanced: ...
def advance_to(crm: Crm | BlockingCrm, moment: datetime) -> Coroutine[Any, Any, Advanced] | Advanced:
    """Advance at each moment something is due, and at the end at ``moment``.

    One ``advance(moment)`` would find everything overdue at once, as after an outage.

    Args:
        crm: On a ``VirtualClock``; of an async one the result is awaited.
        moment: Aware; where the clock stands afterwards.

    Returns:
        What was done in all.

    Raises:
        ConfigError: the clock cannot be set.
    """
    return _blocking(crm, moment) if isinstance(crm, BlockingCrm) else _async(crm, moment)


async def _async(crm: Crm, moment: datetime) -> Advanced:
    total = Advanced()
    last = None
    while (stop := _next(await crm.next_wakeup(), last, moment)) is not None:
        total, last = _plus(total, await crm.advance(stop)), stop
    return _plus(total, await crm.advance(moment))


def _blocking(crm: BlockingCrm, moment: datetime) -> Advanced:
    total = Advanced()
    last = None
    while (stop := _next(crm.next_wakeup(), last, moment)) is not None:
        total, last = _plus(total, crm.advance(stop)), stop
    return _plus(total, crm.advance(moment))


def _next(wake: datetime | None, last: datetime | None, moment: datetime) -> datetime | None:
    """Give the next stop before ``moment``; None also where the last one left something due, as mode off."""
    return None if wake is None or wake >= moment or wake == last else wake


def _plus(total: Advanced, done: Advanced) -> Advanced:
    return attrs.evolve(
        done,
        **{name: getattr(total, name) + getattr(done, name) for name in _counts()},
        failures=tuple(dict.fromkeys((*total.failures, *done.failures))),
    )


def _counts() -> Iterator[str]:
    return (field.name for field in attrs.fields(Advanced) if field.type is int)
