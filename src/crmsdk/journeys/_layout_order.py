"""Order the nodes inside each layer so that few arrows cross.

Source:
    E. Gansner and others, "A technique for drawing directed graphs", 1993, section 3 (weighted median and
    adjacent exchange); W. Barth, P. Mutzel, M. Jünger, "Simple and efficient bilayer cross counting", 2004.
"""

from bisect import bisect_right, insort
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeAlias

__all__ = ["count_crossings", "order_layers"]

_SWEEPS = 12
_PATIENCE = 4
_EXCHANGES = 6

_Links: TypeAlias = Sequence[Sequence[int]]
_Weigh: TypeAlias = Callable[[list[int]], float]


def count_crossings(layers: _Links, below: _Links) -> int:
    """Count the crossings between neighbouring layers.

    Args:
        layers: Nodes of each layer from left to right.
        below: For each node its neighbours on the next layer.

    Returns:
        The number of pairs of arrows which change sides.
    """
    total = 0
    for upper, lower in pairwise(layers):
        place = {node: index for index, node in enumerate(lower)}
        seen: list[int] = []
        for node in upper:
            ends = sorted(place[other] for other in below[node])
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def order_layers(layers: _Links, above: _Links, below: _Links) -> list[list[int]]:
    """Find an order of every layer with few crossings.

    Three starts are tried (walks from the top and from the bottom, the given order), with medians and with
    means. The best one wins; among equals the walk from the top, as it keeps the order of ``below``.

    Args:
        layers: Nodes of each layer, in the order that decides ties.
        above: For each node its neighbours on the previous layer.
        below: For each node its neighbours on the next layer.

    Returns:
        The layers, each a permutation of the given one.
    """
    best = _walk(layers, below, from_top=True)
    least = count_crossings(best, below)
    for start in (best, _walk(layers, above, from_top=False), [list(layer) for layer in layers]):
        for weigh in (_median, _mean):
            if not least:
                return best
            found, crossings = _improve(start, above, below, weigh=weigh)
            if crossings < least:
                best, least = found, crossings
    return best


def _walk(layers: _Links, ahead: _Links, *, from_top: bool) -> list[list[int]]:
    """Order the layers by the moment a depth-first walk reaches each node."""
    count = sum(len(layer) for layer in layers)
    level = {node: index for index, layer in enumerate(layers) for node in layer}
    found: list[list[int]] = [[] for _ in layers]
    seen: set[int] = set()
    for layer in layers if from_top else reversed(layers):
        for start in layer:
            stack = [start]
            while stack:
                node = stack.pop()
                if node in seen:
                    continue
                seen.add(node)
                found[level[node]].append(node)
                stack.extend(reversed(ahead[node]))
        if len(seen) == count:
            break
    return found


def _improve(start: _Links, above: _Links, below: _Links, *, weigh: _Weigh) -> tuple[list[list[int]], int]:
    """Sweep down and up until nothing gets better for a while."""
    layers = [list(layer) for layer in start]
    place = [0] * len(above)
    for layer in layers:
        _number(layer, place)
    _exchange(layers, above, below, place=place)
    best, least = [list(layer) for layer in layers], count_crossings(layers, below)
    stale = 0
    for sweep in range(_SWEEPS):
        if not least or stale == _PATIENCE:
            break
        down = sweep % 2 == 0
        # Ties go left in two sweeps and right in the next two: a tie kept for ever can hide an exit.
        ties_turn = sweep % 4 > 1
        for layer in layers[1:] if down else layers[-2::-1]:
            _sort_layer(layer, above if down else below, place, weigh=weigh, ties_turn=ties_turn)
        _exchange(layers, above, below, place=place, even=ties_turn)
        crossings = count_crossings(layers, below)
        stale += 1
        if crossings < least:
            best, least, stale = [list(layer) for layer in layers], crossings, 0
    return best, least


def _number(layer: list[int], place: list[int]) -> None:
    """Write down where each node of a layer stands."""
    for index, node in enumerate(layer):
        place[node] = index


def _sort_layer(layer: list[int], fixed: _Links, place: list[int], *, weigh: _Weigh, ties_turn: bool) -> None:
    """Sort one layer by its neighbours; nodes without neighbours keep their slots."""
    movable = [node for node in layer if fixed[node]]
    if ties_turn:
        movable.reverse()
    movable.sort(key=lambda node: weigh([place[other] for other in fixed[node]]))
    rest = iter(movable)
    layer[:] = [next(rest) if fixed[node] else node for node in layer]
    _number(layer, place)


def _median(places: list[int]) -> float:
    """Weigh by the median; between the two middle ones lean to the denser side."""
    places.sort()
    middle = len(places) // 2
    if len(places) % 2:
        return places[middle]
    if len(places) == 2:  # a pair has no denser side
        return (places[0] + places[1]) / 2
    left = places[middle - 1] - places[0]
    right = places[-1] - places[middle]
    if not left + right:
        return (places[middle - 1] + places[middle]) / 2
    return (places[middle - 1] * right + places[middle] * left) / (left + right)


def _mean(places: list[int]) -> float:
    """Weigh by the mean."""
    return sum(places) / len(places)


def _exchange(
    layers: list[list[int]], above: _Links, below: _Links, *, place: list[int], even: bool = False
) -> None:
    """Exchange neighbours inside layers while that saves crossings; at first also when it is ``even``."""
    ups = [sorted(place[other] for other in links) for links in above]
    downs = [sorted(place[other] for other in links) for links in below]
    active = set(range(len(layers)))
    for round_ in range(_EXCHANGES):
        least = 0 if even and not round_ else 1
        touched: set[int] = set()
        for index in sorted(active):
            layer = layers[index]
            changed = False
            for left in range(len(layer) - 1):
                one, two = layer[left], layer[left + 1]
                if _gain(ups[one], ups[two]) + _gain(downs[one], downs[two]) >= least:
                    layer[left], layer[left + 1] = two, one
                    changed = True
            if changed:
                _number(layer, place)
                touched |= {index - 1, index, index + 1}
                for near, links, kept in ((index - 1, below, downs), (index + 1, above, ups)):
                    if 0 <= near < len(layers):
                        for node in layers[near]:
                            kept[node] = sorted(place[other] for other in links[node])
        active = {index for index in touched if 0 <= index < len(layers)}
        if not active:
            return


def _gain(left: list[int], right: list[int]) -> int:
    """Count the crossings saved when the node with ``right`` steps before the node with ``left``."""
    if not left or not right or left[-1] <= right[0]:
        return -1 if left and right and left[0] < right[-1] else 0
    return sum((one > two) - (one < two) for one in left for two in right)
