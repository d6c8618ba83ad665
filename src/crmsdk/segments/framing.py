"""When events lie in a window: each enters at one moment and leaves at another, in their order."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Protocol
from zoneinfo import ZoneInfo

import attrs

from crmsdk.model.event import Event
from crmsdk.segments.calendars import period_of, start_of
from crmsdk.segments.windows import Calendar, Interval, Rolling, Window

__all__ = ["EVER", "Frame", "frame_of", "moved"]

_at: Callable[[Event], datetime] = attrgetter("at")
_NONE = timedelta(0)


def moved(moment: datetime, span: timedelta) -> datetime | None:
    """Give ``moment + span``; None beyond the years 1 to 9999, where nothing ever happens."""
    try:
        return moment + span
    except OverflowError:
        return None


class Frame(Protocol):
    """A window, bound to the zone of a person."""

    def enters(self, at: datetime) -> datetime | None:
        """Give the moment from which an event counts; None for never."""

    def leaves(self, at: datetime) -> datetime | None:
        """Give the moment from which it counts no more; None for never."""

    def kept(self, events: Sequence[Event], now: datetime) -> Sequence[Event]:
        """Leave out, of events in total order, those that have left at ``now``."""


class _Ever:
    """All of the past, or a fixed part of it."""

    @staticmethod
    def enters(at: datetime) -> datetime:
        return at

    @staticmethod
    def leaves(_at: datetime) -> None:
        return None

    @staticmethod
    def kept(events: Sequence[Event], _now: datetime) -> Sequence[Event]:
        return events


EVER: Frame = _Ever()
"""No window: events enter when they happen and never leave."""


@attrs.frozen
class _Sliding:
    span: timedelta
    ago: timedelta

    def enters(self, at: datetime) -> datetime | None:
        return moved(at, self.ago) if self.ago else at

    def leaves(self, at: datetime) -> datetime | None:
        return moved(at, self.ago + self.span)

    def kept(self, events: Sequence[Event], now: datetime) -> Sequence[Event]:
        since = moved(now, -self.ago - self.span)
        # Before the first moment there is nothing to leave out.
        return events if since is None else events[bisect_right(events, since, key=_at) :]


@attrs.frozen
class _Periods:
    window: Calendar
    tz: ZoneInfo

    def enters(self, at: datetime) -> datetime | None:
        window = self.window
        return start_of(self._number(at) + window.newest, window.unit, self.tz) if window.newest else at

    def leaves(self, at: datetime) -> datetime | None:
        return start_of(self._number(at) + self.window.oldest + 1, self.window.unit, self.tz)

    def kept(self, events: Sequence[Event], now: datetime) -> Sequence[Event]:
        oldest = self._number(now) - self.window.oldest
        return events[bisect_left(events, oldest, key=lambda event: self._number(event.at)) :]

    def _number(self, at: datetime) -> int:
        return period_of(at, self.window.unit, self.tz)


def frame_of(window: Window | None, tz: ZoneInfo) -> Frame:
    """Bind a window to a zone; only calendar windows look at it."""
    match window:
        case None | Interval():
            return EVER
        case Rolling(span, ago):
            return _Sliding(span, ago)
        case Calendar():
            return _Periods(window, tz)
