"""What of public space accounts may use where, and what keeps it in its pools (BYOIP-4, ASN-2)."""

from typing import Any

import pytest

from shared.errors import CadastreError
from tests.allocation.test_amazon_space import AMAZON
from tests.allocation.test_check_ledger import check
from tests.allocation.world import ACCOUNT, HOME, PUBLIC, STRANGER, WEST, World, word

RANGE = "130.137.245.0/24"


async def listed(world: World, account_id: str, region: str, **members: Any) -> list[Any]:
    answer = await world.control_plane(
        "ListPublicCidrs", account_id=account_id, region=region, **members
    )
    return list(answer.public_cidrs)


async def test_public_cidrs_are_told_by_who_uses_them_and_where(world: World) -> None:  # BYOIP-4
    pool = await world.public_pool(locale=WEST, shared_with=["444455556666"])
    zone = await world.public_pool(locale="us-west-2-lax-1")
    away = await world.public_pool(locale=HOME)
    nowhere = await world.public_pool(locale="None")
    amazon = await world.define(**AMAZON)
    contiguous = await world.provision(amazon, netmask_length=30)
    private = await world.pool("130.0.0.0/16", locale=WEST)
    await world.proven(pool, "131.0.0.0/24")
    await world.proven(zone, RANGE)
    await world.proven(away, "132.0.0.0/24")
    await world.proven(nowhere, "133.0.0.0/16")
    below = await world.define(**{**PUBLIC, "source_ipam_pool_id": nowhere})
    await world.provision(below, netmask_length=24)
    await world.bring(pool, "134.0.0.0/24")
    [gone] = await world.proven(pool, "135.0.0.0/24")
    await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool, cidr=gone.cidr)
    found = await listed(world, ACCOUNT, WEST)
    assert [(one.cidr, one.ipam_pool_id) for one in found] == [
        (RANGE, zone),
        ("131.0.0.0/24", pool),
        ("133.0.0.0/24", below),
        (contiguous.cidr, amazon),
    ]
    assert private not in {one.ipam_pool_id for one in found}
    first = found[0]
    assert (first.owner_id, first.ipam_id) == (ACCOUNT, "ipam-00000000000000001")
    assert (first.locale, word(first, "aws_service")) == ("us-west-2-lax-1", "ec2")
    assert [word(one, "public_ip_source") for one in found] == ["byoip"] * 3 + ["amazon"]
    assert [one.cidr for one in await listed(world, "444455556666", WEST)] == ["131.0.0.0/24"]
    assert [one.cidr for one in await listed(world, ACCOUNT, HOME)] == ["132.0.0.0/24"]
    assert [one.cidr for one in await listed(world, ACCOUNT, "None")] == ["133.0.0.0/16"]
    assert await listed(world, STRANGER, WEST) == await listed(world, STRANGER, "None") == []
    assert [one.cidr for one in await listed(world, ACCOUNT, WEST, cidr=RANGE)] == [RANGE]
    assert await listed(world, ACCOUNT, WEST, cidr="131.0.0.0/16") == []


async def test_public_cidrs_come_in_pages(world: World) -> None:  # BEY-6
    pools = [await world.public_pool() for _ in range(2)]
    cidrs = [f"130.0.{number}.0/24" for number in range(7)]
    for number, cidr in enumerate(cidrs):
        await world.proven(pools[number % 2], cidr)
    seen, token = [], ""
    while True:
        page = await world.control_plane(
            "ListPublicCidrs", account_id=ACCOUNT, region=WEST, max_results=3, next_token=token
        )
        seen += [one.cidr for one in page.public_cidrs]
        token = page.next_token
        if not token:
            break
    assert seen == cidrs


async def pin(world: World, cidr: Any, reason: str) -> None:
    pool_cidr_id = cidr.ipam_pool_cidr_id
    await world.control_plane("PinPoolCidr", ipam_pool_cidr_id=pool_cidr_id, reason=reason)


async def unpin(world: World, cidr: Any) -> None:
    await world.control_plane("UnpinPoolCidr", ipam_pool_cidr_id=cidr.ipam_pool_cidr_id)


async def test_a_pinned_cidr_stays(world: World) -> None:  # BYOIP-4, ASN-2
    pool = await world.public_pool()
    [found, other] = await world.proven(pool, RANGE, "131.0.0.0/24")
    await pin(world, found, "it is associated with ASN 64496; disassociate it first")
    await pin(world, found, "it is advertised; withdraw it first")
    with pytest.raises(CadastreError, match="it is advertised; withdraw it first") as refusal:
        await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool, cidr=RANGE)
    assert refusal.value.reason == "DependencyViolation"
    await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool, cidr=other.cidr)
    for _ in range(2):
        await unpin(world, found)
    await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool, cidr=RANGE)
    await unpin(world, found)
    with pytest.raises(CadastreError) as gone:
        await pin(world, found, "it is advertised")
    assert gone.value.reason == "InvalidIpamPoolCidr.NotFound"


async def test_no_pin_outlives_its_pool(world: World) -> None:
    pool = await world.public_pool()
    [found] = await world.proven(pool, RANGE)
    await pin(world, found, "it is advertised")
    await world.control_plane("RetireIpamPool", ipam_pool_id=pool, cascade=True)
    again = await world.public_pool()
    await world.proven(again, RANGE)
    await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=again)
    assert (await check(world)).findings == []


async def test_only_services_pin(world: World) -> None:
    [found] = await world.proven(await world.public_pool(), RANGE)
    for rpc in ("PinPoolCidr", "UnpinPoolCidr"):
        members = {"reason": "x"} if rpc == "PinPoolCidr" else {}
        with pytest.raises(CadastreError) as refusal:
            await world.owner(rpc, ipam_pool_cidr_id=found.ipam_pool_cidr_id, **members)
        assert refusal.value.reason == "UnauthorizedOperation"
