"""A service in a process of its own, as it runs in use, so that it can be killed."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.settings import Context, Settings
from tests.waiting import PATIENCE_SECONDS

REPOSITORY = Path(__file__).parents[1]


class ServiceProcess:
    """``python -m <module>``, started any number of times; what it says is in a file."""

    def __init__(
        self,
        context: Context,
        settings: Settings,
        *,
        module: str = "",
        fail_point: str = "",
        log_level: str = "warning",
    ) -> None:
        """``settings`` has a port of its own. ``module`` takes the place of the context's own."""
        self.address = settings.address_of(context)
        self._module = module or f"services.{context}"
        self._log = settings.data / f"{context}-{settings.port}.log"
        self._environment = {
            **os.environ,
            "CADASTRE_DATA": str(settings.data),
            "CADASTRE_PORT": str(settings.port),
            "CADASTRE_DATABASE_URL": settings.database_url,
            "CADASTRE_ADDRESSES": json.dumps(settings.addresses),
            "CADASTRE_FRONTS": json.dumps(settings.fronts),
            "CADASTRE_LOG_LEVEL": log_level,
            "CADASTRE_FAIL_POINT": fail_point,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """All it has said."""
        return self._log.read_text()

    @property
    def is_alive(self) -> bool:
        """It was started, and neither killed nor ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The number of the process that runs."""
        assert self._process
        return self._process.pid

    def start(self) -> None:
        """Come back at once; it may serve some time later."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._module],
                env=self._environment,
                cwd=REPOSITORY,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """As by kill -9; gone when this comes back."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def wait(self) -> int:
        """How it ended: its exit code, or the number of a signal, negative."""
        assert self._process
        return self._process.wait(PATIENCE_SECONDS)

    @contextmanager
    def running(self) -> Iterator["ServiceProcess"]:
        """For the length of the block, unless it ends by itself."""
        self.start()
        try:
            yield self
        finally:
            self.kill()
