from typing import Any

import pytest

from shared.errors import CadastreError
from tests.allocation.world import ELSEWHERE, HOME, STRANGER, UNKNOWN_POOL, World, word

VALUE = "InvalidParameterValue"


async def test_a_top_level_pool_gets_a_cidr(world: World) -> None:  # PROV-1, PROV-7
    pool = await world.define()
    answer = await world.provision(pool, cidr="10.0.0.0/8")
    assert (answer.cidr, answer.netmask_length) == ("10.0.0.0/8", 8)
    assert word(answer, "state") == "pending-provision"
    listed = await world.owner("GetIpamPoolCidrs", ipam_pool_id=pool)
    [found] = listed.ipam_pool_cidrs
    assert word(found, "state") == "provisioned"
    assert found.ipam_pool_cidr_id == answer.ipam_pool_cidr_id


async def test_a_childs_cidr_is_an_allocation_of_its_parent(world: World) -> None:  # POOL-8
    top = await world.pool("10.0.0.0/8")
    child = await world.define(source_ipam_pool_id=top)
    await world.provision(child, cidr="10.0.0.0/16")
    by_length = await world.provision(child, netmask_length=16)
    assert by_length.cidr == "10.1.0.0/16"
    first, second = await world.allocations(top)
    assert [first.cidr, second.cidr] == ["10.0.0.0/16", "10.1.0.0/16"]
    assert (first.resource_id, word(first, "resource_type")) == (child, "ipam-pool")
    assert not first.HasField("resource_region")
    usage = await world.usage(top)
    assert (usage.allocated_addresses, usage.assigned_addresses) == (str(2 << 16), "0")

    await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=child, cidr="10.0.0.0/16")
    assert [found.cidr for found in await world.allocations(top)] == ["10.1.0.0/16"]
    assert await world.cidrs(child) == {
        "10.0.0.0/16": "deprovisioned",
        "10.1.0.0/16": "provisioned",
    }


async def test_unique_local_space_is_chosen_within_the_scope(world: World) -> None:  # PROV-2
    await world.pool("fd80::/12")
    pool = await world.define(address_family="ipv6")
    chosen = await world.provision(pool, netmask_length=48)
    assert chosen.cidr == "fd90::/48"
    with pytest.raises(CadastreError) as refusal:
        await world.provision(pool, netmask_length=9)
    assert refusal.value.reason == "InsufficientCidrSpace"


async def test_two_scopes_may_have_the_same_cidr(world: World) -> None:  # SCP-1
    await world.pool("10.0.0.0/8")
    other = await world.pool("10.0.0.0/8", ipam_scope_id="ipam-scope-00000000000000002")
    assert await world.cidrs(other) == {"10.0.0.0/8": "provisioned"}


IPV4: dict[str, Any] = {}
IPV6 = {"address_family": "ipv6"}


@pytest.mark.parametrize(
    ("definition", "members", "reason", "says"),
    [
        pytest.param(IPV4, {}, "MissingParameter", "Cidr or NetmaskLength", id="nothing"),
        pytest.param(IPV4, {"netmask_length": 16}, "MissingParameter", "Cidr", id="IPv4 by length"),
        pytest.param(
            IPV4,
            {"cidr": "10.0.0.0/8", "netmask_length": 8},
            "InvalidParameterCombination",
            "NetmaskLength",
            id="both",
        ),
        pytest.param(IPV4, {"cidr": "10.0.0.1/8"}, VALUE, "'10.0.0.0/8'", id="host bits"),
        pytest.param(IPV4, {"cidr": "fd80::/16"}, VALUE, "ipv4", id="other family"),
        pytest.param(IPV4, {"cidr": "172.16.1.0/24"}, VALUE, "172.16.0.0/12", id="in the scope"),
        pytest.param(IPV4, {"cidr": "172.0.0.0/8"}, VALUE, "172.16.0.0/12", id="around another"),
        pytest.param(IPV4, {"cidr": "127.0.0.0/16"}, VALUE, "loopback", id="loopback"),
        pytest.param(IPV6, {"cidr": "fd00:1::/48"}, VALUE, "fd00::/16", id="Amazon's ULA"),
        pytest.param(IPV6, {"netmask_length": 61}, VALUE, "/9 to /60", id="too small"),
        pytest.param(IPV6, {"cidr": "2600::/32"}, VALUE, "EnablePrivateGua", id="GUA is off"),
        pytest.param(
            IPV4,
            {"cidr": "10.0.0.0/8", "ipam_external_resource_verification_token_id": "t"},
            "InvalidParameterCombination",
            "IpamExternalResourceVerificationTokenId",
            id="proof in a private scope",
        ),
        pytest.param(
            {"cidr_quota": 0}, {"cidr": "10.0.0.0/8"}, "IpamPoolCidrLimitExceeded", "0", id="quota"
        ),
    ],
)
async def test_a_top_level_cidr_is_refused_precisely(
    world: World, definition: dict[str, Any], members: dict[str, Any], reason: str, says: str
) -> None:  # PROV-1, PROV-2, PROV-3
    await world.pool("172.16.0.0/12")
    pool = await world.define(**definition)
    with pytest.raises(CadastreError) as refusal:
        await world.provision(pool, **members)
    assert refusal.value.reason == reason
    assert says in refusal.value.message
    assert await world.cidrs(pool) == {}


@pytest.mark.parametrize(
    ("members", "reason", "says"),
    [
        pytest.param({}, "MissingParameter", "Cidr or NetmaskLength", id="nothing"),
        pytest.param({"cidr": "11.0.0.0/16"}, VALUE, "10.0.0.0/8", id="outside the source"),
        pytest.param({"cidr": "10.9.0.0/24"}, VALUE, "10.9.0.0/16", id="taken in the source"),
        pytest.param({"netmask_length": 8}, "InsufficientCidrSpace", "/9", id="nothing so large"),
        pytest.param({"netmask_length": 33}, VALUE, "0-32", id="no such length"),
    ],
)
async def test_a_childs_cidr_is_refused_precisely(
    world: World, members: dict[str, Any], reason: str, says: str
) -> None:  # PROV-1
    top = await world.pool("10.0.0.0/8")
    await world.allocate(top, cidr="10.9.0.0/16")
    child = await world.define(source_ipam_pool_id=top)
    with pytest.raises(CadastreError) as refusal:
        await world.provision(child, **members)
    assert refusal.value.reason == reason
    assert says in refusal.value.message
    assert await world.cidrs(child) == {}
    assert len(await world.allocations(top)) == 1


@pytest.mark.parametrize(
    ("account", "region"),
    [
        pytest.param(STRANGER, HOME, id="another account"),
        pytest.param("123456789012", ELSEWHERE, id="another region"),
        pytest.param("123456789012", "us-west-2", id="the pool's locale"),
    ],
)
async def test_only_the_owner_provisions_and_only_at_home(
    world: World, account: str, region: str
) -> None:  # BEY-12
    pool = await world.define(locale="us-west-2")
    caller = world.caller(account, region)
    for rpc in ("ProvisionIpamPoolCidr", "DeprovisionIpamPoolCidr"):
        with pytest.raises(CadastreError) as refusal:
            await caller(rpc, ipam_pool_id=pool, cidr="10.0.0.0/8")
        with pytest.raises(CadastreError) as unknown:
            await caller(rpc, ipam_pool_id=UNKNOWN_POOL, cidr="10.0.0.0/8")
        assert refusal.value.reason == unknown.value.reason == "InvalidIpamPoolId.NotFound"
        assert refusal.value.message.replace(pool, UNKNOWN_POOL) == unknown.value.message


async def test_deprovisioning_needs_no_name_where_there_is_one_cidr(world: World) -> None:  # PROV-8
    pool = await world.pool("10.0.0.0/16", "10.1.0.0/16")
    with pytest.raises(CadastreError, match=r"10\.0\.0\.0/16, 10\.1\.0\.0/16") as refusal:
        await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool)
    assert refusal.value.reason == "MissingParameter"
    await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool, cidr="10.0.0.0/16")
    answer = await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool)
    assert answer.ipam_pool_cidr.cidr == "10.1.0.0/16"
    assert word(answer.ipam_pool_cidr, "state") == "pending-deprovision"
    with pytest.raises(CadastreError) as gone:
        await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool)
    assert gone.value.reason == "InvalidIpamPoolCidr.NotFound"


async def test_a_cidr_stays_while_an_allocation_lies_in_it(world: World) -> None:  # PROV-8
    pool = await world.pool("10.0.0.0/16")
    allocation = await world.allocate(pool, netmask_length=32)
    with pytest.raises(CadastreError, match=allocation.ipam_pool_allocation_id) as refusal:
        await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool)
    assert refusal.value.reason == "DependencyViolation"
    await world.release(pool, allocation)
    await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool)


async def test_a_deprovisioned_cidr_comes_back_under_a_new_id(world: World) -> None:  # PROV-7
    pool = await world.define()
    before = await world.provision(pool, cidr="10.0.0.0/16")
    await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool)
    other = await world.pool("10.0.0.0/24")
    await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=other)
    after = await world.provision(pool, cidr="10.0.0.0/16")
    assert before.ipam_pool_cidr_id != after.ipam_pool_cidr_id
    assert await world.cidrs(pool) == {"10.0.0.0/16": "provisioned"}


async def test_a_dry_run_decides_and_changes_nothing(world: World) -> None:
    pool = await world.define()
    for cidr, reason in (("10.0.0.0/8", "DryRunOperation"), ("0.0.0.0/0", VALUE)):
        with pytest.raises(CadastreError) as refusal:
            await world.provision(pool, cidr=cidr, dry_run=True, client_token=cidr)
        assert refusal.value.reason == reason
    assert await world.cidrs(pool) == {}
    await world.provision(pool, cidr="10.0.0.0/8", client_token="0.0.0.0/0")
    with pytest.raises(CadastreError) as kept:
        await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool, dry_run=True)
    assert kept.value.reason == "DryRunOperation"
    assert await world.cidrs(pool) == {"10.0.0.0/8": "provisioned"}
