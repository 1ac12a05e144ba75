"""What the feed tells besides gains and losses of CIDRs, on both databases (DISC-3)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from cadastre.common.v1 import types_pb2
from cadastre.network.v1 import address_service_pb2 as addresses_pb
from cadastre.network.v1 import byoip_range_service_pb2 as byoip_pb
from cadastre.network.v1 import instance_service_pb2 as instances_pb
from cadastre.network.v1 import inventory_service_pb2 as pb
from cadastre.network.v1 import network_service_pb2 as network_pb
from shared.errors import CadastreError
from tests.network.conftest import Network
from tests.network.fake_ledger import FakeLedger
from tests.network.support import CALLER, OWNER, REGION, STRANGER, tagged
from tests.network.world import CONTROL_PLANE, World
from tests.waiting import PATIENCE_SECONDS

CHANGED, GAINED, LOST = "changed", "gained", "lost"
_KINDS = {
    pb.CHANGE_KIND_RESOURCE_CHANGED: CHANGED,
    pb.CHANGE_KIND_CIDR_ASSOCIATED: GAINED,
    pb.CHANGE_KIND_CIDR_DISASSOCIATED: LOST,
}
ELSEWHERE = replace(CALLER, account_id="999999999999")

Told = list[tuple[str, str]]


class Watcher(World):
    """Reads the feed, too."""

    after = 0

    async def changes(self) -> list[pb.WatchResponse]:
        """What was told since the last time; a VPC of somebody else marks the end."""
        end = (await self.vpc(caller=ELSEWHERE)).vpc_id
        found: list[pb.WatchResponse] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            watch: AsyncIterator[Any] = self.api.inventory.stream(
                pb.WatchRequest(after_sequence=self.after)
            )
            async for change in watch:
                if change.cidr_association.resource_id == end:
                    break
                found.append(change)
        self.after = change.sequence
        return found

    async def told(self) -> Told:
        return [
            (_KINDS[change.kind], change.cidr_association.resource_id)
            for change in await self.changes()
        ]


@pytest.fixture
def world(api: Network, ledger: FakeLedger) -> Watcher:
    return Watcher(api, ledger)


async def tag(world: Watcher, *resource_ids: str, **tags: str) -> None:
    request = network_pb.CreateTagsRequest(
        resources=resource_ids,
        tags=[types_pb2.Tag(key=key, value=value) for key, value in tags.items()],
    )
    await world.api.vpcs.call(request)


async def tagging_every_kind(world: Watcher) -> Told:
    subnet = await world.subnet()
    interface = await world.interface(subnet.subnet_id)
    instance = await world.instance(subnet_id=subnet.subnet_id)
    pool_id = await world.public_pool()
    address = await world.api.allocate()
    await world.told()
    await tag(
        world,
        address.allocation_id,
        pool_id,
        interface.network_interface_id,
        instance.instance_id,
        subnet.subnet_id,
        subnet.vpc_id,
        subnet.vpc_id,
        Name="ours",
    )
    return [
        (CHANGED, subnet.vpc_id),
        (CHANGED, subnet.subnet_id),
        (CHANGED, interface.network_interface_id),
        (CHANGED, pool_id),
        (CHANGED, address.allocation_id),
    ]


async def tagging_the_same_again(world: Watcher) -> Told:
    vpc = await world.vpc(tag_specifications=tagged("vpc", Name="ours"))
    await world.told()
    await tag(world, vpc.vpc_id, Name="ours")
    return []


async def untagging(world: Watcher) -> Told:
    vpc = await world.vpc(tag_specifications=tagged("vpc", Name="ours"))
    await world.told()
    request = network_pb.DeleteTagsRequest(resources=[vpc.vpc_id], tags=[types_pb2.Tag(key="Name")])
    await world.api.vpcs.call(request)
    return [(CHANGED, vpc.vpc_id)]


async def making_a_vpc_and_a_subnet(world: Watcher) -> Told:
    """Their CIDRs tell of them."""
    await world.told()
    subnet = await world.subnet()
    return [(GAINED, subnet.vpc_id), (GAINED, subnet.subnet_id)]


async def a_vpcs_attribute(world: Watcher) -> Told:
    """No inventory tells it."""
    vpc = await world.vpc()
    await world.told()
    request = network_pb.ModifyVpcAttributeRequest(vpc_id=vpc.vpc_id)
    request.enable_dns_hostnames.value = True
    await world.api.vpcs.call(request)
    return []


async def making_an_interface(world: Watcher) -> Told:
    subnet = await world.subnet()
    await world.told()
    made = await world.interface(subnet.subnet_id, client_token="t")
    again = await world.interface(subnet.subnet_id, client_token="t")
    assert made == again
    return [(CHANGED, made.network_interface_id)]


async def deleting_an_interface(world: Watcher) -> Told:
    interface_id, allocation_id = await associated_interface(world)
    await world.told()
    request = instances_pb.DeleteNetworkInterfaceRequest(network_interface_id=interface_id)
    await world.api.instances.call(request)
    return [(CHANGED, interface_id), (CHANGED, allocation_id)]


async def attaching_and_detaching(world: Watcher) -> Told:
    """The address is told of since its instance changed."""
    interface_id, allocation_id = await associated_interface(world)
    subnet = await world.subnet()
    instance = await world.instance(subnet_id=subnet.subnet_id)
    await world.told()
    attachment_id = await world.attach(interface_id, instance.instance_id)
    both = [(CHANGED, interface_id), (CHANGED, allocation_id)]
    assert await world.told() == both
    request = instances_pb.DetachNetworkInterfaceRequest(attachment_id=attachment_id)
    await world.api.instances.call(request)
    return both


async def running_instances(world: Watcher) -> Told:
    subnet = await world.subnet()
    await world.told()
    request = instances_pb.RunInstancesRequest(subnet_id=subnet.subnet_id, min_count=2, max_count=2)
    started = (await world.api.instances.call(request)).instances
    return [
        (CHANGED, interface.network_interface_id)
        for instance in started
        for interface in instance.network_interfaces
    ]


async def running_an_instance_with_an_interface(world: Watcher) -> Told:
    interface_id, allocation_id = await associated_interface(world)
    await world.told()
    await world.instance(
        network_interfaces=[
            instances_pb.InstanceNetworkInterfaceSpecification(
                device_index=0, network_interface_id=interface_id
            )
        ]
    )
    return [(CHANGED, interface_id), (CHANGED, allocation_id)]


async def terminating_an_instance(world: Watcher) -> Told:
    """Its own interface goes, the one that was attached stays; each has an address."""
    attached_id, attached_allocation_id = await associated_interface(world)
    subnet = await world.subnet()
    instance = await world.instance(subnet_id=subnet.subnet_id)
    own_allocation_id = (await world.api.allocate()).allocation_id
    await world.associate(own_allocation_id, instance_id=instance.instance_id)
    await world.attach(attached_id, instance.instance_id)
    await world.told()
    request = instances_pb.TerminateInstancesRequest(instance_ids=[instance.instance_id])
    await world.api.instances.call(request)
    told = await world.told()
    await world.api.instances.call(request)
    assert told == [
        (CHANGED, instance.network_interfaces[0].network_interface_id),
        (CHANGED, own_allocation_id),
        (CHANGED, attached_id),
        (CHANGED, attached_allocation_id),
    ]
    return []


async def associating_an_address(world: Watcher) -> Told:
    subnet = await world.subnet()
    interface_id = (await world.interface(subnet.subnet_id)).network_interface_id
    allocation_id = (await world.api.allocate()).allocation_id
    await world.told()
    for _ in range(2):
        await world.associate(allocation_id, network_interface_id=interface_id)
    return [(CHANGED, allocation_id), (CHANGED, interface_id)]


async def moving_an_address_to_where_another_is(world: Watcher) -> Told:
    former_id, moved_id = await associated_interface(world)
    target_id, displaced_id = await associated_interface(world)
    await world.told()
    await world.associate(moved_id, network_interface_id=target_id)
    return [
        (CHANGED, moved_id),
        (CHANGED, former_id),
        (CHANGED, target_id),
        (CHANGED, displaced_id),
    ]


async def disassociating_an_address(world: Watcher) -> Told:
    interface_id, _ = await associated_interface(world)
    [shown] = (await world.api.addresses.call(addresses_pb.DescribeAddressesRequest())).addresses
    await world.told()
    for _ in range(2):
        request = addresses_pb.DisassociateAddressRequest(public_ip=shown.public_ip)
        await world.api.addresses.call(request)
    return [(CHANGED, shown.allocation_id), (CHANGED, interface_id)]


async def an_address_of_amazons(world: Watcher) -> Told:
    await world.told()
    allocation_id = (await world.api.allocate()).allocation_id
    await release(world, allocation_id)
    return [(GAINED, allocation_id), (LOST, allocation_id)]


async def an_address_of_a_public_pool(world: Watcher) -> Told:
    """It has no CIDR of its own, and the pool has one address less, then one more."""
    pool_id = await world.public_pool(30)
    await world.told()
    allocation_id = (await world.api.allocate(public_ipv4_pool=pool_id)).allocation_id
    await release(world, allocation_id)
    return 2 * [(CHANGED, allocation_id), (CHANGED, pool_id)]


async def a_public_pools_life(world: Watcher) -> Told:
    await world.told()
    pool_id = await world.public_pool(31)
    await world.deprovision(pool_id, "130.137.244.1/32")
    await world.deprovision(pool_id, "130.137.244.0/32")
    await world.api.addresses.call(addresses_pb.DeletePublicIpv4PoolRequest(pool_id=pool_id))
    return [(kind, pool_id) for kind in (CHANGED, GAINED, CHANGED, LOST, CHANGED)]


async def a_range_that_was_brought_along_without_an_ipam(world: Watcher) -> Told:
    await world.told()
    pool_id = await world.byoip_pool("203.0.113.0/24")
    await remove_byoip(world, pool_id)
    return [(GAINED, pool_id), (LOST, pool_id)]


async def removing_a_range_that_was_emptied(world: Watcher) -> Told:
    pool_id = await world.byoip_pool("203.0.113.0/31")
    for last in (1, 0):
        await world.deprovision(pool_id, f"203.0.113.{last}/32")
    await world.told()
    await remove_byoip(world, pool_id)
    return [(CHANGED, pool_id)]


@pytest.mark.parametrize(
    "happen",
    [
        tagging_every_kind,
        tagging_the_same_again,
        untagging,
        making_a_vpc_and_a_subnet,
        a_vpcs_attribute,
        making_an_interface,
        deleting_an_interface,
        attaching_and_detaching,
        running_instances,
        running_an_instance_with_an_interface,
        terminating_an_instance,
        associating_an_address,
        moving_an_address_to_where_another_is,
        disassociating_an_address,
        an_address_of_amazons,
        an_address_of_a_public_pool,
        a_public_pools_life,
        a_range_that_was_brought_along_without_an_ipam,
        removing_a_range_that_was_emptied,
    ],
    ids=lambda happen: happen.__name__,
)
async def test_what_changes_in_an_inventory_is_told_in_order_and_once(  # DISC-3
    world: Watcher, happen: Callable[[Watcher], Awaitable[Told]]
) -> None:
    expected = await happen(world)
    assert await world.told() == expected


async def test_a_change_names_the_resource_and_nothing_of_a_block(world: Watcher) -> None:
    subnet = await world.subnet()
    await world.told()
    interface = await world.interface(subnet.subnet_id)
    [change] = await world.changes()
    assert change.kind == pb.CHANGE_KIND_RESOURCE_CHANGED
    assert change.cidr_association == pb.CidrAssociation(
        resource_id=interface.network_interface_id,
        owner_id=OWNER,
        region=REGION,
        resource_type="network-interface",
    )


async def test_a_transfer_is_told_of_to_both_accounts(world: Watcher) -> None:  # EIP-3
    address = await world.api.allocate()
    await world.told()
    offer = addresses_pb.EnableAddressTransferRequest(
        allocation_id=address.allocation_id, transfer_account_id=STRANGER
    )
    await world.api.addresses.call(offer)
    assert await world.told() == []
    acceptance = addresses_pb.AcceptAddressTransferRequest(address=address.public_ip)
    await world.api.addresses.call(acceptance, caller=replace(CALLER, account_id=STRANGER))
    changes = await world.changes()
    assert [
        (_KINDS[change.kind], change.cidr_association.owner_id, change.cidr_association.resource_id)
        for change in changes
    ] == [(CHANGED, OWNER, address.allocation_id), (GAINED, STRANGER, address.allocation_id)]


async def test_what_was_only_tried_is_not_told(world: Watcher) -> None:
    vpc = await world.vpc()
    await world.told()
    tags = [types_pb2.Tag(key="Name", value="ours")]
    request = network_pb.CreateTagsRequest(resources=[vpc.vpc_id], tags=tags, dry_run=True)
    with pytest.raises(CadastreError):
        await world.api.vpcs.call(request)
    assert await world.told() == []


async def associated_interface(world: World) -> tuple[str, str]:
    """Ids of an interface, in a VPC of its own, and of its address."""
    subnet = await world.subnet()
    interface_id = (await world.interface(subnet.subnet_id)).network_interface_id
    allocation_id = (await world.api.allocate()).allocation_id
    await world.associate(allocation_id, network_interface_id=interface_id)
    return interface_id, allocation_id


async def release(world: World, allocation_id: str) -> None:
    await world.api.addresses.call(addresses_pb.ReleaseAddressRequest(allocation_id=allocation_id))


async def remove_byoip(world: World, pool_id: str) -> None:
    request = byoip_pb.RemoveByoipRangeRequest(pool_id=pool_id)
    await world.api.byoip_ranges.call(request, caller=CONTROL_PLANE)
