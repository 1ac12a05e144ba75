from typing import Any

import pytest

from cadastre.common.v1 import types_pb2
from shared.errors import CadastreError
from tests.allocation.world import ACCOUNT, ELSEWHERE, HOME, STRANGER, WEST, World, word

VALUE, COMBINATION = "InvalidParameterValue", "InvalidParameterCombination"


async def test_space_is_reserved_by_hand(world: World) -> None:  # ALLOC-1, ALLOC-2, ALLOC-4
    pool = await world.pool("10.0.0.0/16", locale=WEST)
    tags = types_pb2.TagSpecification(
        resource_type="ipam-pool-allocation", tags=[types_pb2.Tag(key="site", value="Berlin")]
    )
    answer = await world.west(
        "AllocateIpamPoolCidr",
        ipam_pool_id=pool,
        netmask_length=24,
        description="on-premises",
        tag_specifications=[tags],
    )
    made = answer.ipam_pool_allocation
    assert (made.cidr, made.description) == ("10.0.0.0/24", "on-premises")
    assert (word(made, "resource_type"), made.resource_owner) == ("custom", ACCOUNT)
    assert (made.resource_region, made.HasField("resource_id")) == (WEST, False)
    assert [(tag.key, tag.value) for tag in made.tags] == [("site", "Berlin")]
    assert await world.allocations(pool) == [made]


@pytest.mark.parametrize(
    ("members", "cidr"),
    [
        pytest.param({"cidr": "10.0.7.0/24"}, "10.0.7.0/24", id="by CIDR"),
        pytest.param({"netmask_length": 20}, "10.0.0.0/20", id="by length"),
        pytest.param({}, "10.0.0.0/22", id="by the default length"),
        pytest.param(
            {"netmask_length": 24, "allowed_cidrs": ["10.0.128.0/17"]},
            "10.0.128.0/24",
            id="allowed",
        ),
        pytest.param(
            {"netmask_length": 24, "disallowed_cidrs": ["10.0.0.0/23"]},
            "10.0.2.0/24",
            id="disallowed",
        ),
    ],
)
async def test_a_block_is_chosen(
    world: World, members: dict[str, Any], cidr: str
) -> None:  # ALLOC-1
    pool = await world.pool("10.0.0.0/16", allocation_default_netmask_length=22)
    preview = await world.allocate(pool, preview_next_cidr=True, client_token="t", **members)
    assert (preview.cidr, preview.HasField("ipam_pool_allocation_id")) == (cidr, False)
    assert await world.allocations(pool) == []
    assert (await world.allocate(pool, client_token="t", **members)).cidr == cidr


@pytest.mark.parametrize(
    ("members", "reason", "says"),
    [
        pytest.param({}, "MissingParameter", "no default netmask length", id="nothing"),
        pytest.param(
            {"cidr": "10.0.0.0/24", "netmask_length": 24}, COMBINATION, "NetmaskLength", id="both"
        ),
        pytest.param(
            {"cidr": "10.0.0.0/24", "allowed_cidrs": ["10.0.0.0/16"]},
            COMBINATION,
            "AllowedCidrs",
            id="lists with a CIDR",
        ),
        pytest.param({"cidr": "10.0.0.1/24"}, VALUE, "'10.0.0.0/24'", id="host bits"),
        pytest.param({"cidr": "fd80::/64"}, VALUE, "ipv4", id="other family"),
        pytest.param({"netmask_length": 33}, VALUE, "0-32", id="no such length"),
        pytest.param({"cidr": "11.0.0.0/24"}, VALUE, "10.0.0.0/16", id="outside the pool"),
        pytest.param({"cidr": "10.0.255.0/24"}, VALUE, "10.0.255.128/25", id="taken"),
        pytest.param({"netmask_length": 19}, VALUE, "20-28", id="wider than the rule"),
        pytest.param({"cidr": "10.0.0.0/29"}, VALUE, "20-28", id="narrower than the rule"),
        pytest.param(
            {"netmask_length": 24, "allowed_cidrs": ["10.0.0.0/25"]},
            "InsufficientCidrSpace",
            "/25",
            id="too little allowed",
        ),
        pytest.param(
            {"netmask_length": 24, "disallowed_cidrs": ["here"]},
            VALUE,
            "disallowedCidrs.1",
            id="no CIDR in the list",
        ),
        pytest.param(
            {"netmask_length": 24, "allowed_cidrs": ["fd80::/64"]}, VALUE, "ipv4", id="list family"
        ),
    ],
)
async def test_a_reservation_is_refused_precisely(
    world: World, members: dict[str, Any], reason: str, says: str
) -> None:  # ALLOC-1, POOL-6
    rules = {"allocation_min_netmask_length": 20, "allocation_max_netmask_length": 28}
    pool = await world.pool("10.0.0.0/16", **rules)
    await world.allocate(pool, cidr="10.0.255.128/25")
    for also in ({}, {"dry_run": True}, {"preview_next_cidr": True}):
        with pytest.raises(CadastreError) as refusal:
            await world.allocate(pool, **members, **also)
        assert refusal.value.reason == reason
        assert says in refusal.value.message
    assert len(await world.allocations(pool)) == 1


async def test_tag_and_locale_rules_are_for_resources_only(world: World) -> None:  # POOL-3, POOL-4
    pool = await world.pool("10.0.0.0/16", tags={"environment": "pre-prod"})
    assert (await world.allocate(pool, netmask_length=24)).cidr == "10.0.0.0/24"


async def test_a_pool_without_cidrs_tells_so(world: World) -> None:  # POOL-7
    pool = await world.define()
    for wanted in ({"netmask_length": 24}, {"cidr": "10.0.0.0/24"}):
        with pytest.raises(CadastreError, match="no CIDR provisioned") as refusal:
            await world.allocate(pool, **wanted)
        assert refusal.value.reason == "InsufficientCidrSpace"


async def test_a_full_pool_tells_what_is_left(world: World) -> None:
    pool = await world.pool("10.0.0.0/24")
    await world.allocate(pool, netmask_length=25)
    await world.allocate(pool, netmask_length=26)
    with pytest.raises(CadastreError) as refusal:
        await world.allocate(pool, netmask_length=25)
    assert refusal.value.reason == "InsufficientCidrSpace"
    assert refusal.value.metadata == {
        "space": f"'{pool}'",
        "netmask_length": "25",
        "largest_free": "26",
    }


@pytest.mark.parametrize(
    ("account", "region", "is_seen"),
    [
        pytest.param(ACCOUNT, HOME, True, id="owner at home"),
        pytest.param(ACCOUNT, WEST, True, id="owner in the locale"),
        pytest.param(ACCOUNT, ELSEWHERE, False, id="owner elsewhere"),
        pytest.param(STRANGER, HOME, False, id="another account"),
        pytest.param(STRANGER, WEST, False, id="another account in the locale"),
    ],
)
async def test_a_pool_is_its_owners_at_home_and_in_its_locale(
    world: World, account: str, region: str, *, is_seen: bool
) -> None:  # POOL-5, BEY-12
    pool = await world.pool("10.0.0.0/16", locale=WEST)
    held = await world.allocate(pool, netmask_length=24)
    caller = world.caller(account, region)
    held_id = held.ipam_pool_allocation_id
    calls: dict[str, dict[str, Any]] = {
        "GetIpamPoolCidrs": {},
        "GetIpamPoolAllocations": {},
        "AllocateIpamPoolCidr": {"netmask_length": 24},
        "ReleaseIpamPoolAllocation": {"cidr": held.cidr, "ipam_pool_allocation_id": held_id},
    }
    for rpc, members in calls.items():
        if is_seen:
            await caller(rpc, ipam_pool_id=pool, **members)
        else:
            with pytest.raises(CadastreError) as refusal:
                await caller(rpc, ipam_pool_id=pool, **members)
            assert refusal.value.reason == "InvalidIpamPoolId.NotFound"
    remaining = [found.ipam_pool_allocation_id for found in await world.allocations(pool)]
    assert (held_id in remaining) is not is_seen


async def test_tags_for_another_kind_of_thing_are_refused(world: World) -> None:
    pool = await world.pool("10.0.0.0/16")
    tags = types_pb2.TagSpecification(resource_type="ipam-pool")
    with pytest.raises(CadastreError, match="ipam-pool-allocation"):
        await world.allocate(pool, netmask_length=24, tag_specifications=[tags])


async def test_ipv6_is_counted_in_full(world: World) -> None:
    pool = await world.pool("fd80::/9")
    await world.allocate(pool, netmask_length=10)
    usage = await world.usage(pool)
    assert (usage.total_addresses, usage.assigned_addresses) == (str(1 << 119), str(1 << 118))
    assert (usage.cidr_count, usage.allocation_count) == (1, 1)
