"""One context's database, SQLite or PostgreSQL (design.md section 8)."""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import IO, Any, Literal, ParamSpec, TypeVar

import sqlalchemy
from sqlalchemy import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError

from shared.errors import DryRunOperation, StartFailed
from shared.persistence import postgresql, sqlite
from shared.persistence.failures import failures_as_refusals
from shared.persistence.sqlite import DatabaseInUse

__all__ = ["Database", "DatabaseInUse", "DatabaseUrlRefused"]

P = ParamSpec("P")
T = TypeVar("T")

# For code that opens a transaction outside `Database.run`, such as a writer thread of its own.
_SPARE_CONNECTIONS = 4


class DatabaseUrlRefused(StartFailed):
    """The URL names no database that this can work with."""

    def __init__(self, url: str) -> None:
        super().__init__(
            f"the database URL '{url}' is not usable; use 'sqlite:///path/to/file' or"
            " 'postgresql://user:password@host/name'"
        )


class Database:
    """A context's own database. Transactions run in threads, so the event loop never waits."""

    def __init__(self, url: str, *, threads: int = 8) -> None:
        """Open ``url``: ``sqlite:///path`` (a missing folder is made) or ``postgresql://...``.

        Raises:
            DatabaseInUse: another process, or this one, has the SQLite file open.
            DatabaseUrlRefused: another kind of database, or SQLite without a file.
        """
        parsed, self.dialect = _parsed(url)
        self._owned: IO[bytes] | None = None
        self._turn: AbstractContextManager[Any] = nullcontext()
        options: dict[str, Any] = {"pool_size": threads + _SPARE_CONNECTIONS, "max_overflow": 0}
        if self.dialect == "sqlite":
            self._owned = sqlite.own(Path(parsed.database or ""))
            # SQLite would make writers poll for their turn; within one process a lock wakes them.
            self._turn = threading.Lock()
        else:
            options |= {"isolation_level": "READ COMMITTED"}
        self.engine: Engine = sqlalchemy.create_engine(parsed, **options)
        if self.dialect == "postgresql":
            postgresql.ping_when_in_doubt(self.engine)
        self._reading = self._reading_engine()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="database")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One snapshot for the whole block, as of its first statement; nothing can be written.

        Never waits for writers, and they don't wait for it.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        with failures_as_refusals(), self._reading.begin() as connection:
            yield connection

    @contextmanager
    def write(self, *, dry_run: bool = False) -> Iterator[Connection]:
        """One transaction: committed at a clean end of the block, undone by any exception.

        Raises:
            DryRunOperation: at a clean end of a dry run, after everything was undone.
            ConcurrentModification: the database undid it in favour of another transaction.
            DatabaseUnavailable: the database does not answer.
        """
        with failures_as_refusals(), self._turn, self.engine.begin() as connection:
            yield connection
            if dry_run:
                raise DryRunOperation

    async def run(self, use_case: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run blocking work in this database's threads; context variables go along.

        Cancelling the wait does not stop the work.
        """
        call = partial(contextvars.copy_context().run, partial(use_case, *args, **kwargs))
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def close(self) -> None:
        """Wait for running work, then let go of the database."""
        self._threads.shutdown()
        self.engine.dispose()
        if self._owned:
            self._owned.close()

    def _reading_engine(self) -> Engine:
        if self.dialect == "sqlite":
            return sqlite.prepare(self.engine)
        return self.engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )


def _parsed(url: str) -> tuple[URL, Literal["sqlite", "postgresql"]]:
    try:
        parsed = make_url(url)
    except ArgumentError:
        # Only how it begins: what can't be read may hold a password anywhere.
        raise DatabaseUrlRefused(f"{url.partition(':')[0]}:...") from None
    in_memory = parsed.database in {None, "", ":memory:"} or "uri" in parsed.query
    match parsed.get_backend_name():
        case "sqlite" if not in_memory:
            return parsed, "sqlite"
        case "postgresql":
            return parsed.set(drivername="postgresql+psycopg"), "postgresql"
        case _:
            raise DatabaseUrlRefused(parsed.render_as_string(hide_password=True))
