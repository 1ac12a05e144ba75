"""Where pools place what is asked of them, and where they place nothing."""

from typing import Any

import pytest

from shared.errors import CadastreError
from shared.settings import Settings
from tests.allocation.world import (
    ACCOUNT,
    SCOPE,
    UNKNOWN_POOL,
    WEST,
    World,
    serving,
    word,
)
from tests.postgres import DIALECTS
from tests.waiting import eventually

OTHER_SCOPE = "ipam-scope-00000000000000002"
UNKNOWN_HOLD = "ipam-pool-hold-" + "0" * 32


async def refusal(call: Any) -> CadastreError:
    with pytest.raises(CadastreError) as refused:
        await call
    return refused.value


async def is_to_be_had(world: World, pool: str, netmask_length: int) -> bool:
    told = await refusal(world.allocate(pool, netmask_length=netmask_length, dry_run=True))
    return told.reason == "DryRunOperation"


# How a pool is told to place


async def test_a_pool_places_as_usual_until_it_is_told_otherwise(world: World) -> None:  # BEY-9
    pool = await world.pool("10.0.0.0/24")
    answer = await world.owner("GetIpamPoolPlacement", ipam_pool_id=pool)
    usual = answer.ipam_pool_placement
    assert word(usual, "strategy") == "best-fit"
    assert usual.avoids_observed
    assert (list(usual.excluded_cidrs), usual.HasField("cool_down_seconds")) == ([], False)
    changed = await world.place(
        pool,
        strategy="IPAM_POOL_STRATEGY_SPARSE",
        add_excluded_cidrs=["10.0.0.128/25", "10.0.0.0/30"],
        avoids_observed=False,
        cool_down_seconds=30,
    )
    again = await world.owner("GetIpamPoolPlacement", ipam_pool_id=pool)
    assert again.ipam_pool_placement == changed
    assert word(changed, "strategy") == "sparse"
    assert list(changed.excluded_cidrs) == ["10.0.0.0/30", "10.0.0.128/25"]
    assert (changed.avoids_observed, changed.cool_down_seconds) == (False, 30)


async def test_what_is_not_named_stays(world: World) -> None:
    pool = await world.pool("10.0.0.0/24")
    await world.place(pool, strategy="IPAM_POOL_STRATEGY_RANDOM", cool_down_seconds=0)
    changed = await world.place(pool, add_excluded_cidrs=["10.0.0.0/30"])
    assert (word(changed, "strategy"), changed.cool_down_seconds) == ("random", 0)
    changed = await world.place(pool, remove_excluded_cidrs=["10.0.0.0/30"], clear_cool_down=True)
    assert (word(changed, "strategy"), list(changed.excluded_cidrs)) == ("random", [])
    assert not changed.HasField("cool_down_seconds")


@pytest.mark.parametrize(
    ("members", "reason", "named"),
    [
        pytest.param(
            {"remove_excluded_cidrs": ["10.0.0.0/30"]},
            "InvalidParameterValue",
            "10.0.0.0/30",
            id="not excluded",
        ),
        pytest.param(
            {"add_excluded_cidrs": ["2600::/64"]}, "InvalidParameterValue", "2600::/64", id="family"
        ),
        pytest.param(
            {"add_excluded_cidrs": ["10.0.0.1/30"]},
            "InvalidParameterValue",
            "addExcludedCidrs.1",
            id="host bits",
        ),
        pytest.param(
            {"add_excluded_cidrs": [f"10.0.{n}.0/24" for n in range(99)]},
            "IpamPoolExcludedCidrLimitExceeded",
            "101",
            id="too many",
        ),
        pytest.param(
            {"cool_down_seconds": 5, "clear_cool_down": True},
            "InvalidParameterCombination",
            "ClearCoolDown",
            id="cool-down set and cleared",
        ),
        pytest.param(
            {"cool_down_seconds": 172801}, "InvalidParameterValue", "172800", id="too long"
        ),
        pytest.param({"strategy": 17}, "InvalidParameterValue", "strategy", id="no strategy"),
    ],
)
async def test_a_bad_change_changes_nothing(
    world: World, members: dict[str, Any], reason: str, named: str
) -> None:
    pool = await world.pool("10.0.0.0/24")
    before = await world.place(pool, add_excluded_cidrs=["10.1.0.0/30", "10.1.0.8/30"])
    refused = await refusal(world.place(pool, **members))
    assert refused.reason == reason
    assert named in refused.message
    answer = await world.owner("GetIpamPoolPlacement", ipam_pool_id=pool)
    assert answer.ipam_pool_placement == before


async def test_only_who_manages_a_pool_has_it_place_otherwise(world: World) -> None:  # BEY-12
    pool = await world.pool("10.0.0.0/24", locale=WEST)
    for caller in (world.stranger, world.west):
        refused = await refusal(caller("ModifyIpamPoolPlacement", ipam_pool_id=pool))
        assert refused.reason == "InvalidIpamPoolId.NotFound"
    seen = await world.west("GetIpamPoolPlacement", ipam_pool_id=pool)
    assert seen.ipam_pool_placement.ipam_pool_id == pool
    for rpc in ("GetIpamPoolPlacement", "GetIpamPoolUnavailableCidrs"):
        for caller, wanted in ((world.stranger, pool), (world.owner, UNKNOWN_POOL)):
            refused = await refusal(caller(rpc, ipam_pool_id=wanted))
            assert refused.reason == "InvalidIpamPoolId.NotFound"


async def test_a_strategy_holds_from_the_next_allocation_on(world: World) -> None:  # BEY-9
    pool = await world.pool("10.0.0.0/24")
    await world.allocate(pool, netmask_length=28)
    await world.place(pool, strategy="IPAM_POOL_STRATEGY_SPARSE")
    preview = await world.allocate(pool, netmask_length=28, preview_next_cidr=True)
    made = await world.allocate(pool, netmask_length=28)
    assert (preview.cidr, made.cidr) == ("10.0.0.128/28", "10.0.0.128/28")


async def test_a_preview_tells_what_chance_will_choose(world: World) -> None:  # ALLOC-1, BEY-9
    pool = await world.pool("10.0.0.0/16")
    await world.place(pool, strategy="IPAM_POOL_STRATEGY_RANDOM")
    found = []
    for _ in range(5):
        preview = await world.allocate(pool, netmask_length=28, preview_next_cidr=True)
        found.append((await world.allocate(pool, netmask_length=28)).cidr)
        assert preview.cidr == found[-1]
    assert found != sorted(found)


# Exclusions


async def test_excluded_space_is_given_to_nobody(world: World) -> None:  # BEY-9
    pool = await world.pool("10.0.0.0/24")
    await world.place(pool, add_excluded_cidrs=["10.0.0.0/25"])
    assert (await world.allocate(pool, netmask_length=26)).cidr == "10.0.0.128/26"
    for cidr in ("10.0.0.0/26", "10.0.0.0/24", "10.0.0.64/32"):
        refused = await refusal(world.allocate(pool, cidr=cidr))
        assert refused.reason == "InvalidParameterValue"
    refused = await refusal(world.allocate(pool, cidr="10.0.0.0/26"))
    assert "10.0.0.0/25, which is excluded" in refused.message
    refused = await refusal(world.allocate(pool, netmask_length=25))
    assert refused.reason == "InsufficientCidrSpace"
    assert "/26" in refused.message
    child = await world.define(source_ipam_pool_id=pool)
    refused = await refusal(world.provision(child, cidr="10.0.0.0/28"))
    assert "is excluded" in refused.message
    await world.place(pool, remove_excluded_cidrs=["10.0.0.0/25"])
    assert (await world.allocate(pool, netmask_length=25)).cidr == "10.0.0.0/25"


async def test_what_is_allocated_in_excluded_space_stays(world: World) -> None:  # BEY-9
    pool = await world.pool("10.0.0.0/24")
    made = await world.allocate(pool, cidr="10.0.0.0/26")
    await world.place(pool, add_excluded_cidrs=["10.0.0.0/25"])
    assert [found.cidr for found in await world.allocations(pool)] == ["10.0.0.0/26"]
    await world.release(pool, made)
    assert (await world.allocate(pool, netmask_length=26)).cidr == "10.0.0.128/26"
    usage = await world.usage(pool)
    assert (usage.total_addresses, usage.assigned_addresses) == ("256", "64")


# Observed space


async def test_nothing_is_placed_where_an_unmanaged_resource_is(world: World) -> None:  # BEY-3
    pool = await world.pool("10.0.0.0/24")
    await world.allocate(pool, cidr="10.0.0.0/28")
    await world.observe("10.0.0.16/28", "10.0.0.32/27")
    assert (await world.allocate(pool, netmask_length=28)).cidr == "10.0.0.64/28"
    refused = await refusal(world.allocate(pool, cidr="10.0.0.32/28"))
    assert refused.reason == "InvalidParameterValue"
    assert "10.0.0.32/27, which is in use" in refused.message
    assert "vpc" not in refused.message
    gone = [{"cidr": "10.0.0.16/28", "resource_id": "vpc-1"}]
    await world.discovery("ReportObservedCidrs", ipam_scope_id=SCOPE, gone=gone)
    assert (await world.allocate(pool, netmask_length=28)).cidr == "10.0.0.16/28"


async def test_a_resource_may_have_what_it_occupies(world: World) -> None:  # BEY-3
    pool = await world.pool("10.0.0.0/24", locale=WEST)
    await world.observe("10.0.0.0/28", resource_id="vpc-00000000000000001")
    await world.observe("10.0.0.16/28", resource_id="vpc-00000000000000002")
    for cidr in ("10.0.0.16/28", "10.0.0.0/27"):
        refused = await refusal(world.allocate_to_vpc(pool, "a", cidr=cidr))
        assert refused.reason == "InvalidParameterValue"
    made = await world.allocate_to_vpc(pool, "a", cidr="10.0.0.0/28")
    assert made.cidr == "10.0.0.0/28"


async def test_a_pool_can_be_told_to_give_observed_space_away(world: World) -> None:  # BEY-3
    pool = await world.pool("10.0.0.0/24")
    await world.observe("10.0.0.0/28")
    await world.place(pool, avoids_observed=False)
    assert (await world.allocate(pool, netmask_length=28)).cidr == "10.0.0.0/28"
    assert await world.unavailable(pool) == []


async def test_a_child_pool_can_take_over_what_is_observed(world: World) -> None:  # BEY-3
    top = await world.pool("10.0.0.0/16")
    await world.observe("10.0.0.0/28")
    child = await world.define(source_ipam_pool_id=top)
    assert (await world.provision(child, netmask_length=24)).cidr == "10.0.1.0/24"
    assert (await world.provision(child, cidr="10.0.0.0/24")).cidr == "10.0.0.0/24"
    assert (await world.allocate(child, netmask_length=28)).cidr == "10.0.0.16/28"


async def test_scopes_are_seen_apart(world: World) -> None:  # BEY-3, SCP-1
    pool = await world.pool("10.0.0.0/24")
    other = await world.pool("10.0.0.0/24", ipam_scope_id=OTHER_SCOPE)
    await world.observe("10.0.0.0/28", scope=OTHER_SCOPE)
    assert (await world.allocate(pool, netmask_length=28)).cidr == "10.0.0.0/28"
    assert (await world.allocate(other, netmask_length=28)).cidr == "10.0.0.16/28"


async def test_what_is_observed_is_listed_in_pages(world: World) -> None:
    cidrs = [f"10.0.{n}.0/24" for n in range(6)]
    await world.observe(*cidrs)
    await world.observe(*cidrs)
    await world.observe("10.0.3.0/24", resource_id="vpc-0")
    listed, token = [], None
    while True:
        page = await world.discovery(
            "ListObservedCidrs", ipam_scope_id=SCOPE, max_results=4, next_token=token
        )
        listed += [(one.resource_id, one.cidr) for one in page.observed_cidrs]
        if not page.HasField("next_token"):
            break
        token = page.next_token
    assert listed == [("vpc-0", "10.0.3.0/24"), *(("vpc-1", cidr) for cidr in cidrs)]


async def test_a_report_with_a_bad_cidr_reports_nothing(world: World) -> None:
    observed = [{"cidr": cidr, "resource_id": "vpc-1"} for cidr in ("10.0.0.0/24", "10.0.0.1/24")]
    refused = await refusal(
        world.discovery("ReportObservedCidrs", ipam_scope_id=SCOPE, observed=observed)
    )
    assert (refused.reason, "observed.2" in refused.message) == ("InvalidParameterValue", True)
    listed = await world.discovery("ListObservedCidrs", ipam_scope_id=SCOPE)
    assert list(listed.observed_cidrs) == []


# Holds


async def test_what_is_held_is_its_holders(world: World) -> None:  # BEY-8
    pool = await world.pool("10.0.0.0/24")
    held = await world.hold(pool, netmask_length=26)
    assert (held.cidr, held.owner_id, held.ipam_pool_id) == ("10.0.0.0/26", ACCOUNT, pool)
    assert (await world.allocate(pool, netmask_length=26)).cidr == "10.0.0.64/26"
    assert await world.unavailable(pool) == [("10.0.0.0/26", "hold")]
    refused = await refusal(world.allocate(pool, cidr="10.0.0.0/27"))
    assert refused.reason == "InvalidParameterValue"
    assert "is held" in refused.message
    usage = await world.usage(pool)
    assert (usage.assigned_addresses, usage.allocation_count) == ("64", 1)
    settled = await world.allocate(pool, cidr=held.cidr)
    assert settled.cidr == "10.0.0.0/26"
    assert await world.unavailable(pool) == []
    assert (await world.usage(pool)).assigned_addresses == "128"


async def test_a_resource_or_a_child_pool_settles_a_hold(world: World) -> None:  # BEY-8
    pool = await world.pool("10.0.0.0/24", locale=WEST)
    first = await world.hold(pool, netmask_length=26)
    second = await world.hold(pool, netmask_length=26)
    assert (await world.allocate_to_vpc(pool, "a", cidr=first.cidr)).cidr == first.cidr
    child = await world.define(source_ipam_pool_id=pool, locale=WEST)
    assert (await world.provision(child, cidr=second.cidr)).cidr == second.cidr
    assert await world.unavailable(pool) == []


async def test_a_hold_expires(world: World) -> None:  # BEY-8
    pool = await world.pool("10.0.0.0/24")
    held = await world.hold(pool, cidr="10.0.0.0/24", ttl_seconds=1)
    await eventually(lambda: is_to_be_had(world, pool, 24))
    assert await world.unavailable(pool) == []
    refused = await refusal(
        world.owner(
            "ReleaseIpamPoolHold", ipam_pool_id=pool, ipam_pool_hold_id=held.ipam_pool_hold_id
        )
    )
    assert refused.reason == "InvalidIpamPoolHoldId.NotFound"


async def test_a_hold_is_released(world: World) -> None:  # BEY-8
    pool = await world.pool("10.0.0.0/24")
    held = await world.hold(pool, cidr="10.0.0.0/24")
    named = {"ipam_pool_id": pool, "ipam_pool_hold_id": held.ipam_pool_hold_id}
    dry = await refusal(world.owner("ReleaseIpamPoolHold", dry_run=True, **named))
    assert dry.reason == "DryRunOperation"
    await world.owner("ReleaseIpamPoolHold", **named)
    assert (await world.allocate(pool, netmask_length=24)).cidr == "10.0.0.0/24"
    for wanted in (held.ipam_pool_hold_id, UNKNOWN_HOLD):
        gone = await refusal(
            world.owner("ReleaseIpamPoolHold", ipam_pool_id=pool, ipam_pool_hold_id=wanted)
        )
        assert gone.reason == "InvalidIpamPoolHoldId.NotFound"


async def test_a_repeated_hold_is_the_first_one(world: World) -> None:  # ALLOC-7, BEY-8
    pool = await world.pool("10.0.0.0/24")
    first = await world.hold(pool, netmask_length=28, client_token="a")
    assert await world.hold(pool, netmask_length=28, client_token="a") == first
    other = await refusal(world.hold(pool, netmask_length=27, client_token="a"))
    assert other.reason == "IdempotentParameterMismatch"
    dry = await refusal(world.hold(pool, netmask_length=28, dry_run=True))
    assert dry.reason == "DryRunOperation"
    assert await world.unavailable(pool) == [("10.0.0.0/28", "hold")]


async def test_a_hold_keeps_its_cidr_in_the_pool(world: World) -> None:  # BEY-8, PROV-8
    pool = await world.pool("10.0.0.0/24")
    held = await world.hold(pool, netmask_length=28)
    removal = {"ipam_pool_id": pool, "cidr": "10.0.0.0/24"}
    refused = await refusal(world.owner("DeprovisionIpamPoolCidr", **removal))
    assert refused.reason == "DependencyViolation"
    assert held.ipam_pool_hold_id in refused.message
    await world.owner(
        "ReleaseIpamPoolHold", ipam_pool_id=pool, ipam_pool_hold_id=held.ipam_pool_hold_id
    )
    await world.owner("DeprovisionIpamPoolCidr", **removal)


async def test_no_list_of_allocations_shows_a_hold(world: World) -> None:  # BEY-8
    pool = await world.pool("10.0.0.0/24")
    held = await world.hold(pool, netmask_length=28)
    assert await world.allocations(pool) == []
    described = await world.owner("DescribeIpamPoolAllocations")
    assert list(described.ipam_pool_allocations) == []
    posing = held.ipam_pool_hold_id.replace("hold", "alloc")
    refused = await refusal(
        world.owner("GetIpamPoolAllocations", ipam_pool_id=pool, ipam_pool_allocation_id=posing)
    )
    assert refused.reason == "InvalidIpamPoolAllocationId.NotFound"


# Cool-down


async def test_released_space_rests(world: World) -> None:  # IPAM-6
    pool = await world.pool("10.0.0.0/24")
    await world.place(pool, cool_down_seconds=3600)
    made = await world.allocate(pool, netmask_length=26)
    await world.release(pool, made)
    assert (await world.allocate(pool, netmask_length=26)).cidr == "10.0.0.64/26"
    refused = await refusal(world.allocate(pool, cidr="10.0.0.0/26"))
    assert refused.reason == "InvalidParameterValue"
    assert "10.0.0.0/26, which cools down" in refused.message
    answer = await world.owner("GetIpamPoolUnavailableCidrs", ipam_pool_id=pool)
    [resting] = answer.ipam_pool_unavailable_cidrs
    assert (resting.cidr, word(resting, "reason")) == ("10.0.0.0/26", "cool-down")
    assert resting.HasField("until")
    assert resting.ipam_pool_hold_id == ""
    usage = await world.usage(pool)
    assert (usage.assigned_addresses, usage.allocation_count) == ("64", 1)


async def test_rested_space_is_given_away_again(world: World) -> None:  # IPAM-6
    pool = await world.pool("10.0.0.0/24")
    await world.place(pool, cool_down_seconds=1)
    made = await world.allocate(pool, netmask_length=24)
    await world.release(pool, made)
    await eventually(lambda: is_to_be_had(world, pool, 24))


async def test_the_installation_says_how_long_where_no_pool_does(settings: Settings) -> None:
    """IPAM-6"""
    async with serving(settings.model_copy(update={"cool_down_seconds": 3600})) as world:
        resting, eager = await world.pool("10.0.0.0/24"), await world.pool("10.1.0.0/24")
        await world.place(eager, cool_down_seconds=0)
        for pool in (resting, eager):
            await world.release(pool, await world.allocate(pool, netmask_length=24))
        assert await world.unavailable(resting) == [("10.0.0.0/24", "cool-down")]
        assert await world.unavailable(eager) == []


async def test_a_resting_cidr_can_be_deprovisioned(world: World) -> None:  # IPAM-6, PROV-8
    top = await world.pool("10.0.0.0/16")
    child = await world.define(source_ipam_pool_id=top)
    await world.provision(child, cidr="10.0.0.0/24")
    for pool in (top, child):
        await world.place(pool, cool_down_seconds=3600)
    await world.release(child, await world.allocate(child, netmask_length=28))
    await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=child, cidr="10.0.0.0/24")
    assert await world.unavailable(child) == []
    assert await world.unavailable(top) == [("10.0.0.0/24", "cool-down")]
    await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=top, cidr="10.0.0.0/16")
    await world.control_plane("RetireIpamPool", ipam_pool_id=child)
    await world.control_plane("RetireIpamPool", ipam_pool_id=top)


async def test_a_batch_that_is_undone_leaves_what_rested_and_what_was_held(world: World) -> None:
    """BEY-8: all or nothing, whatever it touches."""
    pool = await world.pool("10.0.0.0/24")
    await world.place(pool, cool_down_seconds=3600)
    made = await world.allocate(pool, cidr="10.0.0.0/26")
    held = await world.hold(pool, cidr="10.0.0.64/26")
    releases = [
        {
            "ipam_pool_id": pool,
            "cidr": made.cidr,
            "ipam_pool_allocation_id": made.ipam_pool_allocation_id,
        }
    ] * 2
    refused = await refusal(
        world.owner("BatchReleaseIpamPoolAllocations", requests=releases, all_or_nothing=True)
    )
    assert "requests.2" in refused.message
    wanted = [{"ipam_pool_id": pool, "cidr": cidr} for cidr in (held.cidr, made.cidr)]
    refused = await refusal(
        world.owner("BatchAllocateIpamPoolCidrs", requests=wanted, all_or_nothing=True)
    )
    assert "requests.2" in refused.message
    assert await world.unavailable(pool) == [(held.cidr, "hold")]
    assert [found.cidr for found in await world.allocations(pool)] == [made.cidr]
    await world.release(pool, made)
    await world.allocate(pool, cidr=held.cidr)
    assert await world.unavailable(pool) == [(made.cidr, "cool-down")]


# What all of it has in common


async def test_what_is_not_to_be_had_is_listed_in_pages(world: World) -> None:  # IPAM-6
    pool = await world.pool("10.0.0.0/24", "10.0.2.0/24")
    await world.place(pool, cool_down_seconds=3600, add_excluded_cidrs=["10.0.0.0/28"])
    await world.release(pool, await world.allocate(pool, cidr="10.0.0.16/28"))
    await world.hold(pool, cidr="10.0.0.32/28")
    await world.hold(pool, cidr="10.0.0.64/28")
    await world.observe("10.0.0.64/28", "10.0.2.0/28", "10.0.1.0/24", "10.0.0.0/28")
    expected = [
        ("10.0.0.0/28", "excluded"),
        ("10.0.0.0/28", "observed"),
        ("10.0.0.16/28", "cool-down"),
        ("10.0.0.32/28", "hold"),
        ("10.0.0.64/28", "hold"),
        ("10.0.0.64/28", "observed"),
        ("10.0.2.0/28", "observed"),
    ]
    assert await world.unavailable(pool) == expected
    first = await world.owner("GetIpamPoolUnavailableCidrs", ipam_pool_id=pool, max_results=5)
    second = await world.owner(
        "GetIpamPoolUnavailableCidrs",
        ipam_pool_id=pool,
        max_results=5,
        next_token=first.next_token,
    )
    listed = [*first.ipam_pool_unavailable_cidrs, *second.ipam_pool_unavailable_cidrs]
    assert [(one.cidr, word(one, "reason")) for one in listed] == expected
    assert not second.HasField("next_token")


async def test_it_outlives_a_restart(settings: Settings) -> None:  # IPAM-6, BEY-3, BEY-8, BEY-9
    async with serving(settings) as world:
        pool = await world.pool("10.0.0.0/24")
        await world.place(pool, cool_down_seconds=3600, add_excluded_cidrs=["10.0.0.0/28"])
        await world.release(pool, await world.allocate(pool, cidr="10.0.0.16/28"))
        held = await world.hold(pool, cidr="10.0.0.32/28")
        await world.observe("10.0.0.48/28")
        before = await world.unavailable(pool)
    async with serving(settings) as world:
        assert await world.unavailable(pool) == before
        assert (await world.allocate(pool, netmask_length=28)).cidr == "10.0.0.64/28"
        assert (await world.allocate(pool, cidr=held.cidr)).cidr == held.cidr
        assert (await world.usage(pool)).assigned_addresses == "32"


@pytest.mark.parametrize("database_url", DIALECTS[1:], indirect=True)
async def test_another_replica_knows_at_once(settings: Settings) -> None:
    """BEY-2, with both replicas' memory warm."""
    async with serving(settings) as one, serving(settings) as other:
        pool = await one.pool("10.0.0.0/24")
        made = await other.allocate(pool, cidr="10.0.0.16/28")
        await one.place(pool, cool_down_seconds=3600, add_excluded_cidrs=["10.0.0.0/28"])
        await other.release(pool, made)
        held = await one.hold(pool, cidr="10.0.0.32/28")
        await one.observe("10.0.0.48/28")
        assert (await other.allocate(pool, netmask_length=28)).cidr == "10.0.0.64/28"
        assert (await other.allocate(pool, cidr=held.cidr)).cidr == held.cidr
        await one.place(pool, remove_excluded_cidrs=["10.0.0.0/28"])
        assert (await other.allocate(pool, netmask_length=28)).cidr == "10.0.0.0/28"


async def test_a_pool_is_as_full_as_before_with_a_settled_hold(world: World) -> None:  # ALLOC-3
    """A hold takes its place in the pool's guard: its end and the allocation are one act."""
    pool = await world.pool("10.0.0.0/30")
    held = [await world.hold(pool, netmask_length=32) for _ in range(4)]
    refused = await refusal(world.allocate(pool, netmask_length=32))
    assert refused.reason == "InsufficientCidrSpace"
    for hold in held:
        await world.allocate(pool, cidr=hold.cidr)
    assert (await world.usage(pool)).assigned_addresses == "4"
