"""Many rows at once in the drivers' own words, on both databases."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from services.discovery.store.batches import insert_rows, update_rows
from services.discovery.tables import remembered
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade

COLUMNS = (remembered.c.ipam_id, remembered.c.inventory_id, remembered.c.version)
VERSIONS = sa.select(remembered.c.inventory_id, remembered.c.version).order_by(
    remembered.c.inventory_id
)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    try:
        upgrade(opened, "services.discovery")
        yield opened
    finally:
        opened.close()


def rows(count: int) -> list[tuple[str, int, int]]:
    return [("ipam-1", number, 1) for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, 5, 255, 256, 257, 700])
def test_all_rows_are_there_however_many(database: Database, count: int) -> None:
    with database.write() as connection:
        insert_rows(connection, remembered, COLUMNS, iter(rows(count)))
    with database.read() as connection:
        assert connection.execute(VERSIONS).all() == [(number, 1) for number in range(count)]


def test_a_refused_row_is_told_of_as_ever_and_leaves_none(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as connection:
        insert_rows(connection, remembered, COLUMNS, [*rows(300), *rows(1)])
    with database.write() as connection:
        assert connection.execute(VERSIONS).all() == []
        insert_rows(connection, remembered, COLUMNS, rows(1))


def test_only_the_rows_that_are_named_are_updated(database: Database) -> None:
    with database.write() as connection:
        insert_rows(connection, remembered, COLUMNS, rows(3))
        update_rows(
            connection,
            remembered,
            [remembered.c.version],
            remembered.c.inventory_id,
            [(number + 5, number) for number in (0, 2)],
        )
    with database.read() as connection:
        assert connection.execute(VERSIONS).all() == [(0, 5), (1, 1), (2, 7)]
