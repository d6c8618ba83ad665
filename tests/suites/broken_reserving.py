"""Ledgers that break a promise of reserving: what is counted, what is taken, what is answered."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

import attrs

from crmsdk.ledgers._person import PersonLedger
from crmsdk.ledgers.memory import MemoryLedger
from crmsdk.model.ids import CustomerId, MessageId
from crmsdk.policy.limits import place
from crmsdk.policy.record import Answer, Contact, ContactState, Option, Reserve, Standing, field_index
from crmsdk.policy.rules import ContactField
from crmsdk.ports import Ledger

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


class MangledText(Placing):
    def change(self, person: PersonLedger, reserve: Reserve, answer: Answer) -> Answer:
        if answer.contact is not None:
            person.write(answer.contact._replace(sender=answer.contact.sender.strip("\U0001f4e7")))
        return answer


RESERVING: Final[Mapping[type[Ledger], Sequence[str]]] = {
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
    MangledText: ["text_comes_back_as_it_went_in"],
}
