"""Break channels and adapters on purpose: the exported suites must notice each fault."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import attrs
import pytest

from crmsdk.channels.memory import MemoryChannel, usual_capabilities
from crmsdk.channels.telegram import TelegramAdapter
from crmsdk.errors import AuthError, UnsupportedFeature
from crmsdk.model.address import Address
from crmsdk.model.content import HEADERS, ChatContent, Content, EmailContent, Envelope
from crmsdk.model.customer import Customer
from crmsdk.model.message import Accepted, Ambiguous, Deferred, MessageKind, Outcome, Rejected
from crmsdk.model.provider import Idempotency, ProviderRequest, ProviderResponse, SendContext
from crmsdk.ports import Sending
from crmsdk.testing._sealed import SealedSuite
from crmsdk.testing.adapter_suite import AdapterSuite
from crmsdk.testing.channel_suite import ChannelSuite, Trouble
from tests.channel_rigs import Rig, memory_rig
from tests.conformance import test_adapters

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


def suite_over(make: Callable[[], MemoryChannel], **changes: Any) -> ChannelSuite:
    """Make a suite over a memory rig with one channel, and some of its rig's parts replaced."""

    @asynccontextmanager
    async def open_rig(folder: Path) -> AsyncIterator[Rig]:
        channel = make()
        async with memory_rig(folder, channel) as rig:
            rig.trouble[Trouble.SILENT] = lambda: None
            for name, value in changes.items():
                setattr(rig, name, value(channel))
            yield rig

    suite: ChannelSuite = type("Suite", (ChannelSuite,), {"open_rig": staticmethod(open_rig)})()
    return suite


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


def _names(suite: type) -> set[str]:
    return {name for name in dir(suite) if name.startswith("test_")}


@pytest.mark.parametrize(
    ("promise", "make", "changes"),
    FAULTS,
    ids=[f"{promise}-{getattr(make, '__name__', '')}{n}" for n, (promise, make, _) in enumerate(FAULTS)],
)
def test_planted_fault_is_caught(
    promise: str, make: Callable[[], MemoryChannel], changes: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception, TimeoutError, IndexError)):
        getattr(suite_over(make, **changes), promise)(tmp_path)


def test_each_promise_has_a_planted_fault() -> None:
    assert _names(ChannelSuite) == {promise for promise, _, _ in FAULTS}


# -- adapters


class Broken(TelegramAdapter):
    def __init__(self) -> None:
        super().__init__("1:token", base_url="https://t.example", name="telegram", attribute="telegram_chat")


class CountsItsRequests(Broken):
    count = 0

    def build(self, batch: Sequence[Envelope[ChatContent]], context: SendContext) -> ProviderRequest:
        request = super().build(batch, context)
        CountsItsRequests.count += 1
        return attrs.evolve(request, headers={**request.headers, "X-Count": str(self.count)})


class WritesTheTime(Broken):
    def build(self, batch: Sequence[Envelope[ChatContent]], context: SendContext) -> ProviderRequest:
        request = super().build(batch, context)
        return attrs.evolve(request, body=request.body + str(context.now).encode())


class LosesTheKey(Broken):
    @property
    def capabilities(self) -> Any:
        return attrs.evolve(super().capabilities, idempotency=Idempotency.KEY)


class ForgetsTheRecipient(Broken):
    def build(self, batch: Sequence[Envelope[ChatContent]], context: SendContext) -> ProviderRequest:
        return attrs.evolve(super().build(batch, context), body=b"{}")


class PutsTheTokenIntoTheUrl(Broken):
    def build(self, batch: Sequence[Envelope[ChatContent]], context: SendContext) -> ProviderRequest:
        request = super().build(batch, context)
        return attrs.evolve(request, url=request.url.replace("***", self._token.reveal()))


class Parses(Broken):
    """Reads every answer in one way."""

    def __init__(self, outcomes: Callable[[Any, Any], Sequence[Outcome]]) -> None:
        super().__init__()
        self.outcomes = outcomes

    def parse(self, batch: Sequence[Envelope[ChatContent]], response: ProviderResponse) -> Sequence[Outcome]:
        return self.outcomes(batch, response)


def parses(outcomes: Callable[[Any, Any], Sequence[Outcome]]) -> Callable[[], Broken]:
    return lambda: Parses(outcomes)


SERVER_ERROR = (500,)
ADAPTER_FAULTS: list[tuple[str, Callable[[], Broken], tuple[object, ...]]] = [
    ("test_same_batch_gives_same_bytes", CountsItsRequests, ()),
    ("test_later_attempt_gives_the_same_body", WritesTheTime, ()),
    ("test_request_carries_the_key_where_keys_are_known", LosesTheKey, ()),
    ("test_each_envelope_is_in_the_request", ForgetsTheRecipient, ()),
    ("test_no_secret_stands_in_what_is_logged", PutsTheTokenIntoTheUrl, ()),
    ("test_accepted_batch_gives_one_acceptance_each", parses(lambda batch, _: []), ()),
    ("test_refused_batch_gives_one_refusal_each", parses(lambda batch, _: [Accepted()]), ()),
    (
        "test_request_to_wait_is_deferred_for_as_long_as_asked",
        parses(lambda batch, _: [Deferred(reason="?")]),
        (),
    ),
    ("test_wrong_credentials_are_an_error", parses(lambda batch, _: [Rejected(reason="?")]), ()),
    ("test_any_answer_gives_one_outcome_each", parses(lambda batch, _: []), (200, b"{")),
    ("test_any_answer_gives_one_outcome_each", parses(lambda batch, got: got.body["x"]), (200, b"{")),
    ("test_unreadable_success_is_no_failure", parses(lambda batch, _: [Rejected(reason="?")]), (b"{",)),
    ("test_unreadable_success_is_no_failure", parses(lambda batch, _: [Deferred(reason="?")]), (b"{",)),
    ("test_failing_server_is_no_refusal", parses(lambda batch, _: [Rejected(reason="?")]), SERVER_ERROR),
    (
        "test_outcomes_show_no_address",
        parses(lambda batch, _: [Rejected(reason=batch[0].to.value)]),
        (),
    ),
    ("test_it_runs_in_a_channel", parses(lambda batch, _: [Rejected(reason="?")]), ()),
]


@pytest.mark.parametrize(("promise", "make", "arguments"), ADAPTER_FAULTS)
def test_planted_adapter_fault_is_caught(
    promise: str, make: Callable[[], Broken], arguments: tuple[object, ...]
) -> None:
    suite = type("Suite", (test_adapters.TestTelegramAdapter,), {"open_adapter": lambda self: make()})()
    with pytest.raises((AssertionError, pytest.fail.Exception, TypeError)):
        getattr(suite, promise)(*arguments)


def test_each_adapter_promise_has_a_planted_fault() -> None:
    assert _names(AdapterSuite) == {promise for promise, _, _ in ADAPTER_FAULTS}


class SendsForms(Broken):
    def build(self, batch: Sequence[Envelope[ChatContent]], context: SendContext) -> ProviderRequest:
        form = urlencode([("phone", envelope.to.value) for envelope in batch])
        return attrs.evolve(super().build(batch, context), body=form.encode())


class FormSuite(test_adapters.TestTelegramAdapter):
    __test__ = False

    def open_adapter(self) -> Broken:
        return SendsForms()

    def envelope(self, number: int) -> Envelope[Content]:
        return attrs.evolve(super().envelope(number), to=Address(f"@person{number}"))


def test_an_address_may_stand_percent_encoded_in_a_form() -> None:
    FormSuite().test_each_envelope_is_in_the_request()


# -- slips of whoever writes a channel: the suite says what to do


class NoChannelYet(Sending[ChatContent]):
    name = "sms"
    capabilities = usual_capabilities("sms")

    async def send(self, batch: Sequence[Envelope[ChatContent]], context: SendContext) -> Sequence[Outcome]:
        return [Accepted() for _ in batch]

    async def aclose(self) -> None:
        pass


def suite_opening(open_rig: Callable[..., Any]) -> ChannelSuite:
    return type("Suite", (ChannelSuite,), {"open_rig": open_rig})()  # type: ignore[no-any-return]  # made by name


def test_a_rig_without_a_context_manager_is_explained(tmp_path: Path) -> None:
    async def undecorated(self: ChannelSuite, folder: Path) -> AsyncIterator[Rig]:
        async with memory_rig(folder) as rig:
            yield rig

    with pytest.raises(pytest.fail.Exception, match="decorate it with @asynccontextmanager"):
        suite_opening(undecorated).test_nothing_gives_nothing(tmp_path)


NOT_WRAPPED: Any = NoChannelYet()
SLIP = Rig(channel=NOT_WRAPPED, received=list, raw=bytes)


@pytest.mark.parametrize(
    ("rig", "found"),
    [
        (
            SimpleNamespace(channel=MemoryChannel("sms"), raw=bytes),
            "lacks secrets, troubles, envelope, received",
        ),
        (SLIP, "NoChannelYet is no channel.*ProviderChannel"),
    ],
)
def test_an_unfinished_rig_is_explained(rig: Any, found: str, tmp_path: Path) -> None:
    @asynccontextmanager
    async def opened(self: ChannelSuite, folder: Path) -> AsyncIterator[Any]:
        yield rig

    with pytest.raises(pytest.fail.Exception, match=found):
        suite_opening(opened).test_nothing_gives_nothing(tmp_path)


def test_a_stranger_sees_what_is_missing_and_what_was_found(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from contextlib import asynccontextmanager

        from crmsdk.testing.channel_suite import ChannelSuite
        from crmsdk.testing.store_suite import StoreSuite
        from crmsdk.stores.memory import MemoryStore

        class Forgets(MemoryStore):
            async def customers(self, **_):
                return ["nobody"]

        class TestNoRig(ChannelSuite):
            pass

        class TestForgets(StoreSuite):
            def open_store(self, folder):
                return Forgets()
        """
    )
    chosen = "test_nothing_gives_nothing or test_customers_are_paged"
    result = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider", "-k", chosen)
    result.assert_outcomes(failed=1, errors=1, deselected=result.parseoutcomes()["deselected"])
    result.stdout.fnmatch_lines(["*TestNoRig must define open_rig", "*'nobody'*"])


# -- seals


class OnePromise(SealedSuite):
    def test_it_holds(self) -> None:
        """A promise."""


def test_a_promise_cannot_be_replaced() -> None:
    with pytest.raises(TypeError, match="replaces test_it_holds"):
        type("Cheat", (OnePromise,), {"test_it_holds": lambda self: None})


def test_a_deviation_names_a_promise() -> None:
    with pytest.raises(TypeError, match="declares test_it_hold,"):
        type("Cheat", (OnePromise,), {"deviations": {"test_it_hold": "a slip of the pen"}})


def test_a_declared_deviation_is_expected_and_a_closed_gap_fails(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from crmsdk.testing._sealed import SealedSuite

        class Suite(SealedSuite):
            def test_broken(self):
                assert False

            def test_mended(self):
                pass

        class TestAdapter(Suite):
            deviations = {"test_broken": "known", "test_mended": "closed since"}
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(xfailed=1, failed=1)
