"""What a feed told last, kept for a start while its service is away (POOL-9).

One file for each feed, which holds secrets: encrypted with the installation's encryption keys, and
its owner's alone to read. It is written beside the calls, in one step, and gathered: what changed
in the last second before a crash may be missing.
"""

import asyncio
import os
import struct
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Generic, TypeVar

from google.protobuf.message import DecodeError, Message
from structlog.typing import FilteringBoundLogger

from shared.encryption_keys import EncryptionKeys, Undecipherable
from shared.secret_files import SecretUnusable, read_secret_file

_GATHERED_SECONDS = 1.0

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# When it was written, in seconds since 1970; then each message, after its length in bytes.
_MOMENT, _LENGTH = struct.Struct(">q"), struct.Struct(">I")

_UNREADABLE = (SecretUnusable, Undecipherable, DecodeError, OverflowError, struct.error)

Told = TypeVar("Told", bound=Message)


class Snapshot(Generic[Told]):
    """The messages that say all there is."""

    def __init__(
        self,
        path: Path,
        message_type: type[Told],
        keys: EncryptionKeys,
        log: FilteringBoundLogger,
        *,
        clock: Callable[[], datetime],
        gathered_seconds: float = _GATHERED_SECONDS,
    ) -> None:
        """``path`` has the name of what is told, which is encrypted for nothing else."""
        self._path, self._message_type, self._keys = path, message_type, keys
        self._log = log.bind(snapshot=path.name)
        self._clock, self._gathered_seconds = clock, gathered_seconds
        self._told: Mapping[str, Told] = {}
        self._has_changed = asyncio.Event()

    def load(self) -> Sequence[Told] | None:
        """What was kept; None when nothing was, or nothing that can be read, which is logged."""
        try:
            moment, told = self._read(read_secret_file(self._path, "snapshot"))
        except _UNREADABLE as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None
            self._log.error(
                "the snapshot can't be read and is ignored",
                path=str(self._path),
                error=str(error) or type(error).__name__,
            )
            return None
        age = self._clock() - moment
        self._log.info(
            "beginning with a snapshot", count=len(told), age_seconds=round(age.total_seconds())
        )
        return told

    def keep(self, told: Mapping[str, Told]) -> None:
        """Have ``told`` be written soon, as it is then."""
        self._told = told
        self._has_changed.set()

    async def run(self) -> None:
        """Write what there is to keep, until cancelled; then the rest."""
        # One thread, so that the newest is written last.
        with ThreadPoolExecutor(max_workers=1) as thread:
            try:
                while True:
                    await self._has_changed.wait()
                    await self._write_by(thread)
                    await asyncio.sleep(self._gathered_seconds)
            finally:
                if self._has_changed.is_set():
                    await self._write_by(thread)

    async def _write_by(self, thread: ThreadPoolExecutor) -> None:
        self._has_changed.clear()
        messages = list(self._told.values())
        await asyncio.get_running_loop().run_in_executor(thread, self._write, messages)

    def _write(self, messages: Iterable[Told]) -> None:
        content = b"".join(_framed(messages, self._clock()))
        try:
            _replace(self._path, self._keys.encrypt(content, bound_to=self._purpose))
        except OSError as error:
            self._log.error("the snapshot can't be written", path=str(self._path), error=str(error))

    def _read(self, encrypted: bytes) -> tuple[datetime, Sequence[Told]]:
        content = self._keys.decrypt(encrypted, bound_to=self._purpose)
        [moment] = _MOMENT.unpack_from(content)
        messages = [self._message_type.FromString(each) for each in _unframed(content)]
        return _EPOCH + timedelta(seconds=moment), messages

    @property
    def _purpose(self) -> str:
        return f"snapshot of {self._path.name}"


def _framed(messages: Iterable[Message], moment: datetime) -> Iterator[bytes]:
    yield _MOMENT.pack(int(moment.timestamp()))
    for message in messages:
        content = message.SerializeToString()
        yield _LENGTH.pack(len(content))
        yield content


def _unframed(content: bytes) -> Iterator[bytes]:
    at = _MOMENT.size
    while at < len(content):
        [length] = _LENGTH.unpack_from(content, at)
        at += _LENGTH.size
        yield content[at : at + length]
        at += length


def _replace(path: Path, content: bytes) -> None:
    """In one step, so that whoever reads, and whenever the machine stops, there is a whole file."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Readable by its owner only.
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(fresh).replace(path)
    finally:
        Path(fresh).unlink(missing_ok=True)
