"""What a provider's report means for its customer: an event to ask about, at times a withdrawn consent."""

from datetime import datetime

from crmsdk.journeys.stimuli import Consented, Happened, Input
from crmsdk.model.consent import ANY, ConsentState, ConsentWrite
from crmsdk.model.event import AFTERWARDS, Event
from crmsdk.model.ids import EventId
from crmsdk.model.message import DeliveryEvent, DeliveryKind, Message
from crmsdk.model.moment import to_micros
from crmsdk.runtime.links import UnsubscribeLinks

__all__ = ["clicked_off", "inputs_of", "report_id"]

_NO_MORE = (DeliveryKind.UNSUBSCRIBED, DeliveryKind.COMPLAINED)


def report_id(report: DeliveryEvent) -> EventId:
    """Name the event a report becomes: the same report makes it once."""
    return EventId(f"{AFTERWARDS}delivery:{report.id}")


def clicked_off(links: UnsubscribeLinks | None, token: str, *, now: datetime) -> tuple[DeliveryEvent, ...]:
    """Make the report of a click on an unsubscribe link; none when the token is not ours.

    Each click is a report of its own: consent may have been given again in between.
    """
    message = None if links is None else links.message_of(token)
    if message is None:
        return ()
    id = f"link:{message}:{to_micros(now)}"
    return (DeliveryEvent(id=id, message=message, kind=DeliveryKind.UNSUBSCRIBED, at=now),)


def inputs_of(report: DeliveryEvent, message: Message, *, now: datetime) -> tuple[Input, ...]:
    """Give what the engine takes for a report.

    Args:
        report: Of the provider. An answer is dated after the asking: providers' clocks are coarse, and "since
            entry" must not miss it.
        message: What it reports about.
        now: When the report arrived, UTC.
    """
    event = Event(
        id=report_id(report),
        customer=message.customer,
        name=f"message_{report.kind}",
        at=max(report.at, message.due),
        received=now,
        properties={
            "message": message.id,
            "journey": message.journey,
            "step": message.step,
            "channel": message.channel,
            "template": message.template,
            "machine": report.machine,
        },
        source="provider",
    )
    if report.kind not in _NO_MORE:
        return (Happened(event=event),)
    withdrawn = ConsentWrite(
        channel=message.channel or ANY,
        state=ConsentState.WITHDRAWN,
        at=report.at,
        id=f"delivery:{report.id}",
        source=str(report.kind),
    )
    return (Happened(event=event), Consented(consent=withdrawn))
