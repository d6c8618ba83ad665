"""How likely somebody who has not bought for a while still is a customer: P(alive) of the BG/NBD model.

    habits = {who: habit(moments, now) for who, moments in purchases.items()}
    model = fit(habits.values())
    chances = {who: model.alive(each) for who, each in habits.items() if each is not None}

What is usual differs from person to person: three weeks without a word are nothing for somebody who buys
twice a year, and the end for somebody who came every other day. The model needs three numbers of each, and
knows nothing of who has not bought up to ``now``: their habit is None. Write the chance as an attribute
(``crm.identify(who, {"alive": chance})``), and segments and journeys ask for it.

Model, likelihood and P(alive): P. Fader, B. Hardie and K. L. Lee, "Counting Your Customers" the Easy Way: An
Alternative to the Pareto/NBD Model, Marketing Science 24 (2), 2005.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from math import exp, inf, isfinite, lgamma, log, log1p
from typing import Any, Final

import attrs

from crmsdk.errors import InputError
from crmsdk.model import zones
from crmsdk.model.moment import to_moment

__all__ = ["AliveModel", "Habit", "fit", "habit"]

_ROUNDS: Final = 4_000
_CLOSE: Final = 1e-9
_FLAT: Final = 1e6
"""Where people do not differ, or nobody stops, a likelier model is always further out; this is far enough."""


def _number(_: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value < 0:
        raise InputError("is no number from 0 up", field=attribute.name)


def _above_zero(instance: object, attribute: "attrs.Attribute[Any]", value: float) -> None:
    _number(instance, attribute, value)
    if value == 0:
        raise InputError("is not above 0", field=attribute.name)


@attrs.frozen
class Habit:
    """What the model reads of one person; times in days, all counted from the first purchase.

    Attributes:
        repeats: Days with a purchase after the first one.
        last: When the last of these was; 0 with no repeat.
        age: When it is asked.

    Raises:
        InputError: a number below 0, or ``last`` that does not fit the others.
    """

    repeats: int = attrs.field(validator=_number)
    last: float = attrs.field(validator=_number)
    age: float = attrs.field(validator=_number)

    def __attrs_post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if self.last > self.age:
            raise InputError("lies after the moment asked", field="last")
        if (self.repeats == 0) != (self.last == 0):
            raise InputError("is 0 exactly where nothing was repeated", field="last")


def habit(moments: Iterable[datetime], now: datetime, *, zone: str = "UTC") -> Habit | None:
    """Make the numbers of one person; None where nothing happened up to ``now``.

    Args:
        moments: When it happened, aware, in any order, as ``[each.at for each in facts.named("purchase")]``;
            those after ``now`` are left out.
        now: The moment asked about, aware.
        zone: IANA name; what happens on one day there counts once.

    Raises:
        NaiveMoment: a moment has no zone.
        UnknownZone: the zone data does not hold the zone.
    """
    tz, now = zones.zone(zone), to_moment(now, "now")
    past = (at for at in (to_moment(each, "moments") for each in moments) if at <= now)
    days = sorted({zones.local_day(at, tz).toordinal() for at in past})
    if not days:
        return None
    return Habit(len(days) - 1, days[-1] - days[0], zones.local_day(now, tz).toordinal() - days[0])


@attrs.frozen
class AliveModel:
    """How the people of one base buy, and how they stop.

    While alive, a person buys at random at a rate of their own; after each purchase they stop for ever with a
    chance of their own. Rates are spread by a gamma distribution, chances by a beta distribution.

    Attributes:
        r, alpha: Shape and scale, in days, of the rates: ``r / alpha`` purchases a day on average.
        a, b: Of the chances: after a purchase ``a / (a + b)`` stop on average.

    Raises:
        InputError: a parameter that is not above 0.
    """

    r: float = attrs.field(validator=_above_zero)
    alpha: float = attrs.field(validator=_above_zero)
    a: float = attrs.field(validator=_above_zero)
    b: float = attrs.field(validator=_above_zero)

    def alive(self, habit: Habit) -> float:
        """Give the chance, from 0 to 1, that a person is still a customer; 1 where nothing was repeated yet.

        In this model people stop only after a purchase but the first, so nobody of one purchase has stopped.

        Raises:
            InputError: it is no habit, as that of somebody who has not bought yet.
        """
        if not isinstance(habit, Habit):
            raise InputError(
                f"is {type(habit).__name__}, no Habit; leave out people who have not bought yet",
                field="habit",
            )
        if habit.repeats == 0:
            return 1.0
        odds = log(self.a) - log(self.b + habit.repeats - 1)
        odds += (self.r + habit.repeats) * (log(self.alpha + habit.age) - log(self.alpha + habit.last))
        return 1 / (1 + exp(odds)) if odds < 700 else 0.0

    def likelihood(self, habit: Habit) -> float:
        """Give the logarithm of how likely a habit is, for comparing models of the same people."""
        return _likelihood(habit, self.r, self.alpha, self.a, self.b)


def fit(habits: Iterable[Habit | None]) -> AliveModel:
    """Find the model under which the habits of a base are likeliest.

    A few hundred people with repeats are needed for a model to mean something. People of like habits are
    counted together; it takes about half a millisecond for each different habit.

    Args:
        habits: Of everybody with a purchase, also those who bought only once; None is left out.

    Raises:
        InputError: nobody bought on two days, so nothing tells how people stop; or something is no habit.
    """
    habits = tuple(habits)
    for each in habits:
        if each is not None and not isinstance(each, Habit):
            raise InputError(
                f"hold {type(each).__name__}; give Habits, of a dict its .values()", field="habits"
            )
    counted = Counter(each for each in habits if each is not None)
    if not any(each.repeats for each in counted):
        raise InputError("nobody bought on two days, so nothing tells how people stop", field="habits")
    scale = max(each.age for each in counted)  # so that all four parameters are of like size
    people = [(Habit(each.repeats, each.last / scale, each.age / scale), n) for each, n in counted.items()]
    total = counted.total()

    def badness(logs: Sequence[float]) -> float:
        if max(logs) > log(_FLAT) or min(logs) < -log(_FLAT):
            return inf
        r, alpha, a, b = map(exp, logs)
        return -sum(n * _likelihood(each, r, alpha, a, b) for each, n in people) / total

    r, alpha, a, b = map(exp, _lowest(badness, [0.0, log(0.1), 0.0, 0.0]))
    return AliveModel(r, alpha * scale, a, b)


def _likelihood(habit: Habit, r: float, alpha: float, a: float, b: float) -> float:
    x = habit.repeats
    spread = lgamma(r + x) - lgamma(r) + r * log(alpha)
    spread += lgamma(a + b) + lgamma(b + x) - lgamma(b) - lgamma(a + b + x)
    here = -(r + x) * log(alpha + habit.age)
    if x == 0:
        return spread + here
    gone = log(a) - log(b + x - 1) - (r + x) * log(alpha + habit.last)
    low, high = sorted((here, gone))
    return spread + high + log1p(exp(low - high))


def _lowest(badness: Callable[[Sequence[float]], float], start: Sequence[float]) -> Sequence[float]:
    """Find a minimum by a simplex that rolls downhill.

    J. A. Nelder and R. Mead, A Simplex Method for Function Minimization, The Computer Journal 7 (4), 1965.
    """
    corners = [list(start), *([*start[:i], start[i] + 1, *start[i + 1 :]] for i in range(len(start)))]
    known = sorted((badness(corner), corner) for corner in corners)
    for _ in range(_ROUNDS):
        (best, first), (worst, last) = known[0], known[-1]
        if worst - best < _CLOSE and max(abs(x - y) for x, y in zip(first, last, strict=True)) < _CLOSE:
            break
        middle = [sum(axis) / len(start) for axis in zip(*(point for _, point in known[:-1]), strict=True)]
        new = _tried(badness, middle, last, 1)
        if new[0] < best:
            new = min(new, _tried(badness, middle, last, 2))
        elif new[0] >= known[-2][0]:
            new = _tried(badness, middle, last, 0.5 if new[0] < worst else -0.5)
        if new[0] < worst:
            known = sorted([*known[:-1], new])
            continue
        halved = ([(x + f) / 2 for x, f in zip(point, first, strict=True)] for _, point in known[1:])
        known = sorted([known[0], *((badness(point), point) for point in halved)])
    return known[0][1]


def _tried(
    badness: Callable[[Sequence[float]], float], middle: Sequence[float], last: Sequence[float], step: float
) -> tuple[float, list[float]]:
    point = [m + step * (m - x) for m, x in zip(middle, last, strict=True)]
    return badness(point), point
