"""The words segments are written in; each gives a definition, pure data.

    attr("city") == "Moscow"
    did(Purchase).where(Purchase.amount >= Money(9000, "RUB")).within(td(days=30)).at_least(3)
    did("purchase").last_at().more_than_ago(td(days=60)) & ~did("visit").within(td(days=14))
    sequence(did("cart"), within=td(hours=2)).without(did("purchase"))

Join with ``&``, ``|`` and ``~``, with brackets around comparisons. Names of events, properties and attributes
are said as text or by their declaration.
"""

from datetime import timedelta
from typing import cast

from crmsdk.errors import DefinitionError
from crmsdk.model.comparison import Op, PropTest
from crmsdk.model.consent import ConsentState
from crmsdk.model.customer import ACCOUNT, HAS, LIST, IdentifierKind
from crmsdk.model.declared import AttrRef, PropRef
from crmsdk.model.values import Value
from crmsdk.segments.account_words import account
from crmsdk.segments.asking import Asked, Comparable, Readable, Timed
from crmsdk.segments.checks import problems
from crmsdk.segments.days import Dated
from crmsdk.segments.grammar import (
    Always,
    AttrChanged,
    AttrHeld,
    AttrTest,
    AttrTime,
    Bucket,
    ConsentTest,
    Did,
    InOrder,
    Named,
    Occurrences,
    Points,
    Predicate,
    Segment,
    Timing,
    name_of,
)
from crmsdk.segments.occurrences import as_name, meant
from crmsdk.segments.scoring import comparable

__all__ = [
    "Attr",
    "account",
    "attr",
    "bucket",
    "consent",
    "did",
    "everyone",
    "in_account",
    "in_list",
    "nobody",
    "points",
    "prop",
    "reachable",
    "score",
    "segment",
    "sequence",
]

everyone: Predicate = Always()
"""Holds for everybody."""

nobody: Predicate = Always(False)
"""Holds for nobody."""


class Attr(Readable[Predicate], Timed[Predicate], Dated):
    """An attribute of the customer, to be asked about. The current value is the last written by ``now``.

    Args:
        name: The attribute; a dotted name reads into mappings, as ``address.city``.
        kind: What it is declared as; None when it is not known here.
    """

    def __init__(self, name: str, kind: str | None = None) -> None:
        Readable.__init__(self, self._compare)
        Timed.__init__(self, self._time)
        Dated.__init__(self, name, self._checked)
        self.name = name
        self.kind = kind

    def _compare(self, op: Op, operand: object, negated: bool) -> Predicate:  # noqa: FBT001 - the builder's callback
        asked = self._checked(AttrTest(self.name, op, cast("Value", operand)))
        return ~asked if negated else asked

    def _time(self, timing: Timing) -> Predicate:
        return self._checked(AttrTime(self.name, timing))

    def changed_within(self, span: timedelta) -> Predicate:
        """Ask whether the value really changed in ``(now - span, now]``: a first value is a change too."""
        return self._checked(AttrChanged(self.name, span))

    def has_been(self, value: Asked, *, at_least: timedelta) -> Predicate:
        """Ask whether the value has been this one, without a break, for a span up to now or longer."""
        return self._checked(AttrHeld(self.name, cast("Value", value), at_least))

    def _checked(self, asked: Predicate) -> Predicate:
        for fault in problems(asked, {}, {self.name: self.kind}) if self.kind else ():
            raise DefinitionError(fault)
        return asked

    def __repr__(self) -> str:  # type: ignore[explicit-override]  # typing has override from 3.12 on
        return f"<attribute {self.name}>"


def attr(name: str | Named) -> Attr:
    """Ask about an attribute of the customer: ``attr("city") == "Moscow"``, ``attr(Shopper.city)``.

    A comparison with a missing value, or one of another kind, is false; ``!=`` is the complement of ``==``,
    so it holds for the missing too.

    Raises:
        DefinitionError: the argument is a property of an event; and at a comparison, when the declared
            attribute is of another kind.
    """
    if isinstance(name, PropRef):
        raise DefinitionError(f"{name.name!r} is a property of event {name.event!r}; ask did(...).where(...)")
    return Attr(name.name, name.spec.kind) if isinstance(name, AttrRef) else Attr(name_of(name))


def prop(name: str) -> Readable[PropTest]:
    """Ask about a property of an event inside ``where``: ``prop("amount") >= 100``."""

    def ask(op: Op, operand: object, negated: bool) -> PropTest:  # noqa: FBT001 - the builder's callback
        return PropTest(name, op, cast("Value", operand), negated=negated)

    return Readable(ask)


def did(event: str | type[object]) -> Did:
    """Ask whether an event happened, once or more; chain ``where``, ``within``, ``at_least`` and more.

    Args:
        event: Its name, an ``EventType``, or a model adopted as one (which a type checker cannot tell).

    Raises:
        DefinitionError: the argument names no event.
    """
    name = event if isinstance(event, str) else getattr(event, "__event_name__", None)
    if not isinstance(name, str) or not name:
        called = event.__name__ if isinstance(event, type) else type(event).__name__
        raise DefinitionError(f"{called} names no event; give an EventType or a non-empty name")
    return Did(Occurrences(name))


def sequence(*steps: Did, within: timedelta | None = None) -> InOrder:
    """Ask whether events happened one after another: each later than the one before, by moment, then id.

        sequence(did("cart"), did("checkout"), did("purchase"), within=td(days=7))
        sequence(did("cart"), within=td(hours=2)).without(did("purchase"))

    Chain ``without`` for an event that must not follow before the span is over; that becomes true at exactly
    the first event's moment plus the span. Chain ``within(span)``, ``between``, ``this`` or ``previous`` for
    the window in which all steps must lie.

    Args:
        steps: One or more of ``did(...)`` with their own ``where``.
        within: The last step lies at most so long after the first one.

    Raises:
        DefinitionError: no step, a step with a window or a number, or a span that is none.
    """
    return InOrder(tuple(meant(step) for step in steps), span=within)


def consent(channel: str, purpose: str, *, state: ConsentState | str = ConsentState.GRANTED) -> Predicate:
    """Ask whether the person agreed to a channel for a purpose; ``state`` asks for another answer.

    >>> consent("email", "promo", state="withdrawn").state
    <ConsentState.WITHDRAWN: 'withdrawn'>
    """
    return ConsentTest(channel, purpose, state=state)


def in_list(name: str) -> Predicate:
    """Ask whether the person is on a manual list now; ``Crm.put_on_list`` puts them there."""
    return AttrTest(f"{LIST}{as_name(name)}", Op.EQ, True)


def in_account(account: str | None = None) -> Predicate:
    """Ask whether the person belongs to an organisation, or to this one.

    What is known of the organisation are attributes of its people: ``attr("account.industry") == "retail"``.
    """
    return AttrTest(ACCOUNT, Op.EXISTS) if account is None else AttrTest(ACCOUNT, Op.EQ, account)


def reachable(channel: str, purpose: str = "promo", *, by: IdentifierKind | str | None = None) -> Predicate:
    """Ask whether a person has an address for a channel and has not said no to it.

    No is a consent, withdrawn or denied, that fits channel and purpose; an unsubscribe and a complaint
    withdraw it. A person who was never asked is reachable: add ``consent(channel, purpose)`` where a yes is
    needed. Suppressed addresses are not seen here: they are kept by hash in the contact ledger, which is
    asked when a message is sent, so some who are reachable may still get nothing.

    Args:
        channel: As ``email``.
        purpose: As ``promo``.
        by: Where the address is, where it is not told by the channel (``email`` and ``sms``): a kind of
            identifier, e-mail or phone, or the name of an attribute.

    Raises:
        DefinitionError: nobody knows where the channel's addresses are.
    """
    place = _ADDRESSES.get(channel) if by is None else by
    if place is None:
        known = " and ".join(_ADDRESSES)
        raise DefinitionError(
            f"nobody knows where addresses of {channel!r} are, only of {known}; give by= an attribute, or a "
            "kind of identifier",
            path="by",
        )
    if isinstance(place, IdentifierKind):
        if place not in _ADDRESSES.values():
            raise DefinitionError(f"{place} is no address; give email, phone or an attribute", path="by")
        has: Predicate = AttrTest(f"{HAS}{place}", Op.EQ, True)
    else:
        has = AttrTest(place, Op.EXISTS)
    no = ConsentTest(channel, purpose, state=ConsentState.WITHDRAWN)
    return has & ~no & ~ConsentTest(channel, purpose, state=ConsentState.DENIED)


_ADDRESSES = {"email": IdentifierKind.EMAIL, "sms": IdentifierKind.PHONE}


def bucket(salt: str, low: int, high: int) -> Predicate:
    """Ask whether a person's lot lies in ``[low, high)`` of 10,000: ``bucket("autumn", 0, 1000)`` is a tenth.

    The same salt splits people the same way everywhere and for ever; ``bucket("autumn", 1000, 2000)`` is the
    next tenth.
    """
    return Bucket(salt, low, high)


def points(
    number: int, *, per: Did | None = None, when: Predicate | None = None, half_life: timedelta | None = None
) -> Points:
    """Give points to a ``score``: for each event of ``per``, or once while ``when`` holds.

    Args:
        number: How many, below zero to take away.
        per: Events, each counted: ``did("visit").within(timedelta(days=14))``.
        when: A predicate.
        half_life: The time in which the points of an event are halved, stepwise: at each full one since it
            happened; after twenty nothing is left. None where they stay.

    Raises:
        DefinitionError: neither or both of ``per`` and ``when``; a number of events asked for in ``per``.
    """
    if per is not None and not isinstance(per, Did):
        raise DefinitionError(f"per is {type(per).__name__}; give did(...), or say it by when=", path="per")
    of = None if per is None else per._meant("give the events alone; each is counted")  # noqa: SLF001 - one family
    return Points(number, per=of, when=when, half_life=half_life)


def score(*parts: Points) -> Comparable[Predicate]:
    """Add points up and compare the sum: ``score(points(3, per=did("visit")), ...) >= 50``.

    ``evaluate(...).because`` opens it up: what its parts found adds exactly to what the whole found.

    Raises:
        DefinitionError: no points.
    """
    return comparable(parts)


def segment(name: str, predicate: Predicate, *, audience: str = "") -> Segment:
    """Name a predicate; the segment may stand wherever a predicate may, also in other segments."""
    return Segment(name, predicate, audience)
