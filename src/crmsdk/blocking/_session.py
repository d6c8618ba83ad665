"""The life of a blocking Crm: its thread, opening, running and closing."""

import warnings
from datetime import timedelta
from types import TracebackType
from typing import Final, Self, Unpack

from crmsdk.blocking._portal import Portal
from crmsdk.ports import Store
from crmsdk.runtime.crm import Crm as AsyncCrm
from crmsdk.runtime.options import Options

__all__ = ["Session"]

_POLL: Final = timedelta(seconds=30)


class Session:
    """An open Crm and the thread it lives in."""

    def __init__(self, crm: AsyncCrm) -> None:
        """Start the thread, and bring the journeys into force; ``open`` makes what is needed."""
        self._crm = crm
        self._portal = Portal()
        try:
            self._portal.call(crm.__aenter__())
        except BaseException:
            self._portal.close(crm.close)
            raise

    @classmethod
    def open(cls, url: str, **settings: Unpack[Options]) -> Self:
        """Open an application's database; it is open at once, ``with`` closes it.

        >>> from crmsdk.blocking import Crm
        >>> with Crm.open("memory://", zone="Europe/Moscow") as crm:
        ...     taken = crm.identify("ann", {"city": "Moscow"})
        ...     crm.customer("ann").id
        'ann'

        Args:
            url: ``sqlite:///crm.db`` (a path), or ``memory://``.
            settings: As in ``crmsdk.runtime.opening.parts_of``: journeys, policy, channels, templates, zone …

        Raises:
            ConfigError: a setting that cannot work, by its name.
            CheckFailed: a journey that cannot run, with all its faults.
        """
        return cls(AsyncCrm.open(url, **settings))

    @classmethod
    def over(cls, store: Store, **settings: Unpack[Options]) -> Self:
        """Work over a store that is there already, with settings as of ``open``."""
        return cls(AsyncCrm.over(store, **settings))

    def __enter__(self) -> Self:
        """Give the Crm, which is open already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Wait for calls of other threads, let go of channels and the database; may be repeated.

        A ``run`` of another thread is told to stop. In a process forked off nothing happens: the thread, the
        channels and the database are those of the parent.
        """
        self._portal.close(self._crm.close, gently=self._crm.stop_running)

    def run(self, *, poll: timedelta = _POLL) -> None:
        """Advance for ever, sleeping in between, until ``stop_running`` or Ctrl-C.

        At Ctrl-C the advance in hand is finished before the interrupt goes on; a second Ctrl-C cancels it,
        which may leave messages in doubt that were on their way.

        Args:
            poll: The longest sleep, for facts that other processes store.
        """
        self._portal.call(self._crm.run(poll=poll), gently=self._crm.stop_running)

    def stop_running(self) -> None:
        """Let ``run`` return when the advance in hand is done; where nothing runs, nothing happens.

        It does not wait, and may be called from any thread and from a signal handler.
        """
        self._portal.post(self._crm.stop_running)

    def __del__(self) -> None:
        """Complain about a Crm that nobody closed."""
        portal = getattr(self, "_portal", None)  # opening may have failed
        if portal is not None and not portal.closed:
            warnings.warn(f"unclosed {type(self).__name__}", ResourceWarning, stacklevel=2)
