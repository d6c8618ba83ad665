"""The tables of what goes out and of what is told: messages, tasks, notes, definitions; and their rows."""

import json
from functools import lru_cache
from typing import Final

from crmsdk.journeys.person import Note, NoteKind, Task
from crmsdk.model.message import Message, MessageKind, MessageState
from crmsdk.model.moment import from_micros, to_micros
from crmsdk.ports import StoredDefinition
from crmsdk.stores._sqlite_table import Row, Table
from crmsdk.stores._sqlite_values import micros, moment, properties_of, properties_text
from crmsdk.stores._writing import free_from

__all__ = ["DEFINITIONS", "MESSAGES", "NOTES", "READY", "TASKS", "WAITING"]

WAITING: Final = 0
READY: Final = 1
"""The two queues of living messages: their moment was not reached yet, or it was."""


@lru_cache(maxsize=1_000)  # a step asks for the same ones of everybody
def _channels_text(channels: tuple[str, ...]) -> str:
    return json.dumps(channels)


@lru_cache(maxsize=1_000)
def _channels_of(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


def _message_row(owner: str, message: Message) -> Row:
    free = free_from(message)
    return (
        owner,
        message.id,
        message.template,
        _channels_text(message.channels),
        message.kind.value,
        message.purpose,
        to_micros(message.due),
        to_micros(message.not_before),
        to_micros(message.expires),
        message.journey,
        message.definition,
        message.enrollment,
        message.step,
        message.topic,
        message.campaign,
        message.sender,
        message.priority,
        message.score,
        properties_text(message.payload),
        message.state.value,
        message.reason,
        message.channel,
        message.attempts,
        micros(message.lease),
        message.worker,
        message.provider_id,
        message.content,
        int(message.seed),
        int(message.control),
        micros(free),
        None if free is None else WAITING,
    )


def _message(row: Row) -> Message:
    (customer, id, template, channels, kind, purpose, due, not_before, expires, journey, definition,
     enrollment, step, topic, campaign, sender, priority, score, payload, state, reason, channel, attempts,
     lease, worker, provider_id, content, seed, control, _, _) = row  # fmt: skip
    return Message(
        id=id,
        customer=customer,
        template=template,
        channels=_channels_of(channels),
        kind=MessageKind(kind),
        purpose=purpose,
        due=from_micros(due),
        not_before=from_micros(not_before),
        expires=from_micros(expires),
        journey=journey,
        definition=definition,
        enrollment=enrollment,
        step=step,
        topic=topic,
        campaign=campaign,
        sender=sender,
        priority=priority,
        score=score,
        payload=properties_of(payload),
        state=MessageState(state),
        reason=reason,
        channel=channel,
        attempts=attempts,
        lease=moment(lease),
        worker=worker,
        provider_id=provider_id,
        content=content,
        seed=bool(seed),
        control=bool(control),
    )


def _task_row(owner: str, task: Task) -> Row:
    return (
        owner,
        task.id,
        task.journey,
        task.enrollment,
        task.step,
        task.title,
        task.to,
        to_micros(task.opened),
        to_micros(task.deadline),
        micros(task.done),
        task.answer,
    )


def _task(row: Row) -> Task:
    customer, id, journey, enrollment, step, title, to, opened, deadline, done, answer = row
    return Task(
        id=id,
        customer=customer,
        journey=journey,
        enrollment=enrollment,
        step=step,
        title=title,
        to=to,
        opened=from_micros(opened),
        deadline=from_micros(deadline),
        done=moment(done),
        answer=answer,
    )


def _note_row(owner: str, note: Note) -> Row:
    return (
        owner,
        to_micros(note.at),
        note.kind.value,
        note.journey,
        note.enrollment,
        note.step,
        note.message,
        note.text,
        properties_text(note.data),
    )


def _note(row: Row) -> Note:
    _, at, kind, journey, enrollment, step, message, text, data = row
    return Note(
        at=from_micros(at),
        kind=NoteKind(kind),
        journey=journey,
        enrollment=enrollment,
        step=step,
        message=message,
        text=text,
        data=properties_of(data),
    )


def _definition_row(_owner: str, definition: StoredDefinition) -> Row:
    return (definition.hash, definition.name, definition.text)


def _definition(row: Row) -> StoredDefinition:
    return StoredDefinition(hash=row[0], name=row[1], text=row[2])


MESSAGES: Final = Table[Message](
    name="message",
    columns=(
        *("customer", "id", "template", "channels", "kind", "purpose", "due", "not_before", "expires"),
        *("journey", "definition", "enrollment", "step", "topic", "campaign", "sender", "priority"),
        *("score", "payload", "state", "reason", "channel", "attempts", "lease", "worker"),
        *("provider_id", "content", "seed", "control", "free", "queue"),
    ),
    key=("id",),
    row=_message_row,
    value=_message,
)

TASKS: Final = Table[Task](
    name="task",
    columns=(
        *("customer", "id", "journey", "enrollment", "step", "title", "to"),
        *("opened", "deadline", "done", "answer"),
    ),
    key=("id",),
    row=_task_row,
    value=_task,
)

NOTES: Final = Table[Note](
    name="note",
    columns=("customer", "at", "kind", "journey", "enrollment", "step", "message", "text", "data"),
    row=_note_row,
    value=_note,
)

DEFINITIONS: Final = Table[StoredDefinition](
    name="definition",
    columns=("hash", "name", "text"),
    row=_definition_row,
    value=_definition,
)
