"""Questions about the people of an account as functions: what each of them answered is kept while it stands.

News of one person ask everybody of the account again; without this each of those would ask everybody anew.
Where somebody will move to another account, and of sums, the reference answers.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from heapq import heapify, heappop, heappush
from typing import TypeAlias

from crmsdk.model.colleagues import account_history
from crmsdk.model.comparison import compare
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId
from crmsdk.segments import meaning
from crmsdk.segments.accounting import others_of
from crmsdk.segments.accounts import AccountAll, AccountCount
from crmsdk.segments.conditions import Predicate
from crmsdk.segments.verdict import RunView

__all__ = ["of_account"]

_Answer: TypeAlias = tuple[bool, datetime | None]
_Answering: TypeAlias = Callable[[Facts, datetime, RunView | None, str], _Answer]

_Spell: TypeAlias = tuple[datetime, bool, datetime | None]
"""From when what is answered, and until when."""

_MOST, _SPELLS = 100_000, 64
"""Of how many people answers are kept, and how many of each; beyond it they are let go of."""
_LOOKS = 256
"""How often ahead is looked for the next change; what comes later is asked for again."""


def of_account(node: AccountCount | AccountAll, otherwise: _Answering) -> _Answering:
    """Make the function of one question."""
    holds, kept = _holding(node), _Kept(node.predicate)

    def answer(facts: Facts, now: datetime, run: RunView | None, zone: str) -> _Answer:
        everybody = [*others_of(node, facts), facts]
        logs = [account_history(person) for person in everybody]
        if any(log and log[-1][0] > now for log in logs):
            return otherwise(facts, now, run, zone)
        accounts = [log[-1][1] if log else None for log in logs]
        mine = accounts[-1]
        if node.others or mine is None:
            accounts.pop()
        people = [person for person, of in zip(everybody, accounts, strict=False) if of == mine is not None]
        return _followed(people, now, zone, kept, holds)

    return answer


def _followed(
    people: Sequence[Facts], now: datetime, zone: str, ask: "_Kept", holds: Callable[[int, int], bool]
) -> _Answer:
    """Follow the number of people for whom a predicate holds, to the first turn."""
    answers = [ask(person, now, zone) for person in people]
    truths = [matched for matched, _ in answers]
    queue = [(until, place) for place, (_, until) in enumerate(answers) if until is not None]
    heapify(queue)
    number, whole = sum(truths), len(truths)
    matched = holds(number, whole)
    for _ in range(_LOOKS):
        if not queue:
            return matched, None
        at = queue[0][0]
        while queue and queue[0][0] <= at:
            _, place = heappop(queue)
            truth, until = ask(people[place], at, zone)
            number += truth - truths[place]
            truths[place] = truth
            if until is not None:
                heappush(queue, (until, place))
        if holds(number, whole) is not matched:
            return matched, at
    return matched, queue[0][0] if queue else None


class _Kept:
    """What each person answers from when to when, given again while their facts are the same."""

    def __init__(self, predicate: Predicate) -> None:
        self._predicate = predicate
        self._answers: dict[CustomerId, tuple[Facts, str, list[_Spell]]] = {}

    def __call__(self, person: Facts, at: datetime, zone: str) -> _Answer:
        facts, of, spells = self._answers.get(person.customer, (person, "", []))
        if of == zone and _same(facts, person):
            for since, matched, until in spells:
                if since <= at and (until is None or at < until):
                    return matched, until
        if of != zone or len(spells) >= _SPELLS or not _same(facts, person):
            if len(self._answers) >= _MOST:
                self._answers.clear()
            spells = []
            self._answers[person.customer] = (person, zone, spells)
        verdict = meaning.evaluate(self._predicate, person, at, zone=zone)
        spells.append((at, verdict.matched, verdict.until))
        return verdict.matched, verdict.until


def _same(one: Facts, two: Facts) -> bool:
    return one is two or (
        one.events is two.events
        and one.attributes is two.attributes
        and one.consents is two.consents
        and one.zone == two.zone
    )


def _holding(node: AccountCount | AccountAll) -> Callable[[int, int], bool]:
    if isinstance(node, AccountAll):
        return lambda number, whole: 0 < number == whole
    op, operand = node.op, node.operand
    return lambda number, _: compare(op, number, operand)
