"""All journeys in force, found by what starts or moves them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import attrs

from crmsdk.errors import DefinitionError
from crmsdk.journeys.definition import Journey
from crmsdk.journeys.person import Watch, WatchKind
from crmsdk.journeys.program import Program, Project, both_names, compiled
from crmsdk.journeys.triggers import DateReached, OnEvent, Schedule, SegmentChange, Trigger
from crmsdk.model.codec import content_hash
from crmsdk.segments.reading import Reads, reads

__all__ = ["Programs", "Slot"]


@attrs.frozen
class Slot:
    """One trigger of one journey.

    Attributes:
        program, index, trigger: Of which journey, its place there, and itself.
        watches: The kind of watch it keeps for every person; None for one that waits for something to come.
        reads: The facts that can change what it watches.
        asks: Of a segment its content hash: what another version saw says nothing about it.
    """

    program: Program
    index: int
    trigger: Trigger
    watches: WatchKind | None = attrs.field(init=False, repr=False)
    reads: Reads = attrs.field(init=False, repr=False)
    asks: str | None = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Find what the trigger watches."""
        kind: WatchKind | None
        asks = None
        match self.trigger:
            case SegmentChange(segment=segment):
                kind, read, asks = WatchKind.SEGMENT, reads(segment), content_hash(segment)
            case DateReached(attribute=name):
                kind, read = WatchKind.DATE, Reads(attributes=both_names(name), zone=True)
            case Schedule():
                kind, read = WatchKind.SCHEDULE, Reads(zone=True)
            case _:
                kind, read = None, Reads()
        object.__setattr__(self, "watches", kind)
        object.__setattr__(self, "reads", read)
        object.__setattr__(self, "asks", asks)


@attrs.frozen(kw_only=True)
class Programs:
    """The journeys in force and the older versions people are still in.

    Attributes:
        project: Zone and key of the application.
        active: By name; these take new entries.
        pinned: By content hash; every version anybody may be in.
        on_event: Triggers by the event that starts them.
        called_off: Triggers by the event that calls an absence off.
        watched: Triggers that watch a segment, a date or the calendar, by journey and index.
    """

    project: Project
    active: Mapping[str, Program]
    pinned: Mapping[str, Program]
    on_event: Mapping[str, tuple[Slot, ...]] = attrs.field(repr=False)
    called_off: Mapping[str, tuple[Slot, ...]] = attrs.field(repr=False)
    watched: Mapping[tuple[str, int], Slot] = attrs.field(repr=False)

    def slot(self, watch: Watch) -> Slot | None:
        """Give the trigger a watch is kept for; None where the journey in force has no such trigger."""
        known = self.watched.get((watch.journey, watch.slot))
        if known is not None:
            return known
        program = self.active.get(watch.journey)
        if program is None or watch.slot >= len(program.journey.enter):
            return None
        return Slot(program, watch.slot, program.journey.enter[watch.slot])

    @classmethod
    def of(
        cls, journeys: Iterable[Journey], *, project: Project, older: Iterable[Journey] = ()
    ) -> "Programs":
        """Compile and index journeys.

        Args:
            journeys: Those that take new entries; names unique.
            project: Zone and key of the application.
            older: Versions that only drain.

        Raises:
            DefinitionError: two journeys of one name, or steps with one key.
        """
        active: dict[str, Program] = {}
        on_event: defaultdict[str, list[Slot]] = defaultdict(list)
        called_off: defaultdict[str, list[Slot]] = defaultdict(list)
        watched: dict[tuple[str, int], Slot] = {}
        for journey in journeys:
            if journey.name in active:
                raise DefinitionError(f"two journeys are named {journey.name!r}; rename one", path="name")
            program = active[journey.name] = compiled(journey)
            for index, trigger in enumerate(journey.enter):
                slot = Slot(program, index, trigger)
                match trigger:
                    case OnEvent():
                        on_event[trigger.event].append(slot)
                        if trigger.unless_event is not None:
                            called_off[trigger.unless_event].append(slot)
                    case SegmentChange() | DateReached() | Schedule():
                        watched[program.name, index] = slot
                    case _:
                        pass
        pinned = {program.hash: program for program in active.values()}
        for journey in older:
            program = compiled(journey)
            pinned.setdefault(program.hash, program)
        return cls(
            project=project,
            active=active,
            pinned=pinned,
            on_event={name: tuple(slots) for name, slots in on_event.items()},
            called_off={name: tuple(slots) for name, slots in called_off.items()},
            watched=watched,
        )
