"""Client tokens."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from services.network.service.token_rows import Once
from services.network.tables import client_tokens
from shared.persistence.client_tokens import ClientTokens, fingerprint

_TOKENS = ClientTokens(client_tokens)


class SqlTokens:
    """`TokenRows` of one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def recall(self, once: Once) -> bytes | None:
        return _TOKENS.recall(self._connection, **_key_of(once))

    def remember(self, once: Once, answer: bytes) -> None:
        now = datetime.now(UTC)
        _TOKENS.remember(self._connection, **_key_of(once), answer=answer, now=now)


def _key_of(once: Once) -> dict[str, Any]:
    return {
        "account_id": once.account_id,
        "operation": once.operation,
        "token": once.token,
        "fingerprint": fingerprint(once.request),
    }
