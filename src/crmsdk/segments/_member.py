"""What is kept of one person whose segments are followed, and what is told of one."""

from datetime import datetime
from heapq import heappop

import attrs

from crmsdk.model.facts import Facts
from crmsdk.model.ids import CustomerId

__all__ = ["Member", "MembershipChange"]


@attrs.frozen(kw_only=True)
class MembershipChange:
    """Somebody entered or left a segment.

    Attributes:
        segment: Its name.
        customer: Who.
        entered: False for left.
        at: When it came true, UTC.
        cause: Id of the last fact taken when it came true; empty where only time had passed.
    """

    segment: str
    customer: CustomerId
    entered: bool
    at: datetime
    cause: str = ""


class Member:
    """What is kept of one person: facts that still matter, the answers, and until when they stand."""

    __slots__ = ("facts", "kept", "members", "queue", "queued", "truths", "untils")

    def __init__(self, facts: Facts, questions: int) -> None:
        self.facts = facts
        self.kept = 0  # how many facts were left after the last look at what still matters
        self.truths = bytearray(questions)
        self.untils: list[datetime | None] = [None] * questions
        self.queue: list[tuple[datetime, int]] = []  # untils by moment; one that was replaced counts no more
        self.queued: datetime | None = None  # where the person stands in everybody's queue
        self.members = 0

    def due(self) -> datetime | None:
        """Give the earliest moment at which a question must be asked again; None for never."""
        queue, untils = self.queue, self.untils
        while queue:
            until, place = queue[0]
            if untils[place] is until:
                return until
            heappop(queue)
        return None
