"""The exported suite of the port ChannelAdapter: pure code, so every promise is checked without a network.

Subclass ``AdapterSuite`` and give it the adapter, good envelopes and recorded answers of the provider.

    class TestPigeonAdapter(AdapterSuite):
        def open_adapter(self): ...
        def envelope(self, number): ...
        def accepted(self, batch): ...
        def busy(self): ...
        def refused(self, batch): ...
        def credentials(self): ...
"""

from abc import abstractmethod
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import unquote_plus

import attrs
import pytest

from crmsdk.channels.delivery import batch_key
from crmsdk.channels.http import HttpChannel
from crmsdk.errors import AuthError
from crmsdk.model.content import Envelope
from crmsdk.model.message import Accepted, Ambiguous, Deferred, Outcome, Rejected
from crmsdk.model.provider import Idempotency, ProviderRequest, ProviderResponse, SendContext
from crmsdk.ports import ChannelAdapter, Transport
from crmsdk.testing._sealed import SealedSuite
from crmsdk.testing.channel_suite import AT

__all__ = ["AdapterSuite", "RecordedTransport"]

_NONSENSE = (
    b"",
    b"{",
    b"[]",
    b"null",
    b"true",
    b"{}",
    b'"ok"',
    b"<html>502</html>",
    b"\xff\xfe",
    b"[[[{}]]]",
)


class RecordedTransport(Transport):
    """Answers with what was recorded, and keeps what it was asked.

    Args:
        answers: What to answer, in order.

    Attributes:
        requests: What was asked, in order.
    """

    def __init__(self, answers: Sequence[ProviderResponse | Rejected | Deferred | Ambiguous]) -> None:
        self._answers = list(answers)
        self.requests: list[ProviderRequest] = []

    async def exchange(  # type: ignore[explicit-override]  # typing has override from 3.12 on
        self, request: ProviderRequest
    ) -> ProviderResponse | Rejected | Deferred | Ambiguous:
        """Give the next recorded answer.

        Raises:
            AssertionError: nothing more was recorded.
        """
        self.requests.append(request)
        assert self._answers, "asked more often than answers were recorded"
        return self._answers.pop(0)

    async def aclose(self) -> None:  # type: ignore[explicit-override]  # the same
        """Nothing is open."""


class AdapterSuite(SealedSuite):
    """The promises of ``crmsdk.ports.ChannelAdapter``, one test each.

    Attributes:
        secrets: Tokens and passwords the adapter was given.
    """

    secrets: ClassVar[Sequence[str]] = ()

    @abstractmethod
    def open_adapter(self) -> ChannelAdapter[Any]:
        """Make the adapter."""

    @abstractmethod
    def envelope(self, number: int) -> Envelope[Any]:
        """Make a good envelope, another address for another number."""

    @abstractmethod
    def accepted(self, batch: Sequence[Envelope[Any]]) -> ProviderResponse:
        """Give the provider's answer when it takes the whole batch."""

    @abstractmethod
    def busy(self) -> ProviderResponse:
        """Give the provider's answer when it asks to wait for 60 seconds."""

    @abstractmethod
    def refused(self, batch: Sequence[Envelope[Any]]) -> ProviderResponse:
        """Give the provider's answer when it refuses every envelope for good."""

    @abstractmethod
    def credentials(self) -> ProviderResponse:
        """Give the provider's answer to wrong credentials."""

    # -- requests

    def test_same_batch_gives_same_bytes(self) -> None:
        """A repetition must be recognisable, so it is equal to the byte."""
        batch, context = self._batch()
        first = self.open_adapter().build(batch, context)
        again = self.open_adapter().build(batch, context)
        assert (first.method, first.url, first.target, first.body) == (
            again.method,
            again.url,
            again.target,
            again.body,
        )
        assert dict(first.headers) == dict(again.headers)

    def test_later_attempt_gives_the_same_body(self) -> None:
        """Time may move in a signature, never in what the recipient gets."""
        batch, context = self._batch()
        later = attrs.evolve(context, now=context.now + timedelta(minutes=10))
        adapter = self.open_adapter()
        assert adapter.build(batch, context).body == adapter.build(batch, later).body

    def test_request_carries_the_key_where_keys_are_known(self) -> None:
        """A batch that lost its key would be doubled by every repetition."""
        adapter = self.open_adapter()
        if adapter.capabilities.idempotency is not Idempotency.KEY:
            pytest.skip("the provider does not recognise keys")
        for batch in (self._batch()[0], [self.envelope(1)]):
            key = batch_key(batch)
            request = adapter.build(batch, SendContext(key=key, now=AT))
            shown = [*request.headers.values(), request.url, request.body.decode("utf-8", "replace")]
            assert any(key in text for text in shown)

    def test_each_envelope_is_in_the_request(self) -> None:
        """No envelope of a batch is forgotten."""
        batch, context = self._batch()
        request = self.open_adapter().build(batch, context)
        written = request.url + request.body.decode("utf-8", "replace")
        for envelope in batch:
            assert any(envelope.to.value in text for text in (written, unquote_plus(written))), (
                "an address stands neither in the url nor in the body, plain or percent-encoded"
            )

    def test_no_secret_stands_in_what_is_logged(self) -> None:
        """Clients log addresses, and people log reprs."""
        batch, context = self._batch()
        adapter = self.open_adapter()
        request = adapter.build(batch, context)
        for secret in self.secrets:
            assert secret not in request.url, "a secret stands in the url; put it into target or a header"
            assert secret not in repr(request), "the repr of the request shows a secret"
            assert secret not in repr(adapter), "the repr of the adapter shows a secret"
            assert secret not in repr(vars(adapter)), (
                "an attribute of the adapter shows a secret; keep a Secret"
            )

    # -- answers

    def test_accepted_batch_gives_one_acceptance_each(self) -> None:
        """One outcome an envelope."""
        batch, _ = self._batch()
        outcomes = self.open_adapter().parse(batch, self.accepted(batch))
        assert [type(outcome) for outcome in outcomes] == [Accepted] * len(batch)

    def test_refused_batch_gives_one_refusal_each(self) -> None:
        """One outcome an envelope, and none of them hopes."""
        batch, _ = self._batch()
        outcomes = self.open_adapter().parse(batch, self.refused(batch))
        assert [type(outcome) for outcome in outcomes] == [Rejected] * len(batch)

    def test_request_to_wait_is_deferred_for_as_long_as_asked(self) -> None:
        """The provider's own time counts."""
        batch, _ = self._batch()
        for outcome in self.open_adapter().parse(batch, self.busy()):
            assert isinstance(outcome, Deferred)
            assert outcome.retry_after == timedelta(seconds=60)

    def test_wrong_credentials_are_an_error(self) -> None:
        """They concern the account and no message."""
        batch, _ = self._batch()
        with pytest.raises(AuthError):
            self.open_adapter().parse(batch, self.credentials())

    @pytest.mark.parametrize("status", [200, 202, 302, 400, 404, 409, 422, 500, 502, 503])
    @pytest.mark.parametrize("body", _NONSENSE)
    def test_any_answer_gives_one_outcome_each(self, status: int, body: bytes) -> None:
        """Whatever comes back, no envelope is without an outcome, and no other error is raised."""
        batch, _ = self._batch()
        outcomes: Sequence[Outcome]
        try:
            outcomes = self.open_adapter().parse(batch, ProviderResponse(status=status, body=body))
        except AuthError:
            return
        assert len(outcomes) == len(batch)
        for outcome in outcomes:
            assert isinstance(outcome, Accepted | Rejected | Deferred | Ambiguous)

    @pytest.mark.parametrize("body", _NONSENSE)
    def test_unreadable_success_is_no_failure(self, body: bytes) -> None:
        """The provider may have taken it: sending again could double it."""
        batch, _ = self._batch()
        for outcome in self.open_adapter().parse(batch, ProviderResponse(status=200, body=body)):
            assert isinstance(outcome, Accepted | Ambiguous)

    @pytest.mark.parametrize("status", [500, 502, 504])
    def test_failing_server_is_no_refusal(self, status: int) -> None:
        """A server that fails has decided nothing about the recipient."""
        batch, _ = self._batch()
        answer = ProviderResponse(status=status, body=b"<html>error</html>")
        for outcome in self.open_adapter().parse(batch, answer):
            assert isinstance(outcome, Ambiguous | Deferred)

    def test_outcomes_show_no_address(self) -> None:
        """Reasons end up in logs and reports."""
        batch, _ = self._batch()
        for answer in (self.accepted(batch), self.refused(batch), self.busy()):
            shown = repr(self.open_adapter().parse(batch, answer))
            assert not any(envelope.to.value in shown for envelope in batch)

    # -- with the runner

    def test_it_runs_in_a_channel(self) -> None:
        """The adapter and the runner fit together, without a loop or a network."""
        adapter = self.open_adapter()
        batch = [self.envelope(1)]
        transport = RecordedTransport([self.accepted(batch)])
        call = HttpChannel(adapter, client=transport, parallel=1).deliver(batch)
        with pytest.raises(StopIteration) as finished:
            call.send(None)
        assert [type(outcome) for outcome in finished.value.value] == [Accepted]
        assert len(transport.requests) == 1

    def _batch(self) -> tuple[Sequence[Envelope[Any]], SendContext]:
        size = min(self.open_adapter().capabilities.batch_max, 3)
        batch = [self.envelope(number) for number in range(1, size + 1)]
        return batch, SendContext(key=batch_key(batch), now=AT)
