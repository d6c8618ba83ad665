"""The outbox as a queue, and the moments at which somebody has work.

A living message is in one of two queues: it waits for its moment, or is ready and stands in the order of
sending. Each message moves once, when a claim finds its moment reached. So a claim looks neither at a
million messages deferred to the morning, nor sorts a million that are free at once.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime

import attrs

from crmsdk.journeys.person import Note
from crmsdk.model.ids import CustomerId, MessageId
from crmsdk.model.message import Message, MessageState
from crmsdk.model.moment import to_micros
from crmsdk.stores._sqlite_outbox import MESSAGES, NOTES, READY, WAITING
from crmsdk.stores._sqlite_reading import among
from crmsdk.stores._sqlite_values import micros, moment
from crmsdk.stores._writing import free_from

__all__ = ["any_free", "claim", "due", "next_due", "rouse", "settle"]


def _not_in(paused: frozenset[str]) -> tuple[str, list[str]]:
    names = sorted(paused)
    return f"journey NOT IN ({', '.join('?' * len(names))})", names


def any_free(connection: sqlite3.Connection, now: datetime, paused: frozenset[str]) -> bool:
    """Say whether a claim would find anything; needs no write lock."""
    free = _first_free(connection, paused)
    return free is not None and free <= to_micros(now)


def claim(
    connection: sqlite3.Connection,
    now: datetime,
    *,
    limit: int,
    worker: str,
    lease: datetime,
    paused: frozenset[str],
) -> list[Message]:
    """Lease the next messages of journeys that are not paused, in order."""
    at = to_micros(now)
    connection.execute(
        "UPDATE message INDEXED BY message_by_free SET queue = ? WHERE queue = ? AND free <= ?",
        (READY, WAITING, at),
    )
    condition, names = _not_in(paused)
    # A ready message may not be free for this worker yet: its clock may be behind that of another.
    rows = connection.execute(
        f"{MESSAGES.select} INDEXED BY message_in_order WHERE queue = {READY} AND free <= ? AND {condition} "
        "ORDER BY due, priority DESC, score DESC, id LIMIT ?",
        (at, *names, limit),
    )
    claimed = [attrs.evolve(MESSAGES.value(row), worker=worker, lease=lease) for row in rows]
    until = to_micros(lease)
    connection.executemany(
        "UPDATE message SET worker = ?, lease = ?, free = ?, queue = ? WHERE id = ?",
        [(worker, until, micros(free_from(message)), WAITING, message.id) for message in claimed],
    )
    return claimed


def settle(
    connection: sqlite3.Connection,
    messages: Sequence[Message],
    *,
    worker: str,
    notes: Mapping[MessageId, Sequence[Note]],
) -> list[bool]:
    """Write claimed messages back, those that the worker still may."""
    sql = "SELECT id, customer, state, lease, worker FROM message WHERE id IN"
    owners = {
        id: customer
        for id, customer, state, lease, holder in among(connection, sql, (one.id for one in messages))
        if not MessageState(state).final and (lease is None or holder == worker)
    }
    stand = [one for one in messages if one.id in owners]
    connection.executemany(MESSAGES.insert, [MESSAGES.row(owners[one.id], one) for one in stand])
    connection.executemany(
        NOTES.insert, [NOTES.row(owners[one.id], note) for one in stand for note in notes.get(one.id, ())]
    )
    return [one.id in owners for one in messages]


def due(connection: sqlite3.Connection, now: datetime, limit: int) -> list[CustomerId]:
    """Name people whose wake has come."""
    sql = "SELECT id FROM person WHERE wake <= ? ORDER BY wake, id LIMIT ?"
    return [id for (id,) in connection.execute(sql, (to_micros(now), limit))]


def next_due(connection: sqlite3.Connection, paused: frozenset[str]) -> datetime | None:
    """Give the earliest moment at which a person is due or a message free."""
    (wake,) = connection.execute("SELECT min(wake) FROM person WHERE wake IS NOT NULL").fetchone()
    moments = [at for at in (wake, _first_free(connection, paused)) if at is not None]
    return moment(min(moments, default=None))


def rouse(connection: sqlite3.Connection, journey: str, now: datetime) -> int:
    """Wake everybody with a living run of a journey."""
    sql = """
        UPDATE person SET version = version + 1, wake = min(coalesce(wake, ?1), ?1)
        WHERE id IN (SELECT owner FROM enrollment WHERE journey = ?2 AND phase <> 'ended')
    """
    return connection.execute(sql, (to_micros(now), journey)).rowcount


def _first_free(connection: sqlite3.Connection, paused: frozenset[str]) -> int | None:
    condition, names = _not_in(paused)
    moments: list[int] = []
    for queue in (WAITING, READY):
        sql = f"SELECT free FROM message WHERE queue = {queue} AND {condition} ORDER BY free LIMIT 1"  # noqa: S608 - constants and marks
        moments.extend(free for (free,) in connection.execute(sql, names))
    return min(moments, default=None)
