"""Each promise of a store, broken on purpose: the exported suite must notice."""

import textwrap

import pytest

from tests.suites.broken_accounts import BROKEN_ACCOUNTS

BROKEN = BROKEN_ACCOUNTS | {
    "forgets the version": (
        """
        def _is_as_read(self, person):
            return True
        """,
        "test_who_read_before_another_wrote_is_refused",
    ),
    "lets a person be new twice": (
        """
        def _is_as_read(self, person):
            return person.version == 0 or super()._is_as_read(person)
        """,
        "test_a_person_can_be_new_only_once",
    ),
    "takes an event id twice": (
        """
        def _conflicts(self, change, absorbed):
            return super()._conflicts(attrs.evolve(change, events=()), absorbed)
        """,
        "test_a_stored_event_id_refuses_the_change",
    ),
    "takes an identifier over": (
        """
        def _conflicts(self, change, absorbed):
            return super()._conflicts(attrs.evolve(change, identifiers=()), absorbed)
        """,
        "test_an_identifier_of_somebody_else_refuses_the_change",
    ),
    "stops a batch at the first refusal": (
        """
        async def commit(self, changes):
            answers = []
            for change in changes:
                answers += [False] if False in answers else await super().commit([change])
            return answers
        """,
        "test_the_others_of_a_batch_are_written",
    ),
    "writes half of a failed batch": (
        """
        async def commit(self, changes):
            return [(await MemoryStore.commit(self, [change]))[0] for change in changes]
        """,
        "test_a_failed_call_wrote_nothing",
    ),
    "withdraws what is being sent": (
        """
        def _withdraw(self, change):
            for row in self._messages.of(change.person.id):
                if row.enrollment in change.withdrawn:
                    self._messages.remove(row)
        """,
        "test_withdrawing_a_run_deletes_what_is_pending",
    ),
    "leaves the tasks of withdrawn runs open": (
        """
        def _withdraw(self, change):
            for row in self._messages.of(change.person.id):
                if row.enrollment in change.withdrawn and row.state is MessageState.PENDING:
                    self._messages.remove(row)
        """,
        "test_withdrawing_a_run_deletes_its_unanswered_tasks",
    ),
    "withdraws nothing": (
        """
        def _withdraw(self, change):
            pass
        """,
        "test_a_row_that_is_gone_is_refused",
    ),
    "joins people read before another wrote": (
        """
        def _conflicts(self, change, absorbed):
            return super()._conflicts(attrs.evolve(change, absorbs=()), absorbed)
        """,
        "test_absorbing_somebody_written_since_is_refused",
    ),
    "leaves the messages of a joined customer behind": (
        """
        def _absorb(self, person, absorbed):
            kept = self._messages
            self._messages = OwnedRows()
            try:
                return super()._absorb(person, absorbed)
            finally:
                self._messages = kept
        """,
        "test_its_messages_notes_and_tasks_belong_to_the_person",
    ),
    "settles for the customer it knew": (
        """
        async def settle(self, messages, *, worker, notes=None):
            answers = await super().settle(messages, worker=worker)
            for message, done in zip(messages, answers):
                if done:
                    self._add_notes(message.customer, notes[message.id])
            return answers
        """,
        "test_a_message_under_way_comes_back_to_the_person",
    ),
    "turns notes of one moment round": (
        """
        async def notes_of(self, customers, *, since=None):
            found = await super().notes_of(customers, since=since)
            return [sorted(reversed(lines), key=lambda note: note.at) for lines in found]
        """,
        "test_notes_of_one_moment_keep_their_order",
    ),
    "leaves those out who have no notes": (
        """
        async def notes_of(self, customers, *, since=None):
            return [lines for lines in await super().notes_of(customers, since=since) if lines]
        """,
        "test_notes_of_many_customers_come_apart_as_asked_for",
    ),
    "reads all notes, whatever their moment": (
        """
        async def notes_of(self, customers, *, since=None):
            return await super().notes_of(customers)
        """,
        "test_notes_since_a_moment_are_those_of_then_or_later",
    ),
    "reads messages in the order of customers": (
        """
        async def messages_of(self, customers, *, since=None):
            return await super().messages_of(sorted(customers), since=since)
        """,
        "test_messages_of_many_customers_come_apart_as_asked_for",
    ),
    "reads messages since they may go": (
        """
        async def messages_of(self, customers, *, since=None):
            found = await super().messages_of(customers)
            return [[row for row in rows if since is None or row.not_before >= since] for rows in found]
        """,
        "test_messages_since_a_moment_are_those_due_then_or_later",
    ),
    "takes no customers for all": (
        """
        async def tasks(self, *, customers=None, open_only=True):
            return await super().tasks(customers=customers or None, open_only=open_only)
        """,
        "test_tasks_come_by_deadline_and_id",
    ),
    "is due a moment too late": (
        """
        async def due(self, now, *, limit):
            return await super().due(now - timedelta(microseconds=1), limit=limit)
        """,
        "test_people_are_due_from_their_very_moment",
    ),
    "names a due person once": (
        """
        async def due(self, now, *, limit):
            found = await super().due(now, limit=limit)
            for customer in found:
                self._wakes.put(customer, None)
            return found
        """,
        "test_people_stay_due_until_they_are_written",
    ),
    "sleeps through messages": (
        """
        async def next_due(self, *, paused=frozenset()):
            return self._wakes.first()
        """,
        "test_the_next_moment_is_the_earliest_of_people_and_messages",
    ),
    "counts paused messages as work": (
        """
        async def next_due(self, *, paused=frozenset()):
            return await super().next_due()
        """,
        "test_messages_of_paused_journeys_are_no_work",
    ),
    "loses a rouse to a commit": (
        """
        async def rouse(self, journey, now):
            people = dict(self._people)
            count = await super().rouse(journey, now)
            self._people = people
            return count
        """,
        "test_t11_a_rouse_between_read_and_commit_is_not_lost",
    ),
    "gives a message to two workers": (
        """
        async def claim(self, now, *, limit, worker, lease, paused=frozenset()):
            return await super().claim(now, limit=limit, worker=worker, lease=now, paused=paused)
        """,
        "test_t01_nobody_else_gets_it_before_the_lease_is_over",
    ),
    "never gives a dead worker's message back": (
        """
        async def claim(self, now, *, limit, worker, lease, paused=frozenset()):
            lease += timedelta(days=9)
            return await super().claim(now, limit=limit, worker=worker, lease=lease, paused=paused)
        """,
        "test_t08_a_message_whose_worker_died_is_not_skipped",
    ),
    "takes one being sent for pending": (
        """
        async def claim(self, now, *, limit, worker, lease, paused=frozenset()):
            rows = await super().claim(now, limit=limit, worker=worker, lease=lease, paused=paused)
            return [attrs.evolve(row, state=MessageState.PENDING) for row in rows]
        """,
        "test_t05_a_message_being_sent_comes_back_as_being_sent",
    ),
    "claims in the order of writing": (
        """
        async def claim(self, now, *, limit, worker, lease, paused=frozenset()):
            rows = await super().claim(now, limit=limit, worker=worker, lease=lease, paused=paused)
            return sorted(rows, key=lambda row: row.id)
        """,
        "test_messages_go_by_due_priority_score_and_id",
    ),
    "sends for paused journeys": (
        """
        async def claim(self, now, *, limit, worker, lease, paused=frozenset()):
            return await super().claim(now, limit=limit, worker=worker, lease=lease)
        """,
        "test_t08_a_whole_batch_of_paused_ones_hides_nothing",
    ),
    "lets an ousted worker settle": (
        """
        def _settle(self, message, worker, notes):
            row = self._messages.by_id.get(message.id)
            return super()._settle(message, row.worker if row else worker, notes)
        """,
        "test_t01_a_row_held_by_another_is_refused",
    ),
    "reopens what is final": (
        """
        def _settle(self, message, worker, notes):
            row = self._messages.by_id.get(message.id)
            if row is not None and row.state.final:
                self._outbox.put(message, row.customer)
                return True
            return super()._settle(message, worker, notes)
        """,
        "test_a_final_row_is_refused",
    ),
    "settles a batch up to the first refusal": (
        """
        async def settle(self, messages, *, worker, notes=None):
            answers = []
            for message in messages:
                one = [] if False in answers else await super().settle([message], worker=worker, notes=notes)
                answers += one or [False]
            return answers
        """,
        "test_a_refused_message_stops_no_other_of_the_batch",
    ),
    "settles a whole batch or nothing of it": (
        """
        async def settle(self, messages, *, worker, notes=None):
            rows = [self._messages.by_id.get(message.id) for message in messages]
            if not all(row and not row.state.final and row.worker == worker for row in rows):
                return [False] * len(messages)
            return await super().settle(messages, worker=worker, notes=notes)
        """,
        "test_a_refused_message_stops_no_other_of_the_batch",
    ),
    "tells the notes of a batch about its first message": (
        """
        async def settle(self, messages, *, worker, notes=None):
            answers = await super().settle(messages, worker=worker)
            for lines in (notes or {}).values():
                self._add_notes(messages[0].customer, lines)
            return answers
        """,
        "test_each_message_of_a_batch_has_its_own_notes",
    ),
    "tells of refused messages": (
        """
        async def settle(self, messages, *, worker, notes=None):
            answers = await super().settle(messages, worker=worker)
            for message in messages:
                self._add_notes(message.customer, (notes or {}).get(message.id, ()))
            return answers
        """,
        "test_each_message_of_a_batch_has_its_own_notes",
    ),
    "refuses a call without messages": (
        """
        async def settle(self, messages, *, worker, notes=None):
            assert messages
            return await super().settle(messages, worker=worker, notes=notes)
        """,
        "test_no_messages_are_no_work",
    ),
    "keeps whole milliseconds": (
        """
        async def commit(self, changes):
            def cut(person):
                return attrs.evolve(person, created=person.created.replace(microsecond=0))
            return await super().commit([attrs.evolve(c, person=cut(c.person)) for c in changes])
        """,
        "test_moments_come_back_to_the_microsecond",
    ),
    "overwrites definitions": (
        """
        async def save_definitions(self, definitions):
            self._definitions.update((one.hash, one) for one in definitions)
        """,
        "test_definitions_are_kept_once",
    ),
    "leaves a definition saved again where it was": (
        """
        async def save_definitions(self, definitions):
            for one in definitions:
                self._definitions.setdefault(one.hash, one)
        """,
        "test_the_definition_saved_last_is_the_newest",
    ),
    "works on after its close": (
        """
        async def close(self):
            pass
        """,
        "test_a_closed_store_refuses_everything",
    ),
    "claims to be durable": (
        """
        durable = True
        """,
        "test_a_store_says_whether_it_is_durable",
    ),
}

SUITE = """
import copy
from datetime import UTC, datetime, timedelta

import attrs

from crmsdk.model.colleagues import account_key
from crmsdk.model.customer import ACCOUNT
from crmsdk.model.message import MessageState
from crmsdk.stores._memory_rows import OwnedRows
from crmsdk.stores.memory import MemoryStore
from crmsdk.testing.store_suite import StoreSuite

FAR = datetime.max.replace(tzinfo=UTC)


class BrokenStore(MemoryStore):
{body}


class TestBroken(StoreSuite):
    def open_store(self, folder):
        return BrokenStore()
"""


@pytest.mark.parametrize(("body", "promise"), BROKEN.values(), ids=BROKEN)
def test_a_broken_store_is_caught(pytester: pytest.Pytester, body: str, promise: str) -> None:
    pytester.makepyfile(SUITE.format(body=textwrap.indent(textwrap.dedent(body), "    ")))
    result = pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider", "-k", promise)
    outcomes = result.parseoutcomes()
    assert outcomes.get("failed", 0) >= 1, "the suite does not see it"
    assert "errors" not in outcomes


SQLITE_SUITE = """
from threading import Barrier, BrokenBarrierError

from crmsdk.stores._sqlite_session import Session
from crmsdk.stores.sqlite import SqliteStore
from crmsdk.testing.store_suite import StoreSuite


class BrokenSession(Session):
{body}


class TestBroken(StoreSuite):
    def open_store(self, folder):
        store = SqliteStore(folder / "crm.db", synchronous="normal")
        store._session.__class__ = BrokenSession
        return store
"""

BROKEN_FILES = {
    "reads before it takes the lock": (
        """
        barrier = Barrier(2)

        def _transaction(self, begin, work):
            connection = self._connection = self._connection or self._open()
            if begin == "BEGIN":
                return work(connection)
            lines = []
            connection.set_trace_callback(lines.append)
            connection.execute("BEGIN")
            answer = work(connection)
            connection.execute("ROLLBACK")
            connection.set_trace_callback(None)
            try:
                self.barrier.wait(0.3)  # the other store object has read by now, too
            except BrokenBarrierError:
                self.barrier.reset()
            connection.execute("BEGIN IMMEDIATE")
            for line in lines:
                if line.lstrip().startswith(("INSERT", "UPDATE", "DELETE")):
                    connection.execute(line)
            connection.execute("COMMIT")
            return answer
        """,
        "test_of_two_that_read_one_person_one_writes",
    ),
    "answers before the file has it": (
        """
        def _transaction(self, begin, work):
            connection = self._connection = self._connection or self._open()
            if not connection.in_transaction:
                connection.execute(begin)
            return work(connection)
        """,
        "killed_while_it_commits",
    ),
    "gives people as they were read first": (
        """
        def _open(self):
            connection = super()._open()
            self.known.get = lambda customer, version: self.known._people.get(customer)
            return connection
        """,
        "test_what_another_wrote_meanwhile_is_read",
    ),
    "takes an id that comes back for the one it knew": (
        """
        def _open(self):
            connection = super()._open()
            self.known.agree = lambda connection: None
            return connection
        """,
        "test_an_id_that_is_used_again_is_a_person_of_its_own",
    ),
    "forgets accounts when it is opened again": (
        """
        def _open(self):
            connection = super()._open()
            connection.execute("DELETE FROM attribute_write")
            return connection
        """,
        "test_accounts_are_there_after_opening_again",
    ),
    "knows what was never committed": (
        """
        def _open(self):
            connection = super()._open()
            self.known.clear = lambda: None
            return connection
        """,
        "test_what_failed_is_never_read",
    ),
    "commits each statement": (
        """
        def _transaction(self, begin, work):
            connection = self._connection = self._connection or self._open()
            return work(connection)
        """,
        "killed_while_it_commits",
    ),
}


@pytest.mark.parametrize(("body", "promise"), BROKEN_FILES.values(), ids=BROKEN_FILES)
def test_a_broken_file_is_caught(pytester: pytest.Pytester, body: str, promise: str) -> None:
    pytester.makepyfile(SQLITE_SUITE.format(body=textwrap.indent(textwrap.dedent(body), "    ")))
    # A kill falls where it falls: on a busy machine the first few may all miss the commit.
    assert any(
        pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider", "-k", promise)
        .parseoutcomes()
        .get("failed", 0)
        for _ in range(20)
    )


def test_the_suite_is_sealed(pytester: pytest.Pytester) -> None:
    replaced = "class TestMine(TestBroken):\n    def test_an_empty_batch_is_no_work(self): pass\n"
    pytester.makepyfile(SUITE.format(body="    pass") + replaced)
    result = pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider")
    result.stdout.fnmatch_lines(["*replaces test_an_empty_batch_is_no_work*"])
