from collections.abc import Iterator

import pytest

from shared.persistence.database import Database
from tests.shared.persistence.books import Books


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def books(database: Database) -> Books:
    return Books(database, create=True)
