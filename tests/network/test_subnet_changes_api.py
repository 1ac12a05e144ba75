"""What changes of a subnet: its attributes and its IPv6 block, through gRPC (VPC-4)."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from cadastre.common.v1 import types_pb2
from cadastre.network.v1 import instance_service_pb2, vpc_pb2
from cadastre.network.v1 import subnet_service_pb2 as pb
from shared.errors import CadastreError
from tests.network.conftest import Network
from tests.network.fake_ledger import IPV6_POOL, FakeLedger, FakePool
from tests.network.support import CALLER, STRANGER
from tests.waiting import eventually

PLANNING_POOL = "ipam-pool-0000000000000001b"
UNKNOWN_SUBNET = "subnet-00000000000000000"
UNKNOWN_ASSOCIATION = "subnet-cidr-assoc-00000000000000000"
TRUE = vpc_pb2.AttributeBooleanValue(value=True)

on_sqlite_alone = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def subnet(api: Network, ledger: FakeLedger) -> pb.Subnet:
    """10.0.0.0/24, of a VPC with fd00:1234::/56, which a pool plans."""
    vpc = await api.create(
        cidr_block="10.0.0.0/16", ipv6_ipam_pool_id=IPV6_POOL, ipv6_netmask_length=56
    )
    ledger.pools[PLANNING_POOL] = FakePool("fd00:1234::/56", 64, vpc_id=vpc.vpc_id)
    return await api.create_subnet(vpc_id=vpc.vpc_id, cidr_block="10.0.0.0/24")


async def modify(api: Network, subnet_id: str, **members: Any) -> None:
    await api.subnets.call(pb.ModifySubnetAttributeRequest(subnet_id=subnet_id, **members))


async def associate(
    api: Network, subnet_id: str, **members: Any
) -> pb.SubnetIpv6CidrBlockAssociation:
    request = pb.AssociateSubnetCidrBlockRequest(subnet_id=subnet_id, **members)
    answer: pb.AssociateSubnetCidrBlockResponse = await api.subnets.call(request)
    assert answer.subnet_id == subnet_id
    return answer.ipv6_cidr_block_association


async def disassociate(api: Network, association_id: str) -> pb.DisassociateSubnetCidrBlockResponse:
    request = pb.DisassociateSubnetCidrBlockRequest(association_id=association_id)
    answer: pb.DisassociateSubnetCidrBlockResponse = await api.subnets.call(request)
    return answer


async def reason_of(call: Any) -> str:
    with pytest.raises(CadastreError) as refusal:
        await call
    return refusal.value.reason


@on_sqlite_alone
async def test_attributes_are_changed_one_at_a_time(api: Network, subnet: pb.Subnet) -> None:
    other = await api.create_subnet(vpc_id=subnet.vpc_id, cidr_block="10.0.1.0/24")
    [before, unchanged] = await api.describe_subnets()
    names = before.private_dns_name_options_on_launch
    assert names.hostname_type == pb.HOSTNAME_TYPE_IP_NAME
    for member in (
        "map_public_ip_on_launch",
        "enable_dns64",
        "enable_resource_name_dns_a_record_on_launch",
        "enable_resource_name_dns_aaaa_record_on_launch",
    ):
        await modify(api, subnet.subnet_id, **{member: TRUE})
    resource_name = {"private_dns_hostname_type_on_launch": pb.HOSTNAME_TYPE_RESOURCE_NAME}
    await modify(api, subnet.subnet_id, **resource_name)
    await modify(api, subnet.subnet_id, enable_dns64=vpc_pb2.AttributeBooleanValue(value=False))

    before.map_public_ip_on_launch = True
    names.enable_resource_name_dns_a_record = True
    names.enable_resource_name_dns_aaaa_record = True
    names.hostname_type = pb.HOSTNAME_TYPE_RESOURCE_NAME
    assert await api.describe_subnets() == [before, unchanged]
    assert unchanged.subnet_id == other.subnet_id


@on_sqlite_alone
async def test_what_is_refused_changes_no_attribute(api: Network, subnet: pb.Subnet) -> None:
    before = await api.describe_subnets()
    subnet_id = subnet.subnet_id
    assert await reason_of(modify(api, subnet_id)) == "InvalidParameterCombination"
    two = modify(api, subnet_id, map_public_ip_on_launch=TRUE, enable_dns64=TRUE)
    assert await reason_of(two) == "InvalidParameterCombination"
    # It has no IPv6 block to assign addresses of.
    assigns = modify(api, subnet_id, assign_ipv6_address_on_creation=TRUE)
    assert await reason_of(assigns) == "InvalidParameterValue"
    unknown = modify(api, UNKNOWN_SUBNET, enable_dns64=TRUE)
    assert await reason_of(unknown) == "InvalidSubnetID.NotFound"
    assert await api.describe_subnets() == before


async def test_a_subnet_gets_and_loses_its_ipv6_block(  # VPC-4, BEY-1
    api: Network, subnet: pb.Subnet, ledger: FakeLedger
) -> None:
    held = dict(ledger.held)
    added = await associate(api, subnet.subnet_id, ipv6_ipam_pool_id=PLANNING_POOL)
    state = pb.SUBNET_CIDR_BLOCK_STATE_CODE_ASSOCIATING
    assert (added.ipv6_cidr_block, added.ipv6_cidr_block_state.state) == (
        "fd00:1234::/64",
        state,
    )
    [shown] = await api.describe_subnets()
    [block] = shown.ipv6_cidr_block_association_set
    assert block.association_id == added.association_id
    assert block.ipv6_cidr_block_state.state == pb.SUBNET_CIDR_BLOCK_STATE_CODE_ASSOCIATED
    assert ledger.held == {**held, added.association_id: "fd00:1234::/64"}
    name = "ipv6-cidr-block-association.association-id"
    by_block = types_pb2.Filter(name=name, values=[added.association_id])
    assert await api.describe_subnets(filters=[by_block]) == [shown]
    again = associate(api, subnet.subnet_id, ipv6_cidr_block="fd00:1234:0:1::/64")
    assert await reason_of(again) == "OperationNotPermitted"

    await modify(api, subnet.subnet_id, assign_ipv6_address_on_creation=TRUE)
    kept = disassociate(api, added.association_id)
    assert await reason_of(kept) == "OperationNotPermitted"
    off = vpc_pb2.AttributeBooleanValue(value=False)
    await modify(api, subnet.subnet_id, assign_ipv6_address_on_creation=off)
    request = instance_service_pb2.CreateNetworkInterfaceRequest(
        subnet_id=subnet.subnet_id, ipv6_address_count=1
    )
    interface = (await api.instances.call(request)).network_interface
    in_use = disassociate(api, added.association_id)
    assert await reason_of(in_use) == "InvalidCidrBlock.InUse"
    interface_id = interface.network_interface_id
    deletion = instance_service_pb2.DeleteNetworkInterfaceRequest(network_interface_id=interface_id)
    await api.instances.call(deletion)

    removed = await disassociate(api, added.association_id)
    assert removed.subnet_id == subnet.subnet_id
    state = removed.ipv6_cidr_block_association.ipv6_cidr_block_state.state
    assert state == pb.SUBNET_CIDR_BLOCK_STATE_CODE_DISASSOCIATING
    [shown] = await api.describe_subnets()
    assert not shown.ipv6_cidr_block_association_set
    assert added.association_id not in await api.associations()
    gone = disassociate(api, added.association_id)
    assert await reason_of(gone) == "InvalidSubnetCidrBlockAssociationID.NotFound"


@on_sqlite_alone
async def test_an_ipv6_block_lies_in_the_vpcs_and_in_no_other_subnets(  # VPC-4
    api: Network, subnet: pb.Subnet
) -> None:
    await api.create_subnet(
        vpc_id=subnet.vpc_id, cidr_block="10.0.1.0/24", ipv6_cidr_block="fd00:1234:0:1::/64"
    )
    for members, reason in (
        ({"ipv6_cidr_block": "fd00:1234:0:1::/64"}, "InvalidSubnet.Conflict"),
        ({"ipv6_cidr_block": "fd00:5678::/64"}, "InvalidSubnet.Range"),
        ({"ipv6_cidr_block": "fd00:1234::/63"}, "InvalidSubnet.Range"),
        ({"ipv6_cidr_block": "10.0.2.0/24"}, "InvalidParameterValue"),
        ({"ipv6_netmask_length": 64}, "InvalidParameterCombination"),
        ({}, "MissingParameter"),
    ):
        refused = associate(api, subnet.subnet_id, **members)
        assert (members, await reason_of(refused)) == (members, reason)
    unknown = associate(api, UNKNOWN_SUBNET, ipv6_cidr_block="fd00:1234::/64")
    assert await reason_of(unknown) == "InvalidSubnetID.NotFound"
    assert await reason_of(disassociate(api, UNKNOWN_ASSOCIATION)) == (
        "InvalidSubnetCidrBlockAssociationID.NotFound"
    )


async def test_of_two_blocks_at_once_a_subnet_gets_one(  # VPC-4
    api: Network, subnet: pb.Subnet, ledger: FakeLedger
) -> None:
    held = len(ledger.held)
    outcomes = await asyncio.gather(
        *(associate(api, subnet.subnet_id, ipv6_ipam_pool_id=PLANNING_POOL) for _ in range(3)),
        return_exceptions=True,
    )
    refusals = [one.reason for one in outcomes if isinstance(one, CadastreError)]
    assert refusals == ["OperationNotPermitted"] * 2
    [shown] = await api.describe_subnets()
    [block] = shown.ipv6_cidr_block_association_set

    async def is_settled() -> bool:
        return len(ledger.held) == held + 1 and "" not in (await api.associations()).values()

    await eventually(is_settled)
    assert block.association_id in ledger.held


@on_sqlite_alone
async def test_a_strangers_subnet_is_like_none(api: Network, subnet: pb.Subnet) -> None:  # BEY-12
    added = await associate(api, subnet.subnet_id, ipv6_ipam_pool_id=PLANNING_POOL)
    stranger = replace(CALLER, account_id=STRANGER)
    for request, reason in (
        (
            pb.ModifySubnetAttributeRequest(subnet_id=subnet.subnet_id, enable_dns64=TRUE),
            "InvalidSubnetID.NotFound",
        ),
        (
            pb.AssociateSubnetCidrBlockRequest(
                subnet_id=subnet.subnet_id, ipv6_cidr_block="fd00:1234::/64"
            ),
            "InvalidSubnetID.NotFound",
        ),
        (
            pb.DisassociateSubnetCidrBlockRequest(association_id=added.association_id),
            "InvalidSubnetCidrBlockAssociationID.NotFound",
        ),
    ):
        assert await reason_of(api.subnets.call(request, caller=stranger)) == reason
