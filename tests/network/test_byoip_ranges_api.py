"""Public IPv4 pools of ranges brought along without an IPAM, as the control plane has them made.

On both databases (BYOIP-6).
"""

from dataclasses import replace
from typing import Any

import pytest

from cadastre.common.v1 import types_pb2
from cadastre.network.v1 import address_service_pb2 as addresses_pb
from cadastre.network.v1 import byoip_range_service_pb2 as pb
from shared.caller import Caller
from shared.errors import CadastreError
from shared.ids import PUBLIC_IPV4_POOL
from tests.network.conftest import Network
from tests.network.fake_ledger import FakeLedger, FakePool
from tests.network.support import CALLER, OWNER, REGION

ON_BEHALF = Caller(OWNER, REGION, "service/control_plane", service="control_plane")
CIDR = "203.0.113.0/24"


async def add(api: Network, pool_id: str, cidr: str = CIDR, **members: Any) -> None:
    request = pb.AddByoipRangeRequest(pool_id=pool_id, cidr=cidr, **members)
    await api.byoip_ranges.call(request, caller=ON_BEHALF)


async def remove(api: Network, pool_id: str) -> None:
    await api.byoip_ranges.call(pb.RemoveByoipRangeRequest(pool_id=pool_id), caller=ON_BEHALF)


async def shown(api: Network, region: str = REGION) -> list[addresses_pb.PublicIpv4Pool]:
    answer = await api.addresses.call(
        addresses_pb.DescribePublicIpv4PoolsRequest(), caller=replace(CALLER, region=region)
    )
    return list(answer.public_ipv4_pools)


async def test_a_range_brought_along_becomes_a_pool_of_the_account(  # BYOIP-6
    api: Network, ledger: FakeLedger
) -> None:
    pool_id = PUBLIC_IPV4_POOL.new()
    tags = [types_pb2.Tag(key="Name", value="ours")]
    await add(api, pool_id, description="our range", tags=tags)

    assert await shown(api) == [
        addresses_pb.PublicIpv4Pool(
            pool_id=pool_id,
            description="our range",
            pool_address_ranges=[
                addresses_pb.PublicIpv4PoolRange(
                    first_address="203.0.113.0",
                    last_address="203.0.113.255",
                    address_count=256,
                    available_address_count=256,
                )
            ],
            total_address_count=256,
            total_available_address_count=256,
            network_border_group=REGION,
            tags=tags,
        )
    ]
    [(asked, caller)] = ledger.requests
    assert (asked.ipam_pool_id, asked.cidr, asked.resource_id) == ("byoip", CIDR, pool_id)
    assert (caller.account_id, caller.region) == (OWNER, REGION)
    assert await api.associations() == ledger.held
    address = await api.allocate(public_ipv4_pool=pool_id)
    assert (address.public_ip, address.public_ipv4_pool) == ("203.0.113.0", pool_id)


async def test_adding_a_range_again_changes_nothing(  # BYOIP-6
    api: Network, ledger: FakeLedger
) -> None:
    pool_id = PUBLIC_IPV4_POOL.new()
    await add(api, pool_id)
    await add(api, pool_id)
    assert len(ledger.held) == 1
    with pytest.raises(CadastreError) as refusal:
        await add(api, pool_id, "203.0.112.0/24")
    assert refusal.value.reason == "IdempotentParameterMismatch"
    assert len(await shown(api)) == 1


async def test_a_range_that_was_refused_can_be_added_later(  # BYOIP-6
    api: Network, ledger: FakeLedger
) -> None:
    pool_id, byoip = PUBLIC_IPV4_POOL.new(), ledger.pools.pop("byoip")
    with pytest.raises(CadastreError):
        await add(api, pool_id)
    assert (await shown(api), await api.associations(), ledger.held) == ([], {}, {})
    ledger.pools["byoip"] = byoip
    await add(api, pool_id)
    assert await api.associations() == ledger.held
    assert len(await shown(api)) == 1


async def test_a_range_goes_with_its_pool_unless_an_address_is_of_it(  # BYOIP-6
    api: Network,
) -> None:
    pool_id = PUBLIC_IPV4_POOL.new()
    await add(api, pool_id)
    address = await api.allocate(public_ipv4_pool=pool_id)
    with pytest.raises(CadastreError, match="1 elastic IP addresses") as refusal:
        await remove(api, pool_id)
    assert refusal.value.reason == "DependencyViolation"
    release = addresses_pb.ReleaseAddressRequest(allocation_id=address.allocation_id)
    await api.addresses.call(release)
    for _ in range(2):
        await remove(api, pool_id)
        assert (await shown(api), await api.associations()) == ([], {})


async def test_after_a_move_to_an_ipam_everything_goes_on(  # BYOIP-6
    api: Network, ledger: FakeLedger
) -> None:
    """The ledger moves the allocation to the IPAM's pool and tells nobody here.

    The guide then cleans up from the home region of that IPAM, wherever that is.
    """
    pool_id = PUBLIC_IPV4_POOL.new()
    ledger.pools["byoip"] = FakePool("203.0.113.0/30", 30, {}, "any", "byoip", "")
    await add(api, pool_id, "203.0.113.0/30")
    address = await api.allocate(public_ipv4_pool=pool_id)
    del ledger.pools["byoip"]

    other = await api.allocate(public_ipv4_pool=pool_id)
    assert (other.public_ip, other.public_ipv4_pool) == ("203.0.113.1", pool_id)
    for known in (address, other):
        release = addresses_pb.ReleaseAddressRequest(allocation_id=known.allocation_id)
        await api.addresses.call(release)
    for last in (3, 2, 1, 0):
        await api.addresses.call(
            addresses_pb.DeprovisionPublicIpv4PoolCidrRequest(
                pool_id=pool_id, cidr=f"203.0.113.{last}/32"
            ),
            caller=replace(CALLER, region="us-east-1"),
        )
    assert await api.associations() == {}
    [pool] = await shown(api, region="us-east-1")
    assert (pool.pool_id, pool.total_address_count) == (pool_id, 0)
    await api.addresses.call(addresses_pb.DeletePublicIpv4PoolRequest(pool_id=pool_id))
    assert await shown(api) == []


async def test_accounts_cannot_add_or_remove_ranges(api: Network) -> None:  # ORG-10
    pool_id = PUBLIC_IPV4_POOL.new()
    await add(api, pool_id)
    for request in (
        pb.AddByoipRangeRequest(pool_id=PUBLIC_IPV4_POOL.new(), cidr=CIDR),
        pb.RemoveByoipRangeRequest(pool_id=pool_id),
    ):
        with pytest.raises(CadastreError) as refusal:
            await api.byoip_ranges.call(request)
        assert refusal.value.reason == "UnauthorizedOperation"
    assert len(await shown(api)) == 1
