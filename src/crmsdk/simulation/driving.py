"""Runs coroutines without an event loop: memory ports never suspend, so one step carries each to its end."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from crmsdk.errors import ConfigError

__all__ = ["drive"]

T = TypeVar("T")


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Carry a coroutine to its end in one step.

    It works inside a running event loop, too, as in a notebook, because it never touches one.

    Raises:
        ConfigError: it suspended: one of its ports waits for something real.
    """
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coroutine.close()
    raise ConfigError("a port waits for something real; a simulation takes ports that live in memory")
