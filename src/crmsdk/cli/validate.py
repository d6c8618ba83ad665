"""``crmsdk validate``: every fault of every journey in a file, with its path."""

import argparse
from collections import Counter

from crmsdk.cli.loading import Loaded, load
from crmsdk.errors import ConfigError
from crmsdk.journeys.checks import Fault, Surroundings, faults
from crmsdk.model.codec import content_hash

__all__ = ["execute", "surroundings_of"]


def execute(args: argparse.Namespace) -> int:
    """Check what a file defines.

    Returns:
        1 when a journey cannot run, else 0; warnings alone are 0.

    Raises:
        ConfigError: the file defines nothing.
    """
    loaded = load(args.file)
    if not loaded.journeys and loaded.policy is None and loaded.catalog is None:
        raise ConfigError(
            f"{args.file} defines no journey; make one at its top level, or list them in journeys"
        )
    surroundings = surroundings_of(loaded)
    bad = 0
    for journey in loaded.journeys:
        found = faults(journey, surroundings)
        errors = sum(fault.severity == "error" for fault in found)
        bad += bool(errors)
        state = "cannot run" if errors else "ok"
        print(f"journey {journey.name!r}: {state}  ({content_hash(journey)[:12]})")
        for fault in found:
            print(f"  {_line(fault)}")
    for name, count in Counter(journey.name for journey in loaded.journeys).items():
        if count > 1:
            bad += 1
            print(f"journey {name!r}: cannot run")
            print(f"  {_line(Fault('name', f'{count} journeys bear it; rename all but one'))}")
    if loaded.policy is not None:
        print(f"policy: ok  ({', '.join(loaded.policy.rule_ids())})")
    if loaded.catalog is not None:
        print(
            f"catalog: ok  ({len(loaded.catalog.events)} events, {len(loaded.catalog.attributes)} attributes)"
        )
    if args.catalog:
        _tracking_plan(loaded)
    return 1 if bad else 0


def surroundings_of(loaded: Loaded) -> Surroundings:
    """Tell the check what the file says; what it does not say is not checked."""
    catalog, templates = loaded.catalog, loaded.templates
    return Surroundings(
        kinds=None if catalog is None else catalog.kinds(),
        strict=catalog is not None and catalog.strict,
        variables=None
        if templates is None
        else {name: templates.variables(name) for name in templates.names()},
        channels=None if loaded.channels is None else frozenset(channel.name for channel in loaded.channels),
        senders=None if loaded.senders is None else frozenset(sender.id for sender in loaded.senders),
        links=frozenset(("unsubscribe_url",) if loaded.unsubscribe else ()),
    )


def _line(fault: Fault) -> str:
    return f"{fault.severity:<8} {fault}"


def _tracking_plan(loaded: Loaded) -> None:
    if loaded.catalog is None:
        raise ConfigError("there is no tracking plan; say catalog = Catalog(...) in FILE")
    print()
    print(loaded.catalog.describe())
