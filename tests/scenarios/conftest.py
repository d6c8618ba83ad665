"""What scenarios share: the stage."""

from pathlib import Path

import pytest

from tests.scenarios.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A fresh database and a clock that stands on a Monday morning."""
    return Stage(tmp_path)
