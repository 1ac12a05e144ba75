"""The export of an RPKI validator on this machine."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from services.control_plane.verification.roas import NoRoaExport, RoaTable, read_roas
from shared.errors import ServiceUnavailable, StartFailed


class RoaFileUnreadable(ServiceUnavailable, StartFailed):
    """What the RPKI says is not known: the process does not start, and later refuses until it is.

    It is never taken for there being no ROA, which would let routes pass that the RPKI forbids.
    """

    def __init__(self, path: Path, why: object) -> None:
        super().__init__(
            "The ROAs of the RPKI can't be read (CADASTRE_RPKI_EXPORT_FILE); repeat when they can:"
            f" {path.name}: {why}"
        )


@dataclass(frozen=True, slots=True)
class RoaExport:
    """What a validator told, and when."""

    roas: RoaTable
    written_at: datetime


class RoaFile:
    """A file that a validator writes again and again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reading = asyncio.Lock()
        self._read: tuple[tuple[int, int, int], RoaExport] | None = None

    async def table(self) -> RoaTable:
        """The ROAs of the file as it is now.

        Raises:
            RoaFileUnreadable: it is not there, or is no export of ROAs.
        """
        return (await self.export()).roas

    async def export(self) -> RoaExport:
        """The file as it is now; read anew when it has changed.

        Raises:
            RoaFileUnreadable: it is not there, or is no export of ROAs.
        """
        # Reading hundreds of thousands takes seconds: once for all who ask, and beside the loop.
        async with self._reading:
            return await asyncio.to_thread(self._current)

    def _current(self) -> RoaExport:
        try:
            status = self._path.stat()
            version = (status.st_mtime_ns, status.st_ino, status.st_size)
            if self._read is None or self._read[0] != version:
                roas = read_roas(self._path.read_text(encoding="utf-8"))
                written_at = datetime.fromtimestamp(status.st_mtime, UTC)
                self._read = version, RoaExport(roas, written_at)
        except (OSError, UnicodeDecodeError, NoRoaExport) as error:
            raise RoaFileUnreadable(self._path, error) from error
        return self._read[1]
