"""A suite is sealed: no promise is replaced, and a deviation is declared with its reason."""

import pytest

from crmsdk.testing._sealed import SealedSuite


class OnePromise(SealedSuite):
    def test_it_holds(self) -> None:
        """A promise."""


def test_a_promise_cannot_be_replaced() -> None:
    with pytest.raises(TypeError, match="replaces test_it_holds"):
        type("Cheat", (OnePromise,), {"test_it_holds": lambda self: None})


def test_a_deviation_names_a_promise() -> None:
    with pytest.raises(TypeError, match="declares test_it_hold,"):
        type("Cheat", (OnePromise,), {"deviations": {"test_it_hold": "a slip of the pen"}})


def test_a_declared_deviation_is_expected_and_a_closed_gap_fails(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from crmsdk.testing._sealed import SealedSuite

        class Suite(SealedSuite):
            def test_broken(self):
                assert False

            def test_mended(self):
                pass

        class TestAdapter(Suite):
            deviations = {"test_broken": "known", "test_mended": "closed since"}
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(xfailed=1, failed=1)
