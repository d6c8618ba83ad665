"""Gates: an account or sender that a provider asked to wait is left alone until then."""

from collections.abc import Callable, Hashable, Iterable
from datetime import timedelta
from typing import Any

from crmsdk.model.content import Envelope
from crmsdk.model.message import Deferred, Scope

__all__ = ["Gates"]


def _names(envelope: Envelope[Any]) -> tuple[tuple[Scope, Hashable], ...]:
    sender = envelope.sender
    account = "" if sender is None else sender.account
    sender_id = "" if sender is None else sender.id
    return (Scope.ACCOUNT, account), (Scope.SENDER, (account, sender_id))


class Gates:
    """Remembers until when an account or a sender is closed.

    Args:
        elapsed: Seconds on a clock that never goes back.
    """

    def __init__(self, elapsed: Callable[[], float]) -> None:
        self._elapsed = elapsed
        self._opens: dict[tuple[Scope, Hashable], float] = {}

    def close(self, envelope: Envelope[Any], answer: Deferred, *, least: timedelta) -> None:
        """Close the gate an answer speaks of, for as long as it asks, else for the least time."""
        until = self._elapsed() + (answer.retry_after or least).total_seconds()
        for scope, name in _names(envelope):
            if scope is answer.scope:
                self._opens[scope, name] = max(until, self._opens.get((scope, name), until))

    def closed(self, envelopes: Iterable[Envelope[Any]]) -> Deferred | None:
        """Say why and how long these must wait, or None when the way is open."""
        if not self._opens:
            return None
        now = self._elapsed()
        self._opens = {name: opens for name, opens in self._opens.items() if opens > now}
        longest = max(
            (
                (opens - now, name[0])
                for envelope in envelopes
                for name in _names(envelope)
                if (opens := self._opens.get(name)) is not None
            ),
            default=None,
        )
        if longest is None:
            return None
        seconds, scope = longest
        return Deferred(
            reason=f"the provider asked this {scope} to wait",
            retry_after=timedelta(seconds=seconds),
            scope=scope,
        )
