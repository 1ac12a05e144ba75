"""What IPAMs make of what is there (MON-1 to MON-6), between all the real contexts."""

from google.protobuf.timestamp_pb2 import Timestamp

from tests.discovery.world import WEST, World, databases, word, world
from tests.waiting import eventually

__all__ = ["databases", "world"]


def states(record: object) -> tuple[str | None, str | None, str | None]:
    return (
        word(record, "management_state"),
        word(record, "compliance_status"),
        word(record, "overlap_status"),
    )


async def test_a_vpc_of_a_pool_is_managed_and_its_subnet_only_monitored(  # MON-1, DISC-3, DISC-5
    world: World,
) -> None:
    ipam = await world.create_ipam()
    scope = ipam.private_default_scope_id
    top = await world.create_pool(scope, "10.0.0.0/8")
    west = await world.create_pool(scope, "10.0.0.0/16", source_ipam_pool_id=top, locale=WEST)
    region = world.acting_as(region=WEST)
    vpc = await region.create_vpc(ipv4_ipam_pool_id=west, ipv4_netmask_length=24)
    await region.tag(vpc, Name="shop")
    await region("CreateSubnet", vpc_id=vpc, cidr_block="10.0.0.0/26")

    found = await world.resource_cidr(scope, vpc, management_state="managed")
    assert states(found) == ("managed", "compliant", "nonoverlapping")
    assert (found.resource_cidr, found.resource_region) == ("10.0.0.0/24", WEST)
    assert (found.ipam_pool_id, found.ipam_id) == (west, ipam.ipam_id)

    async def subnet() -> object:
        for (_, cidr), one in (await world.resource_cidrs(scope)).items():
            if cidr == "10.0.0.0/26":
                return one
        return None

    assert states(await eventually(subnet)) == (None, None, None)

    async def is_up_to_date() -> bool:
        one = (await world.resource_cidrs(scope))[vpc, "10.0.0.0/24"]
        return bool(one.ip_usage == 0.25 and one.resource_name == "shop")

    await eventually(is_up_to_date)


async def test_an_unmanaged_vpc_overlaps_and_blocks_placement(world: World) -> None:  # MON-3, BEY-3
    ipam = await world.create_ipam()
    scope = ipam.private_default_scope_id
    one = await world.create_vpc("10.0.0.0/24")
    other = await world.acting_as(region=WEST).create_vpc("10.0.0.0/16")
    alone = await world.create_vpc("10.9.0.0/16")
    for vpc, overlap in ((one, "overlapping"), (other, "overlapping"), (alone, "nonoverlapping")):
        found = await world.resource_cidr(scope, vpc, overlap_status=overlap)
        assert states(found)[:2] == ("unmanaged", "unmanaged")
    pool = await world.create_pool(scope, "10.0.0.0/8")

    async def places_elsewhere() -> bool:
        answer = await world(
            "AllocateIpamPoolCidr", ipam_pool_id=pool, netmask_length=16, preview_next_cidr=True
        )
        return bool(answer.ipam_pool_allocation.cidr == "10.1.0.0/16")

    await eventually(places_elsewhere)


async def test_rules_are_checked_when_they_change(world: World) -> None:  # MON-2
    ipam = await world.create_ipam()
    scope = ipam.private_default_scope_id
    pool = await world.create_pool(scope, "10.0.0.0/8", locale=WEST)
    region = world.acting_as(region=WEST)
    vpc = await region.create_vpc(ipv4_ipam_pool_id=pool, ipv4_netmask_length=24)
    await world.resource_cidr(scope, vpc, compliance_status="compliant")
    await world(
        "ModifyIpamPool",
        ipam_pool_id=pool,
        add_allocation_resource_tags=[{"key": "team", "value": "net"}],
        allocation_max_netmask_length=20,
    )
    found = await world.resource_cidr(scope, vpc, compliance_status="noncompliant")
    assert set(found.broken_rules) == {
        "allocation-max-netmask-length",
        "allocation-resource-tags",
    }
    await region.tag(vpc, team="net")
    await world("ModifyIpamPool", ipam_pool_id=pool, allocation_max_netmask_length=28)
    await world.resource_cidr(scope, vpc, compliance_status="compliant")


async def test_of_overlapping_vpcs_the_widest_is_imported(world: World) -> None:  # MON-4
    ipam = await world.create_ipam()
    scope = ipam.private_default_scope_id
    region = world.acting_as(region=WEST)
    narrow = await region.create_vpc("10.0.0.0/24")
    wide = await region.create_vpc("10.0.0.0/16")
    pool = await world.create_pool(
        scope, "10.0.0.0/8", locale=WEST, auto_import=True, allocation_max_netmask_length=12
    )
    found = await world.resource_cidr(scope, wide, management_state="managed")
    assert states(found) == ("managed", "noncompliant", "overlapping")
    found = await world.resource_cidr(scope, narrow, management_state="unmanaged")
    assert await world.allocations(pool) == {"10.0.0.0/16": wide}

    await region("DeleteVpc", vpc_id=wide)

    async def is_taken_over() -> bool:
        return await world.allocations(pool) == {"10.0.0.0/24": narrow}

    await eventually(is_taken_over)


async def test_what_is_ignored_frees_its_space_and_is_not_imported_again(  # MON-5, ALLOC-5
    world: World,
) -> None:
    ipam = await world.create_ipam()
    scope = ipam.private_default_scope_id
    pool = await world.create_pool(scope, "10.0.0.0/8", locale=WEST, auto_import=True)
    vpc = await world.acting_as(region=WEST).create_vpc("10.0.0.0/16")
    await world.resource_cidr(scope, vpc, management_state="managed")
    marked = {
        "resource_id": vpc,
        "resource_cidr": "10.0.0.0/16",
        "resource_region": WEST,
        "current_ipam_scope_id": scope,
    }
    answer = await world("ModifyIpamResourceCidr", monitored=False, **marked)
    assert states(answer.ipam_resource_cidr) == ("ignored", "ignored", "ignored")

    async def is_free() -> bool:
        return await world.allocations(pool) == {}

    await eventually(is_free)
    await world.run_pass()
    assert await world.allocations(pool) == {}
    await world.resource_cidr(scope, vpc, management_state="ignored")

    await world("ModifyIpamResourceCidr", monitored=True, **marked)
    await world.resource_cidr(scope, vpc, management_state="managed")
    assert await world.allocations(pool) == {"10.0.0.0/16": vpc}
    told = await world.history(scope, "10.0.0.0/16", start_time=Timestamp(seconds=1))
    assert [record.HasField("sampled_end_time") for record in told].count(False) == 1
    assert "ignored" in {word(record, "resource_compliance_status") for record in told}
