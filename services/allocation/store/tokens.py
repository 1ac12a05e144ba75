"""Client tokens of one batch: read together, written together.

`shared.persistence.client_tokens` has one reserve a token before it is used. A batch does without:
its tokens are read in one statement, and where another batch used one meanwhile, the table's key
undoes this batch, which then finds the first answer.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.allocation.changes import TokenKey
from services.allocation.errors import TokenCancelled
from services.allocation.service.command import Once
from services.allocation.service.rows import CANCELLED, Answer, Cancellation
from services.allocation.store.bulk import BulkInsert
from services.allocation.store.driver import execute
from services.allocation.store.records import RecordTexts, record_from_json
from services.allocation.tables import client_tokens
from shared.errors import IdempotentParameterMismatch
from shared.persistence.client_tokens import fingerprint

_NO_ANSWER = b""
"""Stands in the row of a cancelled token."""
# One statement, whoever the tokens are of: a triple at a time along the table's key.
_USED_IN_SQLITE = """
SELECT used.account_id, used.operation, used.token, used.fingerprint, used.answer
FROM json_each(?) AS wanted CROSS JOIN client_token AS used
ON used.account_id = wanted.value ->> 0
    AND used.operation = wanted.value ->> 1
    AND used.token = wanted.value ->> 2
"""
_USED_IN_POSTGRESQL = """
SELECT used.account_id, used.operation, used.token, used.fingerprint, used.answer
FROM unnest(%b::text[], %b::text[], %b::text[]) AS wanted (account_id, operation, token)
JOIN client_token AS used USING (account_id, operation, token)
"""
_INSERT = BulkInsert(client_tokens)


@dataclass(frozen=True, slots=True)
class _Used:
    fingerprint: bytes
    answer: bytes


class BatchTokens:
    """What the batch's tokens were used for, in the database and in the batch itself."""

    def __init__(self, connection: sa.Connection, texts: RecordTexts | None = None) -> None:
        self._connection, self._texts = connection, texts or RecordTexts()
        self._found: Iterable[Any] = ()
        self._used: dict[TokenKey, _Used] = {}
        self._new: dict[TokenKey, _Used] = {}
        self._since_mark: list[TokenKey] = []

    def ask(self, keys: Collection[TokenKey]) -> None:
        """Look the batch's tokens up, for `read`; only these are known then."""
        wanted = [(key.owner, key.operation, key.token) for key in keys]
        if not wanted:
            return
        if self._connection.dialect.name == "sqlite":
            self._found = execute(self._connection, _USED_IN_SQLITE, (json.dumps(wanted),))
        else:
            columns = list(map(list, zip(*wanted, strict=True)))
            self._found = execute(self._connection, _USED_IN_POSTGRESQL, columns)

    def read(self) -> None:
        """Take what `ask` found."""
        for owner, operation, token, known, answer in self._found:
            self._used[TokenKey(owner, operation, token)] = _Used(bytes(known), bytes(answer))
        self._found = ()

    def answer(self, key: TokenKey) -> Answer | Cancellation | None:
        used = self._used.get(key)
        if used is None:
            return None
        return record_from_json(json.loads(used.answer)) if used.answer else CANCELLED

    def recall(self, once: Once) -> Answer | None:
        """The first answer to this very request.

        Raises:
            TokenCancelled: the token is of no use any more.
            IdempotentParameterMismatch: it was used for another request.
        """
        used = self._used.get(once.key)
        if used is None:
            return None
        if not used.answer:
            raise TokenCancelled(once.key.token)
        if used.fingerprint != fingerprint(once.request):
            raise IdempotentParameterMismatch(once.key.token)
        return record_from_json(json.loads(used.answer))

    def remember(self, once: Once, answer: Answer) -> None:
        used = _Used(fingerprint(once.request), self._texts.of(answer).encode())
        self._used[once.key] = self._new[once.key] = used
        self._since_mark.append(once.key)

    @property
    def have_more(self) -> bool:
        """Something was remembered since the last `write`."""
        return bool(self._new)

    def mark(self) -> None:
        """What is remembered from now on may have to be forgotten."""
        self._since_mark.clear()

    def forget(self) -> None:
        """Forget what was remembered since the mark."""
        for key in self._since_mark:
            del self._used[key]
            self._new.pop(key, None)
        self._since_mark.clear()

    def cancel(self, key: TokenKey, now: datetime) -> None:
        """Make a token useless, whether it was used or not."""
        self.write(now)
        row = {"fingerprint": _NO_ANSWER, "answer": _NO_ANSWER}
        if key in self._used:
            is_it = sa.and_(
                client_tokens.c.account_id == key.owner,
                client_tokens.c.operation == key.operation,
                client_tokens.c.token == key.token,
            )
            self._connection.execute(client_tokens.update().where(is_it).values(**row))
        else:
            self._insert([(key, _Used(**row))], now)
        self._used[key] = _Used(**row)

    def write(self, now: datetime) -> None:
        """Write what was remembered since."""
        if self._new:
            # In one order, or two batches with the same tokens could wait for each other.
            self._insert(sorted(self._new.items(), key=lambda item: item[0].token), now)
            self._new.clear()

    def _insert(self, items: Iterable[tuple[TokenKey, _Used]], now: datetime) -> None:
        rows: list[dict[str, Any]] = [
            {
                "account_id": key.owner,
                "operation": key.operation,
                "token": key.token,
                "fingerprint": used.fingerprint,
                "answer": used.answer,
                "created_at": now,
            }
            for key, used in items
        ]
        _INSERT.execute(self._connection, rows)
