"""The rules of a contact policy as values, and the builders that write them shortly.

    cap(6, within=timedelta(days=7))                                   at most 6 in any 7 days
    cap(4, within=timedelta(days=7), channel="email", per="sender")    4 emails a week for each sender
    cap(2, each="day")                                                 2 a calendar day of the person
    cap(2, within=timedelta(hours=1), distinct="channel")              at most 2 channels in any hour
    quiet("21:00", "08:00", kinds=("promo", "content"))                no such message at night
    inactive_only("winback")                                           the inactive get nothing else
    opt_in(channels="sms")                                             a granted consent is required

A rule that can never let anything through is refused where it is written, with its id. The strictest rule
wins; no rule loosens another.
"""

import re
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from typing import Final, Literal, TypeAlias

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.model.codec import definition
from crmsdk.model.message import MessageKind, kind_of
from crmsdk.model.span import span_text

__all__ = [
    "Applies",
    "Cap",
    "ContactField",
    "Distinct",
    "InactiveOnly",
    "OptIn",
    "Period",
    "Quiet",
    "Rule",
    "cap",
    "inactive_only",
    "opt_in",
    "quiet",
]

LONGEST: Final = timedelta(days=3660)
"""The longest window: ten years; a ledger keeps no contact longer than its rules look back."""

DAY_MINUTES: Final = 24 * 60
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")


class ContactField(StrEnum):
    """What a rule may tell contacts apart by."""

    CHANNEL = "channel"
    KIND = "kind"
    PURPOSE = "purpose"
    SENDER = "sender"
    JOURNEY = "journey"
    CAMPAIGN = "campaign"
    TOPIC = "topic"


class Period(StrEnum):
    """A calendar period in the person's zone; a week begins on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def _texts(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(sorted(set(value)))


def _kinds(value: str | Iterable[str]) -> tuple[MessageKind, ...]:
    return tuple(kind_of(text) for text in _texts(value))


@definition("applies")
@attrs.frozen(kw_only=True)
class Applies:
    """Which contacts a rule is about; an empty field means any.

    One text stands for a tuple of one. The same filter chooses the messages that are ruled and the past
    contacts that are counted.
    """

    channel: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    kind: tuple[MessageKind, ...] = attrs.field(default=(), converter=_kinds)
    purpose: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    sender: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    journey: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    campaign: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    topic: tuple[str, ...] = attrs.field(default=(), converter=_texts)

    def filters(self) -> tuple[tuple[ContactField, tuple[str, ...]], ...]:
        """Give the fields that are not "any", with the values they allow."""
        return tuple((field, getattr(self, field)) for field in ContactField if getattr(self, field))

    def named(self) -> str:
        """Give the filter as a part of a rule's id; empty for "any"."""
        return "".join(f"-{'+'.join(values)}" for _, values in self.filters())


EVERYTHING: Final = Applies()


def _field(value: str | None) -> ContactField | None:
    if value is None:
        return None
    try:
        return ContactField(value)
    except ValueError:
        known = ", ".join(ContactField)
        raise DefinitionError(f"unknown field {value!r}; contacts differ by {known}") from None


def _some_field(value: str) -> ContactField:
    field = _field(value)
    if field is None:
        raise DefinitionError("names no field to tell contacts apart by; give one, as 'channel'", path="of")
    return field


def _period(value: str | None) -> Period | None:
    if value is None:
        return None
    try:
        return Period(value)
    except ValueError:
        raise DefinitionError(f"unknown period {value!r}; give day, week or month", path="each") from None


def _refuse(rule: str, message: str) -> DefinitionError:
    return DefinitionError(f"rule {rule!r}: {message}")


def _checked_limit(rule: str, limit: object) -> None:
    if isinstance(limit, bool) or not isinstance(limit, int):
        raise _refuse(rule, f"the limit is {type(limit).__name__}; give an integer")
    if limit < 1:
        raise _refuse(rule, "a limit below 1 lets nothing through; raise it or pause what it should stop")


def _checked_window(rule: str, within: object) -> None:
    if not isinstance(within, timedelta):
        raise _refuse(rule, f"the window is {type(within).__name__}; give a timedelta")
    if within <= timedelta(0):
        raise _refuse(rule, "a window of no length counts nothing; give a longer one")
    if within > LONGEST:
        raise _refuse(rule, f"the window is longer than {LONGEST.days} days; shorten it")


def _span_name(within: object) -> str:
    if not isinstance(within, timedelta):
        return type(within).__name__
    return span_text(within).replace("P", "").replace("T", "").lower()


@definition("cap")
@attrs.frozen
class Cap:
    """At most so many contacts within a rolling span, or in each calendar period of the person's zone.

    Attributes:
        limit: How many; at least 1.
        within: The rolling span: a contact counts while ``at > now - within``.
        each: The calendar period; exactly one of ``within`` and ``each`` is given.
        applies: Which messages are ruled and which contacts are counted.
        per: Count contacts with the same value of this field only. A message without a journey, campaign
            or topic is not ruled by a cap per journey, campaign or topic; an empty sender is the default
            sender and is counted as one.
        id: Stable name, shown in decisions; derived from the rest when empty.
    """

    limit: int
    within: timedelta | None = attrs.field(default=None, kw_only=True)
    each: Period | None = attrs.field(default=None, kw_only=True, converter=_period)
    applies: Applies = attrs.field(default=EVERYTHING, kw_only=True)
    per: ContactField | None = attrs.field(default=None, kw_only=True, converter=_field)
    id: str = attrs.field(default="", kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Name the rule, and refuse what lets nothing through."""
        if not self.id:
            span = f"each-{self.each}" if self.each else _span_name(self.within)
            per = f"-per-{self.per}" if self.per else ""
            object.__setattr__(self, "id", f"cap-{self.limit}-{span}{self.applies.named()}{per}")
        _checked_limit(self.id, self.limit)
        if (self.within is None) == (self.each is None):
            raise _refuse(self.id, "give either within=timedelta(...) or each='day', 'week' or 'month'")
        if self.within is not None:
            _checked_window(self.id, self.within)


@definition("distinct")
@attrs.frozen
class Distinct:
    """At most so many different values of a field (channels, as a rule) within a rolling span.

    A message whose value is among those of the span already adds none and passes.

    Attributes:
        limit: How many different values; at least 1.
        within: The rolling span: a contact counts while ``at > now - within``.
        of: The field whose values are counted.
        applies: Which messages are ruled and which contacts are counted.
        per: As in ``Cap``.
        id: Stable name, shown in decisions; derived from the rest when empty.
    """

    limit: int
    within: timedelta = attrs.field(kw_only=True)
    of: ContactField = attrs.field(default=ContactField.CHANNEL, kw_only=True, converter=_some_field)
    applies: Applies = attrs.field(default=EVERYTHING, kw_only=True)
    per: ContactField | None = attrs.field(default=None, kw_only=True, converter=_field)
    id: str = attrs.field(default="", kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Name the rule, and refuse what lets nothing through."""
        if not self.id:
            per = f"-per-{self.per}" if self.per else ""
            name = f"distinct-{self.limit}-{self.of}-{_span_name(self.within)}{self.applies.named()}{per}"
            object.__setattr__(self, "id", name)
        _checked_limit(self.id, self.limit)
        _checked_window(self.id, self.within)
        if self.of in (ContactField.JOURNEY, ContactField.CAMPAIGN, ContactField.TOPIC):
            raise _refuse(
                self.id, f"a message may have no {self.of}; count channels, senders, kinds or purposes"
            )
        if self.per is self.of:
            raise _refuse(self.id, f"one {self.of} per {self.of} is always one; choose another field for per")


ALL_WEEK: Final = (0, 1, 2, 3, 4, 5, 6)


def _weekdays(value: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(set(value)))


@definition("quiet")
@attrs.frozen
class Quiet:
    """No contact between two local times; the end is the first moment that is open again.

    Times are wall clock in the person's zone. Where the clock skips a time, the first real instant after
    the gap stands for it; a repeated hour stays quiet as a whole. With several candidate zones it is quiet
    when it is quiet in any.

    Attributes:
        start: As ``21:00``.
        end: As ``08:00``; at or before the start it belongs to the next day. ``24:00`` is midnight.
        applies: Which messages it holds back.
        weekdays: Days on which a quiet time *starts*: 0 is Monday.
        id: Stable name, shown in decisions; derived from the rest when empty.
    """

    start: str
    end: str
    applies: Applies = attrs.field(default=EVERYTHING, kw_only=True)
    weekdays: tuple[int, ...] = attrs.field(default=ALL_WEEK, kw_only=True, converter=_weekdays)
    id: str = attrs.field(default="", kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Name the rule, and refuse times that leave nothing or hold back everything."""
        if not self.id:
            days = "" if self.weekdays == ALL_WEEK else "-on-" + "".join(map(str, self.weekdays))
            name = f"quiet-{self.start}-{self.end}{days}{self.applies.named()}"
            object.__setattr__(self, "id", name)
        for name, text in (("start", self.start), ("end", self.end)):
            if not isinstance(text, str) or not _CLOCK.fullmatch(text):
                raise _refuse(self.id, f"{name} is no local time; give it as '21:00'")
        if self.start == "24:00":
            raise _refuse(self.id, "a quiet time cannot start at 24:00; say 00:00 and the next weekday")
        if self.start == self.end:
            raise _refuse(self.id, "start and end are equal, which is no time or all day; give two times")
        if not self.weekdays or not set(self.weekdays) <= set(ALL_WEEK):
            raise _refuse(self.id, "weekdays are 0 (Monday) to 6 (Sunday), at least one")
        covered = {minute for first, last in self.minutes() for minute in range(first, last)}
        if len(covered) == DAY_MINUTES * 7:
            raise _refuse(self.id, "it is quiet all day, every day; leave some time open")

    def minutes(self) -> tuple[tuple[int, int], ...]:
        """Give the quiet spans of a plain week: minutes from Monday 00:00, wrapped at the week's end."""
        week = DAY_MINUTES * 7
        first, last = _minute(self.start), _minute(self.end)
        length = (last - first) % DAY_MINUTES or DAY_MINUTES
        out = []
        for day in self.weekdays:
            begin = day * DAY_MINUTES + first
            end = begin + length
            out.append((begin, min(end, week)))
            if end > week:
                out.append((0, end - week))
        return tuple(out)


def _minute(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


@definition("inactive-only")
@attrs.frozen
class InactiveOnly:
    """Inactive people get messages of these purposes only.

    Somebody with no source of activity is *unknown*, not inactive, and is not held back.

    Attributes:
        purpose: The purposes that may still be sent, as ``("winback",)``.
        applies: Which messages it holds back.
        id: Stable name, shown in decisions.
    """

    purpose: tuple[str, ...] = attrs.field(converter=_texts)
    applies: Applies = attrs.field(default=EVERYTHING, kw_only=True)
    id: str = attrs.field(default="", kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Name the rule."""
        if not self.id:
            name = f"inactive-only-{'+'.join(self.purpose)}{self.applies.named()}"
            object.__setattr__(self, "id", name)


@definition("opt-in")
@attrs.frozen
class OptIn:
    """A granted consent for the channel and purpose is required; nobody asked means no.

    Attributes:
        applies: Which messages need it.
        id: Stable name, shown in decisions.
    """

    applies: Applies = attrs.field(default=EVERYTHING, kw_only=True)
    id: str = attrs.field(default="", kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Name the rule."""
        if not self.id:
            object.__setattr__(self, "id", f"opt-in{self.applies.named()}")


Rule: TypeAlias = Cap | Distinct | Quiet | InactiveOnly | OptIn

Names: TypeAlias = str | Iterable[str]


def _applies(
    rule: str,
    channel: Names = (),
    kind: Names = (),
    *,
    purpose: Names = (),
    sender: Names = (),
    journey: Names = (),
    campaign: Names = (),
    topic: Names = (),
) -> Applies:
    try:
        return Applies(
            channel=channel,
            kind=kind,
            purpose=purpose,
            sender=sender,
            journey=journey,
            campaign=campaign,
            topic=topic,
        )
    except DefinitionError as error:
        raise _refuse(rule, str(error)) from None


def cap(
    limit: int,
    *,
    within: timedelta | None = None,
    each: Literal["day", "week", "month"] | None = None,
    channel: Names = (),
    kind: Names = (),
    purpose: Names = (),
    sender: Names = (),
    journey: Names = (),
    campaign: Names = (),
    topic: Names = (),
    per: str | None = None,
    distinct: str | None = None,
    id: str = "",
) -> Cap | Distinct:
    """Limit contacts, or with ``distinct`` the different values of a field, of one person.

    Args:
        limit: How many; at least 1.
        within: The rolling span.
        each: The calendar period instead of a span: ``day``, ``week`` or ``month`` in the person's zone.
        channel: Rule and count only these channels: one text or several; empty for any.
        kind: The same for kinds of message.
        purpose: The same for purposes.
        sender: The same for senders.
        journey: The same for journeys.
        campaign: The same for campaigns.
        topic: The same for topics.
        per: Count contacts with the same value of this field only.
        distinct: Count different values of this field, as ``channel``, and not contacts.
        id: Stable name; derived when empty.

    Raises:
        DefinitionError: the rule lets nothing through, or names an unknown kind, field or period.
    """
    name = id or ("distinct" if distinct else "cap")
    applies = _applies(
        name, channel, kind, purpose=purpose, sender=sender, journey=journey, campaign=campaign, topic=topic
    )
    try:
        if distinct is None:
            return Cap(limit, within=within, each=each, applies=applies, per=per, id=id)
        if within is None or each is not None:
            raise DefinitionError("different values are counted within a span; give within=timedelta(...)")
        return Distinct(limit, within=within, of=distinct, applies=applies, per=per, id=id)
    except DefinitionError as error:
        raise error if str(error).startswith("rule ") else _refuse(name, str(error)) from None


def quiet(
    start: str,
    end: str,
    *,
    kinds: Names = (),
    channels: Names = (),
    weekdays: Iterable[int] = ALL_WEEK,
    id: str = "",
) -> Quiet:
    """Hold messages back between two local times.

    Args:
        start: Local time as ``21:00``.
        end: Local time as ``08:00``; at or before the start it is on the next day.
        kinds: Which kinds of message; one text or several, empty for any.
        channels: Which channels; one text or several, empty for any.
        weekdays: Days on which a quiet time starts: 0 is Monday.
        id: Stable name; derived when empty.

    Raises:
        DefinitionError: no local times, quiet all day, or an unknown kind.
    """
    applies = _applies(id or f"quiet-{start}-{end}", channels, kinds)
    return Quiet(start, end, applies=applies, weekdays=weekdays, id=id)


def inactive_only(purpose: Names, *, kinds: Names = (), channels: Names = (), id: str = "") -> InactiveOnly:
    """Send inactive people nothing but messages of these purposes.

    Raises:
        DefinitionError: an unknown kind.
    """
    return InactiveOnly(purpose, applies=_applies(id or "inactive-only", channels, kinds), id=id)


def opt_in(*, kinds: Names = (), channels: Names = (), purposes: Names = (), id: str = "") -> OptIn:
    """Require a granted consent for these messages.

    Raises:
        DefinitionError: an unknown kind.
    """
    return OptIn(applies=_applies(id or "opt-in", channels, kinds, purpose=purposes), id=id)
