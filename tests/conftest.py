"""What every test can ask for."""

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings

pytest_plugins = ["tests.postgres"]

MEMORY = Path("/dev/shm")
# A whole run has less than 1 GiB there at a time; PostgreSQL's journals may take 1 GiB per worker.
ROOM_BYTES = 6 << 30

# A slow machine is no failure; pytest's own time limit catches what hangs.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, max_examples=1000)
settings.load_profile("default")


def pytest_configure() -> None:
    """Keep what tests write in memory, where there is room for it.

    Thousands of databases are made and dropped, and each would wait for the disk. What is killed
    here are processes, never the power, so nothing is proved by that wait.
    """
    if "TMPDIR" not in os.environ and _has_room(MEMORY):
        # For the processes that tests start, too.
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def _has_room(folder: Path) -> bool:
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        return False
    programs_can_run = not os.statvfs(folder).f_flag & os.ST_NOEXEC
    return programs_can_run and shutil.disk_usage(folder).free >= ROOM_BYTES
