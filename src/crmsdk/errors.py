"""Every error crmsdk raises, as one tree.

    CrmsdkError
    ├── DefinitionError            a definition says something impossible
    │   ├── CheckFailed            a journey has faults; all of them are listed
    │   ├── UnknownVersion         a stored or exported definition of a version this release cannot read
    │   └── UnsupportedQuestion    an executor cannot ask this; it never answers wrongly instead
    ├── InputError                 data from outside is not what was declared
    │   ├── UnknownName            an event, attribute, segment, journey, template … nobody declared
    │   ├── NaiveMoment            a datetime without an offset
    │   ├── UnknownZone            a time zone that the zone data does not hold
    │   └── DuplicateEvent         one event id, two bodies
    ├── IllegalTransition          a person came from a stage to one that is not declared to follow it
    ├── IdentityError
    │   └── MergeRefused           two identified people would become one
    ├── StoreError
    │   ├── StoreBusy              another process holds the database too long
    │   ├── StoreFull              the disk is full; nothing was written
    │   └── NewerStore             the database was written by a newer release
    ├── DeliveryError
    │   ├── TransientError         try again, after ``retry_after`` if the provider named it
    │   ├── PermanentError         never try again
    │   ├── AuthError              the account's credentials are refused; the run must stop
    │   └── UnsupportedFeature     the message asks for what the channel cannot do; nothing was sent
    ├── TemplateError              a template is missing, broken, or lacks a variable; nothing was sent
    ├── AudienceError              the database of an audience could not answer
    │   └── TooManyRows            an answer is larger than was allowed into memory
    └── ConfigError                settings that cannot work
        └── LayoutError            a database has no such table or column, or it holds something else

A message names the field, the kind of the value and the mend. No error carries a payload, an address or a
token: errors end up in logs, and logs end up everywhere.
"""

from collections.abc import Sequence
from datetime import timedelta
from difflib import get_close_matches

__all__ = [
    "AudienceError",
    "AuthError",
    "CheckFailed",
    "ConfigError",
    "CrmsdkError",
    "DefinitionError",
    "DeliveryError",
    "DuplicateEvent",
    "IdentityError",
    "IllegalTransition",
    "InputError",
    "LayoutError",
    "MergeRefused",
    "NaiveMoment",
    "NewerStore",
    "PermanentError",
    "StoreBusy",
    "StoreError",
    "StoreFull",
    "TemplateError",
    "TooManyRows",
    "TransientError",
    "UnknownName",
    "UnknownVersion",
    "UnknownZone",
    "UnsupportedFeature",
    "UnsupportedQuestion",
]


class CrmsdkError(Exception):
    """The root of all errors of this library; each can be pickled, so it reaches other processes whole."""

    def __reduce__(self) -> tuple[object, ...]:  # type: ignore[explicit-override]  # typing has override from 3.12 on
        """Say how to make it again: from its text and attributes, whatever its constructor asks for."""
        return _made_again, (type(self), self.args), dict(vars(self))


def _made_again(kind: type[CrmsdkError], args: tuple[object, ...]) -> CrmsdkError:
    return kind.__new__(kind, *args)


class DefinitionError(CrmsdkError):
    """A segment, trigger, journey or policy says something impossible.

    Attributes:
        path: Where in the definition, as ``steps[2].else[0]``; empty for the whole.
    """

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path


class CheckFailed(DefinitionError):
    """A journey has faults; every one is listed.

    Attributes:
        faults: One sentence a fault, with the path it stands at.
    """

    def __init__(self, name: str, faults: Sequence[str]) -> None:
        super().__init__(f"journey {name!r} cannot run:\n" + "\n".join(f"  - {fault}" for fault in faults))
        self.faults = tuple(faults)


class UnknownVersion(DefinitionError):
    """A definition carries a format version that this release cannot read."""


class UnsupportedQuestion(DefinitionError):
    """An executor cannot ask this of its data; it refuses instead of answering wrongly.

    Attributes:
        executor: Which one, as ``duckdb``.
        node: The kind of question, as the definition names it: ``since-entry``.
    """

    def __init__(self, executor: str, node: str, why: str) -> None:
        super().__init__(f"{executor} cannot ask {node!r}: {why}")
        self.executor = executor
        self.node = node


class InputError(CrmsdkError):
    """Data from outside is not what was declared.

    Attributes:
        field: The offending field, as ``properties.total``.
        row: The row or line it stands in, counted from 1; None outside of tables.
    """

    def __init__(self, message: str, *, field: str = "", row: int | None = None) -> None:
        where = ", ".join(
            part
            for part in (f"row {row}" if row is not None else "", f"field {field!r}" if field else "")
            if part
        )
        super().__init__(f"{where}: {message}" if where else message)
        self.field = field
        self.row = row
        self.problem = message


class UnknownName(InputError):
    """A name nobody declared; the nearest declared one is offered.

    Attributes:
        kind: What was looked for: ``event``, ``attribute``, ``journey`` …
        name: The unknown name.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        known: Sequence[str] = (),
        *,
        field: str = "",
        mend: str = "declare it first",
    ) -> None:
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else mend
        super().__init__(f"unknown {kind} {name!r}; {hint}", field=field)
        self.kind = kind
        self.name = name


class NaiveMoment(InputError):
    """A datetime, or text of one, without an offset: nobody can know which instant is meant."""

    def __init__(self, field: str, *, text: bool = False) -> None:
        said = (
            "is text without an offset; write it as '2026-03-29T09:00:00+03:00', or give "
            "datetime(..., tzinfo=UTC)"
            if text
            else "is a naive datetime; give it a zone, as datetime(..., tzinfo=UTC)"
        )
        super().__init__(said, field=field)


class UnknownZone(InputError):
    """A time zone that the zone data does not hold."""

    def __init__(self, name: str, *, field: str = "zone") -> None:
        super().__init__(f"unknown time zone {name!r}; use an IANA name as 'Europe/Moscow'", field=field)
        self.name = name


class DuplicateEvent(InputError):
    """One event id arrived with two different bodies; the stored one stands.

    Attributes:
        event_id: The id both bodies carry.
    """

    def __init__(self, event_id: str) -> None:
        super().__init__(
            f"event {event_id!r} is stored with another body; an id names one fact for ever, use a new id",
            field="id",
        )
        self.event_id = event_id


class IllegalTransition(CrmsdkError):
    """A person came from a stage to one that is not declared to follow it.

    Attributes:
        stages: Name of the stage function.
        before, after: The stages.
        allowed: The stages that may follow ``before``.
    """

    def __init__(self, stages: str, before: str, after: str, allowed: Sequence[str]) -> None:
        listed = ", ".join(allowed) or "nothing"
        super().__init__(
            f"{stages!r} lets nobody go from {before!r} to {after!r}, after {before!r} may come {listed}; "
            "declare the transition, or mend the predicates"
        )
        self.stages = stages
        self.before = before
        self.after = after
        self.allowed = tuple(allowed)


class IdentityError(CrmsdkError):
    """Identifiers do not lead to one person."""


class MergeRefused(IdentityError):
    """Two identified people would become one; that is never done silently.

    Attributes:
        first, second: The ids of the two customers.
    """

    def __init__(self, first: str, second: str) -> None:
        super().__init__(
            f"customers {first!r} and {second!r} are both identified; merge them on purpose, or correct the "
            "identifier"
        )
        self.first = first
        self.second = second


class StoreError(CrmsdkError):
    """The store could not read or write; what was not acknowledged is not stored."""


class StoreBusy(StoreError):
    """Another process holds the database longer than the busy timeout; try again."""


class StoreFull(StoreError):
    """The disk is full; the transaction was rolled back whole."""


class NewerStore(StoreError):
    """The database was written by a newer release.

    Attributes:
        found, known: Schema versions: of the database, and the newest this release reads.
    """

    def __init__(self, found: int, known: int) -> None:
        super().__init__(
            f"the database has schema version {found}, this release reads up to {known}; upgrade crmsdk to "
            "open it"
        )
        self.found = found
        self.known = known


class DeliveryError(CrmsdkError):
    """A channel could not do its work."""


class TransientError(DeliveryError):
    """The provider could not take the message now; it certainly did not.

    Attributes:
        retry_after: How long the provider asks to wait; None if it did not say.
    """

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PermanentError(DeliveryError):
    """The provider will never take this message."""


class AuthError(DeliveryError):
    """The account's credentials are refused; no message of this account can leave."""


class UnsupportedFeature(DeliveryError):
    """The message asks for something the channel cannot do; it is never dropped silently.

    Attributes:
        channel: The channel's name.
        feature: What was asked for.
    """

    def __init__(
        self,
        channel: str,
        feature: str,
        *,
        mend: str = "remove it from the message or choose another channel",
    ) -> None:
        super().__init__(f"channel {channel!r} cannot do {feature}; {mend}")
        self.channel = channel
        self.feature = feature


class TemplateError(CrmsdkError):
    """A template is missing, broken, or lacks a variable; nothing was sent.

    Attributes:
        template: The template's name.
    """

    def __init__(self, template: str, message: str) -> None:
        super().__init__(f"template {template!r}: {message}")
        self.template = template


class ConfigError(CrmsdkError):
    """Settings that cannot work, named with the mend."""


class LayoutError(ConfigError):
    """A database has no such table or column, or it holds something else than was declared.

    Attributes:
        table: The table.
        column: The column; empty when the table itself is missing.
    """

    def __init__(
        self,
        table: str,
        column: str = "",
        *,
        known: Sequence[str] = (),
        problem: str = "",
        mend: str = "",
    ) -> None:
        near = get_close_matches(column, known, n=1)
        what = f"column {column!r} of table {table!r}" if column else f"table {table!r}"
        hint = f"did you mean {near[0]!r}? {mend}" if near else mend
        super().__init__(f"{what} {problem or 'is not there'}; {hint}")
        self.table = table
        self.column = column


class AudienceError(CrmsdkError):
    """The database of an audience could not answer."""


class TooManyRows(AudienceError):
    """An answer is larger than was allowed into memory; nothing was read.

    Attributes:
        limit: How many rows were allowed.
    """

    def __init__(self, limit: int, mend: str) -> None:
        super().__init__(f"the answer has more than {limit:,} rows; {mend}")
        self.limit = limit
