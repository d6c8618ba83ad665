"""What a channel can do, as data, and what goes to a provider and comes back, as plain values."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import attrs

from crmsdk.model.address import AddressSource
from crmsdk.model.content import Content
from crmsdk.model.secret import Secret

__all__ = ["Capabilities", "Idempotency", "ProviderRequest", "ProviderResponse", "SendContext"]


class Idempotency(StrEnum):
    """What a provider does with a request it has seen before.

    ``none``: it may do the work twice. ``key``: it knows the key and answers as the first time.
    """

    NONE = "none"
    KEY = "key"


def _positive(_: object, field: "attrs.Attribute[Any]", value: int | None) -> None:
    if value is not None and value < 1:
        message = f"{field.name} is below 1"
        raise ValueError(message)


def _names(given: Iterable[str]) -> frozenset[str]:
    return frozenset(given)


def _lower_names(given: Mapping[str, str]) -> Mapping[str, str]:
    return {name.casefold(): text for name, text in given.items()}


@attrs.frozen(kw_only=True)
class Capabilities:
    """What a channel can do; checked before anything is sent.

    Attributes:
        content: The class of content it carries.
        address: Where a customer's address is found.
        features: Which of ``Content.needs`` it can do; anything else asked for is refused.
        length_max: The longest content, as ``Content.length`` counts; None when there is no limit.
        batch_max: How many envelopes one request carries.
        idempotency: Whether a repeated request is recognised by its key.
        sender: Whether a message must name its sender.
    """

    content: type[Content]
    address: AddressSource
    features: frozenset[str] = attrs.field(default=(), converter=_names)
    length_max: int | None = attrs.field(default=None, validator=_positive)
    batch_max: int = attrs.field(default=1, validator=_positive)
    idempotency: Idempotency = attrs.field(default=Idempotency.NONE, converter=Idempotency)
    sender: bool = False


@attrs.frozen(kw_only=True)
class SendContext:
    """What a batch is sent under; one for all attempts, so that they make the same bytes.

    Attributes:
        key: The idempotency key of the batch: of one envelope its own key, of more a hash of their keys in
            order, so that a batch split in another way never reuses a key with other bytes.
        now: The moment of the first attempt, UTC; for signatures that hold a date.
    """

    key: str
    now: datetime


@attrs.frozen(kw_only=True)
class ProviderRequest:
    """One HTTP request, ready to go.

    Attributes:
        method: As ``POST``.
        url: The full address, without secrets: clients log it.
        target: Path and query as they go over the wire, where they hold a secret; None when ``url`` is whole.
        headers: By name.
        body: The bytes.
    """

    method: str
    url: str
    target: Secret | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False, hash=False)
    body: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen(kw_only=True)
class ProviderResponse:
    """One HTTP answer.

    Attributes:
        status: As 200.
        headers: By name in lower case.
        body: The bytes.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False, hash=False, converter=_lower_names)
    body: bytes = attrs.field(default=b"", repr=False)

    def json(self) -> Any:
        """Read the body as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None
