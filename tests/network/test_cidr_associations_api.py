"""CIDR blocks added to and taken from VPCs, through gRPC, on both databases."""

import asyncio
from typing import Any

import pytest

from cadastre.network.v1 import network_service_pb2 as pb
from cadastre.network.v1 import vpc_pb2
from shared.errors import CadastreError
from tests.network.conftest import Network
from tests.network.fake_ledger import IPV4_POOL, IPV6_POOL, TAGGED_POOL, FakeLedger
from tests.network.support import UNKNOWN_ASSOCIATION, UNKNOWN_POOL, UNKNOWN_VPC, tagged

ASSOCIATED = vpc_pb2.VPC_CIDR_BLOCK_STATE_CODE_ASSOCIATED
ASSOCIATING = vpc_pb2.VPC_CIDR_BLOCK_STATE_CODE_ASSOCIATING
DISASSOCIATING = vpc_pb2.VPC_CIDR_BLOCK_STATE_CODE_DISASSOCIATING


async def test_blocks_are_added_and_taken(api: Network, ledger: FakeLedger) -> None:  # VPC-1
    vpc = await api.create(
        ipv4_ipam_pool_id=TAGGED_POOL,
        ipv4_netmask_length=24,
        tag_specifications=tagged(environment="pre-prod"),
    )
    ipv4 = await api.vpcs.call(
        pb.AssociateVpcCidrBlockRequest(
            vpc_id=vpc.vpc_id, ipv4_ipam_pool_id=TAGGED_POOL, ipv4_netmask_length=24
        )
    )
    ipv6 = await api.vpcs.call(
        pb.AssociateVpcCidrBlockRequest(
            vpc_id=vpc.vpc_id, ipv6_ipam_pool_id=IPV6_POOL, ipv6_netmask_length=56
        )
    )

    assert ipv4.vpc_id == ipv6.vpc_id == vpc.vpc_id
    assert ipv4.cidr_block_association.cidr_block == "10.9.1.0/24"
    assert ipv4.cidr_block_association.cidr_block_state.state == ASSOCIATING
    assert ipv6.ipv6_cidr_block_association.ipv6_cidr_block == "fd00:1234::/56"
    assert not ipv4.HasField("ipv6_cidr_block_association")
    [shown] = await api.describe()
    assert [a.cidr_block for a in shown.cidr_block_association_set] == [
        "10.9.0.0/24",
        "10.9.1.0/24",
    ]
    assert {a.cidr_block_state.state for a in shown.cidr_block_association_set} == {ASSOCIATED}
    assert await api.associations() == ledger.held

    for added in (ipv4.cidr_block_association, ipv6.ipv6_cidr_block_association):
        gone = await api.vpcs.call(
            pb.DisassociateVpcCidrBlockRequest(association_id=added.association_id)
        )
        states = {
            gone.cidr_block_association.cidr_block_state.state,
            gone.ipv6_cidr_block_association.ipv6_cidr_block_state.state,
        }
        assert DISASSOCIATING in states
    [shown] = await api.describe()
    assert (len(shown.cidr_block_association_set), len(shown.ipv6_cidr_block_association_set)) == (
        1,
        0,
    )


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        pytest.param({}, "MissingParameter", id="nothing asked for"),
        pytest.param(
            {"cidr_block": "10.9.0.0/16", "ipv6_ipam_pool_id": IPV6_POOL},
            "InvalidParameterCombination",
            id="two families",
        ),
        pytest.param({"cidr_block": "192.168.0.0/24"}, "InvalidVpc.Range", id="overlap, given"),
        pytest.param(
            {"ipv4_ipam_pool_id": IPV4_POOL, "cidr_block": "10.0.0.0/24"},
            "InvalidVpc.Range",
            id="overlap, this one from a pool",
        ),
        pytest.param(
            {"ipv4_ipam_pool_id": IPV4_POOL, "ipv4_netmask_length": 24},
            "InvalidVpc.Range",
            id="overlap, any from a pool",
        ),
        pytest.param(
            {"ipv4_ipam_pool_id": UNKNOWN_POOL},
            "InvalidIpamPoolId.NotFound",
            id="unknown pool",
        ),
        pytest.param(
            {"cidr_block": "10.9.0.0/16", "vpc_id": UNKNOWN_VPC},
            "InvalidVpcID.NotFound",
            id="unknown VPC",
        ),
    ],
)
async def test_a_refused_block_leaves_nothing_behind(  # VPC-1, BEY-4
    api: Network, ledger: FakeLedger, members: dict[str, Any], reason: str
) -> None:
    vpc = await api.create(cidr_block="192.168.0.0/16")
    own = pb.AssociateVpcCidrBlockRequest(vpc_id=vpc.vpc_id, cidr_block="10.0.0.0/20")
    await api.vpcs.call(own)
    before = await api.describe()

    with pytest.raises(CadastreError) as refusal:
        await api.vpcs.call(pb.AssociateVpcCidrBlockRequest(**{"vpc_id": vpc.vpc_id, **members}))

    assert refusal.value.reason == reason
    assert await api.describe() == before
    assert (len(await api.associations()), ledger.held) == (2, {})


async def test_a_vpc_has_at_most_five_blocks_of_a_family(api: Network, ledger: FakeLedger) -> None:
    vpc = await api.create(cidr_block="10.100.0.0/16")
    another = pb.AssociateVpcCidrBlockRequest(
        vpc_id=vpc.vpc_id, ipv4_ipam_pool_id=IPV4_POOL, ipv4_netmask_length=24
    )
    for _ in range(4):
        await api.vpcs.call(another)
    with pytest.raises(CadastreError) as refusal:
        await api.vpcs.call(another)
    assert refusal.value.reason == "CidrLimitExceeded"
    assert len(ledger.held) == 4


async def test_a_vpcs_rules_hold_when_many_change_it_at_once(api: Network) -> None:
    vpc = await api.create(cidr_block="10.100.0.0/16")
    third_octets = [*range(10), *range(10)]
    outcomes = await asyncio.gather(
        *(
            api.vpcs.call(
                pb.AssociateVpcCidrBlockRequest(
                    vpc_id=vpc.vpc_id, cidr_block=f"10.200.{third_octet}.0/24"
                )
            )
            for third_octet in third_octets
        ),
        return_exceptions=True,
    )
    reasons = {found.reason for found in outcomes if isinstance(found, CadastreError)}
    assert reasons <= {"CidrLimitExceeded", "InvalidVpc.Range"}
    [shown] = await api.describe()
    blocks = [found.cidr_block for found in shown.cidr_block_association_set]
    assert len(blocks) == len(set(blocks)) == 5


async def test_the_primary_block_stays(api: Network) -> None:
    vpc = await api.create(cidr_block="10.0.0.0/16")
    primary = vpc.cidr_block_association_set[0].association_id
    for association_id, reason in (
        (primary, "OperationNotPermitted"),
        (UNKNOWN_ASSOCIATION, "InvalidVpcCidrBlockAssociationID.NotFound"),
    ):
        with pytest.raises(CadastreError) as refusal:
            await api.vpcs.call(pb.DisassociateVpcCidrBlockRequest(association_id=association_id))
        assert refusal.value.reason == reason
