"""The fourth executor: who is in which segment, kept up as facts come and as time passes.

Nothing polls: a question that time alone will answer otherwise says when, and the earliest such moment is
``next_wakeup``. Whoever advances later still gets every change with the moment at which it came true.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from heapq import heapify, heappop, heappush
from operator import attrgetter

from crmsdk.errors import InputError, UnknownName, UnsupportedQuestion
from crmsdk.model._registry import tag_of
from crmsdk.model.changing import with_changes
from crmsdk.model.colleagues import Colleagues, account_keys
from crmsdk.model.consent import ConsentWrite
from crmsdk.model.customer import AttributeWrite
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.model.moment import to_moment
from crmsdk.model.zones import zone as known_zone
from crmsdk.segments._keeping import Keeping
from crmsdk.segments._member import Member, MembershipChange
from crmsdk.segments._shared import each, plan_of
from crmsdk.segments.accounts import about_account
from crmsdk.segments.grammar import Segment

__all__ = ["LiveSegments", "MembershipChange"]

_SLACK = 16
"""So many facts more than twice those that mattered at the last look, and it is looked again."""

_BEFORE = datetime.min.replace(tzinfo=UTC)


class LiveSegments:
    """Keeps many segments up to date in memory, for one thread; each question is asked once for all of them.

    It holds the people it was told of, and of their history only what can still change an answer: events in
    the longest window asked of their name, and the newest and oldest few where there is no window. Where all
    of the past is asked for (a sum without a window, a sequence) all events of that name are kept.

    Where a segment asks about the people of an account, news of one of them ask the others again: as many
    questions as the account has people, each about all of them.

    Args:
        segments: Each with a name of its own.
        zone: IANA zone of people whose zone is unknown.

    Raises:
        DefinitionError: two segments of one name, or something that is no segment.
        UnknownZone: the zone data does not hold the zone.
    """

    def __init__(self, segments: Iterable[Segment], *, zone: str = "UTC") -> None:
        known_zone(zone)
        self._plan = plan_of(segments)
        self._keeping = Keeping(self._plan.questions)
        self._zone = zone
        self._names = {one.name: place for place, one in enumerate(self._plan.segments)}
        self._people: dict[CustomerId, Member] = {}
        self._heap: list[tuple[datetime, CustomerId]] = []
        self._now = _BEFORE
        self._about_others = {
            place for place, asked in enumerate(self._plan.questions) if about_account(asked)
        }
        self._colleagues = Colleagues()  # of nobody, unless somebody is asked about others

    # ------------------------------------------------------------------------------------ what happens

    def take(
        self,
        customer: CustomerId,
        *,
        now: datetime,
        events: Sequence[Event] = (),
        attributes: Sequence[AttributeWrite] = (),
        consents: Sequence[ConsentWrite] = (),
        zone: str | None = None,
    ) -> list[MembershipChange]:
        """Take new facts of one person, in any order of their dates.

        Facts come in once: an event still held is known by its id, one let go of is not. Feed what a store
        accepted.

        Args:
            customer: Who; one never seen is made.
            now: The present, aware; facts dated later count from their moment on. It never goes back: a call
                with an earlier moment is taken at the latest one.
            events, attributes, consents: What is new.
            zone: IANA zone of the person, if that is new.

        Returns:
            What changed since the person was last looked at: by time first, each at its moment, then by the
            facts, at ``now``: a late fact changes the present, never the past. Where others of the account
            are asked about, what changed for those is told likewise.

        Raises:
            NaiveMoment: ``now`` has no zone.
            InputError: an event of somebody else, or something that is no such fact.
            UnknownZone: the zone data does not hold the zone.
        """
        _refuse_others(events, Event, "events")
        _refuse_others(attributes, AttributeWrite, "attributes")
        _refuse_others(consents, ConsentWrite, "consents")
        now = self._go_to(now)
        for event in events:
            if event.customer != customer:
                raise InputError("holds an event of another customer; take each person's own", field="events")
        if zone is not None:
            known_zone(zone)
        person = self._people.get(customer)
        changes: list[MembershipChange] = []
        new = person is None
        if person is None:
            person = self._people[customer] = Member(Facts(customer=customer), len(self._plan.questions))
        near = self._near(customer, attributes)
        for other in (customer, *near):  # up to now by what was known
            member = self._people[other]
            while (due := member.due()) is not None and due < now:
                changes += self._ask(other, member, due, [])
        changes.sort(key=attrgetter("at"))
        touched = self._add(person, events, attributes, consents, zone)
        ids = [*(one.id for one in events), *(one.id for one in attributes), *(one.id for one in consents)]
        cause = ids[-1] if ids else ""
        asked = range(len(self._plan.questions)) if new else touched
        changes += self._ask(customer, person, now, asked, cause=cause, anew=new)
        self._queue(customer, person)
        for other in near:
            changes += self._ask(other, self._people[other], now, self._about_others & touched, cause=cause)
            self._queue(other, self._people[other])
        return changes

    def advance(self, now: datetime) -> list[MembershipChange]:
        """Let time pass; give who entered or left by that alone, in the order in which it came true.

        Raises:
            NaiveMoment: ``now`` has no zone.
        """
        now = self._go_to(now)
        changes: list[MembershipChange] = []
        while self._heap and self._heap[0][0] <= now:
            due, customer = heappop(self._heap)
            person = self._people.get(customer)
            if person is not None and person.queued == due:
                person.queued = None
                changes += self._ask(customer, person, due, [])
                self._queue(customer, person)
        return changes

    def next_wakeup(self) -> datetime | None:
        """Give the moment at which the next change by time alone may come, UTC; None for never."""
        while self._heap:
            due, customer = self._heap[0]
            person = self._people.get(customer)
            if person is not None and person.queued == due:
                return due
            heappop(self._heap)
        return None

    # --------------------------------------------------------------------------------- starting again

    def restore(
        self, facts: Facts, *, members: Iterable[str], as_of: datetime, now: datetime
    ) -> list[MembershipChange]:
        """Take a person up again after a restart, with what was told of them before.

        Args:
            facts: All that is known by now, as a store has it.
            members: Names of the segments the person was told to be in.
            as_of: When that was told, aware.
            now: The present, aware.

        Returns:
            What has changed since: with its own moment where only time had passed, at ``now`` where a fact
            came in between. Nothing is told twice, nothing is left out.

        Raises:
            NaiveMoment: a moment without a zone.
            UnknownName: there is no such segment; leave out those that are no longer kept.
            UnsupportedQuestion: others of an account are asked about; ``restore_all`` takes everybody.
        """
        for place in sorted(self._about_others):
            node = tag_of(type(self._plan.questions[place]))
            raise UnsupportedQuestion("restore", node, "one person is given; give everybody to restore_all")
        return self.restore_all([(facts, members)], as_of=as_of, now=now)

    def restore_all(
        self, people: Iterable[tuple[Facts, Iterable[str]]], *, as_of: datetime, now: datetime
    ) -> list[MembershipChange]:
        """Take many people up again after a restart; everybody, where others of an account are asked about.

        Args:
            people: Of each all that is known by now, and the segments they were told to be in.
            as_of, now: As of ``restore``.

        Returns:
            What has changed since, as of ``restore``, person by person.

        Raises:
            NaiveMoment: a moment without a zone.
            UnknownName: there is no such segment; leave out those that are no longer kept.
        """
        begin, now = to_moment(as_of, "as_of"), self._go_to(now)
        given = [(facts, sum(1 << self._place(name) for name in set(members))) for facts, members in people]
        for facts, _ in given:
            person = self._people[facts.customer] = Member(facts, len(self._plan.questions))
            person.facts = self._keeping.trimmed(facts, begin)
            self._know(person.facts)
        changes = []
        for facts, told in given:
            changes += self._resumed(facts.customer, told, min(begin, now), now)
        for facts, _ in given:
            self._ask_again(self._near(facts.customer, ()))
        return changes

    def _resumed(
        self, customer: CustomerId, told: int, begin: datetime, now: datetime
    ) -> list[MembershipChange]:
        person = self._people[customer]
        self._ask(customer, person, begin, range(len(self._plan.questions)), anew=True)
        alike = ~(person.members ^ told)
        changes = []
        while (due := person.due()) is not None and due <= now:
            passed = self._ask(customer, person, due, [])
            changes += [one for one in passed if alike >> self._names[one.segment] & 1]
        other = (person.members ^ told) & ~alike
        changes += self._told(customer, other, person.members, now, "")
        self._queue(customer, person)
        return changes

    def forget(self, customer: CustomerId) -> None:
        """Drop everything about a person; nothing is told about it.

        Others of the account are asked again when time goes on.
        """
        near = self._near(customer, ())
        self._people.pop(customer, None)
        self._colleagues.drop(customer)
        self._ask_again(near)

    # ------------------------------------------------------------------------------------ what stands

    def segments_of(self, customer: CustomerId) -> frozenset[str]:
        """Name the segments a person is in, as of the last look; none for somebody never seen."""
        person = self._people.get(customer)
        bits = 0 if person is None else person.members
        return frozenset(self._plan.segments[place].name for place in each(bits))

    def members(self, segment: str) -> frozenset[CustomerId]:
        """Give who is in a segment.

        Raises:
            UnknownName: there is no such segment.
        """
        place = self._place(segment)
        return frozenset(customer for customer, person in self._people.items() if person.members >> place & 1)

    def counts(self) -> dict[str, int]:
        """Count the members of every segment."""
        counts = [0] * len(self._plan.segments)
        for person in self._people.values():
            for place in each(person.members):
                counts[place] += 1
        return {one.name: count for one, count in zip(self._plan.segments, counts, strict=True)}

    # ----------------------------------------------------------------------------------------- within

    def _place(self, segment: str) -> int:
        if segment not in self._names:
            raise UnknownName("segment", segment, sorted(self._names), mend="give it to LiveSegments")
        return self._names[segment]

    def _go_to(self, now: datetime) -> datetime:
        self._now = max(self._now, to_moment(now, "now"))
        return self._now

    def _know(self, facts: Facts) -> None:
        if self._about_others:
            self._colleagues.put(facts)

    def _near(self, customer: CustomerId, attributes: Iterable[AttributeWrite]) -> list[CustomerId]:
        """Name everybody else who shares an account with a person, or will by these attributes."""
        if not self._about_others:
            return []
        new = Facts(customer=customer).with_attributes(attributes)
        return self._colleagues.of(customer, account_keys(new))

    def _ask_again(self, customers: Iterable[CustomerId]) -> None:
        """Let people be asked about others of their accounts as soon as time goes on."""
        for customer in customers:
            person = self._people[customer]
            for place in self._about_others:
                person.untils[place] = self._now
                heappush(person.queue, (self._now, place))
            self._queue(customer, person)

    def _queue(self, customer: CustomerId, person: Member) -> None:
        due = person.due()
        if due != person.queued:
            person.queued = due
            if due is not None:
                heappush(self._heap, (due, customer))

    def _add(
        self,
        person: Member,
        events: Sequence[Event],
        attributes: Sequence[AttributeWrite],
        consents: Sequence[ConsentWrite],
        zone: str | None,
    ) -> set[int]:
        """Add what matters to the facts; name the questions it may change."""
        plan, facts = self._plan, person.facts
        asked: set[int] = set()
        new: dict[EventId, Event] = {}
        for event in events:
            touched = plan.touched(event)
            if touched and all(event.id != known.id for known in facts.named(event.name)):
                new[event.id] = event
                asked.update(touched)
        written = [write for write in attributes if write.name in plan.on_attribute]
        for write in written:
            asked.update(plan.on_attribute[write.name])
        if new:
            facts = facts.with_events(new.values())
        if written:
            facts = facts.with_attributes(written)
        if consents and plan.on_consent:
            facts = with_changes(facts, consents=(*facts.consents, *consents))
            asked.update(plan.on_consent)
        if zone is not None and zone != facts.zone:
            facts = with_changes(facts, zone=zone)
            asked.update(plan.on_zone)
        size = len(facts.events) + len(facts.attributes)
        if size > 2 * person.kept + _SLACK:
            facts = self._keeping.trimmed(facts, self._now)
            person.kept = len(facts.events) + len(facts.attributes)
        person.facts = facts
        self._know(facts)
        return asked

    def _ask(
        self,
        customer: CustomerId,
        person: Member,
        at: datetime,
        questions: Iterable[int],
        *,
        cause: str = "",
        anew: bool = False,
    ) -> list[MembershipChange]:
        """Ask some questions, and those whose time has come; tell what changed."""
        plan, facts, zone = self._plan, person.facts, self._zone
        truths, untils, queue = person.truths, person.untils, person.queue
        asked = [*questions]
        while queue and queue[0][0] <= at:
            until, place = heappop(queue)
            if untils[place] is until:
                asked.append(place)
        turned: list[int] = []
        if not self._about_others.isdisjoint(asked):
            facts = self._colleagues.beside(facts)
        for place in asked:
            matched, next_time = plan.answers[place](facts, at, None, zone)
            if truths[place] != matched:
                truths[place] = matched
                turned.append(place)
            untils[place] = next_time
            if next_time is not None:
                if next_time <= at:  # a question that is due when it is answered would be asked for ever
                    raise AssertionError(type(plan.questions[place]).__name__)
                heappush(queue, (next_time, place))
        if not turned and not anew:
            return []
        if len(queue) > 4 * len(untils):
            queue[:] = [(until, place) for place, until in enumerate(untils) if until is not None]
            heapify(queue)
        touched = (
            range(len(plan.segments)) if anew else {one for place in turned for one in plan.readers[place]}
        )
        changed = 0
        for place in touched:
            if plan.holds[place](truths) is not (person.members >> place & 1 == 1):
                changed |= 1 << place
        if not changed:
            return []
        person.members ^= changed
        return self._told(customer, changed, person.members, at, cause)

    def _told(
        self, customer: CustomerId, changed: int, members: int, at: datetime, cause: str
    ) -> list[MembershipChange]:
        return [
            MembershipChange(
                segment=self._plan.segments[place].name,
                customer=customer,
                entered=members >> place & 1 == 1,
                at=at,
                cause=cause,
            )
            for place in each(changed)
        ]


def _refuse_others(given: Iterable[object], kind: type[object], field: str) -> None:
    if isinstance(given, kind) or not isinstance(given, Iterable):
        raise InputError(f"is {type(given).__name__}; give a list of {kind.__name__}", field=field)
    for one in given:
        if not isinstance(one, kind):
            raise InputError(f"holds {type(one).__name__}; give {kind.__name__} objects", field=field)
