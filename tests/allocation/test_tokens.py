from typing import Any

import pytest

from shared.errors import CadastreError
from shared.settings import Settings
from tests.allocation.world import STRANGER, World, serving


async def test_a_repeated_request_gets_the_first_answer(settings: Settings) -> None:
    # ALLOC-7, BEY-5
    async with serving(settings) as world:
        pool = await world.define()
        provisioned = await world.provision(pool, cidr="10.0.0.0/16", client_token="p")
        made = await world.allocate(pool, netmask_length=24, description="d", client_token="a")
        assert await world.provision(pool, cidr="10.0.0.0/16", client_token="p") == provisioned
    async with serving(settings) as world:
        assert await world.provision(pool, cidr="10.0.0.0/16", client_token="p") == provisioned
        again = await world.allocate(pool, netmask_length=24, description="d", client_token="a")
        assert again == made
        assert await world.allocations(pool) == [made]


@pytest.mark.parametrize(
    "members", [{"netmask_length": 25}, {"netmask_length": 24, "description": "other"}]
)
async def test_a_token_is_good_for_one_request(
    world: World, members: dict[str, Any]
) -> None:  # ALLOC-7
    pool = await world.pool("10.0.0.0/16")
    await world.allocate(pool, netmask_length=24, client_token="t")
    for also in ({}, {"dry_run": True}):
        with pytest.raises(CadastreError) as refusal:
            await world.allocate(pool, client_token="t", **members, **also)
        assert refusal.value.reason == "IdempotentParameterMismatch"
    assert len(await world.allocations(pool)) == 1


async def test_a_token_is_its_accounts_and_its_operations(world: World) -> None:  # BEY-12
    pool = await world.define()
    await world.provision(pool, cidr="10.0.0.0/16", client_token="t")
    await world.allocate(pool, netmask_length=24, client_token="t")
    theirs = await world.define(
        owner_id=STRANGER,
        ipam_id="ipam-00000000000000002",
        ipam_scope_id="ipam-scope-00000000000000002",
    )
    answer = await world.stranger(
        "ProvisionIpamPoolCidr", ipam_pool_id=theirs, cidr="10.0.0.0/16", client_token="t"
    )
    assert answer.ipam_pool_cidr.cidr == "10.0.0.0/16"


async def test_a_refusal_does_not_use_a_token_up(world: World) -> None:  # ALLOC-7
    pool = await world.pool("10.0.0.0/24")
    for also in ({"cidr": "11.0.0.0/24"}, {"netmask_length": 24, "dry_run": True}):
        with pytest.raises(CadastreError):
            await world.allocate(pool, client_token="t", **also)
    preview = await world.allocate(
        pool, netmask_length=25, client_token="t", preview_next_cidr=True
    )
    made = await world.allocate(pool, netmask_length=24, client_token="t")
    assert (preview.cidr, made.cidr) == ("10.0.0.0/25", "10.0.0.0/24")
