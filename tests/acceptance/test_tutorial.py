"""The guide's tutorial "Create an IPAM and pools using the AWS CLI", command by command.

Commands stand as printed, with ids in braces. The guide prints create-vpc with the IPAM's region;
the VPC is created in the pool's locale, as the rule it states beside it says (VPC-1).
"""

import re
from typing import Any

import pytest

from tests.acceptance.installation import AwsError, Installation
from tests.waiting import wait_until

pytestmark = pytest.mark.acceptance

OWNER = "123456789012"


def test_the_tutorial_runs_as_printed(cadastre: Installation) -> None:  # ACC-1
    ipam = create_an_ipam(cadastre)
    top_id = create_the_top_level_pool(cadastre, ipam)
    provision(cadastre, top_id, "10.0.0.0/8")
    regional_id = create_the_regional_pool(cadastre, ipam, top_id)
    provision(cadastre, regional_id, "10.0.0.0/16")
    the_regional_pool_is_an_allocation_of_the_top_level_pool(cadastre, top_id, regional_id)
    vpc_id = create_a_vpc(cadastre, regional_id)
    clean_up_vpc_and_cidrs(cadastre, vpc_id, regional_id, top_id)
    clean_up_pools_and_ipam(cadastre, ipam["IpamId"], regional_id, top_id)


def create_an_ipam(cadastre: Installation) -> Any:
    """Step 2."""
    ipam = cadastre.run(
        "aws ec2 create-ipam --description my-ipam --region us-east-1"
        " --operating-regions RegionName=us-west-2"
    )["Ipam"]
    assert re.fullmatch(r"ipam-[0-9a-f]{17}", ipam["IpamId"])
    assert (
        ipam.items()
        >= {
            "OwnerId": OWNER,
            "IpamArn": f"arn:aws:ec2::{OWNER}:ipam/{ipam['IpamId']}",
            "ScopeCount": 2,
            "Description": "my-ipam",
            "Tags": [],
            "State": "create-in-progress",  # IPAM-10
        }.items()
    )
    regions = {region["RegionName"] for region in ipam["OperatingRegions"]}
    assert regions == {"us-west-2", "us-east-1"}  # IPAM-1
    wait_until(
        lambda: cadastre.run("aws ec2 describe-ipams")["Ipams"][0]["State"] == "create-complete"
    )

    scopes = cadastre.run("aws ec2 describe-ipam-scopes --region us-east-1")["IpamScopes"]
    assert {scope["IpamScopeId"]: scope["IpamScopeType"] for scope in scopes} == {
        ipam["PublicDefaultScopeId"]: "public",
        ipam["PrivateDefaultScopeId"]: "private",
    }
    assert all(scope["IsDefault"] and scope["PoolCount"] == 0 for scope in scopes)
    return ipam


def create_the_top_level_pool(cadastre: Installation, ipam: Any) -> str:
    """Step 3."""
    scope_id = ipam["PrivateDefaultScopeId"]
    pool = cadastre.run(
        f"aws ec2 create-ipam-pool --ipam-scope-id {scope_id}"
        ' --description "top-level-pool" --address-family ipv4'
    )["IpamPool"]
    assert (
        pool.items()
        >= {
            "OwnerId": OWNER,
            "IpamPoolArn": f"arn:aws:ec2::{OWNER}:ipam-pool/{pool['IpamPoolId']}",
            "IpamScopeArn": f"arn:aws:ec2::{OWNER}:ipam-scope/{scope_id}",
            "IpamScopeType": "private",
            "IpamArn": ipam["IpamArn"],
            "Locale": "None",
            "PoolDepth": 1,
            "State": "create-in-progress",
            "Description": "top-level-pool",
            "AutoImport": False,
            "AddressFamily": "ipv4",
            "Tags": [],
        }.items()
    )
    await_pools(cadastre, 1)
    pool_id: str = pool["IpamPoolId"]
    return pool_id


def create_the_regional_pool(cadastre: Installation, ipam: Any, top_id: str) -> str:
    """Step 5."""
    pool = cadastre.run(
        'aws ec2 create-ipam-pool --description "regional--pool" --region us-east-1'
        f" --ipam-scope-id {ipam['PrivateDefaultScopeId']} --source-ipam-pool-id {top_id}"
        " --locale us-west-2 --address-family ipv4"
    )["IpamPool"]
    assert (
        pool.items()
        >= {
            "SourceIpamPoolId": top_id,
            "Locale": "us-west-2",
            "PoolDepth": 2,
            "State": "create-in-progress",
        }.items()
    )
    await_pools(cadastre, 2)
    pool_id: str = pool["IpamPoolId"]
    return pool_id


def provision(cadastre: Installation, pool_id: str, cidr: str) -> None:
    """Steps 4 and 6."""
    answer = cadastre.run(
        f"aws ec2 provision-ipam-pool-cidr --region us-east-1 --ipam-pool-id {pool_id}"
        f" --cidr {cidr}"
    )["IpamPoolCidr"]
    assert (answer["Cidr"], answer["State"]) == (cidr, "pending-provision")  # PROV-7
    wait_until(lambda: cidr_states(cadastre, pool_id) == {cidr: "provisioned"})


def the_regional_pool_is_an_allocation_of_the_top_level_pool(  # POOL-8
    cadastre: Installation, top_id: str, regional_id: str
) -> None:
    """The end of step 6."""
    [allocation] = allocations(cadastre, top_id)
    assert re.fullmatch(r"ipam-pool-alloc-[0-9a-f]{32}", allocation["IpamPoolAllocationId"])
    assert (
        allocation.items()
        >= {
            "Cidr": "10.0.0.0/16",
            "ResourceId": regional_id,
            "ResourceType": "ipam-pool",
            "ResourceOwner": OWNER,
        }.items()
    )


def create_a_vpc(cadastre: Installation, pool_id: str) -> str:
    """Step 8, and what must be refused."""
    parameters = f"--ipv4-ipam-pool-id {pool_id} --cidr-block 10.0.0.0/24"
    with pytest.raises(AwsError, match="us-west-2"):  # VPC-1
        cadastre.run(f"aws ec2 create-vpc --region us-east-1 {parameters}")
    vpc = cadastre.run(f"aws ec2 create-vpc --region us-west-2 {parameters}")["Vpc"]
    assert (
        vpc.items()
        >= {
            "CidrBlock": "10.0.0.0/24",
            "State": "pending",
            "OwnerId": OWNER,
            "InstanceTenancy": "default",
            "Ipv6CidrBlockAssociationSet": [],
            "IsDefault": False,
        }.items()
    )
    [association] = vpc["CidrBlockAssociationSet"]
    assert association["CidrBlock"] == "10.0.0.0/24"
    assert association["CidrBlockState"] == {"State": "associated"}

    with pytest.raises(AwsError, match=r"10\.0\.0\.0/24") as refusal:  # ALLOC-3
        cadastre.run(f"aws ec2 create-vpc --region us-west-2 {parameters}")
    assert refusal.value.code == "InvalidParameterValue"
    [only] = cadastre.run("aws ec2 describe-vpcs --region us-west-2")["Vpcs"]
    assert (only["VpcId"], only["State"]) == (vpc["VpcId"], "available")
    vpc_id: str = vpc["VpcId"]
    return vpc_id


def clean_up_vpc_and_cidrs(
    cadastre: Installation, vpc_id: str, regional_id: str, top_id: str
) -> None:
    """Step 9, the first half."""
    deprovision = "aws ec2 deprovision-ipam-pool-cidr --ipam-pool-id {} --region us-east-1"
    with pytest.raises(AwsError) as refusal:  # PROV-8
        cadastre.run(deprovision.format(regional_id))
    assert refusal.value.code == "DependencyViolation"
    assert cadastre.run(f"aws ec2 delete-vpc --vpc-id {vpc_id} --region us-west-2") is None
    wait_until(lambda: not allocations(cadastre, regional_id))  # VPC-2, BEY-1
    for pool_id in (regional_id, top_id):
        answer = cadastre.run(deprovision.format(pool_id))["IpamPoolCidr"]
        assert answer["State"] == "pending-deprovision"
        await_deprovisioned(cadastre, pool_id)


def clean_up_pools_and_ipam(
    cadastre: Installation, ipam_id: str, regional_id: str, top_id: str
) -> None:
    """Step 9, the second half; the guide's chapter on deleting IPAMs has the pools go first."""
    delete_ipam = f"aws ec2 delete-ipam --region us-east-1 --ipam-id {ipam_id}"
    with pytest.raises(AwsError) as refusal:  # IPAM-9
        cadastre.run(delete_ipam)
    assert refusal.value.code == "DependencyViolation"
    for pools_left, pool_id in ((1, regional_id), (0, top_id)):
        answer = cadastre.run(
            f"aws ec2 delete-ipam-pool --region us-east-1 --ipam-pool-id {pool_id}"
        )
        assert answer["IpamPool"]["State"] == "delete-in-progress"
        await_pools(cadastre, pools_left)
    assert cadastre.run(delete_ipam)["Ipam"]["State"] == "delete-in-progress"
    wait_until(lambda: cadastre.run("aws ec2 describe-ipams")["Ipams"] == [])


def test_cascade_deletes_everything_but_the_vpcs(cadastre: Installation) -> None:  # IPAM-9
    home, west = cadastre.client(), cadastre.client(region="us-west-2")
    ipam = home.create_ipam(OperatingRegions=[{"RegionName": "us-west-2"}])["Ipam"]
    scope = ipam["PrivateDefaultScopeId"]
    top = create_pool(home, IpamScopeId=scope)
    home.provision_ipam_pool_cidr(IpamPoolId=top, Cidr="10.0.0.0/8")
    regional = create_pool(home, IpamScopeId=scope, SourceIpamPoolId=top, Locale="us-west-2")
    home.provision_ipam_pool_cidr(IpamPoolId=regional, NetmaskLength=16)
    vpc = west.create_vpc(Ipv4IpamPoolId=regional, Ipv4NetmaskLength=24)["Vpc"]

    cadastre.run(f"aws ec2 delete-ipam --region us-east-1 --ipam-id {ipam['IpamId']} --cascade")

    wait_until(lambda: home.describe_ipams()["Ipams"] == [])
    assert home.describe_ipam_scopes()["IpamScopes"] == []
    assert home.describe_ipam_pools()["IpamPools"] == []
    [left] = west.describe_vpcs()["Vpcs"]
    assert (left["VpcId"], left["CidrBlock"]) == (vpc["VpcId"], vpc["CidrBlock"])
    west.delete_vpc(VpcId=vpc["VpcId"])


def create_pool(client: Any, **parameters: Any) -> str:
    """Create an IPv4 pool and wait until it is complete; its id."""
    pool_id: str = client.create_ipam_pool(AddressFamily="ipv4", **parameters)["IpamPool"][
        "IpamPoolId"
    ]
    wait_until(
        lambda: states(client.describe_ipam_pools(IpamPoolIds=[pool_id])) == ["create-complete"]
    )
    return pool_id


def states(answer: Any) -> list[str]:
    return [pool["State"] for pool in answer["IpamPools"]]


def await_pools(cadastre: Installation, count: int) -> None:
    wait_until(
        lambda: states(cadastre.run("aws ec2 describe-ipam-pools")) == ["create-complete"] * count
    )


def allocations(cadastre: Installation, pool_id: str) -> list[Any]:
    command = f"aws ec2 get-ipam-pool-allocations --region us-east-1 --ipam-pool-id {pool_id}"
    found: list[Any] = cadastre.run(command)["IpamPoolAllocations"]
    return found


def cidr_states(cadastre: Installation, pool_id: str) -> dict[str, str]:
    command = f"aws ec2 get-ipam-pool-cidrs --region us-east-1 --ipam-pool-id {pool_id}"
    return {cidr["Cidr"]: cidr["State"] for cidr in cadastre.run(command)["IpamPoolCidrs"]}


def await_deprovisioned(cadastre: Installation, pool_id: str) -> None:
    wait_until(lambda: set(cidr_states(cadastre, pool_id).values()) <= {"deprovisioned"})
