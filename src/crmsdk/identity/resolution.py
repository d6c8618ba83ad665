"""Which customer a set of identifiers means, decided without asking anybody.

A name that identifies (user id, e-mail, phone, id of another system) belongs to one person for ever. An
anonymous id belongs to a visitor until it comes together with such a name; then the visitor's history joins
the known person. The known person always stays, the visitor always goes. Two known people never become one
by a mere claim.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from crmsdk.errors import MergeRefused
from crmsdk.model.customer import Identifier
from crmsdk.model.ids import CustomerId

__all__ = ["Owner", "Resolution", "resolve"]


@attrs.frozen(kw_only=True)
class Owner:
    """A customer who owns an identifier already.

    Attributes:
        customer: Who.
        identified: Whether any of their names identifies a known person.
        created: When they were first seen, UTC.
    """

    customer: CustomerId
    identified: bool
    created: datetime

    @property
    def age(self) -> tuple[datetime, str]:
        """The oldest first; ties by id, so that every process decides alike."""
        return (self.created, self.customer)


@attrs.frozen(kw_only=True)
class Resolution:
    """Whom the identifiers mean.

    Attributes:
        customer: The customer; None for one to be made.
        adds: Identifiers to attach to the customer, in the order claimed.
        joins: Anonymous customers whose history becomes the customer's, oldest first.
    """

    customer: CustomerId | None
    adds: tuple[Identifier, ...] = ()
    joins: tuple[CustomerId, ...] = ()


def resolve(claims: Iterable[Identifier], owners: Mapping[Identifier, Owner]) -> Resolution:
    """Decide whom a set of identifiers means.

    An anonymous id that a known person owns and that another known person brings along is a shared device:
    it stays with its first owner, and nothing is merged.

    Args:
        claims: All names given at once, of one person.
        owners: Who owns which of them already; names nobody owns are left out.

    Raises:
        MergeRefused: two names that identify belong to two identified people.
    """
    names = tuple(dict.fromkeys(claims))
    known = sorted(
        {owners[name] for name in names if name.identifies and name in owners and owners[name].identified},
        key=lambda owner: owner.age,
    )
    if len(known) > 1:
        raise MergeRefused(known[0].customer, known[1].customer)
    everybody = sorted({owners[name] for name in names if name in owners}, key=lambda owner: owner.age)
    visitors = [owner for owner in everybody if not owner.identified]
    identifies = any(name.identifies for name in names)
    if known:
        chosen = known[0]
    elif visitors:
        chosen = visitors[0]
    elif everybody and not identifies:
        chosen = everybody[0]  # only anonymous ids, of known people: the oldest of them
    else:
        return Resolution(customer=None, adds=tuple(name for name in names if name not in owners))
    return Resolution(
        customer=chosen.customer,
        adds=tuple(name for name in names if name not in owners),
        joins=tuple(owner.customer for owner in visitors if owner.customer != chosen.customer),
    )
