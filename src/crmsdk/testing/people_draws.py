"""Strategies for questions about the person beyond current values."""

from hypothesis import strategies as st

from crmsdk.model.customer import LIST
from crmsdk.model.values import Value
from crmsdk.segments.grammar import Predicate
from crmsdk.segments.people import AttrChanged, AttrHeld, Bucket
from crmsdk.segments.words import in_list
from crmsdk.testing._edges import SCALARS, spans

__all__ = ["PLANS", "VIP", "people_questions"]

VIP = f"{LIST}vip"
"""The attribute of the list that questions ask for."""

PLANS: tuple[Value, ...] = ("pro", "free", "pro", None)
"""Values of the attribute ``plan``, few, so that the same is often written twice."""

_NAMES = ("plan", "plan", "plan", "city", "address.city", VIP)
_ASKED: tuple[Value, ...] = ("pro", "pro", "free", True, 1, *SCALARS)
_BOUNDS = (0, 1, 3388, 3389, 5000, 10_000)  # the lot of ann by welcome-2026 is 3388


def _buckets() -> st.SearchStrategy[Bucket]:
    pairs = st.lists(st.sampled_from(_BOUNDS), min_size=2, max_size=2, unique=True).map(sorted)
    salts = st.sampled_from(["welcome-2026", "соль"])
    return st.builds(lambda salt, pair: Bucket(salt, *pair), salts, pairs)


def people_questions() -> st.SearchStrategy[Predicate]:
    """Draw a question about the past of an attribute, a bucket or a list."""
    names = st.sampled_from(_NAMES)
    return st.one_of(
        st.builds(AttrChanged, names, spans()),
        st.builds(AttrHeld, names, st.sampled_from(_ASKED), spans()),
        _buckets(),
        st.just(in_list("vip")),
    )
