"""Print the exact version of every installed distribution but our own, as pip constraints.

Written by hand instead of ``pip freeze`` because a constraints file must name no address: freeze writes
``name @ file://…`` for what came from a folder.
"""

import re
from importlib.metadata import distributions

HEADER = """\
# Every version, run-time and development. Written by `make lock`; no address of a registry belongs here.
"""
# setuptools comes with a new environment on some Pythons and is nothing of ours.
OURS = {"crmsdk", "setuptools"}


def pins() -> list[str]:
    """Return one ``name==version`` for each distribution, names normalised (PEP 503) and sorted."""
    found = {
        re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower(): distribution.version
        for distribution in distributions()
    }
    return [f"{name}=={version}" for name, version in sorted(found.items()) if name not in OURS]


if __name__ == "__main__":
    print(HEADER + "\n".join(pins()))
