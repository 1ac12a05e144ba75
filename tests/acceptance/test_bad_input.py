"""Bad input gets a precise AWS error, changes nothing, and is never a fault of ours."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.acceptance.installation import Installation
from tests.acceptance.test_tutorial import create_pool
from tests.waiting import wait_until

pytestmark = pytest.mark.acceptance


@dataclass(frozen=True)
class World:
    """A small address space, and clients that send what boto3 would refuse to send."""

    home: Any
    west: Any
    stranger: Any
    ids: dict[str, str]

    def counts(self) -> tuple[int, ...]:
        """How much there is of everything."""
        pool = self.ids["pool"]
        return (
            len(self.home.describe_ipams()["Ipams"]),
            len(self.home.describe_ipam_scopes()["IpamScopes"]),
            len(self.home.describe_ipam_pools()["IpamPools"]),
            len(self.home.get_ipam_pool_cidrs(IpamPoolId=pool)["IpamPoolCidrs"]),
            len(self.home.get_ipam_pool_allocations(IpamPoolId=pool)["IpamPoolAllocations"]),
            len(self.west.describe_vpcs()["Vpcs"]),
        )


@pytest.fixture(scope="module")
def world(cadastre: Installation) -> Iterator[World]:
    lenient: dict[str, Any] = {"parameter_validation": False}
    home = cadastre.client(**lenient)
    ipam = home.create_ipam(OperatingRegions=[{"RegionName": "us-west-2"}])["Ipam"]
    scope = ipam["PrivateDefaultScopeId"]
    top = create_pool(home, IpamScopeId=scope)
    home.provision_ipam_pool_cidr(IpamPoolId=top, Cidr="10.0.0.0/8")
    pool = create_pool(home, IpamScopeId=scope, SourceIpamPoolId=top, Locale="us-west-2")
    home.provision_ipam_pool_cidr(IpamPoolId=pool, Cidr="10.0.0.0/16")
    ids = {"ipam": ipam["IpamId"], "scope": scope, "top": top, "pool": pool}
    yield World(
        home,
        cadastre.client(region="us-west-2", **lenient),
        cadastre.client("member-account", region="us-west-2", **lenient),
        ids,
    )
    home.delete_ipam(IpamId=ids["ipam"], Cascade=True)
    wait_until(lambda: home.describe_ipams()["Ipams"] == [])


UNKNOWN_POOL = "ipam-pool-00000000000000000"
VALUE, MISSING = "InvalidParameterValue", "MissingParameter"
UNKNOWN_SCOPE = "ipam-scope-00000000000000000"
REFUSALS: dict[tuple[str, str], list[tuple[dict[str, Any], str]]] = {
    ("west", "create_vpc"): [
        ({"CidrBlock": "ten/8"}, VALUE),
        ({"CidrBlock": "10.0.0.0/33"}, VALUE),
        ({"CidrBlock": "10.0.0.0/8"}, "InvalidVpc.Range"),
        ({"CidrBlock": "10.0.0.0/29"}, "InvalidVpc.Range"),
        ({"CidrBlock": "2001:db8::/56"}, VALUE),
        ({}, MISSING),
        ({"Ipv4IpamPoolId": "{pool}", "Ipv4NetmaskLength": 15}, "InvalidVpc.Range"),
        ({"Ipv4IpamPoolId": UNKNOWN_POOL, "Ipv4NetmaskLength": 24}, "InvalidIpamPoolId.NotFound"),
        ({"CidrBlock": "10.1.0.0/16", "InstanceTenancy": "communal"}, VALUE),
        ({"Ipv4IpamPoolId": "{pool}", "CidrBlock": "192.168.0.0/24"}, VALUE),
    ],
    ("stranger", "create_vpc"): [
        ({"Ipv4IpamPoolId": "{pool}", "Ipv4NetmaskLength": 24}, "InvalidIpamPoolId.NotFound"),
    ],
    ("west", "delete_vpc"): [
        ({"VpcId": "vpc-00000000000000000"}, "InvalidVpcID.NotFound"),
        ({"VpcId": "subnet-00000000000000000"}, "InvalidVpcID.Malformed"),
    ],
    ("west", "allocate_ipam_pool_cidr"): [
        ({"IpamPoolId": "{pool}", "Cidr": "10.0.0.1/24"}, VALUE),
        ({"IpamPoolId": "{pool}", "Cidr": "fd80::/64"}, VALUE),
        ({"IpamPoolId": "{pool}", "NetmaskLength": 33}, VALUE),
        ({"IpamPoolId": "{pool}", "NetmaskLength": -1}, VALUE),
        ({"IpamPoolId": "{pool}", "NetmaskLength": "wide"}, VALUE),
        ({"IpamPoolId": "{pool}", "NetmaskLength": 99999999999}, VALUE),
        ({"IpamPoolId": "{pool}", "NetmaskLength": 15}, "InsufficientCidrSpace"),
        ({"NetmaskLength": 24}, MISSING),
        ({"IpamPoolId": "{pool}"}, MISSING),
        (
            {"IpamPoolId": "{pool}", "NetmaskLength": 24, "Cidr": "10.0.0.0/24"},
            "InvalidParameterCombination",
        ),
        ({"IpamPoolId": "pool", "NetmaskLength": 24}, "InvalidIpamPoolId.Malformed"),
        ({"IpamPoolId": "{pool}", "NetmaskLength": 24, "Description": "d" * 256}, VALUE),
        (
            {"IpamPoolId": "{pool}", "NetmaskLength": 24, "DisallowedCidrs": ["10.0.0.0/24"] * 101},
            VALUE,
        ),
    ],
    ("stranger", "allocate_ipam_pool_cidr"): [
        ({"IpamPoolId": "{pool}", "NetmaskLength": 24}, "InvalidIpamPoolId.NotFound"),
    ],
    ("home", "provision_ipam_pool_cidr"): [
        ({"IpamPoolId": "{top}", "Cidr": "10.128.0.0/9"}, VALUE),
        ({"IpamPoolId": "{pool}", "Cidr": "11.0.0.0/16"}, VALUE),
        ({"IpamPoolId": "{pool}", "Cidr": "10.0.0.0/24"}, VALUE),
        ({"IpamPoolId": "{pool}"}, MISSING),
    ],
    ("home", "deprovision_ipam_pool_cidr"): [
        ({"IpamPoolId": "{pool}", "Cidr": "10.9.0.0/16"}, "InvalidIpamPoolCidr.NotFound"),
    ],
    ("home", "create_ipam_pool"): [
        ({"IpamScopeId": "{scope}"}, MISSING),
        ({"IpamScopeId": "{scope}", "AddressFamily": "ipv5"}, VALUE),
        ({"IpamScopeId": "{scope}", "AddressFamily": "ipv4", "Locale": "mars-1"}, VALUE),
        (
            {"IpamScopeId": "{scope}", "AddressFamily": "ipv4", "AllocationMinNetmaskLength": 33},
            VALUE,
        ),
        (
            {
                "IpamScopeId": "{scope}",
                "AddressFamily": "ipv4",
                "AllocationMinNetmaskLength": 24,
                "AllocationMaxNetmaskLength": 16,
            },
            VALUE,
        ),
        ({"IpamScopeId": "{scope}", "AddressFamily": "ipv6", "SourceIpamPoolId": "{top}"}, VALUE),
        ({"IpamScopeId": UNKNOWN_SCOPE, "AddressFamily": "ipv4"}, "InvalidIpamScopeId.NotFound"),
    ],
    ("home", "create_ipam"): [
        ({}, "IpamLimitExceeded"),
    ],
    ("home", "create_ipam_scope"): [
        ({}, MISSING),
    ],
    ("home", "modify_ipam"): [
        (
            {"IpamId": "{ipam}", "RemoveOperatingRegions": [{"RegionName": "us-west-2"}]},
            "DependencyViolation",
        ),
    ],
    ("home", "delete_ipam"): [
        ({"IpamId": "{ipam}"}, "DependencyViolation"),
    ],
    ("home", "delete_ipam_pool"): [
        ({"IpamPoolId": "{top}"}, "DependencyViolation"),
    ],
    ("home", "describe_ipam_pools"): [
        ({"Filters": [{"Name": "colour", "Values": ["red"]}]}, VALUE),
        ({"MaxResults": 4}, VALUE),
        ({"NextToken": "bogus"}, "InvalidNextToken"),
        ({"IpamPoolIds": [UNKNOWN_POOL]}, "InvalidIpamPoolId.NotFound"),
    ],
    ("home", "describe_volumes"): [
        ({"MaxResults": 5}, "InvalidAction"),
    ],
}


@pytest.mark.parametrize(
    ("who", "operation", "parameters", "code"),
    [(*call, *refusal) for call, refusals in REFUSALS.items() for refusal in refusals],
)
def test_it_is_refused_precisely_and_changes_nothing(
    world: World, who: str, operation: str, parameters: dict[str, Any], code: str
) -> None:
    parameters = {
        key: value.format(**world.ids) if isinstance(value, str) else value
        for key, value in parameters.items()
    }
    before = world.counts()
    with pytest.raises(ClientError) as refusal:
        getattr(getattr(world, who), operation)(**parameters)
    error = refusal.value.response
    assert error["Error"]["Code"] == code, error["Error"]["Message"]
    assert 400 <= error["ResponseMetadata"]["HTTPStatusCode"] < 500
    assert world.counts() == before


@pytest.mark.parametrize(
    ("who", "operation", "parameters"),
    [
        ("home", "create_ipam_pool", {"IpamScopeId": "{scope}", "AddressFamily": "ipv4"}),
        ("home", "describe_ipams", {}),
        ("home", "provision_ipam_pool_cidr", {"IpamPoolId": "{top}", "Cidr": "172.16.0.0/12"}),
        ("west", "allocate_ipam_pool_cidr", {"IpamPoolId": "{pool}", "NetmaskLength": 24}),
        ("west", "create_vpc", {"Ipv4IpamPoolId": "{pool}", "Ipv4NetmaskLength": 24}),
        ("home", "delete_ipam", {"IpamId": "{ipam}", "Cascade": True}),
    ],
)
def test_a_dry_run_tells_that_it_would_succeed_and_changes_nothing(
    world: World, who: str, operation: str, parameters: dict[str, Any]
) -> None:
    parameters = {
        key: value.format(**world.ids) if isinstance(value, str) else value
        for key, value in parameters.items()
    }
    before = world.counts()
    with pytest.raises(ClientError) as refusal:
        getattr(getattr(world, who), operation)(**parameters, DryRun=True)
    assert refusal.value.response["Error"]["Code"] == "DryRunOperation"
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    assert world.counts() == before
