"""Makes the parts of a Crm from plain settings, and refuses settings that cannot work, by name."""

import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import attrs

from crmsdk.errors import ConfigError, DefinitionError, InputError
from crmsdk.journeys.checks import Surroundings, asked_in_vain, check
from crmsdk.journeys.definition import Journey
from crmsdk.journeys.person import Person
from crmsdk.journeys.program import Project
from crmsdk.ledgers.memory import MemoryLedger
from crmsdk.ledgers.sqlite import SqliteLedger
from crmsdk.model.catalog import Catalog
from crmsdk.model.ids import MessageId
from crmsdk.model.inputs import Identify, Track
from crmsdk.model.inputs import Input as News
from crmsdk.model.message import Message, MessageKind, Sender
from crmsdk.model.moment import to_micros
from crmsdk.model.secret import Secret
from crmsdk.model.settings import DeliveryMode, comparable
from crmsdk.model.values import Properties, properties, text
from crmsdk.model.zones import zone as known_zone
from crmsdk.policy.record import Contact, ContactState
from crmsdk.policy.ruleset import ContactPolicy, default_policy
from crmsdk.ports import Channel, Clock, Entropy, Ledger, Store, TemplateEngine
from crmsdk.runtime.clocks import SystemClock, SystemEntropy, VirtualClock
from crmsdk.runtime.dispatch import LEASE, Dispatcher
from crmsdk.runtime.intake import Refused
from crmsdk.runtime.limiter import ContactLimiter
from crmsdk.runtime.links import UNSUBSCRIBE, UnsubscribeLinks
from crmsdk.runtime.modes import Gate
from crmsdk.runtime.options import listed_journeys
from crmsdk.runtime.sending import message_kind
from crmsdk.segments.accounts import about_account
from crmsdk.segments.conditions import Predicate, predicate_of
from crmsdk.stores.memory import MemoryStore
from crmsdk.stores.opening import open_store
from crmsdk.stores.sqlite import SqliteStore
from crmsdk.templates.engine import JinjaTemplateEngine
from crmsdk.templates.standing_in import StandInTemplates
from crmsdk.wire.validation import Validator

__all__ = ["Parts", "parts_of"]


@attrs.frozen(kw_only=True)
class Parts:
    """Everything a Crm works with; ``parts_of`` makes it."""

    store: Store
    ledger: Ledger
    journeys: tuple[Journey, ...]
    policy: ContactPolicy
    channels: Mapping[str, Channel]
    senders: Mapping[str, Sender]
    templates: TemplateEngine
    project: Project
    validator: Validator | None
    gate: Gate
    active: Predicate | None
    unsubscribe: UnsubscribeLinks | None
    at_least_once: frozenset[MessageKind]
    clock: Clock
    entropy: Entropy
    worker: str

    def dispatcher(self) -> Dispatcher:
        """Make the dispatcher."""
        return Dispatcher(
            store=self.store,
            ledger=self.ledger,
            limiter=ContactLimiter(self.policy, self.ledger, zone=self.project.zone, lease=LEASE),
            templates=self.templates,
            channels=self.channels,
            senders=self.senders,
            gate=self.gate,
            secret=self.project.secret,
            active=self.active,
            zone=self.project.zone,
            links=self._links,
            at_least_once=self.at_least_once,
            worker=self.worker,
        )

    def _links(self, message: Message, person: Person) -> Mapping[str, str]:
        return {} if self.unsubscribe is None else self.unsubscribe.links(message, person)

    def set_clock(self, now: datetime) -> None:
        """Go to a moment, where the clock can be set.

        Raises:
            ConfigError: it cannot.
        """
        if not isinstance(self.clock, VirtualClock):
            raise ConfigError(
                "the clock cannot be set; open with clock=VirtualClock(start) or leave now= out"
            )
        self.clock.set(now)

    def checked_event(self, name: str, values: Properties) -> Properties:
        """Check an event against the catalog, if there is one."""
        return values if self.validator is None else self.validator.properties(name, values)

    def checked_traits(self, traits: Mapping[str, object], source: str) -> Properties:
        """Check attributes against the catalog, if there is one."""
        if self.validator is None:
            return properties(traits, "traits")
        return self.validator.traits(traits, source=source)

    def question(self, asked: object) -> Predicate:
        """Take a question as the catalog, if there is one, knows what is asked.

        Raises:
            DefinitionError: it is none; or it names what nobody declared, or compares what never compares.
        """
        return _question(asked, None if self.validator is None else self.validator.catalog)

    def sifted(self, news: Iterable[News], refused: list[Refused]) -> Iterator[News]:
        """Hand on what is as the catalog declares it, in normal form; the rest goes into ``refused``."""
        for one in news:
            try:
                yield self._declared(one)
            except InputError as error:
                refused.append(Refused(one.id, error, one))

    def _declared(self, one: News) -> News:
        if self.validator is not None and isinstance(one, Track):
            return attrs.evolve(one, properties=self.checked_event(one.name, one.properties))
        if self.validator is not None and isinstance(one, Identify):
            return attrs.evolve(one, traits=self.checked_traits(one.traits, one.source))
        return one

    def checked_zone(self, name: str | None) -> str | None:
        """Refuse a zone that does not exist."""
        if name is not None:
            known_zone(text(name, "zone"))
        return name

    def contact(self, message: str, *, channel: str, kind: str, at: datetime) -> Contact:
        """Put a contact made elsewhere into the words of the ledger."""
        return Contact(
            at=to_micros(at),
            channel=text(channel, "channel"),
            kind=message_kind(kind).value,
            purpose=message_kind(kind).value,
            sender="",
            journey="",
            campaign="",
            topic="",
            message_id=MessageId(text(message, "id")),
            priority=50,
            state=ContactState.SENT,
            lease=0,
            attempt=1,
        )

    async def close(self) -> None:
        """Let go of channels, ledger and store, in this order."""
        for channel in self.channels.values():
            await channel.aclose()
        await self.ledger.close()
        await self.store.close()


def _templates(
    given: str | os.PathLike[str] | Mapping[str, Mapping[str, str]] | TemplateEngine | None,
) -> TemplateEngine:
    match given:
        case None:
            return JinjaTemplateEngine({})
        case str() | os.PathLike():
            return JinjaTemplateEngine.from_folder(Path(given))
        case Mapping():
            return JinjaTemplateEngine(given)
        case _:
            return given


def _ledger_for(store: Store) -> Ledger:
    if isinstance(store, SqliteStore):
        store.refuse_strange_tables()
        return SqliteLedger(store.path)
    if isinstance(store, MemoryStore):
        return MemoryLedger()
    raise ConfigError(
        f"no ledger goes with {type(store).__name__} by itself; give ledger=, as SqliteLedger or MemoryLedger"
    )


def _hold_contents(engine: TemplateEngine, channels: Mapping[str, Channel]) -> None:
    """Refuse templates that become what their channel would refuse, message by message."""
    if not isinstance(engine, JinjaTemplateEngine):
        return
    for name, channel in channels.items():
        made, wanted = engine.makes(name), channel.capabilities.content
        if made is not None and not issubclass(made, wanted):
            raise ConfigError(
                f"templates: files of {name!r} become {made.__name__}, and its channel carries "
                f"{wanted.__name__}; make the engine with kinds={{{name!r}: ContentKind(...)}}"
            )


def _secret(given: str | bytes | Secret) -> bytes:
    if isinstance(given, Secret):
        return given.reveal().encode()
    return given.encode() if isinstance(given, str) else given


def _no_class(field: str, given: object) -> None:
    if isinstance(given, type):
        raise ConfigError(f"{field}: {given.__name__} is a class; give an object of it")


def _by_name(channels: Iterable[Channel]) -> dict[str, Channel]:
    out: dict[str, Channel] = {}
    for channel in channels:
        _no_class("channels", channel)
        if not isinstance(getattr(channel, "name", None), str) or not hasattr(channel, "deliver"):
            raise ConfigError(
                f"channels: {type(channel).__name__} is no Channel; "
                "wrap a Sending in ProviderChannel, a ChannelAdapter in HttpChannel"
            )
        if channel.name in out:
            raise ConfigError(f"two channels are named {channel.name!r}; give one of them another name")
        out[channel.name] = channel
    return out


def _identities(senders: Iterable[Sender]) -> dict[str, Sender]:
    out: dict[str, Sender] = {}
    for sender in senders:
        if sender.id in out:
            raise ConfigError(f"two senders have the id {sender.id!r}; give one of them another id")
        out[sender.id] = sender
    return out


def _kinds(field: str, given: Iterable[MessageKind | str]) -> frozenset[MessageKind]:
    _no_text(field, given)
    try:
        return frozenset(MessageKind(kind) for kind in given)
    except ValueError:
        raise ConfigError(f"{field}: holds no kind of message; kinds are {', '.join(MessageKind)}") from None


def _active(asked: object, catalog: Catalog | None) -> Predicate:
    try:
        return _question(asked, catalog)
    except DefinitionError as error:
        raise ConfigError(f"active: {error}") from None


def _question(asked: object, catalog: Catalog | None) -> Predicate:
    predicate = predicate_of(asked)
    fault = None if catalog is None else asked_in_vain(predicate, catalog)
    if fault is not None:
        raise DefinitionError(fault)
    return predicate


def _no_text(field: str, given: object) -> None:
    if isinstance(given, str):
        raise ConfigError(f"{field}: is one text, of which each letter would count; give a list")


def parts_of(
    url: str | Store,
    *,
    zone: str,
    journeys: Sequence[Journey] = (),
    policy: ContactPolicy | None = None,
    channels: Iterable[Channel] = (),
    templates: str | os.PathLike[str] | Mapping[str, Mapping[str, str]] | TemplateEngine | None = None,
    catalog: Catalog | None = None,
    senders: Iterable[Sender] = (),
    mode: DeliveryMode | str = DeliveryMode.RECORD,
    allowlist: Iterable[str] = (),
    active: Predicate | None = None,
    unsubscribe: str | None = None,
    at_least_once: Iterable[MessageKind | str] = (),
    secret: str | bytes | Secret = b"crmsdk",
    ledger: Ledger | None = None,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
    worker: str = "",
    warn: Callable[[str], None] | None = None,
) -> Parts:
    """Make the parts of a Crm.

    Args:
        url: ``sqlite:///crm.db``, ``memory://``, or a store.
        zone: IANA zone of people whose zone is unknown; there is no default on purpose.
        journeys: Those that take new entries.
        policy: The contact policy; ``default_policy()`` if left out.
        channels: Names unique.
        templates: A folder ``<name>/<channel>.<locale>``, a mapping of the same, or an engine.
        catalog: The tracking plan; what it does not declare is refused.
        senders: Sending identities; the first is the default.
        mode: ``off``, ``record``, ``allowlist`` or ``live``; nothing leaves unless ``live`` is said.
        allowlist: Addresses that ``allowlist`` mode may write to.
        active: Who counts as active; without it nobody counts as inactive.
        unsubscribe: The https address of the one-click page; ``{token}`` in it is replaced per person.
        at_least_once: Kinds that are sent again when nobody knows whether they left.
        secret: Key of message ids, links and address hashes. Change it, and all of them change.
        ledger: The shared ledger; by default in the store's own file.
        clock, entropy: Where time and randomness come from.
        worker: Name of this process among others; made from host and process if left out.
        warn: Called with each warning about a journey.

    Raises:
        ConfigError: a setting that cannot work.
        UnknownZone: the zone data does not hold ``zone``.
        CheckFailed: a journey that cannot run, with all its faults.
    """
    known_zone(zone)
    journeys = listed_journeys(journeys)
    engine = _templates(templates)
    named = _by_name(channels)
    _hold_contents(engine, named)
    identities = _identities(senders)
    _no_text("allowlist", allowlist)
    gate = Gate(mode, frozenset(comparable(address) for address in allowlist))
    repeated = _kinds("at_least_once", at_least_once)
    links = None if unsubscribe is None else UnsubscribeLinks(unsubscribe, _secret(secret))
    surroundings = Surroundings(
        kinds=None if catalog is None else catalog.kinds(),
        strict=catalog is not None and catalog.strict,
        variables=None
        if isinstance(engine, StandInTemplates)
        else {name: engine.variables(name) for name in engine.names()},
        channels=frozenset(named),
        senders=frozenset(identities),
        links=frozenset((UNSUBSCRIBE,) if unsubscribe else ()),
    )
    if active is not None and about_account(_active(active, catalog)):
        raise ConfigError(
            "active: is about the account's people, and the policy knows one person; ask an audience or "
            "LiveSegments, put those found on a list, and give in_list()"
        )
    for journey in journeys:
        for fault in check(journey, surroundings):
            if warn is not None:
                warn(f"journey {journey.name!r}: {fault}")
    _no_class("store", url)
    # Whatever can be refused is by now: from here on there is something to let go of.
    store = open_store(url) if isinstance(url, str) else url
    return Parts(
        store=store,
        ledger=_ledger_for(store) if ledger is None else ledger,
        journeys=journeys,
        policy=default_policy() if policy is None else policy,
        channels=named,
        senders=identities,
        templates=engine,
        project=Project(zone=zone, secret=_secret(secret)),
        validator=None if catalog is None else Validator(catalog),
        gate=gate,
        active=active,
        unsubscribe=links,
        at_least_once=repeated,
        clock=SystemClock() if clock is None else clock,
        entropy=SystemEntropy() if entropy is None else entropy,
        worker=worker or f"{socket.gethostname()}-{os.getpid()}-{id(store):x}",
    )
