"""Plant one fault in a rule of segments, and see whether random worlds tell it from the oracle."""

import bisect
import inspect
import sys
import textwrap
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crmsdk.errors import CrmsdkError
from crmsdk.model import comparison
from crmsdk.model.facts import Facts
from crmsdk.segments import meaning, measuring, ratios, unfolding
from crmsdk.segments.conditions import Condition
from crmsdk.segments.verdict import RunView
from tests.unit.segments.oracle import answer, first_change

T = TypeVar("T")
World: TypeAlias = tuple[Condition, Facts, datetime, RunView | None]
Fault: TypeAlias = tuple[Callable[..., Any], str, str]
"""The function, what stands in its source, and what shall stand there."""

MODULES = (comparison, unfolding, ratios, measuring, meaning)


def drawn(strategy: st.SearchStrategy[T], number: int) -> list[T]:
    """Draw so many values, the same ones every time."""
    out: list[T] = []

    @settings(
        max_examples=number,
        phases=[Phase.generate],
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(value: T) -> None:
        out.append(value)

    collect()
    return out


def disagrees(world: World) -> bool:
    condition, facts, now, run = world
    try:
        verdict = meaning.evaluate(condition, facts, now, run=run)  # type: ignore[arg-type]  # who needs a run has one
    except CrmsdkError:
        return True  # an evaluation never raises
    if verdict.matched != answer(condition, facts, now, run):
        return True
    change = first_change(condition, facts, now, run)
    if verdict.until is None:
        return change is not None
    return verdict.until <= now or (change is not None and change < verdict.until)


def plant(monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any], right: str, wrong: str) -> None:
    """Put a faulty copy of a function wherever the segments use it."""
    source = textwrap.dedent(inspect.getsource(function))
    assert right in source, "the rule is written otherwise now; plant the fault anew"
    scope: dict[str, Any] = {}
    monkeypatch.setattr(unfolding, "bisect", bisect, raising=False)
    code = compile(source.replace(right, wrong, 1), "<fault>", "exec")
    exec(code, sys.modules[function.__module__].__dict__, scope)  # noqa: S102 - our own source, one change
    planted = scope[function.__name__]
    for module in MODULES:
        if vars(module).get(function.__name__) is function:
            monkeypatch.setattr(module, function.__name__, planted)
    if function in meaning._RELATED.values():
        related = {key: planted if each is function else each for key, each in meaning._RELATED.items()}
        monkeypatch.setattr(meaning, "_RELATED", related)
