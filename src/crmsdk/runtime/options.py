"""The settings of a Crm as types, so that an editor completes them and a type checker reads them."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from difflib import get_close_matches
from typing import Required, TypedDict

from crmsdk.errors import ConfigError, UnknownName
from crmsdk.journeys.definition import Journey
from crmsdk.model.catalog import Catalog
from crmsdk.model.message import MessageKind, Sender
from crmsdk.model.secret import Secret
from crmsdk.model.settings import DeliveryMode
from crmsdk.policy.ruleset import ContactPolicy
from crmsdk.ports import Channel, Clock, Entropy, Ledger, TemplateEngine
from crmsdk.segments.grammar import Predicate

__all__ = ["ByHand", "Options", "Rules", "Shown", "known_options", "listed_journeys", "settled"]


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


class ByHand(TypedDict, total=False):
    """What else a message made by hand may say; each as in ``Send``."""

    purpose: str
    sender: str
    topic: str
    campaign: str
    priority: int
    expires: timedelta
    values: Mapping[str, object] | None


class Shown(TypedDict, total=False):
    """What else a preview may say; each as in ``Send``."""

    purpose: str
    sender: str
    values: Mapping[str, object] | None


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


def listed_journeys(given: Iterable[Journey]) -> tuple[Journey, ...]:
    """Take the journeys of an application or a simulation.

    Raises:
        ConfigError: they are no list, or hold something else.
    """
    if isinstance(given, Journey | str) or not isinstance(given, Iterable):
        raise ConfigError(f"journeys: is {type(given).__name__}; give a list, as journeys=[welcome]")
    journeys = tuple(given)
    for one in journeys:
        if not isinstance(one, Journey):
            raise ConfigError(f"journeys: holds {type(one).__name__}; give journeys only")
    return journeys


def known_options(call: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Refuse an option that a call does not have.

    Raises:
        UnknownName: there is no such option.
    """
    known = sorted(known)
    for name in given:
        if name not in known:
            raise UnknownName(f"option of {call}", name, known, mend=f"there are {', '.join(known)}")


def settled(settings: Options) -> Options:
    """Give settings back when every name in them is one, and the one that is needed is there.

    Raises:
        ConfigError: a name that is no setting, or no zone.
    """
    known = sorted(Options.__required_keys__ | Options.__optional_keys__)
    for name in settings:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            raise ConfigError(f"there is no setting {name!r}; {hint}")
    if "zone" not in settings:
        raise ConfigError("zone is missing; give that of people whose zone is unknown, as 'Europe/Moscow'")
    return settings
