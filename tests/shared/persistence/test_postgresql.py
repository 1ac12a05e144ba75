"""Connections that may be of no use any more."""

import pytest
import sqlalchemy as sa

from shared.persistence import postgresql
from shared.persistence.database import Database
from tests.postgres import DIALECTS

pytestmark = pytest.mark.parametrize("database_url", DIALECTS[1:], indirect=True)


class Pings:
    """Counts how often a connection is tried."""

    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        dialect = database.engine.dialect
        do_ping = dialect.do_ping

        def ping(connection: object) -> bool:
            self.count += 1
            return do_ping(connection)  # type: ignore[arg-type]

        monkeypatch.setattr(dialect, "do_ping", ping)


def use(database: Database) -> int:
    """The server's process that answers."""
    with database.write() as connection:
        pid: int = connection.scalar(sa.text("SELECT pg_backend_pid()"))
        return pid


@pytest.fixture
def pings(database: Database, monkeypatch: pytest.MonkeyPatch) -> Pings:
    use(database)
    return Pings(database, monkeypatch)


def test_a_connection_in_constant_use_is_not_tried_each_time(
    database: Database, pings: Pings
) -> None:
    assert use(database) == use(database)
    assert pings.count == 0


def test_one_that_nobody_used_for_a_while_is_tried(
    database: Database, pings: Pings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "_TRUSTED_SECONDS", 0)
    used = use(database)
    assert use(database) == used
    assert pings.count == 2


def test_one_that_its_server_has_closed_is_replaced(
    database: Database, pings: Pings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "_TRUSTED_SECONDS", 1000)
    used = use(database)
    rest = Database(database.engine.url.render_as_string(hide_password=False))
    with rest.write() as connection:
        connection.execute(sa.text(f"SELECT pg_terminate_backend({used}, 10000)"))
    rest.close()
    assert use(database) != used
    assert pings.count == 1
