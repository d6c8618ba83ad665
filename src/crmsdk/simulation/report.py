"""The report of a simulation or of a period of production: its figures, and a page that shows them."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

import attrs

from crmsdk.journeys.definition import Journey
from crmsdk.journeys.person import Note, NoteKind, Person
from crmsdk.model.ids import CustomerId, MessageId
from crmsdk.model.message import Message
from crmsdk.ports import Store
from crmsdk.reports.page import Section
from crmsdk.runtime.turning import Taken
from crmsdk.simulation.figures import Figures
from crmsdk.simulation.page import report_page

__all__ = ["Report", "report_of"]

_PAGE = 500


@attrs.frozen(kw_only=True)
class Report(Figures):
    """Figures that show themselves: as text when printed, as a page in a notebook or a file."""

    def to_html(
        self, *, title: str = "Report", customers: Sequence[str] = (), more: Sequence[Section] = ()
    ) -> str:
        """Write one self-contained page: journeys with counts, sends, rules, timelines.

        Args:
            title: Above everything.
            customers: Whose timelines to show.
            more: Further sections, after the first.

        Raises:
            UnknownName: one of the customers is not in the report.
        """
        return report_page(self, title=title, customers=customers, more=more)

    def _repr_html_(self) -> str:
        """Show the page in a notebook, in a frame of its own."""
        page = escape(self.to_html())
        return f'<iframe srcdoc="{page}" style="width:100%;height:40em;border:0"></iframe>'


async def report_of(
    store: Store,
    journeys: Sequence[Journey],
    *,
    start: datetime,
    until: datetime,
    taken: Taken | None = None,
    zone: str = "UTC",
) -> Report:
    """Read a store and sum up what happened between two moments.

    Args:
        store: Any store; of production, too.
        journeys: The definitions that ran.
        start, until: The span, UTC; what was noted outside of it is left out, and messages that were
            neither due nor sent in it.
        taken: What became of the facts given, if known.
        zone: IANA zone of people whose zone is unknown.
    """
    people: dict[CustomerId, Person] = {}
    messages: list[Message] = []
    notes: dict[CustomerId, Sequence[Note]] = {}
    after = None
    while page := await store.customers(after=after, limit=_PAGE):
        after = page[-1]
        people.update((person.id, person) for person in await store.load(page) if person is not None)
        for rows in await store.messages_of(page, since=start):
            messages.extend(message for message in rows if message.due <= until)
        known = {message.id for message in messages}
        late: list[MessageId] = []  # due before the span and sent in it
        for customer, lines in zip(page, await store.notes_of(page, since=start), strict=True):
            if customer in people:
                notes[customer] = mine = [note for note in lines if note.at <= until]
                late += [MessageId(note.message) for note in mine if note.kind is NoteKind.SENT]
        found = await store.messages([id for id in dict.fromkeys(late) if id not in known])
        messages.extend(message for message in found if message is not None)
    return Report(
        start=start,
        until=until,
        journeys=tuple(journeys),
        zone=zone,
        taken=taken or Taken(),
        people=people,
        messages=tuple(sorted(messages, key=lambda message: (message.due, message.id))),
        notes=notes,
    )
