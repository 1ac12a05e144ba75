"""A request on its way to its transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from services.allocation.changes import Decision, TokenKey
from services.allocation.service.rows import Rows

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Once:
    """A request that takes effect once, however often it comes (ALLOC-7)."""

    key: TokenKey
    request: Any
    """The contract's message, to tell requests apart."""


@dataclass(frozen=True, slots=True)
class Command(Generic[T]):
    """A decision to make, and what it will look at: nobody else changes that meanwhile."""

    decide: Callable[[Rows], Decision[T]]
    pools: frozenset[str]
    scopes: frozenset[str] = frozenset()
    allocations: frozenset[str] = frozenset()
    tokens: frozenset[TokenKey] = frozenset()
    once: Once | None = None
    dry_run: bool = False

    @property
    def keys(self) -> frozenset[str]:
        """Commands without a common key can be carried out at the same time."""
        return self.pools | self.scopes


class Writer(Protocol):
    """Carries commands out; those with a common key in the order in which they came."""

    async def carry_out(self, command: Command[T]) -> T:
        """The answer, once it is committed, and with ``once`` the first one.

        Raises:
            DryRunOperation: it would have been carried out, had it not been a dry run.
            IdempotentParameterMismatch: the token came with another request before.
            TokenCancelled: the token came with a cancellation before.
        """


def pools(*ipam_pool_ids: str | None) -> frozenset[str]:
    """Those that are there."""
    return frozenset(filter(None, ipam_pool_ids))
