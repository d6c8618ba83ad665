"""What the shell writes to the log: rarely, as fields, and nothing personal.

Everything goes to the standard library's logger ``crmsdk``, which is silent until the application configures
logging. Fields arrive as attributes of the record (``record.channel``), so structlog, a JSON formatter or
plain logging can show them. Names of journeys, steps and channels are logged, and ids that are keyed hashes;
never a customer, an address, a content, or an error's words. The timeline has the rest.
"""

import logging
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from crmsdk.journeys.person import Change, NoteKind

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger

__all__ = ["log_written", "logger"]

_PLAIN: Final = logging.getLogger("crmsdk")
_PLAIN.addHandler(logging.NullHandler())
_RESERVED: Final = frozenset(vars(logging.makeLogRecord({}))) | {"asctime", "message"}
_TOLD: Final[Mapping[NoteKind, str]] = {
    NoteKind.CONFLICT: "event arrived with another body",
    NoteKind.IN_DOUBT: "message in doubt",
    NoteKind.PARKED: "run parked",
}


@cache
def logger() -> "BoundLogger":
    """Give the library's logger; context variables bound by the application come along.

    structlog is loaded at the first call, and never configured: an unconfigured one prints.
    """
    import structlog  # noqa: PLC0415 - 120 ms, and most processes never log

    bound: BoundLogger = structlog.wrap_logger(
        _PLAIN,
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            _free_names,
            structlog.stdlib.render_to_log_kwargs,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return bound


def _free_names(_: Any, __: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """Rename what the application bound under a name that a log record has itself: logging would raise."""
    return {f"{name}_" if name in _RESERVED else name: value for name, value in event.items()}


def log_written(changes: Iterable[Change], written: Iterable[bool]) -> None:
    """Log what an operator should look at in changes of people that were written.

    Args:
        changes: As committed.
        written: For each whether it was.
    """
    for change, done in zip(changes, written, strict=True):
        for note in change.notes if done else ():
            said = _TOLD.get(note.kind)
            if said is not None:
                known = {
                    "journey": note.journey,
                    "step": note.step,
                    "enrollment": note.enrollment,
                    "message_id": note.message,
                }
                logger().warning(said, **{name: value for name, value in known.items() if value})
