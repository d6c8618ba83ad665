"""A second evaluator of conditions, in another style: over their JSON, in microseconds, by brute force.

It shares nothing with the reference but the codec. The answer at one moment is computed from the whole
history; when the answer changes is found by asking at every moment at which anything could.
"""

import re
import unicodedata
from calendar import isleap
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from hashlib import md5
from itertools import pairwise, product
from typing import Any
from zoneinfo import ZoneInfo

from crmsdk.errors import InputError
from crmsdk.model.codec import encode
from crmsdk.model.customer import ACCOUNT, ZONE
from crmsdk.model.facts import Facts
from crmsdk.model.money import Money
from crmsdk.model.span import parse_span
from crmsdk.model.zones import at_local, local_day
from crmsdk.segments.grammar import Condition
from crmsdk.segments.verdict import RunView

START = datetime(1970, 1, 1, tzinfo=UTC)


def us(moment: datetime | str) -> int:
    moment = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return (moment - START) // timedelta(microseconds=1)


def width(text: str) -> int:
    return parse_span(text, "span") // timedelta(microseconds=1)


FIRST = us(datetime(1, 1, 1, tzinfo=UTC))
DAY = 86_400_000_000
LAST = us(datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC))


def tagged(value: Any) -> tuple[str, Any] | None:
    """Bring a stored value into (kind, comparable); None for a missing one."""
    if value is None:
        return None
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, int | float | Fraction):
        return ("number", Fraction(value))
    if isinstance(value, str):
        return ("text", unicodedata.normalize("NFC", value))
    if isinstance(value, datetime):
        return ("moment", us(value))
    if isinstance(value, date):
        return ("date", value.toordinal())
    if isinstance(value, Money):
        return (value.currency, value.minor)
    if isinstance(value, Mapping):
        return ("mapping", {key: tagged(item) for key, item in value.items()})
    return ("list", [tagged(item) for item in value])


def untagged(data: Any) -> tuple[str, Any] | None:
    """The same of a value in JSON."""
    if isinstance(data, dict):
        match data["is"]:
            case "money":
                return (data["currency"], data["minor"])
            case "moment":
                return ("moment", us(data["of"]))
            case "date":
                return ("date", date.fromisoformat(data["of"]).toordinal())
            case _:
                raise AssertionError(data)
    if isinstance(data, list):
        return ("list", [untagged(item) for item in data])
    return tagged(data)


def asks(op: str, data: Any, found: tuple[str, Any] | None) -> bool:
    if found is None:
        return False
    kind, value = found
    if op == "exists":
        return True
    operand = untagged(data)
    assert operand is not None
    if op == "eq":
        return found == operand
    if op == "in":
        return found in operand[1]
    if op == "contains":
        return bool(
            operand in value if kind == "list" else kind == operand[0] == "text" and operand[1] in value
        )
    if op == "contains_any":
        return any(asks("contains", item, found) for item in data)
    if op == "contains_all":
        return all(asks("contains", item, found) for item in data)
    if op == "matches":
        return kind == "text" and bool(re.search(data.replace("$", r"\Z"), value, re.DOTALL))
    if op in ("starts", "ends"):
        return kind == "text" and bool((value.startswith if op == "starts" else value.endswith)(operand[1]))
    if op == "between":
        low, high = operand[1]
        return asks_order("ge", low, found) and asks_order("le", high, found)
    return asks_order(op, operand, found)


def asks_order(op: str, operand: tuple[str, Any], found: tuple[str, Any]) -> bool:
    if operand[0] != found[0] or found[0] in ("bool", "text", "list", "mapping"):
        return False
    a, b = found[1], operand[1]
    return bool({"lt": a < b, "le": a <= b, "gt": a > b, "ge": a >= b}[op])


def doubled(number: Fraction) -> Fraction:
    """Round to the nearest double; beyond all doubles it is beyond all operands."""
    try:
        return Fraction(float(number))
    except OverflowError:
        return Fraction(10) ** 400 * (1 if number > 0 else -1)


def written(data: Any) -> Any:
    """Read the floats of an operand as the decimals they are written as."""
    if isinstance(data, list):
        return [written(item) for item in data]
    return Fraction(str(data)) if isinstance(data, float) else data


def inside(values: Mapping[str, Any], path: str) -> Any:
    if values.get(path) is not None:
        return values[path]
    head, dot, rest = path.partition(".")
    deeper = values.get(head)
    return inside(deeper, rest) if dot and isinstance(deeper, Mapping) else None


def number(at: int, unit: str, tz: ZoneInfo) -> int:
    """Number the local period of a moment."""
    day = day_at(at, tz)
    months = day.year * 12 + day.month - 1
    weeks = (day - timedelta(days=day.weekday())).toordinal() // 7
    return {"day": day.toordinal(), "week": weeks, "month": months, "quarter": months // 3, "year": day.year}[
        unit
    ]


def starts(facts: Facts, node: Any) -> set[int]:
    """Every local midnight that could matter: of the periods from that of an event on."""
    zones = {"UTC", facts.zone} | {write.value for write in facts.attributes if write.name == ZONE}
    out = set()
    for unit, most in periods_of(node):
        for tz in (ZoneInfo(name) for name in zones if isinstance(name, str)):
            for day in {day_at(us(event.at), tz) for event in facts.events}:
                begun: date | None = day
                for _ in range(most + 1):
                    begun = None if begun is None else following(begun, unit)
                    with suppress(InputError):
                        out |= set() if begun is None else {us(at_local(begun, time(0), tz))}
    return out


def day_at(at: int, tz: ZoneInfo) -> date:
    """The local date; the first or last there is where it would lie outside of the years 1 to 9999."""
    try:
        return local_day(START + timedelta(microseconds=at), tz)
    except InputError:
        return date.min if at < 0 else date.max


def kept(born: date, day: date, leap: str) -> bool:
    """Whether a day is an anniversary."""
    if (born.month, born.day) == (2, 29) and not isleap(day.year):
        return f"{day:%m-%d}" == leap
    return (born.month, born.day) == (day.month, day.day)


def midnights(facts: Facts, node: Any) -> set[int]:
    """Every local midnight at which an answer about a date could turn, within some years."""
    zones = {"UTC", facts.zone} | {write.value for write in facts.attributes if write.name == ZONE}
    values = [write.value for write in facts.attributes if isinstance(write.value, date)]
    days = set()
    for value in values:
        for shift in (-1, 0, 1):
            born = (value.date() if isinstance(value, datetime) else value) + timedelta(days=shift)
            for asked in asked_days(node):
                for sign in (-1, 1):
                    days |= {born.toordinal() + sign * asked, born.toordinal() + sign * asked + 1}
            if "anniversary" in str(node):
                for year in (*range(1, 6), *range(2023, 2034), 9998, 9999):
                    for other in ((born.month, born.day), (2, 28), (3, 1)):
                        with suppress(ValueError):
                            coming = date(year, *other).toordinal()
                            days |= {coming - asked + tick for asked in asked_days(node) for tick in (0, 1)}
    out = set()
    for tz in (ZoneInfo(name) for name in zones if isinstance(name, str)):
        for day in days:
            with suppress(InputError, ValueError, OverflowError):
                out.add(us(at_local(date.fromordinal(day), time(0), tz)))
    return out


def asked_days(node: Any) -> set[int]:
    """Every number of days a condition names."""
    if isinstance(node, list):
        return set().union(*(asked_days(item) for item in node))
    if not isinstance(node, dict):
        return set()
    if node.get("is") == "anniversary":
        return {0, node.get("first", 0), node.get("last", 0)}
    if node.get("is") == "attr-days":
        operand = node["operand"]
        return set(operand) if isinstance(operand, list) else {operand}
    return set().union(*(asked_days(item) for item in node.values()))


def following(day: date, unit: str) -> date | None:
    """The first day of the next period."""
    try:
        match unit:
            case "day":
                return day + timedelta(days=1)
            case "week":
                return day + timedelta(days=7 - day.weekday())
            case "year":
                return date(day.year + 1, 1, 1)
            case _:
                ahead = 1 if unit == "month" else 3 - (day.month - 1) % 3
                year, month = divmod(day.year * 12 + day.month - 1 + ahead, 12)
                return date(year, month + 1, 1)
    except (OverflowError, ValueError):
        return None


def periods_of(node: Any) -> set[tuple[str, int]]:
    """Every unit a condition names, and how many periods back it looks."""
    if isinstance(node, dict):
        own = (
            {(node["unit"], max(node.get("oldest", 0), node.get("periods", 2)) + 1)}
            if "unit" in node
            else set()
        )
        if node.get("is") == "trend" and "unit" in node["of"]["window"]:
            window = node["of"]["window"]
            oldest, newest = window.get("oldest", 0), window.get("newest", 0)
            own |= {(window["unit"], oldest + node.get("over", 1) * (oldest - newest + 1) + 1)}
        return own.union(*(periods_of(item) for item in node.values()))
    if isinstance(node, list):
        return set().union(*(periods_of(item) for item in node))
    return set()


class World:
    """One customer, and one run, asked at any microsecond."""

    def __init__(self, facts: Facts, run: RunView | None = None) -> None:
        self.facts = facts
        self.run = run
        self.colleagues = [World(other) for other in facts.colleagues or ()]
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

    def consent(self, node: dict[str, Any], now: int) -> bool:
        fitting = [
            (us(write.at), write.id, write.state.value)
            for write in self.facts.consents
            if us(write.at) <= now
            and write.channel in {"*", node["channel"]}
            and write.purpose in {"*", node["purpose"]}
        ]
        return bool((max(fitting)[2] if fitting else "unknown") == node.get("state", "granted"))

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


def numbers_of(node: Any) -> set[int]:
    """Every width a condition names, in microseconds."""
    if isinstance(node, dict):
        own = [width(node[key]) for key in ("span", "ago") if isinstance(node.get(key), str)]
        if node.get("is") == "trend" and node["of"]["window"]["is"] == "rolling":
            window = node["of"]["window"]
            ago, span = width(window.get("ago", "PT0S")), width(window["span"])
            own += [ago + back * span for back in range(node.get("over", 1) + 2)]
        return {*own, sum(own)}.union(*(numbers_of(item) for item in node.values()))
    if isinstance(node, list):
        return set().union(*(numbers_of(item) for item in node))
    return set()


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


def fades_of(node: Any) -> set[int]:
    """Every half-life of a condition."""
    if isinstance(node, dict):
        own = {width(node["half_life"])} if node.get("half_life") else set()
        return own.union(*(fades_of(item) for item in node.values()))
    return set().union(*(fades_of(item) for item in node)) if isinstance(node, list) else set()


def candidates(node: dict[str, Any], facts: Facts) -> set[int]:
    moments = [us(event.at) for event in facts.events]
    moments += [us(write.at) for write in facts.attributes]
    moments += [us(entry.at) for entry in facts.consents]
    moments += [us(write.value) for write in facts.attributes if isinstance(write.value, datetime)]
    moments += [
        us(item)
        for write in facts.attributes
        if isinstance(write.value, Mapping)
        for item in write.value.values()
        if isinstance(item, datetime)
    ]
    shifts = {0} | {sign * shift for shift in numbers_of(node) for sign in (-1, 1)}
    shifts |= {fade * lives for fade in fades_of(node) for lives in range(1, 21)}
    asked = {moment + shift + tick for moment in moments for shift in shifts for tick in (-1, 0, 1)}
    local = starts(facts, node) | (midnights(facts, node) if asked_days(node) else set())
    asked |= {start + tick for start in local for tick in (-1, 0, 1)}
    return asked.union(*(candidates(node, other) for other in facts.colleagues or ()))


def _json(condition: Condition) -> dict[str, Any]:
    data = encode(condition)
    assert isinstance(data, dict)
    return data
