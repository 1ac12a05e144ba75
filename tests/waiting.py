"""Waiting for conditions; a test never sleeps and hopes."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_SECONDS = 60.0
"""For what comes soon, but on a busy machine."""


def wait_until(condition: Callable[[], T], *, timeout_seconds: float = PATIENCE_SECONDS) -> T:
    """The first true answer of ``condition``; when time is up, an AssertionError with the last."""
    deadline = time.monotonic() + timeout_seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"still {answer!r} after {timeout_seconds} s"
        time.sleep(0.02)
    return answer


async def eventually(
    condition: Callable[[], Awaitable[T]], *, timeout_seconds: float = PATIENCE_SECONDS
) -> T:
    """The first true answer of ``condition``, asked again and again."""
    async with asyncio.timeout(timeout_seconds):
        while not (answer := await condition()):  # noqa: ASYNC110 - it may be about a process
            await asyncio.sleep(0.02)
    return answer
