from pathlib import Path

import pytest

HERE = Path(__file__).parent


def test_calls_check_as_they_must() -> None:
    api = pytest.importorskip("mypy.api", reason="mypy is a tool of `make check`")
    files = sorted(str(path) for path in HERE.glob("*_calls.py"))
    out, err, status = api.run([*files, "--config-file", str(HERE.parents[1] / "pyproject.toml")])
    assert status == 0, out + err
    assert files
