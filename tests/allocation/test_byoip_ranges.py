"""Ranges brought along without an IPAM, and their way into one (BYOIP-6)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import sqlalchemy as sa

from cadastre.allocation.v1 import ledger_service_pb2
from services.allocation import tables
from services.allocation.allocation import Allocation, ResourceType
from services.allocation.service.allocating import ResourceBlock
from services.allocation.service.byoip_ranges import BroughtRange
from services.allocation.service.command import Once
from services.allocation.service.ledger import Ledger
from services.allocation.service.public_space import PublicSpace
from services.allocation.service.ranges_at_start import adjust_system_pools
from services.allocation.service.view import View
from services.allocation.store import pool_loader
from services.allocation.store.reader import SqlReader
from services.allocation.store.writer import SqlWriter
from services.allocation.wanted_block import WantedBlock
from shared.cidr import Cidr
from shared.errors import CadastreError
from shared.feed import Bell
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.rpc.server import background
from shared.settings import Settings
from tests.allocation.backup import back_up, restore
from tests.allocation.damage import harming
from tests.allocation.test_check_ledger import check
from tests.allocation.test_guards import NOW, OWNER
from tests.allocation.test_query_plans import KEY, NETWORK
from tests.allocation.test_query_plans import PUBLIC as PUBLIC_POOL
from tests.allocation.test_watch import watching
from tests.allocation.world import (
    ACCOUNT,
    ELSEWHERE,
    HOME,
    PUBLIC,
    STRANGER,
    WEST,
    World,
    serving,
    word,
)
from tests.postgres import DIALECTS

RANGE = "130.137.245.0/24"
KIND = "ec2-public-ipv4-pool"
VALUE = "InvalidParameterValue"


async def refusal_of(call: Any) -> CadastreError:
    with pytest.raises(CadastreError) as refusal:
        await call
    return refusal.value


async def register(world: World, cidr: str = RANGE, **members: Any) -> None:
    wanted = {"owner_id": ACCOUNT, "region": WEST, **members}
    await world.control_plane("RegisterByoipCidr", cidr=cidr, **wanted)


async def move(world: World, pool: str, cidr: str = RANGE, **members: Any) -> Any:
    wanted = {"owner_id": ACCOUNT, "region": WEST, "ipam_pool_owner": ACCOUNT, **members}
    answer = await world.control_plane("MoveByoipCidr", cidr=cidr, ipam_pool_id=pool, **wanted)
    return answer.ipam_pool_cidr


async def unregister(world: World, cidr: str = RANGE, owner_id: str = ACCOUNT) -> None:
    await world.control_plane("UnregisterByoipCidr", cidr=cidr, owner_id=owner_id)


async def test_a_range_is_one_accounts_in_one_region(world: World) -> None:  # BYOIP-6
    assert (await refusal_of(register(world, dry_run=True))).reason == "DryRunOperation"
    for _ in range(2):
        await register(world)
    for members, says in (
        ({"owner_id": STRANGER}, "another account"),
        ({"region": HOME}, "in us-west-2"),
        ({"owner_id": STRANGER, "cidr": "130.137.0.0/16"}, "a range that another account has"),
        ({"cidr": "10.0.0.0/24"}, "private use"),
        ({"cidr": "131.0.0.0/25"}, "/24 or wider"),
        ({"cidr": "198.18.0.0/24"}, "benchmarking"),
    ):
        refusal = await refusal_of(register(world, **members))
        assert (refusal.reason, says in refusal.message) == (VALUE, True), refusal.message
    brought = await refusal_of(world.bring(await world.public_pool(), RANGE))
    assert f"'{ACCOUNT}' without an IPAM" in brought.message
    await register(world, "2605:9cc0:409::/48")
    await unregister(world, owner_id=STRANGER)
    assert "another account" in (await refusal_of(register(world, owner_id=STRANGER))).message
    for _ in range(2):
        await unregister(world)
    await register(world, owner_id=STRANGER)


async def test_a_range_is_allocated_as_a_whole_and_to_whoever_brought_it(
    world: World,
) -> None:  # EIP-1
    await register(world)
    for account, region, cidr in (
        (STRANGER, WEST, RANGE),
        (ACCOUNT, HOME, RANGE),
        (ACCOUNT, WEST, "130.137.245.0/25"),
        (ACCOUNT, WEST, "131.0.0.0/24"),
    ):
        world.network = world.caller(account, region, "network")
        refusal = await refusal_of(world.allocate_to(KIND, "byoip", "t", cidr=cidr))
        assert (refusal.reason, "brought no such range" in refusal.message) == (VALUE, True)
    world.network = world.caller(ACCOUNT, WEST, "network")
    answer = await world.allocate_to(KIND, "byoip", "t", cidr=RANGE)
    assert answer.ipam_pool_allocation.cidr == RANGE
    assert (answer.source_pool.ipam_pool_id, word(answer.source_pool, "public_ip_source")) == (
        "byoip",
        "byoip",
    )
    again = await refusal_of(world.allocate_to(KIND, "byoip", "u", cidr=RANGE))
    assert "overlaps" in again.message
    in_use = await refusal_of(unregister(world))
    assert in_use.reason == "DependencyViolation"
    allocation_id = answer.ipam_pool_allocation.ipam_pool_allocation_id
    await world.network("ReleaseResourceAllocations", ipam_pool_allocation_ids=[allocation_id])
    await unregister(world)
    assert (await check(world)).findings == []


async def moved(world: World) -> tuple[str, Any, Any]:
    """A pool that a range was moved to, its CIDR, and the range's allocation as it was."""
    pool = await world.public_pool()
    await register(world)
    held = (await world.allocate_to(KIND, "byoip", "t", cidr=RANGE)).ipam_pool_allocation
    return pool, await move(world, pool), held


async def test_a_range_moves_with_what_is_allocated_of_it(world: World) -> None:  # BYOIP-6
    async with watching(world.control_plane) as watch:
        pool, arrived, held = await moved(world)
        await watch.until(lambda seen: ("allocated", RANGE, pool) in seen.told)
    assert (arrived.cidr, word(arrived, "state")) == (RANGE, "provisioned")
    assert await world.allocations(pool) == [held]
    told = [one for one in watch.told if one[1] == RANGE]
    assert told == [
        ("provisioned", RANGE, "byoip"),
        ("allocated", RANGE, "byoip"),
        ("released", RANGE, "byoip"),
        ("deprovisioned", RANGE, "byoip"),
        ("provisioned", RANGE, pool),
        ("allocated", RANGE, pool),
    ]
    last = watch.responses[-1].changes[-1].allocated
    assert last.ipam_pool_allocation_id == held.ipam_pool_allocation_id
    usage = await world.usage(pool)
    assert (usage.assigned_addresses, usage.allocation_count) == ("256", 1)
    # Repeated, it is as it was.
    assert await move(world, pool) == arrived
    again = await world.allocate_to(KIND, "byoip", "t", cidr=RANGE)
    assert again.ipam_pool_allocation == held
    assert (await check(world)).findings == []


@pytest.mark.parametrize("how", ["released", "cancelled"])
async def test_what_moved_is_given_back_to_the_pool_that_has_it(
    world: World, how: str
) -> None:  # BYOIP-6
    pool, _, held = await moved(world)
    if how == "released":
        ids = [held.ipam_pool_allocation_id]
        answer = await world.network("ReleaseResourceAllocations", ipam_pool_allocation_ids=ids)
        assert answer.released_ipam_pool_allocation_ids == ids
    else:
        await world.network("CancelResourceAllocation", client_token="t")
    assert await world.allocations(pool) == []
    await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool)
    await register(world, owner_id=STRANGER)
    assert (await check(world)).findings == []


async def test_what_rests_goes_on_resting_after_a_move(settings: Settings) -> None:  # IPAM-6
    resting = settings.model_copy(update={"cool_down_seconds": 3600})
    async with serving(resting) as world:
        pool = await world.public_pool()
        await register(world)
        held = await world.allocate_to(KIND, "byoip", "t", cidr=RANGE)
        ids = [held.ipam_pool_allocation.ipam_pool_allocation_id]
        await world.network("ReleaseResourceAllocations", ipam_pool_allocation_ids=ids)
        await move(world, pool)
        assert await world.unavailable(pool) == [(RANGE, "cool-down")]
        refusal = await refusal_of(world.allocate(pool, netmask_length=28))
        assert refusal.reason == "InsufficientCidrSpace"
        assert (await check(world)).findings == []


@pytest.mark.parametrize(
    ("definition", "members", "reason", "says"),
    [
        pytest.param({"owner_id": STRANGER}, {}, "InvalidIpamPoolId.NotFound", "", id="whose"),
        pytest.param({"locale": HOME}, {}, "OperationNotPermitted", HOME, id="elsewhere"),
        pytest.param({"locale": "None"}, {}, "OperationNotPermitted", "None", id="nowhere"),
        pytest.param({"aws_service": ""}, {}, "OperationNotPermitted", "ec2", id="no service"),
        pytest.param(
            {"public_ip_source": "amazon"}, {}, "OperationNotPermitted", "byoip", id="Amazon's"
        ),
        pytest.param({"address_family": "ipv6"}, {}, "OperationNotPermitted", "IPv4", id="IPv6"),
        pytest.param(
            {"ipam_scope_type": "private", "public_ip_source": "", "aws_service": ""},
            {},
            "OperationNotPermitted",
            "public scope",
            id="private",
        ),
        pytest.param({"cidr_quota": 0}, {}, "IpamPoolCidrLimitExceeded", "0", id="quota"),
        pytest.param({}, {"owner_id": STRANGER}, "IncorrectState", STRANGER, id="not brought"),
        pytest.param({}, {"region": ELSEWHERE}, "IncorrectState", ELSEWHERE, id="not there"),
        pytest.param({}, {"cidr": "130.137.0.0/16"}, "IncorrectState", "no range", id="another"),
        pytest.param({}, {"cidr": "2605:9cc0::/48"}, VALUE, "IPv4", id="an IPv6 range"),
    ],
)
async def test_a_move_is_refused_precisely(
    world: World, definition: dict[str, Any], members: dict[str, Any], reason: str, says: str
) -> None:  # BYOIP-6
    await register(world)
    held = await world.allocate_to(KIND, "byoip", "t", cidr=RANGE)
    pool = await world.define(**{**PUBLIC, **definition})
    refusal = await refusal_of(move(world, pool, **members))
    assert (refusal.reason, says in refusal.message) == (reason, True), refusal.message
    assert await world.allocate_to(KIND, "byoip", "t", cidr=RANGE) == held
    assert (await refusal_of(unregister(world))).reason == "DependencyViolation"


async def test_only_a_top_level_pool_gets_a_range(world: World) -> None:  # BYOIP-6
    top = await world.public_pool()
    await register(world)
    below = await world.define(**{**PUBLIC, "source_ipam_pool_id": top})
    refusal = await refusal_of(move(world, below))
    assert (refusal.reason, "top-level" in refusal.message) == ("OperationNotPermitted", True)


async def test_what_waited_as_the_same_range_is_forgotten_by_a_move(world: World) -> None:
    pool = await world.public_pool()
    asked = await world.bring(pool, RANGE)
    await register(world)
    await move(world, pool)
    await world.conclude(asked)
    assert await world.cidrs(pool) == {RANGE: "provisioned"}


@pytest.mark.parametrize("database_url", DIALECTS[1:], indirect=True)
async def test_replicas_follow_a_move(settings: Settings) -> None:  # BYOIP-6, BEY-2
    async with serving(settings) as one, serving(settings) as other:
        pool = await one.public_pool()
        for world, cidr in ((one, RANGE), (other, "131.0.0.0/24")):
            await register(world, cidr)
            await world.allocate_to(KIND, "byoip", cidr, cidr=cidr)
        # Each has both pools in memory, and moves what the other has allocated.
        await other.proven(pool, "132.0.0.0/24")
        await one.allocate(pool, netmask_length=28)
        await move(other, pool, RANGE)
        await move(one, pool, "131.0.0.0/24")
        for world in (one, other):
            assert (await world.allocate(pool, netmask_length=28)).cidr.startswith("132.0.0.")
            refusal = await refusal_of(world.allocate_to(KIND, "byoip", "u", cidr=RANGE))
            assert "brought no such range" in refusal.message
        assert (await check(one)).findings == []


async def test_moves_raced_with_releases_lose_nothing(world: World) -> None:  # BYOIP-6, ALLOC-3
    pools = [await world.public_pool() for _ in range(2)]
    for number in range(5):
        cidr, token = f"130.{number}.0.0/24", f"t{number}"
        await register(world, cidr)
        held = await world.allocate_to(KIND, "byoip", token, cidr=cidr)
        allocation_id = held.ipam_pool_allocation.ipam_pool_allocation_id
        await asyncio.gather(
            *(move(world, pool, cidr) for pool in pools),
            world.network("ReleaseResourceAllocations", ipam_pool_allocation_ids=[allocation_id]),
            world.network("CancelResourceAllocation", client_token=token),
            return_exceptions=True,
        )
        arrived = [pool for pool in pools if cidr in await world.cidrs(pool)]
        assert len(arrived) == 1
    assert [await world.allocations(pool) for pool in pools] == [[], []]
    assert (await check(world)).findings == []


class MovingReader:
    """Has a range moved right after the first answer, before anything is done about it."""

    def __init__(self, reader: SqlReader, moving: Callable[[], Awaitable[Any]]) -> None:
        self._reader, self._moving = reader, moving
        self._has_moved = False

    async def read(self, question: Callable[[View], Any]) -> Any:
        answer = await self._reader.read(question)
        if not self._has_moved:
            self._has_moved = True
            await self._moving()
        return answer


@pytest.mark.parametrize("how", ["released", "cancelled"])
def test_a_move_in_between_is_followed(database_url: str, how: str) -> None:  # BYOIP-6
    database = Database(database_url)
    upgrade(database, "services.allocation")
    writer, reader = SqlWriter(database, lambda: NOW), SqlReader(database)
    brought = BroughtRange(Cidr.parse(RANGE), OWNER.account_id, OWNER.region)
    target = PUBLIC_POOL.ipam_pool_id

    async def use() -> list[Allocation]:
        public_space = PublicSpace(writer, reader, Bell())

        async def moving() -> None:
            await public_space.move(brought, target, OWNER.account_id)

        async with background(writer.run()):
            await adjust_system_pools(writer, reader, {})
            ledger = Ledger(writer, MovingReader(reader, moving))
            await ledger.define(PUBLIC_POOL)
            await public_space.register(brought, dry_run=False)
            kind = ResourceType.EC2_PUBLIC_IPV4_POOL
            block = ResourceBlock("byoip", WantedBlock(brought.cidr), kind, "pool-1", {}, "t")
            once = Once(KEY, ledger_service_pb2.AllocateResourceCidrRequest())
            held, _ = await ledger.allocate_to_resource(NETWORK, block, once=once, dry_run=False)
            if how == "cancelled":
                await ledger.cancel(KEY)
            else:
                ids = [held.ipam_pool_allocation_id]
                assert await ledger.release_of_resources(ids) == ids
            return await reader.read(
                lambda view: [found for _, found in view.allocations(target, None)]
            )

    try:
        assert asyncio.run(use()) == []
    finally:
        database.close()


async def test_snapshots_lead_across_a_move(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:  # BYOIP-6, ALLOC-3
    monkeypatch.setattr(pool_loader, "CHANGES_UNTIL_SNAPSHOT", 3)
    monkeypatch.setattr(pool_loader, "_FEW_ALLOCATIONS", 0)
    async with serving(settings) as world:
        pool = await world.public_pool()
        await world.proven(pool, "132.0.0.0/24")
        for _ in range(4):
            await world.allocate(pool, netmask_length=28)
        for number in range(4):
            await register(world, f"131.0.{number}.0/24")
            await world.allocate_to(KIND, "byoip", f"{number}", cidr=f"131.0.{number}.0/24")
        await move(world, pool, "131.0.1.0/24")
    async with serving(settings) as world:
        # Begun with snapshots from before it.
        assert (await world.allocate(pool, netmask_length=28)).cidr == "132.0.0.64/28"
        await move(world, pool, "131.0.2.0/24")
        assert len(await world.allocations(pool)) == 7
        assert (await check(world)).findings == []


async def test_a_move_after_the_backup_is_redone(settings: Settings) -> None:  # BYOIP-6, BEY-14
    async with serving(settings) as world:
        await register(world)
        held = await world.allocate_to(KIND, "byoip", "t", cidr=RANGE)
        pool = await world.public_pool()
        asked = await world.bring(pool, "131.0.0.0/24")
    backup = back_up(settings)
    async with serving(settings) as world:
        await move(world, pool)
        await world.conclude(asked)
        await register(world, "132.0.0.0/24", owner_id=STRANGER)
        before = await world.cidrs(pool)
    restore(settings, backup)
    async with serving(settings) as world:
        assert (await refusal_of(register(world, "133.0.0.0/24"))).reason == "ServiceUnavailable"
        assert (await check(world, repair=True)).of("lost-changes").is_repaired
        assert await world.cidrs(pool) == before
        assert await world.allocations(pool) == [held.ipam_pool_allocation]
        # Whose a range is, is part of what is redone, and what waited waits no longer.
        refusal = await refusal_of(register(world, "132.0.0.0/24"))
        assert "another account" in refusal.message
        await register(world, "132.0.0.0/24", owner_id=STRANGER)
        await world.conclude(asked, "late")
        assert await world.cidrs(pool) == before
        assert (await check(world)).findings == []


async def test_a_check_sees_what_the_guards_of_public_space_would_refuse(
    world: World, settings: Settings
) -> None:  # BEY-10, PROV-6
    mine = await world.public_pool()
    theirs = await world.public_pool(owner_id=STRANGER, ipam_scope_id="ipam-scope-000000000000000b")
    await world.proven(mine, "130.137.0.0/16")
    with harming(settings) as harm:
        # Beside public space, where the guard itself does not look.
        scope = sa.select(tables.scopes.c.number).where(
            tables.scopes.c.ipam_scope_id == "ipam-scope-000000000000000b"
        )
        harm.add_cidr(theirs, RANGE, scope_number=scope.scalar_subquery())
    found = (await check(world)).of("overlapping-cidrs")
    assert sorted(found.cidrs) == ["130.137.0.0/16", RANGE]


async def test_what_was_proven_and_given_up_after_the_backup_waits_no_more(
    settings: Settings,
) -> None:  # PROV-7, BEY-14
    async with serving(settings) as world:
        pool = await world.public_pool()
        asked = await world.bring(pool, "131.0.0.0/24")
    backup = back_up(settings)
    async with serving(settings) as world:
        await world.conclude(asked)
        await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool, cidr="131.0.0.0/24")
    restore(settings, backup)
    async with serving(settings) as world:
        assert (await check(world, repair=True)).of("lost-changes").is_repaired
        await world.conclude(asked)
        answer = await world.owner("GetIpamPoolCidrs", ipam_pool_id=pool)
        assert [word(one, "state") for one in answer.ipam_pool_cidrs] in ([], ["deprovisioned"])
