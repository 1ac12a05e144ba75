"""Amazon's own space, and the pools that no account sees (PROV-4, PROV-5)."""

import asyncio
import json
from typing import Any

import pytest

from services.allocation.public_ranges import PublicRanges
from services.allocation.service.ranges_at_start import adjust_system_pools
from services.allocation.store.reader import SqlReader
from services.allocation.store.writer import SqlWriter
from shared.errors import CadastreError
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.rpc.server import background
from shared.settings import Settings
from tests.allocation.test_check_ledger import check
from tests.allocation.test_guards import NOW
from tests.allocation.test_watch import watching
from tests.allocation.world import HOME, PUBLIC, SIGNED, STRANGER, World, serving

VALUE, FORBIDDEN = "InvalidParameterValue", "OperationNotPermitted"
SLASH_30 = {"netmask_length": 30}
AMAZON: dict[str, Any] = {
    **PUBLIC,
    "public_ip_source": "amazon",
    "amazon_block_quota": {"blocks": 2, "min_netmask_length": 29, "max_netmask_length": 30},
}
AMAZON_IPV6: dict[str, Any] = {
    **AMAZON,
    "address_family": "ipv6",
    "amazon_block_quota": {"blocks": 1, "min_netmask_length": 52, "max_netmask_length": 52},
}


async def refusal_of(call: Any) -> CadastreError:
    with pytest.raises(CadastreError) as refusal:
        await call
    return refusal.value


async def test_a_pool_gets_blocks_of_amazons_space_by_length(world: World) -> None:  # PROV-5
    pool = await world.define(**AMAZON)
    first = await world.provision(pool, netmask_length=30)
    second = await world.provision(pool, netmask_length=29)
    assert (first.cidr, second.cidr) == ("198.18.0.0/30", "198.18.0.8/29")
    assert await world.cidrs(pool) == {first.cidr: "provisioned", second.cidr: "provisioned"}
    refusal = await refusal_of(world.provision(pool, netmask_length=30))
    assert refusal.reason == "IpamPoolAmazonBlockLimitExceeded"
    await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool, cidr=first.cidr)
    assert (await world.provision(pool, netmask_length=30)).cidr == first.cidr
    assert (await check(world)).findings == []


async def test_an_ipv6_pool_gets_a_block_of_amazons_space(world: World) -> None:  # PROV-4
    pool = await world.define(**AMAZON_IPV6)
    assert (await world.provision(pool, netmask_length=52)).cidr == "3fff::/52"
    refusal = await refusal_of(world.provision(pool, netmask_length=52))
    assert "1 blocks of Amazon's ipv6 space in us-west-2" in refusal.message


async def test_a_local_zone_is_no_other_region_to_have_blocks_in(world: World) -> None:  # PROV-5
    one = {**AMAZON["amazon_block_quota"], "blocks": 1}
    await world.provision(
        await world.define(**{**AMAZON, "amazon_block_quota": one}), netmask_length=30
    )
    zone = f"{AMAZON['locale']}-lax-1"
    beside = await world.define(**{**AMAZON, "amazon_block_quota": one, "locale": zone})
    refusal = await refusal_of(world.provision(beside, netmask_length=30))
    assert refusal.reason == "IpamPoolAmazonBlockLimitExceeded"


async def test_blocks_are_counted_by_account_family_and_region(world: World) -> None:  # PROV-5
    for _ in range(2):
        await world.provision(await world.define(**AMAZON), netmask_length=30)
    # Another IPAM of the same account has no more.
    other = await world.define(**{**AMAZON, "ipam_id": "ipam-00000000000000002"})
    refusal = await refusal_of(world.provision(other, netmask_length=30))
    assert refusal.reason == "IpamPoolAmazonBlockLimitExceeded"
    await world.provision(await world.define(**AMAZON_IPV6), netmask_length=52)
    await world.provision(await world.define(**{**AMAZON, "locale": HOME}), netmask_length=30)
    theirs = await world.define(**{**AMAZON, "owner_id": STRANGER})
    await world.stranger("ProvisionIpamPoolCidr", ipam_pool_id=theirs, netmask_length=30)


async def test_at_once_no_account_gets_a_block_too_many(world: World) -> None:  # PROV-5
    pools = [await world.define(**AMAZON) for _ in range(6)]
    outcomes = await asyncio.gather(
        *(world.provision(pool, netmask_length=30) for pool in pools), return_exceptions=True
    )
    assert len([found for found in outcomes if not isinstance(found, CadastreError)]) == 2


@pytest.mark.parametrize(
    ("definition", "members", "reason", "says"),
    [
        pytest.param({}, {"cidr": "198.18.0.0/30"}, VALUE, "NetmaskLength", id="a certain block"),
        pytest.param({}, {}, "MissingParameter", "NetmaskLength", id="nothing"),
        pytest.param({}, {"netmask_length": 28}, VALUE, "/29 to /30", id="too wide"),
        pytest.param({}, {"netmask_length": 31}, VALUE, "/29 to /30", id="too narrow"),
        pytest.param({"locale": "None"}, SLASH_30, FORBIDDEN, "locale", id="nowhere"),
        pytest.param({"aws_service": ""}, SLASH_30, FORBIDDEN, "ec2", id="no service"),
        pytest.param(
            {}, {**SLASH_30, **SIGNED}, "InvalidParameterCombination", "brought", id="proof"
        ),
        pytest.param(
            {"amazon_block_quota": None},
            SLASH_30,
            "IpamPoolAmazonBlockLimitExceeded",
            "0",
            id="no quota told",
        ),
    ],
)
async def test_a_block_of_amazons_space_is_refused_precisely(
    world: World, definition: dict[str, Any], members: dict[str, Any], reason: str, says: str
) -> None:  # PROV-4, PROV-5
    pool = await world.define(**{**AMAZON, **definition})
    refusal = await refusal_of(world.provision(pool, **members))
    assert (refusal.reason, says in refusal.message) == (reason, True), refusal.message
    assert "amazon-ipv4" not in refusal.message
    assert await world.cidrs(pool) == {}


async def test_what_is_released_rests_before_another_gets_it(
    settings: Settings,
) -> None:  # IPAM-6
    resting = settings.model_copy(update={"cool_down_seconds": 3600})
    async with serving(resting) as world:
        pool = await world.define(**AMAZON)
        first = await world.provision(pool, netmask_length=30)
        await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool)
        assert (await world.provision(pool, netmask_length=30)).cidr != first.cidr


async def test_retired_with_all_it_has_a_pool_gives_its_blocks_back(world: World) -> None:
    pool = await world.define(**AMAZON)
    block = await world.provision(pool, netmask_length=30)
    await world.control_plane("RetireIpamPool", ipam_pool_id=pool, cascade=True)
    again = await world.provision(await world.define(**AMAZON), netmask_length=30)
    assert again.cidr == block.cidr
    assert (await check(world)).findings == []


def ranges(monkeypatch: pytest.MonkeyPatch, *cidrs: str) -> None:
    monkeypatch.setenv("CADASTRE_AMAZON_IPV4_RANGES", json.dumps(cidrs))


async def test_amazons_ranges_are_what_the_configuration_says(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:  # PROV-5
    ranges(monkeypatch, "203.0.113.0/24", "198.51.100.0/24")
    async with serving(settings) as world:
        pool = await world.define(**AMAZON)
        held = await world.provision(pool, netmask_length=29)
        assert held.cidr == "198.51.100.0/29"
    # One went that is in use, one that is not, and one came that overlaps what stays.
    ranges(monkeypatch, "198.18.0.0/16", "198.51.100.0/25")
    async with serving(settings) as world:
        assert await world.cidrs(pool) == {held.cidr: "provisioned"}
        report = await check(world)
        assert (report.findings, report.summary.cidrs_checked) == ([], 5)
        await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool)
    async with serving(settings) as world:
        again = await world.provision(pool, netmask_length=29)
        assert again.cidr == "198.51.100.0/29"
        assert (await check(world)).findings == []


async def test_replicas_that_start_together_agree_on_amazons_ranges(
    database_url: str, settings: Settings
) -> None:  # PROV-5
    database = Database(database_url)
    try:
        upgrade(database, "services.allocation")
        writers = [SqlWriter(database, lambda: NOW) for _ in range(3)]
        async with background(*(writer.run() for writer in writers)):
            reader, wanted = SqlReader(database), PublicRanges().amazon
            left = await asyncio.gather(
                *(adjust_system_pools(writer, reader, wanted) for writer in writers)
            )
        assert left == [[], [], []]
    finally:
        database.close()
    async with serving(settings) as world:
        report = await check(world)
        assert (report.findings, report.summary.cidrs_checked) == ([], 2)


async def test_no_account_sees_amazons_pools(world: World) -> None:  # BEY-12
    pool = await world.define(**AMAZON)
    await world.provision(pool, netmask_length=30)
    listed = await world.control_plane("ListIpamPools")
    assert [found.ipam_pool_id for found in listed.ipam_pools] == [pool]
    mine = await world.owner("DescribeIpamPoolAllocations")
    assert not mine.ipam_pool_allocations
    for rpc, members in {
        "GetIpamPoolCidrs": {},
        "AllocateIpamPoolCidr": {"netmask_length": 32},
        "ProvisionIpamPoolCidr": {"netmask_length": 30},
    }.items():
        refusal = await refusal_of(world.owner(rpc, ipam_pool_id="amazon-ipv4", **members))
        assert refusal.reason == "InvalidIpamPoolId.Malformed"
    async with watching(world.owner) as watch, watching(world.control_plane) as service:
        await service.until(lambda seen: pool in {told[2] for told in seen.told})
        await watch.until(lambda seen: pool in {told[2] for told in seen.told})
    assert {told[2] for told in watch.told} == {pool}
    assert ("allocated", "198.18.0.0/30", "amazon-ipv4") in service.told


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("CADASTRE_AMAZON_IPV4_RANGES", '["198.18.0.1/15"]', "198.18.0.0/15"),
        ("CADASTRE_AMAZON_IPV4_RANGES", '["3fff::/20"]', "not ipv4"),
        ("CADASTRE_AMAZON_IPV6_RANGES", '["3fff::/20", "3fff::/32"]', "overlap"),
        ("CADASTRE_AMAZON_IPV6_RANGES", "[7]", "valid CIDR"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=says):
        PublicRanges()
