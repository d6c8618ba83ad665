"""What is refused before any database is asked."""

from collections.abc import Sequence

from crmsdk.errors import DefinitionError
from crmsdk.segments.conditions import Segment

__all__ = ["names_of"]


def names_of(segments: Sequence[Segment]) -> tuple[str, ...]:
    """Give the names of segments to be asked together.

    Raises:
        DefinitionError: there is none, one is no segment, or two bear one name.
    """
    for each in segments:
        if not isinstance(each, Segment):
            raise DefinitionError(
                f"{type(each).__name__} has no name; give segment('vip', ...)", path="segments"
            )
    names = tuple(each.name for each in segments)
    if not names:
        raise DefinitionError("no segment is asked for; give one or more", path="segments")
    twice = next((name for index, name in enumerate(names) if name in names[:index]), None)
    if twice is not None:
        raise DefinitionError(
            f"two segments are called {twice!r}; give each a name of its own", path="segments"
        )
    return names
