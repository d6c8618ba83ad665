"""``crmsdk preview``: one message for one customer, as it would be; nothing is sent or written."""

import argparse
import json
from collections.abc import Iterable, Sequence

from crmsdk.blocking import Crm
from crmsdk.channels.memory import MemoryChannel
from crmsdk.cli.loading import Loaded, load
from crmsdk.errors import ConfigError
from crmsdk.ports import Channel
from crmsdk.stores.opening import open_store
from crmsdk.stores.sqlite import SqliteStore

__all__ = ["execute"]


def execute(args: argparse.Namespace) -> int:
    """Show the text, the warnings and the policy's decision.

    Raises:
        ConfigError: there are no templates, or there is no database.
        TemplateError: the template is missing, broken, or lacks a variable.
        UnknownName: nobody of that name.
    """
    loaded = load(args.file)
    if loaded.templates is None:
        raise ConfigError("there are no templates; say templates = 'folder' in FILE")
    store = open_store(_existing(args.db or loaded.url))
    via = [name.strip() for name in args.via.split(",")]
    # Without journeys: opening with them would bring them into force.
    with Crm.over(
        store,
        zone=loaded.zone_or(args.zone),
        channels=_channels(loaded, via),
        **loaded.settings("policy", "templates", "senders", "active", "unsubscribe", "secret"),
    ) as crm:
        shown = crm.preview(args.template, args.customer, via, kind=args.kind, values=dict(_pairs(args.set)))
    print(shown)
    return 0


def _existing(url: str | None) -> str:
    """Refuse a database that is not there: opening it would make an empty one."""
    if url is None:
        raise ConfigError("there is no database; say url = 'sqlite:///crm.db' in FILE, or give --db")
    if url.startswith("sqlite:") and not (path := SqliteStore.open(url).path).exists():
        raise ConfigError(f"there is no database {path.name!r}; name the one the application uses")
    return url


def _channels(loaded: Loaded, via: Sequence[str]) -> list[Channel]:
    """Take the file's channels; those it does not make are imagined, with the usual addresses."""
    made = {channel.name: channel for channel in loaded.channels or ()}
    return [*made.values(), *(MemoryChannel(name) for name in dict.fromkeys(via) if name not in made)]


def _pairs(words: Iterable[str]) -> Iterable[tuple[str, object]]:
    for word in words:
        name, sign, text = word.partition("=")
        if not sign or not name:
            raise ConfigError("--set needs a name and a value, as --set total=90")
        try:
            yield name, json.loads(text)
        except ValueError:
            yield name, text
