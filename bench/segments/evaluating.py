"""One condition about one person, next to a function somebody wrote by hand for it.

Ours takes any condition, and its answer knows until when it holds and because of what. The peer is told which
field and which event to look at, and answers with a bare boolean. Facts are hot: somebody asked them before.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from bench.frame import Run, Side, versus, within
from crmsdk.model.customer import AttributeWrite
from crmsdk.model.event import Event
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.model.money import Money
from crmsdk.reports.explanation import explanation
from crmsdk.segments.evaluating import evaluate
from crmsdk.segments.grammar import Predicate
from crmsdk.segments.words import attr, did, everyone

__all__ = ["QUESTIONS", "evaluate_sides"]

ByHand = Callable[[Facts, datetime], bool]

N: Final = 2_000
NOW: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY: Final = timedelta(days=1)
PEER: Final = "written by hand"
CITIES: Final = ("Moscow", "Kazan", "Perm", "Omsk")
LARGE: Final = 100_000


def _lives_in_moscow(facts: Facts, now: datetime) -> bool:
    city = None
    for write in facts.attributes:
        if write.name == "city" and write.at <= now:
            city = write.value
    return city == "Moscow"


def _bought_within(facts: Facts, now: datetime, span: timedelta) -> bool:
    start = now - span
    return any(event.name == "purchase" and start < event.at <= now for event in facts.events)


def _sleeps(facts: Facts, now: datetime) -> bool:
    last = None
    for event in facts.events:
        if event.name == "purchase" and event.at <= now:
            last = event.at
    return last is not None and last <= now - 60 * DAY


def _spent_much(facts: Facts, now: datetime) -> bool:
    start, spent = now - 365 * DAY, 0
    for event in facts.events:
        if event.name == "purchase" and start < event.at <= now:
            amount = event.properties.get("amount")
            if isinstance(amount, Money) and amount.currency == "RUB":
                spent += amount.minor
    return spent >= LARGE


def _is_wanted(facts: Facts, now: datetime) -> bool:
    return (
        _lives_in_moscow(facts, now)
        and _bought_within(facts, now, 90 * DAY)
        and not any(event.name == "complaint" and now - 30 * DAY < event.at <= now for event in facts.events)
    )


QUESTIONS: Final[dict[str, tuple[Predicate, ByHand]]] = {
    "attribute": (attr("city") == "Moscow", _lives_in_moscow),
    "recent": (
        did("purchase").within(30 * DAY),
        lambda facts, now: _bought_within(facts, now, 30 * DAY),
    ),
    "sleeping": (did("purchase").last_at().more_than_ago(60 * DAY), _sleeps),
    "sum": (did("purchase").within(365 * DAY).sum("amount") >= Money(LARGE, "RUB"), _spent_much),
    "joined": (
        (attr("city") == "Moscow") & did("purchase").within(90 * DAY) & ~did("complaint").within(30 * DAY),
        _is_wanted,
    ),
}
"""Typical questions with their functions by hand."""


def _person(number: int, luck: Random) -> Facts:
    """Make somebody with thirty events over the last year and two cities."""
    customer = CustomerId(f"c{number}")
    moments = sorted(NOW - timedelta(seconds=luck.randrange(400 * 86_400)) for _ in range(30))
    events = tuple(
        Event(
            id=EventId(f"e{number}-{place}"),
            customer=customer,
            name=luck.choices(("purchase", "visit", "complaint"), (5, 20, 1))[0],
            at=at,
            received=at,
            properties={"amount": Money(luck.randrange(1_000, 50_000), "RUB")},
        )
        for place, at in enumerate(moments)
    )
    cities = tuple(
        AttributeWrite(
            name="city", value=luck.choice(CITIES), at=NOW - days * DAY, id=EventId(f"w{number}-{days}")
        )
        for days in (300, 100)
    )
    return Facts(customer=customer, events=events, attributes=cities)


def _play(people: Sequence[Facts], asks: Sequence[Callable[[Facts], bool]], expected: int) -> Run:
    def play() -> None:
        matched = sum(ask(facts) for ask in asks for facts in people)
        assert matched == expected, matched

    return play


def _asking(question: Predicate) -> Callable[[Facts], bool]:
    return lambda facts: evaluate(question, facts, NOW).matched


def _calling(by_hand: ByHand) -> Callable[[Facts], bool]:
    return lambda facts: by_hand(facts, NOW)


def evaluate_sides(n: int, names: Sequence[str] = tuple(QUESTIONS)) -> tuple[Side, Side]:
    """Ask each question about so many people, and call its function."""
    luck = Random(7)
    people = [_person(number, luck) for number in range(n)]
    ours = [_asking(QUESTIONS[name][0]) for name in names]
    peer = [_calling(QUESTIONS[name][1]) for name in names]
    expected = sum(ask(facts) for ask in peer for facts in people)
    return (lambda: _play(people, ours, expected)), (lambda: _play(people, peer, expected))


@versus("segments.evaluate", n=N * len(QUESTIONS), peer=PEER, least=0.4)
def five_questions() -> tuple[Side, Side]:
    """Ask the five typical questions."""
    return evaluate_sides(N)


@versus("segments.evaluate_joined", n=N, peer=PEER, least=0.5)
def joined_question() -> tuple[Side, Side]:
    """Ask one question of three parts, which decides at the first part by hand."""
    return evaluate_sides(N, ("joined",))


@within("segments.explain", n=200, budget=lambda: 1e-3)
def explained() -> Side:
    """Hold an answer with its whole explanation, all five typical questions joined, to a millisecond."""
    luck, asked = Random(7), everyone
    for question, _ in QUESTIONS.values():
        asked &= question
    people = [_person(number, luck) for number in range(200)]

    def run() -> None:
        for facts in people:
            assert explanation(evaluate(asked, facts, NOW)).lines

    return lambda: run
