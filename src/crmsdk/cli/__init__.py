"""The command line: ``crmsdk demo | validate | simulate | preview | doctor | version``."""

from crmsdk.cli.entry import main

__all__ = ["main"]
