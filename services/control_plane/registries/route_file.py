"""The internet's routes in a file of this machine, as a collector or a router tells them."""

import asyncio
import bz2
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from services.control_plane.routes.errors import NoRouteFeed
from services.control_plane.routes.mrt import HEADER_BYTES, is_mrt, read_mrt
from services.control_plane.routes.ris_whois import read_ris_whois
from services.control_plane.routes.route_table import RouteTable, RouteTableBuilder
from shared.errors import ServiceUnavailable, StartFailed

_PATIENCE_SECONDS = 5.0
"""How long who asks waits for a file that was renewed; then the former one counts still."""
_BUFFER_BYTES = 1 << 20
_GZIP, _BZIP2 = b"\x1f\x8b", b"BZh"

_Version = tuple[int, int, int]


class RouteFileUnreadable(ServiceUnavailable, StartFailed):
    """What is announced is not known: the process does not start, and later refuses until it is.

    It is never taken for there being no routes, which would let changes pass that break them.
    """

    def __init__(self, path: Path, why: object) -> None:
        super().__init__(
            "The internet's routes can't be read (CADASTRE_ROUTE_FEED_FILE); repeat when they can:"
            f" {path.name}: {why}"
        )


@dataclass(frozen=True, slots=True)
class _Read:
    version: _Version
    table: RouteTable


class RouteFile:
    """A file that somebody renews: a dump of RIPE RIS, or of a routing table in MRT.

    It may be compressed by gzip or bzip2, and each is told from the others by how it begins.
    """

    def __init__(self, path: Path, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        self._path, self._patience_seconds = path, patience_seconds
        self._read: _Read | None = None
        self._reading: asyncio.Task[RouteTable] | None = None

    async def table(self) -> RouteTable:
        """The routes of the file as it is now.

        A million takes seconds to read, and what many peers tell of them minutes: while a renewed
        file is being read, the former one's are told.

        Raises:
            RouteFileUnreadable: it is not there, or is no such file.
        """
        former = self._read
        reading = self._reading
        if reading is None or reading.done():
            reading = self._reading = asyncio.create_task(asyncio.to_thread(self._current))
        if former is None:
            return await asyncio.shield(reading)
        await asyncio.wait({reading}, timeout=self._patience_seconds)
        return reading.result() if reading.done() else former.table

    def _current(self) -> RouteTable:
        try:
            status = self._path.stat()
            version = (status.st_mtime_ns, status.st_ino, status.st_size)
            if self._read is None or self._read.version != version:
                table = read_route_file(self._path, written_at=int(status.st_mtime))
                self._read = _Read(version, table)
        except (OSError, EOFError, zlib.error, NoRouteFeed) as error:
            raise RouteFileUnreadable(self._path, error) from error
        return self._read.table


def read_route_file(path: Path, *, written_at: int) -> RouteTable:
    """All routes of a file; of a dump of RIPE RIS as of ``written_at``, in seconds since 1970.

    Raises:
        NoRouteFeed: it tells no routes, or something else.
        OSError, EOFError, zlib.error: it can't be read, or not be decompressed.
    """
    builder = RouteTableBuilder()
    with _opened(path) as file:
        start = file.peek(HEADER_BYTES)[:HEADER_BYTES]
        if is_mrt(start):
            count = read_mrt(file, builder)
        else:
            count = read_ris_whois(file, written_at, builder)
    if not count:
        # A collector that has lost its peers writes such a file.
        raise NoRouteFeed("it tells no routes")
    return RouteTable(builder)


@contextmanager
def _opened(path: Path) -> Iterator[io.BufferedReader]:
    """The file's content without compression."""
    with path.open("rb") as raw:
        start = raw.peek(len(_BZIP2))
        if start.startswith(_GZIP):
            with gzip.open(raw) as unpacked:
                yield io.BufferedReader(cast(io.RawIOBase, unpacked), _BUFFER_BYTES)
        elif start.startswith(_BZIP2):
            with bz2.open(raw) as unpacked:
                yield io.BufferedReader(cast(io.RawIOBase, unpacked), _BUFFER_BYTES)
        else:
            yield raw
