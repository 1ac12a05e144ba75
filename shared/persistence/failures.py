"""What a failing database means to whoever waits for the answer."""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import errors as postgresql
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from shared.errors import Conflict, ServiceUnavailable

_LOST_TO_ANOTHER = (postgresql.SerializationFailure, postgresql.DeadlockDetected)
_BUSY_IN_SQLITE = "database is locked"


class ConcurrentModification(Conflict):
    """The database undid this transaction in favour of another one."""

    reason = "ConcurrentModification"

    def __init__(self) -> None:
        super().__init__("Another request changed the same things at once; repeat the request")


class DatabaseUnavailable(ServiceUnavailable):
    """The database can't be reached, is restarting, or is busy beyond its time limit.

    When it got lost during a commit, the change may be there all the same: repeat with the same
    client token.
    """

    def __init__(self) -> None:
        super().__init__("The database does not answer now; repeat the request later")


@contextmanager
def failures_as_refusals() -> Iterator[None]:
    """Turn the failures that pass into refusals the caller can act on; others go on as they are.

    Raises:
        ConcurrentModification: the transaction lost against another one.
        DatabaseUnavailable: the database does not answer.
    """
    try:
        yield
    except NoConnectionFree as error:
        raise DatabaseUnavailable from error
    except DBAPIError as error:
        if isinstance(error.orig, _LOST_TO_ANOTHER):
            raise ConcurrentModification from error
        if _is_outage(error):
            raise DatabaseUnavailable from error
        raise


def _is_outage(error: DBAPIError) -> bool:
    if not isinstance(error, OperationalError):
        return False
    if isinstance(error.orig, postgresql.OperationalError):
        # No SQLSTATE: the server did not answer. 08, 53, 57: connection, resources, operator.
        return (error.orig.sqlstate or "08")[:2] in {"08", "53", "57"}
    return _BUSY_IN_SQLITE in str(error.orig)
