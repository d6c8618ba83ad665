"""What a policy says about messages of one shape, resolved once and used for all people."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import attrs

from crmsdk.model.message import MessageKind
from crmsdk.policy.answer import Reason
from crmsdk.policy.record import Check, Option, field_index
from crmsdk.policy.rules import Cap, ContactField, Distinct, InactiveOnly, OptIn, Period, Quiet
from crmsdk.policy.ruleset import ConsentMode, ContactPolicy

__all__ = ["Plan", "make_plan"]

_MICROSECOND: Final = timedelta(microseconds=1)

_GROUPS: Final = frozenset({ContactField.JOURNEY, ContactField.CAMPAIGN, ContactField.TOPIC})
"""Fields that a message may lack: it then belongs to no group, and a rule per such a field is silent."""


@attrs.frozen
class Plan:
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


def make_plan(policy: ContactPolicy, shape: tuple[str, ...], audience: str) -> Plan:
    """Resolve the rules for messages of one shape.

    Args:
        policy: The rules.
        shape: The values of ``ContactField``, in its order.
        audience: Whose rules hold.
    """
    own = dict(zip(ContactField, shape, strict=True))
    channel = own[ContactField.CHANNEL]
    if own[ContactField.KIND] not in policy.obeys:
        return Plan(Option(channel, ()), obeys=False)
    rules = [
        rule
        for rule in policy.rules_for(audience)
        if all(own[field] in allowed for field, allowed in rule.applies.filters())
    ]
    limits = [rule for rule in rules if isinstance(rule, Cap | Distinct)]
    checks = [(rule, check) for rule in limits if (check := _check(rule, own, policy)) is not None]
    opt_in = [rule.id for rule in rules if isinstance(rule, OptIn)]
    if policy.consent is ConsentMode.OPT_IN:
        opt_in.append(Reason.NO_CONSENT.value)
    return Plan(
        Option(channel, tuple(check for _, check in checks if check.window)),
        obeys=True,
        nights=tuple(rule for rule in rules if isinstance(rule, Quiet)),
        calendar=tuple(
            (rule.each, check) for rule, check in checks if isinstance(rule, Cap) and rule.each is not None
        ),
        inactive=tuple(rule for rule in rules if isinstance(rule, InactiveOnly)),
        opt_in=opt_in[0] if opt_in else "",
    )


def _check(rule: Cap | Distinct, own: Mapping[ContactField, str], policy: ContactPolicy) -> Check | None:
    """Resolve a limit for messages of one shape; None where it says nothing about them."""
    if rule.per in _GROUPS and not own[rule.per]:
        return None
    wanted = {field: frozenset(map(str, allowed)) for field, allowed in rule.applies.filters()}
    if len(policy.counts) < len(MessageKind):
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
