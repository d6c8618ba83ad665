"""Put the nodes of a directed graph on layers.

Source:
    K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of hierarchical system structures",
    1981 (the four steps); E. Gansner and others, "A technique for drawing directed graphs", 1993, section 2
    (short arrows as the aim of layering).
"""

from collections.abc import Sequence

__all__ = ["find_turned", "rank_nodes"]

_ROUNDS = 8


def find_turned(count: int, arrows: Sequence[tuple[int, int]]) -> list[bool]:
    """Tell which arrows must be turned round so that no cycle is left.

    A depth-first walk starts at the nodes without an arrow in, so that a loop is broken where it comes back.

    Args:
        count: Number of nodes; nodes are ``0 .. count - 1``.
        arrows: Pairs (source, target) without self-loops, in the order in which the walk takes them.

    Returns:
        One flag an arrow, in the order of ``arrows``.
    """
    leaving: list[list[int]] = [[] for _ in range(count)]
    fed = [False] * count
    for number, (source, target) in enumerate(arrows):
        leaving[source].append(number)
        fed[target] = True
    turned = [False] * len(arrows)
    unseen, open_, done = 0, 1, 2
    state = [unseen] * count
    for start in sorted(range(count), key=lambda node: fed[node]):
        if state[start] != unseen:
            continue
        state[start] = open_
        path = [(start, iter(leaving[start]))]
        while path:
            node, rest = path[-1]
            for number in rest:
                target = arrows[number][1]
                if state[target] == open_:
                    turned[number] = True
                elif state[target] == unseen:
                    state[target] = open_
                    path.append((target, iter(leaving[target])))
                    break
            else:
                state[node] = done
                path.pop()
    return turned


def rank_nodes(count: int, spans: Sequence[tuple[int, int, int]]) -> list[int]:
    """Give each node a layer so that arrows go down and are short.

    Longest path first; then nodes slide between their neighbours while the total length does not grow. Free
    nodes slide down in one half of a round and up in the other, so that whole chains can follow.

    Args:
        count: Number of nodes.
        spans: Triples (upper, lower, least distance in layers) of a graph without cycles.

    Returns:
        The layer of each node, the topmost is 0.
    """
    uppers: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    lowers: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for upper, lower, least in spans:
        uppers[lower].append((upper, least))
        lowers[upper].append((lower, least))
    order = _sort_topologically(uppers, lowers)
    rank = [0] * count
    for node in order:
        for lower, least in lowers[node]:
            rank[lower] = max(rank[lower], rank[node] + least)
    for _ in range(_ROUNDS):
        before = list(rank)
        for node in reversed(order):
            if lowers[node] and len(lowers[node]) >= len(uppers[node]):
                rank[node] = min(rank[lower] - least for lower, least in lowers[node])
        for node in order:
            if uppers[node] and len(uppers[node]) >= len(lowers[node]):
                rank[node] = max(rank[upper] + least for upper, least in uppers[node])
        if rank == before:
            break
    top = min(rank, default=0)
    return [value - top for value in rank]


def _sort_topologically(
    uppers: list[list[tuple[int, int]]], lowers: list[list[tuple[int, int]]]
) -> list[int]:
    """Order the nodes so that each stands after all its upper neighbours."""
    waiting = [len(above) for above in uppers]
    order = [node for node, above in enumerate(uppers) if not above]
    for node in order:
        for lower, _ in lowers[node]:
            waiting[lower] -= 1
            if not waiting[lower]:
                order.append(lower)
    return order
