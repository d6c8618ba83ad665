"""Faults of a journey that asks about the people of an account.

One person's news would have to wake everybody else in the account; a store guards each person alone.
"""

from collections.abc import Iterator

from crmsdk.journeys._findings import Fault, asked
from crmsdk.journeys.definition import Journey
from crmsdk.journeys.triggers import SegmentChange
from crmsdk.segments.accounts import about_account
from crmsdk.segments.conditions import Condition

__all__ = ["account_faults"]


def account_faults(journey: Journey) -> Iterator[Fault]:
    """Find conditions that are about the people of an account."""
    for path, condition in _conditions(journey):
        if about_account(condition):
            yield Fault(
                path,
                "is about the account's people, and a run knows only its own person; ask an audience or "
                "LiveSegments, put those found on a list, and ask in_list() here",
            )


def _conditions(journey: Journey) -> Iterator[tuple[str, Condition]]:
    for index, trigger in enumerate(journey.enter):
        if trigger.when is not None:
            yield f"enter[{index}].when", trigger.when
        if isinstance(trigger, SegmentChange):
            yield f"enter[{index}].segment", trigger.segment
    yield from asked(journey)
