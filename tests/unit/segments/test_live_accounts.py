"""Segments about the people of accounts are kept up: memberships are the reference's at every moment."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import UnsupportedQuestion
from crmsdk.model.colleagues import Colleagues
from crmsdk.model.customer import ACCOUNT, AttributeWrite
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.segments import live, meaning
from crmsdk.segments.grammar import Segment
from crmsdk.segments.live import LiveSegments, MembershipChange
from crmsdk.segments.words import account, did, points, prop, score, segment
from crmsdk.testing.account_draws import account_predicates, people_of_accounts
from crmsdk.testing.draws import NOW, moments
from tests.unit.segments.test_live import TICK, ZONE, Arrival, joined, take, told

ANN, BOB, CEM = CustomerId("ann"), CustomerId("bob"), CustomerId("cem")
DAY = timedelta(days=1)
Known = dict[CustomerId, Facts]


@st.composite
def arrivals(draw: st.DrawFn) -> list[Arrival]:
    """Draw how the facts of several people come in: in any order."""
    pieces: list[Facts] = []
    for facts in draw(people_of_accounts(3)):
        who = facts.customer
        pieces += [Facts(customer=who, events=(event,)) for event in facts.events]
        pieces += [Facts(customer=who, attributes=(write,)) for write in facts.attributes]
        pieces += [Facts(customer=who, consents=(entry,)) for entry in facts.consents]
        pieces += [Facts(customer=who, zone=facts.zone)] if facts.zone else []
    shuffled = draw(st.permutations(pieces))
    return list(zip(sorted(draw(moments()) for _ in shuffled), shuffled, strict=True))


SEVERAL = st.lists(account_predicates(), min_size=1, max_size=3).map(
    lambda found: [Segment(f"s{place}", one) for place, one in enumerate(found)]
)


def truly(segments: Sequence[Segment], known: Known, who: CustomerId, now: datetime) -> frozenset[str]:
    facts = Colleagues(known.values()).beside(known[who])
    return frozenset(
        one.name for one in segments if meaning.evaluate(one.predicate, facts, now, zone=ZONE).matched
    )


def assert_followed(
    segments: Sequence[Segment], coming: Sequence[Arrival], looks: Sequence[datetime]
) -> None:
    kept, known = LiveSegments(segments, zone=ZONE), Known()
    seen: set[tuple[CustomerId, str]] = set()

    def follow(changes: list[MembershipChange], before: Known, now: datetime) -> None:
        assert [change.at for change in changes] == sorted(change.at for change in changes)
        for change in changes:
            pair = (change.customer, change.segment)
            assert (pair in seen) is not change.entered
            seen.symmetric_difference_update({pair})
            if change.at < now:  # by time alone: exactly then
                for at, holds in ((change.at, change.entered), (change.at - TICK, not change.entered)):
                    assert (change.segment in truly(segments, before, change.customer, at)) is holds

    steps = sorted([*coming, *((at, None) for at in looks)], key=lambda step: (step[0], step[1] is None))
    for now, new in steps:
        before = dict(known)
        if new is not None:
            known[new.customer] = joined(known.get(new.customer, Facts(customer=new.customer)), new)
            follow(take(kept, now, new), before, now)
            assert kept.segments_of(new.customer) == truly(segments, known, new.customer, now)
        follow(kept.advance(now), before, now)
        for who in known:
            assert kept.segments_of(who) == truly(segments, known, who, now)
            assert kept.segments_of(who) == {name for other, name in seen if other == who}
        due = kept.next_wakeup()
        assert due is None or due > now


@given(SEVERAL, arrivals(), st.lists(moments(), max_size=4))
def test_memberships_are_those_of_the_reference_at_every_moment(
    segments: list[Segment], coming: list[Arrival], looks: list[datetime]
) -> None:
    assert_followed(segments, coming, looks)


@given(SEVERAL, arrivals())
def test_what_is_let_go_of_never_mattered(segments: list[Segment], coming: list[Arrival]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live, "_SLACK", -1_000)  # it is trimmed at every step
        assert_followed(segments, coming, [])


@given(SEVERAL, arrivals(), moments(), moments())
def test_a_restart_of_everybody_tells_what_changed_since(
    segments: list[Segment], coming: list[Arrival], one: datetime, two: datetime
) -> None:
    stopped, now = min(one, two), max(one, two)
    known = Known()
    for _, new in coming:
        known[new.customer] = joined(known.get(new.customer, Facts(customer=new.customer)), new)
    members = frozenset(one.name for one in segments[::2])
    again = LiveSegments(segments, zone=ZONE)
    changes = again.restore_all([(facts, members) for facts in known.values()], as_of=stopped, now=now)
    seen = {(who, name) for who in known for name in members}
    for change in changes:
        assert ((change.customer, change.segment) in seen) is not change.entered
        assert stopped < change.at <= now or change.at == now
        seen ^= {(change.customer, change.segment)}
    assert again.advance(now) == []
    for who in known:
        assert again.segments_of(who) == truly(segments, known, who, now)
        assert again.segments_of(who) == {name for other, name in seen if other == who}


# --- by hand ----------------------------------------------------------------------------------------------


def works(at: datetime, where: str | None = "acme", id: str = "a") -> AttributeWrite:
    return AttributeWrite(name=ACCOUNT, value=where, at=at, id=EventId(id))


def bought(who: CustomerId, at: datetime, **properties: int) -> Event:
    id = EventId(f"{who}{at}")
    return Event(id=id, customer=who, name="buy", at=at, received=at, properties=properties)


OTHER = segment("other", account.others.any(did("buy").within(DAY)))


def joined_by(*people: CustomerId, segments: Sequence[Segment] = (OTHER,)) -> LiveSegments:
    kept = LiveSegments(segments)
    for who in people:
        kept.take(who, now=NOW, attributes=[works(NOW)])
    return kept


def brief(changes: Sequence[MembershipChange]) -> list[tuple[str, str, datetime]]:
    return [(one.customer, way, at) for one, (_, way, at) in zip(changes, told(changes), strict=True)]


def test_news_of_one_are_told_of_the_others() -> None:
    kept = joined_by(ANN, BOB, CEM)
    changes = kept.take(BOB, now=NOW, events=[bought(BOB, NOW)])
    assert brief(changes) == [("ann", "in", NOW), ("cem", "in", NOW)]
    assert {one.cause for one in changes} == {f"bob{NOW}"}
    assert kept.next_wakeup() == NOW + DAY
    assert brief(kept.advance(NOW + 5 * DAY)) == [("ann", "out", NOW + DAY), ("cem", "out", NOW + DAY)]


def test_time_that_passed_is_told_before_the_news() -> None:
    kept = joined_by(ANN, BOB)
    kept.take(BOB, now=NOW, events=[bought(BOB, NOW)])
    later = NOW + 3 * DAY
    changes = kept.take(BOB, now=later, events=[bought(BOB, later)])
    assert brief(changes) == [("ann", "out", NOW + DAY), ("ann", "in", later)]


def test_who_leaves_the_account_takes_the_news_along() -> None:
    kept = joined_by(ANN, BOB)
    kept.take(BOB, now=NOW, events=[bought(BOB, NOW)])
    changes = kept.take(BOB, now=NOW + TICK, attributes=[works(NOW + TICK, None, "b")])
    assert brief(changes) == [("ann", "out", NOW + TICK)]
    changes = kept.take(BOB, now=NOW + 2 * TICK, attributes=[works(NOW + 2 * TICK, "acme", "c")])
    assert brief(changes) == [("ann", "in", NOW + 2 * TICK)]


def test_who_is_forgotten_counts_no_more_when_time_goes_on() -> None:
    kept = joined_by(ANN, BOB)
    kept.take(BOB, now=NOW, events=[bought(BOB, NOW)])
    kept.forget(BOB)
    assert kept.next_wakeup() == NOW
    assert brief(kept.advance(NOW + TICK)) == [("ann", "out", NOW)]
    assert kept.next_wakeup() is None


def test_everybody_is_taken_up_again_together() -> None:
    kept = LiveSegments([OTHER])
    people = [
        Facts(customer=who).with_events([bought(who, NOW)]).with_attributes([works(NOW)])
        for who in (ANN, BOB)
    ]
    with pytest.raises(UnsupportedQuestion, match="give everybody to restore_all"):
        kept.restore(people[0], members=[], as_of=NOW, now=NOW)
    changes = kept.restore_all([(each, ["other"]) for each in people], as_of=NOW, now=NOW + 2 * DAY)
    assert brief(changes) == [("ann", "out", NOW + DAY), ("bob", "out", NOW + DAY)]
    late = Facts(customer=CEM).with_events([bought(CEM, NOW + 2 * DAY)]).with_attributes([works(NOW)])
    kept.restore_all([(late, [])], as_of=NOW + 2 * DAY, now=NOW + 2 * DAY)
    assert [one.customer for one in kept.advance(NOW + 2 * DAY)] == [ANN, BOB]


def test_questions_inside_of_a_score_are_kept_up_too() -> None:
    kept = joined_by(ANN, BOB, segments=[segment("hot", score(points(3, when=OTHER)) >= 3)])
    assert brief(kept.take(BOB, now=NOW, events=[bought(BOB, NOW)])) == [("ann", "in", NOW)]


def test_only_what_matters_is_kept_of_everybody() -> None:
    asked = [
        segment("sum", account.sum(did("buy").where(prop("n") > 1).within(3 * DAY), "n") > 5),
        segment("two", account.count(did("buy").within(7 * DAY).at_least(2)) >= 2),
    ]
    kept = joined_by(ANN, BOB, segments=asked)
    for day in range(200):
        for who in (ANN, BOB):
            at = NOW + day * DAY
            kept.take(who, now=at, events=[bought(who, at, n=2)])
    assert kept.segments_of(ANN) == kept.segments_of(BOB) == {"sum", "two"}
    assert len(kept._people[ANN].facts.events) <= 2 * 8 + 16  # what is kept shows nowhere else


@pytest.mark.parametrize("fault", ["deaf", "stale", "blind"])
def test_a_broken_executor_is_caught(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    coming = [(NOW, Facts(customer=who, attributes=(works(NOW),))) for who in (ANN, BOB)]
    coming += [(NOW + DAY, Facts(customer=BOB, events=(bought(BOB, NOW + DAY),)))]
    assert_followed([OTHER], coming, [NOW + 3 * DAY])
    if fault == "deaf":
        monkeypatch.setattr(LiveSegments, "_near", lambda *_: [])
    elif fault == "stale":
        monkeypatch.setattr(
            LiveSegments, "_know", lambda kept, facts: None if facts.events else kept._colleagues.put(facts)
        )
    else:
        monkeypatch.setattr(LiveSegments, "_know", lambda *_: None)
    with pytest.raises(AssertionError):
        assert_followed([OTHER], coming, [NOW + 3 * DAY])
