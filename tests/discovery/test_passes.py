"""Passes when sources fail, coverage changes and replicas meet, between the real contexts."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from google.protobuf.timestamp_pb2 import Timestamp
from prometheus_client import CollectorRegistry

from services.discovery import tables
from services.discovery.loops import Work, do_errands
from services.discovery.server import discovery
from services.discovery.service.agenda import Agenda
from services.discovery.service.passes import PassReport
from services.discovery.sources import AccountRegion
from services.discovery.telemetry import DiscoveryTelemetry
from services.local.organization import write_organization
from shared.cidr import Cidr
from shared.errors import CadastreError
from shared.identity import TokenSigner, load_secret
from shared.rpc.client import Remote
from shared.rpc.server import running
from tests.discovery.aws.moto_front import MotoFront, ec2_error
from tests.discovery.moto_accounts import environment_for, owner_of, playing
from tests.discovery.world import ACCOUNT, HOME, WEST, World, databases, serving, word, world
from tests.postgres import PostgresServer
from tests.waiting import PATIENCE_SECONDS, eventually

__all__ = ["databases", "world"]

MANAGEMENT, MEMBER = "111122223333", "444455556666"
DEVELOPERS = "o-exampleorgid/r-fssg/ou-fssg-q5brfv9c/"
EVER = Timestamp(seconds=1)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[MotoFront]:
    """The account's part of AWS, which discovery reads beside the embedded cloud."""
    with playing() as front:
        for name, value in environment_for(front, [ACCOUNT]).items():
            monkeypatch.setenv(name, value)
        yield front


async def account(world: World, ipam: Any) -> Any:
    """How discovering the account in the west goes."""
    [found] = (
        await world(
            "GetIpamDiscoveredAccounts",
            ipam_resource_discovery_id=ipam.default_resource_discovery_id,
            discovery_region=WEST,
        )
    ).ipam_discovered_accounts
    return found


async def test_a_source_that_fails_changes_nothing_but_the_reason(
    aws: MotoFront, databases: str, tmp_path: Path
) -> None:  # DISC-4, DISC-6, MON-4
    owner = owner_of(aws, ACCOUNT, WEST)
    old_id = owner.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    async with serving(databases, tmp_path) as world:
        ipam = await world.create_ipam()
        scope = ipam.private_default_scope_id
        pool = await world.create_pool(scope, "10.0.0.0/8", locale=WEST, auto_import=True)
        await world.resource_cidr(scope, old_id, management_state="managed")
        assert not (await account(world, ipam)).HasField("failure_reason")

        aws.answer("DescribeSubnets", lambda _: ec2_error("RequestLimitExceeded"))
        await asyncio.to_thread(owner.delete_vpc, VpcId=old_id)
        new = await asyncio.to_thread(owner.create_vpc, CidrBlock="10.1.0.0/16")
        # Another source of the same account goes on.
        other_id = await world.acting_as(region=WEST).create_vpc("10.2.0.0/16")
        await world.run_pass()
        await world.resource_cidr(scope, other_id, management_state="managed")
        marked = await account(world, ipam)
        assert word(marked.failure_reason, "code") == "throttling-failure"
        assert marked.failure_reason.message == (
            "DescribeSubnets was refused: RequestLimitExceeded"
        )
        attempted = marked.last_attempted_discovery_time.ToDatetime()
        assert attempted > marked.last_successful_discovery_time.ToDatetime()
        held = {"10.0.0.0/16": old_id, "10.2.0.0/16": other_id}
        assert await world.allocations(pool) == held
        [record] = await world.history(scope, "10.0.0.0/16")
        assert not record.HasField("sampled_end_time")
        assert await world.history(scope, "10.1.0.0/16") == []

        aws.answers.clear()
        await world.run_pass()
        new_id = new["Vpc"]["VpcId"]
        await world.resource_cidr(scope, new_id, management_state="managed")
        held = {"10.1.0.0/16": new_id, "10.2.0.0/16": other_id}
        await eventually(lambda: has(world, pool, held))
        assert await world.history(scope, "10.0.0.0/16") == []
        assert not (await account(world, ipam)).HasField("failure_reason")


async def has(world: World, pool_id: str, expected: dict[str, str]) -> bool:
    return await world.allocations(pool_id) == expected


async def are_over(world: World, scope_id: str, cidrs: Iterable[str]) -> bool:
    """All that had the CIDRs is searchable still, and nothing has them (HIST-3)."""
    told = [await world.history(scope_id, cidr, start_time=EVER) for cidr in cidrs]
    assert all(told)
    return all(one.HasField("sampled_end_time") for records in told for one in records)


async def are_there(world: World, scope_id: str, cidrs: Iterable[str]) -> bool:
    """Something has each of the CIDRs now."""
    return all([await world.history(scope_id, cidr) for cidr in cidrs])


async def build(world: World, cidr: str, subnet_cidr: str) -> tuple[str, str]:
    """A VPC with a subnet and an instance in it; the VPC's id and the instance's address."""
    vpc_id = await world.create_vpc(cidr)
    subnet = (await world("CreateSubnet", vpc_id=vpc_id, cidr_block=subnet_cidr)).subnet
    [instance] = (
        await world(
            "RunInstances",
            image_id="ami-1",
            min_count=1,
            max_count=1,
            subnet_id=subnet.subnet_id,
        )
    ).instances
    return vpc_id, f"{instance.private_ip_address}/32"


async def test_records_end_in_a_region_that_is_left(world: World) -> None:  # IPAM-2, HIST-3
    ipam = await world.create_ipam()
    scope = ipam.private_default_scope_id
    west = world.acting_as(region=WEST)
    _, address = await build(west, "10.0.0.0/16", "10.0.0.0/24")
    home_id = await world.create_vpc("10.9.0.0/16")
    await world.resource_cidr(scope, home_id)
    cidrs = ("10.0.0.0/16", "10.0.0.0/24", address)
    await eventually(lambda: are_there(world, scope, cidrs))
    regions = [{"region_name": WEST}]
    await world("ModifyIpam", ipam_id=ipam.ipam_id, remove_operating_regions=regions)
    await eventually(lambda: are_over(world, scope, cidrs))
    assert set(await world.resource_cidrs(scope)) == {(home_id, "10.9.0.0/16")}


async def test_the_free_tier_monitors_at_home_only(world: World) -> None:  # IPAM-4, PUB-2
    ipam = await world.create_ipam(tier="free")
    west = world.acting_as(region=WEST)
    await west.create_vpc("10.0.0.0/16")
    public_ip = (await west("AllocateAddress")).public_ip
    home_id = await world.create_vpc("10.9.0.0/16")
    await world.run_pass()
    scope = ipam.private_default_scope_id
    assert set(await world.resource_cidrs(scope)) == {(home_id, "10.9.0.0/16")}
    assert await world.history(scope, "10.0.0.0/16", start_time=EVER) == []
    told = await world(
        "GetIpamDiscoveredPublicAddresses",
        ipam_resource_discovery_id=ipam.default_resource_discovery_id,
        address_region=WEST,
    )
    assert [one.address for one in told.ipam_discovered_public_addresses] == [public_ip]
    assert await world.resource_cidrs(ipam.public_default_scope_id) == {}


async def test_records_end_when_a_unit_is_excluded_and_begin_anew_when_it_is_not(
    databases: str, tmp_path: Path
) -> None:  # ORG-7, HIST-3
    write_organization(tmp_path / "organization.yaml")
    async with serving(databases, tmp_path) as world:
        await world.acting_as(MANAGEMENT)(
            "EnableIpamOrganizationAdminAccount", delegated_admin_account_id=ACCOUNT
        )
        ipam = await world.create_ipam()
        scope = ipam.private_default_scope_id
        _, address = await build(world.acting_as(MEMBER, WEST), "10.0.0.0/16", "10.0.0.0/24")
        cidrs = ("10.0.0.0/16", "10.0.0.0/24", address)
        await eventually(lambda: are_there(world, scope, cidrs))
        change = {"ipam_resource_discovery_id": ipam.default_resource_discovery_id}
        paths = [{"organizations_entity_path": DEVELOPERS}]
        modify = "ModifyIpamResourceDiscovery"
        await world(modify, add_organizational_unit_exclusions=paths, **change)
        await eventually(lambda: are_over(world, scope, cidrs))
        assert await world.resource_cidrs(scope) == {}
        await world(modify, remove_organizational_unit_exclusions=paths, **change)
        await eventually(lambda: are_there(world, scope, cidrs))
        for cidr in cidrs:
            was, now = halves(await world.history(scope, cidr, start_time=EVER))
            assert {one.resource_id for one in was} == {one.resource_id for one in now}


def halves(records: list[Any]) -> tuple[list[Any], list[Any]]:
    """Records that have ended, and those that have not."""
    ended = [one for one in records if one.HasField("sampled_end_time")]
    return ended, [one for one in records if one not in ended]


async def test_a_move_ends_records_in_one_scope_and_begins_them_in_the_other(
    world: World,
) -> None:  # MON-6, HIST-1
    ipam = await world.create_ipam()
    scope = ipam.private_default_scope_id
    made = await world("CreateIpamScope", ipam_id=ipam.ipam_id)
    other = made.ipam_scope.ipam_scope_id
    vpc_id, address = await build(world.acting_as(region=WEST), "10.0.0.0/16", "10.0.0.0/24")
    counts = {"10.0.0.0/16": 1, "10.0.0.0/24": 1, address: 2}  # an interface, and its instance
    await eventually(lambda: are_there(world, scope, counts))

    async def is_a_scope() -> bool:
        [found] = (await world("DescribeIpamScopes", ipam_scope_ids=[other])).ipam_scopes
        return word(found, "state") == "create-complete"

    await eventually(is_a_scope)
    for source, destination in ((scope, other), (other, scope)):
        await world(
            "ModifyIpamResourceCidr",
            resource_id=vpc_id,
            resource_cidr="10.0.0.0/16",
            resource_region=WEST,
            current_ipam_scope_id=source,
            destination_ipam_scope_id=destination,
            monitored=True,
        )
        moved = partial(have_moved, world, source, destination, counts)
        await eventually(moved)


async def have_moved(
    world: World, source: str, destination: str, counts: Mapping[str, int]
) -> bool:
    """What has the CIDRs in the one scope began to when it no longer had them in the other."""
    for cidr, count in counts.items():
        ended, left = halves(await world.history(source, cidr, start_time=EVER))
        begun = await world.history(destination, cidr)
        if left or len(begun) != count:
            return False
        ends = {(one.resource_id, time_of(one.sampled_end_time)) for one in ended}
        assert ends >= {(one.resource_id, time_of(one.sampled_start_time)) for one in begun}
    return True


def time_of(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime()


async def test_a_deleted_ipam_leaves_nothing_of_its_history(world: World) -> None:  # IPAM-9
    kept = await world.acting_as(MEMBER).create_ipam()
    ipam = await world.create_ipam()
    scope = ipam.private_default_scope_id
    for owner, cidr in ((world, "10.0.0.0/16"), (world.acting_as(MEMBER), "10.1.0.0/16")):
        vpc_id, _ = await build(owner, cidr, cidr.replace("/16", "/24"))
        there = kept.private_default_scope_id if owner is not world else scope
        await owner.resource_cidr(there, vpc_id)
        await owner(
            "ModifyIpamResourceCidr",
            resource_id=vpc_id,
            resource_cidr=cidr,
            resource_region=HOME,
            current_ipam_scope_id=there,
            monitored=False,
        )
    await eventually(lambda: remains(world, {ipam.ipam_id, kept.ipam_id}))
    await world("DeleteIpam", ipam_id=ipam.ipam_id, cascade=True)

    async def is_forgotten() -> bool:
        # It takes two passes to be sure that an IPAM is gone.
        await world.run_pass()
        return await remains(world, {kept.ipam_id})

    await eventually(is_forgotten)
    with pytest.raises(CadastreError) as refusal:
        await world.history(scope, "10.0.0.0/16", start_time=EVER)
    assert refusal.value.reason == "InvalidIpamScopeId.NotFound"
    assert await world.acting_as(MEMBER).history(
        kept.private_default_scope_id, "10.1.0.0/16", start_time=EVER
    )


async def remains(world: World, ipam_ids: set[str]) -> bool:
    """Exactly these IPAMs have records, markings, and what else is kept of IPAMs."""
    kept = (tables.records, tables.markings, tables.evaluations, tables.remembered)
    found = [{row.ipam_id for row in await rows_of(world, table)} for table in kept]
    return found == [ipam_ids] * len(kept)


async def rows_of(world: World, table: sa.Table) -> list[sa.Row[Any]]:
    """All that discovery's database has in a table."""
    url = world.settings.database_url_of("discovery").replace("postgresql:", "postgresql+psycopg:")

    def read() -> list[sa.Row[Any]]:
        # Beside the service: a `Database` would have the file for itself.
        engine = sa.create_engine(url)
        try:
            with engine.connect() as connection:
                return list(connection.execute(sa.select(table)))
        finally:
            engine.dispose()

    return await asyncio.to_thread(read)


@pytest.fixture
async def two_worlds(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[list[World]]:
    """Two replicas of discovery on one database; the rest is the same."""
    with postgres.databases() as url:
        async with serving(url, tmp_path) as world, replica(world) as other:
            yield [world, other]


@asynccontextmanager
async def replica(world: World) -> AsyncIterator[World]:
    signer = TokenSigner(load_secret(world.settings.identity_secret_path))
    async with (
        running("discovery", discovery, world.settings) as server,
        Remote(server.address, signer=signer) as remote,
    ):
        yield World({**world.remotes, "discovery": remote}, world.settings, world.caller)


@pytest.mark.postgres
async def test_replicas_that_evaluate_at_once_keep_one_record_of_each(
    two_worlds: list[World],
) -> None:  # HIST-1, DISC-6
    world, other = two_worlds
    ipam = await world.create_ipam()
    scope = ipam.private_default_scope_id
    pool = await world.create_pool(scope, "10.0.0.0/8", locale=WEST, auto_import=True)
    west = world.acting_as(region=WEST)
    live: dict[str, str] = {}
    for turn in range(6):
        for n in range(3):
            cidr = f"10.{10 * turn + n}.0.0/16"
            live[cidr] = (await build(west, cidr, cidr.replace("/16", "/24")))[0]
        bare = f"10.{10 * turn + 9}.0.0/16"
        gone = await west.create_vpc(bare)
        await asyncio.gather(*(one.run_pass() for one in (world, other, world, other)))
        await west("DeleteVpc", vpc_id=gone)
        await west.tag(live[f"10.{10 * turn}.0.0/16"], Name=f"turn {turn}")
    await asyncio.gather(world.run_pass(), other.run_pass())
    await eventually(lambda: has(world, pool, live))

    async def is_settled() -> bool:
        current = [row for row in await rows_of(world, tables.records) if row.ended_at is None]
        # A VPC, a subnet, an interface, an instance each.
        return len(current) == 4 * len(live)

    await eventually(is_settled)
    records = await rows_of(world, tables.records)
    current = [key_of(row) for row in records if row.ended_at is None]
    assert set(Counter(current).values()) == {1}
    assert {key[1] for key in current if key[0] == "vpc"} == set(live.values())
    by_key: dict[tuple[str, str, Cidr], list[Any]] = {}
    for row in sorted(records, key=lambda row: (row.started_at, row.record_id)):
        by_key.setdefault(key_of(row), []).append(row)
    for told in by_key.values():
        for earlier, later in pairwise(told):
            assert earlier.ended_at is not None
            assert earlier.started_at <= earlier.ended_at <= later.started_at
    names = {row.name for row in records if row.ended_at is None and row.resource_type == "vpc"}
    assert names == {None, *(f"turn {turn}" for turn in range(6))}


def key_of(row: Any) -> tuple[str, str, Cidr]:
    cidr = Cidr.from_key(row.first_address, row.prefix_length)
    return row.resource_type, row.resource_id, cidr


async def test_what_comes_after_a_quiet_time_is_looked_at_at_once() -> None:  # DISC-6
    now, looked = [0.0], asyncio.Queue[None]()

    class Passes:
        async def refresh(self, *_: object) -> PassReport:
            looked.put_nowait(None)
            return PassReport()

    nothing: Any = None
    passes: Any = Passes()
    agenda = Agenda()
    telemetry = DiscoveryTelemetry(CollectorRegistry())
    work = Work(nothing, nothing, passes, agenda, (), structlog.get_logger(), telemetry)
    errands = asyncio.create_task(do_errands(work, lambda: now[0]))
    await asyncio.sleep(0)  # now it waits for the first
    for _ in range(2):
        now[0] += 1000
        agenda.look_at(AccountRegion(ACCOUNT, WEST))
        await asyncio.wait_for(looked.get(), PATIENCE_SECONDS)
    errands.cancel()
