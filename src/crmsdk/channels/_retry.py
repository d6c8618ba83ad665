"""The one door to tenacity: repeat an attempt after its first failure.

A call through tenacity costs more than a plain one even where nothing fails, so it is entered only once
something has.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_result, stop_after_attempt

from crmsdk.channels.pacing import Pace, RetryPolicy

T = TypeVar("T")


async def repeat(
    first: T,
    attempt: Callable[[], Awaitable[T]],
    *,
    wanted: Callable[[T], bool],
    asked: Callable[[T], timedelta | None],
    policy: RetryPolicy,
    pace: Pace,
) -> T:
    """Go on from a first result by further attempts, while they are wanted and the policy allows.

    Args:
        wanted: Whether a result asks for another attempt.
        asked: How long the provider wants to be left alone.
        policy: How often and how long.
        pace: Time and chance.

    Returns:
        The last result.
    """
    ready = [first]

    async def step() -> T:
        # Tenacity's first round gives back the attempt already made.
        return ready.pop() if ready else await attempt()

    def wait(state: RetryCallState) -> float:
        pause = policy.wait(state.attempt_number, asked=asked(_result(state)), draw=pace.draw())
        return pause.total_seconds()

    def _result(state: RetryCallState) -> T:
        assert state.outcome is not None  # noqa: S101 - tenacity calls this only after an attempt
        result: T = state.outcome.result()
        return result

    retrying = AsyncRetrying(
        retry=retry_if_result(wanted),
        stop=stop_after_attempt(policy.attempts),
        wait=wait,
        sleep=pace.sleep,
        retry_error_callback=_result,
    )
    return await retrying(step)
