import pytest

from services.network.cidr_blocks import (
    IPV4,
    IPV6,
    BlockMembers,
    BlockSource,
    FromPool,
    Given,
    Ipv6Members,
    ipv6_source,
)
from shared.cidr import Cidr
from shared.errors import CadastreError

POOL = "ipam-pool-0008f25d7187a08d9"
CLASH, RANGE, VALUE = "InvalidParameterCombination", "InvalidVpc.Range", "InvalidParameterValue"


@pytest.mark.parametrize(
    ("members", "source"),
    [
        pytest.param(BlockMembers(), None, id="nothing"),
        pytest.param(
            BlockMembers(cidr_block="10.0.0.0/16"), Given(Cidr.parse("10.0.0.0/16")), id="widest"
        ),
        pytest.param(
            BlockMembers(cidr_block="10.0.0.0/28"), Given(Cidr.parse("10.0.0.0/28")), id="narrowest"
        ),
        pytest.param(
            BlockMembers(cidr_block="100.68.0.18/18"),
            Given(Cidr.parse("100.68.0.0/18")),
            id="host bits are cleared",
        ),
        pytest.param(BlockMembers(ipam_pool_id=POOL), FromPool(POOL), id="default length"),
        pytest.param(
            BlockMembers(ipam_pool_id=POOL, netmask_length=24),
            FromPool(POOL, netmask_length=24),
            id="length",
        ),
        pytest.param(
            BlockMembers(ipam_pool_id=POOL, cidr_block="10.0.0.0/24"),
            FromPool(POOL, Cidr.parse("10.0.0.0/24")),
            id="exactly this one from the pool",
        ),
    ],
)
def test_where_an_ipv4_block_comes_from(  # VPC-1
    members: BlockMembers, source: BlockSource | None
) -> None:
    assert IPV4.source(members) == source


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        pytest.param(BlockMembers(cidr_block="10.0.0.0/15"), RANGE, id="too wide"),
        pytest.param(BlockMembers(cidr_block="10.0.0.0/29"), RANGE, id="too narrow"),
        pytest.param(BlockMembers(cidr_block="10.0.0.0/33"), VALUE, id="no IPv4 length"),
        pytest.param(BlockMembers(cidr_block="ten/8"), VALUE, id="no CIDR"),
        pytest.param(BlockMembers(cidr_block=""), VALUE, id="empty"),
        pytest.param(BlockMembers(cidr_block="2001:db8::/56"), VALUE, id="other family"),
        pytest.param(BlockMembers(ipam_pool_id=POOL, netmask_length=15), RANGE, id="length"),
        pytest.param(BlockMembers(netmask_length=24), CLASH, id="length without pool"),
        pytest.param(
            BlockMembers(ipam_pool_id=POOL, cidr_block="10.0.0.0/24", netmask_length=24),
            CLASH,
            id="both CIDR and length",
        ),
    ],
)
def test_an_ipv4_block_that_no_vpc_can_have(members: BlockMembers, reason: str) -> None:  # VPC-1
    with pytest.raises(CadastreError) as refusal:
        IPV4.source(members)
    assert refusal.value.reason == reason


@pytest.mark.parametrize("length", [0, 40, 43, 44, 46, 48, 52, 56, 60, 61, 64, 128])
def test_ipv6_blocks_are_44_to_60_in_steps_of_4(length: int) -> None:
    members = BlockMembers(ipam_pool_id=POOL, netmask_length=length)
    if length in (44, 48, 52, 56, 60):
        assert IPV6.source(members) == FromPool(POOL, netmask_length=length)
    else:
        with pytest.raises(CadastreError, match="/44 to /60 in steps of 4"):
            IPV6.source(members)


@pytest.mark.parametrize(
    ("members", "source"),
    [
        pytest.param(Ipv6Members(block=BlockMembers()), None, id="nothing"),
        pytest.param(
            Ipv6Members(
                block=BlockMembers(ipam_pool_id=POOL, cidr_block="2001:db8::/56"),
                network_border_group="us-west-2",
            ),
            FromPool(POOL, Cidr.parse("2001:db8::/56")),
            id="exactly this one from the pool",
        ),
    ],
)
def test_where_an_ipv6_block_comes_from(  # VPC-1
    members: Ipv6Members, source: BlockSource | None
) -> None:
    assert ipv6_source(members, "us-west-2") == source


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        pytest.param(
            Ipv6Members(block=BlockMembers(cidr_block="2001:db8::/56")), CLASH, id="from nowhere"
        ),
        pytest.param(
            Ipv6Members(
                block=BlockMembers(cidr_block="2001:db8::/56"),
                address_pool_id="ipv6pool-ec2-012345678901abcde",
            ),
            "UnsupportedOperation",
            id="BYOIP address pool",
        ),
        pytest.param(
            Ipv6Members(block=BlockMembers(), address_pool_id="ipv6pool-ec2-012345678901abcde"),
            CLASH,
            id="address pool without CIDR",
        ),
        pytest.param(
            Ipv6Members(block=BlockMembers(ipam_pool_id=POOL), is_amazon_provided=True),
            CLASH,
            id="Amazon's space and a pool",
        ),
        pytest.param(
            Ipv6Members(block=BlockMembers(), network_border_group="us-west-2"),
            CLASH,
            id="border group of nothing",
        ),
        pytest.param(
            Ipv6Members(
                block=BlockMembers(ipam_pool_id=POOL), network_border_group="us-west-2-lax-1"
            ),
            "UnsupportedOperation",
            id="Local Zone",
        ),
    ],
)
def test_an_ipv6_block_that_no_vpc_can_have(members: Ipv6Members, reason: str) -> None:  # BEY-4
    with pytest.raises(CadastreError) as refusal:
        ipv6_source(members, "us-west-2")
    assert refusal.value.reason == reason


def test_amazon_provided_space_is_a_56_of_amazons() -> None:  # VPC-1
    source = ipv6_source(Ipv6Members(block=BlockMembers(), is_amazon_provided=True), "us-west-2")
    assert source == FromPool("amazon-ipv6", netmask_length=56)
