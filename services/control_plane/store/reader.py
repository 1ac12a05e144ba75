"""Questions to the database."""

from collections.abc import Callable
from typing import TypeVar

from services.control_plane.service.rows import Rows
from services.control_plane.store.rows import SqlRows
from shared.persistence.database import Database

T = TypeVar("T")


class SqlReader:
    """Answers each question from one snapshot."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, question: Callable[[Rows], T]) -> T:
        return await self._database.run(self._answer, question)

    def _answer(self, question: Callable[[Rows], T]) -> T:
        with self._database.read() as connection:
            return question(SqlRows(connection))
