"""The meaning of a limit and of a place in a ledger: what every ledger must do, as pure functions.

A ledger in Python calls them; one in another language is held equal to them by the exported suite.
"""

from collections.abc import Collection, Iterable, Sequence

import attrs

from crmsdk.policy.record import Check, Contact, ContactState, Reserve, Suppression

__all__ = ["Fill", "judge", "place"]


@attrs.frozen
class Fill:
    """A check that fails.

    Attributes:
        check: Which.
        used: How many contacts, or different values, were counted.
        contacts: The contacts counted, in the order of their moments.
        until: When the check holds again if nothing else happens.
    """

    check: Check
    used: int
    contacts: tuple[Contact, ...]
    until: int


def judge(contacts: Sequence[Contact], checks: Iterable[Check], *, now: int) -> tuple[Fill, ...]:
    """Find the checks that fail: the meaning of a limit, for every ledger.

    Args:
        contacts: Of one person, in the order of their moments; those after ``now`` count too.
        checks: Limits, resolved.
        now: Microseconds since 1970.

    Returns:
        The failing checks, in order; empty when all hold.
    """
    fills: list[Fill] = []
    total = len(contacts)
    for check in checks:
        _, _, limit, window, since, _, filters, distinct, _ = check
        bound = now - window if since is None else since
        # Fewer than the limit in the whole span: nothing to count.
        if total < limit or contacts[-limit][0] <= bound:
            continue
        counted = []
        for contact in reversed(contacts):
            if contact[0] <= bound:
                break
            for index, values in filters:
                if contact[index] not in values:
                    break
            else:
                counted.append(contact)
        if len(counted) >= limit:
            counted.reverse()
            fill = _cap_fill(check, counted) if distinct is None else _distinct_fill(check, counted)
            if fill is not None:
                fills.append(fill)
    return tuple(fills)


def _cap_fill(check: Check, counted: list[Contact]) -> Fill:
    used = len(counted)
    until = check.ends if check.since is not None else counted[used - check.limit].at + check.window
    return Fill(check, used, tuple(counted), until)


def _distinct_fill(check: Check, counted: list[Contact]) -> Fill | None:
    assert check.distinct is not None  # noqa: S101 - the caller looked
    last = {str(contact[check.distinct]): contact.at for contact in counted}
    if check.value in last or len(last) < check.limit:
        return None
    until = sorted(last.values())[len(last) - check.limit] + check.window
    return Fill(check, len(last), tuple(counted), until)


def place(
    reserve: Reserve,
    *,
    contacts: Sequence[Contact],
    own: Contact | None,
    suppressions: Collection[Suppression],
) -> Contact | None:
    """Choose the place a reserve takes: the meaning of ``Ledger.reserve``.

    Args:
        reserve: What is asked.
        contacts: Of the person, in the order of their moments.
        own: The place the message holds already, if it does; one of ``contacts``.
        suppressions: Of the person and of the addresses.

    Returns:
        The contact to write, in the place of ``own`` if there is one; None to write nothing.
    """
    request, now = reserve.request, reserve.now
    if own is not None and not own.in_doubt(now):
        return None
    for option in reserve.options:
        channel = option.channel
        if suppressions and any(
            each.stops(channel, request.purpose, reserve.addresses) for each in suppressions
        ):
            continue
        if own is not None:
            if own.channel == channel:
                return own._replace(lease=now + reserve.lease, attempt=own.attempt + 1)
        elif not judge(contacts, option.checks, now=now):
            return Contact(
                # A clock that went back must not hide this contact behind the last one.
                max(now, contacts[-1].at) if contacts else now,
                channel,
                request.kind.value,
                request.purpose,
                request.sender,
                request.journey,
                request.campaign,
                request.topic,
                request.message_id,
                request.priority,
                ContactState.SENDING,
                now + reserve.lease,
                1,
            )
    return None
