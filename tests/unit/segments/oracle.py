"""A second evaluator of conditions, in another style: over their JSON, in microseconds, by brute force.

It shares nothing with the reference but the codec. The answer at one moment is computed from the whole
history; when the answer changes is found by asking at every moment at which anything could.
"""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from hashlib import md5
from typing import Any

from crmsdk.model.codec import encode
from crmsdk.model.customer import ACCOUNT
from crmsdk.model.facts import Facts
from crmsdk.segments.grammar import Condition
from crmsdk.segments.verdict import RunView
from tests.unit.segments.oracle_events import Life
from tests.unit.segments.oracle_moments import candidates
from tests.unit.segments.oracle_values import START, asks, kept, number, tagged, us, width

FIRST = us(datetime(1, 1, 1, tzinfo=UTC))
LAST = us(datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC))


class World(Life):
    """One customer with their colleagues, and one run, asked at any microsecond."""

    def __init__(self, facts: Facts, run: RunView | None = None) -> None:
        super().__init__(facts, run)
        self.colleagues = [World(other) for other in facts.colleagues or ()]

    def of_days(self, node: dict[str, Any], now: int) -> bool:
        tz, value = self.zone(now), self.attribute(node["name"], now)
        if not isinstance(value, date):
            return False
        today = number(now, "day", tz)
        if node["is"] == "attr-days":
            day = number(us(value), "day", tz) if isinstance(value, datetime) else value.toordinal()
            days = day - today if node["sense"] == "until" else today - day
            return asks(node["op"], node["operand"], tagged(days))
        local = date.fromordinal(number(us(value), "day", tz)) if isinstance(value, datetime) else value
        for ahead in range(367):
            coming = today + ahead
            day_ahead = date.fromordinal(coming if coming <= date.max.toordinal() else coming - 146_097)
            if kept(local, day_ahead, node.get("leap", "03-01")):
                return bool(node.get("first", 0) <= ahead <= node.get("last", 0))
        return False

    def of_person(self, node: dict[str, Any], now: int) -> bool:
        if node["is"] == "bucket":
            drawn = md5(f"{node['salt']}:{self.facts.customer}".encode(), usedforsecurity=False).hexdigest()
            return bool(node["low"] <= int(drawn[:8], 16) % 10_000 < node["high"])

        def value(at: int) -> tuple[str, Any] | None:
            return tagged(self.attribute(node["name"], at))

        begin = now - width(node["span"])
        inside = [at for at in self.written(node["name"]) if begin < at <= now]
        if node["is"] == "attr-changed":
            return any(value(at) != value(at - 1) for at in inside)
        return all(asks("eq", node["operand"], value(at)) for at in (begin, *inside))

    def given(self, part: dict[str, Any], now: int) -> Fraction:
        """Say what one part of a score gives: halved at each full half-life, nothing after twenty."""
        if part.get("when"):
            return Fraction(part["points"] if self.holds(part["when"], now) else 0)
        if not part.get("half_life"):
            return Fraction(part["points"] * len(self.chosen(part["per"], now)))
        lives = [(now - us(event.at)) // width(part["half_life"]) for event in self.chosen(part["per"], now)]
        return sum((Fraction(part["points"], 2**n) for n in lives if n < 20), Fraction(0))

    def written(self, name: str) -> list[int]:
        names = {name, name.partition(".")[0]}
        return [us(write.at) for write in self.facts.attributes if write.name in names]

    def lies(self, timing: dict[str, Any], value: Any, now: int) -> bool:
        if not isinstance(value, datetime):
            return False
        at = us(value)
        if timing["is"] == "absolute":
            start = us(timing["start"]) if timing.get("start") else None
            end = us(timing["end"]) if timing.get("end") else None
            return (start is None or at >= start) and (end is None or at < end)
        span = width(timing["span"])
        return {
            "within_last": now - span < at <= now,
            "more_than_ago": at <= now - span,
            "within_next": now < at <= now + span,
        }[timing["relation"]]

    def holds(self, node: dict[str, Any], now: int) -> bool:
        low, high = node.get("low", 1), node.get("high")
        match node["is"]:
            case "always":
                return bool(node.get("holds", True))
            case "not" | "run-not":
                return not self.holds(node["part"], now)
            case "and" | "run-and":
                return all(self.holds(part, now) for part in node["parts"])
            case "or" | "run-or":
                return any(self.holds(part, now) for part in node["parts"])
            case "segment":
                return self.holds(node["predicate"], now)
            case "attr":
                return asks(node["op"], node.get("operand"), tagged(self.attribute(node["name"], now)))
            case "score":
                total = sum((self.given(part, now) for part in node["parts"]), Fraction(0))
                return asks(node["op"], node["operand"], ("number", total))
            case "account-count" | "account-all" | "account-sum":
                return self.of_account(node, now)
            case "attr-days" | "anniversary" | "attr-changed" | "attr-held" | "bucket":
                days = node["is"] in ("attr-days", "anniversary")
                return self.of_days(node, now) if days else self.of_person(node, now)
            case "attr-time":
                return self.lies(node["timing"], self.attribute(node["name"], now), now)
            case "did":
                count = len(self.chosen(node["of"], now))
                return count >= low and (high is None or count <= high)
            case "aggregate":
                return self.aggregated(node, now)
            case "sequence":
                return self.in_order(node, now)
            case "trend":
                return self.trend(node, now)
            case "streak" | "regular":
                return self.rows(node, now)
            case "gap" | "gap-variation":
                return self.gaps(node, now)
            case "event-time":
                found = self.chosen(node["of"], now)
                return bool(found) and self.lies(
                    node["timing"], found[0 if node["edge"] == "first" else -1].at, now
                )
            case "consent":
                return self.consent(node, now)
            case "since-entry":
                count = self.since(node, now)
                return count >= low and (high is None or count <= high)
            case other:
                raise AssertionError(other)

    def of_account(self, node: dict[str, Any], now: int) -> bool:
        people = self.people(node, now)
        if node["is"] == "account-sum":
            return self.made_of("sum", node, [value for one in people for value in one.brought(node, now)])
        answers = [one.holds(node["predicate"], now) for one in people]
        if node["is"] == "account-all":
            return bool(answers) and all(answers)
        return asks(node.get("op", "ge"), node.get("operand", 1), ("number", Fraction(sum(answers))))

    def people(self, node: dict[str, Any], now: int) -> list["World"]:
        """Give everybody whose account is this person's."""

        def account(one: "World") -> str | None:
            found = tagged(one.attribute(ACCOUNT, now))
            if found is None or not (
                found[0] == "text" or (found[0] == "number" and found[1].denominator == 1)
            ):
                return None
            return None if isinstance(one.attribute(ACCOUNT, now), float) else str(found[1])

        everybody = self.colleagues if node.get("others") else [self, *self.colleagues]
        mine = account(self)
        return [one for one in everybody if mine is not None and account(one) == mine]

    def consent(self, node: dict[str, Any], now: int) -> bool:
        fitting = [
            (us(write.at), write.id, write.state.value)
            for write in self.facts.consents
            if us(write.at) <= now
            and write.channel in {"*", node["channel"]}
            and write.purpose in {"*", node["purpose"]}
        ]
        return bool((max(fitting)[2] if fitting else "unknown") == node.get("state", "granted"))


def answer(condition: Condition, facts: Facts, now: datetime, run: RunView | None = None) -> bool:
    return World(facts, run).holds(_json(condition), us(now))


def first_change(
    condition: Condition, facts: Facts, now: datetime, run: RunView | None = None
) -> datetime | None:
    """Ask at every later moment at which the answer could change, and give the first at which it does."""
    node, world, begin = _json(condition), World(facts, run), us(now)
    before = world.holds(node, begin)
    for at in sorted(candidates(node, facts)):
        if begin < at <= LAST and world.holds(node, at) != before:
            return START + timedelta(microseconds=at)
    return None


def around(condition: Condition, facts: Facts) -> list[datetime]:
    """Give the moments at which the answer could change, and those one microsecond beside them."""
    return [
        START + timedelta(microseconds=at)
        for at in sorted(candidates(_json(condition), facts))
        if FIRST <= at <= LAST
    ]


def _json(condition: Condition) -> dict[str, Any]:
    data = encode(condition)
    assert isinstance(data, dict)
    return data
