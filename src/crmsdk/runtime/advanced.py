"""What one advance did, in numbers."""

from datetime import datetime

import attrs

from crmsdk.model.changing import with_changes
from crmsdk.runtime.dispatch import Dispatched

__all__ = ["Advanced"]


@attrs.frozen(kw_only=True)
class Advanced:
    """What one ``advance`` did.

    Attributes:
        turned: How many times a person was looked at because the time had come.
        sent, deferred, refused, retried, in_doubt: Numbers of messages.
        failures: What an operator must mend, in words: a channel whose account is refused …
        next_wakeup: When to advance again at the latest, UTC; None when only facts will move anything.
    """

    turned: int = 0
    sent: int = 0
    deferred: int = 0
    refused: int = 0
    retried: int = 0
    in_doubt: int = 0
    failures: tuple[str, ...] = ()
    next_wakeup: datetime | None = None

    def plus(self, turned: int, done: Dispatched) -> "Advanced":
        """Add one round."""
        return with_changes(
            self,
            turned=self.turned + turned,
            sent=self.sent + done.sent,
            deferred=self.deferred + done.deferred,
            refused=self.refused + done.refused,
            retried=self.retried + done.retried,
            in_doubt=self.in_doubt + done.in_doubt,
            failures=tuple(dict.fromkeys((*self.failures, *done.failures))),
        )
