"""Channels that break a promise, and the promise each one breaks."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from crmsdk.channels.memory import MemoryChannel, usual_capabilities
from crmsdk.errors import AuthError, UnsupportedFeature
from crmsdk.model.address import Address
from crmsdk.model.content import HEADERS, Content, EmailContent, Envelope
from crmsdk.model.customer import Customer
from crmsdk.model.message import Accepted, Ambiguous, Deferred, MessageKind, Outcome, Rejected
from crmsdk.model.provider import Idempotency

Envelopes = Sequence[Envelope[Content]]
NO_KEYS = attrs.evolve(usual_capabilities("email"), idempotency=Idempotency.NONE)


class LosesTheLastOutcome(MemoryChannel):
    async def deliver(self, envelopes: Envelopes) -> Sequence[Outcome]:
        return (await super().deliver(envelopes))[:-1]


class AnswersNothingWithSomething(MemoryChannel):
    async def deliver(self, envelopes: Envelopes) -> Sequence[Outcome]:
        return list(await super().deliver(envelopes)) or [Accepted()]


class TurnsOutcomesRound(MemoryChannel):
    async def deliver(self, envelopes: Envelopes) -> Sequence[Outcome]:
        return list(await super().deliver(envelopes))[::-1]


class StopsAtTheFirstFailure(MemoryChannel):
    async def deliver(self, envelopes: Envelopes) -> Sequence[Outcome]:
        outcomes: list[Outcome] = []
        for envelope in envelopes:
            if outcomes and isinstance(outcomes[-1], Rejected):
                outcomes.append(Rejected(reason="the one before failed"))
            else:
                outcomes += await super().deliver([envelope])
        return outcomes


class SaysYesAndSendsNothing(MemoryChannel):
    async def deliver(self, envelopes: Envelopes) -> Sequence[Outcome]:
        return [Accepted() for _ in envelopes]


class SendsTwice(MemoryChannel):
    async def deliver(self, envelopes: Envelopes) -> Sequence[Outcome]:
        outcomes = await super().deliver(envelopes)
        self.kept += envelopes
        return outcomes


class ForgetsKeys(MemoryChannel):
    async def deliver(self, envelopes: Envelopes) -> Sequence[Outcome]:
        self._ids.clear()
        return await super().deliver(envelopes)


class NeverChecks(MemoryChannel):
    def check(self, envelope: Envelope[Content]) -> None:
        pass


class ChecksOnlyWhenAsked(MemoryChannel):
    """Its ``check`` refuses, its ``deliver`` does not look."""

    def check(self, envelope: Envelope[Content]) -> None:
        if not getattr(self, "delivering", False):
            super().check(envelope)

    async def deliver(self, envelopes: Envelopes) -> Sequence[Outcome]:
        self.delivering = True
        try:
            return await super().deliver(envelopes)
        finally:
            self.delivering = False


class CallsARefusalSomethingElse(MemoryChannel):
    async def deliver(self, envelopes: Envelopes) -> Sequence[Outcome]:
        outcomes = await super().deliver(envelopes)
        return [Deferred(reason="?") if isinstance(outcome, Rejected) else outcome for outcome in outcomes]


class Overtakes(MemoryChannel):
    async def deliver(self, envelopes: Envelopes) -> Sequence[Outcome]:
        return list(await super().deliver(list(envelopes)[::-1]))[::-1]


class MixesUpDeliveries(MemoryChannel):
    async def deliver(self, envelopes: Envelopes) -> Sequence[Outcome]:
        self.now = envelopes
        await asyncio.sleep(0)
        return await super().deliver(self.now)


class LacksAFeatureAndCarriesIt(MemoryChannel):
    def check(self, envelope: Envelope[Content]) -> None:
        if not isinstance(envelope.content, EmailContent):
            super().check(envelope)


class RefusesAFeatureItDeclares(MemoryChannel):
    def check(self, envelope: Envelope[Content]) -> None:
        super().check(envelope)
        if HEADERS in envelope.content.needs:
            raise UnsupportedFeature("email", "headers")


class SendsPromoThatCannotBeStopped(MemoryChannel):
    def check(self, envelope: Envelope[Content]) -> None:
        super().check(attrs.evolve(envelope, kind=MessageKind.SERVICE))


class NeedsASenderUntold(MemoryChannel):
    def check(self, envelope: Envelope[Content]) -> None:
        super().check(envelope)
        if envelope.sender is None:
            raise UnsupportedFeature("email", "messages without a sender")


class RefusesAtTheLimit(MemoryChannel):
    def check(self, envelope: Envelope[Content]) -> None:
        super().check(envelope)
        if envelope.content.length == self.capabilities.length_max:
            raise UnsupportedFeature("email", "so much")


class KnowsAsciiOnly(MemoryChannel):
    def check(self, envelope: Envelope[Content]) -> None:
        super().check(envelope)
        if not "".join(envelope.content.parts().values()).isascii():
            raise UnsupportedFeature("email", "foreign letters")


class ReachesEverybodySomewhere(MemoryChannel):
    def address_of(self, customer: Customer) -> Address | None:
        return super().address_of(customer) or Address("office@example.org")


class ReachesNobody(MemoryChannel):
    def address_of(self, customer: Customer) -> Address | None:
        return None


class Becomes(MemoryChannel):
    """Reports one kind of outcome as another."""

    def __init__(self, was: type, becomes: Outcome) -> None:
        super().__init__(capabilities=NO_KEYS)
        self.was, self.becomes = was, becomes

    async def deliver(self, envelopes: Envelopes) -> Sequence[Outcome]:
        outcomes = await super().deliver(envelopes)
        return [self.becomes if isinstance(outcome, self.was) else outcome for outcome in outcomes]


class RepeatsInDoubt(MemoryChannel):
    """Sends again what may have arrived, to a provider that does not know keys."""

    def __init__(self) -> None:
        super().__init__(capabilities=NO_KEYS)

    async def deliver(self, envelopes: Envelopes) -> Sequence[Outcome]:
        outcomes = await super().deliver(envelopes)
        if any(isinstance(outcome, Ambiguous) for outcome in outcomes):
            await super().deliver(envelopes)
        return outcomes


class HidesWrongCredentials(MemoryChannel):
    async def deliver(self, envelopes: Envelopes) -> Sequence[Outcome]:
        try:
            return await super().deliver(envelopes)
        except AuthError:
            return [Deferred(reason="try later") for _ in envelopes]


class ClosesForGood(MemoryChannel):
    closed = False

    async def aclose(self) -> None:
        self.closed = True

    async def deliver(self, envelopes: Envelopes) -> Sequence[Outcome]:
        assert not self.closed
        return await super().deliver(envelopes)


class ClosesOnce(MemoryChannel):
    closed = False

    async def aclose(self) -> None:
        assert not self.closed
        self.closed = True


class LogsTheAddress(MemoryChannel):
    async def deliver(self, envelopes: Envelopes) -> Sequence[Outcome]:
        for envelope in envelopes:
            logging.getLogger("pigeon").debug("sending to %s", envelope.to.value)
        return await super().deliver(envelopes)


class LogsTheContent(MemoryChannel):
    async def deliver(self, envelopes: Envelopes) -> Sequence[Outcome]:
        for envelope in envelopes:
            logging.getLogger("pigeon").info("sending", extra={}, exc_info=None)
            logging.getLogger("pigeon").info("body %s", dict(envelope.content.parts()))
        return await super().deliver(envelopes)


class ShowsTheAddressInAReason(MemoryChannel):
    async def deliver(self, envelopes: Envelopes) -> Sequence[Outcome]:
        return [Rejected(reason=f"no {envelope.to.value}") for envelope in envelopes]


class ShowsItsToken(MemoryChannel):
    def __repr__(self) -> str:
        return "ShowsItsToken(token='s3cret')"


class ShowsTheAddressInAnError(MemoryChannel):
    async def deliver(self, envelopes: Envelopes) -> Sequence[Outcome]:
        for envelope in envelopes:
            try:
                raise KeyError(envelope.to.value)
            except KeyError as error:
                message = "refused"
                raise AuthError(message) from error
        return []


class WritesHeadersAsGiven(MemoryChannel):
    """Its world gets the sender's name as a header line."""


class HoldsAConnection(MemoryChannel):
    """Its world always counts one."""


class SwallowsCancellation(MemoryChannel):
    async def deliver(self, envelopes: Envelopes) -> Sequence[Outcome]:
        try:
            await asyncio.sleep(0)
            await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            return [Accepted() for _ in envelopes]
        return await super().deliver(envelopes)


LONG = attrs.evolve(usual_capabilities("email"), length_max=100)
FEW = attrs.evolve(usual_capabilities("email"), features=frozenset())

FAULTS: list[tuple[str, Callable[[], MemoryChannel], dict[str, Any]]] = [
    ("test_each_envelope_reaches_the_world_once", LosesTheLastOutcome, {}),
    ("test_each_envelope_reaches_the_world_once", SaysYesAndSendsNothing, {}),
    ("test_each_envelope_reaches_the_world_once", SendsTwice, {}),
    ("test_nothing_gives_nothing", AnswersNothingWithSomething, {}),
    ("test_outcomes_stand_in_the_order_of_envelopes", TurnsOutcomesRound, {}),
    ("test_outcomes_stand_in_the_order_of_envelopes", StopsAtTheFirstFailure, {}),
    ("test_several_deliveries_at_a_time_do_not_disturb_each_other", MixesUpDeliveries, {}),
    ("test_envelopes_to_one_address_leave_in_their_order", Overtakes, {}),
    ("test_check_and_deliver_agree", NeverChecks, {}),
    ("test_check_and_deliver_agree", ChecksOnlyWhenAsked, {}),
    ("test_check_and_deliver_agree", CallsARefusalSomethingElse, {}),
    ("test_features_are_as_declared", lambda: LacksAFeatureAndCarriesIt(capabilities=FEW), {}),
    ("test_features_are_as_declared", RefusesAFeatureItDeclares, {}),
    ("test_length_is_as_declared", lambda: NeverChecks(capabilities=LONG), {}),
    ("test_length_is_as_declared", lambda: RefusesAtTheLimit(capabilities=LONG), {}),
    ("test_promo_email_without_unsubscribe_is_refused", SendsPromoThatCannotBeStopped, {}),
    ("test_need_of_a_sender_is_as_declared", NeedsASenderUntold, {}),
    (
        "test_line_breaks_smuggle_nothing",
        WritesHeadersAsGiven,
        {
            "raw": lambda channel: (
                lambda: "\n".join(
                    f"From: {envelope.sender.name}" for envelope in channel.attempts if envelope.sender
                ).encode()
            )
        },
    ),
    ("test_any_script_is_carried", KnowsAsciiOnly, {}),
    ("test_address_is_found_where_declared", ReachesEverybodySomewhere, {}),
    ("test_address_is_found_where_declared", ReachesNobody, {}),
    ("test_refused_for_good_is_rejected", lambda: Becomes(Rejected, Deferred(reason="?")), {}),
    ("test_refused_for_now_is_deferred", lambda: Becomes(Deferred, Rejected(reason="?")), {}),
    ("test_refused_for_now_is_deferred", lambda: Becomes(Deferred, Ambiguous(reason="?")), {}),
    ("test_no_connection_is_deferred", lambda: Becomes(Deferred, Ambiguous(reason="?")), {}),
    ("test_lost_answer_doubles_nothing", RepeatsInDoubt, {}),
    ("test_lost_answer_doubles_nothing", lambda: Becomes(Ambiguous, Deferred(reason="?")), {}),
    ("test_lost_answer_doubles_nothing", ForgetsKeys, {}),
    ("test_unreadable_answer_is_ambiguous", lambda: Becomes(Ambiguous, Accepted()), {}),
    ("test_unreadable_answer_is_ambiguous", lambda: Becomes(Ambiguous, Rejected(reason="?")), {}),
    ("test_refused_account_stops_the_run", HidesWrongCredentials, {}),
    ("test_accepted_key_is_accepted_again_and_reaches_nobody_twice", ForgetsKeys, {}),
    ("test_cancelled_delivery_holds_no_connection", SwallowsCancellation, {}),
    (
        "test_cancelled_delivery_holds_no_connection",
        HoldsAConnection,
        {"connections": lambda channel: lambda: 1},
    ),
    (
        "test_nothing_is_opened_before_the_first_message",
        HoldsAConnection,
        {"connections": lambda channel: lambda: 1},
    ),
    ("test_closing_may_be_repeated_and_delivering_opens_anew", ClosesForGood, {}),
    ("test_closing_may_be_repeated_and_delivering_opens_anew", ClosesOnce, {}),
    ("test_no_address_content_or_secret_is_shown", LogsTheAddress, {}),
    ("test_no_address_content_or_secret_is_shown", LogsTheContent, {}),
    ("test_no_address_content_or_secret_is_shown", ShowsTheAddressInAReason, {}),
    ("test_no_address_content_or_secret_is_shown", ShowsTheAddressInAnError, {}),
    ("test_no_address_content_or_secret_is_shown", ShowsItsToken, {"secrets": lambda channel: ["s3cret"]}),
]
