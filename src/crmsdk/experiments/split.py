"""Who gets which arm of an experiment, and who is held out: by salted hashes, never by chance.

A subject draws one lot for each arm, an exponential waiting time at the rate of the arm's weight, and goes
where the wait is shortest. A new weight changes only the waits for that arm, so people move only to it or
from it, exactly as many as the new share needs, and the order of the arms means nothing.

When several weights change at once, no rule that knows only the new weights can move just the needed share:
for the shares (½, ½, 0), (½, 0, ½) and (0, ½, ½) each pair needs half the people moved, and no three
assignments achieve all three. Whoever wants the exact share then tells the earlier weights (``was``).

Source:
    weighted rendezvous hashing as a race of exponential clocks; the bound for rules without memory,
    2d / (1 + d) for a needed share d: Bavarian, Ghazi, Haramaty, Kamath, Rivest, Sudan, "Optimality of
    Correlated Sampling Strategies", Theory of Computing 16 (2020).
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from crmsdk.errors import DefinitionError
from crmsdk.model.salt import bucket, fraction

__all__ = ["assign", "in_holdout"]

_DRAWS = 1 << 32


def assign(
    experiment: str,
    subject: str,
    arms: Mapping[str, float],
    *,
    was: Sequence[Mapping[str, float]] = (),
) -> str:
    """Give the arm of a subject.

    Args:
        experiment: The id the lots are salted with; keep it when anything else is renamed.
        subject: As a customer's id.
        arms: The weight of each arm by its name; they need not sum to anything. The name is the arm's
            identity: another name is another arm, drawn anew.
        was: Earlier weights, oldest first, when several were changed at once and nobody may move beyond the
            needed share. Without it, a change of one weight is exact, too.

    Returns:
        The name of an arm whose weight is not zero.

    Raises:
        DefinitionError: no arm, a negative or not finite weight, or all weights zero.

    >>> assign("welcome-2026", "ann", {"control": 1, "discount": 2})
    'control'
    """
    history = [_shares(weights) for weights in (*was, arms)]
    name = _race(experiment, subject, history[0])
    for change, (before, after) in enumerate(pairwise(history)):
        name = _moved(experiment, subject, name, change=change, before=before, after=after)
    return name


def in_holdout(experiment: str, subject: str, share: float) -> bool:
    """Say whether a subject is held out; who is held out at a share is so at every larger one.

    Args:
        experiment: The id the lot is salted with.
        subject: As a customer's id.
        share: 0 holds out nobody, 1 everybody; 0.1 every tenth.

    Raises:
        DefinitionError: a share outside 0 to 1.
    """
    if not 0 <= share <= 1:
        raise DefinitionError("is outside 0 to 1; give a share as 0.1", path="share")
    return bucket(experiment, subject, buckets=_DRAWS) < share * _DRAWS


def _shares(weights: Mapping[str, float]) -> dict[str, float]:
    """Give the share of each arm that may get anyone, in the order of names."""
    for name, weight in weights.items():
        if not (weight >= 0 and math.isfinite(weight)):
            raise DefinitionError("is no weight; give zero or a positive number", path=f"arms.{name}")
    largest = max(weights.values(), default=0)
    if largest <= 0:
        raise DefinitionError("needs an arm with a weight above zero", path="arms")
    # By the largest first: the sum of large weights would overflow, small ones would vanish.
    relative = {name: weights[name] / largest for name in sorted(weights)}
    total = math.fsum(relative.values())
    shares = {name: weight / total for name, weight in relative.items()}
    return {name: share for name, share in shares.items() if share > 0}  # the tiniest weights vanish here


def _race(experiment: str, subject: str, shares: Mapping[str, float]) -> str:
    return min(shares, key=lambda name: -math.log(fraction((experiment, name, subject))) / shares[name])


def _moved(
    experiment: str,
    subject: str,
    name: str,
    *,
    change: int,
    before: Mapping[str, float],
    after: Mapping[str, float],
) -> str:
    """Give the arm after a change of shares: one that shrinks lets go its loss, those that grow take it."""
    kept = after.get(name, 0.0) / before[name]
    if kept >= 1 or fraction((experiment, f"kept {change}", subject)) < kept:
        return name
    growth = {arm: gain for arm, share in after.items() if (gain := share - before.get(arm, 0.0)) > 0}
    if not growth and name in after:  # shares that differ by rounding alone: nobody needs to move
        return name
    return _race(f"{experiment} after change {change}", subject, growth or after)
