"""Public IPv4 pools through gRPC, on both databases (EIP-1)."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from cadastre.allocation.v1 import pool_allocation_pb2
from cadastre.common.v1 import types_pb2
from cadastre.network.v1 import address_service_pb2 as pb
from cadastre.network.v1 import inventory_service_pb2, network_service_pb2
from shared.errors import CadastreError
from tests.network.conftest import Network
from tests.network.fake_ledger import (
    BYOIP_POOL,
    IPV4_POOL,
    IPV6_POOL,
    LOCAL_ZONE_POOL,
    FakeLedger,
)
from tests.network.support import CALLER, OWNER, REGION, STRANGER, UNKNOWN_POOL, tagged
from tests.waiting import PATIENCE_SECONDS

IPAM_REGION = replace(CALLER, region="us-east-1")
UNKNOWN = "ipv4pool-ec2-00000000000000000"
LOCAL_ZONE = "us-west-2-lax-1"


async def create(api: Network, **members: Any) -> str:
    made = await api.addresses.call(pb.CreatePublicIpv4PoolRequest(**members))
    pool_id: str = made.pool_id
    return pool_id


async def provision(api: Network, pool_id: str, length: int, **members: Any) -> Any:
    request = {"pool_id": pool_id, "ipam_pool_id": BYOIP_POOL, "netmask_length": length, **members}
    answer = await api.addresses.call(pb.ProvisionPublicIpv4PoolCidrRequest(**request))
    assert answer.pool_id == pool_id
    return answer.pool_address_range


async def deprovision(api: Network, pool_id: str, cidr: str, caller: Any = CALLER) -> list[str]:
    answer = await api.addresses.call(
        pb.DeprovisionPublicIpv4PoolCidrRequest(pool_id=pool_id, cidr=cidr), caller=caller
    )
    assert answer.pool_id == pool_id
    return list(answer.deprovisioned_addresses)


async def shown(api: Network, caller: Any = CALLER, **members: Any) -> list[pb.PublicIpv4Pool]:
    answer = await api.addresses.call(pb.DescribePublicIpv4PoolsRequest(**members), caller=caller)
    return list(answer.public_ipv4_pools)


async def test_the_guides_pool_from_its_creation_to_its_end(  # EIP-1
    api: Network, ledger: FakeLedger
) -> None:
    """Shortened: a /30 instead of a /24. The last steps are made in the IPAM's home region."""
    pool_id = await create(api)
    assert (await provision(api, pool_id, 30)) == pb.PublicIpv4PoolRange(
        first_address="130.137.244.0",
        last_address="130.137.244.3",
        address_count=4,
        available_address_count=4,
    )
    [(asked, caller)] = ledger.requests
    assert asked.resource_type == (
        pool_allocation_pb2.IPAM_POOL_ALLOCATION_RESOURCE_TYPE_EC2_PUBLIC_IPV4_POOL
    )
    assert (asked.resource_id, asked.netmask_length) == (pool_id, 30)
    assert (caller.account_id, caller.region) == (OWNER, REGION)
    address = await api.allocate(public_ipv4_pool=pool_id)
    assert await shown(api) == [
        pb.PublicIpv4Pool(
            pool_id=pool_id,
            description="",
            pool_address_ranges=[
                pb.PublicIpv4PoolRange(
                    first_address="130.137.244.0",
                    last_address="130.137.244.3",
                    address_count=4,
                    available_address_count=3,
                )
            ],
            total_address_count=4,
            total_available_address_count=3,
            network_border_group=REGION,
        )
    ]
    await api.addresses.call(pb.ReleaseAddressRequest(allocation_id=address.allocation_id))
    for last in (3, 2, 1, 0):
        # Whole until the last one goes, so that nobody gets a part of it.
        assert list(ledger.held.values()) == ["130.137.244.0/30"]
        assert await api.associations() == ledger.held
        cidr = f"130.137.244.{last}/32"
        gone = await deprovision(api, pool_id, cidr, caller=IPAM_REGION)
        assert gone == [f"130.137.244.{last}"]
    assert await api.associations() == {}
    for region in (CALLER, IPAM_REGION):
        [empty] = await shown(api, caller=region)
        assert (empty.total_address_count, list(empty.pool_address_ranges)) == (0, [])
    answer = await api.addresses.call(pb.DeletePublicIpv4PoolRequest(pool_id=pool_id))
    assert answer.return_value
    assert await shown(api) == await shown(api, caller=IPAM_REGION) == []


async def test_the_feed_tells_of_a_range_and_of_its_end(  # BEY-1
    api: Network, ledger: FakeLedger
) -> None:
    pool_id = await create(api)
    await provision(api, pool_id, 31)
    [(association_id, cidr)] = ledger.held.items()
    assert association_id.startswith("ipv4pool-cidr-assoc-")
    for last in (1, 0):
        await deprovision(api, pool_id, f"130.137.244.{last}/32")
    found = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for change in api.inventory.stream(inventory_service_pb2.WatchRequest()):
            if change.kind != inventory_service_pb2.CHANGE_KIND_RESOURCE_CHANGED:
                found.append(change)
            if len(found) == 2:
                break
    gained, lost = found
    assert gained.cidr_association == lost.cidr_association
    assert lost.kind == inventory_service_pb2.CHANGE_KIND_CIDR_DISASSOCIATED
    told = lost.cidr_association
    assert (told.association_id, told.cidr) == (association_id, cidr)
    assert (told.resource_id, told.resource_type) == (pool_id, "ec2-public-ipv4-pool")
    assert told.ipam_pool_allocation_id in ledger.allocations


async def test_adjacent_ranges_stay_apart(api: Network) -> None:  # EIP-1
    pool_id = await create(api)
    for _ in range(3):
        await provision(api, pool_id, 31)
    [pool] = await shown(api)
    assert [(known.first_address, known.last_address) for known in pool.pool_address_ranges] == [
        ("130.137.244.0", "130.137.244.1"),
        ("130.137.244.2", "130.137.244.3"),
        ("130.137.244.4", "130.137.244.5"),
    ]
    # Each has a highest address of its own, and the lowest range is used first.
    assert await deprovision(api, pool_id, "130.137.244.3/32") == ["130.137.244.3"]
    taken = [(await api.allocate(public_ipv4_pool=pool_id)).public_ip for _ in range(4)]
    assert taken == [f"130.137.244.{last}" for last in (0, 1, 2, 4)]


@pytest.mark.parametrize(
    ("cidr", "reason", "hint"),
    [
        pytest.param("130.137.244.0/30", "InvalidParameterValue", "one by one", id="all of it"),
        pytest.param("130.137.244.1/32", "InvalidParameterValue", "244.3/32", id="not the highest"),
        pytest.param("130.137.244.9/32", "InvalidParameterValue", "244.0 to", id="of none"),
        pytest.param("130.137.244.3", "InvalidParameterValue", "CIDR", id="no CIDR"),
        pytest.param("130.137.244.3/32", "InvalidIPAddress.InUse", "release", id="in use"),
    ],
)
async def test_what_cannot_be_deprovisioned_stays(  # EIP-1
    api: Network, cidr: str, reason: str, hint: str
) -> None:
    pool_id = await create(api)
    await provision(api, pool_id, 30)
    await api.allocate(public_ipv4_pool=pool_id, address="130.137.244.3")
    with pytest.raises(CadastreError, match=hint) as refusal:
        await deprovision(api, pool_id, cidr)
    assert refusal.value.reason == reason
    [pool] = await shown(api)
    assert (pool.total_address_count, pool.total_available_address_count) == (4, 3)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        pytest.param({"length": 23}, "InvalidParameterValue", id="wider than /24"),
        pytest.param({"length": 33}, "InvalidParameterValue", id="no IPv4 length"),
        pytest.param({"pool_id": UNKNOWN}, "InvalidPublicIpv4PoolID.NotFound", id="unknown pool"),
        pytest.param({"ipam_pool_id": UNKNOWN_POOL}, "InvalidIpamPoolId.NotFound", id="unknown"),
        pytest.param({"network_border_group": LOCAL_ZONE}, "InvalidParameterValue", id="zone"),
        pytest.param({"network_border_group": "us-east-1"}, "InvalidParameterValue", id="region"),
    ],
)
async def test_a_refused_provision_leaves_nothing_behind(  # EIP-1, BEY-4
    api: Network, ledger: FakeLedger, members: dict[str, Any], reason: str
) -> None:
    request = {"pool_id": await create(api), "length": 24, **members}
    for dry_run in (True, False):
        with pytest.raises(CadastreError) as refusal:
            await provision(api, **request, dry_run=dry_run)
        assert refusal.value.reason == reason
    assert (await api.associations(), ledger.held) == ({}, {})


@pytest.mark.parametrize(
    ("ipam_pool_id", "hint"),
    [(IPV4_POOL, "public scope"), (IPV6_POOL, "IPv4 CIDRs")],
    ids=["private", "IPv6"],
)
async def test_only_public_ipv4_space_is_provisioned(  # EIP-1
    api: Network, ledger: FakeLedger, ipam_pool_id: str, hint: str
) -> None:
    length = 32 if ipam_pool_id == IPV6_POOL else 24
    pool_id = await create(api)
    with pytest.raises(CadastreError, match=hint):
        await provision(api, pool_id, length, ipam_pool_id=ipam_pool_id)
    assert (await api.associations(), ledger.held) == ({}, {})


async def test_a_pool_has_space_of_its_own_network_border_group(  # EIP-1
    api: Network, ledger: FakeLedger
) -> None:
    pool_id = await create(api, network_border_group=LOCAL_ZONE)
    with pytest.raises(CadastreError, match=f"'{LOCAL_ZONE}' is not the locale") as refusal:
        await provision(api, pool_id, 24)
    assert refusal.value.reason == "InvalidParameterValue"
    given = await provision(
        api, pool_id, 24, ipam_pool_id=LOCAL_ZONE_POOL, network_border_group=LOCAL_ZONE
    )
    assert given.first_address == "192.0.2.0"
    assert ledger.requests[-1][0].network_border_group == LOCAL_ZONE
    assert (await api.allocate(public_ipv4_pool=pool_id)).network_border_group == LOCAL_ZONE
    assert await api.associations() == ledger.held


async def test_a_pool_deleted_while_it_gets_a_range_does_not_get_it(  # EIP-1
    api: Network, ledger: FakeLedger
) -> None:
    pool_id = await create(api)

    async def delete() -> None:
        await api.addresses.call(pb.DeletePublicIpv4PoolRequest(pool_id=pool_id))

    ledger.after = delete
    with pytest.raises(CadastreError) as refusal:
        await provision(api, pool_id, 24)
    assert refusal.value.reason == "InvalidPublicIpv4PoolID.NotFound"
    assert (await api.associations(), ledger.held) == ({}, {})


async def test_a_pool_with_addresses_is_not_deleted(api: Network) -> None:  # EIP-1
    pool_id = await create(api)
    await provision(api, pool_id, 32)
    for group, reason in (
        (None, "DependencyViolation"),
        (LOCAL_ZONE, "InvalidPublicIpv4PoolID.NotFound"),
    ):
        request = pb.DeletePublicIpv4PoolRequest(pool_id=pool_id, network_border_group=group)
        with pytest.raises(CadastreError) as refusal:
            await api.addresses.call(request)
        assert refusal.value.reason == reason
    assert len(await shown(api)) == 1


async def test_dry_runs_change_nothing(api: Network, ledger: FakeLedger) -> None:
    pool_id = await create(api)
    await provision(api, pool_id, 32)
    before, held = await shown(api), dict(ledger.held)
    for request in (
        pb.CreatePublicIpv4PoolRequest(dry_run=True),
        pb.ProvisionPublicIpv4PoolCidrRequest(
            pool_id=pool_id, ipam_pool_id=BYOIP_POOL, netmask_length=32, dry_run=True
        ),
        pb.DeprovisionPublicIpv4PoolCidrRequest(
            pool_id=pool_id, cidr="130.137.244.0/32", dry_run=True
        ),
    ):
        with pytest.raises(CadastreError) as answer:
            await api.addresses.call(request)
        assert answer.value.reason == "DryRunOperation"
    assert (await shown(api), ledger.held) == (before, held)


async def test_pools_are_found_by_tags_page_by_page(api: Network) -> None:  # BEY-6
    ids = [
        await create(api, tag_specifications=tagged("ipv4pool-ec2", number=str(number)))
        for number in range(12)
    ]
    request = pb.DescribePublicIpv4PoolsRequest(max_results=10)
    first = await api.addresses.call(request)
    request.next_token = first.next_token
    second = await api.addresses.call(request)
    both = [*first.public_ipv4_pools, *second.public_ipv4_pools]
    assert [pool.pool_id for pool in both] == ids
    by_value = types_pb2.Filter(name="tag:number", values=["7"])
    by_key = types_pb2.Filter(name="tag-key", values=["number"])
    assert [pool.pool_id for pool in await shown(api, filters=[by_value, by_key])] == [ids[7]]
    assert [pool.pool_id for pool in await shown(api, pool_ids=[ids[3]])] == [ids[3]]
    for members, reason in (
        ({"pool_ids": [ids[0], UNKNOWN]}, "InvalidPublicIpv4PoolID.NotFound"),
        ({"max_results": 11}, "InvalidParameterValue"),
    ):
        with pytest.raises(CadastreError) as refusal:
            await shown(api, **members)
        assert refusal.value.reason == reason


async def test_pools_are_tagged_like_anything_else(api: Network) -> None:
    pool_id = await create(api)
    tag = types_pb2.Tag(key="Name", value="edge")
    request = network_service_pb2.CreateTagsRequest(resources=[pool_id], tags=[tag])
    await api.vpcs.call(request)
    [pool] = await shown(api)
    assert list(pool.tags) == [tag]


async def test_the_ipams_home_region_can_look_and_deprovision_and_nothing_else(  # EIP-1
    api: Network,
) -> None:
    pool_id = await create(api)
    assert await shown(api, caller=IPAM_REGION) == []
    await provision(api, pool_id, 31)
    assert await shown(api, caller=IPAM_REGION) == await shown(api)
    tags = network_service_pb2.CreateTagsRequest(resources=[pool_id], tags=[types_pb2.Tag(key="k")])
    for client, request in (
        (api.addresses, pb.AllocateAddressRequest(public_ipv4_pool=pool_id)),
        (api.addresses, pb.DeletePublicIpv4PoolRequest(pool_id=pool_id)),
        (
            api.addresses,
            pb.ProvisionPublicIpv4PoolCidrRequest(
                pool_id=pool_id, ipam_pool_id=BYOIP_POOL, netmask_length=32
            ),
        ),
        (api.vpcs, tags),
    ):
        with pytest.raises(CadastreError) as refusal:
            await client.call(request, caller=IPAM_REGION)
        assert refusal.value.reason == "InvalidPublicIpv4PoolID.NotFound"
    assert await deprovision(api, pool_id, "130.137.244.1/32", caller=IPAM_REGION)


async def test_strangers_see_nothing_of_pools(api: Network) -> None:  # BEY-12
    pool_id = await create(api)
    await provision(api, pool_id, 32)
    for caller in (
        replace(CALLER, account_id=STRANGER),
        replace(IPAM_REGION, account_id=STRANGER),
        replace(CALLER, region="eu-west-1"),
    ):
        assert await shown(api, caller=caller) == []
        for request in (
            pb.DescribePublicIpv4PoolsRequest(pool_ids=[pool_id]),
            pb.DeletePublicIpv4PoolRequest(pool_id=pool_id),
            pb.AllocateAddressRequest(public_ipv4_pool=pool_id),
            pb.DeprovisionPublicIpv4PoolCidrRequest(pool_id=pool_id, cidr="130.137.244.0/32"),
        ):
            with pytest.raises(CadastreError) as refusal:
                await api.addresses.call(request, caller=caller)
            assert refusal.value.reason == "InvalidPublicIpv4PoolID.NotFound"


async def test_an_address_is_not_taken_and_deprovisioned_at_once(api: Network) -> None:  # EIP-1
    pool_id = await create(api)
    await provision(api, pool_id, 32)
    outcomes = await asyncio.gather(
        api.allocate(public_ipv4_pool=pool_id),
        deprovision(api, pool_id, "130.137.244.0/32"),
        return_exceptions=True,
    )
    [refusal] = [found for found in outcomes if isinstance(found, CadastreError)]
    assert refusal.reason in ("InsufficientAddressCapacity", "InvalidIPAddress.InUse")
    [pool] = await shown(api)
    assert len(await api.public_ips()) == pool.total_address_count
