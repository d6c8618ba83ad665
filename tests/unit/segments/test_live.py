"""Memberships kept up as facts come and time passes are those of the reference, to the microsecond."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import DefinitionError, InputError, NaiveMoment, UnknownName, UnknownZone
from crmsdk.model.customer import AttributeWrite
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.segments import _asked, live, meaning
from crmsdk.segments.grammar import Predicate, Segment
from crmsdk.segments.live import LiveSegments, MembershipChange
from crmsdk.segments.words import attr, did, everyone, prop, segment
from crmsdk.testing.draws import NOW, histories, moments, predicates

ANN, BOB = CustomerId("ann"), CustomerId("bob")
TICK, HOUR, DAY = timedelta(microseconds=1), timedelta(hours=1), timedelta(days=1)
MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
ZONE = "Europe/Berlin"

Arrival = tuple[datetime, Facts]
"""When facts come, and which."""


def bought(id: str, at: datetime, *, who: CustomerId = ANN, **properties: Any) -> Event:
    return Event(id=EventId(id), customer=who, name="buy", at=at, received=at, properties=properties)


@st.composite
def arrivals(draw: st.DrawFn) -> list[Arrival]:
    """Draw how the facts of a person come in: in any order, one or several at a time."""
    facts = draw(histories(size=10))
    pieces: list[Facts] = [
        *(Facts(customer=ANN, events=(event,)) for event in facts.events),
        *(Facts(customer=ANN, attributes=(write,)) for write in facts.attributes),
        *(Facts(customer=ANN, consents=(entry,)) for entry in facts.consents),
        *([Facts(customer=ANN, zone=facts.zone)] if facts.zone else []),
    ]
    shuffled = draw(st.permutations(pieces))
    return list(zip(sorted(draw(moments()) for _ in shuffled), shuffled, strict=True))


def joined(facts: Facts, more: Facts) -> Facts:
    return attrs.evolve(
        facts.with_events(more.events).with_attributes(more.attributes),
        consents=(*facts.consents, *more.consents),
        zone=more.zone or facts.zone,
    )


def take(live: LiveSegments, now: datetime, new: Facts) -> list[MembershipChange]:
    return live.take(
        new.customer,
        now=now,
        events=new.events,
        attributes=new.attributes,
        consents=new.consents,
        zone=new.zone,
    )


def truly(segments: Sequence[Segment], facts: Facts, now: datetime) -> frozenset[str]:
    return frozenset(
        one.name for one in segments if meaning.evaluate(one.predicate, facts, now, zone=ZONE).matched
    )


def follow(
    segments: Sequence[Segment], coming: Sequence[Arrival], looks: Sequence[datetime]
) -> Iterator[tuple[LiveSegments, Facts, datetime, list[MembershipChange]]]:
    """Feed facts and let time pass; give what is known and told after each."""
    kept = LiveSegments(segments, zone=ZONE)
    facts, steps = Facts(customer=ANN), [(at, new) for at, new in coming] + [(at, None) for at in looks]
    seen = False
    for now, new in sorted(steps, key=lambda step: (step[0], step[1] is None)):
        if new is None:
            changes = kept.advance(now) if seen else []
        else:
            changes, facts, seen = take(kept, now, new), joined(facts, new), True
        if seen:
            yield kept, facts, now, changes


def assert_followed(
    segments: Sequence[Segment], coming: Sequence[Arrival], looks: Sequence[datetime]
) -> None:
    told: set[str] = set()
    before = Facts(customer=ANN)
    for kept, facts, now, changes in follow(segments, coming, looks):
        assert kept.segments_of(ANN) == truly(segments, facts, now)
        assert [change.at for change in changes] == sorted(change.at for change in changes)
        for change in changes:
            assert (change.segment in told) is not change.entered
            told ^= {change.segment}
            if change.at < now:  # by time alone: exactly then
                assert (change.segment in truly(segments, before, change.at)) is change.entered
                assert (change.segment in truly(segments, before, change.at - TICK)) is not change.entered
        assert told == kept.segments_of(ANN)
        due = kept.next_wakeup()
        assert due is None or due > now
        before = facts


SEVERAL = st.lists(predicates(), min_size=1, max_size=6).map(
    lambda found: [Segment(f"s{place}", one) for place, one in enumerate(found)]
)
LOOKS = st.lists(moments(), max_size=6)


@given(SEVERAL, arrivals(), LOOKS)
def test_memberships_are_those_of_the_reference_at_every_moment(
    segments: list[Segment], coming: list[Arrival], looks: list[datetime]
) -> None:
    assert_followed(segments, coming, looks)


@given(SEVERAL, arrivals(), LOOKS)
def test_what_is_let_go_of_never_mattered(
    segments: list[Segment], coming: list[Arrival], looks: list[datetime]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live, "_SLACK", -1_000)  # it is trimmed at every step
        assert_followed(segments, coming, looks)


@given(SEVERAL, arrivals(), moments(), st.integers(0, 10))
def test_after_a_restart_nothing_is_lost_or_told_twice(
    segments: list[Segment], coming: list[Arrival], end: datetime, place: int
) -> None:
    def pieces(stop: int | None) -> tuple[LiveSegments, Facts, datetime, list[MembershipChange]]:
        steps = list(follow(segments, coming[:stop], []))
        kept, facts, now, _ = steps[-1]
        return kept, facts, now, [change for *_, changes in steps for change in changes]

    if not coming:
        return
    end = max(end, coming[-1][0])
    whole, _, _, told = pieces(None)
    told += whole.advance(end)
    part, facts, stopped, first = pieces(min(place, len(coming) - 1) + 1)
    again = LiveSegments(segments, zone=ZONE)
    rest = again.restore(facts, members=part.segments_of(ANN), as_of=stopped, now=stopped)
    for now, new in coming[min(place, len(coming) - 1) + 1 :]:
        rest += take(again, now, new)
    rest += again.advance(end)
    assert [*first, *rest] == told


@given(SEVERAL, arrivals(), moments(), moments())
def test_facts_that_came_during_an_outage_are_told_of_at_the_restart(
    segments: list[Segment], coming: list[Arrival], stopped: datetime, now: datetime
) -> None:
    stopped, now = min(stopped, now), max(stopped, now)
    facts = Facts(customer=ANN)
    for _, new in coming:
        facts = joined(facts, new)
    members = frozenset(one.name for one in segments[::2])
    again = LiveSegments(segments, zone=ZONE)
    changes = again.restore(facts, members=members, as_of=stopped, now=now)
    told = set(members)
    for change in changes:
        assert (change.segment in told) is not change.entered
        assert stopped < change.at <= now or change.at == now
        told ^= {change.segment}
    assert told == again.segments_of(ANN) == truly(segments, facts, now)


@pytest.mark.parametrize("fault", ["early", "late", "deaf"])
def test_a_broken_executor_is_caught(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    coming = [(MONDAY, Facts(customer=ANN, events=(bought("1", MONDAY),)))]
    coming += [(MONDAY + HOUR, Facts(customer=ANN, events=(bought("2", MONDAY + HOUR),)))]
    segments = [segment("two", did("buy").within(DAY).at_least(2)), segment("one", did("buy").within(DAY))]
    assert_followed(segments, coming, [MONDAY + 3 * DAY])
    real = _asked.answering

    def broken(question: Any) -> Any:
        answer = real(question)

        def wrong(facts: Facts, now: datetime, run: Any, zone: str) -> Any:
            matched, until = answer(facts, now, run, zone)
            shift = {"early": -TICK, "late": TICK}.get(fault)
            if fault == "deaf" and len(facts.events) > 1:
                return False, None
            return (matched or until is None, until + shift) if shift and until else (matched, until)

        return wrong

    monkeypatch.setattr("crmsdk.segments._shared.answering", broken)
    with pytest.raises(AssertionError):
        assert_followed(segments, coming, [MONDAY + DAY, MONDAY + DAY + HOUR, MONDAY + 3 * DAY])


# --------------------------------------------------------------------------------------- by hand


def told(changes: Sequence[MembershipChange]) -> list[tuple[str, str, datetime]]:
    return [(one.segment, "in" if one.entered else "out", one.at) for one in changes]


def test_somebody_enters_by_a_fact_and_leaves_by_time() -> None:
    kept = LiveSegments([segment("fresh", did("buy").within(DAY)), segment("all", everyone)])
    changes = kept.take(ANN, now=MONDAY, events=[bought("1", MONDAY)])
    assert told(changes) == [("fresh", "in", MONDAY), ("all", "in", MONDAY)]
    assert changes[0].cause == "1"
    assert kept.next_wakeup() == MONDAY + DAY
    assert kept.advance(MONDAY + DAY - TICK) == []
    changes = kept.advance(MONDAY + 5 * DAY)  # late, and yet told with its moment
    assert told(changes) == [("fresh", "out", MONDAY + DAY)]
    assert changes[0].cause == ""
    assert kept.next_wakeup() is None
    assert kept.counts() == {"fresh": 0, "all": 1}
    assert kept.members("all") == {ANN}


def test_changes_of_several_people_come_in_the_order_of_their_moments() -> None:
    kept = LiveSegments([segment("fresh", did("buy").within(DAY))])
    kept.take(ANN, now=MONDAY + HOUR, events=[bought("1", MONDAY + HOUR)])
    kept.take(BOB, now=MONDAY + HOUR, events=[bought("2", MONDAY, who=BOB)])
    assert [one.customer for one in kept.advance(MONDAY + 3 * DAY)] == [BOB, ANN]


def test_a_late_fact_changes_the_present_only() -> None:
    kept = LiveSegments([segment("sleeping", did("buy").last_at().more_than_ago(DAY))])
    kept.take(ANN, now=MONDAY, events=[bought("1", MONDAY - 3 * DAY)])
    assert kept.segments_of(ANN) == {"sleeping"}
    changes = kept.take(ANN, now=MONDAY + HOUR, events=[bought("0", MONDAY - HOUR)])
    assert told(changes) == [("sleeping", "out", MONDAY + HOUR)]


def test_a_fact_told_twice_counts_once() -> None:
    kept = LiveSegments([segment("two", did("buy").at_least(2))])
    one = bought("1", MONDAY)
    kept.take(ANN, now=MONDAY, events=[one, one])
    kept.take(ANN, now=MONDAY, events=[one])
    assert kept.segments_of(ANN) == frozenset()


def test_only_what_matters_is_kept() -> None:
    kept = LiveSegments(
        [
            segment("week", did("buy").within(7 * DAY).at_least(3)),
            segment("dear", did("buy").where(prop("amount") >= 10).at_least(2)),
            segment("city", attr("city") == "Moscow"),
        ]
    )
    for day in range(400):
        at = MONDAY + day * DAY
        written = AttributeWrite(name="city", value=f"town {day}", at=at, id=EventId(f"w{day}"))
        other = attrs.evolve(written, name="hobby")
        visit = attrs.evolve(bought(f"v{day}", at), name="visit")
        kept.take(ANN, now=at, events=[bought(f"e{day}", at, amount=day), visit], attributes=[written, other])
    facts = kept._people[ANN].facts  # what is kept shows nowhere else
    assert len(facts.events) + len(facts.attributes) <= 2 * (7 + 2 + 1) + 16
    assert {write.name for write in facts.attributes} == {"city"}
    assert kept.segments_of(ANN) == {"week", "dear"}


def test_a_clock_that_goes_back_is_not_followed() -> None:
    kept = LiveSegments([segment("fresh", did("buy").within(DAY))])
    kept.advance(MONDAY + HOUR)
    changes = kept.take(ANN, now=MONDAY, events=[bought("1", MONDAY)])
    assert told(changes) == [("fresh", "in", MONDAY + HOUR)]


def test_somebody_forgotten_is_in_nothing_and_never_told_of() -> None:
    kept = LiveSegments([segment("fresh", did("buy").within(DAY))])
    kept.take(ANN, now=MONDAY, events=[bought("1", MONDAY)])
    kept.forget(ANN)
    kept.forget(BOB)
    assert kept.advance(MONDAY + 2 * DAY) == []
    assert kept.segments_of(ANN) == frozenset()
    assert kept.counts() == {"fresh": 0}


def test_deeply_nested_segments_are_joined() -> None:
    deep: Predicate = did("buy")
    for place in range(300):
        deep = segment(f"s{place}", deep) if place % 2 else ~(deep & everyone)
    kept = LiveSegments([segment("deep", deep)])
    kept.take(ANN, now=MONDAY)
    expected = meaning.evaluate(did("buy"), Facts(customer=ANN), MONDAY).matched
    assert kept.segments_of(ANN) == (frozenset({"deep"}) if expected else frozenset())


def test_bad_input_is_refused_by_name() -> None:
    fresh = segment("fresh", did("buy").within(DAY))
    with pytest.raises(DefinitionError, match="fresh"):
        LiveSegments([fresh, fresh])
    with pytest.raises(DefinitionError, match="no segment"):
        LiveSegments([did("buy")])  # type: ignore[list-item]
    with pytest.raises(UnknownZone):
        LiveSegments([fresh], zone="Mars/Base")
    kept = LiveSegments([fresh])
    with pytest.raises(UnknownName, match="did you mean 'fresh'"):
        kept.members("frsh")
    with pytest.raises(UnknownName, match="segment"):
        kept.restore(Facts(customer=ANN), members=["old"], as_of=MONDAY, now=MONDAY)
    with pytest.raises(NaiveMoment):
        kept.advance(datetime(2026, 3, 2))  # noqa: DTZ001 - on purpose
    with pytest.raises(InputError, match="another customer"):
        kept.take(BOB, now=MONDAY, events=[bought("1", MONDAY)])
    with pytest.raises(UnknownZone):
        kept.take(ANN, now=NOW, zone="Mars/Base")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"events": ["visit"]}, "'events': holds str; give Event objects"),
        ({"events": "visit"}, "'events': holds str; give Event objects"),
        ({"events": bought("1", MONDAY)}, "'events': is Event; give a list of Event"),
        ({"attributes": {"city": "Minsk"}}, "'attributes': holds str; give AttributeWrite objects"),
        ({"consents": 3}, "'consents': is int; give a list of ConsentWrite"),
    ],
)
def test_what_is_no_fact_is_refused_before_anything_is_taken(given: Any, said: str) -> None:
    kept = LiveSegments([segment("all", everyone)])
    with pytest.raises(InputError, match=said):
        kept.take(ANN, now=MONDAY, **given)
    assert list(kept.members("all")) == []
