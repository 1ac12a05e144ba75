"""The adjustable quotas of this context (requirements.md section 14)."""

from collections.abc import Mapping
from typing import Annotated, Self, TypeAlias

from pydantic import model_validator

from services.control_plane.amazon_blocks import AmazonBlockQuota
from shared.cidr import AddressFamily
from shared.quotas import AccountQuotas, Quota, QuotaOfAny, QuotaOfTwoOrMore, quota, within

IPAMS_PER_REGION = 1
"""Not adjustable, and what the database's own constraint says (IPAM-2)."""


AMAZON_IPV6_MAX_NETMASK_LENGTH = 52
"""Of the narrowest IPv6 block of Amazon's (PROV-4)."""

Ipv4Length: TypeAlias = Annotated[Quota, within(16, 32)]
Ipv6Length: TypeAlias = Annotated[Quota, within(40, AMAZON_IPV6_MAX_NETMASK_LENGTH)]


class Quotas(AccountQuotas):
    """Those that this context keeps."""

    scopes_per_ipam: QuotaOfTwoOrMore = quota(5)
    """Default scopes included, so at least those two."""
    pools_per_scope: Quota = quota(50)
    pool_depth: Quota = quota(10)
    discovery_associations_per_ipam: Quota = quota(5)
    """The default one included, as in an IPAM's ResourceDiscoveryAssociationCount."""
    ou_exclusions_per_discovery: QuotaOfAny = quota(10)
    policies_per_ipam: QuotaOfAny = quota(10)
    targets_per_policy: QuotaOfAny = quota(100)
    policy_rules_per_locale: QuotaOfAny = quota(10)
    """Allocation rules of an IPAM policy for one type of resource in one locale."""
    internet_registry_associations_per_ipam: QuotaOfAny = quota(5)
    routing_policy_registrations_per_association: QuotaOfAny = quota(1000)
    """CIDRs that an association with an internet registry may register."""
    byoasns_per_ipam: QuotaOfAny = quota(5)
    byoip_ranges_per_region: QuotaOfAny = quota(5)
    """Ranges that an account may have there that came without an IPAM."""
    amazon_ipv4_blocks: QuotaOfAny = quota(2)
    """Contiguous public IPv4 blocks of Amazon's that an account may have in a region."""
    amazon_ipv4_min_netmask_length: Ipv4Length = quota(29)
    amazon_ipv4_max_netmask_length: Ipv4Length = quota(30)
    amazon_ipv6_blocks: QuotaOfAny = quota(1)
    """IPv6 blocks of Amazon's that an account may have in a region."""
    amazon_ipv6_min_netmask_length: Ipv6Length = quota(AMAZON_IPV6_MAX_NETMASK_LENGTH)
    cidrs_per_pool: Quota = quota(50)
    """Enforced by the ledger, which is told with each pool's definition."""

    @model_validator(mode="after")
    def _lengths_are_in_order(self) -> Self:
        shortest, longest = self.amazon_ipv4_min_netmask_length, self.amazon_ipv4_max_netmask_length
        for account_id in {*shortest.root, *longest.root}:
            if shortest.of(account_id) > longest.of(account_id):
                raise ValueError(
                    "CADASTRE_QUOTA_AMAZON_IPV4_MIN_NETMASK_LENGTH is more than"
                    " CADASTRE_QUOTA_AMAZON_IPV4_MAX_NETMASK_LENGTH"
                    f" for '{account_id}'; no block could be had"
                )
        return self

    def amazon_blocks_of(self, account_id: str) -> Mapping[AddressFamily, AmazonBlockQuota]:
        """What an account may have of Amazon's space; enforced by the ledger as well."""
        return {
            AddressFamily.IPV4: AmazonBlockQuota(
                self.amazon_ipv4_blocks.of(account_id),
                self.amazon_ipv4_min_netmask_length.of(account_id),
                self.amazon_ipv4_max_netmask_length.of(account_id),
            ),
            AddressFamily.IPV6: AmazonBlockQuota(
                self.amazon_ipv6_blocks.of(account_id),
                self.amazon_ipv6_min_netmask_length.of(account_id),
                AMAZON_IPV6_MAX_NETMASK_LENGTH,
            ),
        }
