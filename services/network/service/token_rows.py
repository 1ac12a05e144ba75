"""What the use cases need of the database about client tokens, within one transaction."""

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Once:
    """A request with the token that its repetitions have as well (ALLOC-7)."""

    account_id: str
    operation: str
    token: str
    """Empty: it is no repetition of any other."""
    request: Any
    """The contract's message, to tell requests apart."""


class TokenRows(Protocol):
    """The client tokens that were used."""

    def recall(self, once: Once) -> bytes | None:
        """The answer to the request's first coming; None reserves the token.

        Raises:
            IdempotentParameterMismatch: the token came with another request before.
        """

    def remember(self, once: Once, answer: bytes) -> None: ...
