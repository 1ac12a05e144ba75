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
    insert,
    select,
)

from shared.errors import IdempotentParameterMismatch

_NOT_PART_OF_REQUEST = ("client_token", "dry_run")


def client_token_table(metadata: MetaData) -> Table:
    """The table, for a context's ``tables.py``."""
    return Table("client_token", metadata, *_columns())


def create_client_token_table(op: Any) -> None:
    """The table, for a context's migration; ``op`` is alembic's."""
    op.create_table("client_token", *_columns())


def fingerprint(request: Message) -> bytes:
    """Tells requests with different parameters apart."""
    content = type(request)()
    content.CopyFrom(request)
    for name in _NOT_PART_OF_REQUEST:
        if name in content.DESCRIPTOR.fields_by_name:
            content.ClearField(name)
    return hashlib.sha256(content.SerializeToString(deterministic=True)).digest()


class ClientTokens:
    """The tokens of one context. Two first uses of a token can't both be committed."""

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

        Raises:
            IdempotentParameterMismatch: the token was used with other parameters.
        """
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
        """Keep the first answer, in the transaction that makes it true."""
        connection.execute(
            insert(self._table).values(
                account_id=account_id,
                operation=operation,
                token=token,
                fingerprint=fingerprint,
                answer=answer,
                created_at=now,
            )
        )


def _columns() -> list[Column[Any]]:
    return [
        Column("account_id", String, primary_key=True),
        Column("operation", String, primary_key=True),
        Column("token", String, primary_key=True),
        Column("fingerprint", LargeBinary, nullable=False),
        Column("answer", LargeBinary, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False),
    ]
