"""Zone, locale, account, kinds of addresses: logged like attributes, so late and repeated news do no harm."""

from datetime import datetime

import attrs

from crmsdk.journeys.person import Person
from crmsdk.journeys.stimuli import Wrote
from crmsdk.model.customer import ACCOUNT, HAS, LOCALE, ZONE, AttributeWrite, IdentifierKind
from crmsdk.model.ids import AccountId, EventId
from crmsdk.model.values import Value

__all__ = ["logged", "profiled"]


_ADDRESSES = frozenset({IdentifierKind.EMAIL, IdentifierKind.PHONE})


def logged(entry: Wrote) -> tuple[AttributeWrite, ...]:
    """Give what is to be added to the attribute log, profile and kinds of addresses included."""
    said: dict[str, Value] = {ZONE: entry.zone, LOCALE: entry.locale, ACCOUNT: entry.account}
    said |= {f"{HAS}{new.kind}": True for new in entry.identifiers if new.kind in _ADDRESSES}
    return (
        *entry.attributes,
        *(
            AttributeWrite(name=name, value=value, at=entry.at, id=EventId(entry.id))
            for name, value in said.items()
            if value is not None
        ),
    )


def profiled(person: Person, now: datetime) -> Person:
    """Give the person with the zone, locale and account that the log holds as of ``now``."""

    def last(name: str, otherwise: str | None) -> Value:
        return person.facts.attribute(name, now) or otherwise

    zone, locale, account = (
        last(ZONE, person.facts.zone),
        last(LOCALE, person.locale),
        last(ACCOUNT, person.account),
    )
    if (zone, locale, account) == (person.facts.zone, person.locale, person.account):
        return person
    return attrs.evolve(
        person,
        facts=attrs.evolve(person.facts, zone=None if zone is None else str(zone)),
        locale=None if locale is None else str(locale),
        account=None if account is None else AccountId(str(account)),
    )
