"""The eight typical segments next to the same in ibis and in polars. They are shown, and held to no bar."""

from collections.abc import Callable, Sequence
from functools import cache
from math import inf
from typing import Any, Final

from bench.frame import Bench, Side, repeated, versus
from bench.segments._shop import NOW, PEOPLE, shop
from bench.segments._shop_peers import in_ibis, in_polars
from bench.segments._shop_segments import EIGHT
from bench.segments.sets import audience

__all__ = ["PEERS", "ROWS", "peer_sides"]

_PLACES: Final = range(len(EIGHT))


@cache
def _ibis() -> Sequence[Callable[[], int]]:
    def counting(asked: Any) -> Callable[[], int]:
        return lambda: int(asked.to_pyarrow().as_py())

    return [counting(each) for each in in_ibis(shop(PEOPLE))]


@cache
def _polars() -> Sequence[Callable[[], int]]:
    def counting(asked: Any) -> Callable[[], int]:
        return lambda: int(asked.collect().item())

    return [counting(each) for each in in_polars(shop(PEOPLE))]


PEERS: Final = {"ibis 12 on DuckDB": _ibis, "polars 2.1": _polars}


def peer_sides(peer: str, places: Sequence[int] = _PLACES) -> tuple[Side, Side]:
    """Count some of the eight on both sides; the answers are the same."""

    def ours() -> list[int]:
        return [audience().count(EIGHT[place].predicate, at=NOW) for place in places]

    def theirs() -> list[int]:
        return [PEERS[peer]()[place]() for place in places]

    assert ours() == theirs()
    return repeated(ours), repeated(theirs)


def _row(name: str, peer: str, places: Sequence[int]) -> Bench:
    return versus(name, n=len(places), peer=peer, most=inf)(lambda: peer_sides(peer, places))


ROWS: Final = [
    _row(name, peer, places)
    for peer in PEERS
    for name, places in [
        *((f"sets.one: {EIGHT[place].name}", [place]) for place in _PLACES),
        ("sets.eight typical segments together", _PLACES),
    ]
]
