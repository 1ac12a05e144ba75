import asyncio
import threading
from contextlib import suppress
from contextvars import ContextVar

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from shared.errors import DryRunOperation
from shared.persistence.database import Database, DatabaseUrlRefused
from tests.shared.persistence.books import Books, note, notes, texts


def test_a_clean_end_commits(books: Books) -> None:
    with books.database.write() as connection:
        note(connection, "kept")
    assert books.texts == ["kept"]


def test_any_exception_undoes_the_transaction(books: Books) -> None:
    with suppress(KeyboardInterrupt), books.database.write() as connection:
        note(connection, "undone")
        raise KeyboardInterrupt
    assert books.texts == []


def test_a_dry_run_undoes_what_would_have_succeeded(books: Books) -> None:
    with pytest.raises(DryRunOperation), books.database.write(dry_run=True) as connection:
        note(connection, "undone")
    assert books.texts == []


def test_a_dry_run_that_fails_says_why(books: Books) -> None:
    with pytest.raises(LookupError), books.database.write(dry_run=True):
        raise LookupError


def test_a_block_that_reads_sees_one_state_while_others_write(books: Books) -> None:
    books.write("before")
    with books.database.read() as connection:
        assert texts(connection) == ["before"]
        books.write("meanwhile")
        assert texts(connection) == ["before"]
    assert books.texts == ["before", "meanwhile"]


def test_a_block_that_reads_can_not_write(books: Books) -> None:
    with pytest.raises(DBAPIError), books.database.read() as connection:
        note(connection, "refused")
    books.write("a writer is not affected by it")
    assert books.texts == ["a writer is not affected by it"]


def test_a_read_after_a_commit_sees_it(books: Books) -> None:  # BEY-2
    for number in range(20):
        books.write(str(number))
        assert books.texts[-1] == str(number)


async def test_concurrent_changes_of_one_row_are_all_kept(books: Books) -> None:
    books.write("0")

    def increment() -> None:
        with books.database.write() as connection:
            count = connection.scalar(sa.select(notes.c.text).with_for_update())
            connection.execute(sa.update(notes).values(text=str(int(count or 0) + 1)))

    await asyncio.gather(*(books.database.run(increment) for _ in range(50)))
    assert books.texts == ["50"]


async def test_blocking_work_leaves_the_event_loop_free(database: Database) -> None:
    told = threading.Event()
    waiting = asyncio.ensure_future(database.run(told.wait, timeout=20))
    asyncio.get_running_loop().call_soon(told.set)
    assert await waiting


async def test_context_variables_go_along_into_the_threads(database: Database) -> None:
    variable: ContextVar[str] = ContextVar("variable")
    variable.set("carried along")
    assert await database.run(variable.get) == "carried along"


def test_foreign_keys_are_enforced(database: Database) -> None:
    metadata = sa.MetaData()
    parents = sa.Table("parents", metadata, sa.Column("id", sa.Integer, primary_key=True))
    children = sa.Table("children", metadata, sa.Column("id", sa.ForeignKey(parents.c.id)))
    metadata.create_all(database.engine)
    with pytest.raises(sa.exc.IntegrityError), database.write() as connection:
        connection.execute(sa.insert(children).values(id=1))


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?uri=true", "mysql://host/name", "a path"],
)
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(DatabaseUrlRefused, match="postgresql://"):
        Database(url)


def test_a_refused_url_keeps_its_password() -> None:
    with pytest.raises(DatabaseUrlRefused) as refused:
        Database("mysql://user:secret@host/name")
    assert "secret" not in str(refused.value)
