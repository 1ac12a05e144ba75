"""Many requests in one call, each for itself or all or nothing (BEY-8)."""

import asyncio
from typing import Any

import pytest

from cadastre.allocation.v1 import allocation_service_pb2 as pb
from shared.errors import CadastreError, DryRunOperation
from shared.settings import Settings
from tests.allocation.world import HOME, STRANGER, UNKNOWN_ALLOCATION, UNKNOWN_POOL, World, serving


def wanted(pool_id: str, **members: Any) -> pb.AllocateIpamPoolCidrRequest:
    return pb.AllocateIpamPoolCidrRequest(ipam_pool_id=pool_id, **members)


def unwanted(pool_id: str, allocation: Any) -> pb.ReleaseIpamPoolAllocationRequest:
    return pb.ReleaseIpamPoolAllocationRequest(
        ipam_pool_id=pool_id,
        cidr=allocation.cidr,
        ipam_pool_allocation_id=allocation.ipam_pool_allocation_id,
    )


async def allocate_all(world: World, *requests: Any, **members: Any) -> list[Any]:
    answer = await world.owner("BatchAllocateIpamPoolCidrs", requests=requests, **members)
    return list(answer.outcomes)


async def release_all(world: World, *requests: Any, **members: Any) -> list[Any]:
    answer = await world.owner("BatchReleaseIpamPoolAllocations", requests=requests, **members)
    return list(answer.outcomes)


def shown(outcomes: list[Any]) -> list[str]:
    """CIDRs and reasons."""
    return [o.refusal.reason or o.ipam_pool_allocation.cidr for o in outcomes]


async def figures(world: World, *pools: str) -> list[Any]:
    return [(await world.allocations(pool), await world.usage(pool)) for pool in pools]


async def test_each_request_has_its_own_outcome(world: World) -> None:
    one, other = await world.pool("10.0.0.0/24"), await world.pool("10.1.0.0/24")
    outcomes = await allocate_all(
        world,
        wanted(one, netmask_length=26),
        wanted(one, netmask_length=8),
        wanted(other, cidr="10.1.0.128/25", description="theirs"),
        wanted(UNKNOWN_POOL, netmask_length=26),
        wanted(other, cidr="10.1.0.192/28"),
        wanted(one, netmask_length=26),
    )
    assert shown(outcomes) == [
        "10.0.0.0/26",
        "InsufficientCidrSpace",
        "10.1.0.128/25",
        "InvalidIpamPoolId.NotFound",
        "InvalidParameterValue",
        "10.0.0.64/26",
    ]
    assert outcomes[4].refusal.metadata["in_the_way"] == "10.1.0.128/25"
    assert outcomes[2].ipam_pool_allocation.description == "theirs"
    made = [outcomes[number].ipam_pool_allocation for number in (0, 5)]
    assert await world.allocations(one) == made

    released = await release_all(
        world, unwanted(one, made[0]), unwanted(other, made[1]), unwanted(one, made[0])
    )
    assert [outcome.refusal.reason for outcome in released] == [
        "",
        "InvalidIpamPoolAllocationId.NotFound",
        "InvalidIpamPoolAllocationId.NotFound",
    ]
    assert await world.allocations(one) == [made[1]]


async def test_all_or_nothing_across_pools(world: World) -> None:
    one, other = await world.pool("10.0.0.0/24"), await world.pool("10.1.0.0/24")
    held = await world.allocate(one, cidr="10.0.0.0/28")
    before = await figures(world, one, other)
    with pytest.raises(CadastreError) as refusal:
        await allocate_all(
            world,
            wanted(one, netmask_length=26, client_token="first"),
            # Names what is in the way, for which the ledger has to write what it has so far.
            wanted(other, netmask_length=25),
            wanted(one, cidr="10.0.0.0/27"),
            all_or_nothing=True,
        )
    assert refusal.value.reason == "InvalidParameterValue"
    assert refusal.value.message.startswith("requests.3: ")
    assert held.ipam_pool_allocation_id in refusal.value.message
    assert await figures(world, one, other) == before

    outcomes = await allocate_all(
        world,
        wanted(one, netmask_length=26, client_token="first"),
        wanted(other, netmask_length=25),
        all_or_nothing=True,
    )
    assert shown(outcomes) == ["10.0.0.64/26", "10.1.0.0/25"]


async def test_a_refused_release_gives_nothing_back(world: World) -> None:
    pool = await world.pool("10.0.0.0/24")
    made = [await world.allocate(pool, netmask_length=28) for _ in range(3)]
    before = await figures(world, pool)
    gone = pb.ReleaseIpamPoolAllocationRequest(
        ipam_pool_id=pool, cidr="10.0.0.0/28", ipam_pool_allocation_id=UNKNOWN_ALLOCATION
    )
    with pytest.raises(CadastreError) as refusal:
        await release_all(world, *(unwanted(pool, a) for a in made), gone, all_or_nothing=True)
    assert refusal.value.reason == "InvalidIpamPoolAllocationId.NotFound"
    assert refusal.value.metadata["request_number"] == "4"
    assert await figures(world, pool) == before
    with pytest.raises(CadastreError):
        await world.allocate(pool, cidr=made[0].cidr)
    await release_all(world, *(unwanted(pool, a) for a in made), all_or_nothing=True)
    assert await world.allocations(pool) == []


async def test_a_refused_batch_harms_nobody_beside_it(world: World) -> None:
    pool = await world.pool("10.0.0.0/16")
    taken = await world.allocate(pool, netmask_length=24)
    doomed = [wanted(pool, netmask_length=28) for _ in range(20)]
    outcomes = await asyncio.gather(
        *(
            call
            for number in range(20)
            for call in (
                world.allocate(pool, netmask_length=28, client_token=f"t{number}"),
                allocate_all(world, *doomed, wanted(pool, cidr=taken.cidr), all_or_nothing=True),
            )
        ),
        return_exceptions=True,
    )
    made = [found for found in outcomes if not isinstance(found, BaseException)]
    assert len({allocation.cidr for allocation in made}) == len(made) == 20
    assert len(await world.allocations(pool)) == 21
    # Taken without a hole: what was undone is free again.
    assert max(a.cidr for a in made) == "10.0.2.48/28"


async def test_a_dry_run_does_nothing(world: World) -> None:
    pool = await world.pool("10.0.0.0/24")
    before = await figures(world, pool)
    for requests, reason in (
        ([wanted(pool, netmask_length=25)] * 2, DryRunOperation.reason),
        ([wanted(pool, netmask_length=25)] * 3, "InsufficientCidrSpace"),
    ):
        with pytest.raises(CadastreError) as refusal:
            await allocate_all(world, *requests, dry_run=True)
        assert refusal.value.reason == reason
    assert await figures(world, pool) == before


@pytest.mark.parametrize("all_or_nothing", [False, True])
async def test_a_repeated_batch_gets_its_first_answers(
    settings: Settings, all_or_nothing: bool
) -> None:  # ALLOC-7, BEY-5
    requests: list[Any] = []
    async with serving(settings) as world:
        pool = await world.pool("10.0.0.0/24")
        requests = [wanted(pool, netmask_length=28, client_token=f"t{n % 4}") for n in range(6)]
        first = await allocate_all(world, *requests, all_or_nothing=all_or_nothing)
        assert first[:2] == first[4:]
        assert len(await world.allocations(pool)) == 4
    async with serving(settings) as world:
        again = await allocate_all(world, *requests, all_or_nothing=all_or_nothing)
        assert again == first
        assert len(await world.allocations(pool)) == 4


@pytest.mark.parametrize(
    ("requests", "reason"),
    [
        ([], "MissingParameter"),
        ([wanted("ipam-pool-00000000000000001", netmask_length=28)] * 2001, "InvalidParameter"),
        ([wanted("", netmask_length=28)], "MissingParameter"),
        ([wanted("ipam-pool-00000000000000001", netmask_length=129)], "InvalidParameterValue"),
        ([wanted("ipam-pool-00000000000000001", cidr="10.0.0.1/24")], "InvalidParameterValue"),
        ([wanted("ipam-pool-00000000000000001", dry_run=True)], "InvalidParameterCombination"),
        (
            [wanted("ipam-pool-00000000000000001", preview_next_cidr=True)],
            "InvalidParameterCombination",
        ),
    ],
)
async def test_what_could_never_be_done_is_refused_before_anything_is(
    world: World, requests: list[Any], reason: str
) -> None:
    pool = await world.pool("10.0.0.0/24")
    with pytest.raises(CadastreError) as refusal:
        await allocate_all(
            world, *([wanted(pool, netmask_length=28)] if requests else ()), *requests
        )
    assert refusal.value.reason.startswith(reason)
    assert await world.allocations(pool) == []


async def test_a_stranger_gets_nothing_of_a_batch(world: World) -> None:  # BEY-12
    pool = await world.pool("10.0.0.0/24")
    stranger = world.caller(STRANGER, HOME)
    answer = await stranger(
        "BatchAllocateIpamPoolCidrs", requests=[wanted(pool, netmask_length=28)]
    )
    assert shown(answer.outcomes) == ["InvalidIpamPoolId.NotFound"]
