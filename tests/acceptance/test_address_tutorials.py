"""The guide's tutorials of contiguous elastic addresses and of planning a VPC, by AWS CLI."""

import ipaddress
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.command_lines import HOME, IPAM, IPAM_ID, CommandLine, states
from tests.acceptance.installation import Installation
from tests.waiting import wait_until

pytestmark = pytest.mark.acceptance


@pytest.fixture
def aws(cadastre: Installation) -> CommandLine:
    return CommandLine(cadastre)


@pytest.fixture
def ipam(aws: CommandLine) -> Iterator[Any]:
    ipam = aws("ec2 create-ipam")["Ipam"]
    wait_until(lambda: states(aws("ec2 describe-ipams")["Ipams"]) == ["create-complete"])
    yield ipam
    aws(f"ec2 delete-ipam --ipam-id {ipam['IpamId']}")
    wait_until(lambda: aws("ec2 describe-ipams")["Ipams"] == [])


def test_sequential_elastic_addresses_come_of_a_contiguous_block(
    aws: CommandLine, ipam: Any
) -> None:  # PROV-5, EIP-2, EIP-3
    pool = aws.pool(
        f"--ipam-scope-id {ipam['PublicDefaultScopeId']} --address-family ipv4 --locale us-east-1"
        " --aws-service ec2 --public-ip-source amazon"
    )
    block = aws.provision(pool, "--netmask-length 29")
    assert block["NetmaskLength"] == 29
    provision = f"ec2 provision-ipam-pool-cidr --ipam-pool-id {pool}"
    assert "/29" in str(aws.refusal(f"{provision} --netmask-length 28"))
    expected = list(map(str, ipaddress.ip_network(block["Cidr"])))

    allocate = f"ec2 allocate-address --ipam-pool-id {pool}"
    addresses = [aws(allocate) for _ in range(3)]
    addresses.append(aws(f"{allocate} --address {expected[7]}"))
    assert [a["PublicIp"] for a in addresses] == [*expected[:3], expected[7]]
    assert {a["PublicIpv4Pool"] for a in addresses} == {pool}
    machine = aws.an_instance(IPAM, HOME)
    associate = f"ec2 associate-address --instance-id {machine.instance_id} --public-ip"
    association = aws(f"{associate} {expected[1]}")["AssociationId"]
    held = aws.allocations(pool, region=HOME)
    assert [one["Cidr"] for one in held] == [
        f"{address}/32" for address in (*expected[:3], expected[7])
    ]
    assert {(one["ResourceType"], one["ResourceOwner"], one["ResourceRegion"]) for one in held} == {
        ("eip", IPAM_ID, HOME)
    }
    transfer = (
        f"ec2 enable-address-transfer --allocation-id {addresses[0]['AllocationId']}"
        " --transfer-account-id 444455556666"
    )
    assert aws.refusal(transfer).code == "OperationNotPermitted"

    aws(f"ec2 disassociate-address --association-id {association}")
    for address in addresses:
        aws(f"ec2 release-address --allocation-id {address['AllocationId']}")
    machine.clean_up()
    wait_until(lambda: aws.allocations(pool, region=HOME) == [])
    aws.deprovision(pool, block["Cidr"])
    aws.delete_pool(pool)


@pytest.mark.parametrize("cadastre", ["sqlite"], indirect=True)
def test_a_vpcs_space_is_planned_and_given_to_its_subnets(
    aws: CommandLine, ipam: Any
) -> None:  # VPC-3, VPC-4
    vpc = aws("ec2 create-vpc --cidr-block 10.0.0.0/20")["Vpc"]["VpcId"]
    source = f"ResourceId={vpc},ResourceType=vpc,ResourceRegion=us-east-1,ResourceOwner={IPAM_ID}"
    scope = ipam["PrivateDefaultScopeId"]
    create = f"--ipam-scope-id {scope} --address-family ipv4"
    # Discovery has to have seen the VPC.
    dry_run = f"ec2 create-ipam-pool --dry-run {create} --source-resource {source}"
    wait_until(lambda: is_seen(aws, dry_run))
    plan = aws.pool(f"{create} --source-resource {source}")
    assert "10.0.0.0/20" in str(
        aws.refusal(f"ec2 provision-ipam-pool-cidr --ipam-pool-id {plan} --cidr 10.0.0.0/21")
    )
    aws.provision(plan, "--cidr 10.0.0.0/20")
    subnets = []
    for name, cidr in (("dev", "10.0.0.0/24"), ("prod", "10.0.1.0/24")):
        pool = aws.pool(f"{create} --source-ipam-pool-id {plan} --description {name}")
        [shown] = aws(f"ec2 describe-ipam-pools --ipam-pool-ids {pool}")["IpamPools"]
        assert (shown["Locale"], shown["SourceResource"]["ResourceId"]) == (HOME, vpc)
        aws.provision(pool, f"--cidr {cidr}")
        made = aws(
            f"ec2 create-subnet --vpc-id {vpc} --ipv4-ipam-pool-id {pool} --ipv4-netmask-length 28"
        )["Subnet"]
        assert made["CidrBlock"] == cidr.replace("/24", "/28")
        [held] = aws.allocations(pool, region=HOME)
        assert (held["ResourceId"], held["ResourceType"]) == (made["SubnetId"], "subnet")
        subnets.append(made)
    refusal = aws.refusal(f"ec2 create-vpc --ipv4-ipam-pool-id {plan} --ipv4-netmask-length 28")
    assert vpc in str(refusal)

    aws(f"ec2 delete-ipam-pool --ipam-pool-id {plan} --cascade")
    wait_until(lambda: aws("ec2 describe-ipam-pools")["IpamPools"] == [])
    # The subnets stay with their CIDRs; these come from no pool any more.
    kept = aws("ec2 describe-subnets")["Subnets"]
    assert [one["CidrBlock"] for one in kept] == [one["CidrBlock"] for one in subnets]
    for subnet in subnets:
        aws(f"ec2 delete-subnet --subnet-id {subnet['SubnetId']}")
    aws(f"ec2 delete-vpc --vpc-id {vpc}")


def is_seen(aws: CommandLine, dry_run: str) -> bool:
    """Discovery knows what the pool is to plan; until then creating it is refused."""
    code = aws.refusal(dry_run).code
    assert code in ("DryRunOperation", "InvalidParameterValue")
    return code == "DryRunOperation"
