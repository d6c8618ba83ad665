"""A hundred segments kept up over a stream of events, next to asking what an event touches anew each time.

Both sides see the same events at the same moments. Ours also tells everybody who leaves by time alone, with
the exact moment; the peer looks only when an event of that person comes.
"""

from typing import Final

from bench.frame import Run, Side, versus, within
from bench.segments.hundred import hundred, stream
from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId
from crmsdk.segments.evaluating import evaluate
from crmsdk.segments.live import LiveSegments
from crmsdk.segments.reading import Reads, reads

__all__ = ["live_budget", "live_sides"]

PEOPLE: Final = 1_000
EACH: Final = 20
N: Final = PEOPLE * EACH


def _kept_up() -> Side:
    segments, events = hundred(), stream(PEOPLE, EACH)

    def prepare() -> Run:
        live = LiveSegments(segments)

        def run() -> None:
            for event in events:
                live.advance(event.at)
                live.take(event.customer, now=event.at, events=(event,))

        return run

    return prepare


@within("segments.live_100", n=N, budget=lambda: 50e-6)
def live_budget() -> Side:
    """Hold an event with everything it and the time since the last one change to 50 microseconds."""
    return _kept_up()


@versus("segments.live_100_naive", n=N, peer="evaluate on each event", least=3.0)
def live_sides() -> tuple[Side, Side]:
    """Compare with asking, at each event, every segment that reads such events."""
    segments, events = hundred(), stream(PEOPLE, EACH)
    touched = {
        name: [one for one in segments if reads(one).touches(Reads(events=frozenset((name,))))]
        for name in {event.name for event in events}
    }

    def prepare() -> Run:
        people: dict[CustomerId, Facts] = {}
        members: set[tuple[CustomerId, str]] = set()

        def run() -> None:
            for event in events:
                facts = people.get(event.customer, Facts(customer=event.customer)).with_events((event,))
                people[event.customer] = facts
                for one in touched[event.name]:
                    place = (event.customer, one.name)
                    if evaluate(one, facts, event.at).matched:
                        members.add(place)
                    else:
                        members.discard(place)

        return run

    return _kept_up(), prepare
