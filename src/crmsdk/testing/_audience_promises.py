"""Promises of the port Audience: the reference's answer, from tables, about everybody at once."""

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import ClassVar, Final

import pytest
from hypothesis import settings

from crmsdk.errors import AudienceError, DefinitionError, NaiveMoment, TooManyRows, UnsupportedQuestion
from crmsdk.model.customer import ACCOUNT, AttributeWrite
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.ports import Audience
from crmsdk.segments.conditions import Predicate, Segment
from crmsdk.segments.words import account, attr, consent, did, everyone, nobody, prop
from crmsdk.testing._audience_draws import Asked, all_questions, drawn_questions
from crmsdk.testing._sealed import SealedSuite
from crmsdk.testing.draws import NOW
from crmsdk.testing.populations import population

__all__ = ["AudiencePromises"]

_TICK: Final = timedelta(microseconds=1)
_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)
_EACH: Final = 6
_MOST: Final = 2_400
_FEW: Final = 100
_HOSTILE: Final = (
    "'",
    '"',
    "`",
    "\\",
    "\\'",
    "'; DROP TABLE people; --",
    "%",
    "_",
    "/* ",
    "\n",
    "$1",
    "{",
    "?",
    "é",
)


def _event(customer: str, at: datetime, id: str, **properties: object) -> Event:
    return Event(
        id=EventId(f"{customer}-{id}"),
        customer=CustomerId(customer),
        name="visit",
        at=at,
        received=at,
        properties=properties,
    )


def _person(customer: str, *events: Event, **attributes: object) -> Facts:
    facts = Facts(customer=CustomerId(customer)).with_events(events)
    return facts.with_attributes(
        AttributeWrite(name=name, value=value, at=NOW, id=EventId(name))  # type: ignore[arg-type]  # plain values
        for name, value in attributes.items()
    )


class AudiencePromises(SealedSuite):
    """What an audience promises.

    Attributes:
        examples: A sixth of the number of random questions; None for the profile's number. Below a hundred,
            every fourth of the questions about kinds of values is asked.
        refuses: Kinds of nodes the executor cannot ask, by their names in definitions; it must refuse them.
    """

    examples: ClassVar[int | None] = None
    refuses: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def open_audience(self, facts: Sequence[Facts], *, max_rows: int = 1_000_000) -> Audience:
        """Give an audience of these people, one that refuses to name more than so many of them."""

    # --- the answer is the reference's ------------------------------------------------------------------

    def test_random_questions_are_answered_as_the_reference_answers(self) -> None:
        number = min(_EACH * (self.examples or settings().max_examples), _MOST)
        with closing(self.open_audience(population(7))) as audience:
            for asked in drawn_questions(number):
                self._compare(audience, asked)

    def test_every_comparison_with_every_kind_of_value(self) -> None:
        few = (self.examples or settings().max_examples) < _FEW
        with closing(self.open_audience(population(7, 120))) as audience:
            for asked in all_questions(4 if few else 1):
                self._compare(audience, asked)

    def _compare(self, audience: Audience, asked: Asked) -> None:
        kept = list(zip(asked.segments, map(list, asked.members), strict=True))
        if self._refused(audience, asked.segments, asked.at):
            kept = [each for each in kept if not self._refused(audience, [each[0]], asked.at)]
        if not kept:
            return
        found = audience.memberships([segment for segment, _ in kept], at=asked.at)
        for segment, members in kept:
            assert sorted(found.members(segment.name)) == members, (segment, asked.at)
        first, members = kept[0]
        assert list(audience.members(first, at=asked.at)) == members, (first, asked.at)
        assert audience.count(first, at=asked.at) == len(members), (first, asked.at)

    def _refused(self, audience: Audience, segments: Sequence[Segment], at: datetime) -> bool:
        if not self.refuses:
            return False
        try:
            audience.memberships(segments, at=at)
        except UnsupportedQuestion as error:
            assert error.node in self.refuses
            return True
        return False

    def test_windows_begin_and_end_to_the_microsecond(self) -> None:
        people = [
            _person("inside", _event("inside", NOW - _DAY + _TICK, "1")),
            _person("left", _event("left", NOW - _DAY, "1")),
            _person("now", _event("now", NOW, "1")),
            _person("future", _event("future", NOW + _TICK, "1")),
        ]
        with closing(self.open_audience(people)) as audience:
            assert list(audience.members(did("visit").within(_DAY), at=NOW)) == ["inside", "now"]
            assert list(audience.members(did("visit"), at=NOW)) == ["inside", "left", "now"]
            assert list(audience.members(did("visit").between(NOW, NOW + _TICK), at=NOW)) == ["now"]
            assert list(audience.members(did("visit").last_at().more_than_ago(_DAY), at=NOW)) == ["left"]
            assert audience.count(did("visit"), at=NOW + _TICK) == 4

    def test_a_complement_holds_for_everybody_else(self) -> None:
        people = [
            _person("none"),
            _person("other", city="Perm"),
            _person("same", city="Moscow"),
            _person("odd", city=1),
        ]
        with closing(self.open_audience(people)) as audience:
            assert list(audience.members(attr("city") != "Moscow", at=NOW)) == ["none", "odd", "other"]
            assert list(audience.members(~(attr("age") > 3), at=NOW)) == ["none", "odd", "other", "same"]
            assert list(audience.members(~did("visit"), at=NOW)) == ["none", "odd", "other", "same"]
            assert list(audience.members(consent("email", "promo", state="unknown") & ~nobody, at=NOW)) == [
                "none",
                "odd",
                "other",
                "same",
            ]

    def test_events_of_one_moment_are_ordered_by_their_ids(self) -> None:
        people = [
            _person("ann", _event("ann", NOW, "b", page="first"), _event("ann", NOW, "c", page="last")),
            _person("bob", _event("bob", NOW, "b", page="first"), _event("bob", NOW, "c")),
            _person("cem", _event("cem", NOW, "Z", page="first"), _event("cem", NOW, "a", page="last")),
            _person("dan", _event("dan", NOW, "z", page="first"), _event("dan", NOW, "я", page="last")),
        ]
        with closing(self.open_audience(people)) as audience:
            assert list(audience.members(did("visit").last("page") == "last", at=NOW)) == [
                "ann",
                "cem",
                "dan",
            ]
            assert list(audience.members(did("visit").last("page").missing(), at=NOW)) == ["bob"]
            assert audience.count(did("visit").first("page") == "first", at=NOW) == 4

    def test_large_integers_and_doubles_stay_apart(self) -> None:
        whole = 2**53
        people = [
            _person("double", age=float(whole)),
            _person("next", age=whole + 1),
            _person("same", age=whole),
            _person("text", age=str(whole)),
            _person("wide", age=2**200),
        ]
        with closing(self.open_audience(people)) as audience:
            assert list(audience.members(attr("age") == whole, at=NOW)) == ["double", "same"]
            assert list(audience.members(attr("age") == whole + 1, at=NOW)) == ["next"]
            assert list(audience.members(attr("age") > float(whole), at=NOW)) == ["next", "wide"]
            assert list(audience.members(attr("age") >= 2**200, at=NOW)) == ["wide"]
            assert list(audience.members(attr("age") > 2**200, at=NOW)) == []

    def test_sums_of_doubles_are_rounded_once(self) -> None:
        tenth = [_event("tenth", NOW - number * _TICK, str(number), score=0.1) for number in range(10)]
        mixed = [
            _event("mixed", NOW - n * _TICK, str(n), score=each) for n, each in enumerate((1e16, 1.0, -1e16))
        ]
        with closing(self.open_audience([_person("tenth", *tenth), _person("mixed", *mixed)])) as audience:
            assert list(audience.members(did("visit").sum("score") == 1, at=NOW)) == ["mixed", "tenth"]
            assert audience.count(did("visit").sum("score") < 1, at=NOW) == 0
            found = audience.memberships([Segment("one", did("visit").sum("score") >= 1)], at=NOW)
            assert found.counts() == {"one": 2}

    def test_the_people_of_an_account_are_asked_as_of_that_moment(self) -> None:
        visit = did("visit").within(_DAY)
        acme = {ACCOUNT: "acme"}
        alone = _person("alone", _event("alone", NOW, "1", score=4))
        people = [
            alone,
            _person("ann", **acme),
            _person("bob", _event("bob", NOW, "1", score=2), **acme),
            _person("cem", _event("cem", NOW - _DAY, "1", score=3), **acme),
            _person("dan", _event("dan", NOW, "1", score=7), **acme).with_attributes(
                [AttributeWrite(name=ACCOUNT, value="other", at=NOW + _TICK, id=EventId("b"))]
            ),
        ]
        expected: list[tuple[Predicate, str, str]] = [
            (account.any(visit), "ann bob cem dan", "ann bob cem dan"),
            (account.count(visit) >= 2, "ann bob cem dan", ""),
            (account.others.any(visit), "ann bob cem dan", "ann cem"),
            (account.others.count(visit) == 1, "bob dan", "ann cem"),
            (account.count(visit) == 0, "alone", "alone"),
            (account.all(~attr("city").exists()), "ann bob cem dan", "ann bob cem dan"),
            (account.others.all(~visit), "", "bob"),
            (account.sum(did("visit"), "score") == 12, "ann bob cem dan", ""),
            (account.others.sum(did("visit"), "score") == 5, "dan", "ann"),
            (account.sum(did("visit"), "score") == 0, "alone", "alone"),
        ]
        with closing(self.open_audience(people)) as audience:
            for place, (asked, now, then) in enumerate(expected):
                for members, at in ((now, NOW), (then, NOW + _TICK)):
                    segment = Segment(f"s{place}", asked)
                    self._compare(audience, Asked((), at, (segment,), (tuple(members.split()),)))

    # --- names and values are only data -----------------------------------------------------------------

    def test_names_and_values_are_never_read_as_a_query(self) -> None:
        people = [_person("ann", _event("ann", NOW, "1", **{text: text for text in _HOSTILE}))]
        people[0] = people[0].with_attributes(
            AttributeWrite(name=text, value=text, at=NOW, id=EventId(f"a{place}"))
            for place, text in enumerate(_HOSTILE)
        )
        with closing(self.open_audience(people)) as audience:
            for text in _HOSTILE:
                for asked in (
                    attr(text) == text,
                    attr(text).in_([text]) & attr(text).contains(text),
                    attr(text).startswith(text) & attr(text).endswith(text),
                    did("visit").where(prop(text) == text),
                    did("visit").last(text) == text,
                ):
                    assert list(audience.members(asked, at=NOW)) == ["ann"], text
                for asked in (
                    did(text),
                    consent(text, text),
                    attr("x" + text) == text,
                    attr(text) == text + "x",
                ):
                    assert audience.count(asked, at=NOW) == 0, text
            assert audience.count(everyone, at=NOW) == 1

    # --- the face ---------------------------------------------------------------------------------------

    def test_members_come_in_text_order(self) -> None:
        people = [_person(name) for name in ("b", "a", "я", "é", "Z", "10", "9")]
        with closing(self.open_audience(people)) as audience:
            assert list(audience.members(everyone, at=NOW)) == sorted(each.customer for each in people)

    def test_memberships_name_everybody_once_and_hold_many_segments(self) -> None:
        people = population(11, 60)
        names = [f"{number} visits" for number in range(130)]
        segments = [Segment(name, did("visit").at_least(place % 7)) for place, name in enumerate(names)]
        with closing(self.open_audience(people)) as audience:
            found = audience.memberships(segments, at=NOW)
            assert found.at == NOW
            assert found.names == tuple(names)
            assert sorted(found.people) == sorted(each.customer for each in people)
            for each in (segments[0], segments[59], segments[60], segments[61], segments[119], segments[129]):
                assert sorted(found.members(each.name)) == list(audience.members(each, at=NOW))
                assert found.count(each.name) == audience.count(each, at=NOW)

    def test_nobody_is_a_set_as_well(self) -> None:
        with closing(self.open_audience([])) as audience:
            assert list(audience.members(everyone, at=NOW)) == []
            assert audience.count(everyone, at=NOW) == 0
            assert audience.memberships([Segment("all", everyone)], at=NOW).counts() == {"all": 0}

    def test_more_than_allowed_is_refused_and_may_be_counted(self) -> None:
        people = [_person(name) for name in "abc"]
        with closing(self.open_audience(people, max_rows=2)) as audience:
            with pytest.raises(TooManyRows) as raised:
                audience.members(everyone, at=NOW)
            assert raised.value.limit == 2
            with pytest.raises(TooManyRows):
                audience.memberships([Segment("all", everyone)], at=NOW)
            assert audience.count(everyone, at=NOW) == 3
            assert audience.members(nobody, at=NOW) == ()

    def test_what_cannot_be_asked_is_refused(self) -> None:
        with closing(self.open_audience([_person("ann")])) as audience:
            with pytest.raises(DefinitionError):
                audience.members(did("visit").since_entry(), at=NOW)  # type: ignore[arg-type]  # the point
            with pytest.raises(DefinitionError):
                audience.memberships([], at=NOW)
            with pytest.raises(DefinitionError):
                audience.memberships([Segment("all", everyone), Segment("all", nobody)], at=NOW)
            with pytest.raises(DefinitionError):
                audience.memberships([everyone], at=NOW)  # type: ignore[list-item]  # the point
            for ask in (audience.members, audience.count):
                with pytest.raises(NaiveMoment):
                    ask(everyone, at=NOW.replace(tzinfo=None))

    def test_a_closed_audience_answers_nothing(self) -> None:
        audience = self.open_audience([_person("ann")])
        audience.close()
        audience.close()
        with pytest.raises(AudienceError):
            audience.members(everyone, at=NOW)
        with pytest.raises(AudienceError):
            audience.count(everyone, at=NOW)
        with pytest.raises(AudienceError):
            audience.memberships([Segment("all", everyone)], at=NOW)
