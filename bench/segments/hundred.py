"""A hundred segments as a shop of some size has them, and customers with a year of events to ask them of."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from crmsdk.model.event import Event
from crmsdk.model.ids import CustomerId, EventId
from crmsdk.segments.grammar import Did, Predicate, Segment
from crmsdk.segments.words import attr, did, prop, segment

__all__ = ["START", "hundred", "stream"]

START: Final = datetime(2025, 1, 1, tzinfo=UTC)
_DAYS: Final = 400
_SPANS: Final = (1, 3, 7, 14, 30, 60, 90, 180, 365)
_CATEGORIES: Final = ("electronics", "books", "toys", "garden", "food", "auto", "kids", "sport")
_EVENTS: Final = (
    "view", "session", "search", "cart", "email_open",
    "email_click", "purchase", "push_open", "support", "login",
)  # fmt: skip
_OFTEN: Final = (28, 20, 12, 9, 10, 4, 6, 5, 1, 5)


def _attribute(luck: Random) -> Predicate:
    match luck.randrange(4):
        case 0:
            return attr("country").in_(luck.sample(["RU", "KZ", "BY", "AM", "DE"], luck.randint(1, 3)))
        case 1:
            return attr("plan") == luck.choice(["free", "basic", "pro", "team"])
        case 2:
            return attr("age") >= luck.choice([18, 25, 35, 45])
        case _:
            return attr("lead_score") >= luck.choice([40, 50, 70])


def _done(luck: Random) -> Did:
    event = luck.choice(_EVENTS)
    asked = did(event).within(timedelta(days=luck.choice(_SPANS)))
    if event in ("view", "cart", "purchase") and luck.random() < 0.3:
        asked = asked.where(prop("category") == luck.choice(_CATEGORIES))
    return asked


def _event(luck: Random) -> Predicate:
    chance = luck.random()
    if chance < 0.5:
        return _done(luck).at_least(luck.choice([1, 1, 2, 3, 5]))
    if chance < 0.75:
        return ~_done(luck)
    if chance < 0.9:
        spent = did("purchase").within(timedelta(days=luck.choice([30, 90, 180, 365]))).sum("amount")
        return luck.choice([spent.__gt__, spent.__lt__])(luck.choice([5_000, 20_000, 100_000]))
    return did(luck.choice(_EVENTS)).last_at().more_than_ago(timedelta(days=luck.choice([30, 60, 90])))


def hundred(number: int = 100, *, seed: int = 11) -> list[Segment]:
    """Make segments, most of an event question and an attribute, some of several."""
    luck = Random(seed)
    out = []
    for place in range(number):
        kind = place % 20
        if kind < 3:
            made = _attribute(luck) & _attribute(luck)
        elif kind < 8:
            made = _event(luck)
        elif kind < 14:
            made = _attribute(luck) & _event(luck)
        elif kind < 17:
            made = _event(luck) & _event(luck) & _attribute(luck)
        else:
            made = (_event(luck) & _attribute(luck)) | (_event(luck) & ~_attribute(luck))
        out.append(segment(f"s{place}", made))
    return out


def stream(people: int, each: int, *, seed: int = 7) -> list[Event]:
    """Make events of some people over 400 days in the order of their moments, ``each`` of one person."""
    luck = Random(seed)
    out = []
    for place in range(people * each):
        name = luck.choices(_EVENTS, _OFTEN)[0]
        at = START + timedelta(seconds=luck.randrange(_DAYS * 86_400))
        properties: dict[str, object] = {"category": luck.choice(_CATEGORIES)}
        if name == "purchase":
            properties["amount"] = luck.randint(500, 30_000)
        out.append(
            Event(
                id=EventId(f"e{place}"),
                customer=CustomerId(f"c{place % people}"),
                name=name,
                at=at,
                received=at,
                properties=properties,
            )
        )
    return sorted(out, key=lambda event: event.position)
