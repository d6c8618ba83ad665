"""Faults of the messages of a journey: templates, their variables, channels and senders."""

from collections.abc import Iterator, Mapping

from crmsdk.journeys._findings import Fault, Place, Surroundings, nearest, places
from crmsdk.journeys.definition import Journey
from crmsdk.journeys.steps import Send
from crmsdk.journeys.triggers import ApiCall, OnEvent, Trigger
from crmsdk.model.message import MessageKind

__all__ = ["content_faults"]

_EMAIL = "email"
_LINK = "unsubscribe_url"


def content_faults(journey: Journey, surroundings: Surroundings) -> Iterator[Fault]:
    """Find messages that could not be made or not be sent."""
    yield from _sender("sender", journey.sender, surroundings)
    for place in places(journey.steps):
        if isinstance(place.step, Send):
            yield from _channels(place, place.step, surroundings)
            if place.step.sender is not None:
                yield from _sender(f"{place.path}.sender", place.step.sender, surroundings)
            if surroundings.variables is not None:
                yield from _template(place, place.step, journey, surroundings.variables, surroundings)


def _sender(path: str, sender: str, surroundings: Surroundings) -> Iterator[Fault]:
    known = surroundings.senders
    if sender and known is not None and sender not in known:
        mend = nearest(sender, known, "register it with senders=[Sender(...)]")
        yield Fault(path, f"there is no sender {sender!r}; {mend}")


def _channels(place: Place, send: Send, surroundings: Surroundings) -> Iterator[Fault]:
    known = surroundings.channels
    for channel in send.via:
        if known is not None and channel not in known:
            mend = nearest(channel, known, "register it with channels=[...]")
            yield Fault(f"{place.path}.via", f"channel {channel!r} has no adapter; {mend}")


def _template(
    place: Place,
    send: Send,
    journey: Journey,
    variables: Mapping[str, Mapping[str, frozenset[str]]],
    surroundings: Surroundings,
) -> Iterator[Fault]:
    files = variables.get(send.template)
    if files is None:
        mend = nearest(send.template, variables, f"add {send.template}/{send.via[0]}.<locale>")
        yield Fault(f"{place.path}.template", f"there is no template {send.template!r}; {mend}")
        return
    for channel in send.via:
        of_channel = {file: needed for file, needed in files.items() if file.partition(".")[0] == channel}
        if not of_channel:
            yield Fault(
                f"{place.path}.template",
                f"template {send.template!r} has no text for channel {channel!r}; "
                f"add {send.template}/{channel}.<locale>",
            )
        for file, needed in sorted(of_channel.items()):
            lacking = needed - surroundings.links - send.values.keys()
            yield from _variables(place, f"{send.template}/{file}", lacking, journey, surroundings)
            kind = journey.kind if send.kind is None else send.kind
            if kind is MessageKind.PROMO and channel == _EMAIL and _LINK not in needed:
                yield Fault(
                    place.path,
                    f"{send.template}/{file} shows no unsubscribe link, and a promo e-mail without one is "
                    "refused when it is due; write 'unsubscribe: {{ unsubscribe_url }}' above the body, and "
                    "open with unsubscribe=",
                    "warning",
                )


def _variables(
    place: Place, file: str, lacking: frozenset[str], journey: Journey, surroundings: Surroundings
) -> Iterator[Fault]:
    """Find variables that nothing supplies where a run begins with some trigger."""
    if surroundings.kinds is None:
        return
    attributes = frozenset(surroundings.kinds.attributes)
    for name in sorted(lacking - attributes):
        for index, trigger in enumerate(journey.enter):
            payload = _payload(trigger, surroundings)
            if payload is None or name in payload:
                continue
            if isinstance(trigger, ApiCall):
                yield Fault(
                    place.path,
                    f"{file} needs {name!r}; every call of crm.enter must give it",
                    "warning",
                )
            else:
                known = {*attributes, *payload, *surroundings.links}
                mend = nearest(name, known, "declare it, give it in values=, or a fallback in the template")
                yield Fault(
                    place.path,
                    f"{file} needs {name!r}, and a run begun by enter[{index}] has no such value; {mend}",
                    "error" if surroundings.strict else "warning",
                )
            break


def _payload(trigger: Trigger, surroundings: Surroundings) -> frozenset[str] | None:
    """Name what a run begun by a trigger brings along; None when nobody knows."""
    if not isinstance(trigger, OnEvent):
        return frozenset()
    declared = None if surroundings.kinds is None else surroundings.kinds.events.get(trigger.event)
    return None if declared is None else frozenset(declared)
