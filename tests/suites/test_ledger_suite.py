"""The ledger suite can fail: for each of its promises there is a ledger that breaks it."""

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest

from crmsdk.errors import StoreError
from crmsdk.ledgers._person import PersonLedger
from crmsdk.ledgers.memory import MemoryLedger
from crmsdk.model.ids import CustomerId, MessageId
from crmsdk.policy.answer import Lease
from crmsdk.policy.limits import place
from crmsdk.policy.record import (
    Answer,
    Contact,
    ContactState,
    InDoubt,
    Option,
    Reserve,
    Standing,
    Suppression,
    field_index,
)
from crmsdk.policy.rules import ContactField
from crmsdk.ports import Ledger
from crmsdk.testing._ledger_play import LedgerPlay
from crmsdk.testing.ledger_suite import LedgerSuite

CHANNEL = field_index(ContactField.CHANNEL)


def _with_checks(reserve: Reserve, change: Callable[[Any], Any]) -> Reserve:
    options = (Option(each.channel, tuple(map(change, each.checks))) for each in reserve.options)
    return attrs.evolve(reserve, options=tuple(options))


class Asking(MemoryLedger):
    """Changes what was asked before it answers."""

    def ask(self, reserve: Reserve) -> Reserve:
        raise NotImplementedError

    def _reserve(self, reserve: Reserve) -> Answer:
        return super()._reserve(self.ask(reserve))


class Placing(MemoryLedger):
    """Changes what it wrote after it answered."""

    def change(self, person: PersonLedger, reserve: Reserve, answer: Answer) -> Answer:
        raise NotImplementedError

    def _reserve(self, reserve: Reserve) -> Answer:
        answer = super()._reserve(reserve)
        person = self._people.setdefault(self._where(reserve.request.customer), PersonLedger())
        return self.change(person, reserve, answer)


class ForgetsTheChannel(Asking):
    def ask(self, reserve: Reserve) -> Reserve:
        return _with_checks(
            reserve, lambda c: c._replace(filters=tuple(f for f in c.filters if f[0] != CHANNEL))
        )


class ForgetsAllButTheChannel(Asking):
    def ask(self, reserve: Reserve) -> Reserve:
        return _with_checks(
            reserve, lambda c: c._replace(filters=tuple(f for f in c.filters if f[0] == CHANNEL))
        )


class CountsTheWindowsEdge(Asking):
    def ask(self, reserve: Reserve) -> Reserve:
        return _with_checks(reserve, lambda c: c._replace(window=c.window + 1) if c.window else c)


class IsOffByOne(Asking):
    def ask(self, reserve: Reserve) -> Reserve:
        return _with_checks(reserve, lambda c: c._replace(limit=c.limit + 1))


class LooksAtTheFirstCheckOnly(Asking):
    def ask(self, reserve: Reserve) -> Reserve:
        options = (Option(each.channel, each.checks[:1]) for each in reserve.options)
        return attrs.evolve(reserve, options=tuple(options))


class IgnoresAbsoluteBounds(Asking):
    def ask(self, reserve: Reserve) -> Reserve:
        return _with_checks(reserve, lambda c: c._replace(since=None, window=1))


class CountsContactsForValues(Asking):
    def ask(self, reserve: Reserve) -> Reserve:
        return _with_checks(reserve, lambda c: c._replace(distinct=None))


class TakesNoValueForKnown(Asking):
    def ask(self, reserve: Reserve) -> Reserve:
        return _with_checks(reserve, lambda c: c._replace(value="nothing"))


class TriesTheFirstOptionOnly(Asking):
    def ask(self, reserve: Reserve) -> Reserve:
        return attrs.evolve(reserve, options=reserve.options[:1])


class TakesTheLastOption(Asking):
    def ask(self, reserve: Reserve) -> Reserve:
        return attrs.evolve(reserve, options=tuple(reversed(reserve.options)))


class NeedsNoOption(Asking):
    def ask(self, reserve: Reserve) -> Reserve:
        return attrs.evolve(reserve, options=reserve.options or (Option("email", ()),))


class MixesPeople(Asking):
    def ask(self, reserve: Reserve) -> Reserve:
        return attrs.evolve(reserve, request=attrs.evolve(reserve.request, customer=CustomerId("all")))


class TrustsTheClock(Placing):
    def change(self, person: PersonLedger, reserve: Reserve, answer: Answer) -> Answer:
        if answer.contact is not None and answer.contact.attempt == 1:
            person.write(answer.contact._replace(at=reserve.now))
        return answer


class LosesFields(Placing):
    def change(self, person: PersonLedger, reserve: Reserve, answer: Answer) -> Answer:
        if answer.contact is not None:
            person.write(answer.contact._replace(journey=""))
        return answer


class LeaksOnRefusal(Placing):
    def change(self, person: PersonLedger, reserve: Reserve, answer: Answer) -> Answer:
        if answer.contact is None:
            leak = Contact(
                reserve.now,
                "email",
                "promo",
                "",
                "",
                "",
                "",
                "",
                MessageId("leak"),
                0,
                ContactState.SENT,
                0,
                1,
            )
            person.write(leak)
        return answer


class StandsAfterwards(Placing):
    def change(self, person: PersonLedger, reserve: Reserve, answer: Answer) -> Answer:
        return attrs.evolve(answer, standing=self._standing(reserve, person))


class FreesExpiredLeases(MemoryLedger):
    def _reserve(self, reserve: Reserve) -> Answer:
        person = self._find(reserve.request.customer)
        for contact in [each for each in person.contacts if each.in_doubt(reserve.now)]:
            person.drop(contact.message_id)
        return super()._reserve(reserve)


class CountsSentOnly(MemoryLedger):
    def _reserve(self, reserve: Reserve) -> Answer:
        person = self._people.setdefault(self._where(reserve.request.customer), PersonLedger())
        sent = [each for each in person.contacts if each.state is ContactState.SENT]
        own = person.by_message.get(reserve.request.message_id)
        standing = self._standing(reserve, person)
        contact = place(reserve, contacts=sent, own=own, suppressions=standing.suppressions)
        if contact is not None:
            person.write(contact)
        return Answer(contact=contact, standing=standing)


class CountsSendingOnly(CountsSentOnly):
    def _commit(self, customer: CustomerId, message_id: MessageId) -> bool:
        known = super()._commit(customer, message_id)
        self._find(customer).drop(message_id)
        return known


class IgnoresItsOwn(MemoryLedger):
    """Takes a repeated message for a new one."""

    def _reserve(self, reserve: Reserve) -> Answer:
        self._find(reserve.request.customer).drop(reserve.request.message_id)
        return super()._reserve(reserve)


class NeverTakesOver(MemoryLedger):
    def _reserve(self, reserve: Reserve) -> Answer:
        person = self._find(reserve.request.customer)
        if reserve.request.message_id in person.by_message:
            return Answer(contact=None, standing=self._standing(reserve, person))
        return super()._reserve(reserve)


class ForgetsOldPlaces(MemoryLedger):
    def _reserve(self, reserve: Reserve) -> Answer:
        person = self._find(reserve.request.customer)
        own = person.by_message.get(reserve.request.message_id)
        if own is not None and own.at <= reserve.since:
            person.drop(own.message_id)
        return super()._reserve(reserve)


class TakesOverByAnyChannel(MemoryLedger):
    def _reserve(self, reserve: Reserve) -> Answer:
        person = self._find(reserve.request.customer)
        own = person.by_message.get(reserve.request.message_id)
        if own is not None and own.in_doubt(reserve.now) and reserve.options:
            person.write(own._replace(channel=reserve.options[0].channel))
        return super()._reserve(reserve)


class TakesOverUnlooked(Placing):
    """Looks at no suppression when a message comes back."""

    def change(self, person: PersonLedger, reserve: Reserve, answer: Answer) -> Answer:
        own = person.by_message.get(reserve.request.message_id)
        if answer.contact is None and own is not None and own.in_doubt(reserve.now):
            return attrs.evolve(answer, contact=own)
        return answer


class AnswersBackwards(MemoryLedger):
    async def reserve(self, batch: Sequence[Reserve]) -> Sequence[Answer]:
        return list(reversed(await super().reserve(list(reversed(batch)))))


class TakesAnyBatch(MemoryLedger):
    def _check(self, batch: Sequence[object] = ()) -> None:
        super()._check(())


class WritesOnRead(MemoryLedger):
    async def read(self, batch: Sequence[Reserve]) -> Sequence[Standing]:
        return [answer.standing for answer in await self.reserve(batch)]


class IsNotAtomic(MemoryLedger):
    """Looks, lets others go first, and writes what it decided before."""

    async def reserve(self, batch: Sequence[Reserve]) -> Sequence[Answer]:
        import asyncio  # noqa: PLC0415 - the fault's own need

        answers = []
        for reserve in batch:
            person = self._people.setdefault(self._where(reserve.request.customer), PersonLedger())
            standing = self._standing(reserve, person)
            own = person.by_message.get(reserve.request.message_id)
            contact = place(
                reserve, contacts=list(person.contacts), own=own, suppressions=standing.suppressions
            )
            await asyncio.sleep(0)
            if contact is not None:
                person.write(contact)
            answers.append(Answer(contact=contact, standing=standing))
        return answers


class SaysItIsDurable(MemoryLedger):
    durable: ClassVar[bool] = True


class CommitsByAttempt(MemoryLedger):
    async def commit(self, leases: Sequence[Lease]) -> Sequence[bool]:
        return [
            (held := self._find(lease.customer).by_message.get(lease.message_id)) is not None
            and held.attempt == lease.attempt
            and self._commit(lease.customer, lease.message_id)
            for lease in leases
        ]


class CommitsMoveTheMoment(MemoryLedger):
    def _commit(self, customer: CustomerId, message_id: MessageId) -> bool:
        known = super()._commit(customer, message_id)
        person = self._find(customer)
        if known:
            person.write(person.by_message[message_id]._replace(at=person.by_message[message_id].at + 1))
        return known


class NeverReleases(MemoryLedger):
    def _release(self, lease: Lease) -> bool:
        return False


class ReleasesWhatever(MemoryLedger):
    def _release(self, lease: Lease) -> bool:
        person = self._find(lease.customer)
        known = lease.message_id in person.by_message
        person.drop(lease.message_id)
        return known


class RenewsNothing(MemoryLedger):
    async def renew(self, lease: Lease, until: int) -> Lease | None:
        return lease


class RecordsNow(MemoryLedger):
    async def record(self, contacts: Sequence[tuple[CustomerId, Contact]]) -> Sequence[bool]:
        def last(customer: CustomerId) -> int:
            return max((each.at for each in self._find(customer).contacts), default=0)

        return await super().record(
            [(who, each._replace(at=max(each.at, last(who)))) for who, each in contacts]
        )


class RecordsForTheFirstPerson(MemoryLedger):
    async def record(self, contacts: Sequence[tuple[CustomerId, Contact]]) -> Sequence[bool]:
        return await super().record([(contacts[0][0], each) for _, each in contacts])


class KnowsIdsOfAnybody(MemoryLedger):
    async def record(self, contacts: Sequence[tuple[CustomerId, Contact]]) -> Sequence[bool]:
        known = {id for person in self._people.values() for id in person.by_message}
        new = [pair for pair in contacts if pair[1].message_id not in known]
        await super().record(new)
        return [pair in new for pair in contacts]


class ListsEntriesAsTheyCame(MemoryLedger):
    async def entries(self, customer: CustomerId, *, since: int = 0) -> Sequence[Contact]:
        return [each for each in self._find(customer).by_message.values() if each.at >= since]


class ListsDoubtsAsTheyCame(MemoryLedger):
    async def in_doubt(self, now: int, *, limit: int = 1000) -> Sequence[InDoubt]:
        found = await super().in_doubt(now)
        return sorted(found, key=lambda each: each.contact.message_id)[:limit]


class ResolvesWhatever(MemoryLedger):
    async def resolve(self, customer: CustomerId, message_id: MessageId, *, sent: bool, now: int) -> bool:
        return await super().resolve(customer, message_id, sent=sent, now=2**62)


class SuppressesNobody(MemoryLedger):
    async def suppress(self, suppressions: Sequence[Suppression]) -> None:
        self._check(suppressions)


class SuppressesAllPurposes(MemoryLedger):
    async def suppress(self, suppressions: Sequence[Suppression]) -> None:
        await super().suppress([attrs.evolve(each, purpose="*") for each in suppressions])


class SuppressesPeopleOnly(MemoryLedger):
    async def suppress(self, suppressions: Sequence[Suppression]) -> None:
        await super().suppress([each for each in suppressions if each.customer])


class KeepsTheLastSuppression(MemoryLedger):
    async def suppress(self, suppressions: Sequence[Suppression]) -> None:
        await self.unsuppress(suppressions)
        await super().suppress(suppressions)


class MovesNothing(MemoryLedger):
    async def move(
        self, source: CustomerId, target: CustomerId, *, only: Collection[MessageId] | None = None
    ) -> Sequence[MessageId]:
        self._check()
        return []


class MovesAndForgetsTheName(MemoryLedger):
    def _where(self, customer: CustomerId) -> CustomerId:
        return customer


class MovesOverWhatIsThere(MemoryLedger):
    def _transfer(
        self, source: CustomerId, target: CustomerId, only: Collection[MessageId]
    ) -> list[MessageId]:
        giver = self._people.get(source) or PersonLedger()
        taker = self._people.setdefault(target, PersonLedger())
        moving = [each for each in giver.contacts if each.message_id in only]
        for contact in moving:
            giver.drop(contact.message_id)
            taker.write(contact)
        return [each.message_id for each in moving]


class MovesNoSuppression(MemoryLedger):
    async def move(
        self, source: CustomerId, target: CustomerId, *, only: Collection[MessageId] | None = None
    ) -> Sequence[MessageId]:
        self._find(source).suppressions.clear()
        return await super().move(source, target, only=only)


class MovesAllAlways(MemoryLedger):
    async def move(
        self, source: CustomerId, target: CustomerId, *, only: Collection[MessageId] | None = None
    ) -> Sequence[MessageId]:
        return await super().move(source, target)


class MovesBackAgain(MemoryLedger):
    """Repeating a move the other way undoes it."""

    async def move(
        self, source: CustomerId, target: CustomerId, *, only: Collection[MessageId] | None = None
    ) -> Sequence[MessageId]:
        self._moved.pop(target, None)
        return await super().move(source, target, only=only)


class ErasesNothing(MemoryLedger):
    async def erase(self, customer: CustomerId) -> None:
        self._check()


class ErasesAddressesToo(MemoryLedger):
    async def erase(self, customer: CustomerId) -> None:
        await super().erase(customer)
        self._addresses.clear()


class ErasesButRemembersMoves(MemoryLedger):
    async def erase(self, customer: CustomerId) -> None:
        moved = dict(self._moved)
        await super().erase(customer)
        self._moved.update(moved)


class CommitsTheErased(MemoryLedger):
    def _commit(self, customer: CustomerId, message_id: MessageId) -> bool:
        if message_id != "unknown" and message_id not in self._find(customer).by_message:
            restored = Contact(0, "", "", "", "", "", "", "", message_id, 0, ContactState.SENT, 0, 1)
            self._people.setdefault(customer, PersonLedger()).write(restored)
        return super()._commit(customer, message_id)


class ForgetsWhatIsInDoubt(MemoryLedger):
    async def forget(self, before: int) -> int:
        for person in self._people.values():
            for contact in [each for each in person.contacts if each.at < before]:
                person.drop(contact.message_id)
        return 1


class MangledText(Placing):
    def change(self, person: PersonLedger, reserve: Reserve, answer: Answer) -> Answer:
        if answer.contact is not None:
            person.write(answer.contact._replace(sender=answer.contact.sender.strip("\U0001f4e7")))
        return answer


class WorksWhenClosed(MemoryLedger):
    async def close(self) -> None:
        pass


BROKEN: Mapping[type[Ledger], Sequence[str]] = {
    ForgetsTheChannel: ["filters_choose_what_is_counted", "filters_reach_every_field"],
    ForgetsAllButTheChannel: ["filters_reach_every_field"],
    CountsTheWindowsEdge: [
        "contact_exactly_a_window_old_counts_no_more",
        "different_values_leave_the_window_one_by_one",
    ],
    IsOffByOne: [
        "limit_is_reached_and_not_passed",
        "batch_of_1000_is_answered_and_a_larger_one_refused",
        "random_plays_agree_with_the_reference",
    ],
    LooksAtTheFirstCheckOnly: ["every_check_must_hold", "refused_message_leaves_no_trace"],
    IgnoresAbsoluteBounds: ["absolute_bound_stands_in_for_a_window"],
    CountsContactsForValues: ["different_values_are_counted_and_a_known_one_passes"],
    TakesNoValueForKnown: ["different_values_are_counted_and_a_known_one_passes"],
    TriesTheFirstOptionOnly: ["first_open_option_is_taken"],
    TakesTheLastOption: ["first_open_option_is_taken"],
    NeedsNoOption: ["without_an_option_nothing_is_taken"],
    MixesPeople: ["people_are_counted_apart"],
    TrustsTheClock: ["clock_going_back_dates_nothing_before_the_last_contact"],
    LosesFields: ["place_carries_what_was_asked"],
    LeaksOnRefusal: ["refused_message_leaves_no_trace"],
    StandsAfterwards: [
        "standing_is_what_was_there_before",
        "batch_is_answered_in_order_each_after_those_before",
    ],
    FreesExpiredLeases: ["expired_lease_frees_nothing"],
    CountsSentOnly: ["limit_is_reached_and_not_passed", "release_frees_the_place"],
    CountsSendingOnly: ["every_state_takes_a_place"],
    IgnoresItsOwn: ["message_gets_one_place", "message_takes_its_own_expired_lease_over"],
    NeverTakesOver: ["message_takes_its_own_expired_lease_over"],
    ForgetsOldPlaces: ["old_place_is_found_however_old"],
    TakesOverByAnyChannel: ["take_over_needs_the_same_channel"],
    TakesOverUnlooked: ["take_over_is_stopped_by_a_suppression"],
    AnswersBackwards: ["batch_is_answered_in_order_each_after_those_before"],
    TakesAnyBatch: ["batch_of_1000_is_answered_and_a_larger_one_refused"],
    WritesOnRead: ["read_gives_the_standing_and_writes_nothing"],
    IsNotAtomic: ["concurrent_reserves_admit_the_limit"],
    SaysItIsDurable: [
        "all_who_open_a_durable_ledger_share_the_limit",
        "contacts_survive_where_the_ledger_is_durable",
    ],
    CommitsByAttempt: ["commit_counts_after_the_place_was_taken_over"],
    CommitsMoveTheMoment: ["commit_marks_sent_and_keeps_the_moment"],
    NeverReleases: ["release_frees_the_place"],
    ReleasesWhatever: [
        "release_by_an_overtaken_worker_frees_nothing",
        "release_of_a_sent_message_frees_nothing",
    ],
    RenewsNothing: ["renew_holds_a_place_longer", "renew_of_a_place_not_held_is_refused"],
    RecordsNow: ["recorded_contact_counts_at_its_own_moment"],
    RecordsForTheFirstPerson: ["one_batch_records_contacts_of_many_people"],
    KnowsIdsOfAnybody: ["one_batch_records_contacts_of_many_people"],
    ListsEntriesAsTheyCame: ["entries_come_in_order_from_a_moment_on"],
    ListsDoubtsAsTheyCame: ["what_is_in_doubt_is_listed_oldest_lease_first"],
    ResolvesWhatever: ["resolve_settles_what_is_in_doubt_and_nothing_else"],
    SuppressesNobody: ["suppressed_person_gets_no_place"],
    SuppressesAllPurposes: ["suppression_may_stop_one_purpose"],
    SuppressesPeopleOnly: ["suppressed_address_stops_everybody_who_has_it"],
    KeepsTheLastSuppression: ["first_of_equal_suppressions_is_kept_and_taken_back_exactly"],
    MovesNothing: ["moved_contacts_count_for_the_target", "move_of_chosen_messages_takes_a_move_back"],
    MovesAndForgetsTheName: ["calls_for_a_moved_person_act_on_the_target"],
    MovesOverWhatIsThere: ["message_that_both_hold_is_kept_once_the_sent_one_first"],
    MovesNoSuppression: ["moved_suppressions_stop_the_target"],
    MovesAllAlways: ["move_of_chosen_messages_takes_a_move_back"],
    MovesBackAgain: ["repeated_move_moves_nothing"],
    ErasesNothing: ["erased_person_starts_anew_but_the_address_stays_stopped"],
    ErasesAddressesToo: ["erased_person_starts_anew_but_the_address_stays_stopped"],
    ErasesButRemembersMoves: ["erasure_forgets_moves"],
    CommitsTheErased: ["commit_after_erasure_restores_nothing"],
    ForgetsWhatIsInDoubt: ["forget_drops_old_sent_contacts_only"],
    MangledText: ["text_comes_back_as_it_went_in"],
    WorksWhenClosed: ["closed_ledger_refuses_work"],
}


def _suite_of(ledger: Callable[[], Ledger]) -> LedgerSuite:
    class Suite(LedgerSuite):
        async def open_ledger(self, folder: Path) -> Ledger:
            return ledger()

    return Suite()


def _promises() -> list[str]:
    return sorted(
        name.removeprefix("test_")
        for name, _ in inspect.getmembers(LedgerSuite, inspect.isfunction)
        if name.startswith("test_")
    )


CAUGHT = [(ledger, name) for ledger, names in BROKEN.items() for name in names]


@pytest.mark.parametrize(
    ("ledger", "promise"), CAUGHT, ids=[f"{ledger.__name__}-{name}" for ledger, name in CAUGHT]
)
def test_broken_ledger_is_caught(ledger: Callable[[], Ledger], promise: str, tmp_path: Path) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        getattr(_suite_of(ledger), f"test_{promise}")(tmp_path)


def test_every_promise_has_a_ledger_that_breaks_it() -> None:
    assert sorted({name for names in BROKEN.values() for name in names}) == _promises()


def test_the_random_play_alone_notices_most_faults(tmp_path: Path) -> None:
    missed = []
    for number, ledger in enumerate(BROKEN):
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            _suite_of(ledger).test_random_plays_agree_with_the_reference(folder)
        except (AssertionError, StoreError):
            continue
        missed.append(ledger.__name__)
    assert len(missed) <= len(BROKEN) // 2, missed


def test_a_test_cannot_be_replaced() -> None:
    with pytest.raises(TypeError, match="test_limit_is_reached_and_not_passed"):

        class Bent(LedgerSuite):
            def test_limit_is_reached_and_not_passed(self, tmp_path: Path) -> None:
                """Pass without looking."""


def test_the_suite_leaves_only_the_opening_to_the_adapter() -> None:
    assert LedgerPlay.__abstractmethods__ == {"open_ledger"}
