"""What the use cases need of the database about what is brought along, within one transaction."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from services.control_plane.byoip.byoasn import Byoasn
from services.control_plane.byoip.byoip_cidr import ByoipCidr
from services.control_plane.byoip.pool_range import PoolRange
from services.control_plane.byoip.token import VerificationToken
from services.control_plane.verification.roas import Roa
from shared.caller import Caller
from shared.cidr import Cidr


class ByoipRows(Protocol):
    """The rows of verification tokens, ASNs and CIDRs.

    Tokens and ASNs are under their IPAM's lock. A CIDR's row is its own lock, taken after any
    IPAM's; so that a pool's CIDR gets one row only, its IPAM is held while it gets it.
    """

    def token(self, token_id: str) -> VerificationToken | None: ...

    def token_count(self, ipam_id: str) -> int: ...

    def add_token(self, token: VerificationToken) -> None: ...

    def save_token(self, token: VerificationToken) -> None: ...

    def remove_token(self, token_id: str) -> None: ...

    def visible_tokens(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, VerificationToken]]:
        """The caller's in this region, oldest first, each with its key for paging.

        Without ``ids``, all; beginning after the key ``after``.
        """

    def byoasn(self, byoasn_id: str) -> Byoasn | None: ...

    def byoasns(self, ipam_id: str) -> Sequence[Byoasn]:
        """All of an IPAM, those that ended included, oldest first."""

    def holder_of(self, asn: int) -> Byoasn | None:
        """The one, of all IPAMs, of which the ASN is proven."""

    def add_byoasn(self, byoasn: Byoasn) -> None: ...

    def save_byoasn(self, byoasn: Byoasn) -> None:
        """Save it.

        Raises:
            ConcurrentModification: another IPAM's was proven at the same time.
        """

    def visible_byoasns(
        self, caller: Caller, *, ended_after: datetime, after: str | None
    ) -> Iterator[tuple[str, Byoasn]]:
        """The caller's in this region, oldest first, each with its key for paging.

        Without those that ended before ``ended_after``.
        """

    def unproven_byoasns(self) -> Sequence[Byoasn]:
        """Every account's that wait to be verified, oldest first."""

    def prune_byoasns(self, ended_before: datetime) -> None:
        """Remove those that failed or were deprovisioned before."""

    def prune_failed_ranges(self, failed_before: datetime) -> None:
        """Remove ranges without an IPAM that failed to be provisioned before."""

    def cidr(self, byoip_cidr_id: str, *, lock: bool) -> ByoipCidr | None: ...

    def cidr_of_pool(self, ipam_pool_cidr_id: str, *, lock: bool) -> ByoipCidr | None: ...

    def cidrs_of_pools(self, ipam_pool_cidr_ids: Collection[str]) -> Mapping[str, ByoipCidr]:
        """By the id that the ledger gave them; what nothing is told of is left out."""

    def range_of(self, owner_id: str, cidr: Cidr, *, lock: bool) -> ByoipCidr | None:
        """What an account brought along without an IPAM, or what is left of it."""

    def ranges_in(self, owner_id: str, region: str) -> Sequence[ByoipCidr]:
        """All that an account brought to a region without an IPAM, or what is left of it."""

    def ranges_of(self, owner_ids: Collection[str], region: str) -> Sequence[ByoipCidr]:
        """All that these accounts brought to a region without an IPAM, or what is left of it."""

    def advertised_cidrs(self) -> Sequence[ByoipCidr]:
        """Every account's, of pools and without an IPAM, that are advertised."""

    def pool_ranges(self, ipam_id: str) -> Collection[PoolRange]:
        """What was brought to an IPAM's pools, under its lock, as far as that is kept."""

    def save_pool_ranges(self, ipam_id: str, ranges: Collection[PoolRange]) -> None:
        """Keep these instead."""

    def published_roas(self) -> Sequence[Roa]:
        """The ROAs that all associations with internet registries publish."""

    def unproven_ranges(self) -> Sequence[ByoipCidr]:
        """Every account's that wait to be verified, oldest first."""

    def associated_with(self, asn: int) -> Sequence[Cidr]:
        """The CIDRs that an ASN may originate, in order of address."""

    def save_cidr(self, cidr: ByoipCidr) -> None:
        """Add it, or change what it is, with its associations.

        Raises:
            ConcurrentModification: the same was added at the same time.
        """

    def remove_cidr(self, byoip_cidr_id: str) -> None:
        """Remove it, with its associations."""

    def staying_cidrs(self) -> Sequence[ByoipCidr]:
        """CIDRs of pools that are advertised, or associated with an ASN."""

    def rested_cidrs(self) -> Sequence[ByoipCidr]:
        """CIDRs of pools that only tell when an own ASN last took over."""

    def remove_of_ipam(self, ipam_id: str) -> None:
        """Remove an IPAM's tokens and ASNs, and what is kept of its pools' ranges."""
