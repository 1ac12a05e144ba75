"""A small world, as the other contexts tell it."""

from dataclasses import replace

from services.metrics.figures import (
    Group,
    Ipam,
    IpamFigures,
    Monitored,
    PoolUsage,
    PublicAddressCount,
    ResourceCidrCount,
    Utilization,
)
from shared.cidr import AddressFamily

V4, V6 = AddressFamily.IPV4, AddressFamily.IPV6
IPAM = Ipam(
    "ipam-1", "111111111111", "us-east-1", False, ("pub", "priv"), ("us-east-1", "us-west-2")
)

QUARTER_ALLOCATED = PoolUsage(
    "pool-4",
    "priv",
    V4,
    "None",
    is_contiguous=False,
    addresses=65536,
    allocated=16384,
    assigned=8192,
    free=40000,
    cidrs=1,
    allocations=9,
    free_blocks=5,
    largest_free_block=32768,
)
CONTIGUOUS = PoolUsage(
    "pool-c",
    "pub",
    V4,
    "us-west-2",
    is_contiguous=True,
    addresses=8,
    allocated=0,
    assigned=3,
    free=5,
    cidrs=1,
    allocations=3,
    free_blocks=2,
    largest_free_block=4,
)
WITHOUT_CIDRS = PoolUsage(
    "pool-6",
    "pub",
    V6,
    "us-east-1",
    is_contiguous=False,
    addresses=0,
    allocated=0,
    assigned=0,
    free=0,
    cidrs=0,
    allocations=0,
    free_blocks=0,
    largest_free_block=0,
)
POOLS = [QUARTER_ALLOCATED, CONTIGUOUS, WITHOUT_CIDRS]

RESOURCE_CIDRS = [
    ResourceCidrCount("priv", V4, "pool-4", "vpc", "managed", "compliant", "nonoverlapping", 3),
    ResourceCidrCount("priv", V4, "pool-4", "vpc", "managed", "noncompliant", "overlapping", 1),
    ResourceCidrCount("priv", V4, "", "vpc", "unmanaged", "unmanaged", "overlapping", 2),
    ResourceCidrCount("priv", V4, "", "subnet", "", "", "", 7),
    ResourceCidrCount("priv", V4, "pool-4", "vpc", "ignored", "ignored", "ignored", 1),
    ResourceCidrCount("pub", V6, "", "vpc", "unmanaged", "unmanaged", "nonoverlapping", 4),
    ResourceCidrCount("pub", V4, "pool-c", "eip", "managed", "compliant", "nonoverlapping", 3),
]
PUBLIC_ADDRESSES = [
    PublicAddressCount("us-west-2", "amazon-owned-contig", "associated", "pool-c", 2),
    PublicAddressCount("us-west-2", "amazon-owned-contig", "disassociated", "pool-c", 1),
    PublicAddressCount("us-east-1", "amazon-owned-eip", "associated", "", 5),
    PublicAddressCount("us-east-1", "amazon-owned-eip", "disassociated", "", 2),
    PublicAddressCount("us-east-1", "byoip", "associated", "", 4),
    PublicAddressCount("us-east-1", "byoip", "disassociated", "", 3),
    PublicAddressCount("us-east-1", "ec2-public-ip", "associated", "", 6),
    PublicAddressCount("us-east-1", "service-managed-ip", "associated", "", 7),
    PublicAddressCount("us-east-1", "service-managed-byoip", "associated", "", 8),
    PublicAddressCount("eu-west-1", "amazon-owned-eip", "associated", "", 1),
]
UTILIZATIONS = [
    Utilization(
        Group("priv", "vpc", V4), "vpc-1", "222222222222", "us-west-2", "vpc-1", 0.5, 65536, "shop"
    ),
    Utilization(
        Group("pub", "vpc", V6), "vpc-1", "222222222222", "us-west-2", "vpc-1", 0.25, 1 << 72, ""
    ),
    Utilization(
        Group("priv", "subnet", V4), "sub-1", "222222222222", "us-west-2", "vpc-1", 0.75, 256, ""
    ),
    Utilization(
        Group("pub", "public-ipv4-pool", V4), "pp-1", "333333333333", "us-east-1", "", 1.0, 16, ""
    ),
]
MONITORED = Monitored(
    {"111111111111": 10, "222222222222": 32}, PUBLIC_ADDRESSES, RESOURCE_CIDRS, UTILIZATIONS
)
FIGURES = IpamFigures(IPAM, is_listed=True, pools=POOLS, monitored=MONITORED)

NOTHING_YET = Monitored({}, [], [], [])
NEW_IPAM = IpamFigures(replace(IPAM, ipam_id="ipam-2"), True, [], NOTHING_YET)
