"""What the oracle answers about events: which are meant, and their numbers, sums, gaps and orders."""

from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise, product
from typing import Any
from zoneinfo import ZoneInfo

from crmsdk.model.customer import ZONE
from crmsdk.model.facts import Facts
from crmsdk.segments.verdict import RunView
from tests.unit.segments.oracle_values import (
    asks,
    doubled,
    inside,
    number,
    tagged,
    untagged,
    us,
    width,
    written,
)


class Life:
    """What one customer was and did, and one run of theirs, asked at any microsecond."""

    def __init__(self, facts: Facts, run: RunView | None = None) -> None:
        self.facts = facts
        self.run = run
        self.events = sorted(((us(e.at), e.id, e) for e in facts.events), key=lambda row: row[:2])

    def attribute(self, name: str, now: int) -> Any:
        head, _, rest = name.partition(".")
        writes = [
            (us(write.at), write.id, write)
            for write in self.facts.attributes
            if us(write.at) <= now and write.name in {name, head}
        ]
        if not writes:
            return None
        write = max(writes, key=lambda row: row[:2])[2]
        if write.name == name:
            return write.value
        return inside(write.value, rest) if isinstance(write.value, Mapping) else None

    def zone(self, now: int) -> ZoneInfo:
        written = self.attribute(ZONE, now)
        return ZoneInfo(written if isinstance(written, str) else self.facts.zone or "UTC")

    def chosen(self, of: dict[str, Any], now: int, back: int = 0) -> list[Any]:
        """Give the events meant; of a window that moves, those of the window so many of its widths before."""
        out = []
        for at, _, event in self.events:
            window = of.get("window")
            if window is None:
                good = at <= now
            elif window["is"] == "rolling":
                ago = width(window.get("ago", "PT0S")) + back * width(window["span"])
                good = now - ago - width(window["span"]) < at <= now - ago
            elif window["is"] == "calendar":
                unit, tz = window["unit"], self.zone(now)
                newest, oldest = window.get("newest", 0), window.get("oldest", 0)
                shift = back * (oldest - newest + 1)
                age = number(now, unit, tz) - number(at, unit, tz) - shift
                good = newest <= age <= oldest and at <= now
            else:
                good = us(window["start"]) <= at < us(window["end"]) and at <= now
            if good and event.name == of["event"] and self.passes(of, event):
                out.append(event)
        return out

    @staticmethod
    def passes(of: dict[str, Any], event: Any) -> bool:
        return all(
            asks(test["op"], test.get("operand"), tagged(inside(event.properties, test["name"])))
            != test.get("negated", False)
            for test in of.get("tests", [])
        )

    def brought(self, node: dict[str, Any], now: int) -> list[Any]:
        return [inside(event.properties, node["prop"]) for event in self.chosen(node["of"], now)]

    def aggregated(self, node: dict[str, Any], now: int) -> bool:
        return self.made_of(node["function"], node, self.brought(node, now))

    def made_of(self, function: str, node: dict[str, Any], raw: list[Any]) -> bool:
        op, data = node["op"], node.get("operand")
        if function in ("first", "last"):
            return bool(raw) and asks(op, data, tagged(raw[0 if function == "first" else -1]))
        values = [found for value in raw if (found := tagged(value)) is not None]
        if function == "distinct":
            different = [value for place, value in enumerate(values) if value not in values[:place]]
            return asks(op, data, ("number", Fraction(len(different))))
        operand = untagged(data)
        assert operand is not None
        kind = operand[1][0][0] if op == "between" else operand[0]
        values = [value for value in values if value[0] == kind]
        if function in ("min", "max"):
            return bool(values) and asks(op, data, sorted(values)[0 if function == "min" else -1])
        total = sum((value for _, value in values), Fraction(0))
        floats = kind == "number" and any(isinstance(value, float) for value in raw)
        if floats:
            total = doubled(total)
        if function == "avg":
            if not values:
                return False
            total /= len(values)
            if floats:
                total = doubled(total)
            else:
                data = written(data)
        return asks(op, data, (kind, total))

    def trend(self, node: dict[str, Any], now: int) -> bool:
        over, sums, floats = node.get("over", 1), list[Fraction](), False
        for back in range(over + 1):
            events = self.chosen(node["of"], now, back)
            raw = [inside(event.properties, node["prop"]) for event in events] if node.get("prop") else []
            found = [
                value for value in map(tagged, raw) if value and value[0] == node.get("currency", "number")
            ]
            floats = floats or any(isinstance(value, float) for value in raw if not node.get("currency"))
            amounts = (amount for _, amount in found)
            sums.append(sum(amounts, Fraction(0)) if node.get("prop") else Fraction(len(events)))
        before = sum(sums[1:], Fraction(0)) / over
        if before <= 0:
            return False
        ratio, data = sums[0] / before, node["operand"]
        return asks(
            node["op"], data if floats else written(data), ("number", doubled(ratio) if floats else ratio)
        )

    def rows(self, node: dict[str, Any], now: int) -> bool:
        unit, tz = node["unit"], self.zone(now)
        numbers = {number(us(event.at), unit, tz) for event in self.chosen(node["of"], now)}
        last = number(now, unit, tz)
        last -= last not in numbers
        if node["is"] == "regular":
            return len(numbers & set(range(last + 1 - node["periods"], last + 1))) >= int(node["at_least"])
        rows = {(one, two) for one in numbers for two in numbers if set(range(one, two + 1)) <= numbers}
        lengths = {
            "all": [len(numbers)],
            "longest": [two - one + 1 for one, two in rows],
            "current": [two - one + 1 for one, two in rows if two == last],
        }
        return asks(node["op"], node["operand"], ("number", Fraction(max(lengths[node["run"]], default=0))))

    def gaps(self, node: dict[str, Any], now: int) -> bool:
        ats = [us(event.at) for event in self.chosen(node["of"], now)]
        gaps = sorted(two - one for one, two in pairwise(ats))
        data = node["operand"]
        if node["is"] == "gap":
            if not gaps:
                return False
            middle = [gaps[len(gaps) // 2], gaps[-1 - len(gaps) // 2]] if node["middle"] == "median" else gaps
            data = [width(each) for each in data] if isinstance(data, list) else width(data)
            return asks(node["op"], data, ("number", Fraction(sum(middle), len(middle))))
        if len(gaps) < 2 or not sum(gaps):
            return False
        mean = Fraction(sum(gaps), len(gaps))
        square = sum((gap - mean) ** 2 for gap in gaps) / len(gaps) / mean**2
        data = written(data)
        bounds = [Fraction(each) ** 2 for each in data] if isinstance(data, list) else Fraction(data) ** 2
        return asks(node["op"], bounds, ("number", square))

    def in_order(self, node: dict[str, Any], now: int) -> bool:
        """Try every chain there is."""
        steps = [self.chosen({**step, "window": node.get("window")}, now) for step in node["steps"]]
        span = width(node["span"]) if node.get("span") else None
        for chain in product(*steps):
            places = [(us(event.at), event.id) for event in chain]
            first, last = places[0], places[-1]
            if any(one >= two for one, two in pairwise(places)) or (span and last[0] - first[0] > span):
                continue
            if node.get("absent") is None:
                return True
            assert span is not None
            spoiling = self.chosen({**node["absent"], "window": None}, now)
            spoilt = any(last < (us(e.at), e.id) and us(e.at) <= first[0] + span for e in spoiling)
            if first[0] + span <= now and not spoilt:
                return True
        return False

    def since(self, node: dict[str, Any], now: int) -> int:
        assert self.run is not None
        entry = (us(self.run.entry[0]), self.run.entry[1])
        count = 0
        for at, id_, event in self.events:
            if at > now or (at, id_) <= entry or event.name != node["event"] or not self.passes(node, event):
                continue
            if node.get("span") and at > entry[0] + width(node["span"]):
                continue
            if node.get("keyed", True) and self.run.key_name is not None:
                found = tagged(inside(event.properties, self.run.key_name))
                if found is None or found != tagged(self.run.key):
                    continue
            count += 1
        return count
