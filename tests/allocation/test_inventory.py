"""What discovery reads of an IPAM, and resources that it has the ledger take in."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from cadastre.allocation.v1 import pool_allocation_pb2
from shared.cidr import Cidr
from shared.errors import CadastreError
from shared.rpc.enums import enum_number
from shared.settings import Settings
from tests.allocation.test_check_ledger import check
from tests.allocation.test_watch import watching
from tests.allocation.world import (
    A_VPC,
    ACCOUNT,
    ELSEWHERE,
    IPAM,
    PUBLIC,
    STRANGER,
    UNKNOWN_ALLOCATION,
    UNKNOWN_POOL,
    WEST,
    World,
    serving,
    word,
)
from tests.postgres import DIALECTS

OTHER_IPAM, PLANNED = "ipam-0000000000000000f", "vpc-0000000000000000f"
RECORDS = {
    "ListPools": "pools",
    "ListPoolUsages": "pool_usages",
    "ListAllocations": "allocations",
}


async def listed(world: World, rpc: str, ipam_id: str = IPAM, size: int = 2) -> list[Any]:
    """All records, in pages of ``size``, which are full but for the last."""
    found: list[Any] = []
    token = ""
    while True:
        page = await world.discovery(rpc, ipam_id=ipam_id, max_results=size, next_token=token)
        records, token = getattr(page, RECORDS[rpc]), page.next_token
        found += records
        if not token:
            return found
        assert len(records) == size


async def services(world: World, ipam_id: str = IPAM) -> dict[str, str]:
    """By CIDR, the service that made the allocation."""
    return {found.cidr: found.service for found in await listed(world, "ListAllocations", ipam_id)}


async def released(world: World, *allocation_ids: str) -> Sequence[str]:
    answer = await world.discovery(
        "ReleaseResourceAllocations", ipam_pool_allocation_ids=allocation_ids
    )
    return list(answer.released_ipam_pool_allocation_ids)


def resource_type(kind: str) -> int:
    number = enum_number(pool_allocation_pb2.IpamPoolAllocationResourceType.DESCRIPTOR, kind)
    assert number
    return number


async def test_an_ipams_pools_are_told_with_their_rules_and_cidrs(world: World) -> None:  # MON-4
    pool = await world.pool(
        "10.1.0.0/16",
        "10.0.0.0/16",
        locale=WEST,
        allocation_min_netmask_length=0,
        allocation_default_netmask_length=24,
        tags={"environment": "pre-prod"},
        auto_import=True,
        shared_with=[STRANGER],
    )
    await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool, cidr="10.1.0.0/16")
    await world.provision(pool, cidr="10.2.0.0/16")
    [found] = await listed(world, "ListPools")
    assert list(found.cidrs) == ["10.0.0.0/16", "10.2.0.0/16"]
    told = found.definition
    assert (told.ipam_pool_id, told.version, told.ipam_id) == (pool, 1, IPAM)
    assert (told.owner_id, told.locale, told.auto_import) == (ACCOUNT, WEST, True)
    assert told.allocation_min_netmask_length == 0
    assert told.allocation_default_netmask_length == 24
    assert not told.HasField("allocation_max_netmask_length")
    assert [(tag.key, tag.value) for tag in told.allocation_resource_tags] == [
        ("environment", "pre-prod")
    ]
    assert not told.shared_with
    await world.define(pool, version=2, locale=WEST, shared_with=[STRANGER])
    [changed] = await listed(world, "ListPools")
    assert (changed.definition.version, changed.definition.auto_import) == (2, False)


async def test_what_was_told_of_a_pool_defines_it_as_it_is(world: World) -> None:
    public = {**PUBLIC, "public_ip_source": "amazon"}
    quota = {"blocks": 2, "min_netmask_length": 30, "max_netmask_length": 32}
    await world.define(**public, amazon_block_quota=quota, publicly_advertisable=True)
    await world.define(source_resource_id="vpc-1", enable_private_gua=True)
    before = await listed(world, "ListPools")
    assert [found.definition.source_ipam_pool_id for found in before] == ["", ""]
    for found in before:
        found.definition.version += 1
        await world.control_plane("PutIpamPool", definition=found.definition)
    assert await listed(world, "ListPools") == before


@pytest.mark.parametrize("rpc", ["ListPools", "ListPoolUsages"])
async def test_pools_are_listed_by_id_without_others_and_retired_ones(
    world: World, rpc: str
) -> None:
    pools = [await world.define() for _ in range(5)]
    await world.define(ipam_id=OTHER_IPAM)
    for gone in (pools.pop(), UNKNOWN_POOL):
        await world.control_plane("RetireIpamPool", ipam_pool_id=gone)
    for size in (1, 2, 3, 4, 100):
        found = await listed(world, rpc, size=size)
        assert [record.definition.ipam_pool_id for record in found] == sorted(pools)
    assert await listed(world, rpc, "ipam-0000000000000000e") == []
    [record] = await listed(world, rpc, OTHER_IPAM)
    assert record.definition.ipam_id == OTHER_IPAM


async def test_a_page_of_pools_is_a_hundred_unless_told(world: World) -> None:
    await asyncio.gather(*(world.define() for _ in range(101)))
    page = await world.discovery("ListPools", ipam_id=IPAM)
    rest = await world.discovery("ListPools", ipam_id=IPAM, next_token=page.next_token)
    assert (len(page.pools), len(rest.pools), rest.next_token) == (100, 1, "")


async def test_allocations_are_told_with_the_service_that_made_them(world: World) -> None:
    pool = await world.pool("10.0.0.0/16", locale=WEST)
    child = await world.define(source_ipam_pool_id=pool)
    await world.provision(child, cidr="10.0.8.0/24")
    await world.allocate(pool, cidr="10.0.0.0/24")
    await world.allocate_to_vpc(pool, "token", cidr="10.0.1.0/24")
    imported = await world.import_one(pool, "10.0.2.0/24")
    await world.allocate(child, cidr="10.0.8.0/26")
    await world.hold(pool, cidr="10.0.9.0/24")
    other = await world.pool("11.0.0.0/16", ipam_id=OTHER_IPAM)
    await world.allocate(other, cidr="11.0.0.0/24")
    assert await services(world) == {
        "10.0.0.0/24": "",
        "10.0.1.0/24": "network",
        "10.0.2.0/24": "discovery",
        "10.0.8.0/26": "",
    }
    found = {record.cidr: record for record in await listed(world, "ListAllocations")}
    record = found["10.0.2.0/24"]
    assert record.ipam_pool_allocation_id == imported
    assert (record.ipam_pool_id, word(record, "resource_type")) == (pool, "vpc")
    assert record.resource_id == A_VPC["resource_id"]
    assert (record.resource_region, record.resource_owner) == (ELSEWHERE, STRANGER)
    assert (found["10.0.0.0/24"].resource_id, word(found["10.0.0.0/24"], "resource_type")) == (
        "",
        "custom",
    )


async def test_allocations_are_listed_by_pool_and_address_in_pages(world: World) -> None:
    pools = [await world.pool(f"10.{n}.0.0/16") for n in range(3)]
    empty = await world.pool("11.0.0.0/16")
    ipv6 = await world.pool("fd80:0:1::/48")
    for pool in (pools[1], pools[0], ipv6, pools[0], pools[1], pools[1]):
        await world.allocate(pool, netmask_length=64 if pool == ipv6 else 24)
    retired = await world.pool("12.0.0.0/16")
    await world.allocate(retired, netmask_length=24)
    await world.control_plane("RetireIpamPool", ipam_pool_id=retired, cascade=True)
    expected = [
        (pool, found.cidr)
        for pool in sorted([*pools, empty, ipv6])
        for found in await world.allocations(pool)
    ]
    for size in (1, 2, 3, 5, 6, 1000):
        found = await listed(world, "ListAllocations", size=size)
        assert [(record.ipam_pool_id, record.cidr) for record in found] == expected


async def test_what_changes_between_pages_moves_no_other_record(world: World) -> None:
    pool = await world.pool("10.0.0.0/16")
    made = [await world.allocate(pool, netmask_length=24) for _ in range(4)]
    first = await world.discovery("ListAllocations", ipam_id=IPAM, max_results=2)
    await world.release(pool, made[0])
    await world.release(pool, made[1])
    rest = await world.discovery(
        "ListAllocations", ipam_id=IPAM, max_results=2, next_token=first.next_token
    )
    assert [a.cidr for a in (*first.allocations, *rest.allocations)] == [a.cidr for a in made]


@pytest.mark.parametrize("rpc", RECORDS)
async def test_a_token_of_another_ipam_is_refused(world: World, rpc: str) -> None:
    for _ in range(2):
        await world.define()
    page = await world.discovery("ListPools", ipam_id=IPAM, max_results=1)
    with pytest.raises(CadastreError) as refusal:
        await world.discovery(rpc, ipam_id=OTHER_IPAM, next_token=page.next_token)
    assert refusal.value.reason == "InvalidNextToken"


async def test_a_resource_is_taken_in_whatever_the_rules_say(world: World) -> None:  # MON-4
    pool = await world.pool(
        "10.0.0.0/16",
        locale=WEST,
        tags={"environment": "pre-prod"},
        allocation_min_netmask_length=24,
        allocation_max_netmask_length=28,
    )
    await world.place(pool, add_excluded_cidrs=["10.0.0.0/20"])
    await world.observe("10.0.16.0/20", resource_id="vpc-9")
    planning = await world.define(source_resource_id=PLANNED)
    await world.discovery(
        "ReportVpcCidrs",
        seen=[{"vpc_id": PLANNED, "cidr": "10.9.0.0/16", "owner_id": ACCOUNT, "region": WEST}],
    )
    await world.provision(planning, cidr="10.9.0.0/16")
    for at, cidr in ((pool, "10.0.0.0/20"), (pool, "10.0.17.0/29"), (planning, "10.9.1.0/24")):
        allocation_id = await world.import_one(at, cidr)
        assert [found.ipam_pool_allocation_id for found in await world.allocations(at)][-1] == (
            allocation_id
        )
    usage = await world.usage(pool)
    assert (usage.assigned_addresses, usage.allocation_count) == (str(4096 + 8), 2)
    # The rules hold for everybody else, and so does what is observed beside the import.
    with pytest.raises(CadastreError, match="24-28"):
        await world.allocate(pool, cidr="10.0.64.0/20")
    with pytest.raises(CadastreError, match="is in use without an allocation"):
        await world.allocate(pool, cidr="10.0.18.0/28")
    assert (await world.allocate(pool, netmask_length=28)).cidr == "10.0.32.0/28"
    assert not (await check(world)).findings


@pytest.mark.parametrize(
    ("kind", "cidr"),
    [("ec2-public-ipv4-pool", "130.137.245.0/25"), ("eip", "130.137.245.7/32")],
)
async def test_public_resources_are_taken_in(world: World, kind: str, cidr: str) -> None:  # MON-4
    pool = await world.public_pool()
    await world.proven(pool, "130.137.245.0/24")
    made = await world.import_one(
        pool, cidr, resource_type=resource_type(kind), resource_id=f"{kind}-1"
    )
    [found] = await world.allocations(pool)
    assert (found.ipam_pool_allocation_id, word(found, "resource_type")) == (made, kind)
    assert not (await check(world)).findings
    assert await released(world, made) == [made]
    assert not (await check(world)).findings


@pytest.mark.parametrize(
    ("cidr", "members", "says"),
    [
        pytest.param("10.1.0.0/24", {}, "10.0.0.0/16", id="outside"),
        pytest.param("10.0.0.0/15", {}, "10.0.0.0/16", id="wider than the CIDR"),
        pytest.param("fd80::/64", {}, "is not ipv4", id="other family"),
        pytest.param(
            "10.0.0.0/23", {}, "overlaps 10.0.1.0/24, which 'ipam-pool-alloc", id="around"
        ),
        pytest.param("10.0.0.0/26", {}, "overlaps 10.0.0.0/24, which", id="inside"),
        pytest.param(
            "10.0.1.0/24", {"resource_id": "vpc-2"}, "overlaps 10.0.1.0/24", id="another resource's"
        ),
        pytest.param("10.0.1.0/25", {}, "overlaps 10.0.1.0/24", id="a part of its own"),
        pytest.param("10.0.2.0/24", {}, "is held", id="its owner's hold"),
        pytest.param("10.0.3.128/25", {}, "cools down", id="a rest"),
        pytest.param("10.0.8.0/24", {}, "overlaps 10.0.8.0/23", id="a child pool's"),
        pytest.param(
            "10.0.9.0/24", {"resource_type": resource_type("custom")}, "custom", id="none"
        ),
    ],
)
async def test_what_a_pool_can_not_have_is_refused(
    world: World, cidr: str, members: dict[str, Any], says: str
) -> None:  # MON-4, ALLOC-3
    pool = await world.pool("10.0.0.0/16")
    await world.allocate(pool, cidr="10.0.0.0/24")
    await world.import_one(pool, "10.0.1.0/24", resource_owner=ACCOUNT)
    await world.hold(pool, cidr="10.0.2.0/24")
    resting = await world.import_one(pool, "10.0.3.0/24")
    await world.place(pool, cool_down_seconds=3600)
    await released(world, resting)
    child = await world.define(source_ipam_pool_id=pool)
    await world.provision(child, cidr="10.0.8.0/23")
    before = await world.allocations(pool), await world.usage(pool)
    [outcome] = await world.import_all(
        {"ipam_pool_id": pool, "cidr": cidr, "resource_owner": ACCOUNT, **members}
    )
    assert (outcome.ipam_pool_allocation_id, outcome.reason) == ("", "InvalidParameterValue")
    assert says in outcome.message
    assert before == (await world.allocations(pool), await world.usage(pool))
    assert not (await check(world)).findings


async def test_each_import_has_its_own_outcome(world: World) -> None:  # MON-4
    one, other = [await world.pool(f"10.{n}.0.0/16") for n in range(2)]
    retired, empty = await world.define(), await world.define()
    await world.control_plane("RetireIpamPool", ipam_pool_id=retired)
    imports = [
        {"ipam_pool_id": pool, "cidr": cidr, "resource_id": f"vpc-{number}"}
        for number, (pool, cidr) in enumerate(
            [
                (one, "10.0.0.0/24"),
                (UNKNOWN_POOL, "10.0.1.0/24"),
                (other, "10.1.0.0/24"),
                (retired, "10.0.2.0/24"),
                (one, "10.0.0.0/25"),
                (empty, "10.0.3.0/24"),
                (one, "10.0.4.0/24"),
            ]
        )
    ]
    outcomes = await world.import_all(*imports)
    assert [outcome.reason for outcome in outcomes] == [
        "",
        "InvalidIpamPoolId.NotFound",
        "",
        "InvalidIpamPoolId.NotFound",
        "InvalidParameterValue",
        "InsufficientCidrSpace",
        "",
    ]
    assert [bool(outcome.message) for outcome in outcomes] == [
        bool(outcome.reason) for outcome in outcomes
    ]
    assert await services(world) == dict.fromkeys(
        ["10.0.0.0/24", "10.1.0.0/24", "10.0.4.0/24"], "discovery"
    )
    # What is there is answered again, whatever else is asked beside it.
    assert await world.import_all(*imports) == outcomes


async def test_a_thousand_are_taken_in_at_once(world: World) -> None:  # BEY-7
    pool = await world.pool("10.0.0.0/8")
    imports = [
        {
            "ipam_pool_id": pool,
            "cidr": f"10.{number // 256}.{number % 256}.0/24",
            "resource_id": f"vpc-{number}",
        }
        for number in range(1000)
    ]
    outcomes = await world.import_all(*imports)
    assert len({outcome.ipam_pool_allocation_id for outcome in outcomes} - {""}) == 1000
    assert await world.import_all(*imports) == outcomes
    assert (await world.usage(pool)).allocation_count == 1000
    with pytest.raises(CadastreError) as refusal:
        await world.import_all(*imports, imports[0])
    assert refusal.value.reason == "InvalidParameterValue"


@pytest.mark.parametrize(
    ("cidr", "says"), [("10.0.1.7/24", "10.0.1.0/24"), ("ten", "imports.2.cidr")]
)
async def test_what_is_no_cidr_is_no_import(world: World, cidr: str, says: str) -> None:
    pool = await world.pool("10.0.0.0/16")
    imports = [{"ipam_pool_id": pool, "cidr": text} for text in ("10.0.0.0/24", cidr)]
    with pytest.raises(CadastreError, match=says) as refusal:
        await world.import_all(*imports)
    assert refusal.value.reason == "InvalidParameterValue"
    assert await world.allocations(pool) == []


async def test_only_services_read_and_import(world: World) -> None:
    world.discovery = world.owner
    pool = await world.pool("10.0.0.0/16")
    for asked in (
        world.import_one(pool, "10.0.0.0/24"),
        listed(world, "ListPools"),
        listed(world, "ListAllocations"),
    ):
        with pytest.raises(CadastreError) as refusal:
            await asked
        assert refusal.value.reason == "UnauthorizedOperation"


async def test_what_a_resource_has_already_is_answered_as_it_is(world: World) -> None:  # BEY-5
    pool = await world.pool("10.0.0.0/16", locale=WEST)
    imported = [await world.import_one(pool, "10.0.0.0/24") for _ in range(2)]
    assert len(set(imported)) == 1
    outcomes = await asyncio.gather(*(world.import_one(pool, "10.0.1.0/24") for _ in range(10)))
    assert len(set(outcomes)) == 1
    own = await world.allocate_to_vpc(pool, "token", cidr="10.0.2.0/24")
    of_network = {"resource_owner": ACCOUNT, "resource_region": WEST}
    assert await world.import_one(pool, "10.0.2.0/24", **of_network) == (
        own.ipam_pool_allocation_id
    )
    assert (await services(world))["10.0.2.0/24"] == "network"


@pytest.mark.parametrize(
    "members", [{"resource_owner": ACCOUNT}, {"resource_region": WEST}, {"resource_id": "vpc-1"}]
)
async def test_what_a_resource_has_is_no_other_ones_of_its_id(
    world: World, members: dict[str, str]
) -> None:  # MON-4
    pool = await world.pool("10.0.0.0/16", locale=WEST)
    await world.import_one(pool, "10.0.0.0/24")
    assert await world.import_one(pool, "10.0.0.0/24", **members) == "InvalidParameterValue"


async def test_an_import_after_a_release_is_another_one(world: World) -> None:  # MON-5, ALLOC-5
    pool = await world.pool("10.0.0.0/16")
    first = await world.import_one(pool, "10.0.0.0/24")
    assert await released(world, first, UNKNOWN_ALLOCATION) == [first]
    assert await released(world, first) == []
    second = await world.import_one(pool, "10.0.0.0/24")
    assert second not in (first, "")
    [found] = await world.allocations(pool)
    assert found.ipam_pool_allocation_id == second
    await world.place(pool, cool_down_seconds=3600)
    assert await released(world, second) == [second]
    assert await world.import_one(pool, "10.0.0.0/24") == "InvalidParameterValue"
    assert not (await check(world)).findings


async def test_what_was_taken_in_is_not_given_back_by_hand(world: World) -> None:  # ALLOC-5
    pool = await world.pool("10.0.0.0/16")
    await world.import_one(pool, "10.0.0.0/24")
    [found] = await world.allocations(pool)
    with pytest.raises(CadastreError, match=str(A_VPC["resource_id"])) as refusal:
        await world.release(pool, found)
    assert refusal.value.reason == "OperationNotPermitted"
    with pytest.raises(CadastreError) as refusal:
        await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool)
    assert refusal.value.reason == "DependencyViolation"


async def test_a_services_list_has_what_it_took_in(world: World) -> None:
    pool = await world.pool("10.0.0.0/16")
    imported = await world.import_one(pool, "10.0.0.0/24")
    answer = await world.discovery("ListResourceAllocations", service="discovery")
    [found] = answer.resource_allocations
    assert (found.ipam_pool_allocation_id, found.client_token) == (imported, "")
    assert (found.resource_id, found.cidr) == (A_VPC["resource_id"], "10.0.0.0/24")


async def test_the_feed_tells_of_what_is_taken_in(world: World) -> None:  # MET-5
    pool = await world.pool("10.0.0.0/16")
    async with watching(world.discovery) as watch:
        await released(world, await world.import_one(pool, "10.0.0.0/24"))
        await watch.until(lambda seen: ("released", "10.0.0.0/24", pool) in seen.told)
        assert ("allocated", "10.0.0.0/24", pool) in watch.told


async def test_an_import_and_an_allocation_never_share_space(world: World) -> None:  # ALLOC-3
    await race(world, world)


@pytest.mark.parametrize("database_url", DIALECTS[1:], indirect=True)
async def test_nor_do_they_in_two_replicas(settings: Settings) -> None:  # ALLOC-3, BEY-2
    async with serving(settings) as one, serving(settings) as other:
        await race(one, other)


async def race(one: World, other: World) -> None:
    """Two clients want the same space again and again; each time one of them has it."""
    pool = await one.pool("10.0.0.0/16", locale=WEST)
    for number in range(12):
        outcomes = await asyncio.gather(
            one.import_one(pool, f"10.0.{number}.0/24", resource_id="vpc-1"),
            other.import_one(pool, f"10.0.{number}.0/25", resource_id="vpc-2"),
            other.allocate(pool, cidr=f"10.0.{number}.0/24"),
            one.allocate(pool, cidr=f"10.0.{number}.128/25"),
            other.allocate_to_vpc(pool, f"t{number}", cidr=f"10.0.{number}.0/26"),
            return_exceptions=True,
        )
        reasons = {found.reason for found in outcomes if isinstance(found, CadastreError)}
        assert reasons <= {"InvalidParameterValue"}
    made = [Cidr.parse(found.cidr) for found in await other.allocations(pool)]
    assert len(made) >= 12
    assert all(not a.overlaps(b) for n, a in enumerate(made) for b in made[:n])
    assert (await one.usage(pool)).assigned_addresses == str(sum(cidr.size for cidr in made))
    assert not (await check(one)).findings
