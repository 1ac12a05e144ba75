import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.network.cidr_blocks import BlockMembers, BlockSource, FamilyRules, FromPool, Given
from services.network.resource import CidrAssociation, PublicIpSource, SourcePool
from services.network.subnet import (
    IPV4,
    IPV6,
    Subnet,
    check_place,
    check_unused,
    placed,
    usable,
)
from services.network.vpc import Tenancy, Vpc
from shared.cidr import Cidr
from shared.errors import CadastreError

POOL = "ipam-pool-0008f25d7187a08d9"
AMAZON = SourcePool(
    ipam_region="",
    locale="any",
    is_public=True,
    public_ip_source=PublicIpSource.AMAZON,
    publicly_advertisable=True,
)
VPC = Vpc(
    vpc_id="vpc-1",
    owner_id="123456789012",
    region="us-west-2",
    instance_tenancy=Tenancy.DEFAULT,
    tags={},
    associations=(
        CidrAssociation("vpc-cidr-assoc-1", Cidr.parse("10.0.0.0/16")),
        CidrAssociation("vpc-cidr-assoc-2", Cidr.parse("10.1.0.0/24")),
        CidrAssociation("vpc-cidr-assoc-3", Cidr.parse("3fff::/56"), source_pool=AMAZON),
    ),
)


def subnet(number: int, *cidrs: str) -> Subnet:
    return Subnet(
        subnet_id=f"subnet-{number}",
        vpc_id=VPC.vpc_id,
        owner_id=VPC.owner_id,
        region=VPC.region,
        availability_zone="us-west-2a",
        tags={},
        associations=tuple(
            CidrAssociation(f"subnet-cidr-assoc-{number}{place}", Cidr.parse(cidr))
            for place, cidr in enumerate(cidrs)
        ),
    )


@pytest.mark.parametrize(
    ("rules", "members", "source"),
    [
        pytest.param(IPV4, BlockMembers(), None, id="nothing"),
        pytest.param(
            IPV4, BlockMembers(cidr_block="10.0.0.0/16"), Given(Cidr.parse("10.0.0.0/16")), id="/16"
        ),
        pytest.param(
            IPV4, BlockMembers(cidr_block="10.0.0.9/28"), Given(Cidr.parse("10.0.0.0/28")), id="/28"
        ),
        pytest.param(IPV4, BlockMembers(ipam_pool_id=POOL), FromPool(POOL), id="a pool's default"),
        pytest.param(
            IPV6,
            BlockMembers(ipam_pool_id=POOL, netmask_length=64),
            FromPool(POOL, netmask_length=64),
            id="/64",
        ),
        pytest.param(
            IPV6, BlockMembers(cidr_block="fd00::/44"), Given(Cidr.parse("fd00::/44")), id="/44"
        ),
    ],
)
def test_a_subnets_block_is_given_or_from_a_pool(  # VPC-4
    rules: FamilyRules, members: BlockMembers, source: BlockSource | None
) -> None:
    assert rules.source(members) == source


@pytest.mark.parametrize(
    ("rules", "members", "reason"),
    [
        (IPV4, BlockMembers(cidr_block="10.0.0.0/15"), "InvalidSubnet.Range"),
        (IPV4, BlockMembers(cidr_block="10.0.0.0/29"), "InvalidSubnet.Range"),
        (IPV4, BlockMembers(ipam_pool_id=POOL, netmask_length=29), "InvalidSubnet.Range"),
        (IPV6, BlockMembers(cidr_block="fd00::/62"), "InvalidSubnet.Range"),
        (IPV6, BlockMembers(cidr_block="fd00::/68"), "InvalidSubnet.Range"),
        (IPV6, BlockMembers(cidr_block="fd00::/40"), "InvalidSubnet.Range"),
        (IPV4, BlockMembers(cidr_block="fd00::/64"), "InvalidParameterValue"),
        (IPV6, BlockMembers(cidr_block="10.0.0.0/24"), "InvalidParameterValue"),
        (IPV4, BlockMembers(cidr_block="10.0.0.0"), "InvalidParameterValue"),
        (IPV4, BlockMembers(netmask_length=24), "InvalidParameterCombination"),
    ],
)
def test_what_subnets_cannot_have_is_refused(
    rules: FamilyRules, members: BlockMembers, reason: str
) -> None:
    with pytest.raises(CadastreError) as refusal:
        rules.source(members)
    assert refusal.value.reason == reason


@pytest.mark.parametrize(
    ("cidr", "around"),
    [("10.0.9.0/24", 0), ("10.1.0.0/24", 1), ("3fff:0:0:1::/64", 2), ("3fff::/56", 2)],
)
def test_a_subnet_lies_in_a_block_of_its_vpc(cidr: str, around: int) -> None:
    assert check_place(Cidr.parse(cidr), VPC, []) == VPC.associations[around]


@pytest.mark.parametrize(
    ("cidr", "reason"),
    [
        pytest.param("10.2.0.0/24", "InvalidSubnet.Range", id="in no block"),
        pytest.param("10.1.0.0/23", "InvalidSubnet.Range", id="wider than the block"),
        pytest.param("10.0.0.0/15", "InvalidSubnet.Range", id="across two blocks"),
        pytest.param("3fff:0:0:100::/64", "InvalidSubnet.Range", id="in no IPv6 block"),
        pytest.param("10.0.4.0/24", "InvalidSubnet.Conflict", id="another subnet's"),
        pytest.param("10.0.4.16/28", "InvalidSubnet.Conflict", id="in another subnet's"),
        pytest.param("10.0.0.0/21", "InvalidSubnet.Conflict", id="around another subnet's"),
        pytest.param("3fff:0:0:4::/64", "InvalidSubnet.Conflict", id="another subnet's IPv6"),
    ],
)
def test_a_subnet_is_refused_elsewhere(cidr: str, reason: str) -> None:  # VPC-4
    others = [subnet(1, "10.0.8.0/24"), subnet(2, "10.0.4.0/24", "3fff:0:0:4::/64")]
    with pytest.raises(CadastreError) as refusal:
        check_place(Cidr.parse(cidr), VPC, others)
    assert refusal.value.reason == reason
    if reason == "InvalidSubnet.Conflict":
        assert refusal.value.metadata["subnet_id"] == "subnet-2"


def test_a_block_in_which_a_subnet_lies_stays() -> None:
    others = [subnet(1, "10.0.8.0/24", "3fff::/64")]
    check_unused(Cidr.parse("10.1.0.0/24"), VPC, others)
    for block in ("10.0.0.0/16", "3fff::/56"):
        with pytest.raises(CadastreError, match="currently has a subnet within") as refusal:
            check_unused(Cidr.parse(block), VPC, others)
        assert refusal.value.reason == "InvalidCidrBlock.InUse"


def test_a_given_block_is_of_the_space_that_the_vpcs_block_is_of() -> None:
    own = CidrAssociation("subnet-cidr-assoc-1", Cidr.parse("3fff::/64"))
    assert placed(own, VPC.associations[2]).source_pool == AMAZON
    assert placed(own, VPC.associations[0]).source_pool is None


@given(st.integers(0, 2**32 - 1), st.integers(16, 28))
def test_five_addresses_of_each_subnet_are_reserved(address: int, length: int) -> None:
    network = ipaddress.ip_network((address, length), strict=False)
    first, last = int(network.network_address), int(network.broadcast_address)
    numbers = usable(Cidr.parse(str(network)))
    assert set(range(first, last + 1)) - set(numbers) == {*range(first, first + 4), last}
    assert subnet(1, str(network)).free_addresses(used=3) == network.num_addresses - 8


def test_the_ledger_learns_the_vpc_of_a_subnet() -> None:  # VPC-4
    holder = subnet(1, "10.0.8.0/24").holder
    assert (holder.resource_type, holder.vpc_id) == ("subnet", "vpc-1")
