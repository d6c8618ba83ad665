"""Which channel a person prefers: said by themselves, else learned from what they answer, else your order.

    channel = Preference(
        ("email", "telegram", "sms"),
        said="preferred_channel",
        learned=did("message_clicked").within(td(days=180)),
        by="channel",
        least=5,
    )
    on_telegram = segment("prefer telegram", channel.prefers("telegram"))

A preference is made of ordinary questions, so every executor answers it, and it explains itself.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import reduce
from operator import and_
from typing import Literal

import attrs

from crmsdk.errors import DefinitionError, UnknownName
from crmsdk.model.facts import Facts
from crmsdk.segments.conditions import Predicate
from crmsdk.segments.evaluating import evaluate
from crmsdk.segments.grammar import Did
from crmsdk.segments.verdict import Verdict
from crmsdk.segments.words import attr, everyone, nobody, points, prop, score

__all__ = ["Choice", "Preference"]


@attrs.frozen
class Choice:
    """The channel preferred, and why.

    Attributes:
        channels: All channels, the preferred one first, the others in the order declared.
        why: ``said`` by the person, ``learned`` from answers, or the declared ``order``.
        until: The earliest moment at which that may change with no new fact, UTC; None for never.
    """

    channels: tuple[str, ...]
    why: Literal["said", "learned", "order"]
    until: datetime | None


def _channels(value: Iterable[str]) -> tuple[str, ...]:
    found = tuple(value)
    if isinstance(value, str) or len(found) < 2 or len(set(found)) < len(found):
        raise DefinitionError("give two or more different channels, as ('email', 'sms')", path="channels")
    return found


@attrs.frozen
class Preference:
    """What decides which channel a person prefers.

    What the person said stands before what was learned. Learned is the channel with the most answers; of
    equal ones the one declared first. With fewer answers than ``least`` nothing is learned, and the declared
    order stands.

    Attributes:
        channels: All there are, in the order to fall back on.
        said: The attribute in which people say it; None where nobody is asked.
        learned: The events that answer a message, as ``did("message_clicked").within(td(days=180))``.
        by: The property of these events that names the channel.
        least: How many answers are needed, of all channels together, before anything is learned.
        half_life: The time in which an answer comes to count half, stepwise; None where all count the same.

    Raises:
        DefinitionError: fewer than two channels, ``least`` below 1, or ``learned`` with a number of its own.
    """

    channels: tuple[str, ...] = attrs.field(converter=_channels)
    said: str | None = attrs.field(kw_only=True, default=None)
    learned: Did = attrs.field(kw_only=True)
    by: str = attrs.field(kw_only=True, default="channel")
    least: int = attrs.field(kw_only=True)
    half_life: timedelta | None = attrs.field(kw_only=True, default=None)

    def __attrs_post_init__(self) -> None:
        """Refuse to learn from nothing, and write every question once, which checks it."""
        if isinstance(self.least, bool) or not isinstance(self.least, int) or self.least < 1:
            raise DefinitionError("give a whole number of answers from 1 up", path="least")
        if not isinstance(self.learned, Did):
            raise DefinitionError("give events as did('message_clicked')", path="learned")
        self._is_learned(self.channels[0])

    def prefers(self, channel: str) -> Predicate:
        """Ask whether a person prefers this channel; everybody prefers exactly one.

        Raises:
            UnknownName: no such channel is declared.
        """
        if channel not in self.channels:
            raise UnknownName("channel", channel, self.channels, mend="declare it among the channels")
        first = everyone if channel == self.channels[0] else nobody
        unsaid = ~self._is_said(self.channels)
        return self._is_said((channel,)) | (
            unsaid & ((self._is_enough() & self._is_learned(channel)) | (~self._is_enough() & first))
        )

    def choose(self, facts: Facts, now: datetime, *, zone: str = "UTC") -> Choice:
        """Give the channels in the order in which to try them for this person.

        Args:
            facts: What is known of the person.
            now: The moment, aware.
            zone: IANA zone of people whose zone is unknown, for windows of the calendar.

        Raises:
            NaiveMoment: ``now`` has no zone.
        """

        def ask(asked: Predicate) -> Verdict:
            return evaluate(asked, facts, now, zone=zone)

        prefers = ((channel, ask(self.prefers(channel))) for channel in self.channels)
        best, verdict = next(each for each in prefers if each[1].matched)
        said, enough = ask(self._is_said(self.channels)), ask(self._is_enough())
        deciding = (verdict, said) if said.matched else (verdict, said, enough)
        return Choice(
            (best, *(channel for channel in self.channels if channel != best)),
            "said" if said.matched else "learned" if enough.matched else "order",
            min((each.until for each in deciding if each.until is not None), default=None),
        )

    def _is_said(self, channels: tuple[str, ...]) -> Predicate:
        return nobody if self.said is None else attr(self.said).in_(channels)

    def _is_enough(self) -> Predicate:
        return self.learned.where(prop(self.by).in_(self.channels)).at_least(self.least)

    def _is_learned(self, channel: str) -> Predicate:
        """Hold where no channel before it has as many answers, and none after it more."""
        mine = points(1, per=self._answers(channel), half_life=self.half_life)
        place = self.channels.index(channel)
        ahead = []
        for other, name in enumerate(self.channels):
            lead = score(mine, points(-1, per=self._answers(name), half_life=self.half_life))
            if other != place:
                ahead.append(lead > 0 if other < place else lead >= 0)
        return reduce(and_, ahead)

    def _answers(self, channel: str) -> Did:
        return self.learned.where(prop(self.by) == channel)
