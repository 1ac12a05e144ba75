"""One context's database, SQLite or PostgreSQL (design.md section 8)."""

import asyncio
import contextvars
import fcntl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import IO, Any, Literal, ParamSpec, TypeVar

import sqlalchemy
from sqlalchemy import Connection, Engine, event, make_url

from shared.errors import DryRunOperation, StartFailed

P = ParamSpec("P")
T = TypeVar("T")

_BUSY_TIMEOUT_MILLISECONDS = 30_000
_SPARE_CONNECTIONS = 4


class DatabaseInUse(StartFailed):
    """Another process has the SQLite file."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"the database {path} is in use by another process; SQLite takes one writer, use"
            " PostgreSQL to run several replicas"
        )


class Database:
    """A context's own database. Transactions run in threads, so the event loop never waits."""

    def __init__(self, url: str, *, threads: int = 8) -> None:
        """Open ``url``: ``sqlite:///path`` or ``postgresql://...``.

        Raises:
            DatabaseInUse: another process, or this one, has the SQLite file open.
        """
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            self.dialect: Literal["sqlite", "postgresql"] = "sqlite"
            self._owned: IO[bytes] | None = _own(Path(parsed.database or ""))
            # SQLite would make writers poll for their turn; within one process a lock wakes them.
            self._turn: AbstractContextManager[Any] = threading.Lock()
        else:
            self.dialect = "postgresql"
            parsed = parsed.set(drivername="postgresql+psycopg")
            self._owned, self._turn = None, nullcontext()
        self.engine: Engine = sqlalchemy.create_engine(
            parsed,
            pool_size=threads + _SPARE_CONNECTIONS,
            max_overflow=0,
            # A server that was restarted costs a reconnect, not a failed request.
            pool_pre_ping=self.dialect == "postgresql",
        )
        if self.dialect == "sqlite":
            _prepare_sqlite(self.engine)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="database")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent snapshot for the whole block. Never waits for writers."""
        options: dict[str, Any] = {"begin_with": "BEGIN"}
        if self.dialect == "postgresql":
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self.engine.connect() as plain:
            connection = plain.execution_options(**options)
            with connection.begin():
                yield connection

    @contextmanager
    def write(self, *, dry_run: bool = False) -> Iterator[Connection]:
        """One transaction: committed at a clean end of the block, undone by any exception.

        Raises:
            DryRunOperation: at a clean end of a dry run, after everything was undone.
        """
        with ExitStack() as stack:
            stack.enter_context(self._turn)
            plain = stack.enter_context(self.engine.connect())
            connection = plain.execution_options(begin_with="BEGIN IMMEDIATE")
            stack.enter_context(connection.begin())
            yield connection
            if dry_run:
                raise DryRunOperation

    async def run(self, use_case: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run blocking work in this database's threads; context variables go along."""
        call = partial(contextvars.copy_context().run, partial(use_case, *args, **kwargs))
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def close(self) -> None:
        """Wait for running work, then let go of the database."""
        self._threads.shutdown()
        self.engine.dispose()
        if self._owned:
            self._owned.close()


def _own(path: Path) -> IO[bytes]:
    """Lock ``path`` for this process; the lock goes with the returned file or the process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = Path(f"{path}.lock").open("wb")  # noqa: SIM115 - held until the database is closed
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise DatabaseInUse(path) from None
    return file


def _prepare_sqlite(engine: Engine) -> None:
    """Take transactions into our own hands: the driver begins them late and ends them at DDL."""

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            f"busy_timeout = {_BUSY_TIMEOUT_MILLISECONDS}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("begin_with", "BEGIN"))
