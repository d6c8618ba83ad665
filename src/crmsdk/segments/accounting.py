"""The meaning of questions about the people of an account: who they are, what they answer, and until when."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import TypeAlias, TypeVar

from crmsdk.errors import UnsupportedQuestion
from crmsdk.model._registry import tag_of
from crmsdk.model.colleagues import account_history
from crmsdk.model.comparison import compare
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId
from crmsdk.segments.accounts import AboutAccount, AccountAll, AccountSum
from crmsdk.segments.conditions import Predicate
from crmsdk.segments.measuring import Brought, aggregate_holds, aggregate_steps, aggregated
from crmsdk.segments.unfolding import Answer, zone_of, zone_steps
from crmsdk.segments.verdict import Threshold
from crmsdk.segments.windows import Calendar

__all__ = ["account_answer", "account_found", "others_of", "people_steps"]

T = TypeVar("T")
AskEach: TypeAlias = Callable[[Predicate, Facts, datetime], Answer]
"""Asks one of the people."""

_LOOKS = 256
"""How often ahead is looked for the next change; what comes later is asked for again."""


def account_answer(node: AboutAccount, facts: Facts, now: datetime, zone: str, ask: AskEach) -> Answer:
    """Say whether a question about the account's people holds, and until when that stays so.

    Raises:
        UnsupportedQuestion: nobody looked for the colleagues.
    """
    steps = _truths(node, facts, now, zone, ask)
    _, matched = next(steps)
    for looks, (at, holds) in enumerate(steps, 1):
        if holds is not matched or looks == _LOOKS:
            return matched, at
    return matched, None


def account_found(
    node: AboutAccount, facts: Facts, now: datetime, zone: str, ask: AskEach
) -> tuple[Threshold, Threshold, Sequence[CustomerId], Sequence[Event]]:
    """Say what was found, what was asked, which people counted, and which events of theirs.

    Of ``all`` the number of those for whom it holds is found, and the number of people is what was asked.
    """
    if isinstance(node, AccountSum):
        _, added = next(people_steps(node, facts, now, _bringing(node, zone)))
        brought = _together(added)
        events = sorted((event for event, _ in brought), key=lambda event: event.position)
        return aggregated(node.each, brought), node.operand, _ids(who for who, each in added if each), events
    _, told = next(people_steps(node, facts, now, lambda person, at: ask(node.predicate, person, at)))
    counted = _ids(who for who, holds in told if holds)
    asked = len(told) if isinstance(node, AccountAll) else node.operand
    return len(counted), asked, counted, ()


def _ids(people: Iterator[CustomerId]) -> Sequence[CustomerId]:
    return sorted(people)


def _truths(
    node: AboutAccount, facts: Facts, now: datetime, zone: str, ask: AskEach
) -> Iterator[tuple[datetime, bool]]:
    if isinstance(node, AccountSum):
        each = node.each
        for at, added in people_steps(node, facts, now, _bringing(node, zone)):
            yield at, aggregate_holds(each, _together(added))
        return
    for at, told in people_steps(node, facts, now, lambda person, at: ask(node.predicate, person, at)):
        number = sum(holds for _, holds in told)
        if isinstance(node, AccountAll):
            yield at, 0 < number == len(told)
        else:
            yield at, compare(node.op, number, node.operand)


def _together(added: Sequence[tuple[CustomerId, Brought]]) -> Brought:
    return list(chain.from_iterable(brought for _, brought in added))


def _bringing(node: AccountSum, zone: str) -> Callable[[Facts, datetime], tuple[Brought, datetime | None]]:
    """Make the function that says which events of a person count, and until when."""
    each, window = node.each, node.of.window

    def ask(person: Facts, at: datetime) -> tuple[Brought, datetime | None]:
        steps = aggregate_steps(each, person, at, zone_of(window, person, zone, at))
        (_, brought), (later, _) = next(steps), next(steps, (None, []))
        if isinstance(window, Calendar):
            zones = zone_steps(person, zone, at)
            moves = [moment for moment, _ in chain(list(zones)[1:2], [(later, "")]) if moment is not None]
            later = min(moves, default=None)
        return brought, later

    return ask


def people_steps(
    node: AboutAccount,
    facts: Facts,
    now: datetime,
    ask: Callable[[Facts, datetime], tuple[T, datetime | None]],
) -> Iterator[tuple[datetime, list[tuple[CustomerId, T]]]]:
    """Unfold who is in the account of a person, and what each answers.

    Args:
        node: The question.
        facts: Of the person, with those of the colleagues.
        now: The first step.
        ask: Gives the answer of one of them at a moment, and until when it stands.

    Raises:
        UnsupportedQuestion: nobody looked for the colleagues.
    """
    others = others_of(node, facts)
    asked = others if node.others else [facts, *others]
    logs = {person.customer: account_history(person) for person in (facts, *others)}
    moves = sorted({at for log in logs.values() for at, _ in log if at > now})
    known: dict[CustomerId, tuple[T, datetime | None]] = {}
    at: datetime | None = now
    while at is not None:
        account = _at(logs[facts.customer], at)
        before, known = known, {}
        for person in asked if account is not None else ():
            if _at(logs[person.customer], at) == account:
                last = before.get(person.customer)
                stands = last is not None and (last[1] is None or at < last[1])
                known[person.customer] = last if stands and last is not None else ask(person, at)
        yield at, [(customer, answer) for customer, (answer, _) in known.items()]
        while moves and moves[0] <= at:
            del moves[0]
        later = [until for _, until in known.values() if until is not None]
        at = min((*later, *moves[:1]), default=None)


def others_of(node: AboutAccount, facts: Facts) -> list[Facts]:
    """Give the colleagues, each once.

    Raises:
        UnsupportedQuestion: nobody looked for them.
    """
    if facts.colleagues is None:
        raise UnsupportedQuestion(
            "one person's facts",
            tag_of(type(node)),
            "they do not tell who else is in the account; ask crm.explain, an audience or LiveSegments, or "
            "give Facts.colleagues",
        )
    return list(
        {other.customer: other for other in facts.colleagues if other.customer != facts.customer}.values()
    )


def _at(log: Sequence[tuple[datetime, str | None]], now: datetime) -> str | None:
    return next((account for at, account in reversed(log) if at <= now), None)
