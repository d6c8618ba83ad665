"""Which customer a set of identifiers means, decided without asking anybody.

A name that identifies (user id, e-mail, phone, id of another system) belongs to one person for ever. An
anonymous id belongs to a visitor until it comes together with such a name; then the visitor's history joins
the known person. The known person always stays, the visitor always goes. Two known people never become one
by a mere claim. Of several visitors the oldest stays and, with a first identifying name, becomes known.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from crmsdk.errors import InputError, MergeRefused
from crmsdk.model.customer import Identifier, IdentifierKind
from crmsdk.model.ids import CustomerId

__all__ = ["Owner", "Resolution", "resolve"]


@attrs.frozen(kw_only=True)
class Owner:
    """A customer who owns an identifier already.

    Attributes:
        customer: Who.
        identified: Whether any of their names identifies a known person.
        created: When they were first seen, UTC.
        users: The application's user ids they own.
    """

    customer: CustomerId
    identified: bool
    created: datetime
    users: frozenset[str] = frozenset()

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

    A shared device: an anonymous id that one known person owns and that other names bring along stays with
    its first owner, and nothing is merged or moved. Its history is that person's, its next anonymous visit
    may be either's, and the second loses nothing: what they do under their own name is theirs. So a name
    that nobody owns makes a new customer rather than joining the owner of the device; to unite the two,
    claim a name of both.

    One person has one user id of the application. A new user id that brings along a name of a person who has
    another one is a second person who shares the address, or an error; it never makes two into one.

    Args:
        claims: All names given at once, of one person, any order.
        owners: Who owns which of them already; names nobody owns are left out.

    Raises:
        InputError: no name at all.
        MergeRefused: two names that identify belong to two identified people, or would give one person a
            second user id; names the older one first.
    """
    names = tuple(dict.fromkeys(claims))
    if not names:
        raise InputError("is empty; give at least one name of the person", field="identifiers")
    adds = tuple(name for name in names if name not in owners)
    known = _oldest_first(
        owners[name] for name in names if name.identifies and name in owners and owners[name].identified
    )
    if len(known) > 1:
        raise MergeRefused(known[0].customer, known[1].customer)
    everybody = _oldest_first(owners[name] for name in names if name in owners)
    visitors = [owner for owner in everybody if not owner.identified]
    if known:
        chosen = known[0]
        users = [name.value for name in adds if name.kind is IdentifierKind.USER]
        if users and chosen.users:
            raise MergeRefused(chosen.customer, users[0])
    elif any(name.identifies for name in names):
        if not visitors:
            return Resolution(customer=None, adds=adds)
        chosen = visitors[0]
    else:
        # Anonymous ids alone: a known person among their owners wins, as everywhere.
        behind = [owner for owner in everybody if owner.identified]
        if not everybody:
            return Resolution(customer=None, adds=adds)
        chosen = (behind or visitors)[0]
        if len(behind) > 1:
            visitors = []  # two known people: nobody can tell whose visitors they were
    joins = tuple(owner.customer for owner in visitors if owner.customer != chosen.customer)
    return Resolution(customer=chosen.customer, adds=adds, joins=joins)


def _oldest_first(owners: Iterable[Owner]) -> list[Owner]:
    return sorted({owner.customer: owner for owner in owners}.values(), key=lambda owner: owner.age)
