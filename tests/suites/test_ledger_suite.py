"""The ledger suite can fail: for each of its promises there is a ledger that breaks it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from crmsdk.errors import StoreError
from crmsdk.ports import Ledger
from crmsdk.testing._ledger_play import LedgerPlay
from crmsdk.testing.ledger_suite import LedgerSuite
from tests.suites.broken_keeping import KEEPING
from tests.suites.broken_reserving import RESERVING
from tests.suites.promises import promises_of

BROKEN = {**RESERVING, **KEEPING}


def _suite_of(ledger: Callable[[], Ledger]) -> LedgerSuite:
    class Suite(LedgerSuite):
        async def open_ledger(self, folder: Path) -> Ledger:
            return ledger()

    return Suite()


CAUGHT = [(ledger, name) for ledger, names in BROKEN.items() for name in names]


@pytest.mark.parametrize(
    ("ledger", "promise"), CAUGHT, ids=[f"{ledger.__name__}-{name}" for ledger, name in CAUGHT]
)
def test_broken_ledger_is_caught(ledger: Callable[[], Ledger], promise: str, tmp_path: Path) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        getattr(_suite_of(ledger), f"test_{promise}")(tmp_path)


def test_every_promise_has_a_ledger_that_breaks_it() -> None:
    assert promises_of(LedgerSuite) == {f"test_{name}" for names in BROKEN.values() for name in names}


def test_the_random_play_alone_notices_most_faults(tmp_path: Path) -> None:
    missed = []
    for number, ledger in enumerate(BROKEN):
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            _suite_of(ledger).test_random_plays_agree_with_the_reference(folder)
        except (AssertionError, StoreError):
            continue
        missed.append(ledger.__name__)
    assert len(missed) <= len(BROKEN) // 2, missed


def test_a_test_cannot_be_replaced() -> None:
    with pytest.raises(TypeError, match="test_limit_is_reached_and_not_passed"):

        class Bent(LedgerSuite):
            def test_limit_is_reached_and_not_passed(self, tmp_path: Path) -> None:
                """Pass without looking."""


def test_the_suite_leaves_only_the_opening_to_the_adapter() -> None:
    assert LedgerPlay.__abstractmethods__ == {"open_ledger"}
