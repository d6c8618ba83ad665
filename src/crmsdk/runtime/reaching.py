"""What the policy and the templates must know of one person: zones, addresses, consents, activity, values."""

from collections.abc import Callable, Mapping
from datetime import datetime

from crmsdk.journeys.person import Person
from crmsdk.model.address import Address
from crmsdk.model.customer import Customer, IdentifierKind
from crmsdk.model.ids import keyed_id
from crmsdk.model.message import Message
from crmsdk.model.values import Value
from crmsdk.model.zones import candidates
from crmsdk.policy.request import ContactFacts, ContactRequest
from crmsdk.ports import Channel
from crmsdk.segments.evaluating import holds
from crmsdk.segments.grammar import Predicate

__all__ = ["address_hash", "contact_facts", "contact_request", "template_values"]


def address_hash(secret: bytes, channel: str, address: Address) -> str:
    """Hash an address under the application's key: what suppression keeps instead of the address."""
    return keyed_id(secret, ("address", channel, address.value))


def contact_facts(
    person: Person,
    profile: Customer,
    channels: Mapping[str, Channel],
    *,
    now: datetime,
    secret: bytes,
    active: Predicate | None,
    zone: str,
    broken: Callable[[str, Exception], None] | None = None,
) -> ContactFacts:
    """Gather what the policy must know of a person.

    Args:
        person: As stored.
        profile: The person as of ``now``.
        channels: Those that are asked for, by name.
        now: UTC.
        secret: Key under which addresses are hashed for suppression.
        active: Who counts as active; None when there is no source of activity.
        zone: IANA zone of people whose zone is unknown, for ``active``.
        broken: Told the channel and the error where a channel cannot be asked, which reaches nobody then;
            None to let the error through.
    """
    addresses: dict[str, str] = {}
    for name, channel in channels.items():
        try:
            address = channel.address_of(profile)
        except Exception as error:  # a stranger's channel must not stop the messages of others
            if broken is None:
                raise
            broken(name, error)
            continue
        if address is not None:
            addresses[name] = address_hash(secret, name, address)
    return ContactFacts(
        zones=_zones(profile),
        consents=person.facts.consents,
        addresses=addresses,
        active=None if active is None else holds(active, person.facts, now, zone=zone),
    )


def _zones(profile: Customer) -> tuple[str, ...]:
    if profile.zone is not None:
        return (profile.zone,)
    phone = next((one.value for one in profile.identifiers if one.kind is IdentifierKind.PHONE), None)
    country = profile.attributes.get("country")
    return candidates(phone, country if isinstance(country, str) else None)


def contact_request(message: Message, person: Person, channels: tuple[str, ...]) -> ContactRequest:
    """Put a message into the words of the policy."""
    return ContactRequest(
        message_id=message.id,
        customer=message.customer,
        channels=channels,
        kind=message.kind,
        purpose=message.purpose,
        sender=message.sender,
        journey=message.journey,
        campaign=message.campaign,
        topic=message.topic,
        audience=person.audience,
        priority=message.priority,
        expires=message.expires,
    )


def template_values(profile: Customer, message: Message, links: Mapping[str, str]) -> dict[str, Value]:
    """Gather what a template may show: attributes, over them the message's payload, over them the links."""
    return {**profile.attributes, **message.payload, **links}
