"""Serve AWS's protocols until told to stop."""

import asyncio
import signal
import sys

import uvloop
from pydantic import ValidationError

from services.gateway.server import running
from shared import tracing
from shared.errors import StartFailed
from shared.settings import Settings
from shared.telemetry import configure_logging


def main() -> None:
    """Serve until SIGTERM or Ctrl-C. Ends the process with 1 when it can't start."""
    try:
        settings = Settings()
        configure_logging(settings.log_level)
        uvloop.run(_serve_until_told(settings))
    except ValidationError as error:
        sys.exit(f"gateway: the configuration is wrong: {error}")
    except StartFailed as error:
        sys.exit(f"gateway: {error}")


async def _serve_until_told(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with tracing.exported("gateway", flush_seconds=settings.shutdown_grace_seconds) as begin_export:
        async with running(settings):
            begin_export()
            await stop.wait()


if __name__ == "__main__":
    main()
