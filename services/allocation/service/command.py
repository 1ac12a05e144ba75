"""A request on its way to its transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from services.allocation.changes import Decision, TokenKey
from services.allocation.service.rows import Rows
from shared.errors import CadastreError

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
        return self.pools | self.scopes if self.scopes else self.pools

    @property
    def weight(self) -> int:
        return 1


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """One decision of many."""

    decide: Callable[[Rows], Decision[T]]
    once: Once | None = None


@dataclass(frozen=True, slots=True)
class Batch(Generic[T]):
    """Many decisions, made one after the other with nobody else's in between (BEY-8)."""

    parts: Sequence[Part[T]]
    pools: frozenset[str]
    allocations: frozenset[str] = frozenset()
    all_or_nothing: bool = False
    dry_run: bool = False

    @property
    def scopes(self) -> frozenset[str]:
        """None: what provisions is no part of a batch."""
        return frozenset()

    @property
    def tokens(self) -> frozenset[TokenKey]:
        return frozenset(part.once.key for part in self.parts if part.once)

    @property
    def keys(self) -> frozenset[str]:
        """Batches and commands without a common key can be carried out at the same time."""
        return self.pools

    @property
    def weight(self) -> int:
        """As much as its parts would as commands."""
        return len(self.parts)


class Writer(Protocol):
    """Carries commands out; those with a common key in the order in which they came."""

    async def carry_out(self, command: Command[T]) -> T:
        """The answer, once it is committed, and with ``once`` the first one.

        Raises:
            DryRunOperation: it would have been carried out, had it not been a dry run.
            IdempotentParameterMismatch: the token came with another request before.
            TokenCancelled: the token came with a cancellation before.
        """

    async def carry_out_all(self, batch: Batch[T]) -> Sequence[T | CadastreError]:
        """For each part its answer or its refusal, once all that is to be done is committed.

        Raises:
            PartRefused: it is all or nothing, or a dry run, and a part was refused.
            DryRunOperation: every part would have been carried out.
        """


def pools(*ipam_pool_ids: str | None) -> frozenset[str]:
    """Those that are there."""
    return frozenset(filter(None, ipam_pool_ids))
