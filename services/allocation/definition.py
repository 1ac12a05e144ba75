"""What the control plane says about a pool; the ledger decides from it alone (POOL-9)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from shared.cidr import AddressFamily

NO_LOCALE = "None"
"""The locale of a pool that no resource may use (POOL-3)."""

PUBLIC_SPACE = "public"
"""The one address space of all public scopes."""
AMAZON_SPACES = {AddressFamily.IPV4: "amazon-ipv4", AddressFamily.IPV6: "amazon-ipv6"}
"""The pools of Amazon's own ranges (PROV-4, PROV-5)."""


class ScopeType(StrEnum):
    """Whether addresses may be advertised (SCP-4)."""

    PUBLIC = "public"
    PRIVATE = "private"


class PublicIpSource(StrEnum):
    """Where a public pool's space comes from."""

    AMAZON = "amazon"
    BYOIP = "byoip"


class AwsService(StrEnum):
    """What may use a public pool (POOL-1)."""

    EC2 = "ec2"
    GLOBAL_SERVICES = "global-services"


@dataclass(frozen=True, slots=True)
class AmazonBlockQuota:
    """How many blocks of Amazon's space an account may have, and how wide and narrow ones."""

    blocks: int
    min_netmask_length: int
    max_netmask_length: int


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
    source_resource_id: str | None = None
    """The VPC whose space it plans, and so do the pools below it (VPC-3)."""
    aws_service: AwsService | None = None
    publicly_advertisable: bool = False
    amazon_block_quota: AmazonBlockQuota | None = None
    auto_import: bool = False
    """Discovery looks for resources in it and has them taken in (MON-4)."""

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
            self.source_resource_id,
        )

    @property
    def space_id(self) -> str:
        """Where no CIDR may be in two top-level pools: a VPC, all that is public, or the scope."""
        if self.source_resource_id:
            return self.source_resource_id
        return PUBLIC_SPACE if self.is_public else self.ipam_scope_id

    @property
    def is_public(self) -> bool:
        """Its addresses may be advertised."""
        return self.scope_type is ScopeType.PUBLIC

    @property
    def is_planning(self) -> bool:
        """It has space of a VPC, for subnets of that VPC (VPC-3)."""
        return self.source_resource_id is not None

    @property
    def is_top_of_public_space(self) -> bool:
        """Its CIDRs are parts of no other pool's, and may be advertised."""
        return self.source_ipam_pool_id is None and self.space_id == PUBLIC_SPACE

    @property
    def is_brought_along(self) -> bool:
        """Control of its CIDRs has to be proven (PROV-6)."""
        return self.is_top_of_public_space and self.public_ip_source is not PublicIpSource.AMAZON

    @property
    def is_of_amazon(self) -> bool:
        """It has its CIDRs of Amazon's space directly."""
        return self.source_ipam_pool_id in AMAZON_SPACES.values()

    def as_taken_in(self) -> "PoolDefinition":
        """As the ledger has it: what is of Amazon's space is a child of the pool that has it."""
        if self.is_top_of_public_space and self.public_ip_source is PublicIpSource.AMAZON:
            return replace(self, source_ipam_pool_id=AMAZON_SPACES[self.address_family])
        return self

    def as_told(self) -> "PoolDefinition":
        """As it was before it was taken in: no pool of an IPAM has one of the system as source."""
        return replace(self, source_ipam_pool_id=None) if self.is_of_amazon else self

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
