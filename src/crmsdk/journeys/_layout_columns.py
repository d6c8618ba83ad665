"""Give every node of a layered graph its place from left to right.

Source:
    U. Brandes, B. Köpf, "Fast and simple horizontal coordinate assignment", 2001; the compaction is a longest
    path over blocks, which is free of the fault that the authors' erratum of 2020 describes.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeAlias

__all__ = ["place_columns"]

_Links: TypeAlias = Sequence[Sequence[int]]
_Apart: TypeAlias = Callable[[int, int], float]


def place_columns(layers: _Links, above: _Links, below: _Links, *, boxes: int, apart: _Apart) -> list[float]:
    """Find a centre for each node: long arrows straight, parents over children, nothing overlapping.

    Args:
        layers: Nodes of each layer from left to right; at least one node.
        above: For each node its neighbours on the previous layer.
        below: For each node its neighbours on the next layer.
        boxes: Nodes below this number are boxes, the others are bends of long arrows.
        apart: The least distance between the centres of two nodes side by side.

    Returns:
        The centre of each node; the values may start anywhere.
    """
    barred = _find_barred(layers, above, boxes)
    results: list[list[float]] = []
    for upward in (False, True):
        rows = [list(layer) for layer in (reversed(layers) if upward else layers)]
        behind = below if upward else above
        for mirrored in (False, True):
            view = [row[::-1] for row in rows] if mirrored else rows
            root = _align(view, behind, barred)
            centres = _compact(view, root, _mirror(apart) if mirrored else apart)
            results.append([-value for value in centres] if mirrored else centres)
    return _balance(results)


def _mirror(apart: _Apart) -> _Apart:
    """Ask for a distance with left and right exchanged."""
    return lambda left, right: apart(right, left)


def _find_barred(layers: _Links, above: _Links, boxes: int) -> set[tuple[int, int]]:
    """Find the arrows which must not be straight because they cross the middle of a long arrow."""
    barred: set[tuple[int, int]] = set()
    for upper, lower in pairwise(layers):
        place = {node: index for index, node in enumerate(upper)}
        inner = [
            (index, place[above[node][0]])
            for index, node in enumerate(lower)
            if node >= boxes and above[node] and above[node][0] >= boxes
        ]
        if not inner:
            continue
        for index, node in enumerate(lower):
            for other in above[node]:
                if node >= boxes and other >= boxes:
                    continue
                here = place[other]
                if any((index - end) * (here - begin) < 0 for end, begin in inner):
                    barred.add((other, node))
    return barred


def _align(rows: _Links, behind: _Links, barred: set[tuple[int, int]]) -> list[int]:
    """Chain each node to a median neighbour on the row before; chains do not cross.

    Returns:
        For each node the first node of its chain.
    """
    count = len(behind)
    root = list(range(count))
    place = [0] * count
    for row in rows:
        last = -1
        for node in row:
            near = sorted(behind[node], key=lambda other: place[other])
            for middle in {(len(near) - 1) // 2: None, len(near) // 2: None} if near else ():
                other = near[middle]
                free = root[node] == node and place[other] > last
                if free and (other, node) not in barred and (node, other) not in barred:
                    root[node] = root[other]
                    last = place[other]
        for index, node in enumerate(row):
            place[node] = index
    return root


def _compact(rows: _Links, root: list[int], apart: _Apart) -> list[float]:
    """Push all chains to the left, then let each return to the right as far as its neighbours allow."""
    after: dict[int, dict[int, float]] = {node: {} for node in root}
    waiting = dict.fromkeys(after, 0)
    for row in rows:
        for left, right in pairwise(row):
            links, end = after[root[left]], root[right]
            if end not in links:
                waiting[end] += 1
            links[end] = max(links.get(end, 0.0), apart(left, right))
    order = [node for node, number in waiting.items() if not number]
    at = dict.fromkeys(after, 0.0)
    for node in order:
        for end, distance in after[node].items():
            at[end] = max(at[end], at[node] + distance)
            waiting[end] -= 1
            if not waiting[end]:
                order.append(end)
    for node in reversed(order):
        if after[node]:
            at[node] = min(at[end] - distance for end, distance in after[node].items())
    return [at[first] for first in root]


def _balance(results: list[list[float]]) -> list[float]:
    """Shift the four results onto the narrowest and take the mean of the two middle values of each node.

    An order statistic keeps every distance which all four results keep.
    """
    narrowest = min(results, key=lambda result: max(result) - min(result))
    low, high = min(narrowest), max(narrowest)
    shifts = [
        (high - max(result)) if number % 2 else (low - min(result)) for number, result in enumerate(results)
    ]
    moved = [[value + shift for value in result] for result, shift in zip(results, shifts, strict=True)]
    return [sum(sorted(values)[1:3]) / 2 for values in zip(*moved, strict=True)]
