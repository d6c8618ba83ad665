"""The reference evaluator: what a policy says about one message, given the facts and the person's ledger.

Pure, and the one place that decides. It resolves rules into checks, asks for quiet times, consents and
suppressions, and finds the earliest moment at which a message held back would be allowed.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from functools import lru_cache
from math import inf
from typing import Final

import attrs

from crmsdk.model.codec import content_hash
from crmsdk.model.consent import ANY, ConsentState, consent_state
from crmsdk.model.ids import MessageId
from crmsdk.model.moment import from_micros, to_micros
from crmsdk.model.zones import zone as find_zone
from crmsdk.policy.answer import Blocked, Decision, Reason, Ruling
from crmsdk.policy.hours import Hours
from crmsdk.policy.limits import judge
from crmsdk.policy.record import Check, ContactState, Option, Standing, field_index
from crmsdk.policy.request import ContactFacts, ContactRequest
from crmsdk.policy.rules import Cap, ContactField, Distinct, InactiveOnly, OptIn, Period, Quiet
from crmsdk.policy.ruleset import ConsentMode, ContactPolicy

__all__ = ["Evaluator"]

_MICROSECOND: Final = timedelta(microseconds=1)
_REMEMBERED: Final = 4096
"""Plans kept at a time; one for each channel, kind, purpose, sender, journey, campaign, topic, audience."""

_JUMPS: Final = 1000
"""From one obstacle to the next, over a year of nights in three zones; then a message is never allowed."""

_GROUPS: Final = frozenset({ContactField.JOURNEY, ContactField.CAMPAIGN, ContactField.TOPIC})
"""Fields that a message may lack: it then belongs to no group, and a rule per such a field is silent."""


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
        find_zone(zone, "zone")
        self.policy = policy
        self.hash = content_hash(policy)
        self.looks_back = policy.longest_window() // _MICROSECOND
        self._zones = (zone,)
        self._hours = Hours()
        self._plan = lru_cache(maxsize=_REMEMBERED)(self._make_plan)

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
                option = plan.option
                if plan.calendar:
                    option = Option(channel, (*option.checks, *self._calendar(plan, facts, now)))
                out.append(option)
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
            return self._refused(Reason.DUPLICATE, own.channel, message=own.message_id)
        if expires is not None and now >= expires:
            return self._refused(Reason.EXPIRED, request.channels[0])
        case = _Case(request, facts, standing, own is not None, expires)
        if own is not None and not own.in_doubt(now):
            busy = Blocked(
                rule=Reason.BUSY.value,
                reason=Reason.BUSY,
                channel=own.channel,
                messages=(own.message_id,),
                until=from_micros(own.lease),
            )
            later = self._later(case, (own.channel,), (busy,), after=own.lease)
            if later.outcome is Ruling.DEFER or later.reason is Reason.EXPIRED:
                return later
            # It may be going out this moment, so nothing final is said before the lease is over.
            return attrs.evolve(later, outcome=Ruling.DEFER, reason=Reason.BUSY, until=busy.until)
        blocked: list[Blocked] = []
        channels = request.channels if own is None else (own.channel,)
        for channel in channels:
            obstacles = self._all_obstacles(case, channel, now=now)
            if not obstacles:
                return Decision(
                    outcome=Ruling.ALLOW, channel=channel, blocked=tuple(blocked), policy=self.hash
                )
            blocked += obstacles
        return self._later(case, channels, tuple(blocked), after=now)

    def _refused(self, reason: Reason, channel: str, *, message: MessageId | None = None) -> Decision:
        messages = () if message is None else (message,)
        blocked = Blocked(rule=reason.value, reason=reason, channel=channel, messages=messages)
        return Decision(outcome=Ruling.REFUSE, reason=reason, blocked=(blocked,), policy=self.hash)

    def _later(
        self, case: "_Case", channels: tuple[str, ...], blocked: tuple[Blocked, ...], *, after: int
    ) -> Decision:
        """Defer to the earliest moment at which any channel opens, or refuse if none does in time."""
        opens: list[tuple[int, Reason]] = []
        never: list[Reason] = []
        for channel in channels:
            found = self._opens(case, channel, after=after)
            if isinstance(found, Blocked):
                never.append(found.reason)
                blocked += () if found in blocked else (found,)
            else:
                opens.append((found, _last_to_end(blocked, channel).reason))
        if not opens:
            reason = next((each for each in never if each is not Reason.NO_ADDRESS), Reason.NO_ADDRESS)
            return Decision(outcome=Ruling.REFUSE, reason=reason, blocked=blocked, policy=self.hash)
        moment, reason = min(opens, key=lambda each: each[0])
        if case.expires is not None and moment >= case.expires:
            return Decision(outcome=Ruling.REFUSE, reason=Reason.EXPIRED, blocked=blocked, policy=self.hash)
        until = from_micros(moment)
        return Decision(outcome=Ruling.DEFER, until=until, reason=reason, blocked=blocked, policy=self.hash)

    def _opens(self, case: "_Case", channel: str, *, after: int) -> int | Blocked:
        """Find the earliest moment from ``after`` on at which a channel is open, if nothing else happens.

        Every obstacle holds without a break until its own end, so no moment before the latest of these ends
        is open; jumping there and asking again finds the earliest.

        Returns:
            The moment, or the obstacle that has no end.
        """
        now = after
        last: Blocked | None = None
        for _ in range(_JUMPS):
            obstacles = self._all_obstacles(case, channel, now=now)
            if not obstacles:
                return now
            last = max(obstacles, key=_end)
            if last.until is None:
                return last
            now = to_micros(last.until)
        assert last is not None  # noqa: S101 - there was at least one jump
        return attrs.evolve(last, until=None)

    def _all_obstacles(self, case: "_Case", channel: str, *, now: int) -> list[Blocked]:
        request, standing = case.request, case.standing
        plan = self._plan_of(request, channel)
        obstacles = list(self._obstacles(plan, request, case.facts, now=now))
        addresses = case.facts.addresses or {}
        if any(each.stops(channel, request.purpose, addresses) for each in standing.suppressions):
            obstacles.append(_endless(Reason.SUPPRESSED, channel))
        if not case.held:
            checks = (*plan.option.checks, *self._calendar(plan, case.facts, now))
            obstacles += [
                Blocked(
                    rule=fill.check.rule,
                    reason=fill.check.reason,
                    channel=channel,
                    limit=fill.check.limit,
                    used=fill.used,
                    since=from_micros(fill.check.bound(now)),
                    messages=tuple(contact.message_id for contact in fill.contacts),
                    until=from_micros(fill.until),
                )
                for fill in judge(standing.contacts, checks, now=now)
            ]
        return obstacles

    def _obstacles(
        self, plan: "_Plan", request: ContactRequest, facts: ContactFacts, *, now: int
    ) -> Iterator[Blocked]:
        """Find what closes a channel without a look at the ledger."""
        channel = plan.option.channel
        if facts.addresses is not None and channel not in facts.addresses:
            yield _endless(Reason.NO_ADDRESS, channel)
        if facts.suppressed and (channel in facts.suppressed or ANY in facts.suppressed):
            yield _endless(Reason.SUPPRESSED, channel)
        if not plan.obeys:
            return
        if facts.consents or plan.opt_in:
            refusal = _consent_refusal(plan, request.purpose, facts, now)
            if refusal is not None:
                yield refusal
        if facts.active is False:
            for rule in plan.inactive:
                if request.purpose not in rule.purpose:
                    yield _endless(Reason.INACTIVE, channel, rule.id)
        for night in plan.nights:
            until = self._hours.quiet_until(night, facts.zones or self._zones, now)
            if until is not None:
                yield Blocked(rule=night.id, reason=Reason.QUIET, channel=channel, until=from_micros(until))

    def _calendar(self, plan: "_Plan", facts: ContactFacts, now: int) -> Iterator[Check]:
        """Resolve the caps of calendar periods: one check for each zone the person may be in."""
        for each, check in plan.calendar:
            for name in facts.zones or self._zones:
                span = self._hours.period(each, name, now)
                # The first instant of the period belongs to it, and a bound is what lies before.
                yield check._replace(since=span.first - 1, ends=span.last)

    def _plan_of(self, request: ContactRequest, channel: str) -> "_Plan":
        kind, purpose, sender = request.kind, request.purpose, request.sender
        shape = (channel, kind, purpose, sender, request.journey, request.campaign, request.topic)
        return self._plan(shape, request.audience)

    def _make_plan(self, shape: tuple[str, ...], audience: str) -> "_Plan":
        own = dict(zip(ContactField, shape, strict=True))
        channel = own[ContactField.CHANNEL]
        if own[ContactField.KIND] not in self.policy.obeys:
            return _Plan(Option(channel, ()), obeys=False)
        rules = [
            rule
            for rule in self.policy.rules_for(audience)
            if all(own[field] in allowed for field, allowed in rule.applies.filters())
        ]
        limits = [rule for rule in rules if isinstance(rule, Cap | Distinct)]
        checks = [(rule, check) for rule in limits if (check := _check(rule, own, self.policy)) is not None]
        opt_in = [rule.id for rule in rules if isinstance(rule, OptIn)]
        if self.policy.consent is ConsentMode.OPT_IN:
            opt_in.append(Reason.NO_CONSENT.value)
        return _Plan(
            Option(channel, tuple(check for _, check in checks if check.window)),
            obeys=True,
            nights=tuple(rule for rule in rules if isinstance(rule, Quiet)),
            calendar=tuple(
                (rule.each, check)
                for rule, check in checks
                if isinstance(rule, Cap) and rule.each is not None
            ),
            inactive=tuple(rule for rule in rules if isinstance(rule, InactiveOnly)),
            opt_in=opt_in[0] if opt_in else "",
        )


@attrs.frozen
class _Plan:
    """What concerns messages of one shape on one channel; made once for all people.

    Attributes:
        option: The channel with its rolling checks.
        obeys: Whether anything but suppression holds for this kind of message.
        nights: Quiet times.
        calendar: Checks of calendar periods, still without bounds.
        inactive: What the inactive may not get.
        opt_in: The rule that requires a granted consent; empty if none does.
    """

    option: Option
    obeys: bool
    nights: tuple[Quiet, ...] = ()
    calendar: tuple[tuple[Period, Check], ...] = ()
    inactive: tuple[InactiveOnly, ...] = ()
    opt_in: str = ""


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


def _check(rule: Cap | Distinct, own: Mapping[ContactField, str], policy: ContactPolicy) -> Check | None:
    """Resolve a limit for messages of one shape; None where it says nothing about them."""
    if rule.per in _GROUPS and not own[rule.per]:
        return None
    wanted = {field: frozenset(map(str, allowed)) for field, allowed in rule.applies.filters()}
    counted = frozenset(kind.value for kind in policy.counts)
    wanted[ContactField.KIND] = wanted.get(ContactField.KIND, counted) & counted
    if rule.per is not None:
        wanted[rule.per] = wanted.get(rule.per, frozenset({own[rule.per]})) & {own[rule.per]}
    distinct = rule.of if isinstance(rule, Distinct) else None
    return Check(
        rule=rule.id,
        reason=Reason.CAPPED if distinct is None else Reason.DISTINCT,
        limit=rule.limit,
        window=0 if rule.within is None else rule.within // _MICROSECOND,
        since=None,
        ends=0,
        filters=tuple((field_index(field), wanted[field]) for field in ContactField if field in wanted),
        distinct=None if distinct is None else field_index(distinct),
        value="" if distinct is None else own[distinct],
    )


def _consent_refusal(plan: _Plan, purpose: str, facts: ContactFacts, now: int) -> Blocked | None:
    """Refuse what the person does not want; until the next entry of the log, if one is dated later."""
    channel = plan.option.channel
    moment = from_micros(now)
    state = consent_state(facts.consents, channel, purpose, now=moment)
    if state is ConsentState.GRANTED or (state is ConsentState.UNKNOWN and not plan.opt_in):
        return None
    fitting = (
        entry.at
        for entry in facts.consents
        if entry.at > moment and entry.channel in (channel, ANY) and entry.purpose in (purpose, ANY)
    )
    rule = plan.opt_in or Reason.NO_CONSENT.value
    return Blocked(rule=rule, reason=Reason.NO_CONSENT, channel=channel, until=min(fitting, default=None))


def _endless(reason: Reason, channel: str, rule: str = "") -> Blocked:
    return Blocked(rule=rule or reason.value, reason=reason, channel=channel)


def _end(blocked: Blocked) -> float:
    """Order obstacles by their end; what has none comes last."""
    return inf if blocked.until is None else to_micros(blocked.until)


def _last_to_end(blocked: Iterable[Blocked], channel: str) -> Blocked:
    return max((each for each in blocked if each.channel == channel), key=_end)
