"""Eight typical segments, each with the SQL somebody would write for it by hand; and a hundred like them."""

from datetime import timedelta
from random import Random
from typing import Final

import attrs

from bench.segments._shop import NOW
from crmsdk.model.money import Money
from crmsdk.segments.conditions import Predicate, Segment
from crmsdk.segments.words import attr, did, prop, segment

__all__ = ["EIGHT", "Typical", "hundred"]

_NOW: Final = int(NOW.timestamp()) * 1_000_000
_DAY: Final = 86_400_000_000


def _days(days: int) -> timedelta:
    return timedelta(days=days)


def _since(days: int) -> str:
    return f'"at" > {_NOW - days * _DAY} AND "at" <= {_NOW}'


@attrs.frozen
class Typical:
    """A segment and its SQL by hand, which gives one column of ids."""

    name: str
    predicate: Predicate
    sql: str


_BOUGHT: Final = did("purchase").within(_days(365)).sum("amount") > Money(50_000, "RUB")
_ACTIVE: Final = did("purchase").within(_days(30)).at_least(2)

EIGHT: Final = (
    Typical(
        "attributes",
        (attr("country") == "RU")
        & attr("plan").in_(["basic", "pro"])
        & (attr("age") >= 25)
        & (attr("agreed") == True),  # noqa: E712
        "SELECT id FROM people WHERE country = 'RU' AND plan IN ('basic', 'pro') AND age >= 25 AND agreed",
    ),
    Typical(
        "did 3 in 30 days",
        did("session").within(_days(30)).at_least(3),
        f"SELECT customer FROM events WHERE name = 'session' AND {_since(30)}"
        " GROUP BY 1 HAVING count(*) >= 3",
    ),
    Typical(
        "not in 90 days",
        ~did("session").within(_days(90)),
        "SELECT id FROM people p WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.customer = p.id"
        f" AND name = 'session' AND {_since(90)})",
    ),
    Typical(
        "sum of a year",
        _BOUGHT,
        f"SELECT customer FROM events WHERE name = 'purchase' AND {_since(365)}"
        " GROUP BY 1 HAVING sum(amount) > 50000",
    ),
    Typical(
        "last seen 60 days ago",
        did("view").last_at().more_than_ago(_days(60)),
        f"""SELECT customer FROM events WHERE name = 'view' AND "at" <= {_NOW} GROUP BY 1"""
        f""" HAVING max("at") <= {_NOW - 60 * _DAY}""",
    ),
    Typical(
        "different categories",
        did("view").within(_days(90)).distinct("category") >= 3,
        f"SELECT customer FROM events WHERE name = 'view' AND {_since(90)} GROUP BY 1"
        " HAVING count(DISTINCT category) >= 3",
    ),
    Typical(
        "five joined",
        attr("email").exists()
        & (
            (attr("country").in_(["RU", "KZ"]) & _ACTIVE) | (_BOUGHT & ~did("unsubscribe").within(_days(365)))
        ),
        "WITH a AS (SELECT customer,"
        f" count(*) FILTER (name = 'purchase' AND {_since(30)}) AS n,"
        " sum(amount) FILTER (name = 'purchase') AS s,"
        " count(*) FILTER (name = 'unsubscribe') AS u"
        f" FROM events WHERE name IN ('purchase', 'unsubscribe') AND {_since(365)} GROUP BY 1)"
        " SELECT id FROM people p JOIN a ON a.customer = p.id WHERE email IS NOT NULL"
        " AND ((country IN ('RU', 'KZ') AND n >= 2) OR (s > 50000 AND NOT u > 0))",
    ),
    Typical(
        "last category",
        did("cart").last("category") == "electronics",
        """SELECT customer FROM (SELECT customer, arg_max_null(category, "at") AS c FROM events"""
        f""" WHERE name = 'cart' AND "at" <= {_NOW} GROUP BY 1) WHERE c = 'electronics'""",
    ),
)

_NAMES: Final = (
    "view", "session", "search", "cart", "email_open", "email_click", "purchase", "push_open", "support",
    "login",
)  # fmt: skip
_WINDOWS: Final = (1, 3, 7, 14, 30, 60, 90, 180, 365)
_CATEGORIES: Final = ("electronics", "books", "toys", "garden", "food", "auto", "kids", "sport")


def hundred(count: int = 100, seed: int = 11) -> list[tuple[Segment, str]]:
    """Draw segments as marketers write them, each with its SQL by hand."""
    random = Random(seed)
    out = []
    for number in range(count):
        predicate, sql = _drawn(random, number % 20)
        out.append((segment(f"s{number}", predicate), sql))
    return out


@attrs.frozen
class _Part:
    """A condition, and the same as SQL over a person ``p``."""

    predicate: Predicate
    sql: str


def _drawn(random: Random, kind: int) -> tuple[Predicate, str]:
    if kind < 3:
        one, two = _attribute(random), _attribute(random)
        return one.predicate & two.predicate, _people(f"{one.sql} AND {two.sql}")
    if kind < 8:
        one = _event(random)
        return one.predicate, _people(one.sql)
    if kind < 14:
        one, two = _attribute(random), _event(random)
        return one.predicate & two.predicate, _people(f"{one.sql} AND {two.sql}")
    if kind < 17:
        one, two, three = _event(random), _event(random), _attribute(random)
        return one.predicate & two.predicate & three.predicate, _people(
            f"{one.sql} AND {two.sql} AND {three.sql}"
        )
    one, two, three, four = _event(random), _attribute(random), _event(random), _attribute(random)
    return (
        (one.predicate & two.predicate) | (three.predicate & ~four.predicate),
        _people(f"({one.sql} AND {two.sql}) OR ({three.sql} AND NOT COALESCE({four.sql}, FALSE))"),
    )


def _people(where: str) -> str:
    return f"SELECT id FROM people p WHERE {where}"


def _attribute(random: Random) -> _Part:
    match random.randrange(5):
        case 0:
            wanted = sorted(random.sample(["RU", "KZ", "BY", "AM", "DE"], random.randint(1, 3)))
            listed = ", ".join(f"'{each}'" for each in wanted)
            return _Part(attr("country").in_(wanted), f"country IN ({listed})")
        case 1:
            plan = random.choice(["free", "basic", "pro"])
            return _Part(attr("plan") == plan, f"plan = '{plan}'")
        case 2:
            age = random.choice([18, 25, 35, 45])
            return _Part(attr("age") >= age, f"age >= {age}")
        case 3:
            return _Part(attr("email").exists(), "email IS NOT NULL")
        case _:
            score = random.choice([40.0, 50.0, 70.0])
            return _Part(attr("score") >= score, f"score >= {score}")


def _event(random: Random) -> _Part:
    drawn, name, days = random.random(), random.choice(_NAMES), random.choice(_WINDOWS)
    rows = f"SELECT customer FROM events WHERE name = '{name}' AND {_since(days)}"
    if drawn < 0.45:
        number = random.choice([1, 1, 2, 3, 5])
        of, extra = did(name).within(_days(days)), ""
        if name in ("view", "cart", "purchase") and random.random() < 0.3:
            category = random.choice(_CATEGORIES)
            of, extra = of.where(prop("category") == category), f" AND category = '{category}'"
        having = f" GROUP BY 1 HAVING count(*) >= {number}" if number > 1 else ""
        return _Part(of.at_least(number), f"id IN ({rows}{extra}{having})")
    if drawn < 0.7:
        absent = (
            "NOT EXISTS (SELECT 1 FROM events e WHERE e.customer = p.id"
            f" AND name = '{name}' AND {_since(days)})"
        )
        return _Part(~did(name).within(_days(days)), absent)
    if drawn < 0.85:
        days, least = random.choice([30, 90, 180, 365]), random.choice([5_000, 20_000, 100_000])
        bought = f"SELECT customer FROM events WHERE name = 'purchase' AND {_since(days)} GROUP BY 1"
        asked = did("purchase").within(_days(days)).sum("amount") > Money(least, "RUB")
        return _Part(asked, f"id IN ({bought} HAVING sum(amount) > {least})")
    if drawn < 0.93:
        days, most = random.choice([90, 365]), random.choice([5_000, 30_000])
        bought = f"SELECT customer FROM events WHERE name = 'purchase' AND {_since(days)} GROUP BY 1"
        asked = did("purchase").within(_days(days)).max("amount") >= Money(most, "RUB")
        return _Part(asked, f"id IN ({bought} HAVING max(amount) >= {most})")
    name, category = random.choice(["view", "purchase"]), random.choice(_CATEGORIES[:3])
    last = f"""SELECT customer FROM events WHERE name = '{name}' AND "at" <= {_NOW} GROUP BY 1"""
    return _Part(
        did(name).last("category") == category,
        f"""id IN ({last} HAVING arg_max_null(category, "at") = '{category}')""",
    )
