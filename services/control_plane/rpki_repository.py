"""The repository's directory, which rsync and a web server offer to RPKI validators.

What is published is in the database; here it is written out, by as many replicas as there are, each
into a directory of its own or all into one.
"""

import asyncio
import fcntl
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from structlog.typing import FilteringBoundLogger

from services.control_plane.delegated_rpki import rrdp
from services.control_plane.service.ports import Reader
from services.control_plane.service.routing_policy_rows import Repository

_LOOK_SECONDS = 1.0
_RRDP = "rrdp"
_NOTIFICATION = "notification.xml"
_LOCK, _INDEX = ".lock", ".published"
_NEW = ".new"
_SNAPSHOTS_STAY_SECONDS = 3600.0
"""How long who has read a notification may take to fetch its snapshot."""
_SIGNED_LAST = (".mft", ".crl")
"""They name what there is, and so come after it."""


@dataclass(frozen=True, slots=True)
class Offered:
    """Where a directory's content is offered."""

    directory: Path
    repository_uri: str
    """Of rsync; ends in a slash."""
    notification_uri: str | None
    """Of ``rrdp/notification.xml`` in the directory; None: it is offered by rsync alone."""


class RepositoryMirror:
    """Writes what is published whenever something else is."""

    def __init__(self, reader: Reader, offered: Offered, log: FilteringBoundLogger) -> None:
        self._reader, self._offered, self._log = reader, offered, log
        self._written: int | None = None

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - the mirror's edge: reported, and tried again
                self._log.error("writing the RPKI repository failed", error=repr(error))
            await asyncio.sleep(_LOOK_SECONDS)

    async def look(self) -> None:
        """Write what is published, unless it is written already."""
        serial = await self._reader.read(lambda rows: rows.routing_policies.serial())
        if serial and serial != self._written:
            self._written = await _locked(self._offered.directory, self._write)

    async def _write(self) -> int:
        # Read under the lock, so that of two who write the one who reads more is the later one.
        found = await self._reader.read(lambda rows: rows.routing_policies.repository())
        await asyncio.to_thread(write_repository, self._offered, found)
        return found.serial


def write_repository(offered: Offered, found: Repository) -> None:
    """Have the directory hold what is published, at every moment usable.

    First come new objects, then the manifests and CRLs that name them, then RRDP's files; what is
    not named any more goes at last.
    """
    directory, files = offered.directory, dict(_files_of(offered, found.objects))
    former = _read_index(directory)
    # A crash before the end leaves nothing that is not removed later.
    _write_index(directory, {*former, *files})
    for is_last in (False, True):
        for file, content in files.items():
            if file.name.endswith(_SIGNED_LAST) is is_last:
                _write(directory / file, content)
    _write_rrdp(offered, found)
    _remove(directory, former - files.keys())
    _write_index(directory, files)


def _files_of(
    offered: Offered, objects: Mapping[str, bytes]
) -> Iterator[tuple[PurePosixPath, bytes]]:
    """What is below the repository's URI; its directory is not offered elsewhere."""
    for uri, content in objects.items():
        path = PurePosixPath(uri.removeprefix(offered.repository_uri))
        if uri.startswith(offered.repository_uri) and ".." not in path.parts:
            yield path, content


def _write_rrdp(offered: Offered, found: Repository) -> None:
    """RRDP's files; snapshots that somebody may have been told of just now stay for a while."""
    if offered.notification_uri is None:
        return
    directory, session = offered.directory / _RRDP, str(found.session_id)
    place = PurePosixPath(session, str(found.serial), "snapshot.xml")
    snapshot = rrdp.snapshot(found.session_id, found.serial, found.objects)
    _write(directory / place, snapshot)
    base = offered.notification_uri.rpartition("/")[0]
    notification = rrdp.notification(found.session_id, found.serial, f"{base}/{place}", snapshot)
    _write(directory / _NOTIFICATION, notification)
    oldest = time.time() - _SNAPSHOTS_STAY_SECONDS
    for path in directory.glob("*/*/snapshot.xml"):
        if path != directory / place and path.stat().st_mtime < oldest:
            _remove(directory, [PurePosixPath(path.relative_to(directory))])


def _write(path: Path, content: bytes) -> None:
    """Whoever reads the file meanwhile finds it as it was, or as it is then."""
    with suppress(OSError):
        if path.read_bytes() == content:
            return
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}{_NEW}")
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _remove(directory: Path, files: Iterable[PurePosixPath]) -> None:
    """Remove files, and the folders that nothing is left in."""
    for file in files:
        path = directory / file
        path.unlink(missing_ok=True)
        with suppress(OSError):
            for folder in path.parents:
                if folder == directory:
                    break
                folder.rmdir()


def _read_index(directory: Path) -> set[PurePosixPath]:
    """What was written here: nothing else in the directory is ours to remove."""
    try:
        lines = (directory / _INDEX).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return set()
    return {PurePosixPath(line) for line in lines}


def _write_index(directory: Path, files: Iterable[PurePosixPath]) -> None:
    lines = "".join(f"{file}\n" for file in sorted(files))
    _write(directory / _INDEX, lines.encode())


async def _locked(directory: Path, work: Callable[[], Awaitable[int]]) -> int:
    """Do what only one may do in a directory at a time, whichever process it is of."""
    lock = await asyncio.to_thread(_lock, directory)
    try:
        return await work()
    finally:
        os.close(lock)


def _lock(directory: Path) -> int:
    directory.mkdir(parents=True, exist_ok=True)
    lock = os.open(directory / _LOCK, os.O_CREAT | os.O_RDWR, 0o644)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock
