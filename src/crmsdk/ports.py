"""Every port of crmsdk on one page: what the outside must provide, with its promises.

A promise in a docstring here is one test of the port's exported suite in ``crmsdk.testing``. Ports are
async; ports that live in memory never suspend, so a simulation drives them without an event loop.
"""

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Protocol, TypeVar

import attrs

from crmsdk.journeys.person import Change, Note, Person, Task
from crmsdk.model.address import Address
from crmsdk.model.content import Content, Envelope
from crmsdk.model.customer import Customer, Identifier
from crmsdk.model.event import Event
from crmsdk.model.ids import AccountId, CustomerId, EventId, MessageId
from crmsdk.model.message import Ambiguous, Deferred, Message, MessageKind, Outcome, Rejected
from crmsdk.model.provider import Capabilities, ProviderRequest, ProviderResponse, SendContext
from crmsdk.model.rendering import Rendered
from crmsdk.model.values import Properties
from crmsdk.policy.answer import Lease
from crmsdk.policy.record import Answer, Contact, InDoubt, Reserve, Standing, Suppression
from crmsdk.segments.conditions import Predicate, Segment
from crmsdk.segments.memberships import Memberships

__all__ = [
    "Audience",
    "Channel",
    "ChannelAdapter",
    "Clock",
    "Entropy",
    "Ledger",
    "Sending",
    "Store",
    "StoredDefinition",
    "TemplateEngine",
    "Transport",
]

C_contra = TypeVar("C_contra", bound=Content, contravariant=True)


class Clock(Protocol):
    """Tells the time; the only place the shell gets it from."""

    @abstractmethod
    def now(self) -> datetime:
        """Give the present moment, aware, UTC; never earlier than given before."""


class Entropy(Protocol):
    """Gives randomness; the only place the shell gets it from."""

    @abstractmethod
    def bytes(self, count: int) -> bytes:
        """Give so many random bytes."""


# ---------------------------------------------------------------------------------------------- Store


@attrs.frozen(kw_only=True)
class StoredDefinition:
    """A journey as it was when somebody entered it.

    Attributes:
        hash: Content hash of the definition.
        name: The journey's name.
        text: Its canonical JSON.
    """

    hash: str
    name: str
    text: str = attrs.field(repr=False)


class Store(Protocol):
    """Keeps people, their runs, the outbox and the timeline.

    Promises that hold for every method: where ``durable`` is true, what was returned as written survives the
    death of the process, and several processes may use one store at a time; a failed call wrote nothing;
    moments come back as they went in, to the microsecond. Raises ``StoreBusy``, ``StoreFull`` or another
    ``StoreError``, never a driver's own error. Sequences come as lists.
    """

    durable: ClassVar[bool]
    """Whether what is written survives the process and is shared with others."""

    @abstractmethod
    async def load(self, customers: Sequence[CustomerId]) -> Sequence[Person | None]:
        """Read whole people, in the order asked for; None for one never stored or since absorbed."""

    @abstractmethod
    async def owners(self, identifiers: Sequence[Identifier]) -> Mapping[Identifier, CustomerId]:
        """Say which customer owns each identifier; identifiers nobody owns are left out."""

    @abstractmethod
    async def find_events(self, ids: Sequence[EventId]) -> Mapping[EventId, Event]:
        """Read events by id, whoever's they are; unknown ids are left out."""

    @abstractmethod
    async def commit(self, changes: Sequence[Change]) -> Sequence[bool]:
        """Write each change whole, or not at all if anybody wrote that person since it was read.

        A change is refused (False) when the stored version of the person, or of one it absorbs, differs from
        the version read (0: not stored), when one of its new identifiers belongs to another customer, or when
        one of its new event ids is already stored. The others of the batch are written all the same, each
        after the one before it, in one transaction. A written person's version has grown by one.

        Messages and tasks are written as given, as the person's. Then pending messages and unanswered tasks
        of withdrawn runs are deleted; a message that is being sent is not. Notes keep their order.

        An absorbed customer is gone afterwards: ``person`` holds its facts and runs, listed as new or not,
        and its messages, tasks and notes belong to ``person``. Events read back name ``person`` as their
        customer, also those in ``facts`` and those found by id.

        Raises:
            StoreError: a change absorbs its own person; nothing of the batch was written.
        """

    @abstractmethod
    async def due(self, now: datetime, *, limit: int) -> Sequence[CustomerId]:
        """Name people whose wake is at or before ``now``, earliest first, ties by customer id."""

    @abstractmethod
    async def next_due(self, *, paused: frozenset[str] = frozenset()) -> datetime | None:
        """Give the earliest moment at which ``due`` or ``claim`` will have something; None for never.

        Messages of paused journeys do not count.
        """

    @abstractmethod
    async def rouse(self, journey: str, now: datetime) -> int:
        """Wake everybody with a living run of the journey at ``now``, if not earlier; say how many.

        It counts as a write of the person: whoever read the person before is refused, so no wake is lost.
        """

    @abstractmethod
    async def claim(
        self, now: datetime, *, limit: int, worker: str, lease: datetime, paused: frozenset[str] = frozenset()
    ) -> Sequence[Message]:
        """Take messages to send: no other worker gets them until ``lease``.

        Taken are pending ones whose ``not_before`` is at or before ``now`` and whose lease is free or over
        (at its very moment it is over), and ``sending`` ones whose lease is over (their worker died; they
        come back as ``sending``). Messages of paused journeys are left alone. Order: ``Message.order``. The
        returned rows carry the new worker and lease.
        """

    @abstractmethod
    async def settle(
        self,
        messages: Sequence[Message],
        *,
        worker: str,
        notes: Mapping[MessageId, Sequence[Note]] | None = None,
    ) -> Sequence[bool]:
        """Write claimed messages back without touching their people, in one transaction; none comes twice.

        One is refused (False), and nothing of it written, when its row is gone, is final, or is held by
        another worker (over or not, its lease is not free). The others are written all the same. A row takes
        worker and lease from its message (None frees it), and stays with the customer it belongs to by now,
        who gets the notes about this message.
        """

    @abstractmethod
    async def messages(self, ids: Sequence[MessageId]) -> Sequence[Message | None]:
        """Read messages by id, in the order asked for."""

    @abstractmethod
    async def messages_of(
        self, customers: Sequence[CustomerId], *, since: datetime | None = None
    ) -> Sequence[Sequence[Message]]:
        """Read the messages of each customer, in the order asked for; those of one by (due, id).

        With ``since`` only those due then or later.
        """

    @abstractmethod
    async def notes_of(
        self, customers: Sequence[CustomerId], *, since: datetime | None = None
    ) -> Sequence[Sequence[Note]]:
        """Read the timeline of each customer, in the order asked for, each oldest first.

        Notes of one moment come in the order written. With ``since`` only those of then or later.
        """

    @abstractmethod
    async def tasks(
        self, *, customers: Collection[CustomerId] | None = None, open_only: bool = True
    ) -> Sequence[Task]:
        """Read tasks, of these customers or of all, by (deadline, id)."""

    @abstractmethod
    async def customers(self, *, after: CustomerId | None = None, limit: int) -> Sequence[CustomerId]:
        """Page through all customer ids in text order."""

    @abstractmethod
    async def customers_of(self, account: AccountId) -> Sequence[CustomerId]:
        """Name everybody who was ever written into an account, in text order, each once.

        These are the people whose log holds the account as a value of ``crmsdk.account``, whatever its
        moment: who left it since is among them, and who comes to it later. Accounts are compared as
        ``crmsdk.model.colleagues.account_key`` gives them. What an absorbed customer wrote is the person's.
        """

    @abstractmethod
    async def save_definitions(self, definitions: Sequence[StoredDefinition]) -> None:
        """Keep definitions as the newest; one whose hash is there keeps its text and becomes the newest."""

    @abstractmethod
    async def definitions(self) -> Sequence[StoredDefinition]:
        """Read all kept definitions, the newest last."""

    @abstractmethod
    async def set_paused(self, journey: str, paused: bool) -> None:  # noqa: FBT001 - the value is the point
        """Remember that a journey is paused, or no longer is."""

    @abstractmethod
    async def paused(self) -> frozenset[str]:
        """Name the paused journeys."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of files and connections; further calls raise ``StoreError``."""


# -------------------------------------------------------------------------------------------- Channel


class Channel(Protocol):
    """Hands messages of one kind to the world; the one face the runtime knows.

    Built by wrapping a ``ChannelAdapter`` (HTTP) or a ``Sending`` (anything else) into a
    ``crmsdk.channels.delivery.ProviderChannel``, or written directly.

    Promises that hold for every method: no repr, log record or error shows an address, a content or a
    secret; nothing is opened before the first message; only errors of ``crmsdk.errors`` leave.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """The kind of channel, as ``email``; the policy rules by it, messages ask for it."""

    @property
    @abstractmethod
    def capabilities(self) -> Capabilities:
        """What it can do; never changes."""

    @abstractmethod
    def address_of(self, customer: Customer) -> Address | None:
        """Find where the customer is reached; None when nowhere. It reads nothing but the customer."""

    @abstractmethod
    def check(self, envelope: Envelope[Content]) -> None:
        """Say without sending whether it could carry this.

        Raises:
            UnsupportedFeature: another content class, too long, a feature it has not, or something that a
                message of this kind must have is missing (a promo e-mail without an unsubscribe link).
        """

    @abstractmethod
    async def deliver(self, envelopes: Sequence[Envelope[Content]]) -> Sequence[Outcome]:
        """Hand envelopes over and say what became of each, one outcome an envelope, in their order.

        What fails for one concerns no other. An envelope that ``check`` would refuse is ``Rejected`` with
        code ``unsupported``. ``Deferred`` means certainly not taken; when nobody can know, it is
        ``Ambiguous``. A key accepted before is accepted again and reaches nobody twice, if
        ``capabilities.idempotency`` is ``key``; without it, an envelope that may have left is never sent
        again within the call. Envelopes to one address leave in their order. Cancelled, it stops and holds
        no connection.

        Raises:
            AuthError: the account is refused. Nothing of this call was handed over or is in doubt; otherwise
                the envelopes left over are ``Deferred`` with scope ``account`` and the next call raises.
            ConfigError: settings that cannot work; nothing of this call was handed over.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Let go of connections; may be repeated, and a later ``deliver`` opens anew."""


class ChannelAdapter(Protocol[C_contra]):
    """One provider spoken to by HTTP, without any input or output: it makes requests and reads answers."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The kind of channel, as ``email``."""

    @property
    @abstractmethod
    def capabilities(self) -> Capabilities:
        """What the provider can do; never changes."""

    @abstractmethod
    def build(self, batch: Sequence[Envelope[C_contra]], context: SendContext) -> ProviderRequest:
        """Make the request for a batch: same batch and context, same bytes.

        The batch has 1 to ``capabilities.batch_max`` envelopes, no two to one address, each within the
        capabilities. Where the provider knows keys, the request carries ``context.key``. Secrets stay out of
        ``url`` and are revealed here, not kept.

        Raises:
            UnsupportedFeature: something about the content that capabilities cannot say.
        """

    @abstractmethod
    def parse(self, batch: Sequence[Envelope[C_contra]], response: ProviderResponse) -> Sequence[Outcome]:
        """Read the answer: one outcome an envelope, in their order, whatever the answer holds.

        Raises:
            AuthError: the provider refuses the account.
        """


class Sending(Protocol[C_contra]):
    """One provider spoken to by anything but HTTP, as SMTP: it connects and sends by itself."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The kind of channel, as ``email``."""

    @property
    @abstractmethod
    def capabilities(self) -> Capabilities:
        """What the provider can do; never changes."""

    @abstractmethod
    async def send(self, batch: Sequence[Envelope[C_contra]], context: SendContext) -> Sequence[Outcome]:
        """Send a batch as described at ``ChannelAdapter.build``; one outcome an envelope, in their order.

        Several calls may run at a time.

        Raises:
            TransientError: certainly nothing was taken, all may be tried again.
            PermanentError: nothing was taken and never will be.
            UnsupportedFeature: nothing was taken; something that capabilities cannot say.
            AuthError: the provider refuses the account.
            ConfigError: settings that cannot work.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Let go of connections; may be repeated, and a later ``send`` opens anew."""


class Transport(Protocol):
    """Carries HTTP requests; the only thing of a ``ChannelAdapter``'s channel that touches the network."""

    @abstractmethod
    async def exchange(self, request: ProviderRequest) -> ProviderResponse | Rejected | Deferred | Ambiguous:
        """Carry a request and give the answer, or what is known of it when there is none.

        ``Deferred``: it certainly did not leave. ``Ambiguous``: it may have been processed. ``Rejected``: it
        is no request that can be sent at all. Redirects are not followed. Nothing of the request is logged
        but method and ``url``.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Let go of connections; may be repeated, and a later ``exchange`` opens anew."""


# ------------------------------------------------------------------------------------------- Audience


class Audience(Protocol):
    """Answers questions about everybody at once, from tables of any size; it reads and never writes.

    Sync, because an engine computes and an analyst waits. Promises that hold for every method: the answer is
    that of ``crmsdk.segments.meaning.evaluate`` about each person; ``at`` is the moment of asking, past and
    future ones are as good, and facts dated later do not count. A question that cannot be asked there raises
    ``UnsupportedQuestion``, an undeclared name ``UnknownName``, a missing table or column ``LayoutError``,
    a naive moment ``NaiveMoment``, and whatever the driver raises leaves as ``AudienceError``.
    """

    @abstractmethod
    def members(self, predicate: Predicate, *, at: datetime) -> Sequence[CustomerId]:
        """Name everybody for whom the predicate holds, in text order.

        Raises:
            TooManyRows: there are more than may be read into memory.
        """

    @abstractmethod
    def count(self, predicate: Predicate, *, at: datetime) -> int:
        """Count them without naming anybody."""

    @abstractmethod
    def memberships(self, segments: Sequence[Segment], *, at: datetime) -> Memberships:
        """Answer many segments about everybody in one pass.

        Raises:
            DefinitionError: no segment, or two of one name.
            TooManyRows: there are more people than may be read into memory.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections that were opened here; further calls raise ``AudienceError``."""


# ------------------------------------------------------------------------------------------ Templates


class TemplateEngine(Protocol):
    """Turns a named template and one person's values into final content; it computes and never waits.

    Promises that hold for every method: nothing but the templates given at its making is ever read; no
    error shows a value; only ``TemplateError`` leaves.
    """

    @abstractmethod
    def names(self) -> Sequence[str]:
        """Name all templates, in text order."""

    @abstractmethod
    def variables(self, name: str) -> Mapping[str, frozenset[str]]:
        """Name the variables each file of a template cannot be rendered without.

        Keys are ``<channel>.<locale>``. Variables with a fallback in the template itself do not count, nor
        does ``locale``, which the engine gives. Nothing is rendered.

        Raises:
            TemplateError: there is no such template, or one of its files is broken.
        """

    @abstractmethod
    def render(
        self, name: str, channel: str, *, locale: str | None, values: Properties, kind: MessageKind
    ) -> Rendered:
        """Fill a template in. The same arguments give the same content.

        Args:
            name: The template.
            channel: The kind of channel, as ``email``.
            locale: BCP 47 tag the person reads; None when unknown. Found is the exact locale, else its
                language, else the engine's default.
            values: What the template may show. A value of None is a missing one.
            kind: Why the message is sent; warnings depend on it.

        Raises:
            TemplateError: no such template, no file for channel and locale, a broken file, a missing
                variable, or a result that no content can be made of.
        """


# --------------------------------------------------------------------------------------------- Ledger


class Ledger(Protocol):
    """Keeps each person's contacts, so that limits hold over all processes, channels and journeys.

    A ledger sees integers and texts: moments are microseconds since 1970, zones and rules were resolved
    before (``crmsdk.policy.record`` holds its words, ``crmsdk.policy.limits`` the meaning of a
    limit). One person is one atomic unit. A contact is ``sending`` while leased to a worker, then ``sent``;
    it takes a place from its reserve on, whatever its state. A lease that ended frees nothing: the contact
    is in doubt, stays counted, and only the same message may take its place over.

    Promises that hold for every method: what was answered survives the death of the process where
    ``durable`` is true; a failed call wrote nothing; a batch is answered in its order. After
    ``move(a, b)``, calls that still name ``a`` act on ``b``. Raises ``StoreBusy``, ``StoreFull`` or another
    ``StoreError``, never a driver's own error; ``InputError`` for a batch of more than 1,000.
    """

    durable: ClassVar[bool]
    """Whether contacts survive the process and are shared with others."""

    @abstractmethod
    async def reserve(self, batch: Sequence[Reserve]) -> Sequence[Answer]:
        """Take a place for each message, or say what stands against it. Each sees those before it.

        The first option is taken that no suppression stops and whose checks all hold: counted are contacts
        with ``at > bound``, so one exactly a window old counts no more; filters and distinct values as in
        ``Check``. The new contact is ``sending``, with attempt 1, the moment ``now`` (or that of the
        person's last contact, if that is later) and a lease until ``now + lease``. A refused message leaves
        no trace. Nothing is taken for a message that has a place already, with one exception: its own lease
        is over and an option names its channel, which is not suppressed. Then it takes its place over
        unchecked, keeping the moment, with the next attempt and a new lease.

        Returns:
            For each its contact or None, and the standing before it.
        """

    @abstractmethod
    async def read(self, batch: Sequence[Reserve]) -> Sequence[Standing]:
        """Read what a reserve would look at, writing nothing."""

    @abstractmethod
    async def commit(self, leases: Sequence[Lease]) -> Sequence[bool]:
        """Report messages as sent; false for one without a place.

        The attempt does not matter: a message whose place was taken over meanwhile was sent all the same.
        Repeating it changes nothing.
        """

    @abstractmethod
    async def release(self, leases: Sequence[Lease]) -> Sequence[bool]:
        """Free places of messages that were certainly not sent; false where nothing was freed.

        Only a ``sending`` contact of the same attempt is freed, so that a late worker cannot free the place
        its successor took over.
        """

    @abstractmethod
    async def renew(self, lease: Lease, until: int) -> Lease | None:
        """Hold a place longer; None unless the contact is still ``sending`` in the same attempt."""

    @abstractmethod
    async def record(self, contacts: Sequence[tuple[CustomerId, Contact]]) -> Sequence[bool]:
        """Add contacts of people, made elsewhere, as sent, unchecked, at their own moments.

        False for a message id the person's ledger knows, also from earlier in the batch.
        """

    @abstractmethod
    async def entries(self, customer: CustomerId, *, since: int = 0) -> Sequence[Contact]:
        """Read a person's contacts with ``at >= since``, in the order of (moment, message id)."""

    @abstractmethod
    async def in_doubt(self, now: int, *, limit: int = 1000) -> Sequence[InDoubt]:
        """List contacts whose lease ended at or before ``now``, by (lease, message id, customer)."""

    @abstractmethod
    async def resolve(self, customer: CustomerId, message_id: MessageId, *, sent: bool, now: int) -> bool:
        """Settle a contact in doubt: sent, or freed; false, and nothing done, if it is not in doubt."""

    @abstractmethod
    async def suppress(self, suppressions: Sequence[Suppression]) -> None:
        """Stop people or addresses: no reserve after it passes. The first of equal ones is kept."""

    @abstractmethod
    async def unsuppress(self, suppressions: Sequence[Suppression]) -> Sequence[bool]:
        """Take suppressions back, each exactly; false for one that was not there."""

    @abstractmethod
    async def move(
        self, source: CustomerId, target: CustomerId, *, only: Collection[MessageId] | None = None
    ) -> Sequence[MessageId]:
        """Give one person's contacts and suppressions to another who is the same person; both sum up.

        A message that both hold is kept once, a sent one before a sending one. With ``only`` just these
        contacts are moved, no suppression is, and ``target`` is a person of its own again: this takes a
        move back. Repeating a move moves nothing.

        Returns:
            Ids of the contacts moved, in the order of (moment, id).
        """

    @abstractmethod
    async def erase(self, customer: CustomerId) -> None:
        """Remove a person: contacts, suppressions of the person, moves to or from; addresses stay suppressed.

        A message that is being sent loses its place; its commit is answered with false and restores nothing.
        """

    @abstractmethod
    async def forget(self, before: int) -> int:
        """Drop ``sent`` contacts with ``at < before``; say how many. What is in doubt stays."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of files and connections; further calls raise ``StoreError``."""
