"""Overlap of resources, against comparing all pairs (MON-3)."""

from ipaddress import IPv4Network, IPv6Network, ip_network

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.discovery.evaluation.model import Candidate, OverlapStatus
from services.discovery.evaluation.overlap import overlapping, positions
from shared.cidr import AddressFamily, Cidr
from tests.discovery.evaluation.support import (
    IGNORED,
    MOVED,
    OTHER_REGION,
    PUBLIC,
    allocated,
    eip,
    foreign,
    judgement,
    marked,
    pool,
    public_pool,
    reserved,
    subnet,
    vpc,
)

Network = IPv4Network | IPv6Network


@st.composite
def owned_networks(draw: st.DrawFn) -> list[tuple[Network, int]]:
    """Of one family: crowded at both ends of its space, and in the middle, with few owners."""
    is_ipv4 = draw(st.booleans())
    bits = 32 if is_ipv4 else 128
    near = st.sampled_from([0, 1 << (bits // 2), (1 << bits) - 32])
    lengths = st.integers(bits - 5, bits) | st.integers(0, bits)
    drawn = st.lists(st.tuples(near, st.integers(0, 31), lengths, st.integers(0, 3)), max_size=25)
    owned: list[tuple[Network, int]] = []
    for base, offset, length, owner in draw(drawn):
        block = (base + offset, length)
        network: Network = IPv4Network(block, False) if is_ipv4 else IPv6Network(block, False)
        owned.append((network, owner))
    return owned


@example(
    [
        (IPv4Network("0.0.0.0/30"), 0),
        (IPv4Network("0.0.0.2/31"), 1),
        (IPv4Network("0.0.0.3/32"), 0),
        (IPv4Network("0.0.0.0/32"), 0),
    ]
)
@given(owned_networks())
def test_a_block_overlaps_when_another_owners_shares_an_address_with_it(
    owned: list[tuple[Network, int]],
) -> None:
    cidrs = [Cidr.parse(str(network)) for network, _ in owned]
    family = cidrs[0].family if cidrs else AddressFamily.IPV4
    owners = np.array([owner for _, owner in owned], np.int64)
    found = overlapping(*positions(cidrs, family), owners).tolist()
    assert found == [
        any(owner != other and _overlap(network, against) for against, other in owned)
        for network, owner in owned
    ]


def _overlap(left: Network, right: Network) -> bool:
    return ip_network(left).overlaps(ip_network(right))


OVERLAPPING, NONOVERLAPPING = OverlapStatus.OVERLAPPING, OverlapStatus.NONOVERLAPPING
IPV4_POOL = pool("pool-1", "10.0.0.0/8")
PUBLIC_IPV4_POOL = pool("pool-2", "10.0.0.0/8", scope_id=PUBLIC)
PLAN = pool("pool-3", "10.0.0.0/16", plans_vpc="vpc-1")
ONE = vpc(1, "10.0.0.0/16")


@pytest.mark.parametrize(
    ("other", "status"),
    [
        (vpc(2, "10.0.128.0/17"), OVERLAPPING),
        (vpc(2, "10.0.0.0/8"), OVERLAPPING),
        (vpc(2, "10.0.0.0/16", region=OTHER_REGION, owner_id="222222222222"), OVERLAPPING),
        (vpc(2, "10.1.0.0/16"), NONOVERLAPPING),
        (vpc(2, "::a00:0/112"), NONOVERLAPPING),
        (vpc(1, "10.0.0.0/17"), NONOVERLAPPING),
        (vpc(1, "10.0.0.0/16", row_id=2, region=OTHER_REGION), OVERLAPPING),
        (foreign(ONE), OVERLAPPING),
        (foreign(ONE, cidr=Cidr.parse("10.0.0.0/17")), OVERLAPPING),
        (subnet(2, "10.0.0.0/24", "vpc-1"), NONOVERLAPPING),
        (subnet(2, "10.0.0.0/24", "vpc-9"), NONOVERLAPPING),
        (eip(2, "10.0.0.1/32"), NONOVERLAPPING),
    ],
)
def test_a_vpc_overlaps_other_vpcs_of_its_scope(
    other: Candidate, status: OverlapStatus
) -> None:  # MON-3
    """Of another account or region it is another one, though both are called the same."""
    assert judgement(ONE, other).overlap_status is status


@pytest.mark.parametrize(
    ("pool_id", "cidr", "status"),
    [
        ("pool-1", "10.0.0.0/26", OVERLAPPING),
        ("pool-1", "10.1.0.0/26", NONOVERLAPPING),
        ("pool-2", "10.0.0.0/26", NONOVERLAPPING),
        ("pool-3", "10.0.0.0/26", NONOVERLAPPING),
    ],
)
def test_manual_allocations_of_the_scope_overlap(
    pool_id: str, cidr: str, status: OverlapStatus
) -> None:  # ALLOC-4, MON-3
    pools = [IPV4_POOL, PUBLIC_IPV4_POOL, PLAN]
    found = judgement(ONE, pools=pools, allocations=[reserved(pool_id, cidr)])
    assert found.overlap_status is status


def test_a_resource_does_not_overlap_its_own_allocation() -> None:
    found = judgement(ONE, pools=[IPV4_POOL], allocations=[allocated("pool-1", ONE)])
    assert found.overlap_status is NONOVERLAPPING


def test_ignored_and_moved_resources_are_left_out() -> None:  # MON-3, MON-6
    other = vpc(2, "10.0.0.0/16")
    for marking in (IGNORED, MOVED):
        assert judgement(ONE, other, markings={marked(other): marking}).overlap_status is (
            NONOVERLAPPING
        )
    ignored = judgement(ONE, other, markings={marked(ONE): IGNORED})
    assert ignored.overlap_status is OverlapStatus.IGNORED


def test_elastic_addresses_lie_in_a_pool_that_is_there() -> None:  # MON-3
    whole, inside = public_pool(1, "203.0.113.0/24"), eip(2, "203.0.113.1/32", "ipv4pool-ec2-1")
    stray = eip(2, "203.0.113.1/32", "ipv4pool-ec2-9")
    assert judgement(whole, inside).overlap_status is NONOVERLAPPING
    assert judgement(whole, foreign(inside)).overlap_status is OVERLAPPING
    assert judgement(inside, whole).overlap_status is None
    assert judgement(whole, stray).overlap_status is OVERLAPPING
    assert judgement(stray, whole).overlap_status is OVERLAPPING


def test_subnets_have_no_overlap_status() -> None:  # MON-3
    assert judgement(subnet(1, "10.0.0.0/24", "vpc-1"), ONE).overlap_status is None
