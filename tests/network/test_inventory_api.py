"""The change feed and the list of blocks, as discovery reads them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cadastre.network.v1 import inventory_service_pb2 as pb
from cadastre.network.v1 import network_service_pb2
from shared.errors import CadastreError
from shared.settings import Settings
from tests.network.conftest import Network, network_running
from tests.network.fake_ledger import IPV4_POOL, FakeLedger
from tests.network.support import CALLER, OWNER, REGION, SERVICE
from tests.waiting import PATIENCE_SECONDS

CREATE = network_service_pb2.CreateVpcRequest(ipv4_ipam_pool_id=IPV4_POOL, ipv4_netmask_length=28)


async def first(count: int, stream: AsyncIterator[Any]) -> list[Any]:
    found = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for item in stream:
            found.append(item)
            if len(found) == count:
                break
    return found


async def create(api: Network, count: int = 1) -> list[Any]:
    answers = await asyncio.gather(*(api.vpcs.call(CREATE) for _ in range(count)))
    return [answer.vpc for answer in answers]


async def test_the_feed_tells_gains_and_losses_in_order(  # BEY-1
    api: Network, ledger: FakeLedger
) -> None:
    [vpc] = await create(api)
    await api.vpcs.call(network_service_pb2.DeleteVpcRequest(vpc_id=vpc.vpc_id))

    gained, lost = await first(2, api.inventory.stream(pb.WatchRequest()))

    assert (gained.kind, lost.kind) == (
        pb.CHANGE_KIND_CIDR_ASSOCIATED,
        pb.CHANGE_KIND_CIDR_DISASSOCIATED,
    )
    assert gained.sequence < lost.sequence
    assert gained.cidr_association == lost.cidr_association
    [allocation_id] = ledger.allocations
    assert lost.cidr_association == pb.CidrAssociation(
        association_id=vpc.cidr_block_association_set[0].association_id,
        resource_id=vpc.vpc_id,
        owner_id=OWNER,
        region=REGION,
        resource_type="vpc",
        cidr="10.0.0.0/28",
        ipam_pool_allocation_id=allocation_id,
    )


async def test_a_watcher_goes_on_where_it_stopped_and_hears_of_what_comes(api: Network) -> None:
    await create(api, 3)
    before = await first(3, api.inventory.stream(pb.WatchRequest()))
    watch = api.inventory.stream(pb.WatchRequest(after_sequence=before[1].sequence))
    rest = asyncio.create_task(first(3, watch))
    later = await create(api, 2)
    resumed = await rest
    assert resumed[0] == before[2]
    assert {change.cidr_association.resource_id for change in resumed[1:]} == {
        vpc.vpc_id for vpc in later
    }


async def test_a_disassociated_block_is_told(api: Network) -> None:
    created = await api.vpcs.call(network_service_pb2.CreateVpcRequest(cidr_block="10.0.0.0/16"))
    added = await api.vpcs.call(
        network_service_pb2.AssociateVpcCidrBlockRequest(
            vpc_id=created.vpc.vpc_id, cidr_block="10.1.0.0/16"
        )
    )
    await api.vpcs.call(
        network_service_pb2.DisassociateVpcCidrBlockRequest(
            association_id=added.cidr_block_association.association_id
        )
    )
    changes = await first(3, api.inventory.stream(pb.WatchRequest()))
    assert [(change.kind, change.cidr_association.cidr) for change in changes] == [
        (pb.CHANGE_KIND_CIDR_ASSOCIATED, "10.0.0.0/16"),
        (pb.CHANGE_KIND_CIDR_ASSOCIATED, "10.1.0.0/16"),
        (pb.CHANGE_KIND_CIDR_DISASSOCIATED, "10.1.0.0/16"),
    ]
    assert {change.cidr_association.ipam_pool_allocation_id for change in changes} == {""}


async def test_a_watcher_misses_nothing_while_many_write(settings: Settings) -> None:
    """On PostgreSQL through two replicas, the watcher at one of them."""
    is_shared = settings.database_url.startswith("postgresql")
    async with network_running(settings) as one:
        watcher = asyncio.create_task(first(60, one.inventory.stream(pb.WatchRequest())))
        if is_shared:
            async with network_running(settings) as other:
                await asyncio.gather(create(one, 30), create(other, 30))
        else:
            await create(one, 60)
        told = await watcher
        assert [c.sequence for c in told] == sorted(c.sequence for c in told)
        listed = await one.inventory.call(pb.ListCidrAssociationsRequest(), caller=SERVICE)
        assert {c.cidr_association.association_id for c in told} == {
            found.association_id for found in listed.cidr_associations
        }


async def test_the_list_comes_in_pages_and_names_what_is_being_made(  # DISC-6
    api: Network, ledger: FakeLedger
) -> None:
    await create(api, 5)
    reached, released = asyncio.Event(), asyncio.Event()

    async def hold_up() -> None:
        reached.set()
        await released.wait()

    ledger.after = hold_up
    under_way = asyncio.create_task(create(api))
    await reached.wait()

    listed, request = [], pb.ListCidrAssociationsRequest(max_results=2)
    while True:
        page = await api.inventory.call(request, caller=SERVICE)
        listed += page.cidr_associations
        if not page.next_token:
            break
        request.next_token = page.next_token

    ids = [found.association_id for found in listed]
    assert ids == sorted(ids)
    assert set(ids) == set(ledger.held)
    assert min(found.cidr for found in listed) == ""
    released.set()
    [vpc] = await under_way
    assert vpc.cidr_block_association_set[0].association_id in ids


async def test_only_services_may_read_it(api: Network) -> None:
    with pytest.raises(CadastreError) as refusal:
        await api.inventory.call(pb.ListCidrAssociationsRequest(), caller=CALLER)
    assert refusal.value.reason == "UnauthorizedOperation"
