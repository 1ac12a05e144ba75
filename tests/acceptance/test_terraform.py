"""Configurations of Terraform's AWS provider, replayed call by call: see `terraform_provider`.

Each resource is created, read, planned again without a difference, changed in place, imported and
destroyed, in the order of Terraform's graph: aws-contract.md section 4.
"""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.acceptance.installation import Installation, installation
from tests.acceptance.terraform_ipam import (
    AdminAccount,
    Allocation,
    DiscoveryAssociation,
    Ipam,
    Pool,
    PoolCidr,
    ResourceDiscovery,
    Scope,
)
from tests.acceptance.terraform_network import Eip, PrefixList, Subnet, Vpc, VpcBlock
from tests.acceptance.terraform_provider import Applied, Provider, apply, filters, single

pytestmark = pytest.mark.acceptance

HOME, LOCALE = "us-east-1", "us-west-2"
IPAM_ID = "123456789012"


@pytest.fixture(scope="module")
def cadastre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    settings = {"CADASTRE_DISCOVERY_COVERAGE_INTERVAL_SECONDS": "0.5"}
    with installation(tmp_path_factory.mktemp("data"), **settings) as running:
        yield running


@pytest.fixture(scope="module")
def home(cadastre: Installation) -> Provider:
    return Provider(cadastre, "ipam-account", HOME)


@pytest.fixture(scope="module")
def west(cadastre: Installation) -> Provider:
    """An aliased provider, of the region where the network is."""
    return Provider(cadastre, "ipam-account", LOCALE)


def test_the_provider_can_be_configured(home: Provider) -> None:
    """It asks whose its credentials are, and data sources where it is."""
    assert home.sts.get_caller_identity()["Account"] == IPAM_ID
    zones = home.ec2.describe_availability_zones(
        AllAvailabilityZones=False, Filters=filters(state="available")
    )["AvailabilityZones"]
    assert [zone["ZoneName"] for zone in zones] == [f"{HOME}{letter}" for letter in "abcdef"]
    assert {zone["GroupName"] for zone in zones} == {f"{HOME}-zg-1"}
    assert {zone["ZoneType"] for zone in zones} == {"availability-zone"}
    regions = home.ec2.describe_regions(AllRegions=False, Filters=filters(region_name="us-west-*"))
    assert [region["RegionName"] for region in regions["Regions"]] == ["us-west-1", LOCALE]


def test_an_organizations_administrator(cadastre: Installation) -> None:  # ORG-2
    management = Provider(cadastre, "management-account", HOME)
    admin = apply(AdminAccount(management), delegated_admin_account_id=IPAM_ID)
    assert (admin["name"], admin["email"]) == ("ipam-account", "ipam-account@example.com")
    admin.check_import()
    admin.destroy()


def test_an_ipam_with_scopes_pools_and_allocations(home: Provider) -> None:
    ipam = apply(
        Ipam(home),
        description="ours",
        operating_regions=[HOME, LOCALE],
        cascade=True,
        tags={"Name": "ours", "stage": "test"},
    )
    scope = apply(Scope(home), ipam_id=ipam.id, description="lab", tags={"of": "us"})
    top = apply(
        Pool(home),
        address_family="ipv4",
        ipam_scope_id=scope.id,
        description="top",
        tags={"level": "top"},
    )
    cidr = apply(PoolCidr(home), ipam_pool_id=top.id, cidr="10.0.0.0/8")
    regional = apply(
        Pool(home),
        address_family="ipv4",
        ipam_scope_id=scope.id,
        source_ipam_pool_id=top.id,
        locale=LOCALE,
        allocation_min_netmask_length=16,
        allocation_max_netmask_length=28,
        allocation_default_netmask_length=24,
        allocation_resource_tags={"environment": "test"},
    )
    chosen = apply(PoolCidr(home), ipam_pool_id=regional.id, netmask_length=16)
    assert chosen["cidr"] == "10.0.0.0/16"
    allocations = [
        apply(Allocation(home), ipam_pool_id=top.id, netmask_length=20, description="racks"),
        apply(Allocation(home), ipam_pool_id=top.id, cidr="10.99.0.0/24"),
        apply(
            Allocation(home),
            ipam_pool_id=top.id,
            netmask_length=16,
            disallowed_cidrs=["10.2.0.0/15"],
        ),
    ]
    assert allocations[0]["resource_type"] == "custom"
    preview_is_no_allocation(home, top.id)
    the_data_sources_find(home, ipam, top, cidr)

    ipam.update(description="theirs", operating_regions=["eu-west-1", HOME, LOCALE])
    ipam.update(operating_regions=[HOME, LOCALE], tags={"Name": "theirs"}, description=None)
    scope.update(description="test", tags=None)
    regional.update(
        allocation_max_netmask_length=26,
        allocation_resource_tags={"environment": "prod", "team": "net"},
        auto_import=True,
        description="regional",
        tags={"level": "regional"},
    )
    regional.update(allocation_resource_tags=None)
    for applied in (ipam, scope, top, cidr, regional, chosen, *allocations):
        applied.check_import()
        applied.plan()

    for applied in (*allocations, chosen, regional, cidr):
        applied.destroy()
    # Once more: a CIDR that was deprovisioned is not in the way of itself.
    again = apply(PoolCidr(home), ipam_pool_id=top.id, cidr="10.0.0.0/8")
    for applied in (again, top, scope, ipam):
        applied.destroy()


def preview_is_no_allocation(home: Provider, pool_id: str) -> None:
    """aws_vpc_ipam_preview_next_cidr"""
    request = {"IpamPoolId": pool_id, "NetmaskLength": 24, "PreviewNextCidr": True}
    answers = [
        home.ec2.allocate_ipam_pool_cidr(ClientToken=uuid4().hex, **request) for _ in range(2)
    ]
    assert len({answer["IpamPoolAllocation"]["Cidr"] for answer in answers}) == 1


def the_data_sources_find(home: Provider, ipam: Applied, top: Applied, cidr: Applied) -> None:
    by_id = single(home.pages("describe_ipam_pools", "IpamPools", IpamPoolIds=[top.id]))
    wanted = [*filters(description="t?p", address_family="ipv4"), *filters(**{"tag:level": "top"})]
    by_filter = single(home.pages("describe_ipam_pools", "IpamPools", Filters=wanted))
    assert by_filter == by_id
    one = single(home.pages("get_ipam_pool_cidrs", "IpamPoolCidrs", IpamPoolId=top.id))
    assert (one["Cidr"], one["State"]) == (cidr["cidr"], "provisioned")
    found = home.pages("describe_ipams", "Ipams", Filters=filters(**{"tag:stage": "test"}))
    assert [each["IpamId"] for each in found] == [ipam.id]


def test_a_resource_discovery_and_its_association(cadastre: Installation) -> None:
    home = Provider(cadastre, "ipam-account", "us-east-2")
    discovery = apply(
        ResourceDiscovery(home), description="all", operating_regions=["us-east-2"], tags={"a": "b"}
    )
    discovery.update(operating_regions=["us-east-2", LOCALE], description="some", tags={"c": "d"})
    discovery.check_import()
    ipam = apply(Ipam(home), operating_regions=["us-east-2"], cascade=True)
    association = apply(
        DiscoveryAssociation(home),
        ipam_id=ipam.id,
        ipam_resource_discovery_id=discovery.id,
        tags={"e": "f"},
    )
    association.update(tags={"e": "g"})
    association.check_import()
    assert association["is_default"] is False
    for applied in (association, discovery, ipam):
        applied.destroy()


def test_a_network_out_of_pools(cadastre: Installation, west: Provider) -> None:
    home = Provider(cadastre, "ipam-account", "eu-west-1")
    ipam = apply(Ipam(home), operating_regions=["eu-west-1", LOCALE], cascade=True)
    scope_id = ipam["private_default_scope_id"]
    ipv4, ipv6 = (
        apply(Pool(home), address_family=family, ipam_scope_id=scope_id, locale=LOCALE)
        for family in ("ipv4", "ipv6")
    )
    blocks = [
        apply(PoolCidr(home), ipam_pool_id=ipv4.id, cidr="10.0.0.0/8"),
        apply(PoolCidr(home), ipam_pool_id=ipv6.id, cidr="fd80:1234::/40"),
    ]
    vpc = apply(
        Vpc(west),
        ipv4_ipam_pool_id=ipv4.id,
        ipv4_netmask_length=20,
        ipv6_ipam_pool_id=ipv6.id,
        ipv6_netmask_length=56,
        enable_dns_hostnames=True,
        tags={"Name": "web"},
    )
    more = [
        apply(VpcBlock(west, ipv6=False), vpc_id=vpc.id, ipv4_ipam_pool_id=ipv4.id,
              ipv4_netmask_length=24),
        apply(VpcBlock(west, ipv6=False), vpc_id=vpc.id, cidr_block="100.64.0.0/24"),
        apply(VpcBlock(west, ipv6=True), vpc_id=vpc.id, ipv6_ipam_pool_id=ipv6.id,
              ipv6_netmask_length=56),
    ]  # fmt: skip
    vpc.plan()
    planning = apply(
        Pool(home),
        address_family="ipv4",
        ipam_scope_id=scope_id,
        locale=LOCALE,
        source_ipam_pool_id=ipv4.id,
        source_resource={
            "resource_id": vpc.id,
            "resource_owner": IPAM_ID,
            "resource_region": LOCALE,
            "resource_type": "vpc",
        },
    )
    plan = apply(PoolCidr(home), ipam_pool_id=planning.id, cidr=vpc["cidr_block"])
    first = vpc["ipv6_cidr_block"].replace("/56", "/64")
    subnets = [
        apply(
            Subnet(west),
            vpc_id=vpc.id,
            ipv4_ipam_pool_id=planning.id,
            ipv4_netmask_length=26,
            availability_zone=f"{LOCALE}b",
            map_public_ip_on_launch=True,
        ),
        apply(
            Subnet(west),
            vpc_id=vpc.id,
            cidr_block="100.64.0.0/26",
            ipv6_cidr_block=first,
            assign_ipv6_address_on_creation=True,
            enable_dns64=True,
            enable_resource_name_dns_aaaa_record_on_launch=True,
            private_dns_hostname_type_on_launch="resource-name",
            tags={"Name": "a"},
        ),
    ]
    vpc.update(
        enable_dns_support=False,
        enable_dns_hostnames=False,
        enable_network_address_usage_metrics=True,
        tags={"Name": "app", "team": "web"},
    )
    subnets[0].update(map_public_ip_on_launch=False, tags={"Name": "b"})
    subnets[1].update(
        assign_ipv6_address_on_creation=False,
        enable_dns64=False,
        enable_resource_name_dns_a_record_on_launch=True,
        private_dns_hostname_type_on_launch="ip-name",
        ipv6_cidr_block=None,
    )
    subnets[1].update(ipv6_cidr_block=first, tags=None)
    for applied in (vpc, *more, *subnets, planning, plan):
        applied.check_import()
        applied.plan()
    the_defaults_follow_the_vpc(west, vpc, [subnet.id for subnet in subnets])
    assert refusal(west.ec2.delete_vpc, VpcId=vpc.id) == "DependencyViolation"

    for applied in (*subnets, plan, planning, *more, vpc, *blocks, ipv4, ipv6, ipam):
        applied.destroy()
    for describe, member in (
        ("describe_network_acls", "NetworkAcls"),
        ("describe_route_tables", "RouteTables"),
        ("describe_security_groups", "SecurityGroups"),
    ):
        assert west.pages(describe, member) == []


def the_defaults_follow_the_vpc(west: Provider, vpc: Applied, subnet_ids: list[str]) -> None:
    [acl] = west.pages(
        "describe_network_acls", "NetworkAcls", NetworkAclIds=[vpc["default_network_acl_id"]]
    )
    assert {one["SubnetId"] for one in acl["Associations"]} == set(subnet_ids)
    [table] = west.pages(
        "describe_route_tables", "RouteTables", RouteTableIds=[vpc["main_route_table_id"]]
    )
    assert len(table["Routes"]) == 5
    [group] = west.pages(
        "describe_security_groups", "SecurityGroups", GroupIds=[vpc["default_security_group_id"]]
    )
    assert group["GroupName"] == "default"


def test_an_elastic_ip_address_of_a_pool_and_of_amazon(
    cadastre: Installation, west: Provider
) -> None:
    home = Provider(cadastre, "ipam-account", "eu-west-2")
    ipam = apply(Ipam(home), operating_regions=["eu-west-2", LOCALE], cascade=True)
    pool = apply(
        Pool(home),
        address_family="ipv4",
        ipam_scope_id=ipam["public_default_scope_id"],
        locale=LOCALE,
        aws_service="ec2",
        public_ip_source="amazon",
    )
    block = apply(PoolCidr(home), ipam_pool_id=pool.id, netmask_length=30)
    addresses = [
        apply(Eip(west), ipam_pool_id=pool.id, tags={"Name": "nat"}),
        apply(Eip(west)),
    ]
    assert [eip["public_ipv4_pool"] for eip in addresses] == [pool.id, "amazon"]
    for eip in addresses:
        eip.update(tags={"Name": "gateway"})
        eip.check_import()
    for applied in (*addresses, block, pool, ipam):
        applied.destroy()


def test_a_managed_prefix_list(home: Provider) -> None:
    prefix_list = apply(
        PrefixList(home),
        name="offices",
        address_family="IPv4",
        max_entries=2,
        entry={"10.0.0.0/8": "all", "192.168.0.0/16": ""},
        tags={"a": "b"},
    )
    prefix_list.update(max_entries=4, name="all offices")
    prefix_list.update(entry={"10.0.0.0/8": "everything", "172.16.0.0/12": "new"})
    prefix_list.update(max_entries=2, tags={"a": "c"})
    prefix_list.check_import()
    prefix_list.destroy()


UNKNOWN = "0123456789abcdef0"
NOT_FOUND: list[tuple[str, dict[str, Any], str]] = [
    ("describe_ipams", {"IpamIds": [f"ipam-{UNKNOWN}"]}, "InvalidIpamId.NotFound"),
    ("delete_ipam", {"IpamId": f"ipam-{UNKNOWN}"}, "InvalidIpamId.NotFound"),
    (
        "describe_ipam_scopes",
        {"IpamScopeIds": [f"ipam-scope-{UNKNOWN}"]},
        "InvalidIpamScopeId.NotFound",
    ),
    (
        "describe_ipam_pools",
        {"IpamPoolIds": [f"ipam-pool-{UNKNOWN}"]},
        "InvalidIpamPoolId.NotFound",
    ),
    ("delete_ipam_pool", {"IpamPoolId": f"ipam-pool-{UNKNOWN}"}, "InvalidIpamPoolId.NotFound"),
    ("get_ipam_pool_cidrs", {"IpamPoolId": f"ipam-pool-{UNKNOWN}"}, "InvalidIpamPoolId.NotFound"),
    (
        "deprovision_ipam_pool_cidr",
        {"IpamPoolId": f"ipam-pool-{UNKNOWN}", "Cidr": "10.0.0.0/8"},
        "InvalidIpamPoolId.NotFound",
    ),
    (
        "get_ipam_pool_allocations",
        {"IpamPoolId": f"ipam-pool-{UNKNOWN}"},
        "InvalidIpamPoolId.NotFound",
    ),
    (
        "describe_ipam_resource_discoveries",
        {"IpamResourceDiscoveryIds": [f"ipam-res-disco-{UNKNOWN}"]},
        "InvalidIpamResourceDiscoveryId.NotFound",
    ),
    (
        "describe_ipam_resource_discovery_associations",
        {"IpamResourceDiscoveryAssociationIds": [f"ipam-res-disco-assoc-{UNKNOWN}"]},
        "InvalidIpamResourceDiscoveryAssociationId.NotFound",
    ),
    ("describe_vpcs", {"VpcIds": [f"vpc-{UNKNOWN}"]}, "InvalidVpcID.NotFound"),
    (
        "describe_vpc_attribute",
        {"VpcId": f"vpc-{UNKNOWN}", "Attribute": "enableDnsSupport"},
        "InvalidVpcID.NotFound",
    ),
    ("delete_vpc", {"VpcId": f"vpc-{UNKNOWN}"}, "InvalidVpcID.NotFound"),
    (
        "disassociate_vpc_cidr_block",
        {"AssociationId": f"vpc-cidr-assoc-{UNKNOWN}"},
        "InvalidVpcCidrBlockAssociationID.NotFound",
    ),
    ("describe_subnets", {"SubnetIds": [f"subnet-{UNKNOWN}"]}, "InvalidSubnetID.NotFound"),
    ("delete_subnet", {"SubnetId": f"subnet-{UNKNOWN}"}, "InvalidSubnetID.NotFound"),
    (
        "describe_network_acls",
        {"NetworkAclIds": [f"acl-{UNKNOWN}"]},
        "InvalidNetworkAclID.NotFound",
    ),
    (
        "describe_route_tables",
        {"RouteTableIds": [f"rtb-{UNKNOWN}"]},
        "InvalidRouteTableID.NotFound",
    ),
    ("describe_security_groups", {"GroupIds": [f"sg-{UNKNOWN}"]}, "InvalidGroup.NotFound"),
    ("describe_security_groups", {"GroupNames": ["default"]}, "InvalidGroup.NotFound"),
    (
        "describe_security_group_rules",
        {"SecurityGroupRuleIds": [f"sgr-{UNKNOWN}"]},
        "InvalidSecurityGroupRuleId.NotFound",
    ),
    (
        "describe_network_interfaces",
        {"NetworkInterfaceIds": [f"eni-{UNKNOWN}"]},
        "InvalidNetworkInterfaceID.NotFound",
    ),
    (
        "describe_addresses",
        {"AllocationIds": [f"eipalloc-{UNKNOWN}"]},
        "InvalidAllocationID.NotFound",
    ),
    ("release_address", {"AllocationId": f"eipalloc-{UNKNOWN}"}, "InvalidAllocationID.NotFound"),
    (
        "disassociate_address",
        {"AssociationId": f"eipassoc-{UNKNOWN}"},
        "InvalidAssociationID.NotFound",
    ),
    (
        "describe_managed_prefix_lists",
        {"PrefixListIds": [f"pl-{UNKNOWN}"]},
        "InvalidPrefixListID.NotFound",
    ),
    (
        "delete_managed_prefix_list",
        {"PrefixListId": f"pl-{UNKNOWN}"},
        "InvalidPrefixListID.NotFound",
    ),
]


def test_what_is_not_there_is_refused_as_the_provider_expects(home: Provider) -> None:
    told = [
        (operation, refusal(getattr(home.ec2, operation), **request))
        for operation, request, _ in NOT_FOUND
    ]
    assert told == [(operation, code) for operation, _, code in NOT_FOUND]


def refusal(operation: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as refused:
        operation(**request)
    code: str = refused.value.response["Error"]["Code"]
    return code
