"""How the end of a message reaches its run: one turn of the person, message and notes in one commit."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import attrs

from crmsdk.errors import StoreBusy
from crmsdk.journeys.person import Change, Note, NoteKind, Person
from crmsdk.journeys.programs import Programs
from crmsdk.journeys.stimuli import Handed
from crmsdk.journeys.turn import react
from crmsdk.model.changing import with_changes
from crmsdk.model.ids import CustomerId
from crmsdk.model.message import Message, MessageState
from crmsdk.model.values import EMPTY, Properties
from crmsdk.ports import Store
from crmsdk.runtime.logs import log_written

__all__ = ["Ended", "message_note", "settle_ends"]

_TRIES = 20


@attrs.frozen
class Ended:
    """A message that reached a final state, and what to tell about it."""

    message: Message
    note: Note


def message_note(
    message: Message, kind: NoteKind, now: datetime, text: str = "", data: Properties = EMPTY
) -> Note:
    """Make a line of the timeline about a message."""
    return Note(
        at=now,
        kind=kind,
        journey=message.journey,
        enrollment=message.enrollment or "",
        step=message.step,
        message=message.id,
        text=text,
        data=data,
    )


def _turn(
    programs: Programs, person: Person, ends: Sequence[Ended], now: datetime, paused: frozenset[str]
) -> Change:
    handed = [
        Handed(at=now, message=end.message.id, result=end.message.state, reason=end.message.reason)
        for end in ends
    ]
    change = react(programs, person, handed, now=now, paused=paused, timers=False)
    own = {end.message.id for end in ends}
    return with_changes(
        change,
        messages=(
            *(end.message for end in ends),
            *(message for message in change.messages if message.id not in own),
        ),
        notes=(*(end.note for end in ends), *change.notes),
    )


async def settle_ends(
    store: Store,
    programs: Programs,
    ends: Iterable[Ended],
    *,
    known: Mapping[CustomerId, Person],
    now: datetime,
    paused: frozenset[str],
    worker: str,
) -> None:
    """Let every run know that its message reached an end, however often others write the person meanwhile.

    An end that another worker has written stands, and a message another worker has taken over is its own;
    only what was certainly sent is told all the same.

    Args:
        store: Where people and messages are.
        programs: The journeys.
        ends: Messages in final states; in the order in which they were settled.
        known: People who need not be read at first: had another worker written one of their ends, our commit
            would be refused.
        now: UTC.
        paused: Names of paused journeys.
        worker: Who settles.
    """
    waiting: dict[CustomerId, list[Ended]] = defaultdict(list)
    for end in ends:
        waiting[end.message.customer].append(end)
    for _ in range(_TRIES):
        if not waiting:
            return
        unread = [customer for customer in waiting if customer not in known]
        found = {**known}
        if unread:
            found.update((person.id, person) for person in await store.load(unread) if person is not None)
            for gone in [customer for customer in unread if customer not in found]:
                await _follow(store, waiting, gone)
            # Read after the people: an end written later is a write of its person, and refuses ours.
            await _leave_to_others(store, waiting, unread, worker)
        changes = [
            _turn(programs, found[customer], ends, now, paused)
            for customer, ends in waiting.items()
            if customer in found
        ]
        written = await store.commit(changes)
        log_written(changes, written)
        for change, done in zip(changes, written, strict=True):
            if done:
                del waiting[change.person.id]
        known = {}
    raise StoreBusy(
        f"others kept writing {len(waiting)} people; what became of their messages is settled after the lease"
    )


async def _leave_to_others(
    store: Store, waiting: dict[CustomerId, list[Ended]], customers: Iterable[CustomerId], worker: str
) -> None:
    """Drop ends of messages that are settled already, withdrawn, or in the hands of another worker."""
    of = {customer: waiting[customer] for customer in customers if customer in waiting}
    rows = await store.messages([end.message.id for ends in of.values() for end in ends])
    stored = {row.id: row for row in rows if row is not None}
    for customer, ends in of.items():
        waiting[customer] = [end for end in ends if _ours(end, stored.get(end.message.id), worker)]
        if not waiting[customer]:
            del waiting[customer]


def _ours(end: Ended, row: Message | None, worker: str) -> bool:
    if end.message.state is MessageState.SENT:
        return row is None or row.state is not MessageState.SENT
    return row is not None and not row.state.final and (row.lease is None or row.worker == worker)


async def _follow(store: Store, waiting: dict[CustomerId, list[Ended]], gone: CustomerId) -> None:
    """A person was absorbed or erased meanwhile: go on with whoever has the message now."""
    ends = waiting.pop(gone)
    rows = await store.messages([end.message.id for end in ends])
    for end, row in zip(ends, rows, strict=True):
        if row is not None and row.customer != gone:
            moved = with_changes(end.message, customer=row.customer)
            waiting[row.customer].append(with_changes(end, message=moved))
