"""Simulating in several processes: nobody's facts are split, and the parts are put together again."""

import multiprocessing
from collections.abc import Callable, Hashable, Iterable, Sequence
from multiprocessing.connection import Connection
from typing import TypeVar

import attrs

from crmsdk.errors import ConfigError, CrmsdkError, InputError
from crmsdk.model.inputs import Alias, Input
from crmsdk.simulation.report import Report

__all__ = ["joined", "shards", "side_by_side"]

P = TypeVar("P")
R = TypeVar("R")


def shards(history: Iterable[Input], number: int) -> list[list[Input]]:
    """Split news so that everything about one person is in one part.

    Two pieces of news belong together where they share a name or an id, be it over others that share with
    both. People decide nothing about each other, so each part can be simulated on its own.

    Args:
        history: News of people, any order; it is kept within a part.
        number: How many parts; some are empty when there are fewer people.

    Returns:
        Parts with about the same number of people, the same ones for the same history.

    Raises:
        InputError: ``number`` is not positive.
    """
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise InputError("is not positive; give the number of processes", field="workers")
    news = list(history)
    lead = _Leaders()
    for one in news:
        # An id names one fact for ever: two people who tell the same one are for one store to tell apart.
        lead.join(one.id, *one.identifiers, *([one.previous] if isinstance(one, Alias) else []))
    parts: list[list[Input]] = [[] for _ in range(number)]
    place: dict[Hashable, int] = {}
    for one in news:
        parts[place.setdefault(lead.of(one.id), len(place) % number)].append(one)
    return parts


class _Leaders:
    """Names that belong together have one leader."""

    def __init__(self) -> None:
        self._next: dict[Hashable, Hashable] = {}

    def of(self, name: Hashable) -> Hashable:
        found = self._next.setdefault(name, name)
        while found != name:
            self._next[name] = self._next[found]  # so the way is shorter the next time
            name, found = found, self._next[found]
        return name

    def join(self, first: Hashable, *others: Hashable) -> None:
        leader = self.of(first)
        for other in others:
            self._next[self.of(other)] = leader


def joined(reports: Sequence[Report]) -> Report:
    """Put reports of different people over one span together; the first one says zone and journeys.

    Raises:
        InputError: there is none, or they tell of different spans.
    """
    if len({(report.start, report.until) for report in reports}) != 1:
        raise InputError("are none, or of different spans; give reports of one span", field="reports")
    people = {id: person for report in reports for id, person in report.people.items()}
    notes = {id: lines for report in reports for id, lines in report.notes.items()}
    messages = [message for report in reports for message in report.messages]
    taken = reports[0].taken
    for report in reports[1:]:
        taken += report.taken
    return attrs.evolve(
        reports[0],
        taken=taken,
        people={id: people[id] for id in sorted(people)},
        messages=tuple(sorted(messages, key=lambda message: (message.due, message.id))),
        notes={id: notes[id] for id in sorted(notes)},
    )


def side_by_side(work: Callable[[P], R], parts: Sequence[P]) -> list[R]:
    """Work on the first part here and on each other one in a process of its own.

    Args:
        work: Done once a part. Where the platform starts processes afresh (as on macOS and Windows) it, the
            parts and the results must be picklable, and a script needs its ``if __name__ == "__main__"``.
        parts: At least one.

    Returns:
        The results, in the order of the parts.

    Raises:
        ConfigError: a process could not be given its part.
        CrmsdkError: a process died without a word.
        Exception: whatever ``work`` raised, first part first; the other processes are stopped.
    """
    context = multiprocessing.get_context()
    started: list[tuple[multiprocessing.process.BaseProcess, Connection]] = []
    try:
        for part in parts[1:]:
            receiver, sender = context.Pipe(duplex=False)
            process: multiprocessing.process.BaseProcess = context.Process(
                target=_work, args=(work, part, sender), daemon=True
            )
            try:
                process.start()
            except (TypeError, AttributeError, ValueError) as error:  # what pickle raises, by kind of value
                receiver.close()
                raise ConfigError(
                    "what is to be worked on cannot be handed to another process; define functions and "
                    "classes in a module, or give workers=1"
                ) from error
            finally:
                sender.close()
            started.append((process, receiver))
        results = [work(parts[0])]
        results.extend(_received(receiver) for _, receiver in started)
    finally:
        for process, receiver in started:
            process.terminate()
            process.join()
            receiver.close()
    return results


def _work(work: Callable[[P], R], part: P, sender: Connection) -> None:
    try:
        sender.send((True, work(part)))
    except Exception as error:  # noqa: BLE001 - it is raised again where the results are awaited
        try:
            sender.send((False, error))
        except Exception:  # noqa: BLE001 - an error of a stranger's that cannot be pickled
            told = CrmsdkError(f"{type(error).__name__} in another process; see it with workers=1")
            sender.send((False, told))
    sender.close()


def _received(receiver: Connection) -> R:  # type: ignore[type-var]  # what was sent is what the work gives
    try:
        done, result = receiver.recv()
    except EOFError:
        raise CrmsdkError("a process died without a word, perhaps for want of memory; give fewer") from None
    if not done:
        raise result
    answer: R = result
    return answer
