"""Work that goes on beside a server."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def background(*coroutines: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Work that goes on for the length of the block.

    When one of them fails, the task that opened the block is cancelled, so the service stops.

    Raises:
        ExceptionGroup: at the end of the block, with what failed.
    """
    owner = asyncio.current_task()

    def ended(task: asyncio.Task[None]) -> None:
        if owner and not task.cancelled() and task.exception():
            owner.cancel()

    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    for task in tasks:
        task.add_done_callback(ended)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        if failures := [result for result in results if isinstance(result, Exception)]:
            raise ExceptionGroup("background work failed", failures)
