"""How much one piece of a template may do: how often it goes around, and how much it makes on its way.

A bound on the result alone would be too late: a few lines can double a text, a list or the work of a macro
again and again before anything is written. So every round of a loop, call and filter is a step, every text
and list made in between is counted by its size, and both are given once for a whole piece.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, Final, cast

from jinja2 import nodes, pass_eval_context
from jinja2.runtime import markup_join, str_join
from jinja2.visitor import NodeTransformer

__all__ = ["RESULT_MAX", "Counted", "Refused", "bounded", "bounds", "concat", "made", "spend", "vast"]

RESULT_MAX: Final = 1024 * 1024
"""The most characters one part of a message may have."""

_STEPS: Final = 100_000
_MADE: Final = 16 * RESULT_MAX
_ITEM: Final = 16  # characters that an item of a list counts as
_SHORT: Final = 100  # what is shorter is bounded by the steps


class Refused(Exception):
    """What a template did wrong, in words without values."""


class _Left:
    """What a piece may still do."""

    __slots__ = ("made", "steps")

    def __init__(self) -> None:
        self.steps, self.made = _STEPS, _MADE


_LEFT: ContextVar[_Left] = ContextVar("crmsdk.templates.left")


@contextmanager
def bounds() -> Iterator[None]:
    """Give one piece what it may do."""
    token = _LEFT.set(_Left())
    try:
        yield
    finally:
        _LEFT.reset(token)


def spend(steps: int = 1) -> None:
    """Count steps.

    Raises:
        Refused: there were too many.
    """
    left = _LEFT.get()
    left.steps -= steps
    if left.steps < 0:
        raise Refused(f"takes over {_STEPS} steps; a message has no use for that")


def made(value: Any) -> Any:
    """Count what was made on the way, and give it back.

    Raises:
        Refused: it is too much, alone or with all before it.
    """
    if isinstance(value, str):
        size = len(value)
    elif isinstance(value, list | tuple):
        size = _ITEM * len(value)
    else:
        return value
    if size > _SHORT:
        left = _LEFT.get()
        left.made -= size
        if size > RESULT_MAX or left.made < 0:
            raise vast()
    return value


def vast() -> Refused:
    """Say that a text is too long."""
    return Refused(f"makes over {RESULT_MAX} characters; shorten it")


def weighed(value: object) -> int:
    """Measure a value as it would be written out, items that occur twice twice.

    Raises:
        Refused: it is longer than any part of a message.
    """
    total, waiting = 0, [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            total += len(one)
            waiting += (*one.keys(), *one.values())
        elif isinstance(one, list | tuple):
            total += len(one)
            if total <= RESULT_MAX:
                waiting += one
        else:
            total += len(one) if isinstance(one, str) else 1
        if total > RESULT_MAX:
            raise vast()
    return total


def concat(parts: Iterable[str]) -> str:
    """Put the pieces of a macro or a block together."""
    pieces = list(parts)
    if sum(map(len, pieces)) > RESULT_MAX:
        raise vast()
    return "".join(pieces)


def rounds(items: Iterable[Any]) -> Iterator[Any]:
    """Count the rounds of a loop."""
    for item in items:
        spend()
        yield item


@pass_eval_context
def tied(eval_ctx: nodes.EvalContext, parts: list[object]) -> str:
    """Do what ``~`` does."""
    weighed(parts)
    text: str = made((markup_join if eval_ctx.autoescape else str_join)(parts))
    return text


class Counted(NodeTransformer):
    """Rewrites a template so that loops, ``~`` and slices are counted; Jinja2 asks nobody about them."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - the visitor finds it by the name of the node
        """Count the rounds."""
        self.generic_visit(node)
        node.iter = _through("crmsdk_rounds", node.iter)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - as above
        """Make a filter of it."""
        self.generic_visit(node)
        return _through("crmsdk_tied", nodes.List(node.nodes, lineno=node.lineno))

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802 - as above
        """Count slices."""
        self.generic_visit(node)
        return _through("crmsdk_made", node) if isinstance(node.arg, nodes.Slice) else node


def _through(name: str, node: nodes.Node) -> nodes.Filter:
    return nodes.Filter(cast("nodes.Expr", node), name, [], [], None, None, lineno=node.lineno)


def bounded(name: str, filter_: Callable[..., Any]) -> Callable[..., Any]:
    """Count what a filter is given and what it makes."""
    first = 1 if hasattr(filter_, "jinja_pass_arg") else 0
    before = _BEFORE.get(name)

    @wraps(filter_)
    def counted(*args: Any, **named: Any) -> Any:
        spend()
        given = args[first:]
        for value in (*given, *named.values()) if named or len(given) > 1 else given:
            if isinstance(value, list | tuple | dict):
                weighed(value)
        if before is not None:
            args = (*args[:first], *before(given, named))
        return made(filter_(*args, **named))

    return counted


def _argument(given: tuple[Any, ...], named: Mapping[str, Any], place: int, name: str) -> Any:
    return given[place] if len(given) > place else named.get(name)


def _joining(given: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[Any, ...]:
    items = [*given[0]]
    between = _argument(given, named, 1, "d")
    if weighed(items) + len(items) * len(str(between or "")) > RESULT_MAX:
        raise vast()
    return (items, *given[1:])


def _indenting(given: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[Any, ...]:
    width = _argument(given, named, 1, "width")
    text = str(given[0])
    each = width if isinstance(width, int) else len(width) if isinstance(width, str) else 4
    if len(text) + (text.count("\n") + 1) * abs(each) > RESULT_MAX:
        raise vast()
    return given


def _wrapping(given: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[Any, ...]:
    if len(str(given[0])) * len(str(_argument(given, named, 3, "wrapstring") or "\n")) > RESULT_MAX:
        raise vast()
    return given


def _replacing(given: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[Any, ...]:
    old, new = (str(_argument(given, named, place, name)) for place, name in ((1, "old"), (2, "new")))
    if len(str(given[0])) + str(given[0]).count(old) * len(new) > RESULT_MAX:
        raise vast()
    return given


def _adding(given: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[Any, ...]:
    if not isinstance(_argument(given, named, 2, "start"), int | float | None):
        raise Refused("adds up what are no numbers; write it out")
    return given


_BEFORE: Final[Mapping[str, Callable[[tuple[Any, ...], Mapping[str, Any]], tuple[Any, ...]]]] = {
    "indent": _indenting,
    "join": _joining,
    "replace": _replacing,
    "sum": _adding,
    "wordwrap": _wrapping,
}
