"""Open a store by its URL."""

from urllib.parse import urlsplit

from crmsdk.errors import ConfigError
from crmsdk.ports import Store
from crmsdk.stores.memory import MemoryStore
from crmsdk.stores.sqlite import SqliteStore

__all__ = ["open_store"]


def open_store(url: str) -> Store:
    """Make the store a URL names: ``sqlite:///crm.db`` or ``memory://``. Nothing is opened before its use.

    Args:
        url: ``sqlite:///`` and a path: relative as in ``sqlite:///crm.db``, absolute with a fourth slash.

    Raises:
        ConfigError: no store has such a URL.
    """
    parts = urlsplit(url)
    match parts.scheme:
        case "sqlite":
            return SqliteStore.open(url)
        case "memory" if url == "memory://":
            return MemoryStore()
        case _:
            # The URL is not repeated: that of a server would hold a password.
            raise ConfigError(
                f"no store has a URL of the kind {parts.scheme!r}; write sqlite:///crm.db or memory://"
            )
