"""Faults of a journey against the tracking plan: unknown names, kinds that never compare, lost keys."""

from collections.abc import Iterator, Mapping

from crmsdk.journeys._fields import whole_days
from crmsdk.journeys._findings import Fault, Surroundings, asked, nearest, places
from crmsdk.journeys.definition import Journey
from crmsdk.journeys.steps import Emit, UntilDate, Update, Wait
from crmsdk.journeys.triggers import DateReached, OnEvent, SegmentChange
from crmsdk.journeys.turn import TASK_ANSWERED
from crmsdk.model.catalog import Catalog, Kinds
from crmsdk.model.comparison import PropTest, kind_of
from crmsdk.model.message import DeliveryKind
from crmsdk.model.values import Value
from crmsdk.segments.checks import problems
from crmsdk.segments.conditions import leaves
from crmsdk.segments.grammar import Condition, Did, Occurrences, SinceEntry

__all__ = ["asked_in_vain", "name_faults"]

_MESSAGE = {"message": "text", "journey": "text", "step": "text", "channel": "text", "template": "text"}
_OWN_EVENTS: Mapping[str, Mapping[str, str]] = {
    TASK_ANSWERED: {"journey": "text", "step": "text", "answer": "text"},
    **{f"message_{kind}": {**_MESSAGE, "machine": "boolean"} for kind in DeliveryKind},
}
"""Events the runtime records by itself, so nobody declares them."""

_UNDECLARED = " is not declared"
"""What every sentence says about a name nobody declared, those of ``segments.checks`` too."""

_DATED = ("date", "moment")
_KEYS = frozenset({"boolean", "number", "text", "moment", "date", "money"})


def name_faults(journey: Journey, surroundings: Surroundings) -> Iterator[Fault]:
    """Find names and kinds that the tracking plan does not know; nothing without one."""
    if surroundings.kinds is None:
        return
    for fault in _all(journey, _with_own(surroundings.kinds)):
        loose = _UNDECLARED in fault.sentence and not surroundings.strict
        yield Fault(fault.path, fault.sentence, "warning") if loose else fault


def asked_in_vain(condition: Condition, catalog: Catalog) -> str | None:
    """Say what a condition asks that the tracking plan does not know or cannot compare; None for nothing."""
    kinds = _with_own(catalog.kinds())
    for sentence in problems(condition, kinds.events, kinds.attributes):
        if catalog.strict or _UNDECLARED not in sentence:
            return sentence
    return None


def _with_own(kinds: Kinds) -> Kinds:
    return Kinds({**_OWN_EVENTS, **kinds.events}, kinds.attributes)


def _all(journey: Journey, kinds: Kinds) -> Iterator[Fault]:
    for index, trigger in enumerate(journey.enter):
        path = f"enter[{index}]"
        if trigger.when is not None:
            yield from _condition(f"{path}.when", trigger.when, kinds)
        match trigger:
            case OnEvent():
                yield from _started(path, trigger, kinds)
            case SegmentChange():
                yield from _condition(f"{path}.segment", trigger.segment, kinds)
            case DateReached():
                yield from _dated(path, trigger, kinds)
            case _:
                pass
    for path, condition in asked(journey):
        yield from _condition(path, condition, kinds)
        yield from _keyed(path, condition, journey, kinds)
    yield from _written(journey, kinds)


def _condition(path: str, condition: Condition, kinds: Kinds) -> Iterator[Fault]:
    for sentence in problems(condition, kinds.events, kinds.attributes):
        yield Fault(path, sentence)


def _event(path: str, name: str, tests: tuple[PropTest, ...], kinds: Kinds) -> Iterator[Fault]:
    yield from _condition(path, Did(Occurrences(name, tests=tests)), kinds)


def _started(path: str, trigger: OnEvent, kinds: Kinds) -> Iterator[Fault]:
    yield from _event(f"{path}.event", trigger.event, trigger.tests, kinds)
    if trigger.unless_event is not None:
        yield from _event(f"{path}.unless_event", trigger.unless_event, trigger.unless_tests, kinds)
    if trigger.key is None or trigger.event not in kinds.events:
        return
    kind = _kind(trigger.key, kinds.events[trigger.event])
    if kind is None:
        yield _lost(f"{path}.key", trigger.key, trigger.event, kinds)
    elif kind not in _KEYS and kind != "mapped":
        yield Fault(f"{path}.key", f"property {trigger.key!r} is {kind}, which is no key; use a plain value")
    if trigger.unless_event is not None:
        yield from _same_key(f"{path}.unless_event", trigger, trigger.unless_event, kinds)


def _same_key(path: str, trigger: OnEvent, event: str, kinds: Kinds) -> Iterator[Fault]:
    """Find an event that could never be told to be of the key of a run."""
    if trigger.key is None or event not in kinds.events or trigger.event not in kinds.events:
        return
    wanted = _kind(trigger.key, kinds.events[trigger.event])
    found = _kind(trigger.key, kinds.events[event])
    if found is None:
        yield _lost(path, trigger.key, event, kinds)
    elif wanted not in (None, "mapped", found) and found != "mapped":
        yield Fault(
            path,
            f"property {trigger.key!r} is {found} in event {event!r} and {wanted} in {trigger.event!r}, so "
            "no run would ever be found by it; declare both alike",
        )


def _lost(path: str, key: str, event: str, kinds: Kinds) -> Fault:
    declared = kinds.events[event]
    there = f"there are {', '.join(sorted(declared)) or 'none'}; "
    mend = nearest(key, declared, f"{there}declare it, or ask for every key with any_key()")
    return Fault(path, f"property {key!r} of event {event!r}, the key of the run,{_UNDECLARED}; {mend}")


def _kind(name: str, declared: Mapping[str, str]) -> str | None:
    """Find the kind of a property; ``mapped`` where it lies inside a mapping and nobody knows."""
    if name in declared:
        return declared[name]
    head, dot, _ = name.partition(".")
    return "mapped" if dot and declared.get(head) == "mapping" else None


def _keyed(path: str, condition: Condition, journey: Journey, kinds: Kinds) -> Iterator[Fault]:
    seen: set[tuple[str, str]] = set()
    for leaf in leaves(condition):
        if not isinstance(leaf, SinceEntry) or not leaf.keyed:
            continue
        for trigger in journey.enter:
            if isinstance(trigger, OnEvent) and trigger.key is not None:
                pair = (leaf.event, trigger.key)
                if pair not in seen:
                    seen.add(pair)
                    yield from _same_key(path, trigger, leaf.event, kinds)


def _dated(path: str, asked: DateReached | UntilDate, kinds: Kinds) -> Iterator[Fault]:
    name = asked.attribute
    kind = _kind(name, kinds.attributes)
    if kind is None:
        yield Fault(
            f"{path}.attribute",
            f"attribute {name!r}{_UNDECLARED}, so the date would never come; "
            f"{nearest(name, kinds.attributes, 'declare it first')}",
        )
    elif kind not in (*_DATED, "mapped"):
        yield Fault(
            f"{path}.attribute", f"attribute {name!r} is {kind}; only a date or a moment can be waited for"
        )
    elif kind == "date" and not whole_days(asked.offset):
        yield Fault(
            f"{path}.offset",
            f"attribute {name!r} is a date, which only whole days move; say the time of day by at='09:00'",
        )


def _written(journey: Journey, kinds: Kinds) -> Iterator[Fault]:
    for place in places(journey.steps):
        match place.step:
            case Wait(until=UntilDate() as until):
                yield from _dated(f"{place.path}.until", until, kinds)
            case Update(attribute=name, value=value):
                yield from _value(
                    f"{place.path}.attribute", f"attribute {name!r}", name, value, kinds.attributes
                )
            case Emit(event=event, values=values):
                yield from _event(f"{place.path}.event", event, (), kinds)
                for name, value in values.items() if event in kinds.events else ():
                    what = f"property {name!r} of event {event!r}"
                    yield from _value(f"{place.path}.values", what, name, value, kinds.events[event])
            case _:
                pass


def _value(path: str, what: str, name: str, value: Value, declared: Mapping[str, str]) -> Iterator[Fault]:
    if name not in declared:
        yield Fault(path, f"{what}{_UNDECLARED}; {nearest(name, declared, 'declare it first')}")
    elif value is not None and declared[name] != kind_of(value).partition(" ")[0]:
        yield Fault(
            path, f"{what} is {declared[name]}, and {kind_of(value)} is written; give {declared[name]}"
        )
