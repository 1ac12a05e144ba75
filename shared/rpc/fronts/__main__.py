"""A front, started by its core with the number of a socket's file descriptor."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import uvloop
from prometheus_client import generate_latest

from shared import telemetry, tracing
from shared.errors import StartFailed
from shared.rpc.fronts.forwarding import Link, forwarded
from shared.rpc.fronts.frames import Kind
from shared.rpc.server import running, settle_memory
from shared.rpc.wiring import Binding, Runtime
from shared.settings import Settings


def main() -> None:
    try:
        uvloop.run(_serve_until_told(socket.socket(fileno=int(sys.argv[1]))))
    except StartFailed as error:
        sys.exit(f"front: {error}")


async def _serve_until_told(core: socket.socket) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    # Nobody is left to answer; a front that drained would only hold on to the port.
    link = Link(lost=partial(os._exit, 1))
    await loop.create_unix_connection(lambda: link.frames, sock=core)
    hello = await link.hello
    settings = Settings.model_validate_json(hello.settings)
    telemetry.configure_logging(settings.log_level)

    @asynccontextmanager
    async def services(runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
        link.serve_figures(lambda: generate_latest(runtime.registry))
        yield forwarded(link, hello)

    grace_seconds = settings.shutdown_grace_seconds
    with tracing.exported(hello.context, flush_seconds=grace_seconds) as begin_export:
        async with running(hello.context, services, settings, shared_port=hello.port):
            begin_export()
            settle_memory()
            link.frames.send(Kind.READY)
            await stop.wait()


if __name__ == "__main__":
    main()
