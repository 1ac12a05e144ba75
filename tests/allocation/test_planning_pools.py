"""Pools that plan the space of a VPC (VPC-3, VPC-4)."""

from typing import Any

import pytest

from shared.errors import CadastreError
from tests.allocation.test_check_ledger import check
from tests.allocation.world import ACCOUNT, WEST, World

VPC, OTHER_VPC = "vpc-00000000000000001", "vpc-00000000000000002"
VALUE, FORBIDDEN = "InvalidParameterValue", "OperationNotPermitted"
PLANNING = {"source_resource_id": VPC, "locale": WEST}


async def see(world: World, vpc_id: str, *cidrs: str, gone: tuple[str, ...] = ()) -> None:
    def told(some: tuple[str, ...]) -> list[dict[str, str]]:
        whose = {"vpc_id": vpc_id, "owner_id": ACCOUNT, "region": WEST}
        return [{"cidr": cidr, **whose} for cidr in some]

    await world.discovery("ReportVpcCidrs", seen=told(cidrs), gone=told(gone))


async def refusal_of(call: Any) -> CadastreError:
    with pytest.raises(CadastreError) as refusal:
        await call
    return refusal.value


async def test_a_planning_pool_has_a_cidr_of_its_vpc(world: World) -> None:  # VPC-3, SCP-1
    scope_pool = await world.pool("10.0.0.0/8", locale=WEST)
    await world.allocate_to_vpc(scope_pool, "t", cidr="10.0.0.0/20")
    await see(world, VPC, "10.0.0.0/20", "10.1.0.0/20")
    pool = await world.define(**PLANNING)
    # In the scope it is part of a pool already, and stays so.
    await world.provision(pool, cidr="10.0.0.0/20")
    other = await world.define(**PLANNING)
    taken = await refusal_of(world.provision(other, cidr="10.0.0.0/20"))
    assert (taken.reason, pool in taken.message) == (VALUE, True)
    await world.provision(other, netmask_length=20)
    assert await world.cidrs(other) == {"10.1.0.0/20": "provisioned"}
    await see(world, OTHER_VPC, "10.0.0.0/20")
    await world.provision(
        await world.define(**{**PLANNING, "source_resource_id": OTHER_VPC}), netmask_length=20
    )
    # What becomes of the VPC later is no matter.
    await see(world, VPC, gone=("10.0.0.0/20",))
    assert await world.cidrs(pool) == {"10.0.0.0/20": "provisioned"}
    assert (await check(world)).findings == []


@pytest.mark.parametrize(
    ("members", "reason", "says"),
    [
        pytest.param({"cidr": "10.2.0.0/20"}, VALUE, "10.0.0.0/20, 10.1.0.0/20", id="not a VPC's"),
        pytest.param({"cidr": "10.0.0.0/24"}, VALUE, "10.0.0.0/20, 10.1.0.0/20", id="a part"),
        pytest.param({"netmask_length": 20}, VALUE, "2 of that length", id="which of two"),
        pytest.param({"netmask_length": 21}, VALUE, "none of that length", id="no such length"),
        pytest.param({}, "MissingParameter", "Cidr or NetmaskLength", id="nothing"),
    ],
)
async def test_a_planning_pools_cidr_is_refused_precisely(
    world: World, members: dict[str, Any], reason: str, says: str
) -> None:  # VPC-3
    await see(world, VPC, "10.0.0.0/20", "10.1.0.0/20", "2600:1f00::/56")
    pool = await world.define(**PLANNING)
    refusal = await refusal_of(world.provision(pool, **members))
    assert (refusal.reason, says in refusal.message) == (reason, True), refusal.message
    assert await world.cidrs(pool) == {}


async def test_public_space_of_a_vpc_is_planned_too(world: World) -> None:  # VPC-3
    top = await world.public_pool(address_family="ipv6")
    await world.proven(top, "2605:9cc0::/48")
    answer = await world.allocate_to("vpc", top, "t", netmask_length=56)
    cidr = answer.ipam_pool_allocation.cidr
    await see(world, VPC, cidr)
    pool = await world.define(**PLANNING, address_family="ipv6", ipam_scope_type="public")
    await world.provision(pool, netmask_length=56)
    subnet = await world.allocate_to("subnet", pool, "s", netmask_length=64, vpc_id=VPC)
    assert subnet.ipam_pool_allocation.cidr == "2605:9cc0::/64"
    assert (await check(world)).findings == []


async def planned(world: World) -> tuple[str, str]:
    await see(world, VPC, "10.0.0.0/20")
    pool = await world.define(**PLANNING)
    await world.provision(pool, netmask_length=20)
    below = await world.define(**PLANNING, source_ipam_pool_id=pool)
    await world.provision(below, netmask_length=24)
    return pool, below


async def test_subnets_have_space_of_their_vpcs_pools(world: World) -> None:  # VPC-4
    pool, below = await planned(world)
    first = await world.allocate_to("subnet", below, "a", netmask_length=28, vpc_id=VPC)
    assert first.ipam_pool_allocation.cidr == "10.0.0.0/28"
    assert first.source_pool.ipam_pool_id == below
    second = await world.allocate_to("subnet", pool, "b", netmask_length=24, vpc_id=VPC)
    assert second.ipam_pool_allocation.cidr == "10.0.1.0/24"
    private = await world.pool("11.0.0.0/16", locale=WEST)
    for kind, pool_id, members, reason, says in (
        ("subnet", pool, {"vpc_id": OTHER_VPC}, FORBIDDEN, f"lies in '{OTHER_VPC}'"),
        ("subnet", pool, {}, "MissingParameter", "VpcId"),
        ("subnet", private, {"vpc_id": VPC}, FORBIDDEN, "pools that plan their VPC"),
        ("vpc", pool, {}, FORBIDDEN, "for subnets in there"),
        ("eip", pool, {}, FORBIDDEN, "IPv4 pool of a public scope"),
    ):
        wanted = {"netmask_length": 32 if kind == "eip" else 28, **members}
        refusal = await refusal_of(world.allocate_to(kind, pool_id, "c", **wanted))
        assert (refusal.reason, says in refusal.message) == (reason, True), refusal.message


async def test_a_vpc_in_use_is_in_the_way_of_no_subnet(world: World) -> None:  # VPC-4, BEY-3
    pool, _ = await planned(world)
    # The VPC is not managed, and so is a subnet that was there before.
    await world.observe("10.0.0.0/20", resource_id=VPC)
    await world.observe("10.0.1.0/24", resource_id="subnet-9")
    made = await world.allocate_to("subnet", pool, "a", netmask_length=24, vpc_id=VPC)
    assert made.ipam_pool_allocation.cidr == "10.0.2.0/24"
    refusal = await refusal_of(
        world.allocate_to("subnet", pool, "b", cidr="10.0.1.0/25", vpc_id=VPC)
    )
    assert "10.0.1.0/24, which is in use" in refusal.message
    await world.allocate_to("subnet", pool, "c", cidr="10.0.3.0/24", vpc_id=VPC)


async def test_what_vpcs_have_is_listed_in_pages(world: World) -> None:  # VPC-3
    await see(world, OTHER_VPC, "10.0.0.0/16")
    for _ in range(2):
        await see(world, VPC, "10.1.0.0/16", "10.0.0.0/16", "2600:1f00::/56")
    await see(world, VPC, gone=("10.1.0.0/16", "10.9.0.0/16"))
    everything = [(VPC, "10.0.0.0/16"), (VPC, "2600:1f00::/56"), (OTHER_VPC, "10.0.0.0/16")]
    for vpc_ids, wanted in (([], everything), ([VPC], everything[:2])):
        found, token = [], ""
        while True:
            page = await world.discovery(
                "ListVpcCidrs", vpc_ids=vpc_ids, max_results=2, next_token=token
            )
            found += [(one.vpc_id, one.cidr) for one in page.vpc_cidrs]
            token = page.next_token
            if not token:
                break
        assert found == wanted
    assert {(one.owner_id, one.region) for one in page.vpc_cidrs} == {(ACCOUNT, WEST)}
    refusal = await refusal_of(see(world, VPC, "10.0.0.1/16"))
    assert "seen.1.cidr" in refusal.message


async def test_a_pools_vpc_never_changes(world: World) -> None:
    pool, _ = await planned(world)
    with pytest.raises(CadastreError, match="immutable"):
        await world.define(pool, version=2, source_resource_id=OTHER_VPC, locale=WEST)


async def test_a_planning_pool_goes_with_all_it_has(world: World) -> None:  # POOL-7
    pool, below = await planned(world)
    await world.allocate_to("subnet", below, "a", netmask_length=28, vpc_id=VPC)
    for pool_id in (below, pool):
        await world.control_plane("RetireIpamPool", ipam_pool_id=pool_id, cascade=True)
    again = await world.define(**PLANNING)
    await world.provision(again, cidr="10.0.0.0/20")
    assert (await check(world)).findings == []
