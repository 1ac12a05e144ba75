import asyncio
from datetime import UTC, datetime

import pytest

from cadastre.control.v1.control_service_pb2 import CreateIpamPoolRequest
from shared.errors import IdempotentParameterMismatch
from shared.persistence.client_tokens import ClientTokens, fingerprint
from shared.persistence.failures import ConcurrentModification
from tests.shared.persistence.books import Books, client_tokens, note

TOKENS = ClientTokens(client_tokens)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
USE = {"account_id": "111122223333", "operation": "CreateIpamPool", "token": "t"}
FINGERPRINT = bytes(32)


def recall(
    books: Books, use: dict[str, str] = USE, fingerprint: bytes = FINGERPRINT
) -> bytes | None:
    with books.database.write() as connection:
        return TOKENS.recall(connection, fingerprint=fingerprint, **use)


def remember(books: Books, answer: bytes) -> None:
    with books.database.write() as connection:
        TOKENS.remember(connection, fingerprint=FINGERPRINT, answer=answer, now=NOW, **USE)


def test_a_token_gets_the_first_answer_again(books: Books) -> None:  # ALLOC-7
    assert recall(books) is None
    remember(books, b"first")
    assert recall(books) == b"first"
    with books.database.read() as connection:
        assert TOKENS.recall(connection, fingerprint=FINGERPRINT, **USE) == b"first"


def test_a_token_with_other_parameters_is_refused(books: Books) -> None:  # ALLOC-7
    remember(books, b"first")
    with pytest.raises(IdempotentParameterMismatch, match="'t'"):
        recall(books, fingerprint=b"other")


@pytest.mark.parametrize(
    "changes",
    [{"account_id": "444455556666"}, {"operation": "CreateIpam"}, {"token": "u"}],
    ids=["account", "operation", "token"],
)
def test_a_token_counts_for_its_account_and_operation(
    books: Books, changes: dict[str, str]
) -> None:
    remember(books, b"first")
    assert recall(books, USE | changes) is None


async def test_concurrent_first_uses_all_get_the_answer_of_one(books: Books) -> None:  # BEY-5
    def use(answer: bytes) -> bytes:
        with books.database.write() as connection:
            if earlier := TOKENS.recall(connection, fingerprint=FINGERPRINT, **USE):
                return earlier
            note(connection, "decided")
            TOKENS.remember(connection, fingerprint=FINGERPRINT, answer=answer, now=NOW, **USE)
            return answer

    uses = (books.database.run(use, str(number).encode()) for number in range(8))
    assert len(set(await asyncio.gather(*uses))) == 1
    assert books.texts == ["decided"]


def test_without_a_recall_the_second_use_is_undone(books: Books) -> None:  # BEY-5
    remember(books, b"first")
    with pytest.raises(ConcurrentModification):
        remember(books, b"second")
    assert recall(books) == b"first"


@pytest.mark.parametrize(
    ("request_", "is_same"),
    [
        (CreateIpamPoolRequest(locale="us-east-1", client_token="a"), True),
        (CreateIpamPoolRequest(locale="us-east-1", client_token="a", dry_run=True), True),
        (CreateIpamPoolRequest(locale="us-east-1", client_token="a", dry_run=False), True),
        (CreateIpamPoolRequest(locale="us-west-2", client_token="a"), False),
        (CreateIpamPoolRequest(locale="us-east-1", client_token="a", description=""), False),
    ],
    ids=["the same", "dry run", "no dry run", "other value", "empty instead of absent"],
)
def test_a_fingerprint_is_of_the_parameters(request_: CreateIpamPoolRequest, is_same: bool) -> None:
    first = CreateIpamPoolRequest(locale="us-east-1", client_token="a")
    assert (fingerprint(first) == fingerprint(request_)) is is_same
    assert first.client_token == "a"
