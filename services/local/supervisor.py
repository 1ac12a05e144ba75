"""Keeps one process per service running."""

import asyncio
import ctypes
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from shared.errors import StartFailed

_FIRST_RESTART_DELAY_SECONDS = 0.1
_LAST_RESTART_DELAY_SECONDS = 5.0
_STABLE_AFTER_SECONDS = 10.0
_PR_SET_PDEATHSIG = 1


class Supervisor:
    """Starts services, restarts those that die, and stops them all.

    honcho, the usual local runner, ends everything when one process ends; here one service may be
    killed at any moment and the others go on.
    """

    def __init__(
        self, services: Sequence[str], *, environment: Mapping[str, str], run: Path
    ) -> None:
        """``run`` is the folder that gets one ``<service>.pid`` file per running service."""
        self._services, self._environment, self._run = services, dict(environment), run
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._is_up = False

    async def start(self) -> None:
        """Start every service and begin to keep it running."""
        self._run.mkdir(parents=True, exist_ok=True)
        for service in self._services:
            await self._spawn(service)
        self._keepers = [asyncio.create_task(self._keep(service)) for service in self._services]

    def mark_up(self) -> None:
        """From now on a service that ends is restarted; until now it was a failed start."""
        self._is_up = True

    async def failed(self) -> None:
        """Wait until a service can't be kept running.

        Raises:
            StartFailed: naming the service and its exit code.
        """
        await asyncio.gather(*self._keepers)

    async def stop(self) -> None:
        """Ask every service to end (SIGTERM) and wait until all have."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        living = [p for p in self._processes.values() if p.returncode is None]
        for process in living:
            process.terminate()
        await asyncio.gather(*(process.wait() for process in living))
        for service in self._services:
            self._pid_file(service).unlink(missing_ok=True)

    async def _spawn(self, service: str) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"services.{service}",
            env=self._environment,
            # Ctrl-C at the terminal is for the supervisor alone, which stops the services in order.
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )
        self._processes[service] = process
        self._pid_file(service).write_text(f"{process.pid}\n")

    async def _keep(self, service: str) -> None:
        delay = _FIRST_RESTART_DELAY_SECONDS
        while True:
            started = time.monotonic()
            code = await self._processes[service].wait()
            if not self._is_up:
                raise StartFailed(f"{service} ended with exit code {code} while starting")
            if time.monotonic() - started > _STABLE_AFTER_SECONDS:
                delay = _FIRST_RESTART_DELAY_SECONDS
            sys.stderr.write(f"{service} ended with exit code {code}; restarting it\n")
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LAST_RESTART_DELAY_SECONDS)
            await self._spawn(service)

    def _pid_file(self, service: str) -> Path:
        return self._run / f"{service}.pid"


def _end_with_parent() -> None:
    """Run in the child: a supervisor that is killed must not leave services holding the ports."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
