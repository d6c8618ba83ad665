"""How much of the base the channels reach: each of them, and all together, nobody counted twice.

found = coverage(audience.memberships([
segment("email", reachable("email")),
segment("sms", reachable("sms")),
], at=now))
print(found)
print(found.against({"email": 0.6, "sms": 0.4}))
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import compress

import attrs
from typing_extensions import override

from crmsdk.errors import InputError, UnknownName
from crmsdk.segments.memberships import Memberships

__all__ = ["Coverage", "Planned", "coverage"]


@attrs.frozen(kw_only=True)
class Planned:
    """A channel's plan next to the fact; shares of the base from 0 to 1.

    Attributes:
        channel: Its name.
        plan: The share wanted.
        fact: The share there is.
    """

    channel: str
    plan: float
    fact: float

    @property
    def missing(self) -> float:
        """What the fact lacks; below zero it is more than was wanted."""
        return self.plan - self.fact


@attrs.frozen(kw_only=True)
class Coverage:
    """Who of the base can be reached by what.

    Attributes:
        at: The moment asked about, UTC.
        base: Everybody.
        channels: The channels asked for, in order.
        exactly: The channels by which somebody is reached, to the number of people reached by just these;
            it adds up to the base.
    """

    at: datetime
    base: int
    channels: tuple[str, ...]
    exactly: Mapping[tuple[str, ...], int]

    @property
    def covered(self) -> int:
        """People reached by one channel at least."""
        return self.base - self.exactly.get((), 0)

    def by(self, channel: str) -> int:
        """Count the people a channel reaches, whatever else does.

        Raises:
            UnknownName: the channel was not asked for.
        """
        if channel not in self.channels:
            raise UnknownName("channel", channel, self.channels, mend="ask for its segment, too")
        return sum(number for channels, number in self.exactly.items() if channel in channels)

    def only_by(self, channel: str) -> int:
        """Count the people nobody could reach without this channel.

        Raises:
            UnknownName: as of ``by``.
        """
        self.by(channel)
        return self.exactly.get((channel,), 0)

    def share(self, channel: str | None = None) -> float:
        """Give the share of the base that a channel reaches, or all together; of no base it is 0.

        Raises:
            UnknownName: as of ``by``.
        """
        reached = self.covered if channel is None else self.by(channel)
        return reached / self.base if self.base else 0.0

    def against(self, plan: Mapping[str, float]) -> list[Planned]:
        """Set planned shares, from 0 to 1, against those there are.

        Raises:
            InputError: a plan below 0 or above 1.
            UnknownName: as of ``by``.
        """
        for channel, wanted in plan.items():
            if not 0 <= wanted <= 1:
                raise InputError("is no share; give a number from 0 to 1", field=f"plan.{channel}")
        return [Planned(channel=name, plan=wanted, fact=self.share(name)) for name, wanted in plan.items()]

    @override
    def __str__(self) -> str:
        """Write it as a small table."""
        lines = [(name, self.by(name), self.only_by(name)) for name in self.channels]
        width = max(map(len, (*self.channels, "together")))
        rows = [f"{'':<{width}}  {'people':>9}  {'share':>6}  {'only so':>9}"]
        rows += [f"{name:<{width}}  {n:>9,}  {self.share(name):>6.1%}  {only:>9,}" for name, n, only in lines]
        rows += [f"{'together':<{width}}  {self.covered:>9,}  {self.share():>6.1%}"]
        rows += [f"{'base':<{width}}  {self.base:>9,}"]
        return "\n".join(rows)


def coverage(found: Memberships, channels: Iterable[str] | None = None) -> Coverage:
    """Count who is reached by which channels; every segment of the answer stands for one.

    Args:
        found: What an audience answered.
        channels: Names of the segments that are channels; all of them by default.

    Raises:
        UnknownName: a segment was not asked.
    """
    names = found.names if channels is None else tuple(dict.fromkeys(channels))
    columns = [found.bits(name) for name in names]
    rows = Counter(zip(*columns, strict=True)) if columns else Counter({(): len(found.people)})
    return Coverage(
        at=found.at,
        base=len(found.people),
        channels=names,
        exactly={tuple(compress(names, row)): number for row, number in rows.items()},
    )
