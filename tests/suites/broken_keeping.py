"""Ledgers that break a promise about what they keep: settled, listed, suppressed, moved, erased."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import attrs

from crmsdk.ledgers._person import PersonLedger
from crmsdk.ledgers.memory import MemoryLedger
from crmsdk.model.ids import CustomerId, MessageId
from crmsdk.policy.answer import Lease
from crmsdk.policy.record import Contact, ContactState, InDoubt, Suppression
from crmsdk.ports import Ledger


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


class WorksWhenClosed(MemoryLedger):
    async def close(self) -> None:
        pass


KEEPING: Final[Mapping[type[Ledger], Sequence[str]]] = {
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
    WorksWhenClosed: ["closed_ledger_refuses_work"],
}
