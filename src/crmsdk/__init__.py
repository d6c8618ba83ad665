"""Lifecycle (CRM) marketing as typed Python: the face of the library.

The names below are handed on from the modules that define them, each at its first use, so that
``import crmsdk`` stays light (PEP 562). To publish a name, write it in three places, each sorted:
the import for type checkers, ``_HOMES``, and ``__all__``. ``tests/test_face.py`` holds the three equal.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from crmsdk.errors import CrmsdkError

__all__ = [
    "CrmsdkError",
]

_HOMES: Final[dict[str, str]] = {
    "CrmsdkError": "crmsdk.errors",
}
"""Where each public name lives."""

if not TYPE_CHECKING:
    # Hidden from type checkers: they would take any attribute of the package as known.

    def __getattr__(name: str) -> object:
        """Fetch a public name from its home at its first use, and keep it.

        Raises:
            AttributeError: the package has no such public name.
        """
        home = _HOMES.get(name)
        if home is None:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        value = getattr(import_module(home), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        """List the public names for completion."""
        return sorted(__all__)
