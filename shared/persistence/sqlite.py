"""SQLite made to keep the promises of `Database`: one process, lasting commits, snapshots."""

import fcntl
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Engine, event

from shared.errors import StartFailed

_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    # Only other programs that look into the file can be in the way; ours takes turns by itself.
    "busy_timeout = 30000",
)
_READING = "sqlite_reading"


class DatabaseInUse(StartFailed):
    """Somebody else has the SQLite file."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"the database {path} is in use by another process; SQLite takes one only, use"
            " PostgreSQL to run several replicas"
        )


def own(path: Path) -> IO[bytes]:
    """Lock ``path`` for this process; the lock goes with the returned file or the process.

    Raises:
        DatabaseInUse: it is locked already.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = Path(f"{path}.lock").open("wb")  # noqa: SIM115 - held until the database is closed
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise DatabaseInUse(path) from None
    return file


def prepare(engine: Engine) -> Engine:
    """Set ``engine`` up for writing transactions; returned is one for reading, on its connections.

    Transactions begin where we say: the driver would begin them at the first change only, and DDL
    without any. Writing ones take the file at their begin, so none fails halfway because another
    one was faster.
    """

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        is_reading = _READING in connection.get_execution_options()
        if connection.info.get(_READING) is not is_reading:
            connection.exec_driver_sql(f"PRAGMA query_only = {is_reading:d}")
            connection.info[_READING] = is_reading
        connection.exec_driver_sql("BEGIN DEFERRED" if is_reading else "BEGIN IMMEDIATE")

    return engine.execution_options(**{_READING: True})
