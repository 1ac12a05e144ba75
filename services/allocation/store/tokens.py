"""Client tokens of one batch: read together, written together.

`shared.persistence.client_tokens` has one reserve a token before it is used. A batch does without:
its tokens are read in one statement, and where another batch used one meanwhile, the table's key
undoes this batch, which then finds the first answer.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.allocation.allocation import Allocation
from services.allocation.changes import TokenKey
from services.allocation.errors import TokenCancelled
from services.allocation.pool_cidr import PoolCidr
from services.allocation.service.command import Once
from services.allocation.service.rows import CANCELLED, Cancellation
from services.allocation.store.records import answer_from_bytes, answer_to_bytes
from services.allocation.tables import client_tokens
from shared.errors import IdempotentParameterMismatch
from shared.persistence.client_tokens import fingerprint

_NO_ANSWER = b""
"""Stands in the row of a cancelled token."""
_USED = sa.select(client_tokens.c.token, client_tokens.c.fingerprint, client_tokens.c.answer).where(
    client_tokens.c.account_id == sa.bindparam("owner"),
    client_tokens.c.operation == sa.bindparam("operation"),
    client_tokens.c.token.in_(sa.bindparam("tokens", expanding=True)),
)

Answer = Allocation | PoolCidr


@dataclass(frozen=True, slots=True)
class _Used:
    fingerprint: bytes
    answer: bytes


class BatchTokens:
    """What the batch's tokens were used for, in the database and in the batch itself."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._used: dict[TokenKey, _Used] = {}
        self._new: dict[TokenKey, _Used] = {}

    def fetch(self, keys: Collection[TokenKey]) -> None:
        """Look the batch's tokens up; only these can be asked for."""
        by_owner: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for key in keys:
            by_owner[key.owner, key.operation].append(key.token)
        # SQLite would search the whole table for triples.
        for (owner, operation), tokens in by_owner.items():
            wanted = {"owner": owner, "operation": operation, "tokens": tokens}
            for row in self._connection.execute(_USED, wanted):
                used = _Used(bytes(row.fingerprint), bytes(row.answer))
                self._used[TokenKey(owner, operation, row.token)] = used

    def answer(self, key: TokenKey) -> Answer | Cancellation | None:
        used = self._used.get(key)
        if used is None:
            return None
        return answer_from_bytes(used.answer) if used.answer else CANCELLED

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
        return answer_from_bytes(used.answer)

    def remember(self, once: Once, answer: Answer) -> None:
        used = _Used(fingerprint(once.request), answer_to_bytes(answer))
        self._used[once.key] = self._new[once.key] = used

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
        self._connection.execute(client_tokens.insert(), rows)
