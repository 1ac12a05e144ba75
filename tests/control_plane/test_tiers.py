"""What the free tier keeps from other accounts (IPAM-4, IPAM-5)."""

from typing import Any

import pytest

from shared.errors import CadastreError
from tests.control_plane.share_world import Company, a_company
from tests.control_plane.world import HOME, Client, World, settled
from tests.waiting import eventually


async def public_pool(company: Company) -> Any:
    """One that the free tier may have."""
    owner = company.client.acting_as(company.owner)
    scope_id = company.ipam.public_default_scope_id
    pool = await owner.create_pool(scope_id, locale=HOME, aws_service="ec2")
    return await settled(owner, pool.ipam_pool_id, "create-complete")


async def test_on_the_free_tier_nobody_else_allocates(control: Client, world: World) -> None:
    company = await a_company(control)
    owner, pool = control.acting_as(company.owner), await public_pool(company)
    await company.share(pool.ipam_pool_arn, principals=[company.developer])

    async def told(*users: str) -> bool:
        return list(world.ledger.definitions[pool.ipam_pool_id].shared_with) == list(users)

    assert await told(company.developer)
    await owner("ModifyIpam", ipam_id=company.ipam.ipam_id, tier="free")
    await eventually(told)
    # What is shared stays shared, for the day that the tier is another again.
    await owner("ModifyIpam", ipam_id=company.ipam.ipam_id, tier="advanced")
    await eventually(lambda: told(company.developer))


async def test_the_free_tier_is_refused_while_others_have_allocations(
    control: Client, world: World
) -> None:
    company = await a_company(control)
    owner, pool = control.acting_as(company.owner), await public_pool(company)
    world.ledger.foreign[pool.ipam_pool_id] = "ipam-pool-alloc-1"
    for dry_run in (True, False):
        with pytest.raises(CadastreError, match="ipam-pool-alloc-1") as refusal:
            await owner("ModifyIpam", ipam_id=company.ipam.ipam_id, tier="free", dry_run=dry_run)
        assert refusal.value.reason == "DependencyViolation"
    [ipam] = await owner.ipams()
    assert ipam.tier == company.ipam.tier
