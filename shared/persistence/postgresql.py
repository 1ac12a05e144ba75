"""PostgreSQL made to keep the promises of `Database`."""

import select
import time
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

_TRUSTED_SECONDS = 1.0
_USED_AT = "used_at"


def ping_when_in_doubt(engine: Engine) -> None:
    """Try a connection before it is used again, if the server may have gone meanwhile.

    So a server that was restarted costs a reconnect, not a failed request; and a busy connection is
    not asked each time, which would be another round trip. One whose server closed it has something
    to read; one whose server's machine is gone tells nothing, so after a while each is tried.
    """

    @event.listens_for(engine, "checkin")
    def note(_connection: Any, record: Any) -> None:
        record.info[_USED_AT] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ping(connection: Any, record: Any, _proxy: Any) -> None:
        idle_seconds = time.monotonic() - record.info.get(_USED_AT, time.monotonic())
        try:
            if idle_seconds > _TRUSTED_SECONDS or _has_something_to_read(connection):
                engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            # The others were open as long: the pool tries them no more, and connects anew.
            raise InvalidatePoolError from error


def _has_something_to_read(connection: Any) -> bool:
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
