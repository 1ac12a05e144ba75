"""What the use cases about public space need of the world; ``public_space_clients`` has it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.control_plane.byoip.byoip_cidr import ByoipCidr
from services.control_plane.byoip.public_cidr import PublicCidr
from services.control_plane.byoip.rpki import Rpki
from services.control_plane.verification.claim import (
    Claim,
    CoveredByAssociation,
    Proof,
    RangeClaim,
    SignedMessage,
)
from services.control_plane.verification.verdict import Verdict
from shared.cidr import Cidr


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingPoolCidr:
    """A CIDR of a top-level pool that waits for proof of control (PROV-6)."""

    ipam_pool_cidr_id: str
    ipam_pool_id: str
    ipam_id: str
    claim: RangeClaim
    proof: SignedMessage | CoveredByAssociation | str
    """A signed message, that an association covers it, or the id of a verification token."""
    requested_at: datetime


class PublicSpace(Protocol):
    """The ledger's public space. Every call may be repeated."""

    async def public_cidrs(
        self, account_id: str, region: str, cidr: Cidr | None = None
    ) -> Sequence[PublicCidr]:
        """Provisioned CIDRs of public pools that an account may use there; of them ``cidr``."""

    async def pin(self, ipam_pool_cidr_id: str, reason: str) -> None:
        """Keep a pool's CIDR from being deprovisioned.

        Raises:
            CadastreError: of kind `NotFound`, when it was deprovisioned before.
        """

    async def unpin(self, ipam_pool_cidr_id: str) -> None: ...

    async def check_free(self, cidr: Cidr, owner_id: str, region: str) -> None:
        """`register` would succeed now.

        Raises:
            CadastreError: what the ledger has against it, or that it does not answer.
        """

    async def register(self, cidr: ByoipCidr) -> None:
        """Take in a range that came without an IPAM."""

    async def unregister(self, cidr: ByoipCidr) -> None:
        """Give it up.

        Raises:
            CadastreError: DependencyViolation while something is allocated of it.
        """

    async def move(self, cidr: ByoipCidr, ipam_pool_id: str, pool_owner_id: str) -> str:
        """Give it to a pool with all that is allocated of it: the id it has there."""

    def pending_cidrs(self) -> AsyncIterator[PendingPoolCidr]:
        """Those that wait for proof of control, then those that come to wait; never ends."""

    async def conclude(self, pending: PendingPoolCidr, failure: str | None) -> None:
        """End its waiting: control is proven, or why this proof of it fails."""


class PublicIpv4Pools(Protocol):
    """The network's pools of what came without an IPAM. Every call may be repeated."""

    async def add(self, cidr: ByoipCidr, pool_id: str) -> None:
        """Make the public IPv4 pool of a range that the ledger has."""

    async def remove(self, cidr: ByoipCidr, pool_id: str) -> None:
        """Take it away.

        Raises:
            CadastreError: DependencyViolation while an elastic IP address is of it.
        """


class Verifies(Protocol):
    """Finds out from registries and the DNS whether a proof holds."""

    async def verify(self, claim: Claim, proof: Proof) -> Verdict: ...


class RpkiReader(Protocol):
    async def __call__(self) -> Rpki:
        """What the RPKI says now.

        Raises:
            ServiceUnavailable: that can't be read.
        """
