"""The settings of a Crm as types, so that an editor completes them and a type checker reads them."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Required, TypedDict

from crmsdk.journeys.definition import Journey
from crmsdk.model.catalog import Catalog
from crmsdk.model.message import MessageKind, Sender
from crmsdk.model.secret import Secret
from crmsdk.model.settings import DeliveryMode
from crmsdk.policy.ruleset import ContactPolicy
from crmsdk.ports import Channel, Clock, Entropy, Ledger, TemplateEngine
from crmsdk.segments.grammar import Predicate

__all__ = ["Options", "Rules"]


class Rules(TypedDict, total=False):
    """What decides, in production and in simulation alike; ``parts_of`` explains each."""

    policy: ContactPolicy | None
    catalog: Catalog | None
    senders: Iterable[Sender]
    active: Predicate | None
    unsubscribe: str | None
    at_least_once: Iterable[MessageKind | str]
    secret: str | bytes | Secret
    templates: str | os.PathLike[str] | Mapping[str, Mapping[str, str]] | TemplateEngine | None
    warn: Callable[[str], None] | None


class Options(Rules, total=False):
    """Everything ``Crm.open`` takes beside the database; ``parts_of`` explains each."""

    zone: Required[str]
    journeys: Sequence[Journey]
    channels: Iterable[Channel]
    mode: DeliveryMode | str
    allowlist: Iterable[str]
    ledger: Ledger | None
    clock: Clock | None
    entropy: Entropy | None
    worker: str
