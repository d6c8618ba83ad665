"""Spells: stretches of time during which a question holds, and the answer they give together."""

from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from crmsdk.model.event import Event
from crmsdk.segments.unfolding import Answer

__all__ = ["Spell", "answer_of"]


_begin = attrgetter("begin")


class Spell(NamedTuple):
    """A stretch of time, and the events that make it.

    Attributes:
        begin: From when on, this moment included.
        end: Until when, this moment not included; None for ever.
        events: The reason, in total order.
    """

    begin: datetime
    end: datetime | None
    events: tuple[Event, ...]

    def covers(self, now: datetime) -> bool:
        """Say whether it holds at a moment."""
        return self.begin <= now and (self.end is None or now < self.end)


def answer_of(spells: Iterable[Spell], now: datetime) -> Answer:
    """Say whether any spell holds now, and when that changes: spells that meet are one."""
    ahead = sorted((spell for spell in spells if spell.end is None or now < spell.end), key=_begin)
    until = now
    for begin, end, _ in ahead:
        if begin > until:
            break
        if end is None:
            return True, None
        until = max(until, end)
    if until > now:
        return True, until
    return False, ahead[0].begin if ahead else None
