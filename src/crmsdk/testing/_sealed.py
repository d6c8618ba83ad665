"""Sealed suites: whoever runs one may not replace a test, only declare with a reason that one fails.

A declared deviation is a strict expected failure: once the gap is closed, the run fails until the
declaration is taken back.
"""

from collections.abc import Mapping
from typing import ClassVar

import pytest
from typing_extensions import override

__all__ = ["SealedSuite"]


class SealedSuite:
    """The root of every exported suite.

    Attributes:
        deviations: Names of tests that are known to fail here, each with its reason.
    """

    deviations: ClassVar[Mapping[str, str]] = {}

    @override
    def __init_subclass__(cls) -> None:
        """Refuse a subclass that replaces a test, or declares a deviation that is none.

        Raises:
            TypeError: the class redefines a test of its suite, or names a test that the suite has not.
        """
        super().__init_subclass__()
        parents = [parent for parent in cls.__mro__[1:] if issubclass(parent, SealedSuite)]
        promised = {name for parent in parents for name in vars(parent) if name.startswith("test_")}
        replaced = sorted(promised & set(vars(cls)))
        if replaced:
            raise TypeError(
                f"{cls.__name__} replaces {', '.join(replaced)}; declare it in deviations instead"
            )
        unknown = sorted(set(cls.deviations) - promised - set(vars(cls)))
        if unknown:
            raise TypeError(f"{cls.__name__} declares {', '.join(unknown)}, which the suite has not")

    @pytest.fixture(autouse=True)
    def _expect_declared_failure(self, request: pytest.FixtureRequest) -> None:
        """Fail where the suite's own questions are not answered; expect a declared deviation to fail."""
        missing = [name for name in dir(self) if getattr(getattr(self, name), "__isabstractmethod__", False)]
        if missing:
            pytest.fail(f"{type(self).__name__} must define {', '.join(missing)}", pytrace=False)
        reason = self.deviations.get(getattr(request.node, "originalname", request.node.name))
        if reason is not None:
            request.node.add_marker(pytest.mark.xfail(reason=reason, strict=True))
