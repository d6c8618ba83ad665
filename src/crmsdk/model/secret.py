"""Secrets: passwords and tokens that no repr, log line or pickle shows, and that may rotate."""

from collections.abc import Callable
from typing import NoReturn, TypeAlias

import attrs

from crmsdk.errors import ConfigError

__all__ = ["Secret", "SecretSource"]


@attrs.frozen
class Secret:
    """A text that only ``reveal`` shows.

    A function as its source is asked at each use, so a rotated password is picked up at the next
    connection without a restart.

    Args:
        source: The text, or a function that gives it.
    """

    _source: str | Callable[[], str] = attrs.field(repr=False)

    @classmethod
    def of(cls, source: "SecretSource") -> "Secret":
        """Wrap a text or function; a ready Secret passes through."""
        return source if isinstance(source, Secret) else cls(source)

    def reveal(self) -> str:
        """Give the text, for the one place that sends it.

        Raises:
            ConfigError: it is empty, or not text.
        """
        text = self._source if isinstance(self._source, str) else self._source()
        if not isinstance(text, str) or not text:
            raise ConfigError("a secret is empty or not text; set it, or mend the function that fetches it")
        return text

    def __reduce__(self) -> NoReturn:  # type: ignore[explicit-override]  # typing has override from 3.12 on
        raise TypeError("a Secret is not pickled or copied; pass the settings that make it")


SecretSource: TypeAlias = str | Callable[[], str] | Secret
"""What a setting takes: the text itself, a function that fetches it anew at each use, or a ready Secret."""
