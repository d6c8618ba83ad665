"""Turns people: reads them, lets the core react, commits, and does it again when somebody else was faster."""

from collections.abc import Iterable, Sequence

import attrs

from crmsdk.errors import InputError, StoreBusy, UnknownName
from crmsdk.journeys.person import Change, Note, NoteKind
from crmsdk.journeys.programs import Programs
from crmsdk.journeys.stimuli import Input, Joined
from crmsdk.journeys.turn import react
from crmsdk.model.changing import with_changes
from crmsdk.model.ids import CustomerId
from crmsdk.model.inputs import Input as News
from crmsdk.model.message import Message
from crmsdk.ports import Clock, Ledger, Store
from crmsdk.runtime.intake import Batch, Refused, gather
from crmsdk.runtime.logs import log_written

__all__ = ["Taken", "Turner"]

_TRIES = 50  # a person written by others fifty times within one call is a person under attack
_BATCH = 1_000


@attrs.frozen(kw_only=True)
class Taken:
    """What became of a batch of news; ``accepted + duplicates + len(refused)`` is what was given.

    Attributes:
        accepted: How many were new and are stored.
        duplicates: How many were known already; they changed nothing.
        refused: Those not taken, each with its typed error.
        ids: Of those accepted.
    """

    accepted: int = 0
    duplicates: int = 0
    refused: tuple[Refused, ...] = ()
    ids: frozenset[str] = attrs.field(default=frozenset(), repr=False)

    def __add__(self, other: "Taken") -> "Taken":
        """Add two batches up."""
        return Taken(
            accepted=self.accepted + other.accepted,
            duplicates=self.duplicates + other.duplicates,
            refused=(*self.refused, *other.refused),
            ids=self.ids | other.ids if self.ids and other.ids else self.ids or other.ids,
        )


@attrs.define
class Turner:
    """Everything that writes people goes through here."""

    store: Store
    ledger: Ledger
    programs: Programs
    clock: Clock
    secret: bytes = attrs.field(repr=False)

    async def take(self, news: Iterable[News]) -> Taken:
        """Take news about people: store what is new, and let it act.

        Raises:
            StoreBusy: others kept writing the same people.
            InputError: one of them is no news; those before it may be stored.
        """
        total = Taken()
        waiting: list[News] = []
        for one in news:
            if not isinstance(one, News):
                raise InputError(
                    f"has one of kind {type(one).__name__}; give what identify, track and crmsdk.wire make",
                    field="news",
                )
            waiting.append(one)
            if len(waiting) == _BATCH:
                total += await self._take(waiting)
                waiting = []
        return total + await self._take(waiting) if waiting else total

    async def _take(self, news: Sequence[News]) -> Taken:
        taken = Taken()
        waiting: Sequence[News] = news
        tries = 0
        while waiting:
            batch = await gather(self.store, waiting, now=self.clock.now(), secret=self.secret)
            lost = await self._commit(batch)
            kept = [one.id for customer, new in batch.accepted.items() if customer not in lost for one in new]
            taken += Taken(
                accepted=len(kept),
                duplicates=batch.duplicates,
                refused=tuple(batch.refused),
                ids=frozenset(kept),
            )
            waiting = [*(one for customer in lost for one in batch.accepted.get(customer, ())), *batch.rest]
            tries = tries + 1 if lost else 0
            if tries == _TRIES:
                raise StoreBusy(
                    f"others kept changing the same people; {len(waiting)} of {len(news)} news were not taken"
                )
        return taken

    async def _commit(self, batch: Batch) -> set[CustomerId]:
        """Commit a batch; name the people who were written by somebody else meanwhile."""
        now = self.clock.now()
        paused = await self.store.paused()
        changes = []
        for customer in {*batch.inputs, *batch.conflicts}:
            person = batch.people[customer]
            inputs = batch.inputs.get(customer, [])
            for joined in inputs:
                if isinstance(joined, Joined):  # first the contacts: caps are never too loose in between
                    await self.ledger.move(joined.other.id, customer)
            change = react(self.programs, person, inputs, now=now, paused=paused, timers=False)
            notes = tuple(
                Note(
                    at=now,
                    kind=NoteKind.CONFLICT,
                    text=f"event {id!r} arrived with another body; the stored one stands",
                )
                for id in batch.conflicts.get(customer, ())
            )
            changes.append(with_changes(change, notes=(*notes, *change.notes)) if notes else change)
        written = await self.store.commit(changes) if changes else ()
        log_written(changes, written)
        return {change.person.id for change, done in zip(changes, written, strict=True) if not done}

    async def command(
        self, customer: CustomerId, inputs: Sequence[Input] = (), *, messages: Sequence[Message] = ()
    ) -> Change:
        """Let one known person react to commands; give the change that was written.

        Args:
            customer: Whom.
            inputs: The commands.
            messages: To put into the outbox; one that is there, whatever became of it, stays as it is.

        Raises:
            UnknownName: there is no such customer.
            StoreBusy: others kept writing the same person.
        """
        for _ in range(_TRIES):
            (person,) = await self.store.load([customer])
            if person is None:
                raise UnknownName("customer", customer, mend="track or identify them first")
            paused = await self.store.paused()
            change = react(self.programs, person, inputs, now=self.clock.now(), paused=paused, timers=False)
            if messages:  # asked after the person was read: one that comes later is a write of the person
                there = await self.store.messages([message.id for message in messages])
                new = (message for message, row in zip(messages, there, strict=True) if row is None)
                change = with_changes(change, messages=(*change.messages, *new))
            (written,) = await self.store.commit([change])
            if written:
                log_written([change], [True])
                return change
        raise StoreBusy(f"others kept writing customer {customer!r}; try again")

    async def tick(self, limit: int) -> int:
        """Turn people whose time has come, at most so many; say how many were turned."""
        now = self.clock.now()
        due = await self.store.due(now, limit=limit)
        if not due:
            return 0
        people = [person for person in await self.store.load(due) if person is not None]
        # Read after the people: a resume in between wakes them, which refuses our commit.
        paused = await self.store.paused()
        changes = [react(self.programs, person, now=now, paused=paused) for person in people]
        written = await self.store.commit(changes)
        log_written(changes, written)
        return sum(written)
