"""Fronts as processes: started by the core, and stopped with it."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from shared.errors import StartFailed
from shared.rpc.fronts.frames import Kind
from shared.rpc.fronts.hello import Hello
from shared.rpc.fronts.hosting import HostedFront

_OVERTIME_SECONDS = 5.0


class FrontEnded(StartFailed):
    """A front has ended by itself; what it had to say is in the log."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"a front process ended with {exit_code}")


@asynccontextmanager
async def front_process(
    hello: Hello, front: HostedFront
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A front that is told what to serve; at the end of the block, it is killed."""
    ours, theirs = socket.socketpair()
    with theirs:
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: front.frames, sock=ours)
        process = await _spawned(theirs.fileno())
    try:
        front.frames.send(Kind.HELLO, payload=hello.to_bytes())
        yield process
    finally:
        front.frames.close()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _spawned(link: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "shared.rpc.fronts",
        str(link),
        pass_fds=[link],
        # Ctrl-C at a terminal is for the core, which says when it is time to stop.
        start_new_session=True,
    )


async def ready(process: asyncio.subprocess.Process, front: HostedFront) -> None:
    """Wait until a front serves.

    Raises:
        FrontEnded: it could not start.
    """
    ended = asyncio.ensure_future(process.wait())
    serves = asyncio.ensure_future(front.ready.wait())
    try:
        await asyncio.wait((ended, serves), return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            raise FrontEnded(ended.result())
    finally:
        ended.cancel()
        serves.cancel()


async def drained(processes: Sequence[asyncio.subprocess.Process], grace_seconds: float) -> None:
    """Have all fronts end when they have answered what is under way, or a little after its time."""
    for process in processes:
        with suppress(ProcessLookupError):
            process.terminate()
    ended = asyncio.gather(*(process.wait() for process in processes))
    with suppress(TimeoutError):
        await asyncio.wait_for(ended, grace_seconds + _OVERTIME_SECONDS)


async def any_ended(processes: Sequence[asyncio.subprocess.Process]) -> None:
    """Wait until one of them ends.

    Raises:
        FrontEnded: always.
    """
    waits = [asyncio.ensure_future(process.wait()) for process in processes]
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        raise FrontEnded(done.pop().result())
    finally:
        for wait in waits:
            wait.cancel()
