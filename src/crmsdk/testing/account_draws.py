"""Strategies for questions about the people of an account, and for people who share and leave accounts."""

from hypothesis import strategies as st

from crmsdk.model.colleagues import Colleagues
from crmsdk.model.comparison import Op
from crmsdk.model.customer import ACCOUNT, AttributeWrite
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.model.money import Money
from crmsdk.model.values import Value
from crmsdk.segments.accounts import AccountAll, AccountCount, AccountSum
from crmsdk.segments.grammar import Predicate
from crmsdk.testing._edges import moments, occurrences
from crmsdk.testing.draws import histories, predicates

__all__ = ["ACCOUNTS", "account_predicates", "account_questions", "people_of_accounts", "shared_accounts"]

ACCOUNTS: tuple[Value, ...] = ("acme", "acme", "acme", "é", "e\u0301", 7, "7", None, True, "")
"""What is written as somebody's account: mostly the same, at times none."""

_NAMES = ("ann", "bob", "cem", "dan")


@st.composite
def people_of_accounts(draw: st.DrawFn, size: int = 4) -> tuple[Facts, ...]:
    """Draw the facts of a few people, who mostly share an account, at most ``size`` of them."""
    people = []
    for name in _NAMES[: draw(st.integers(1, size))]:
        facts = draw(histories(CustomerId(name), size=4))
        accounts = draw(st.lists(st.tuples(st.sampled_from(ACCOUNTS), moments()), min_size=1, max_size=3))
        people.append(
            facts.with_attributes(
                AttributeWrite(name=ACCOUNT, value=value, at=at, id=EventId(f"account{number}"))
                for number, (value, at) in enumerate(accounts)
            )
        )
    return tuple(people)


def shared_accounts(size: int = 4) -> st.SearchStrategy[Facts]:
    """Draw the facts of a person with those of the colleagues."""
    return people_of_accounts(size).map(lambda people: Colleagues(people).beside(people[0]))


_NUMBERS = st.one_of(
    st.tuples(st.sampled_from((Op.EQ, Op.LT, Op.LE, Op.GT, Op.GE)), st.integers(0, 3)),
    st.tuples(st.just(Op.BETWEEN), st.sampled_from(((0, 1), (1, 2), (2, 3)))),
)
_SUMS: st.SearchStrategy[tuple[Op, Value]] = st.one_of(
    st.tuples(
        st.sampled_from((Op.EQ, Op.LT, Op.LE, Op.GT, Op.GE)),
        st.sampled_from((0, 1, 3, 2.5, 0.3, Money(1, "RUB"), Money(3, "RUB"), Money(0, "USD"))),
    ),
    st.tuples(st.just(Op.BETWEEN), st.sampled_from(((1, 4), (Money(1, "RUB"), Money(4, "RUB"))))),
)


@st.composite
def account_questions(draw: st.DrawFn) -> Predicate:
    """Draw one question about the people of an account."""
    others = draw(st.booleans())
    match draw(st.integers(0, 4)):
        case 0 | 1:
            op, number = draw(_NUMBERS)
            return AccountCount(draw(predicates(max_leaves=2)), op, number, others=others)
        case 2:
            return AccountAll(draw(predicates(max_leaves=2)), others=others)
        case _:
            op, asked = draw(_SUMS)
            prop = draw(st.sampled_from(("amount", "amount", "qty", "cart.id")))
            return AccountSum(draw(occurrences()), prop, op, asked, others=others)


def account_predicates() -> st.SearchStrategy[Predicate]:
    """Draw questions about the people of an account, joined with each other and with others."""

    def joined(parts: st.SearchStrategy[Predicate]) -> st.SearchStrategy[Predicate]:
        return st.one_of(
            st.builds(lambda left, right: left & right, parts, predicates(max_leaves=1)),
            st.builds(lambda left, right: left | right, parts, parts),
            parts.map(lambda part: ~part),
        )

    return st.recursive(account_questions(), joined, max_leaves=3)
