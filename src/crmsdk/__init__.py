"""Lifecycle (CRM) marketing as typed Python: the face of the library.

The names below are handed on from the modules that define them, each at its first use, so that
``import crmsdk`` stays light (PEP 562). To publish a name, write it in three places, each sorted:
the import for type checkers, ``_HOMES``, and ``__all__``. ``tests/test_face.py`` holds the three equal.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
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
    )
    from crmsdk.journeys.triggers import by_call, enters, every, leaves, on, on_date
    from crmsdk.model.catalog import Catalog
    from crmsdk.model.customer import Account, Customer, Identifier
    from crmsdk.model.declared import AttributeSet, EventType, Prop
    from crmsdk.model.event import Event
    from crmsdk.model.message import Sender
    from crmsdk.model.money import Money
    from crmsdk.model.secret import Secret
    from crmsdk.policy.rules import cap, inactive_only, opt_in, quiet
    from crmsdk.policy.ruleset import ContactPolicy, default_policy
    from crmsdk.segments.conditions import Segment
    from crmsdk.segments.verdict import Verdict
    from crmsdk.segments.words import attr, consent, did, everyone, nobody, segment

__all__ = [
    "Account",
    "Arm",
    "AttributeSet",
    "Branch",
    "Catalog",
    "ContactPolicy",
    "CrmsdkError",
    "Customer",
    "DefinitionError",
    "DeliveryError",
    "Emit",
    "Event",
    "EventType",
    "Exit",
    "HandOver",
    "Holdout",
    "Identifier",
    "InputError",
    "Journey",
    "Money",
    "PermanentError",
    "Prop",
    "Secret",
    "Segment",
    "Send",
    "Sender",
    "Split",
    "StoreError",
    "TransientError",
    "UntilDate",
    "UntilLocal",
    "Update",
    "Verdict",
    "Wait",
    "WaitFor",
    "When",
    "after_exit",
    "attr",
    "by_call",
    "cap",
    "consent",
    "default_policy",
    "did",
    "each_time",
    "enters",
    "every",
    "everyone",
    "inactive_only",
    "leaves",
    "nobody",
    "on",
    "on_date",
    "once",
    "opt_in",
    "quiet",
    "segment",
]

_HOMES: Final[dict[str, str]] = {
    "Account": "crmsdk.model.customer",
    "Arm": "crmsdk.journeys.steps",
    "AttributeSet": "crmsdk.model.declared",
    "Branch": "crmsdk.journeys.steps",
    "Catalog": "crmsdk.model.catalog",
    "ContactPolicy": "crmsdk.policy.ruleset",
    "CrmsdkError": "crmsdk.errors",
    "Customer": "crmsdk.model.customer",
    "DefinitionError": "crmsdk.errors",
    "DeliveryError": "crmsdk.errors",
    "Emit": "crmsdk.journeys.steps",
    "Event": "crmsdk.model.event",
    "EventType": "crmsdk.model.declared",
    "Exit": "crmsdk.journeys.steps",
    "HandOver": "crmsdk.journeys.steps",
    "Holdout": "crmsdk.journeys.definition",
    "Identifier": "crmsdk.model.customer",
    "InputError": "crmsdk.errors",
    "Journey": "crmsdk.journeys.definition",
    "Money": "crmsdk.model.money",
    "PermanentError": "crmsdk.errors",
    "Prop": "crmsdk.model.declared",
    "Secret": "crmsdk.model.secret",
    "Segment": "crmsdk.segments.conditions",
    "Send": "crmsdk.journeys.steps",
    "Sender": "crmsdk.model.message",
    "Split": "crmsdk.journeys.steps",
    "StoreError": "crmsdk.errors",
    "TransientError": "crmsdk.errors",
    "UntilDate": "crmsdk.journeys.steps",
    "UntilLocal": "crmsdk.journeys.steps",
    "Update": "crmsdk.journeys.steps",
    "Verdict": "crmsdk.segments.verdict",
    "Wait": "crmsdk.journeys.steps",
    "WaitFor": "crmsdk.journeys.steps",
    "When": "crmsdk.journeys.steps",
    "after_exit": "crmsdk.journeys.definition",
    "attr": "crmsdk.segments.words",
    "by_call": "crmsdk.journeys.triggers",
    "cap": "crmsdk.policy.rules",
    "consent": "crmsdk.segments.words",
    "default_policy": "crmsdk.policy.ruleset",
    "did": "crmsdk.segments.words",
    "each_time": "crmsdk.journeys.definition",
    "enters": "crmsdk.journeys.triggers",
    "every": "crmsdk.journeys.triggers",
    "everyone": "crmsdk.segments.words",
    "inactive_only": "crmsdk.policy.rules",
    "leaves": "crmsdk.journeys.triggers",
    "nobody": "crmsdk.segments.words",
    "on": "crmsdk.journeys.triggers",
    "on_date": "crmsdk.journeys.triggers",
    "once": "crmsdk.journeys.definition",
    "opt_in": "crmsdk.policy.rules",
    "quiet": "crmsdk.policy.rules",
    "segment": "crmsdk.segments.words",
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
