"""The reference evaluator: what a policy says about one message, given the facts and the person's ledger.

Pure, and the one place that decides. It resolves rules into checks, asks for quiet times, consents and
suppressions, and finds the earliest moment at which a message held back would be allowed.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache, partial
from math import inf
from typing import Final, NamedTuple

import attrs

from crmsdk.model.codec import content_hash
from crmsdk.model.consent import ANY, ConsentState, consent_state
from crmsdk.model.ids import MessageId
from crmsdk.model.moment import from_micros, to_micros
from crmsdk.model.zones import zone as find_zone
from crmsdk.policy.answer import Blocked, Decision, Reason, Ruling
from crmsdk.policy.hours import Hours
from crmsdk.policy.limits import Fill, judge
from crmsdk.policy.plans import Plan, make_plan
from crmsdk.policy.record import ContactState, Option, Standing
from crmsdk.policy.request import ContactFacts, ContactRequest
from crmsdk.policy.ruleset import ContactPolicy

__all__ = ["Evaluator"]

_MICROSECOND: Final = timedelta(microseconds=1)
_REMEMBERED: Final = 4096
"""Plans kept at a time; one for each channel, kind, purpose, sender, journey, campaign, topic, audience."""

_JUMPS: Final = 1000
"""From one obstacle to the next, over a year of nights in three zones; then a message is never allowed."""


class Evaluator:
    """Decides by one policy; remembers what it resolved, and nothing about people.

    Args:
        policy: The rules.
        zone: The project's IANA zone: whose clock rules a person of unknown zone.

    Attributes:
        hash: Content hash of the policy.
        looks_back: How far back any rule looks, in microseconds.

    Raises:
        UnknownZone: the zone data does not hold the zone.
    """

    def __init__(self, policy: ContactPolicy, *, zone: str) -> None:
        find_zone(zone)
        self.policy = policy
        self.hash = content_hash(policy)
        self.looks_back = policy.longest_window() // _MICROSECOND
        self._zones = (zone,)
        self._hours = Hours()
        self._plan = lru_cache(maxsize=_REMEMBERED)(partial(make_plan, policy))

    def options(self, request: ContactRequest, facts: ContactFacts, *, now: int) -> tuple[Option, ...]:
        """Give the channels that everything but the ledger leaves open, with the checks for the ledger.

        Args:
            request: The message.
            facts: What is known of the person.
            now: Microseconds since 1970.

        Raises:
            UnknownZone: a candidate zone of the person does not exist.
        """
        if request.expires is not None and now >= to_micros(request.expires):
            return ()
        out = []
        for channel in request.channels:
            plan = self._plan_of(request, channel)
            if next(self._obstacles(plan, request, facts, now=now), None) is None:
                out.append(self._option(plan, facts, now))
        return tuple(out)

    def decide(self, request: ContactRequest, facts: ContactFacts, standing: Standing) -> Decision:
        """Decide about a message by all that is known; reads nothing, writes nothing.

        Args:
            request: The message.
            facts: What is known of the person.
            standing: The person's ledger; the decision is of the moment ``standing.now``.

        Raises:
            UnknownZone: a candidate zone of the person does not exist.
        """
        now = standing.now
        expires = None if request.expires is None else to_micros(request.expires)
        own = standing.own(request.message_id)
        if own is not None and (own.state is ContactState.SENT or own.channel not in request.channels):
            return self._refused(Reason.DUPLICATE, own.channel, messages=(own.message_id,))
        if expires is not None and now >= expires:
            return self._refused(Reason.EXPIRED, request.channels[0])
        case = _Case(request, facts, standing, own is not None, expires)
        if own is not None and not own.in_doubt(now):
            return self._busy(case, own.channel, lease=own.lease)
        closed: dict[str, list[_Obstacle]] = {}
        for channel in request.channels if own is None else (own.channel,):
            obstacles = self._all_obstacles(case, channel, now=now)
            if not obstacles:
                blocked = _blocked(closed, now)
                return Decision(outcome=Ruling.ALLOW, channel=channel, blocked=blocked, policy=self.hash)
            closed[channel] = obstacles
        return self._later(case, closed)

    def _refused(self, reason: Reason, channel: str, *, messages: tuple[MessageId, ...] = ()) -> Decision:
        blocked = Blocked(rule=reason.value, reason=reason, channel=channel, messages=messages)
        return Decision(outcome=Ruling.REFUSE, reason=reason, blocked=(blocked,), policy=self.hash)

    def _busy(self, case: "_Case", channel: str, *, lease: int) -> Decision:
        """Wait for the worker that holds the message; it may take its place over when the lease is over.

        It may be going out this moment, so nothing final is said before, but that it will have expired.
        """
        busy = _Obstacle(Reason.BUSY, Reason.BUSY.value, lease)
        opens = self._opens(case, channel, [busy])
        until = opens if isinstance(opens, int) else lease
        expired = case.expires is not None and until >= case.expires
        blocked = attrs.evolve(busy.shown(channel, case.standing.now), messages=(case.request.message_id,))
        return Decision(
            outcome=Ruling.REFUSE if expired else Ruling.DEFER,
            until=None if expired else from_micros(until),
            reason=Reason.EXPIRED if expired else Reason.BUSY,
            blocked=(blocked,),
            policy=self.hash,
        )

    def _later(self, case: "_Case", closed: "dict[str, list[_Obstacle]]") -> Decision:
        """Defer to the earliest moment at which any channel opens, or refuse if none does in time."""
        blocked = _blocked(closed, case.standing.now)
        opens: list[tuple[int, Reason]] = []
        never: list[Reason] = []
        for channel, obstacles in closed.items():
            found = self._opens(case, channel, obstacles)
            if isinstance(found, int):
                opens.append((found, _last(obstacles).reason))
            else:
                never.append(found.reason)
                if found not in obstacles:
                    blocked += (found.shown(channel, case.standing.now),)
        if not opens:
            reason = next((each for each in never if each is not Reason.NO_ADDRESS), Reason.NO_ADDRESS)
            return Decision(outcome=Ruling.REFUSE, reason=reason, blocked=blocked, policy=self.hash)
        moment, reason = min(opens, key=lambda each: each[0])
        if case.expires is not None and moment >= case.expires:
            return Decision(outcome=Ruling.REFUSE, reason=Reason.EXPIRED, blocked=blocked, policy=self.hash)
        until = from_micros(moment)
        return Decision(outcome=Ruling.DEFER, until=until, reason=reason, blocked=blocked, policy=self.hash)

    def _opens(self, case: "_Case", channel: str, obstacles: "list[_Obstacle]") -> "int | _Obstacle":
        """Find the earliest moment at which a channel is open, if nothing else happens.

        Every obstacle holds without a break until its own end, so no moment before the latest of these ends
        is open; jumping there and asking again finds the earliest.

        Args:
            case: The question.
            channel: The channel.
            obstacles: What closes it now; at least one.

        Returns:
            The moment, or the obstacle that has no end.
        """
        last = _last(obstacles)
        for _ in range(_JUMPS):
            if last.until is None:
                return last
            obstacles = self._all_obstacles(case, channel, now=last.until)
            if not obstacles:
                return last.until
            last = _last(obstacles)
        return last._replace(until=None)

    def _all_obstacles(self, case: "_Case", channel: str, *, now: int) -> "list[_Obstacle]":
        request, standing = case.request, case.standing
        plan = self._plan_of(request, channel)
        obstacles = list(self._obstacles(plan, request, case.facts, now=now))
        if standing.suppressions:
            addresses = case.facts.addresses or {}
            if any(each.stops(channel, request.purpose, addresses) for each in standing.suppressions):
                obstacles.append(_Obstacle(Reason.SUPPRESSED, Reason.SUPPRESSED.value, None))
        if not case.held:
            checks = self._option(plan, case.facts, now).checks
            obstacles += [
                _Obstacle(fill.check.reason, fill.check.rule, fill.until, fill)
                for fill in judge(standing.contacts, checks, now=now)
            ]
        return obstacles

    def _obstacles(
        self, plan: Plan, request: ContactRequest, facts: ContactFacts, *, now: int
    ) -> "Iterator[_Obstacle]":
        """Find what closes a channel without a look at the ledger."""
        channel = plan.option.channel
        if facts.addresses is not None and channel not in facts.addresses:
            yield _Obstacle(Reason.NO_ADDRESS, Reason.NO_ADDRESS.value, None)
        if not facts.suppressed.isdisjoint((channel, ANY)):
            yield _Obstacle(Reason.SUPPRESSED, Reason.SUPPRESSED.value, None)
        if not plan.obeys:
            return
        if facts.consents or plan.opt_in:
            refusal = _consent_refusal(plan, request.purpose, facts, now)
            if refusal is not None:
                yield refusal
        if facts.active is False:
            for rule in plan.inactive:
                if request.purpose not in rule.purpose:
                    yield _Obstacle(Reason.INACTIVE, rule.id, None)
        for night in plan.nights:
            until = self._hours.quiet_until(night, facts.zones or self._zones, now)
            if until is not None:
                yield _Obstacle(Reason.QUIET, night.id, until)

    def _option(self, plan: Plan, facts: ContactFacts, now: int) -> Option:
        """Give all limits, the calendar's too: one check for each different period of the person's zones."""
        if not plan.calendar:
            return plan.option
        checks = list(plan.option.checks)
        for each, check in plan.calendar:
            for name in facts.zones or self._zones:
                span = self._hours.period(each, name, now)
                # The first instant of the period belongs to it, and a bound is what lies before.
                checks.append(check._replace(since=span.first - 1, ends=span.last))
        return Option(plan.option.channel, tuple(dict.fromkeys(checks)))

    def _plan_of(self, request: ContactRequest, channel: str) -> Plan:
        kind, purpose, sender = request.kind, request.purpose, request.sender
        shape = (channel, kind, purpose, sender, request.journey, request.campaign, request.topic)
        return self._plan(shape, request.audience)


@attrs.frozen
class _Case:
    """One question, as it is handed around.

    Attributes:
        request, facts, standing: As given.
        held: Whether the message holds a place already, so that limits count it and do not stop it.
        expires: When the message does.
    """

    request: ContactRequest
    facts: ContactFacts
    standing: Standing
    held: bool
    expires: int | None


class _Obstacle(NamedTuple):
    """What closes a channel: why, by which rule, until when (None: for good), and the limit that is full."""

    reason: Reason
    rule: str
    until: int | None
    fill: Fill | None = None

    def shown(self, channel: str, now: int) -> Blocked:
        """Put it into the words of a decision."""
        until = None if self.until is None else from_micros(self.until)
        fill = self.fill
        if fill is None:
            return Blocked(rule=self.rule, reason=self.reason, channel=channel, until=until)
        return Blocked(
            rule=self.rule,
            reason=self.reason,
            channel=channel,
            limit=fill.check.limit,
            used=fill.used,
            since=from_micros(fill.check.bound(now)),
            messages=tuple(contact.message_id for contact in fill.contacts),
            until=until,
        )


def _blocked(closed: dict[str, list[_Obstacle]], now: int) -> tuple[Blocked, ...]:
    return tuple(each.shown(channel, now) for channel, obstacles in closed.items() for each in obstacles)


def _last(obstacles: list[_Obstacle]) -> _Obstacle:
    """Give the one that ends last; what has no end comes after all, and of equals the first."""
    return max(obstacles, key=lambda each: inf if each.until is None else each.until)


def _consent_refusal(plan: Plan, purpose: str, facts: ContactFacts, now: int) -> _Obstacle | None:
    """Refuse what the person does not want; until the next entry of the log, if one is dated later."""
    channel = plan.option.channel
    moment = from_micros(now)
    state = consent_state(facts.consents, channel, purpose, now=moment)
    if state is ConsentState.GRANTED or (state is ConsentState.UNKNOWN and not plan.opt_in):
        return None
    later = [
        to_micros(entry.at)
        for entry in facts.consents
        if entry.at > moment and entry.channel in (channel, ANY) and entry.purpose in (purpose, ANY)
    ]
    return _Obstacle(Reason.NO_CONSENT, plan.opt_in or Reason.NO_CONSENT.value, min(later, default=None))
