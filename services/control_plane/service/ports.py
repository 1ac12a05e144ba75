"""What the use cases and the saga need of the world; ``store`` and ``clients`` have it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from services.control_plane.ipam import Ipam
from services.control_plane.ipam_policies.policy import IpamPolicy
from services.control_plane.pool import Pool
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted
from services.control_plane.source_resource import SeenVpc

T = TypeVar("T")


class Reader(Protocol):
    async def read(self, question: Callable[[Rows], T]) -> T:
        """The answer as of one moment."""


@dataclass(frozen=True, slots=True)
class Once:
    """A request that takes effect once, however often it comes (ALLOC-7)."""

    account_id: str
    operation: str
    token: str
    """Empty: it is no repetition of any other."""
    request: Any
    """The contract's message, to tell requests apart."""


class Answer(Protocol):
    """A message of the contract."""

    def SerializeToString(self) -> bytes: ...  # noqa: N802 - protobuf's name


class Commands(Protocol):
    """Runs use cases, one transaction each.

    An answer waits for the first attempt at its steps, so that what the client does next finds the
    ledger informed (BEY-2). With the ledger down it comes all the same, and they are carried out
    later.
    """

    async def change(self, decide: Callable[[Rows], Accepted[T]], *, dry_run: bool) -> T:
        """What ``decide`` accepted, once it is committed."""

    async def create(
        self,
        decide: Callable[[Rows], Accepted[T]],
        answer: Callable[[T], Answer],
        *,
        once: Once,
        dry_run: bool,
    ) -> bytes:
        """The serialized answer to a request's first coming.

        Raises:
            IdempotentParameterMismatch: the token came with another request before.
        """

    async def tag(self, decide: Callable[[Rows], None], *, dry_run: bool) -> None:
        """Carry out what leaves nothing to be done."""


class Ledger(Protocol):
    """Where pools' CIDRs and allocations are. Every call may be repeated."""

    async def put(self, ipam: Ipam, pool: Pool, shared_with: Collection[str]) -> None:
        """Make the pool known as it is now, and the accounts that may use it (ORG-4)."""

    async def put_policy(self, policy: IpamPolicy, account_ids: Collection[str]) -> None:
        """Make the policy known as it is now, and the accounts that it applies to."""

    async def retire(self, pool: Pool, *, cascade: bool) -> None:
        """Forget the pool; with cascade, what it has is given back first."""

    async def foreign_allocations(self, ipam: Ipam, ipam_pool_ids: Sequence[str]) -> Sequence[str]:
        """Ids of what accounts other than the owner have of the IPAM's pools: some, if any."""

    async def seen_vpc(self, vpc_id: str) -> SeenVpc | None:
        """A VPC as discovery has seen it, None when it hasn't."""

    async def check_empty(self, pool: Pool) -> None:
        """The pool has no CIDRs and no allocations, so it could be retired.

        Raises:
            CadastreError: what the ledger has against it, or that it does not answer.
        """
