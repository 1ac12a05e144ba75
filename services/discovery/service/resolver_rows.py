"""What the use cases of prefix list resolvers need of the database.

Locks are taken in this order: client tokens, resolvers, targets; of one kind in the order of ids.
"""

import enum
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from services.discovery.resolvers.resolver import Resolver, Version
from services.discovery.resolvers.rule import Candidate
from services.discovery.resolvers.selection import Source
from services.discovery.resolvers.target import Target
from shared.caller import Caller
from shared.cidr import Cidr

T = TypeVar("T")


class StepKind(enum.StrEnum):
    """What is still to be done for a target."""

    ATTACH = "attach-prefix-list"
    SYNC = "sync-prefix-list"
    DETACH = "detach-prefix-list"


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


class ResolverRows(Protocol):
    """Resolvers."""

    def get(self, caller: Caller, resolver_id: str, *, lock: bool) -> Resolver | None:
        """One of the caller's in its region."""

    def all(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, Resolver]]:
        """The caller's in its region, or those with these ids; oldest first, each with its key."""

    def known(self, resolver_id: str) -> Resolver | None:
        """Whosever it is."""

    def locked(self, resolver_id: str) -> Resolver | None:
        """Likewise; nobody else changes it until the end of the transaction."""

    def of_ipam(self, ipam_id: str, *, lock: bool) -> Sequence[Resolver]:
        """By id."""

    def ipam_ids(self) -> Collection[str]:
        """The IPAMs that there are resolvers of."""

    def add(self, resolver: Resolver) -> None: ...

    def save(self, resolver: Resolver) -> None: ...

    def remove(self, resolver_id: str) -> None:
        """With its versions."""


class VersionRows(Protocol):
    """Versions of resolvers."""

    def cidrs(self, resolver_id: str, number: int) -> Sequence[Cidr] | None:
        """In order; None: there is no such version."""

    def all(self, resolver_id: str) -> Sequence[Version]:
        """Oldest first."""

    def add(self, resolver_id: str, number: int, cidrs: Sequence[Cidr], now: datetime) -> None: ...

    def remove(self, resolver_id: str, numbers: Collection[int]) -> None: ...


class TargetRows(Protocol):
    """Targets of resolvers."""

    def get(self, caller: Caller, target_id: str, *, lock: bool) -> Target | None:
        """One of the caller's in its region."""

    def all(
        self, caller: Caller, *, ids: Collection[str], resolver_id: str | None, after: str | None
    ) -> Iterator[tuple[str, Target]]:
        """The caller's in its region, narrowed; oldest first, each with its key."""

    def known(self, target_id: str, *, lock: bool) -> Target | None:
        """Whosever it is."""

    def of_resolver(self, resolver_id: str, *, lock: bool) -> Sequence[Target]:
        """By id."""

    def attached_without_step(self) -> Collection[str]:
        """Ids of those that have their prefix list, and that nothing is to be done for."""

    def add(self, target: Target) -> None: ...

    def save(self, target: Target) -> None: ...

    def remove(self, target_id: str) -> None: ...

    def add_step(self, kind: StepKind, target_id: str) -> None:
        """To be done after the transaction, and after what is to be done for it already."""


class Rows(Protocol):
    """The rows of one transaction."""

    @property
    def resolvers(self) -> ResolverRows: ...

    @property
    def versions(self) -> VersionRows: ...

    @property
    def targets(self) -> TargetRows: ...

    @property
    def tokens(self) -> TokenRows: ...

    def resource_cidrs(
        self, ipam_id: str, source: Source, *, with_tags: bool
    ) -> Iterator[Candidate]:
        """What resources have now in an IPAM's scope, as they are iterated; in any order."""


class Store(Protocol):
    """Runs use cases, each in one transaction."""

    async def read(self, use_case: Callable[[Rows], T]) -> T:
        """In one consistent snapshot."""

    async def write(self, use_case: Callable[[Rows], T], *, dry_run: bool = False) -> T:
        """Commit what it did; with ``dry_run`` undo it and raise DryRunOperation."""


class Answer(Protocol):
    """A message of the contract."""

    def SerializeToString(self) -> bytes: ...  # noqa: N802 - protobuf's name


async def answered_before(store: Store, once: Once) -> bytes | None:
    """The answer to a request that came before, so that it is not judged by what it did itself.

    Raises:
        IdempotentParameterMismatch: the token came with another request before.
    """
    return await store.read(lambda rows: rows.tokens.recall(once)) if once.token else None


async def write_once(
    store: Store,
    use_case: Callable[[Rows], T],
    answer: Callable[[T], Answer],
    *,
    once: Once,
    dry_run: bool,
) -> bytes:
    """The serialized answer to the request's first coming; what it asked for is done only then.

    Raises:
        IdempotentParameterMismatch: the token came with another request before.
    """

    def first_answer(rows: Rows) -> bytes:
        if once.token and (earlier := rows.tokens.recall(once)):
            return earlier
        first = answer(use_case(rows)).SerializeToString()
        if once.token:
            rows.tokens.remember(once, first)
        return first

    return await store.write(first_answer, dry_run=dry_run)
