"""How imagined people answer messages: they open, click and buy, by a model and a seed."""

import random
from abc import abstractmethod
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol, TypeAlias

import attrs
from typing_extensions import override

from crmsdk.errors import ConfigError
from crmsdk.model.customer import Identifier, IdentifierKind
from crmsdk.model.ids import EventId
from crmsdk.model.inputs import Track
from crmsdk.model.message import DeliveryEvent, DeliveryKind, Message
from crmsdk.model.values import EMPTY, Properties

__all__ = ["ConstantResponses", "NoResponses", "Response", "Responses"]

Response: TypeAlias = DeliveryEvent | Track
"""What a person does about a message: something the provider reports, or an event of the application."""


class Responses(Protocol):
    """A model of how people answer messages."""

    @abstractmethod
    def respond(self, message: Message, luck: random.Random) -> Sequence[Response]:
        """Give what the person does about a message that was just handed over.

        Args:
            message: Sent; its ``due`` and ``channel`` are known.
            luck: Randomness of this message alone: the same seed and message give the same luck, whatever
                else the simulation does.

        Returns:
            Things dated at or after the sending, any order.
        """


@attrs.frozen
class NoResponses(Responses):
    """Nobody answers; only the recorded history happens."""

    @override
    def respond(self, message: Message, luck: random.Random) -> Sequence[Response]:
        return ()


def _chance(_: object, field: "attrs.Attribute[float]", value: float) -> None:
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ConfigError(f"{field.name} is no chance; give one from 0 to 1, 10 % is 0.1")


def _nothing(message: Message) -> Properties:  # noqa: ARG001 - the shape of all such functions
    return EMPTY


@attrs.frozen(kw_only=True)
class ConstantResponses(Responses):
    """Everybody answers with the same chances; delays are exponential.

    Attributes:
        opens: Chance that a delivered message is opened.
        clicks: Chance that an opened one is clicked.
        buys: Chance that a clicked one leads to the event ``event``.
        unsubscribes: Chance that an opened one is answered by an unsubscribe.
        event: What a buyer does; empty for nothing.
        properties: Makes the properties of that event.
        delay: Mean time to each further answer.

    Raises:
        ConfigError: a chance outside 0 to 1.
    """

    opens: float = attrs.field(default=0.2, validator=_chance)
    clicks: float = attrs.field(default=0.1, validator=_chance)
    buys: float = attrs.field(default=0.0, validator=_chance)
    unsubscribes: float = attrs.field(default=0.0, validator=_chance)
    event: str = ""
    properties: Callable[[Message], Properties] = _nothing
    delay: timedelta = timedelta(hours=2)

    @override
    def respond(self, message: Message, luck: random.Random) -> Sequence[Response]:
        # All draws are made always, so that one chance changed leaves the others' luck as it was.
        chances = [luck.random() for _ in range(4)]
        waits = [self.delay * luck.expovariate(1.0) for _ in range(4)]
        at = message.not_before
        out: list[Response] = []

        def report(kind: DeliveryKind) -> None:
            out.append(DeliveryEvent(id=f"{message.id}:{kind}", message=message.id, kind=kind, at=at))

        if chances[0] >= self.opens:
            return ()
        at += waits[0]
        report(DeliveryKind.OPENED)
        if chances[3] < self.unsubscribes:
            at += waits[3]
            report(DeliveryKind.UNSUBSCRIBED)
            return out
        if chances[1] < self.clicks:
            at += waits[1]
            report(DeliveryKind.CLICKED)
            if self.event and chances[2] < self.buys:
                at += waits[2]
                out.append(
                    Track(
                        id=EventId(f"{message.id}:response"),
                        identifiers=(Identifier(IdentifierKind.USER, message.customer),),
                        at=at,
                        received=at,
                        name=self.event,
                        properties=self.properties(message),
                        source="simulated",
                    )
                )
        return out
