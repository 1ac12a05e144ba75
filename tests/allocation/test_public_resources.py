"""What addresses, public IPv4 pools and VPCs get of public space (EIP-1, EIP-2, VPC-1)."""

from typing import Any

import pytest

from cadastre.common.v1 import types_pb2
from shared.errors import CadastreError
from tests.allocation.test_check_ledger import check
from tests.allocation.world import ACCOUNT, HOME, PUBLIC, STRANGER, WEST, World, word

ZONE = "us-west-2-lax-1"
POOL = "ec2-public-ipv4-pool"
VALUE, FORBIDDEN = "InvalidParameterValue", "OperationNotPermitted"


async def refusal_of(call: Any) -> CadastreError:
    with pytest.raises(CadastreError) as refusal:
        await call
    return refusal.value


async def public_pool(world: World, **members: Any) -> str:
    """One below a top-level pool, so that it can be small."""
    top = await world.public_pool(locale="None")
    await world.proven(top, "130.137.245.0/24")
    middle = await world.define(**{**PUBLIC, "locale": "None", "source_ipam_pool_id": top})
    await world.provision(middle, netmask_length=24)
    pool = await world.define(**{**PUBLIC, "source_ipam_pool_id": middle, **members})
    await world.provision(pool, netmask_length=29)
    return pool


def addresses(*last: int) -> list[str]:
    return [f"130.137.245.{number}/32" for number in last]


async def test_addresses_come_one_after_the_other(world: World) -> None:  # EIP-2
    pool = await public_pool(world)
    await world.place(pool, strategy="IPAM_POOL_STRATEGY_RANDOM")
    named = await world.allocate_to("eip", pool, "named", cidr="130.137.245.2/32")
    assert named.ipam_pool_allocation.cidr == "130.137.245.2/32"
    made = [await world.allocate_to("eip", pool, f"t{n}") for n in range(7)]
    # The first and the last are usable.
    assert [one.ipam_pool_allocation.cidr for one in made] == addresses(0, 1, 3, 4, 5, 6, 7)
    assert (await refusal_of(world.allocate_to("eip", pool, "u"))).reason == "InsufficientCidrSpace"
    allocation = made[0].ipam_pool_allocation
    assert word(allocation, "resource_type") == "eip"
    await world.network("CancelResourceAllocation", client_token="t1")
    again = await world.allocate_to("eip", pool, "v", netmask_length=32)
    assert again.ipam_pool_allocation.cidr == "130.137.245.1/32"
    source = made[0].source_pool
    assert (source.ipam_pool_id, source.ipam_region, source.locale) == (pool, HOME, WEST)
    assert word(source, "ipam_scope_type") == "public"
    assert word(source, "public_ip_source") == "byoip"
    assert (await world.allocate_to("eip", pool, "t0")) == made[0]
    assert (await check(world)).findings == []


async def test_a_public_ipv4_pool_has_a_part_of_an_ipams(world: World) -> None:  # EIP-1
    top = await world.public_pool(allocation_default_netmask_length=24)
    await world.proven(top, "130.137.0.0/16")
    made = await world.allocate_to(POOL, top, "a", netmask_length=24)
    assert made.ipam_pool_allocation.cidr == "130.137.0.0/24"
    assert (await world.allocate_to(POOL, top, "b")).ipam_pool_allocation.cidr == "130.137.1.0/24"
    refusal = await refusal_of(world.allocate_to(POOL, top, "c", netmask_length=23))
    assert (refusal.reason, "/24 to /32" in refusal.message) == (VALUE, True)
    await world.public_pool(pool_id=top, version=2, allocation_default_netmask_length=20)
    assert (await refusal_of(world.allocate_to(POOL, top, "d"))).reason == VALUE


@pytest.mark.parametrize(
    ("locale", "region", "group", "is_there"),
    [
        pytest.param(WEST, WEST, "", True, id="region"),
        pytest.param(WEST, WEST, WEST, True, id="region as group"),
        pytest.param(ZONE, WEST, ZONE, True, id="zone"),
        pytest.param(ZONE, WEST, "", True, id="zone of the region"),
        pytest.param(WEST, WEST, ZONE, False, id="region, not the zone"),
        pytest.param(ZONE, WEST, WEST, False, id="zone, not the region"),
        pytest.param(ZONE, HOME, "", False, id="zone of another region"),
        pytest.param("None", WEST, "", False, id="nowhere"),
    ],
)
async def test_addresses_are_where_their_pool_is(
    world: World, locale: str, region: str, group: str, *, is_there: bool
) -> None:  # EIP-2, POOL-6
    pool = await public_pool(world, locale=locale)
    world.network = world.caller(ACCOUNT, region, "network")
    for kind, members in (("eip", {}), (POOL, {"netmask_length": 32})):
        call = world.allocate_to(kind, pool, kind, network_border_group=group, **members)
        if is_there:
            await call
        else:
            refusal = await refusal_of(call)
            assert (refusal.reason, locale in refusal.message) == (FORBIDDEN, True)


async def test_a_border_group_lies_in_the_callers_region(world: World) -> None:  # POOL-6
    pool = await public_pool(world, locale="us-west-2-lax-1")
    world.network = world.caller(ACCOUNT, HOME, "network")
    call = world.allocate_to("eip", pool, "t", network_border_group="us-west-2-lax-1")
    refusal = await refusal_of(call)
    assert (refusal.reason, f"use {HOME}" in refusal.message) == ("InvalidParameterValue", True)


async def test_pools_that_are_not_for_addresses_give_none(world: World) -> None:  # EIP-2
    private = await world.pool("10.0.0.0/24", locale=WEST)
    no_service = await public_pool(world, aws_service="")
    ipv6 = await world.public_pool(address_family="ipv6")
    for pool in (private, no_service, ipv6):
        for kind in ("eip", POOL):
            refusal = await refusal_of(world.allocate_to(kind, pool, kind, netmask_length=32))
            assert refusal.reason == FORBIDDEN
    refusal = await refusal_of(world.allocate_to("eip", no_service, "t", netmask_length=31))
    assert refusal.reason == FORBIDDEN


async def test_an_address_is_one_address_and_keeps_the_pools_rules(world: World) -> None:
    """EIP-2, POOL-6"""
    pool = await public_pool(world, tags={"environment": "prod"}, allocation_max_netmask_length=31)
    tags = [types_pb2.Tag(key="environment", value="prod")]
    assert "environment" in (await refusal_of(world.allocate_to("eip", pool, "t"))).message
    for members, says in (
        ({"netmask_length": 31}, "/32 to /32"),
        ({"cidr": "130.137.245.0/31"}, "/32 to /32"),
        ({}, "0-31"),
    ):
        refusal = await refusal_of(
            world.allocate_to("eip", pool, "t", resource_tags=tags, **members)
        )
        assert (refusal.reason, says in refusal.message) == (VALUE, True), refusal.message


async def test_a_shared_pool_gives_addresses_to_who_it_is_shared_with(world: World) -> None:
    """POOL-5"""
    pool = await public_pool(world, shared_with=["444455556666"])
    world.network = world.caller("444455556666", WEST, "network")
    made = await world.allocate_to("eip", pool, "t")
    assert made.ipam_pool_allocation.resource_owner == "444455556666"
    world.network = world.caller(STRANGER, WEST, "network")
    refusal = await refusal_of(world.allocate_to("eip", pool, "u"))
    assert refusal.reason == "InvalidIpamPoolId.NotFound"


async def test_amazons_space_is_everybodys(world: World) -> None:  # EIP-2, VPC-1
    first = await world.allocate_to("eip", "amazon-ipv4", "a")
    world.network = world.caller(STRANGER, HOME, "network")
    second = await world.allocate_to(
        "eip", "amazon-ipv4", "b", network_border_group="us-east-1-scl-1"
    )
    assert [one.ipam_pool_allocation.cidr for one in (first, second)] == [
        "198.18.0.0/32",
        "198.18.0.1/32",
    ]
    assert (first.source_pool.ipam_pool_id, first.source_pool.locale) == ("amazon-ipv4", "None")
    assert word(first.source_pool, "public_ip_source") == "amazon"
    vpc = await world.allocate_to("vpc", "amazon-ipv6", "c", netmask_length=56)
    assert vpc.ipam_pool_allocation.cidr == "3fff::/56"
    taken = await refusal_of(world.allocate_to("eip", "amazon-ipv4", "d", cidr="198.18.0.0/32"))
    assert "another account" in taken.message
    for kind, pool, says in (
        ("vpc", "amazon-ipv4", "of type eip"),
        ("eip", "amazon-ipv6", "of type vpc"),
        ("eip", "byoip", f"of type {POOL}"),
        ("vpc", "byoip-ipv6", "no resources"),
        (POOL, "amazon-ipv4", "of type eip"),
    ):
        refusal = await refusal_of(world.allocate_to(kind, pool, "e", netmask_length=32))
        assert (refusal.reason, says in refusal.message) == (FORBIDDEN, True), refusal.message
        assert pool not in refusal.message
    for members, says in (
        ({"cidr": "10.0.0.1/32"}, "lie in one CIDR of Amazon's space"),
        ({"netmask_length": 31}, "/32"),
    ):
        refusal = await refusal_of(world.allocate_to("eip", "amazon-ipv4", "f", **members))
        assert (refusal.reason, says in refusal.message) == (VALUE, True), refusal.message
    await world.network("CancelResourceAllocation", client_token="b")
    again = await world.allocate_to("eip", "amazon-ipv4", "g")
    assert again.ipam_pool_allocation.cidr == "198.18.0.1/32"
    assert (await check(world)).findings == []


async def test_a_vpc_gets_public_space_of_pools_for_ec2(world: World) -> None:  # VPC-1
    pool = await world.public_pool(address_family="ipv6")
    await world.proven(pool, "2605:9cc0::/48")
    made = await world.allocate_to("vpc", pool, "t", netmask_length=56)
    assert made.ipam_pool_allocation.cidr == "2605:9cc0::/56"
    other = await world.public_pool(address_family="ipv6", aws_service="")
    refusal = await refusal_of(world.allocate_to("vpc", other, "u", netmask_length=56))
    assert (refusal.reason, "ec2" in refusal.message) == (FORBIDDEN, True)


async def test_the_pool_is_told_of_private_space_as_well_and_after_its_end(world: World) -> None:
    """VPC-1"""
    pool = await world.pool("10.0.0.0/16", locale=WEST)
    made = await world.allocate_to("vpc", pool, "t", netmask_length=24)
    source = made.source_pool
    assert (source.ipam_pool_id, source.ipam_region, source.locale) == (pool, HOME, WEST)
    assert (word(source, "ipam_scope_type"), source.public_ip_source) == ("private", 0)
    await world.control_plane("RetireIpamPool", ipam_pool_id=pool, cascade=True)
    assert await world.allocate_to("vpc", pool, "t", netmask_length=24) == made
