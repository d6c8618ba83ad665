"""The contact policy: a set of rules, which kinds of message obey them, and which are counted."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from itertools import product
from typing import Final

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.model.codec import definition
from crmsdk.model.message import MessageKind
from crmsdk.policy.answer import Reason
from crmsdk.policy.rules import (
    DAY_MINUTES,
    Cap,
    ContactField,
    Distinct,
    InactiveOnly,
    OptIn,
    Quiet,
    Rule,
    cap,
    inactive_only,
    quiet,
)

__all__ = ["ConsentMode", "ContactPolicy", "default_policy"]

_ALL_BUT_SERVICE: Final = (MessageKind.PROMO, MessageKind.CONTENT, MessageKind.TRIGGER)
_WEEK: Final = DAY_MINUTES * 7
_LONGEST_PERIOD: Final = timedelta(days=32)
"""Longer than any month, one with clocks set back in it too."""


class ConsentMode(StrEnum):
    """What it means that nobody asked a person.

    A person who denied, withdrew, or has not yet confirmed is refused in both modes.
    """

    OPT_OUT = "opt_out"
    """Nobody asked: the message may go out."""
    OPT_IN = "opt_in"
    """Nobody asked: it may not."""


def _kinds(value: str | Iterable[str]) -> tuple[MessageKind, ...]:
    wanted = {value} if isinstance(value, str) else set(value)
    unknown = sorted(wanted - set(MessageKind))
    if unknown:
        raise DefinitionError(f"unknown kind {unknown[0]!r}; kinds are {', '.join(MessageKind)}")
    return tuple(kind for kind in MessageKind if kind in wanted)


def _mode(value: str) -> ConsentMode:
    try:
        return ConsentMode(value)
    except ValueError:
        raise DefinitionError(
            f"unknown consent {value!r}; say 'opt_out' or 'opt_in'", path="consent"
        ) from None


@definition("contact-policy")
@attrs.frozen(init=False)
class ContactPolicy:
    """How often, when and over which channels people may be contacted.

    >>> ContactPolicy(cap(6, within=timedelta(days=7)), quiet("21:00", "08:00")).rule_ids()
    ('cap-6-7d', 'quiet-21:00-08:00')

    Suppression is obeyed always, by every kind. Two switches say for each kind whether it obeys everything
    else, and whether its messages are counted; what is not counted fills no limit.

    Attributes:
        rules: The strictest wins; ids are unique.
        obeys: Kinds that obey the rules and the consents; by default all but service.
        counts: Kinds whose contacts are counted; by default all but service.
        consent: What a missing consent means; ``opt_in`` rules may be stricter for some messages.
        audiences: Rules of declared audiences: one with the id of a common rule stands in its place, others
            are added to the common ones.
    """

    rules: tuple[Rule, ...]
    obeys: tuple[MessageKind, ...] = attrs.field(default=_ALL_BUT_SERVICE, kw_only=True, converter=_kinds)
    counts: tuple[MessageKind, ...] = attrs.field(default=_ALL_BUT_SERVICE, kw_only=True, converter=_kinds)
    consent: ConsentMode = attrs.field(default=ConsentMode.OPT_OUT, kw_only=True, converter=_mode)
    audiences: Mapping[str, tuple[Rule, ...]] = attrs.field(factory=dict, kw_only=True, hash=False)

    def __init__(
        self,
        *listed: Rule,
        rules: Iterable[Rule] = (),
        obeys: str | Iterable[str] = _ALL_BUT_SERVICE,
        counts: str | Iterable[str] = _ALL_BUT_SERVICE,
        consent: str = ConsentMode.OPT_OUT,
        audiences: Mapping[str, Iterable[Rule]] | None = None,
    ) -> None:
        self.__attrs_init__(
            (*listed, *rules),
            obeys=obeys,
            counts=counts,
            consent=consent,
            audiences={name: tuple(own) for name, own in (audiences or {}).items()},
        )

    def __attrs_post_init__(self) -> None:
        """Refuse ids given twice, and quiet times that together leave nothing open."""
        for rules in (self.rules, *self.audiences.values()):
            seen = {reason.value for reason in Reason}
            for rule in rules:
                if not isinstance(rule, Rule):
                    raise DefinitionError(
                        f"{type(rule).__name__} is no rule; give cap(...), quiet(...) …, or a list as rules="
                    )
                if rule.id in seen:
                    raise DefinitionError(f"rule {rule.id!r}: the id is taken; give the rule another id=")
                seen.add(rule.id)
        for audience in ("", *self.audiences):
            self._refuse_silence(audience)

    def rules_for(self, audience: str) -> tuple[Rule, ...]:
        """Give the rules that hold for an audience; one without rules of its own has the common ones."""
        own = {rule.id: rule for rule in self.audiences.get(audience, ())}
        common = tuple(own.pop(rule.id, rule) for rule in self.rules)
        return (*common, *own.values())

    def rule_ids(self) -> tuple[str, ...]:
        """Give the ids of the common rules, in order."""
        return tuple(rule.id for rule in self.rules)

    def channels(self) -> frozenset[str]:
        """Give every channel that a rule names, so that a misspelt one can be found."""
        return frozenset(channel for rule in self._every_rule() for channel in rule.applies.channel)

    def longest_window(self) -> timedelta:
        """Give how far back the rules look: what is older may be forgotten."""
        return max((_looks_back(rule) for rule in self._every_rule()), default=timedelta(0))

    def _every_rule(self) -> tuple[Rule, ...]:
        return (*self.rules, *(rule for own in self.audiences.values() for rule in own))

    def _refuse_silence(self, audience: str) -> None:
        rules = [rule for rule in self.rules_for(audience) if isinstance(rule, Quiet)]
        # "" is every channel that no rule names.
        for kind, channel in product(self.obeys, ["", *sorted(self.channels())]):
            ruling = [rule for rule in rules if _rules_all(rule, kind, channel)]
            quiet_minutes: set[int] = set()
            for rule in ruling:
                for first, last in rule.minutes():
                    quiet_minutes.update(range(first, last))
            if len(quiet_minutes) == _WEEK:
                names = ", ".join(repr(rule.id) for rule in ruling)
                where = f" on {channel}" if channel else ""
                raise DefinitionError(
                    f"rules {names}: together they leave {kind}{where} no time of the week; shorten one"
                )


def _looks_back(rule: Rule) -> timedelta:
    match rule:
        case Cap(within=timedelta() as within) | Distinct(within=within):
            return within
        case Cap():
            return _LONGEST_PERIOD
        case Quiet() | InactiveOnly() | OptIn():
            return timedelta(0)


def _rules_all(rule: Quiet, kind: MessageKind, channel: str) -> bool:
    """Say whether a quiet time holds back every message of a kind on a channel."""
    for field, values in rule.applies.filters():
        match field:
            case ContactField.KIND:
                if kind not in values:
                    return False
            case ContactField.CHANNEL:
                if channel not in values:
                    return False
            case _:
                return False
    return True


def default_policy() -> ContactPolicy:
    """Give the contact policy that holds when nobody wrote one.

    At most 6 messages a person in any 7 days over all channels; at most 2 channels within an hour; 4 emails
    in any 7 days from one sender; quiet from 21:00 to 08:00 local for promo, content and trigger; inactive
    people get messages of purpose ``winback`` only. Service messages obey suppression alone and are not
    counted; a consent nobody asked for is not required.

    Source:
        REQUIREMENTS 73 to 76 and 79: a communication strategy of 5 to 6 messages a person a week over all
        channels, at most two channels at once, at most 4 emails a week from one sender.
    """
    week = timedelta(days=7)
    return ContactPolicy(
        cap(6, within=week, id="all-week"),
        cap(2, within=timedelta(hours=1), distinct="channel", id="channels-hour"),
        cap(4, within=week, channel="email", per="sender", id="email-sender-week"),
        quiet("21:00", "08:00", kinds=_ALL_BUT_SERVICE, id="night"),
        inactive_only("winback", id="winback-only"),
    )
