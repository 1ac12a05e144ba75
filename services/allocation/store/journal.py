"""A copy of the change log beside the database, so that a restored backup is told from the present.

One folder per ledger, in it files of lines. The first line of a file says after which change it
begins, each other one holds what one transaction did to one pool.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

SEGMENT_BYTES = 64 << 20
SEGMENTS_KEPT = 8
_TAIL_BYTES = 1 << 20


class Gap(Exception):
    """The journal does not go back far enough."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the change log. ``definition`` is the pool's, as it was when this was copied."""

    sequence: int
    ipam_pool_id: str
    pool_version: int
    committed_at: str
    content: str
    definition: dict[str, Any]


class Journal:
    """Entries in order of sequence; of several processes with one folder, one writes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._owned: IO[bytes] | None = None
        self._file: IO[bytes] | None = None

    @property
    def last_sequence(self) -> int | None:
        """The last change that is written, None before anything is."""
        for segment in reversed(self._segments()):
            if entries := _last_lines(segment):
                return int(json.loads(entries[-1])["sequence"])
            return _begins_after(segment)
        return None

    def own(self) -> bool:
        """Whether this process may write now; so it may until `close`."""
        if self._owned is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = (self._folder / "lock").open("wb")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                return False
            self._owned = lock
        return True

    def begin(self, after: int) -> None:
        """Begin a file, complete from the change after this one on."""
        if self._file:
            self._file.close()
        path = self._folder / f"{after:020}.jsonl"
        self._file = path.open("ab")
        if not path.stat().st_size:
            self._write([{"begins_after": after}])
        for old in self._segments()[:-SEGMENTS_KEPT]:
            old.unlink()

    def append(self, entries: Sequence[Entry]) -> None:
        """Write what comes next. After a crash of the machine the last ones may be missing."""
        if self._file is None:
            self._resume()
        self._write([_members(entry) for entry in entries])
        if self._file and self._file.tell() > SEGMENT_BYTES:
            self.begin(entries[-1].sequence)

    def after(self, sequence: int) -> Iterator[Entry]:
        """All that is known to have come after a change.

        Raises:
            Gap: something that is not here came in between.
        """
        segments = self._segments()
        if not segments or _begins_after(segments[0]) > sequence:
            raise Gap
        for number, segment in enumerate(segments):
            following = segments[number + 1 :]
            if following and _begins_after(following[0]) <= sequence:
                continue
            for line in _lines(segment):
                if line["sequence"] > sequence:
                    yield Entry(**line)

    def close(self) -> None:
        """Let another process write."""
        try:
            if self._file:
                self._file.close()
        finally:
            if self._owned:
                self._owned.close()
            self._file = self._owned = None

    def _resume(self) -> None:
        """Go on with the last file; a line that a crash cut off goes."""
        segment = self._segments()[-1]
        content = segment.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(segment, whole)
        self._file = segment.open("ab")

    def _write(self, lines: Sequence[dict[str, Any]]) -> None:
        if self._file is None:
            raise AssertionError("no file was begun")
        self._file.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
        self._file.flush()

    def _segments(self) -> list[Path]:
        return sorted(self._folder.glob("*.jsonl"))


def _members(entry: Entry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in Entry.__slots__}


def _begins_after(segment: Path) -> int:
    return int(segment.stem)


def _lines(segment: Path) -> Iterator[dict[str, Any]]:
    with segment.open("rb") as file:
        for line in file:
            # The last one may be cut off.
            if line.endswith(b"\n") and b"begins_after" not in line[:20]:
                yield json.loads(line)


def _last_lines(segment: Path) -> list[bytes]:
    """Some whole lines at the end of a file; none if it has but its first."""
    with segment.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL_BYTES))
        lines = file.read().split(b"\n")
    # What comes before the first line end may be the rest of a line.
    return [line for line in lines[1:-1] if line]
