"""The exported suite of the port Channel: whoever writes a channel proves it by these promises.

Subclass ``ChannelSuite`` in a test module and give it a rig: your channel together with the world it sends
to, a server on loopback or a recorder. The suite asks the rig to make trouble, and looks at what arrived.

    class TestCarrierPigeon(ChannelSuite):
        def open_rig(self, folder):
            return PigeonRig.open()
"""

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias, assert_never

import attrs
import pytest

from crmsdk.channels.pacing import Pace
from crmsdk.errors import AuthError, InputError, UnsupportedFeature
from crmsdk.model.address import Address, ByAttribute, ByCustomer, ByIdentifier
from crmsdk.model.content import (
    BUTTONS,
    HEADERS,
    HTML,
    SILENT,
    UNSUBSCRIBE,
    Button,
    ChatContent,
    Content,
    EmailContent,
    Envelope,
    Markup,
)
from crmsdk.model.customer import Customer, Identifier
from crmsdk.model.ids import CustomerId, MessageId
from crmsdk.model.message import Accepted, Ambiguous, Deferred, MessageKind, Outcome, Rejected, Sender
from crmsdk.model.provider import Idempotency
from crmsdk.ports import Channel
from crmsdk.testing._sealed import SealedSuite

__all__ = ["AT", "ChannelRig", "ChannelSuite", "Trouble", "chat_envelope", "email_envelope", "fake_pace"]

AT: Final = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
"""The date the suite's envelopes bear."""

_WORD: Final = "Zugspitze"
"""Stands in every content; must stand in no log."""


class Trouble(StrEnum):
    """What the world does to the next message a channel hands over.

    ``REFUSED``: for good. ``BUSY``: not now. ``LOST``: it takes the message and the answer is lost, once.
    ``GARBAGE``: it takes the message and answers nonsense, always. ``UNREACHABLE``: no connection, as often
    as it is tried. ``CREDENTIALS``: the account is refused. ``SILENT``: it never answers.
    """

    REFUSED = "refused"
    BUSY = "busy"
    LOST = "lost"
    GARBAGE = "garbage"
    UNREACHABLE = "unreachable"
    CREDENTIALS = "credentials"
    SILENT = "silent"


class ChannelRig(Protocol):
    """A channel together with the world it sends to."""

    @property
    @abstractmethod
    def channel(self) -> Channel:
        """The channel under test; it must not really wait between attempts, see ``fake_pace``."""

    @property
    @abstractmethod
    def secrets(self) -> Sequence[str]:
        """Passwords and tokens it was given."""

    @property
    @abstractmethod
    def troubles(self) -> frozenset[Trouble]:
        """Which troubles the world can make; the tests of others are skipped."""

    @abstractmethod
    def envelope(self, number: int) -> Envelope[Content]:
        """Make a good envelope, another address for another number; see ``email_envelope``."""

    @abstractmethod
    def received(self) -> Sequence[MessageId]:
        """Name the messages the world took over, in order, each as often as it took it."""

    @abstractmethod
    def raw(self) -> bytes:
        """Give all bytes the world took over."""

    @abstractmethod
    def connections(self) -> int:
        """Count the connections that are open now; 0 where there are none."""

    @abstractmethod
    async def make(self, trouble: Trouble) -> None:
        """Have the world make trouble for the next message."""


def email_envelope(number: int, *, channel: str = "email") -> Envelope[Content]:
    """Make an e-mail that any e-mail channel can carry."""
    return Envelope(
        message=MessageId(f"m{number}"),
        channel=channel,
        to=Address(f"person{number}@example.org"),
        content=EmailContent(subject=f"News {_WORD}", text=f"Number {number}, {_WORD}"),
        kind=MessageKind.TRIGGER,
        at=AT,
        sender=Sender(id="news", address="news@example.com", name="The Shop"),
    )


def chat_envelope(number: int, *, channel: str = "telegram") -> Envelope[Content]:
    """Make a chat message that any chat channel can carry; its text begins with the message's id."""
    return Envelope(
        message=MessageId(f"m{number}"),
        channel=channel,
        to=Address(str(700_100_000 + number)),
        content=ChatContent(text=f"m{number} {_WORD}"),
        kind=MessageKind.TRIGGER,
        at=AT,
        sender=Sender(id="bot"),
    )


def fake_pace() -> Pace:
    """Make a pace whose clock moves only by sleeping, at once."""
    elapsed = [0.0]

    async def sleep(seconds: float) -> None:
        elapsed[0] += seconds

    return Pace(now=lambda: AT, elapsed=lambda: elapsed[0], sleep=sleep, draw=lambda: 0.5)


@attrs.frozen
class _Alien:
    """A content no channel knows."""

    length: int = 0
    needs: frozenset[str] = frozenset()

    def lacks(self, kind: MessageKind) -> str | None:  # noqa: ARG002 - the question is the port's
        """Nothing."""
        return None

    def parts(self) -> dict[str, str]:
        """Nothing."""
        return {}


_FEATURES: Final[dict[type, dict[str, dict[str, Any]]]] = {
    EmailContent: {
        HTML: {"html": f"<p>{_WORD}</p>"},
        HEADERS: {"headers": {"X-Shop": "north"}},
        UNSUBSCRIBE: {"unsubscribe_url": "https://example.com/u/1"},
    },
    ChatContent: {
        HTML: {"markup": Markup.HTML},
        BUTTONS: {"buttons": [[Button("Open", "https://example.com/")]]},
        SILENT: {"silent": True},
    },
}
_BODY: Final[dict[type, str]] = {EmailContent: "text", ChatContent: "text"}

Play: TypeAlias = Callable[[Any, ChannelRig], Coroutine[Any, Any, None]]


def _with_rig(play: Play) -> Callable[["ChannelSuite", Path], None]:
    """Turn a coroutine over a rig into a plain test: strangers may have any async plugin, or none."""

    def test(self: "ChannelSuite", tmp_path: Path) -> None:
        async def run() -> None:
            opened: Any = self.open_rig(tmp_path)
            if not hasattr(opened, "__aenter__"):
                pytest.fail("open_rig gave no async context manager; decorate it with @asynccontextmanager")
            async with opened as rig:
                _check_rig(rig)
                try:
                    await play(self, rig)
                finally:
                    await rig.channel.aclose()

        asyncio.run(run())

    test.__name__, test.__doc__ = play.__name__, play.__doc__
    return test


def _check_rig(rig: object) -> None:
    """Name at once all that a rig or its channel lacks: a rig need not name its protocol."""
    if lacking := _lacking(rig, ChannelRig):
        pytest.fail(f"the rig {type(rig).__name__} lacks {lacking}; see ChannelRig")
    channel = getattr(rig, "channel")  # noqa: B009 - the line above found it
    if lacking := _lacking(channel, Channel):
        mend = "wrap a Sending in ProviderChannel, an adapter in HttpChannel"
        pytest.fail(f"{type(channel).__name__} is no channel, it lacks {lacking}; {mend}")


def _lacking(given: object, port: type) -> str:
    asked = [name for name, member in vars(port).items() if getattr(member, "__isabstractmethod__", False)]
    return ", ".join(name for name in asked if not hasattr(given, name))


def _body_of(content: Content) -> str | None:
    """Name the field that holds the text, also of a content that is the adapter's own."""
    own = "text" if attrs.has(type(content)) and isinstance(getattr(content, "text", None), str) else None
    return _BODY.get(type(content), own)


async def _trouble(rig: ChannelRig, trouble: Trouble) -> None:
    if trouble not in rig.troubles:
        pytest.skip(f"the rig cannot make the trouble {trouble.value!r}")
    await rig.make(trouble)


async def _one(rig: ChannelRig, envelope: Envelope[Content]) -> Outcome:
    outcomes = await rig.channel.deliver([envelope])
    assert len(outcomes) == 1
    return outcomes[0]


def _changed(envelope: Envelope[Content], **changes: Any) -> Envelope[Content]:
    content: Any = envelope.content
    return attrs.evolve(envelope, content=attrs.evolve(content, **changes))


class ChannelSuite(SealedSuite):
    """The promises of ``crmsdk.ports.Channel``, one test each."""

    @abstractmethod
    def open_rig(self, folder: Path) -> AbstractAsyncContextManager[ChannelRig]:
        """Set the channel up together with its world; ``folder`` is an empty one to use."""

    # -- outcomes: one an envelope, in order

    @_with_rig
    async def test_nothing_gives_nothing(self, rig: ChannelRig) -> None:
        """No envelopes, no outcomes, nothing sent."""
        assert list(await rig.channel.deliver([])) == []
        assert list(rig.received()) == []

    @_with_rig
    async def test_each_envelope_reaches_the_world_once(self, rig: ChannelRig) -> None:
        """Accepted means taken over, and taken over once."""
        envelopes = [rig.envelope(number) for number in range(7)]
        outcomes = await rig.channel.deliver(envelopes)
        assert len(outcomes) == len(envelopes), "not one outcome an envelope"
        assert [outcome for outcome in outcomes if not isinstance(outcome, Accepted)] == []
        assert sorted(rig.received()) == sorted(envelope.message for envelope in envelopes)

    @_with_rig
    async def test_outcomes_stand_in_the_order_of_envelopes(self, rig: ChannelRig) -> None:
        """What fails for one concerns no other, and its outcome stands at its place."""
        envelopes = [rig.envelope(number) for number in range(5)]
        envelopes[3] = attrs.evolve(envelopes[3], content=_Alien())
        outcomes = await rig.channel.deliver(envelopes)
        assert [isinstance(outcome, Rejected) for outcome in outcomes] == [False, False, False, True, False]
        assert sorted(rig.received()) == ["m0", "m1", "m2", "m4"]

    @_with_rig
    async def test_several_deliveries_at_a_time_do_not_disturb_each_other(self, rig: ChannelRig) -> None:
        """Workers share one channel."""
        calls = [rig.channel.deliver([rig.envelope(number)]) for number in range(6)]
        outcomes = await asyncio.gather(*calls)
        assert [outcome for (outcome,) in outcomes if not isinstance(outcome, Accepted)] == []
        assert sorted(rig.received()) == [f"m{number}" for number in range(6)]

    @_with_rig
    async def test_envelopes_to_one_address_leave_in_their_order(self, rig: ChannelRig) -> None:
        """Whatever goes side by side, one person's messages do not overtake each other."""
        to = rig.envelope(0).to
        envelopes = [attrs.evolve(rig.envelope(number), to=to) for number in range(6)]
        await rig.channel.deliver(envelopes)
        assert list(rig.received()) == [envelope.message for envelope in envelopes]

    # -- refused before sending

    @_with_rig
    async def test_check_and_deliver_agree(self, rig: ChannelRig) -> None:
        """What ``check`` refuses, ``deliver`` rejects with code ``unsupported`` and does not send."""
        alien = attrs.evolve(rig.envelope(1), content=_Alien())
        with pytest.raises(UnsupportedFeature):
            rig.channel.check(alien)
        outcome = await _one(rig, alien)
        assert isinstance(outcome, Rejected)
        assert outcome.code == "unsupported"
        rig.channel.check(rig.envelope(2))
        assert isinstance(await _one(rig, rig.envelope(2)), Accepted)
        assert list(rig.received()) == ["m2"]

    @_with_rig
    async def test_features_are_as_declared(self, rig: ChannelRig) -> None:
        """Each feature is carried where it is declared and refused where it is not."""
        good = rig.envelope(1)
        known = _FEATURES.get(type(good.content), {})
        for number, (feature, changes) in enumerate(known.items(), 10):
            asking = attrs.evolve(_changed(good, **changes), message=MessageId(f"m{number}"))
            asking = attrs.evolve(asking, to=rig.envelope(number).to)
            outcome = await _one(rig, asking)
            if feature in rig.channel.capabilities.features:
                assert isinstance(outcome, Accepted), f"{feature} is declared and was not carried"
            else:
                assert isinstance(outcome, Rejected), f"{feature} is not declared and was not refused"
                assert f"m{number}" not in rig.received()

    @_with_rig
    async def test_length_is_as_declared(self, rig: ChannelRig) -> None:
        """The longest content is carried, one more is refused."""
        longest = rig.channel.capabilities.length_max
        good = rig.envelope(1)
        body = _body_of(good.content)
        if longest is None or body is None:
            pytest.skip("it declares no limit, or its own content has no field 'text' that is a str")
        whole = getattr(good.content, body)
        fits = _changed(good, **{body: whole + "x" * (longest - good.content.length)})
        beyond = _changed(good, **{body: whole + "x" * (longest - good.content.length + 1)})
        if (fits.content.length, beyond.content.length) != (longest, longest + 1):
            pytest.skip("its own content does not count an 'x' as one")
        assert isinstance(await _one(rig, beyond), Rejected)
        assert isinstance(await _one(rig, fits), Accepted)

    @_with_rig
    async def test_promo_email_without_unsubscribe_is_refused(self, rig: ChannelRig) -> None:
        """Nobody gets a promo e-mail that cannot be stopped."""
        good = rig.envelope(1)
        if not isinstance(good.content, EmailContent):
            pytest.skip("it carries no e-mail")
        promo = attrs.evolve(_changed(good, unsubscribe_url=None), kind=MessageKind.PROMO)
        outcome = await _one(rig, promo)
        assert isinstance(outcome, Rejected)
        assert list(rig.received()) == []

    @_with_rig
    async def test_need_of_a_sender_is_as_declared(self, rig: ChannelRig) -> None:
        """Without a sender an envelope is refused exactly where a sender is declared as needed."""
        outcome = await _one(rig, attrs.evolve(rig.envelope(1), sender=None))
        assert isinstance(outcome, Rejected if rig.channel.capabilities.sender else Accepted)

    @_with_rig
    async def test_line_breaks_smuggle_nothing(self, rig: ChannelRig) -> None:
        """No name, address or subject adds a header, a recipient or a command."""
        good = rig.envelope(1)
        for end in ("\r\n", "\n", "\r"):
            smuggled = f"x{end}Bcc: evil@example.net"
            with pytest.raises(InputError):
                Address(f"a@example.org{end}Bcc: evil@example.net")
            sender = Sender(id="s", name=smuggled, address="news@example.com")
            await rig.channel.deliver([attrs.evolve(good, sender=sender)])
            sender = Sender(id="s", address=f"news@example.com{end}Bcc: evil@example.net")
            await rig.channel.deliver([attrs.evolve(good, sender=sender)])
            sender = Sender(id="s", address="news@example.com", reply_to=smuggled)
            await rig.channel.deliver([attrs.evolve(good, sender=sender)])
        for line in rig.raw().splitlines():
            assert not line.lower().startswith(b"bcc:")

    @_with_rig
    async def test_any_script_is_carried(self, rig: ChannelRig) -> None:
        """Cyrillic, emoji and right-to-left text are texts as any other."""
        good = rig.envelope(1)
        body = _body_of(good.content)
        if body is None:
            pytest.skip("its own content has no field 'text' that is a str")
        text = getattr(good.content, body) + " Привет, 👩‍🚀! שלום 日本"
        scripts, longest = _changed(good, **{body: text}), rig.channel.capabilities.length_max
        if longest is not None and scripts.content.length > longest:
            pytest.skip("its limit leaves no room for a text of several scripts")
        assert isinstance(await _one(rig, scripts), Accepted)

    # -- addresses

    @_with_rig
    async def test_address_is_found_where_declared(self, rig: ChannelRig) -> None:
        """A customer with the declared identifier or attribute is reached, another one is not."""
        nobody = Customer(id=CustomerId("c1"), created=AT)
        source = rig.channel.capabilities.address
        wanted = rig.envelope(1).to.value
        match source:
            case ByIdentifier(kind):
                somebody = attrs.evolve(nobody, identifiers=(Identifier(kind, wanted),))
            case ByAttribute(name):
                somebody = attrs.evolve(nobody, attributes={name: wanted})
            case ByCustomer():
                assert rig.channel.address_of(nobody) == Address("c1")
                return
            case _:
                assert_never(source)
        assert rig.channel.address_of(somebody) == Address(wanted)
        assert rig.channel.address_of(nobody) is None

    # -- trouble

    @_with_rig
    async def test_refused_for_good_is_rejected(self, rig: ChannelRig) -> None:
        """A final refusal concerns one envelope and leaves the channel in order."""
        await _trouble(rig, Trouble.REFUSED)
        assert isinstance(await _one(rig, rig.envelope(1)), Rejected)
        assert isinstance(await _one(rig, rig.envelope(2)), Accepted)
        assert list(rig.received()) == ["m2"]

    @_with_rig
    async def test_refused_for_now_is_deferred(self, rig: ChannelRig) -> None:
        """Deferred means certainly not taken."""
        await _trouble(rig, Trouble.BUSY)
        assert isinstance(await _one(rig, rig.envelope(1)), Deferred)
        assert list(rig.received()) == []

    @_with_rig
    async def test_no_connection_is_deferred(self, rig: ChannelRig) -> None:
        """What never left may be tried again."""
        await _trouble(rig, Trouble.UNREACHABLE)
        assert isinstance(await _one(rig, rig.envelope(1)), Deferred)
        assert list(rig.received()) == []

    @_with_rig
    async def test_lost_answer_doubles_nothing(self, rig: ChannelRig) -> None:
        """Without keys nobody knows, and nothing is repeated; with keys the repetition is recognised."""
        await _trouble(rig, Trouble.LOST)
        outcome = await _one(rig, rig.envelope(1))
        if rig.channel.capabilities.idempotency is Idempotency.KEY:
            assert isinstance(outcome, Accepted | Ambiguous)
            assert isinstance(await _one(rig, rig.envelope(1)), Accepted)
        else:
            assert isinstance(outcome, Ambiguous)
        assert list(rig.received()) == ["m1"]

    @_with_rig
    async def test_unreadable_answer_is_ambiguous(self, rig: ChannelRig) -> None:
        """An answer nobody can read is neither success nor failure."""
        await _trouble(rig, Trouble.GARBAGE)
        assert isinstance(await _one(rig, rig.envelope(1)), Ambiguous)

    @_with_rig
    async def test_refused_account_stops_the_run(self, rig: ChannelRig) -> None:
        """With wrong credentials nothing can leave, so it is an error and no outcome."""
        await _trouble(rig, Trouble.CREDENTIALS)
        with pytest.raises(AuthError):
            await rig.channel.deliver([rig.envelope(1)])
        assert list(rig.received()) == []

    @_with_rig
    async def test_accepted_key_is_accepted_again_and_reaches_nobody_twice(self, rig: ChannelRig) -> None:
        """After a crash the same envelope comes again, byte for byte."""
        if rig.channel.capabilities.idempotency is not Idempotency.KEY:
            pytest.skip("it does not recognise keys")
        first = await _one(rig, rig.envelope(1))
        again = await _one(rig, rig.envelope(1))
        assert isinstance(first, Accepted)
        assert first == again
        assert list(rig.received()) == ["m1"]

    @_with_rig
    async def test_cancelled_delivery_holds_no_connection(self, rig: ChannelRig) -> None:
        """Cancelled in the middle, it stops, and nothing stays open once it is closed."""
        await _trouble(rig, Trouble.SILENT)
        task = asyncio.create_task(_one(rig, rig.envelope(1)))
        for _ in range(2_000):  # turns of the loop, no time: until it is on its way
            await asyncio.sleep(0)
            if rig.connections():
                break
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await rig.channel.aclose()
        await _until(lambda: rig.connections() == 0)

    # -- life

    @_with_rig
    async def test_nothing_is_opened_before_the_first_message(self, rig: ChannelRig) -> None:
        """Making a channel, asking it and closing it costs no connection."""
        rig.channel.check(rig.envelope(1))
        rig.channel.address_of(Customer(id=CustomerId("c1"), created=AT))
        await rig.channel.deliver([])
        assert rig.connections() == 0

    @_with_rig
    async def test_closing_may_be_repeated_and_delivering_opens_anew(self, rig: ChannelRig) -> None:
        """Closing lets go of everything and forbids nothing."""
        assert isinstance(await _one(rig, rig.envelope(1)), Accepted)
        await rig.channel.aclose()
        await rig.channel.aclose()
        await _until(lambda: rig.connections() == 0)
        assert isinstance(await _one(rig, rig.envelope(2)), Accepted)

    @_with_rig
    async def test_no_address_content_or_secret_is_shown(self, rig: ChannelRig) -> None:
        """Reprs, log records and errors stay free of them, in success and in trouble."""
        shown = _Shown()
        with shown:
            shown.text(repr(rig.channel), str(rig.channel.capabilities), repr(vars(rig.channel)))
            texts = set(rig.envelope(1).content.parts().values())
            for number, trouble in enumerate([None, *sorted(rig.troubles - {Trouble.SILENT})], 1):
                if trouble is not None:
                    await rig.make(trouble)
                envelope = rig.envelope(number)
                shown.text(repr(envelope))
                try:
                    shown.text(repr(await rig.channel.deliver([envelope])))
                except Exception as error:  # noqa: BLE001 - whatever it is, it is shown to somebody
                    shown.error(error)
        addresses = [rig.envelope(number).to.value for number in range(1, len(Trouble) + 2)]
        for kind, all_hidden in (("address", addresses), ("secret", rig.secrets), ("text", (_WORD, *texts))):
            for hidden in all_hidden:
                found = [text for text in shown.texts if hidden and hidden in text]
                assert found == [], f"a repr, an attribute, a log record or an error shows a {kind}"


class _Shown(logging.Handler):
    """Collects whatever a person could see: log records of every library, reprs and errors."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def __enter__(self) -> None:
        root = logging.getLogger()
        self._level = root.level
        root.setLevel(logging.DEBUG)
        root.addHandler(self)

    def __exit__(self, *_: object) -> None:
        root = logging.getLogger()
        root.removeHandler(self)
        root.setLevel(self._level)

    def emit(self, record: logging.LogRecord) -> None:  # type: ignore[explicit-override]  # typing has override from 3.12 on
        """Keep a record with everything it holds."""
        self.texts += [record.getMessage(), repr(record.args), repr(record.exc_info)]

    def text(self, *texts: str) -> None:
        """Keep texts."""
        self.texts.extend(texts)

    def error(self, error: BaseException | None) -> None:
        """Keep an error with all that led to it and is shown with it."""
        while error is not None:
            self.texts += [str(error), repr(error), repr(vars(error))]
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


async def _until(condition: Callable[[], bool]) -> None:
    """Give the loop turns until something holds; a second at most."""
    async with asyncio.timeout(1):
        while not condition():  # noqa: ASYNC110 - a foreign world tells no event
            await asyncio.sleep(0.001)
