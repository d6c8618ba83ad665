"""How news arrive does not matter: the order within a batch, a second delivery, one call or many."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.channels.memory import MemoryChannel
from crmsdk.journeys.person import Person
from crmsdk.ledgers.memory import MemoryLedger
from crmsdk.model.inputs import Input
from crmsdk.runtime.clocks import VirtualClock
from crmsdk.runtime.crm import Crm
from crmsdk.simulation.driving import drive
from crmsdk.simulation.report import Report, report_of
from crmsdk.stores.memory import MemoryStore
from tests.scenarios.stage import DAY, HOUR, START, WORDS
from tests.scenarios.worlds import World, worlds

Batches = list[tuple[datetime, list[Input]]]
Delivery = Callable[[Sequence[Input]], Iterable[Sequence[Input]]]


def _delivered(world: World, delays: Sequence[timedelta]) -> Batches:
    """Group news by the moment at which they arrive: some late, none before it happened."""
    batches: defaultdict[datetime, list[Input]] = defaultdict(list)
    for index, one in enumerate(world.news):
        batches[max(one.at, START) + delays[index % len(delays)]].append(one)
    return sorted(batches.items(), key=lambda batch: batch[0])


def _live(world: World, batches: Batches, delivery: Delivery) -> Report:
    store, clock = MemoryStore(), VirtualClock(START)
    crm = Crm.over(
        store, ledger=MemoryLedger(), zone="UTC", clock=clock, mode="live",
        journeys=world.journeys, policy=world.policy, templates=WORDS,
        channels=[MemoryChannel(name, everyone=True) for name in ("sink", "other")],
    )  # fmt: skip
    drive(crm.__aenter__())
    waiting = list(batches)
    while True:
        due = drive(crm.next_wakeup())
        moments = [moment for moment in (due, waiting[0][0] if waiting else None) if moment is not None]
        if not moments or min(moments) > world.end:
            break
        clock.set(min(moments))
        while waiting and waiting[0][0] <= clock.now():
            for part in delivery(waiting.pop(0)[1]):
                assert all(
                    type(one.error).__name__ == "DuplicateEvent" for one in drive(crm.ingest(part)).refused
                )
        drive(crm.advance())
    return drive(report_of(store, world.journeys, start=START, until=world.end))


def _people(report: Report) -> dict[str, Person]:
    return {id: attrs.evolve(person, version=0) for id, person in report.people.items()}


def _delays() -> st.SearchStrategy[list[timedelta]]:
    return st.lists(
        st.sampled_from((timedelta(0), timedelta(0), HOUR, 2 * HOUR, 3 * DAY)), min_size=1, max_size=5
    )


@given(world=worlds(), delays=_delays(), luck=st.randoms(use_true_random=False))
def test_the_order_within_a_batch_does_not_matter(
    world: World, delays: Sequence[timedelta], luck: Any
) -> None:
    def shuffled(news: Sequence[Input]) -> list[Sequence[Input]]:
        mixed = list(news)
        luck.shuffle(mixed)
        return [mixed]

    batches = _delivered(world, delays)
    once, other = _live(world, batches, lambda news: [news]), _live(world, batches, shuffled)
    assert other.decisions() == once.decisions()
    assert _people(other) == _people(once)


@given(world=worlds(), delays=_delays())
def test_a_batch_delivered_again_changes_nothing(world: World, delays: Sequence[timedelta]) -> None:
    batches = _delivered(world, delays)
    once, twice = _live(world, batches, lambda news: [news]), _live(world, batches, lambda news: [news, news])
    assert twice.decisions() == once.decisions()
    assert _people(twice) == _people(once)


@given(world=worlds(), delays=_delays())
def test_everything_delivered_again_at_the_end_changes_nothing(
    world: World, delays: Sequence[timedelta]
) -> None:
    batches = _delivered(world, delays)
    again = [(world.end - HOUR, [one for _, news in batches for one in news])]
    once, twice = (
        _live(world, batches, lambda news: [news]),
        _live(world, batches + again, lambda news: [news]),
    )
    assert twice.decisions() == once.decisions()
    assert _people(twice) == _people(once)


@given(world=worlds(), delays=_delays())
def test_one_call_for_each_piece_of_news_decides_the_same(world: World, delays: Sequence[timedelta]) -> None:
    def one_by_one(news: Sequence[Input]) -> list[list[Input]]:
        return [[one] for one in sorted(news, key=lambda one: one.order)]

    batches = _delivered(world, delays)
    whole, parts = _live(world, batches, lambda news: [news]), _live(world, batches, one_by_one)
    assert parts.decisions() == whole.decisions()
