"""``crmsdk version``."""

import argparse
import platform
from importlib.metadata import version

__all__ = ["execute"]


def execute(args: argparse.Namespace) -> int:  # noqa: ARG001 - the shape of all commands
    """Print the release of the library and of Python."""
    print(f"crmsdk {version('crmsdk')} on Python {platform.python_version()}")
    return 0
