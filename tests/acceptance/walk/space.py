"""The way through IPAMs, scopes, pools, their CIDRs and allocations."""

from typing import Any

from tests.acceptance.command_lines import HOME, IPAM_ID, LOCALE, MANAGEMENT
from tests.acceptance.walk.walker import Walker, gone, settled, tags
from tests.waiting import wait_until


def delegate(walk: Walker) -> None:
    """To the IPAM's administrator; the organization shares within itself."""
    walk.cadastre.client(MANAGEMENT, HOME, service="ram").enable_sharing_with_aws_organization()
    walk.client(MANAGEMENT).enable_ipam_organization_admin_account(DelegatedAdminAccountId=IPAM_ID)


def make_ipam(walk: Walker) -> None:
    ec2 = walk.home
    ipam = ec2.create_ipam(
        Description="walked",
        OperatingRegions=[{"RegionName": LOCALE}],
        TagSpecifications=tags("ipam", "walked"),
        Tier="advanced",
        EnablePrivateGua=True,
        MeteredAccount="ipam-owner",
    )["Ipam"]
    walk.made["ipam"] = ipam
    settled(lambda: ec2.describe_ipams(IpamIds=[ipam["IpamId"]]), "create-complete")
    ec2.modify_ipam(IpamId=ipam["IpamId"], Description="walked through")
    walk.made["ipam"] = settled(ec2.describe_ipams, "modify-complete")


def make_scope(walk: Walker) -> None:
    ec2, ipam = walk.home, walk.made["ipam"]
    scope_id = ec2.create_ipam_scope(
        IpamId=ipam["IpamId"],
        Description="of a data centre",
        TagSpecifications=tags("ipam-scope", "data centre"),
    )["IpamScope"]["IpamScopeId"]

    def ask() -> Any:
        return ec2.describe_ipam_scopes(IpamScopeIds=[scope_id])

    settled(ask, "create-complete")
    ec2.modify_ipam_scope(IpamScopeId=scope_id, Description="of another data centre")
    walk.made["scope"] = settled(ask, "modify-complete")


def make_pools(walk: Walker) -> None:
    ec2 = walk.home
    top = make_pool(
        walk,
        "top",
        IpamScopeId=walk.made["ipam"]["PrivateDefaultScopeId"],
        AddressFamily="ipv4",
        Description="all of it",
        TagSpecifications=tags("ipam-pool", "top"),
    )
    provision(walk, top, Cidr="10.0.0.0/8")
    regional = make_pool(
        walk,
        "regional",
        IpamScopeId=walk.made["ipam"]["PrivateDefaultScopeId"],
        SourceIpamPoolId=top,
        Locale=LOCALE,
        AddressFamily="ipv4",
        Description="of Oregon",
        AutoImport=True,
        AllocationMinNetmaskLength=20,
        AllocationMaxNetmaskLength=28,
        AllocationDefaultNetmaskLength=24,
        AllocationResourceTags=[{"Key": "env", "Value": "prod"}],
        TagSpecifications=tags("ipam-pool", "regional"),
    )
    provision(walk, regional, NetmaskLength=12)
    ec2.modify_ipam_pool(
        IpamPoolId=regional,
        Description="of all Oregon",
        AllocationMaxNetmaskLength=26,
        AddAllocationResourceTags=[{"Key": "team", "Value": "network"}],
        RemoveAllocationResourceTags=[{"Key": "env", "Value": "prod"}],
    )
    settled(lambda: ec2.describe_ipam_pools(IpamPoolIds=[regional]), "modify-complete")


def plan_the_vpc(walk: Walker) -> None:
    """A pool for a VPC's subnets."""
    ec2, vpc_id = walk.home, walk.made["vpc"]
    source = {
        "ResourceId": vpc_id,
        "ResourceType": "vpc",
        "ResourceRegion": LOCALE,
        "ResourceOwner": IPAM_ID,
    }
    planning = make_pool(
        walk,
        "planning",
        IpamScopeId=walk.made["ipam"]["PrivateDefaultScopeId"],
        Locale=LOCALE,
        AddressFamily="ipv4",
        SourceResource=source,
    )
    ec2.modify_ipam_pool(IpamPoolId=planning, Description="of the VPC's subnets")
    settled(lambda: ec2.describe_ipam_pools(IpamPoolIds=[planning]), "modify-complete")


def make_ipv6_pool(walk: Walker) -> None:
    make_pool(
        walk,
        "ipv6",
        IpamScopeId=walk.made["ipam"]["PublicDefaultScopeId"],
        AddressFamily="ipv6",
        Locale=LOCALE,
        AwsService="ec2",
        PubliclyAdvertisable=True,
    )
    walk.home.modify_ipam_pool(IpamPoolId=walk.made["ipv6"], Description="to be advertised")


def make_pool(walk: Walker, name: str, **members: Any) -> str:
    """The id of a pool, once it is there."""
    pool_id: str = walk.home.create_ipam_pool(**members)["IpamPool"]["IpamPoolId"]
    settled(lambda: walk.home.describe_ipam_pools(IpamPoolIds=[pool_id]), "create-complete")
    walk.made[name] = pool_id
    return pool_id


def provision(walk: Walker, pool_id: str, **block: Any) -> Any:
    """The pool's CIDR, once it is provisioned."""
    walk.home.provision_ipam_pool_cidr(IpamPoolId=pool_id, **block)
    return settled(lambda: walk.home.get_ipam_pool_cidrs(IpamPoolId=pool_id), "provisioned")


def allocate(walk: Walker) -> None:
    allocation = walk.home.allocate_ipam_pool_cidr(
        IpamPoolId=walk.made["top"],
        NetmaskLength=24,
        Description="for the walk",
        TagSpecifications=tags("ipam-pool-allocation", "reserved"),
    )["IpamPoolAllocation"]
    allocation_id = allocation["IpamPoolAllocationId"]
    walk.made["allocation"] = allocation
    walk.home.modify_ipam_pool_allocation(
        IpamPoolAllocationId=allocation_id, Description="for the way back"
    )
    walk.home.get_ipam_pool_allocations(IpamPoolId=walk.made["top"])
    walk.home.describe_ipam_pool_allocations(IpamPoolAllocationIds=[allocation_id])


def empty_and_delete(walk: Walker, pool_id: str) -> None:
    """A pool whose only CIDR has no allocations, or is about to have none."""
    ec2 = walk.home

    def is_free() -> bool:
        return not ec2.get_ipam_pool_allocations(IpamPoolId=pool_id)["IpamPoolAllocations"]

    wait_until(is_free)
    [cidr] = ec2.get_ipam_pool_cidrs(IpamPoolId=pool_id)["IpamPoolCidrs"]
    ec2.deprovision_ipam_pool_cidr(IpamPoolId=pool_id, Cidr=cidr["Cidr"])
    settled(lambda: ec2.get_ipam_pool_cidrs(IpamPoolId=pool_id), "deprovisioned")
    ec2.delete_ipam_pool(IpamPoolId=pool_id)


def withdraw(walk: Walker) -> None:
    """Undo all of it, by every way that there is."""
    ec2 = walk.home
    allocation = walk.made["allocation"]
    ec2.release_ipam_pool_allocation(
        IpamPoolId=walk.made["top"],
        Cidr=allocation["Cidr"],
        IpamPoolAllocationId=allocation["IpamPoolAllocationId"],
    )
    for name in ("planning", "ipv6"):
        ec2.delete_ipam_pool(IpamPoolId=walk.made[name])
    for name in ("regional", "top"):
        empty_and_delete(walk, walk.made[name])
    ec2.delete_ipam_scope(IpamScopeId=walk.made["scope"]["IpamScopeId"])
    gone(lambda: ec2.describe_ipam_scopes(Filters=[{"Name": "is-default", "Values": ["false"]}]))
    ec2.delete_ipam(IpamId=walk.made["ipam"]["IpamId"], Cascade=True)
    gone(ec2.describe_ipams)
    walk.client(MANAGEMENT, HOME).disable_ipam_organization_admin_account(
        DelegatedAdminAccountId=IPAM_ID
    )
