"""Client tokens: a repeated request gets the first answer (ALLOC-7, BEY-5)."""

import hashlib
from datetime import datetime
from typing import Any

from google.protobuf.message import Message
from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    LargeBinary,
    MetaData,
    String,
    Table,
    func,
    insert,
    select,
)
from sqlalchemy.exc import IntegrityError

from shared.errors import IdempotentParameterMismatch
from shared.persistence.failures import ConcurrentModification


def client_token_table(metadata: MetaData) -> Table:
    """The table, for a context's ``tables.py``."""
    return Table("client_token", metadata, *_columns())


def create_client_token_table(op: Any) -> None:
    """The table, for a context's first migration; ``op`` is alembic's.

    Databases in use have it as it is here: a change is a new migration, not an edit.
    """
    op.create_table("client_token", *_columns())


def fingerprint(request: Message) -> bytes:
    """32 bytes that tell apart requests with different parameters under one token."""
    if _has_dry_run(request):
        # A dry run asks about the same request.
        wet = type(request)()
        wet.CopyFrom(request)
        wet.ClearField("dry_run")
        request = wet
    return hashlib.sha256(request.SerializeToString(deterministic=True)).digest()


class ClientTokens:
    """The tokens of one context.

    Two first uses of a token are never both committed: where both are under way, the second waits
    in `recall` for the first to end, and gets its answer.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def recall(
        self,
        connection: Connection,
        *,
        account_id: str,
        operation: str,
        token: str,
        fingerprint: bytes,
    ) -> bytes | None:
        """The first answer, None when the token is new.

        In a writing transaction None reserves the token until that transaction ends. One that
        recalls several does so in one order, the same for all, or two could wait for each other.

        Raises:
            IdempotentParameterMismatch: the token was used with other parameters.
        """
        _take_turns(connection, account_id, operation, token)
        columns = self._table.c
        row = connection.execute(
            select(columns.fingerprint, columns.answer).where(
                columns.account_id == account_id,
                columns.operation == operation,
                columns.token == token,
            )
        ).one_or_none()
        if row is None:
            return None
        if row.fingerprint != fingerprint:
            raise IdempotentParameterMismatch(token)
        return bytes(row.answer)

    def remember(
        self,
        connection: Connection,
        *,
        account_id: str,
        operation: str,
        token: str,
        fingerprint: bytes,
        answer: bytes,
        now: datetime,
    ) -> None:
        """Keep the first answer, in the transaction that makes it true.

        Raises:
            ConcurrentModification: the token was used without a `recall` in this transaction.
        """
        row = {
            "account_id": account_id,
            "operation": operation,
            "token": token,
            "fingerprint": fingerprint,
            "answer": answer,
            "created_at": now,
        }
        try:
            connection.execute(insert(self._table).values(**row))
        except IntegrityError as error:
            raise ConcurrentModification from error


def _has_dry_run(request: Message) -> bool:
    field = request.DESCRIPTOR.fields_by_name.get("dry_run")
    if field is None:
        return False
    return request.HasField("dry_run") if field.has_presence else bool(getattr(request, field.name))


def _take_turns(connection: Connection, *key: str) -> None:
    """Wait for other transactions with this key, so that the next statement sees what they did."""
    # SQLite's writers take turns anyway; a snapshot would not show what was waited for.
    if (
        connection.dialect.name == "sqlite"
        or "postgresql_readonly" in connection.get_execution_options()
    ):
        return
    digest = hashlib.sha256("\0".join(key).encode()).digest()
    number = int.from_bytes(digest[:8], signed=True)
    connection.execute(select(func.pg_advisory_xact_lock(number)))


def _columns() -> list[Column[Any]]:
    return [
        Column("account_id", String, primary_key=True),
        Column("operation", String, primary_key=True),
        Column("token", String, primary_key=True),
        Column("fingerprint", LargeBinary, nullable=False),
        Column("answer", LargeBinary, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False),
    ]
