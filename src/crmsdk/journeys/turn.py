"""One turn of one person: inputs in their order, then the timers that are due; nothing is read or sent.

Order, stated once. Inputs are taken by (time, rank, id): joins, profile, events, deliveries, commands. Each
input sees the facts at its place: those stored before and those of the batch up to it. For each, runs that
exist are asked first, then segments, then triggers, so a purchase ends the old run before it starts a new
one. Then everything due at or before ``now`` fires, earliest first, until nothing is due.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import assert_never

from crmsdk.errors import DefinitionError
from crmsdk.journeys.absences import absence_after, anchored, anchors_after, calls_off, entry_key, passes
from crmsdk.journeys.entering import ONCE_ONLY, barred, refused, run_of
from crmsdk.journeys.joining import joined, repeats, without_theirs
from crmsdk.journeys.machine import step
from crmsdk.journeys.person import Change, Enrollment, Note, NoteKind, Person, Phase, Task, Watch, WatchKind
from crmsdk.journeys.profile import logged, profiled
from crmsdk.journeys.programs import Programs, Slot
from crmsdk.journeys.stimuli import (
    Answered,
    Ask,
    Asked,
    Begin,
    Consented,
    Effect,
    Entered,
    Fact,
    Handed,
    Happened,
    Held,
    Input,
    Joined,
    OpenTask,
    Record,
    Resumed,
    Stimulus,
    Stop,
    Stopped,
    Tell,
    Timer,
    Withdraw,
    Write,
    Wrote,
    place_of,
)
from crmsdk.journeys.triggers import ApiCall, OnEvent, SegmentChange
from crmsdk.journeys.watching import look, new_watch
from crmsdk.model.changing import with_changes
from crmsdk.model.comparison import value_at
from crmsdk.model.event import START, Event, Position
from crmsdk.model.facts import Facts
from crmsdk.model.ids import EnrollmentId, EventId, MessageId, keyed_id
from crmsdk.model.message import Message
from crmsdk.model.values import Properties, Value
from crmsdk.segments.evaluating import holds
from crmsdk.segments.reading import Reads

__all__ = ["TASK_ANSWERED", "react"]

TASK_ANSWERED = "task_answered"
"""Name of the event that tells a task's answer: properties ``journey``, ``step``, ``answer``."""

_TIMERS = 10_000  # what one turn may fire, and
_FACTS = 1_000  # what runs may write at one moment, before the person is taken for poisoned


def react(
    programs: Programs,
    person: Person,
    inputs: Sequence[Input] = (),
    *,
    now: datetime,
    paused: frozenset[str] = frozenset(),
    anew: frozenset[str] = frozenset(),
    timers: bool = True,
) -> Change:
    """Give everything that one turn changes about one person.

    Args:
        programs: The journeys in force, and the older versions people are still in.
        person: As stored; not changed.
        inputs: Any order.
        now: The present moment, UTC.
        paused: Names of paused journeys: their runs stand still, their entries are kept.
        anew: Names of journeys whose watches start over, silently: those just activated.
        timers: Whether what is due fires too. Without it only the inputs act, so that news that arrive in
            several calls at one moment all come before the timers of that moment.

    Returns:
        The change to commit; with timers its person's ``wake`` is later than ``now``.
    """
    turn = _Turn(programs, person, now, paused)
    turn.prepare(anew)
    for entry in sorted(inputs, key=place_of):
        turn.take(entry)
    turn.thaw()
    if timers:
        turn.tick()
    return turn.change(person)


class _Turn:
    """The working state of one turn; lives for one call of ``react``."""

    def __init__(self, programs: Programs, person: Person, now: datetime, paused: frozenset[str]) -> None:
        self.programs = programs
        self.person = person
        self.now = now
        self.paused = paused
        self.cause = now  # the moment of the fact at hand: old facts start nothing
        self.messages: dict[MessageId, Message] = {}
        self.withdrawn: list[EnrollmentId] = []
        self.tasks: dict[str, Task] = {}
        self.notes: list[Note] = []
        self.others: list[Person] = []
        self.follow: deque[Write | Record] = deque()

    # ------------------------------------------------------------------------------ before and after

    def prepare(self, anew: frozenset[str]) -> None:
        """Drop watches nobody needs, and let a known person's new ones start silently."""
        slots = self.programs.watched
        for watch in self.person.watches:
            gone = watch.kind in (WatchKind.SEGMENT, WatchKind.DATE, WatchKind.SCHEDULE) and (
                (watch.journey, watch.slot) not in slots or watch.journey in anew
            )
            lost = watch.kind is WatchKind.ABSENCE and watch.journey not in self.programs.active
            if gone or lost:
                self.person = self.person.without_watch(watch)
        if self.person.version:
            self._look(Reads.all(), silent=True, only_new=True)

    def change(self, before: Person) -> Change:
        """Sum up what the turn did."""
        whole = Change.between(
            before,
            self.person,
            messages=self.messages.values(),
            withdrawn=self.withdrawn,
            tasks=self.tasks.values(),
            notes=self.notes,
            absorbs=self.others,
        )
        return without_theirs(whole, self.others) if self.others else whole

    def note(
        self, kind: NoteKind, text: str = "", *, run: Enrollment | None = None, journey: str = ""
    ) -> None:
        self.notes.append(
            Note(
                at=self.now,
                kind=kind,
                journey=run.journey if run is not None else journey,
                enrollment=run.id if run is not None else "",
                text=text,
            )
        )

    # --------------------------------------------------------------------------------------- inputs

    def take(self, entry: Input) -> None:
        """Take one input to its end, with all the facts it makes runs write."""
        match entry:
            case Joined():
                self._join(entry)
            case Wrote():
                self._wrote(entry)
            case Consented():
                self.cause = entry.consent.at
                facts = self.person.facts
                self._facts(with_changes(facts, consents=(*facts.consents, entry.consent)))
                self._changed(Reads(consents=True))
            case Happened():
                self.person = self.person.also_named(entry.identifiers)
                self._happen(entry.event)
            case Handed():
                self.cause = self.now
                self._asked(entry.message, str(entry.result), entry.reason)
            case Entered():
                self._called(entry)
            case Answered():
                self._answered(entry)
            case Held() | Resumed():
                self._hold(entry)
            case Stopped():
                for run in self._living(entry.journey):
                    self._step(run, Stop(entry.reason))
            case _:
                assert_never(entry)
        self._follow_up()

    def _facts(self, facts: Facts) -> None:
        self.person = with_changes(self.person, facts=facts)

    def _wrote(self, entry: Wrote) -> None:
        self.cause = entry.at
        person = self.person
        writes = logged(entry)
        written = with_changes(
            person.also_named(entry.identifiers),
            facts=person.facts.with_attributes(writes) if writes else person.facts,
            audience=person.audience if entry.audience is None else entry.audience,
        )
        self.person = written if len(writes) == len(entry.attributes) else profiled(written, self.now)
        for write in writes:
            if write.at > self.now:
                self._later(write.id, write.at, None)
        names = frozenset(write.name for write in writes)
        self._changed(Reads(attributes=names, zone=self.person.facts.zone != person.facts.zone))

    def _later(self, fact: str, at: datetime, position: Position | None) -> None:
        self.person = self.person.with_watch(Watch(kind=WatchKind.EVENT, key=fact, due=at, position=position))

    def _happen(self, event: Event) -> None:
        if event.customer != self.person.id:
            event = with_changes(event, customer=self.person.id)
        stored = self.person.facts.event(event.position)
        if stored is not None and stored.same_fact(event):
            return  # another process was faster: told twice, it is one fact and acts once
        self._facts(self.person.facts.with_events((event,)))
        if event.at > self.now:
            self._later(event.id, event.at, event.position)
        else:
            self._arrived(event)

    def _arrived(self, event: Event) -> None:
        """Let a stored event act: runs first, then segments, then triggers."""
        self.cause = event.at
        for slot in self.programs.called_off.get(event.name, ()):
            self._call_off(slot, event)
        self._changed(Reads(events=frozenset((event.name,))))
        for slot in self.programs.on_event.get(event.name, ()):
            if isinstance(slot.trigger, OnEvent):
                self._started(slot, slot.trigger, event)

    def _changed(self, reads: Reads) -> None:
        """Ask runs, then segments and dates, whose answer these facts may change."""
        for run in self.person.enrollments:
            program = self.programs.pinned.get(run.definition)
            if (
                program is not None
                and (run.alive or run.goal_open)
                and (program.rules.touches(reads) or (reads.zone and run.alive))
            ):
                self._step(run, Fact())
        self._look(reads)

    def _called(self, entry: Entered) -> None:
        program = self.programs.active.get(entry.journey)
        if program is None:
            raise DefinitionError(f"no journey {entry.journey!r} takes entries", path="journey")
        trigger = next((one for one in program.journey.enter if isinstance(one, ApiCall)), None)
        if trigger is None:
            raise DefinitionError(f"journey {entry.journey!r} has no by_call() trigger", path="enter")
        self.cause = entry.at
        slot = Slot(program, program.journey.enter.index(trigger), trigger)
        self._enter(
            slot, started_by=entry.key, position=(self.now, START), values=entry.values, key=entry.key
        )

    def _answered(self, entry: Answered) -> None:
        task = with_changes(entry.task, done=entry.at, answer=entry.answer)
        id = EventId(keyed_id(self.programs.project.secret, ("answer", task.id)))
        if any(event.id == id for event in self.person.facts.events):
            return  # another process was faster: the first answer stands
        self.tasks[task.id] = task
        self._happen(
            Event(
                id=id,
                customer=self.person.id,
                name=TASK_ANSWERED,
                at=entry.at,
                received=self.now,
                properties={"journey": task.journey, "step": task.step, "answer": entry.answer},
            )
        )
        self.cause = self.now
        self._asked(task.id, "done", entry.answer)

    def _asked(self, about: str, result: str, reason: str) -> None:
        for run in self.person.enrollments:
            if run.alive and run.waits_for == about:
                self._step(run, Asked(about, result, reason))

    def _living(self, journey: str) -> list[Enrollment]:
        return [run for run in self.person.enrollments if run.alive and journey in ("", run.journey)]

    def _hold(self, entry: Held | Resumed) -> None:
        pausing = isinstance(entry, Held)
        for run in self._living(entry.journey):
            if run.paused != pausing:
                held = with_changes(run, paused=pausing)
                self.note(NoteKind.PAUSED if pausing else NoteKind.RESUMED, run=run)
                self.person = self.person.with_enrollment(held)
                self._step(held, Fact())

    def _join(self, entry: Joined) -> None:
        self.cause = self.now
        person, other = self.person, entry.other
        self.person = profiled(joined(person, other), self.now)
        self.others.append(other)
        self.note(NoteKind.JOINED, "an anonymous visitor turned out to be this person")
        for run in other.enrollments:
            if run.alive and repeats(run, person, self.programs.pinned.get(run.definition)):
                self._step(run, Stop("joined"))
        self._await_anew((*person.watches, *other.watches))
        self._changed(Reads.all())

    def _await_anew(self, watches: Iterable[Watch]) -> None:
        """Begin open absences again over the facts of both: one may have done what calls the other's off."""
        waits = [watch for watch in watches if watch.kind is WatchKind.ABSENCE]
        for watch in sorted(waits, key=lambda wait: wait.position or (self.now, START)):
            found = anchored(self.programs.slot(watch), watch, self.person.facts)
            if found is not None:
                self._await(*found, watch.key)

    # ----------------------------------------------------------------------------- triggers and entry

    def _started(self, slot: Slot, trigger: OnEvent, event: Event) -> None:
        if self.now - event.at > trigger.max_age or not passes(trigger, event):
            return
        key = entry_key(trigger, event)
        if key is None:
            why = f"the event has no {trigger.key!r} that can be a key"
            self.note(NoteKind.NOT_ENTERED, why, journey=slot.program.name)
            return
        if trigger.unless_event is None:
            self._enter_by(slot, trigger, event)
        else:
            self._await(slot, trigger, event, key)

    def _await(self, slot: Slot, trigger: OnEvent, event: Event, key: str) -> None:
        """Watch for an absence after its anchor, as the facts stand."""
        place = (WatchKind.ABSENCE, slot.program.name, slot.index, key)
        older = next((one for one in self.person.watches if one.id == place), None)
        watch = absence_after(slot, trigger, event, older, facts=self.person.facts, now=self.now)
        if watch is not None and watch is not older:
            self.person = self.person.with_watch(watch)
        elif watch is None and older is not None:
            self.person = self.person.without_watch(older)

    def _call_off(self, slot: Slot, event: Event) -> None:
        trigger = slot.trigger
        for watch in self.person.watches:
            if (
                watch.kind is WatchKind.ABSENCE
                and (watch.journey, watch.slot) == (slot.program.name, slot.index)
                and isinstance(trigger, OnEvent)
                and calls_off(trigger, watch, event)
            ):
                self.person = self.person.without_watch(watch)
                for anchor in anchors_after(trigger, event, facts=self.person.facts, now=self.now):
                    self._started(slot, trigger, anchor)

    def _enter_by(self, slot: Slot, trigger: OnEvent, event: Event) -> None:
        self._enter(
            slot,
            started_by=event.id,
            position=event.position,
            values=event.properties,
            key=entry_key(trigger, event) or "",
            key_name=trigger.key,
            key_value=None if trigger.key is None else value_at(event.properties, trigger.key),
        )

    def _enter(
        self,
        slot: Slot,
        *,
        started_by: str,
        position: Position,
        values: Properties,
        key: str = "",
        key_name: str | None = None,
        key_value: Value = None,
    ) -> None:
        program, trigger = slot.program, slot.trigger
        journey = program.journey
        if journey.audience and journey.audience != self.person.audience:
            return
        project = self.programs.project
        facts = self.person.facts
        if trigger.when is not None and not holds(trigger.when, facts, self.now, zone=project.zone):
            return
        run = run_of(
            program,
            self.person,
            key=key,
            key_name=key_name,
            key_value=key_value,
            started_by=f"{slot.index}:{started_by}",
            position=position,
            values=values,
            now=self.now,
            project=project,
        )
        if any(old.id == run.id for old in self.person.enrollments):
            return
        why = barred(program, self.person, key, self.now) or refused(
            program, self.person, run, self.now, zone=project.zone
        )
        if why == ONCE_ONLY:
            return  # the first entry says it all; a line at every later event would drown the timeline
        if why:
            self.note(NoteKind.NOT_ENTERED, why, journey=program.name)
            return
        self.note(NoteKind.ENTERED, key, run=run)
        self.person = self.person.with_enrollment(run)
        self._step(run, Begin())

    # -------------------------------------------------------------------------------------- watches

    def _look(self, reads: Reads, *, silent: bool = False, only_new: bool = False) -> None:
        """Look again at segments, dates and schedules that these facts may concern."""
        slots = self.programs.watched
        known = {
            (watch.journey, watch.slot): watch
            for watch in self.person.watches
            if (slot := slots.get((watch.journey, watch.slot))) is not None and slot.watches is watch.kind
        }
        for place, slot in slots.items():
            watch = known.get(place)
            if watch is None:
                self._see(slot, new_watch(slot), silent=silent or bool(self.person.version))
            elif not only_new and slot.reads.touches(reads):
                self._see(slot, watch, silent=silent)

    def _see(self, slot: Slot, watch: Watch, *, silent: bool = False) -> None:
        try:
            seen, key = look(
                slot, watch, self.person.facts, now=self.now, project_zone=self.programs.project.zone
            )
        except Exception as error:  # noqa: BLE001 - one poisoned trigger must never stop the others
            seen, key = with_changes(watch, due=None), None
            what = f"{type(error).__name__} at enter[{slot.index}]"
            self.note(NoteKind.PARKED, what, journey=slot.program.name)
        if seen != watch or watch not in self.person.watches:
            self.person = self.person.with_watch(seen)
        old = isinstance(slot.trigger, SegmentChange) and self.now - self.cause > slot.trigger.max_age
        if key is not None and not silent and not old:
            self._enter(slot, started_by=key, position=(self.now, START), values={})

    def _due(self, watch: Watch) -> None:
        match watch.kind:
            case WatchKind.EVENT:
                self.person = self.person.without_watch(watch)
                event = self.person.facts.event(watch.position) if watch.position is not None else None
                if event is not None:
                    self._arrived(event)
                else:
                    self.cause = self.now
                    self.person = profiled(self.person, self.now)
                    self._changed(Reads.all())
            case WatchKind.ABSENCE:
                self.person = self.person.without_watch(watch)
                self._absent(watch)
            case WatchKind.SEGMENT | WatchKind.DATE | WatchKind.SCHEDULE:
                self.cause = self.now
                slot = self.programs.slot(watch)
                if slot is not None:
                    self._see(slot, watch)
            case _:
                assert_never(watch.kind)

    def _absent(self, watch: Watch) -> None:
        """Enter after an absence, if the trigger is still there."""
        found = anchored(self.programs.slot(watch), watch, self.person.facts)
        if found is not None:
            self._enter_by(*found)

    # ----------------------------------------------------------------------------------------- runs

    def _held(self, run: Enrollment) -> bool:
        return run.paused or run.journey in self.paused

    def _step(self, run: Enrollment, stimulus: Stimulus) -> None:
        program = self.programs.pinned.get(run.definition)
        if program is None:
            self._park(run, f"definition {run.definition} is not known; register or restore it")
            return
        try:
            answer = step(
                program,
                run,
                stimulus,
                facts=self.person.facts,
                now=self.now,
                project=self.programs.project,
                held=self._held(run),
            )
        except Exception as error:  # noqa: BLE001 - one poisoned run must never stop the others
            self._park(run, f"{type(error).__name__} at step {program.path_at(run.cursor)}")
            return
        if answer.run is not run and answer.run != run:
            self.person = self.person.with_enrollment(answer.run)
        for effect in answer.effects:
            self._apply(effect)

    def _park(self, run: Enrollment, why: str) -> None:
        if run.alive and run.phase is not Phase.PARKED:
            parked = with_changes(run, phase=Phase.PARKED, wake=None, error=why)
            self.person = self.person.with_enrollment(parked)
            self.note(NoteKind.PARKED, why, run=run)

    def _apply(self, effect: Effect) -> None:
        match effect:
            case Ask(message):
                self.messages[message.id] = message
            case Withdraw(run):
                self.withdrawn.append(run)
                self.messages = {
                    id: message
                    for id, message in self.messages.items()
                    if message.enrollment != run or message.state.final
                }
            case OpenTask(task):
                self.tasks[task.id] = task
            case Tell(note):
                self.notes.append(note)
            case Write() | Record():
                self.follow.append(effect)
            case _:
                assert_never(effect)

    def _follow_up(self) -> None:
        """Let facts that runs made act like any other, within bounds."""
        for _ in range(_FACTS):
            if not self.follow:
                return
            effect = self.follow.popleft()
            if isinstance(effect, Record):
                self._happen(effect.event)
            else:
                write = effect.write
                self._wrote(Wrote(at=write.at, id=write.id, attributes=(write,)))
        self.follow.clear()
        for run in self._living(""):
            self._park(run, f"more than {_FACTS} facts at one moment: journeys call each other in a circle")

    # --------------------------------------------------------------------------------------- timers

    def _next(self) -> tuple[datetime, int, str, Watch | Enrollment] | None:
        """Find what is due first: future events before runs, runs before other watches."""
        due: list[tuple[datetime, int, str, Watch | Enrollment]] = [
            (watch.due, 0 if watch.kind is WatchKind.EVENT else 2, "/".join(map(str, watch.id)), watch)
            for watch in self.person.watches
            if watch.due is not None and watch.due <= self.now
        ]
        for run in self.person.enrollments:
            if not run.alive or run.phase is Phase.PARKED:
                continue
            if self._held(run):
                if run.wake is not None:
                    self.person = self.person.with_enrollment(with_changes(run, wake=None))
                continue
            thawed = run.wake is None and (run.due is not None or run.phase is Phase.READY)
            wake = self.now if thawed else run.wake
            if wake is not None and wake <= self.now:
                due.append((wake, 1, run.id, run))
        return min(due, key=lambda one: one[:3], default=None)

    def thaw(self) -> None:
        """Let a new person be watched for, and ask the rules of runs that no longer stand still."""
        if not self.person.version:
            self._look(Reads())
        for run in self.person.enrollments:
            # A held run has no wake; where it waits for a message, nothing else would set one again.
            if run.phase is Phase.SENDING and run.wake is None and not self._held(run):
                self._step(run, Fact())
        self._follow_up()

    def tick(self) -> None:
        """Fire everything due, earliest first."""
        for _ in range(_TIMERS):
            first = self._next()
            if first is None:
                return
            self.cause = self.now
            match first[3]:
                case Watch() as watch:
                    self._due(watch)
                case Enrollment() as run:
                    self._step(run, Timer(run.token))
                    self._moved(run)
            self._follow_up()
        for run in self._living(""):
            self._park(run, f"more than {_TIMERS} timers at one moment")

    def _moved(self, before: Enrollment) -> None:
        for run in self.person.enrollments:
            if run.id == before.id and run.alive and run == before and not self._held(run):
                self._park(run, "a timer moved nothing; this is an error of the engine, please report it")
