"""What network and discovery build on."""

from typing import Any

import pytest

from cadastre.common.v1 import types_pb2
from shared.errors import CadastreError
from tests.allocation.world import ACCOUNT, HOME, STRANGER, UNKNOWN_ALLOCATION, WEST, World, word

PRE_PROD = {"environment": "pre-prod"}


async def test_a_resource_gets_a_block(world: World) -> None:  # ALLOC-2, VPC-1
    pool = await world.pool("10.0.0.0/16", locale=WEST, tags=PRE_PROD)
    tags = [types_pb2.Tag(key="environment", value="pre-prod"), types_pb2.Tag(key="x", value="y")]
    made = await world.allocate_to_vpc(pool, "token", netmask_length=24, resource_tags=tags)
    assert (made.cidr, made.resource_id) == ("10.0.0.0/24", "vpc-00000000000000001")
    assert (made.resource_owner, made.resource_region) == (ACCOUNT, WEST)
    assert word(made, "resource_type") == "vpc"
    assert await world.allocations(pool) == [made]


@pytest.mark.parametrize(
    ("members", "reason", "says"),
    [
        pytest.param({"netmask_length": 24}, "InvalidParameterValue", "environment", id="no tags"),
        pytest.param(
            {"netmask_length": 24, "tags": {"environment": "prod"}},
            "InvalidParameterValue",
            "environment=pre-prod",
            id="another value",
        ),
        pytest.param(
            {"netmask_length": 19, "tags": PRE_PROD},
            "InvalidParameterValue",
            "20-32",
            id="too wide",
        ),
        pytest.param(
            {"cidr": "11.0.0.0/24", "tags": PRE_PROD},
            "InvalidParameterValue",
            "10.0.0.0/16",
            id="outside",
        ),
        pytest.param({"tags": PRE_PROD}, "MissingParameter", "Cidr or NetmaskLength", id="nothing"),
        pytest.param(
            {
                "netmask_length": 24,
                "tags": PRE_PROD,
                "resource_type": "IPAM_POOL_ALLOCATION_RESOURCE_TYPE_CUSTOM",
            },
            "InvalidParameterValue",
            "custom",
            id="no resource",
        ),
    ],
)
async def test_a_resource_must_keep_every_rule(
    world: World, members: dict[str, Any], reason: str, says: str
) -> None:  # POOL-6
    pool = await world.pool(
        "10.0.0.0/16", locale=WEST, tags=PRE_PROD, allocation_min_netmask_length=20
    )
    wanted = {key: value for key, value in members.items() if key != "tags"}
    tags = [types_pb2.Tag(key=k, value=v) for k, v in members.get("tags", {}).items()]
    with pytest.raises(CadastreError) as refusal:
        await world.allocate_to_vpc(pool, "token", resource_tags=tags, **wanted)
    assert refusal.value.reason == reason
    assert says in refusal.value.message
    # A refusal doesn't use the token up.
    good = [types_pb2.Tag(key="environment", value="pre-prod")]
    await world.allocate_to_vpc(pool, "token", resource_tags=good, netmask_length=24)


@pytest.mark.parametrize("locale", ["None", "eu-west-1"])
async def test_a_resource_must_be_in_the_pools_locale(
    world: World, locale: str
) -> None:  # POOL-3, POOL-6
    pool = await world.pool("10.0.0.0/16", locale=locale)
    with pytest.raises(CadastreError, match=f"is {locale}, so no resource in us-west-2") as refusal:
        await world.allocate_to_vpc(pool, "token", netmask_length=24)
    assert refusal.value.reason == "OperationNotPermitted"


async def test_a_pool_is_for_its_owners_resources(world: World) -> None:  # POOL-5, BEY-12
    pool = await world.pool("10.0.0.0/16", locale=WEST)
    world.network = world.caller(STRANGER, WEST, "network")
    with pytest.raises(CadastreError) as refusal:
        await world.allocate_to_vpc(pool, "token", netmask_length=24)
    assert refusal.value.reason == "InvalidIpamPoolId.NotFound"


async def test_only_services_speak_for_resources(world: World) -> None:
    pool = await world.pool("10.0.0.0/16", locale=WEST)
    world.network = world.west
    with pytest.raises(CadastreError) as refusal:
        await world.allocate_to_vpc(pool, "token", netmask_length=24)
    assert refusal.value.reason == "UnauthorizedOperation"


async def test_a_token_names_one_block_of_a_service_for_ever(world: World) -> None:  # ALLOC-7
    pool = await world.pool("10.0.0.0/16", locale=WEST)
    first = await world.allocate_to_vpc(pool, "token", netmask_length=24)
    assert await world.allocate_to_vpc(pool, "token", netmask_length=24) == first
    with pytest.raises(CadastreError) as refusal:
        await world.allocate_to_vpc(pool, "token", netmask_length=25)
    assert refusal.value.reason == "IdempotentParameterMismatch"
    world.network = world.caller(ACCOUNT, WEST, "discovery")
    assert (await world.allocate_to_vpc(pool, "token", netmask_length=24)).cidr == "10.0.1.0/24"


async def test_a_cancelled_token_gives_its_block_back_and_no_other(world: World) -> None:
    pool = await world.pool("10.0.0.0/16", locale=WEST)
    await world.allocate_to_vpc(pool, "used", netmask_length=24)
    for token in ("used", "unused"):
        for _ in range(2):
            await world.network("CancelResourceAllocation", client_token=token)
        assert await world.allocations(pool) == []
        for also in ({}, {"dry_run": True}):
            with pytest.raises(CadastreError, match=token) as refusal:
                await world.allocate_to_vpc(pool, token, netmask_length=24, **also)
            assert refusal.value.reason == "IncorrectState"
    # Another service's token of that name is another token.
    world.network = world.caller(ACCOUNT, WEST, "discovery")
    await world.allocate_to_vpc(pool, "used", netmask_length=24)


async def test_what_is_cancelled_was_nobodys_and_need_not_rest(world: World) -> None:  # IPAM-6
    pool = await world.pool("10.0.0.0/24", locale=WEST)
    await world.place(pool, cool_down_seconds=3600)
    await world.allocate_to_vpc(pool, "lost", netmask_length=24)
    await world.network("CancelResourceAllocation", client_token="lost")
    assert (await world.allocate_to_vpc(pool, "again", netmask_length=24)).cidr == "10.0.0.0/24"


async def test_a_token_is_cancelled_after_its_pool_is_gone(world: World) -> None:
    pool = await world.pool("10.0.0.0/16", locale=WEST)
    await world.allocate_to_vpc(pool, "token", netmask_length=24)
    await world.control_plane("RetireIpamPool", ipam_pool_id=pool, cascade=True)
    await world.network("CancelResourceAllocation", client_token="token")
    with pytest.raises(CadastreError) as refusal:
        await world.allocate_to_vpc(pool, "token", netmask_length=24)
    assert refusal.value.reason == "IncorrectState"


async def test_gone_resources_give_back_what_they_held(world: World) -> None:  # ALLOC-5
    pools = [await world.pool(f"10.{n}.0.0/16", locale=WEST) for n in range(2)]
    held = [await world.allocate_to_vpc(pool, pool, netmask_length=24) for pool in pools]
    by_hand = await world.allocate(pools[0], netmask_length=24)
    ids = [found.ipam_pool_allocation_id for found in (*held, by_hand)]
    answer = await world.network(
        "ReleaseResourceAllocations", ipam_pool_allocation_ids=[*ids, UNKNOWN_ALLOCATION]
    )
    assert sorted(answer.released_ipam_pool_allocation_ids) == sorted(ids[:2])
    assert [await world.allocations(pool) for pool in pools] == [[by_hand], []]
    again = await world.network("ReleaseResourceAllocations", ipam_pool_allocation_ids=ids)
    assert not again.released_ipam_pool_allocation_ids


async def test_a_services_allocations_are_listed_by_id_in_pages(world: World) -> None:
    pool = await world.pool("10.0.0.0/16", locale=WEST)
    await world.allocate(pool, netmask_length=24)
    made = {
        held.ipam_pool_allocation_id: (token, held.cidr)
        for token in ("a", "b", "c")
        for held in [await world.allocate_to_vpc(pool, token, netmask_length=24)]
    }
    found: list[Any] = []
    token = ""
    while True:
        page = await world.caller("", "", "discovery")(
            "ListResourceAllocations", service="network", max_results=2, next_token=token
        )
        found += page.resource_allocations
        token = page.next_token
        if not token:
            break
    assert [held.ipam_pool_allocation_id for held in found] == sorted(made)
    assert {held.ipam_pool_allocation_id: (held.client_token, held.cidr) for held in found} == made
    assert {held.resource_id for held in found} == {"vpc-00000000000000001"}
    other = await world.caller(ACCOUNT, HOME, "discovery")(
        "ListResourceAllocations", service="discovery"
    )
    assert not other.resource_allocations


async def test_a_dry_run_takes_nothing_and_keeps_the_token_unused(world: World) -> None:
    pool = await world.pool("10.0.0.0/16", locale=WEST)
    with pytest.raises(CadastreError) as refusal:
        await world.allocate_to_vpc(pool, "token", netmask_length=24, dry_run=True)
    assert refusal.value.reason == "DryRunOperation"
    assert await world.allocations(pool) == []
    await world.allocate_to_vpc(pool, "token", netmask_length=25)
