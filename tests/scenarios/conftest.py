"""What scenarios share: the stage, and a folder that lives in memory."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.stage import Stage

SHARED = Path("/dev/shm")  # noqa: S108 - a fresh folder inside is made by tempfile
MEMORY = SHARED if os.access(SHARED, os.W_OK) else None
"""A folder that lives in memory, where this machine has one to write to."""


@pytest.fixture
def quick_path(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: a killed process loses no page cache, so no disk is needed."""
    if MEMORY is None:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield Path(folder)


@pytest.fixture
def stage(quick_path: Path) -> Stage:
    """A fresh database and a clock that stands on a Monday morning."""
    return Stage(quick_path)
