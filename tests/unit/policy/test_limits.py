"""The meaning of a limit, against the plainest possible reading of it."""

from hypothesis import given
from hypothesis import strategies as st

from crmsdk.model.ids import MessageId
from crmsdk.policy.answer import Reason
from crmsdk.policy.limits import Fill, judge
from crmsdk.policy.record import Check, Contact, ContactState, field_index
from crmsdk.policy.rules import ContactField

NOW = 1_000
CHANNEL, SENDER = field_index(ContactField.CHANNEL), field_index(ContactField.SENDER)

moments = st.sampled_from([NOW + shift for shift in (-101, -100, -99, -60, -50, -49, -1, 0, 1, 50)])


@st.composite
def contacts(draw: st.DrawFn) -> list[Contact]:
    """Draw contacts in order, around the edges of windows."""
    found = draw(
        st.lists(
            st.tuples(moments, st.sampled_from(["email", "sms", "push"]), st.sampled_from(["a", "b"])),
            max_size=9,
        )
    )
    return [
        Contact(at, channel, "promo", "", sender, "", "", "", MessageId(f"m{n}"), 50, ContactState.SENT, 0, 1)
        for n, (at, channel, sender) in enumerate(sorted(found))
    ]


@st.composite
def checks(draw: st.DrawFn) -> Check:
    """Draw a check with up to two filters."""
    distinct = draw(st.sampled_from([None, CHANNEL]))
    since = draw(st.sampled_from([None, None, NOW - 50]))
    values = st.frozensets(st.sampled_from(["email", "sms", "push"]), min_size=1)
    filters = draw(
        st.lists(
            st.one_of(
                st.tuples(st.just(CHANNEL), values), st.tuples(st.just(SENDER), st.just(frozenset({"a"})))
            ),
            max_size=2,
            unique_by=lambda each: each[0],
        )
    )
    return Check(
        rule="r",
        reason=Reason.CAPPED if distinct is None else Reason.DISTINCT,
        limit=draw(st.integers(1, 4)),
        window=0 if since is not None and distinct is None else draw(st.sampled_from([1, 50, 100])),
        since=since if distinct is None else None,
        ends=NOW + 7,
        filters=tuple(filters),
        distinct=distinct,
        value=draw(st.sampled_from(["email", "sms"])) if distinct is not None else "",
    )


def _used(history: list[Contact], check: Check, now: int) -> int | None:
    """Count as the sentence says: how many, or None where the check holds."""
    bound = check.bound(now)
    counted = [
        each
        for each in history
        if each.at > bound and all(each[index] in allowed for index, allowed in check.filters)
    ]
    if check.distinct is None:
        return len(counted) if len(counted) >= check.limit else None
    values = {each[check.distinct] for each in counted}
    return len(values) if check.value not in values and len(values) >= check.limit else None


@given(contacts(), st.lists(checks(), max_size=4))
def test_judge_counts_as_the_sentence_says(history: list[Contact], asked: list[Check]) -> None:
    expected = [(check, used) for check in asked if (used := _used(history, check, NOW)) is not None]
    assert [(fill.check, fill.used) for fill in judge(history, asked, now=NOW)] == expected


@given(contacts(), checks())
def test_until_is_the_first_moment_at_which_the_check_holds(history: list[Contact], check: Check) -> None:
    for fill in judge(history, [check], now=NOW):
        assert fill.until > NOW
        if check.since is None:
            assert judge(history, [check], now=fill.until) == ()
            assert judge(history, [check], now=fill.until - 1) != ()
        else:
            assert fill.until == check.ends


@given(contacts(), checks())
def test_contacts_of_a_fill_are_those_counted_in_order(history: list[Contact], check: Check) -> None:
    for fill in judge(history, [check], now=NOW):
        assert isinstance(fill, Fill)
        assert list(fill.contacts) == [each for each in history if each in fill.contacts]
        assert len(fill.contacts) >= check.limit
        assert all(each.at > check.bound(NOW) for each in fill.contacts)
