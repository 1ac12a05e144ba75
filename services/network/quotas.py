"""The adjustable quotas of this context (requirements.md section 14)."""

from shared.quotas import AccountQuotas, Quota, quota


class Quotas(AccountQuotas):
    """Those that this context keeps."""

    vpcs_per_region: Quota = quota(5000)
    """AWS begins with 5, which is in a test bench's way."""
    addresses_per_region: Quota = quota(5000)
    """Amazon's own elastic IP addresses; those of pools don't count. AWS begins with 5, too."""
    ipv4_cidr_blocks_per_vpc: Quota = quota(5)
    """The primary one included."""
    ipv6_cidr_blocks_per_vpc: Quota = quota(5)
    subnets_per_vpc: Quota = quota(200)
