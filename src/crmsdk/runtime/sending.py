"""Messages made by hand, and a look at one before it goes out."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import attrs

from crmsdk.errors import InputError, TemplateError, UnknownName
from crmsdk.journeys.person import Person
from crmsdk.model.content import Content
from crmsdk.model.ids import CustomerId, MessageId, keyed_id
from crmsdk.model.message import Message, MessageKind
from crmsdk.model.values import EMPTY, properties, text
from crmsdk.policy.answer import Decision
from crmsdk.ports import TemplateEngine
from crmsdk.runtime.dispatch import Dispatcher
from crmsdk.runtime.reaching import contact_facts, contact_request, template_values

__all__ = ["Preview", "check_filled", "check_template", "hand_made", "message_kind", "preview"]

_DAY = timedelta(days=1)


@attrs.frozen(kw_only=True)
class Preview:
    """What a message would be, and whether it would go out now.

    Attributes:
        channel: The channel it is shown for.
        content: The final text, as ``EmailContent`` or ``ChatContent``.
        warnings: What a reader of it should know.
        decision: What the policy would say now.
    """

    channel: str
    content: Content
    warnings: tuple[str, ...]
    decision: Decision

    def __str__(self) -> str:  # type: ignore[explicit-override]  # typing has override from 3.12 on
        """Show the text, the warnings and the decision, for a terminal."""
        lines = [f"channel   {self.channel}"]
        for name, part in self.content.parts().items():
            lines.append(f"--- {name}")
            lines.append(part)
        lines.append("---")
        lines.extend(f"warning   {warning}" for warning in self.warnings)
        decision = self.decision
        lines.append(
            f"policy    {decision.outcome}"
            + (f" ({decision.reason})" if decision.reason else "")
            + (f" until {decision.until.isoformat()}" if decision.until else "")
        )
        return "\n".join(lines)


def message_kind(value: MessageKind | str) -> MessageKind:
    """Read the kind of a message that is asked for or told by hand.

    Raises:
        InputError: there is no such kind.
    """
    try:
        return MessageKind(value)
    except ValueError:
        kinds = ", ".join(MessageKind)
        raise InputError(f"is no kind of message; kinds are {kinds}", field="kind") from None


def check_template(engine: TemplateEngine, name: str) -> None:
    """Refuse a template that nobody wrote, where the engine can name its templates.

    Raises:
        UnknownName: there is none of that name.
    """
    known = engine.names()
    if known and text(name, "template") not in known:
        raise UnknownName("template", name, known, field="template", mend="write it first")


def check_filled(dispatcher: Dispatcher, person: Person, message: Message) -> None:
    """Refuse a message made by hand whose template no channel can fill in for the person as known now.

    Raises:
        TemplateError: a variable is missing; its key may be used again.
    """
    values = template_values(person.profile(message.due), message, dispatcher.links(message, person))
    fault: TemplateError | None = None
    for name in message.channels:
        if name in dispatcher.channels:
            try:
                dispatcher.templates.render(
                    message.template, name, locale=person.locale, values=values, kind=message.kind
                )
            except TemplateError as error:
                fault = fault or error
            else:
                return
    if fault is not None:
        raise fault


def hand_made(
    customer: CustomerId,
    template: str,
    via: str | Sequence[str],
    *,
    kind: str,
    key: str,
    now: datetime,
    secret: bytes,
    seed: bool = False,
    purpose: str = "",
    sender: str = "",
    topic: str = "",
    campaign: str = "",
    priority: int = 50,
    expires: timedelta = _DAY,
    values: Mapping[str, object] | None = None,
) -> Message:
    """Make a message that no journey asked for.

    Args:
        customer: Whom it is for.
        template, via, kind, purpose, sender, topic, campaign, priority, expires, values: As in ``Send``.
        key: Names it among the customer's messages for ever.
        now: UTC.
        secret: Key of message ids.
        seed: It goes to a seed list.

    Raises:
        InputError: no such kind, no channel, or a field of another kind.
    """
    if isinstance(priority, bool) or not isinstance(priority, int) or not 0 <= priority <= 100:
        raise InputError("is not between 0 and 100; 50 is usual", field="priority")
    return Message(
        id=MessageId(keyed_id(secret, ("hand", customer, text(key, "key")))),
        customer=customer,
        template=text(template, "template"),
        channels=_channels(via),
        kind=message_kind(kind),
        purpose=text(purpose, "purpose", empty=True) or kind,
        topic=text(topic, "topic", empty=True),
        campaign=text(campaign, "campaign", empty=True),
        sender=text(sender, "sender", empty=True),
        priority=priority,
        due=now,
        not_before=now,
        expires=_expiry(now, expires),
        payload=EMPTY if values is None else properties(values, "values"),
        seed=seed,
    )


def _channels(via: str | Sequence[str]) -> tuple[str, ...]:
    given = (via,) if isinstance(via, str) else tuple(via) if isinstance(via, Sequence) else ()
    if not given or not all(isinstance(name, str) and name for name in given):
        raise InputError("names no channel; give one as 'email', or several in order", field="via")
    return tuple(text(name, "via") for name in given)


def _expiry(now: datetime, span: timedelta) -> datetime:
    if not isinstance(span, timedelta) or span <= timedelta(0):
        raise InputError("is no positive span; give one as timedelta(days=1)", field="expires")
    try:
        return now + span
    except OverflowError:
        raise InputError("lies outside the years 1 to 9999; give a shorter span", field="expires") from None


async def preview(
    dispatcher: Dispatcher,
    person: Person,
    template: str,
    via: str | Sequence[str],
    *,
    kind: str,
    now: datetime,
    values: Mapping[str, object] | None = None,
    purpose: str = "",
    sender: str = "",
) -> Preview:
    """Render a template for a person and ask the policy, writing nothing.

    The channel shown is the one the policy would choose, else the first one asked for.

    Raises:
        TemplateError: no such template, or a variable is missing.
        InputError: none of the channels is configured.
    """
    message = hand_made(
        person.id,
        template,
        via,
        kind=kind,
        key="preview",
        now=now,
        secret=dispatcher.secret,
        purpose=purpose,
        sender=sender,
        values=values,
    )
    known = tuple(name for name in message.channels if name in dispatcher.channels)
    if not known:
        raise InputError(f"none of {', '.join(message.channels)} is configured", field="via")
    profile = person.profile(now)
    facts = contact_facts(
        person,
        profile,
        {name: dispatcher.channels[name] for name in known},
        now=now,
        secret=dispatcher.secret,
        active=dispatcher.active,
        zone=dispatcher.zone,
    )
    decision = await dispatcher.limiter.explain(contact_request(message, person, known), facts, at=now)
    channel = decision.channel or known[0]
    rendered = dispatcher.templates.render(
        template,
        channel,
        locale=person.locale,
        values=template_values(profile, message, dispatcher.links(message, person)),
        kind=message.kind,
    )
    return Preview(channel=channel, content=rendered.content, warnings=rendered.warnings, decision=decision)
