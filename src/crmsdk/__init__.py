"""Lifecycle (CRM) marketing as typed Python: the face of the library.

The names below are handed on from the modules that define them, each at its first use, so that
``import crmsdk`` stays light (PEP 562). To publish a name, write it in three places, each sorted:
the import for type checkers, ``_HOMES``, and ``__all__``. ``tests/test_face.py`` holds the three equal.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from crmsdk.channels.memory import MemoryChannel
    from crmsdk.errors import (
        CrmsdkError,
        DefinitionError,
        DeliveryError,
        InputError,
        PermanentError,
        StoreError,
        TransientError,
    )
    from crmsdk.journeys.definition import Holdout, Journey, after_exit, each_time, once
    from crmsdk.journeys.steps import (
        Arm,
        Branch,
        Emit,
        Exit,
        HandOver,
        Send,
        Split,
        UntilDate,
        UntilLocal,
        Update,
        Wait,
        WaitFor,
        When,
        date_of,
        local_time,
    )
    from crmsdk.journeys.triggers import by_call, enters, every, leaves, on, on_date
    from crmsdk.model.catalog import Catalog
    from crmsdk.model.customer import Account, Customer, Identifier
    from crmsdk.model.declared import AttributeSet, EventType, Prop, declare
    from crmsdk.model.event import Event
    from crmsdk.model.message import Sender
    from crmsdk.model.money import Money
    from crmsdk.model.secret import Secret
    from crmsdk.policy.rules import cap, inactive_only, opt_in, quiet
    from crmsdk.policy.ruleset import ContactPolicy, default_policy
    from crmsdk.runtime.clocks import VirtualClock
    from crmsdk.runtime.crm import Crm
    from crmsdk.segments.conditions import Segment
    from crmsdk.segments.evaluating import evaluate
    from crmsdk.segments.live import LiveSegments, MembershipChange
    from crmsdk.segments.scales import Scale, breakpoints, quantile
    from crmsdk.segments.stages import Stages, stage_of
    from crmsdk.segments.verdict import Verdict
    from crmsdk.segments.words import (
        account,
        attr,
        bucket,
        consent,
        did,
        everyone,
        in_account,
        in_list,
        nobody,
        points,
        prop,
        reachable,
        score,
        segment,
        sequence,
    )
    from crmsdk.simulation.report import Report
    from crmsdk.simulation.responses import ConstantResponses
    from crmsdk.simulation.running import Simulation
    from crmsdk.simulation.simulating import simulate
    from crmsdk.wire.columns import MoneyColumn, Reject, Rename
    from crmsdk.wire.documents import from_json, to_json
    from crmsdk.wire.environment import from_environment, settings_from
    from crmsdk.wire.files import csv_rows, frame_rows
    from crmsdk.wire.maps import CustomerMap, EventMap
    from crmsdk.wire.models import event_model
    from crmsdk.wire.recorded import identify, load_history, track
    from crmsdk.wire.wall_clock import WallClock

__all__ = [
    "Account",
    "Arm",
    "AttributeSet",
    "Branch",
    "Catalog",
    "ConstantResponses",
    "ContactPolicy",
    "Crm",
    "CrmsdkError",
    "Customer",
    "CustomerMap",
    "DefinitionError",
    "DeliveryError",
    "Emit",
    "Event",
    "EventMap",
    "EventType",
    "Exit",
    "HandOver",
    "Holdout",
    "Identifier",
    "InputError",
    "Journey",
    "LiveSegments",
    "MembershipChange",
    "MemoryChannel",
    "Money",
    "MoneyColumn",
    "PermanentError",
    "Prop",
    "Reject",
    "Rename",
    "Report",
    "Scale",
    "Secret",
    "Segment",
    "Send",
    "Sender",
    "Simulation",
    "Split",
    "Stages",
    "StoreError",
    "TransientError",
    "UntilDate",
    "UntilLocal",
    "Update",
    "Verdict",
    "VirtualClock",
    "Wait",
    "WaitFor",
    "WallClock",
    "When",
    "account",
    "after_exit",
    "attr",
    "breakpoints",
    "bucket",
    "by_call",
    "cap",
    "consent",
    "csv_rows",
    "date_of",
    "declare",
    "default_policy",
    "did",
    "each_time",
    "enters",
    "evaluate",
    "event_model",
    "every",
    "everyone",
    "frame_rows",
    "from_environment",
    "from_json",
    "identify",
    "in_account",
    "in_list",
    "inactive_only",
    "leaves",
    "load_history",
    "local_time",
    "nobody",
    "on",
    "on_date",
    "once",
    "opt_in",
    "points",
    "prop",
    "quantile",
    "quiet",
    "reachable",
    "score",
    "segment",
    "sequence",
    "settings_from",
    "simulate",
    "stage_of",
    "to_json",
    "track",
]

_HOMES: Final[dict[str, str]] = {
    "Account": "crmsdk.model.customer",
    "Arm": "crmsdk.journeys.steps",
    "AttributeSet": "crmsdk.model.declared",
    "Branch": "crmsdk.journeys.steps",
    "Catalog": "crmsdk.model.catalog",
    "ConstantResponses": "crmsdk.simulation.responses",
    "ContactPolicy": "crmsdk.policy.ruleset",
    "Crm": "crmsdk.runtime.crm",
    "CrmsdkError": "crmsdk.errors",
    "Customer": "crmsdk.model.customer",
    "CustomerMap": "crmsdk.wire.maps",
    "DefinitionError": "crmsdk.errors",
    "DeliveryError": "crmsdk.errors",
    "Emit": "crmsdk.journeys.steps",
    "Event": "crmsdk.model.event",
    "EventMap": "crmsdk.wire.maps",
    "EventType": "crmsdk.model.declared",
    "Exit": "crmsdk.journeys.steps",
    "HandOver": "crmsdk.journeys.steps",
    "Holdout": "crmsdk.journeys.definition",
    "Identifier": "crmsdk.model.customer",
    "InputError": "crmsdk.errors",
    "Journey": "crmsdk.journeys.definition",
    "LiveSegments": "crmsdk.segments.live",
    "MembershipChange": "crmsdk.segments.live",
    "MemoryChannel": "crmsdk.channels.memory",
    "Money": "crmsdk.model.money",
    "MoneyColumn": "crmsdk.wire.columns",
    "PermanentError": "crmsdk.errors",
    "Prop": "crmsdk.model.declared",
    "Reject": "crmsdk.wire.columns",
    "Rename": "crmsdk.wire.columns",
    "Report": "crmsdk.simulation.report",
    "Scale": "crmsdk.segments.scales",
    "Secret": "crmsdk.model.secret",
    "Segment": "crmsdk.segments.conditions",
    "Send": "crmsdk.journeys.steps",
    "Sender": "crmsdk.model.message",
    "Simulation": "crmsdk.simulation.running",
    "Split": "crmsdk.journeys.steps",
    "Stages": "crmsdk.segments.stages",
    "StoreError": "crmsdk.errors",
    "TransientError": "crmsdk.errors",
    "UntilDate": "crmsdk.journeys.steps",
    "UntilLocal": "crmsdk.journeys.steps",
    "Update": "crmsdk.journeys.steps",
    "Verdict": "crmsdk.segments.verdict",
    "VirtualClock": "crmsdk.runtime.clocks",
    "Wait": "crmsdk.journeys.steps",
    "WaitFor": "crmsdk.journeys.steps",
    "WallClock": "crmsdk.wire.wall_clock",
    "When": "crmsdk.journeys.steps",
    "account": "crmsdk.segments.words",
    "after_exit": "crmsdk.journeys.definition",
    "attr": "crmsdk.segments.words",
    "breakpoints": "crmsdk.segments.scales",
    "bucket": "crmsdk.segments.words",
    "by_call": "crmsdk.journeys.triggers",
    "cap": "crmsdk.policy.rules",
    "consent": "crmsdk.segments.words",
    "csv_rows": "crmsdk.wire.files",
    "date_of": "crmsdk.journeys.steps",
    "declare": "crmsdk.model.declared",
    "default_policy": "crmsdk.policy.ruleset",
    "did": "crmsdk.segments.words",
    "each_time": "crmsdk.journeys.definition",
    "enters": "crmsdk.journeys.triggers",
    "evaluate": "crmsdk.segments.evaluating",
    "event_model": "crmsdk.wire.models",
    "every": "crmsdk.journeys.triggers",
    "everyone": "crmsdk.segments.words",
    "frame_rows": "crmsdk.wire.files",
    "from_environment": "crmsdk.wire.environment",
    "from_json": "crmsdk.wire.documents",
    "identify": "crmsdk.wire.recorded",
    "in_account": "crmsdk.segments.words",
    "in_list": "crmsdk.segments.words",
    "inactive_only": "crmsdk.policy.rules",
    "leaves": "crmsdk.journeys.triggers",
    "load_history": "crmsdk.wire.recorded",
    "local_time": "crmsdk.journeys.steps",
    "nobody": "crmsdk.segments.words",
    "on": "crmsdk.journeys.triggers",
    "on_date": "crmsdk.journeys.triggers",
    "once": "crmsdk.journeys.definition",
    "opt_in": "crmsdk.policy.rules",
    "points": "crmsdk.segments.words",
    "prop": "crmsdk.segments.words",
    "quantile": "crmsdk.segments.scales",
    "quiet": "crmsdk.policy.rules",
    "reachable": "crmsdk.segments.words",
    "score": "crmsdk.segments.words",
    "segment": "crmsdk.segments.words",
    "sequence": "crmsdk.segments.words",
    "settings_from": "crmsdk.wire.environment",
    "simulate": "crmsdk.simulation.simulating",
    "stage_of": "crmsdk.segments.stages",
    "to_json": "crmsdk.wire.documents",
    "track": "crmsdk.wire.recorded",
}
"""Where each public name lives."""

if not TYPE_CHECKING:
    # Hidden from type checkers: they would take any attribute of the package as known.

    def __getattr__(name: str) -> object:
        """Fetch a public name from its home at its first use, and keep it.

        Raises:
            AttributeError: the package has no such public name.
        """
        home = _HOMES.get(name)
        if home is None:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        value = getattr(import_module(home), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        """List the public names for completion."""
        return sorted(__all__)
