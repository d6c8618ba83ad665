"""Which customer a set of names means: the known person stays, visitors join, known people never merge."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import InputError, MergeRefused
from crmsdk.identity.resolution import Owner, Resolution, resolve
from crmsdk.model.customer import Identifier, IdentifierKind
from crmsdk.model.ids import CustomerId

DAY_ONE = datetime(2026, 1, 1, tzinfo=UTC)


def _user(value: str) -> Identifier:
    return Identifier(IdentifierKind.USER, value)


def _mail(value: str) -> Identifier:
    return Identifier(IdentifierKind.EMAIL, f"{value}@example.org")


def _anonymous(value: str) -> Identifier:
    return Identifier(IdentifierKind.ANONYMOUS, value)


def _owner(customer: str, *, identified: bool, day: int = 0) -> Owner:
    return Owner(customer=CustomerId(customer), identified=identified, created=DAY_ONE + timedelta(days=day))


ANN = _owner("ann", identified=True, day=3)
BOB = _owner("bob", identified=True, day=1)
FIRST_VISIT = _owner("visit-1", identified=False, day=0)
SECOND_VISIT = _owner("visit-2", identified=False, day=2)


def test_nobody_owns_the_names() -> None:
    names = (_user("u1"), _anonymous("x"))
    assert resolve(names, {}) == Resolution(customer=None, adds=names)


def test_one_known_person_gets_further_names() -> None:
    found = resolve((_user("u1"), _mail("ann"), _mail("ann")), {_user("u1"): ANN})
    assert found == Resolution(customer=ANN.customer, adds=(_mail("ann"),))


def test_t25_the_known_person_wins_and_the_visitor_joins() -> None:
    for names in ((_anonymous("x"), _user("u1")), (_user("u1"), _anonymous("x"))):
        found = resolve(names, {_user("u1"): ANN, _anonymous("x"): FIRST_VISIT})
        assert found == Resolution(customer=ANN.customer, joins=(FIRST_VISIT.customer,))


def test_t25_an_alias_of_two_existing_people_is_no_empty_act() -> None:
    found = resolve((_anonymous("x"), _anonymous("y")), {_anonymous("x"): FIRST_VISIT, _anonymous("y"): ANN})
    assert found == Resolution(customer=ANN.customer, joins=(FIRST_VISIT.customer,))


def test_a_visitor_with_a_first_identifying_name_becomes_known() -> None:
    found = resolve((_mail("ann"), _anonymous("x")), {_anonymous("x"): SECOND_VISIT})
    assert found == Resolution(customer=SECOND_VISIT.customer, adds=(_mail("ann"),))


def test_several_visitors_join_the_oldest() -> None:
    owners = {_anonymous("x"): SECOND_VISIT, _anonymous("y"): FIRST_VISIT}
    names = (_anonymous("x"), _anonymous("y"), _user("u1"))
    assert resolve(names, owners) == Resolution(
        customer=FIRST_VISIT.customer, adds=(_user("u1"),), joins=(SECOND_VISIT.customer,)
    )


def test_visitors_of_one_moment_join_by_id() -> None:
    one, other = _owner("b", identified=False), _owner("a", identified=False)
    found = resolve((_anonymous("x"), _anonymous("y")), {_anonymous("x"): one, _anonymous("y"): other})
    assert found == Resolution(customer=other.customer, joins=(one.customer,))


def test_t25_two_known_people_are_never_merged() -> None:
    with pytest.raises(MergeRefused) as caught:
        resolve((_user("u1"), _mail("bob")), {_user("u1"): ANN, _mail("bob"): BOB})
    assert (caught.value.first, caught.value.second) == ("bob", "ann")
    assert "example.org" not in str(caught.value)


def test_t25_a_shared_device_stays_with_its_first_owner() -> None:
    found = resolve((_user("u1"), _anonymous("x")), {_user("u1"): ANN, _anonymous("x"): BOB})
    assert found == Resolution(customer=ANN.customer)


def test_t25_a_new_person_on_a_shared_device_is_a_new_customer() -> None:
    found = resolve((_user("u9"), _anonymous("x")), {_anonymous("x"): BOB})
    assert found == Resolution(customer=None, adds=(_user("u9"),))


def test_a_name_of_both_unites_a_device_owner_and_a_new_name() -> None:
    found = resolve((_user("u9"), _mail("bob"), _anonymous("x")), {_mail("bob"): BOB, _anonymous("x"): BOB})
    assert found == Resolution(customer=BOB.customer, adds=(_user("u9"),))


def test_a_visit_on_a_known_device_is_its_owners() -> None:
    assert resolve((_anonymous("x"),), {_anonymous("x"): BOB}) == Resolution(customer=BOB.customer)


def test_devices_of_two_known_people_lead_to_the_older_and_join_nobody() -> None:
    owners = {_anonymous("x"): ANN, _anonymous("y"): BOB, _anonymous("z"): FIRST_VISIT}
    assert resolve(tuple(owners), owners) == Resolution(customer=BOB.customer)


def test_no_name_is_an_error() -> None:
    with pytest.raises(InputError, match="identifiers"):
        resolve((), {})


# --- laws ---------------------------------------------------------------------------------------------------

people = st.sampled_from([ANN, BOB, FIRST_VISIT, SECOND_VISIT])


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Identifier], dict[Identifier, Owner]]:
    """Draw names and owners, such that who owns an identifying name is identified."""
    names = draw(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=5, unique=True))
    claims = [draw(st.sampled_from([_user, _mail, _anonymous]))(name) for name in names]
    owners = {}
    for name in claims:
        if draw(st.booleans()):
            owners[name] = draw(st.sampled_from([ANN, BOB]) if name.identifies else people)
    return claims, owners


@given(worlds())
def test_t25_the_laws_of_resolution(world: tuple[list[Identifier], dict[Identifier, Owner]]) -> None:
    claims, owners = world
    known = {owner.customer for name, owner in owners.items() if name.identifies}
    if len(known) > 1:
        with pytest.raises(MergeRefused):
            resolve(claims, owners)
        return
    found = resolve(claims, owners)
    identified = {owner.customer for owner in owners.values() if owner.identified}
    assert not identified & set(found.joins)
    assert found.customer not in found.joins
    assert set(found.adds) == set(claims) - set(owners)
    if known:
        assert {found.customer} == known
    if found.customer is None:
        assert not found.joins
        assert all(owner.identified for owner in owners.values())
    else:
        assert found.customer in {owner.customer for owner in owners.values()}
    turned = resolve(reversed(claims), owners)
    assert (turned.customer, turned.joins, set(turned.adds)) == (found.customer, found.joins, set(found.adds))


@given(worlds())
def test_t25_the_same_claim_again_changes_nothing(
    world: tuple[list[Identifier], dict[Identifier, Owner]],
) -> None:
    claims, owners = world
    try:
        first = resolve(claims, owners)
    except MergeRefused:
        return
    customer = first.customer or CustomerId("new")
    before = {owner.customer: owner for owner in owners.values()}.get(customer)
    after = Owner(
        customer=customer,
        identified=any(name.identifies for name in first.adds) or (before is not None and before.identified),
        created=before.created if before else DAY_ONE,
    )
    gone = {customer, *first.joins}
    now_owned = {name: after if owner.customer in gone else owner for name, owner in owners.items()}
    now_owned.update(dict.fromkeys(first.adds, after))
    assert resolve(claims, now_owned) == Resolution(customer=customer)


def test_t25_a_second_user_id_never_slips_in_behind_a_shared_address() -> None:
    born = datetime(2026, 1, 1, tzinfo=UTC)
    email = Identifier("email", "family@shop.example")
    ann = Owner(customer=CustomerId("ann"), identified=True, created=born, users=frozenset({"ann"}))
    with pytest.raises(MergeRefused, match="'ann' and 'bob'"):
        resolve([Identifier("user", "bob"), email], {email: ann})
    visitor = Owner(customer=CustomerId("c-1"), identified=True, created=born)  # known by the address alone
    assert resolve([Identifier("user", "bob"), email], {email: visitor}).customer == "c-1"
