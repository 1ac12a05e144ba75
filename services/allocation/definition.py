"""What the control plane says about a pool; the ledger decides from it alone (POOL-9)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from shared.cidr import AddressFamily

NO_LOCALE = "None"
"""The locale of a pool that no resource may use (POOL-3)."""


class ScopeType(StrEnum):
    """Whether addresses may be advertised (SCP-4)."""

    PUBLIC = "public"
    PRIVATE = "private"


class PublicIpSource(StrEnum):
    """Where a public pool's space comes from."""

    AMAZON = "amazon"
    BYOIP = "byoip"


@dataclass(frozen=True, slots=True)
class PoolDefinition:
    """A pool without what it holds. A newer one has the greater ``version``."""

    ipam_pool_id: str
    version: int
    ipam_id: str
    ipam_scope_id: str
    scope_type: ScopeType
    owner_id: str
    ipam_region: str
    address_family: AddressFamily
    locale: str
    cidr_quota: int
    source_ipam_pool_id: str | None = None
    min_netmask_length: int | None = None
    max_netmask_length: int | None = None
    default_netmask_length: int | None = None
    resource_tags: Mapping[str, str] = field(default_factory=dict)
    public_ip_source: PublicIpSource | None = None
    enable_private_gua: bool = False
    shared_with: frozenset[str] = frozenset()
    """The accounts, besides the owner, that may allocate from it (ORG-4)."""

    @property
    def identity(self) -> tuple[object, ...]:
        """What never changes about a pool."""
        return (
            self.ipam_pool_id,
            self.ipam_id,
            self.ipam_scope_id,
            self.scope_type,
            self.owner_id,
            self.ipam_region,
            self.address_family,
            self.locale,
            self.source_ipam_pool_id,
        )

    def is_managed_by(self, account_id: str, region: str) -> bool:
        """Its owner manages it, in the IPAM's home region."""
        return self.owner_id == account_id and self.ipam_region == region

    def is_used_by(self, account_id: str) -> bool:
        """Resources of the account may have space of it (POOL-5)."""
        return account_id == self.owner_id or account_id in self.shared_with

    def is_seen_by(self, account_id: str, region: str) -> bool:
        """Who uses it sees it in the home region, and where its locale is."""
        return self.is_used_by(account_id) and region in (self.ipam_region, self.locale)

    def is_overseen_by(self, account_id: str, region: str) -> bool:
        """Its owner, where it is seen, may know all that is done there (BEY-12)."""
        return account_id == self.owner_id and self.is_seen_by(account_id, region)
