"""Resources of one account, made through the API in short."""

from typing import Any

from cadastre.common.v1 import inventory_pb2
from cadastre.network.v1 import address_service_pb2 as addresses_pb
from cadastre.network.v1 import byoip_range_service_pb2 as byoip_pb
from cadastre.network.v1 import instance_service_pb2 as instances_pb
from cadastre.network.v1 import inventory_service_pb2 as pb
from cadastre.network.v1 import network_service_pb2 as network_pb
from cadastre.network.v1 import subnet_service_pb2 as subnet_pb
from cadastre.network.v1 import vpc_pb2
from shared.caller import Caller
from shared.ids import PUBLIC_IPV4_POOL
from tests.network.conftest import Network
from tests.network.fake_ledger import BYOIP_POOL, FakeLedger
from tests.network.support import CALLER, OWNER, REGION

CONTROL_PLANE = Caller(OWNER, REGION, "service/control_plane", service="control_plane")


class World:
    """A network service, and the ledger that it asks."""

    def __init__(self, api: Network, ledger: FakeLedger) -> None:
        self.api, self.ledger = api, ledger

    async def vpc(self, *, caller: Caller = CALLER, **members: Any) -> vpc_pb2.Vpc:
        request = network_pb.CreateVpcRequest(**{"cidr_block": "10.0.0.0/16", **members})
        made: vpc_pb2.Vpc = (await self.api.vpcs.call(request, caller=caller)).vpc
        return made

    async def subnet(self, *, caller: Caller = CALLER, **members: Any) -> subnet_pb.Subnet:
        """Of a VPC of its own, unless it is named."""
        vpc_id = members.pop("vpc_id", None) or (await self.vpc(caller=caller)).vpc_id
        request = subnet_pb.CreateSubnetRequest(
            **{"vpc_id": vpc_id, "cidr_block": "10.0.0.0/24", **members}
        )
        made: subnet_pb.Subnet = (await self.api.subnets.call(request, caller=caller)).subnet
        return made

    async def interface(
        self, subnet_id: str, *, caller: Caller = CALLER, **members: Any
    ) -> instances_pb.NetworkInterface:
        request = instances_pb.CreateNetworkInterfaceRequest(subnet_id=subnet_id, **members)
        answer = await self.api.instances.call(request, caller=caller)
        made: instances_pb.NetworkInterface = answer.network_interface
        return made

    async def instance(self, **members: Any) -> instances_pb.Instance:
        request = instances_pb.RunInstancesRequest(**{"min_count": 1, "max_count": 1, **members})
        [started] = (await self.api.instances.call(request)).instances
        found: instances_pb.Instance = started
        return found

    async def attach(self, interface_id: str, instance_id: str) -> str:
        request = instances_pb.AttachNetworkInterfaceRequest(
            network_interface_id=interface_id, instance_id=instance_id, device_index=1
        )
        attachment_id: str = (await self.api.instances.call(request)).attachment_id
        return attachment_id

    async def associate(self, allocation_id: str, **target: Any) -> str:
        request = addresses_pb.AssociateAddressRequest(allocation_id=allocation_id, **target)
        association_id: str = (await self.api.addresses.call(request)).association_id
        return association_id

    async def public_pool(self, *netmask_lengths: int, **members: Any) -> str:
        """With a range of each of these lengths; ``ipam_pool_id`` says whose."""
        ipam_pool_id = members.pop("ipam_pool_id", BYOIP_POOL)
        made = await self.api.addresses.call(addresses_pb.CreatePublicIpv4PoolRequest(**members))
        for length in netmask_lengths:
            await self.provision(made.pool_id, length, ipam_pool_id)
        pool_id: str = made.pool_id
        return pool_id

    async def provision(
        self, pool_id: str, netmask_length: int, ipam_pool_id: str = BYOIP_POOL
    ) -> None:
        await self.api.addresses.call(
            addresses_pb.ProvisionPublicIpv4PoolCidrRequest(
                pool_id=pool_id, ipam_pool_id=ipam_pool_id, netmask_length=netmask_length
            )
        )

    async def deprovision(self, pool_id: str, cidr: str) -> None:
        await self.api.addresses.call(
            addresses_pb.DeprovisionPublicIpv4PoolCidrRequest(pool_id=pool_id, cidr=cidr)
        )

    async def byoip_pool(self, cidr: str) -> str:
        pool_id = PUBLIC_IPV4_POOL.new()
        request = byoip_pb.AddByoipRangeRequest(pool_id=pool_id, cidr=cidr)
        await self.api.byoip_ranges.call(request, caller=CONTROL_PLANE)
        return pool_id

    async def parts(
        self, owner_id: str = OWNER, region: str = REGION
    ) -> list[inventory_pb2.InventoryPart]:
        """GetInventory's."""
        request = pb.GetInventoryRequest(owner_id=owner_id, region=region)
        return [answer.part async for answer in self.api.inventory.stream(request)]

    async def inventory(
        self, owner_id: str = OWNER, region: str = REGION
    ) -> inventory_pb2.InventoryPart:
        """All parts of it."""
        return added_up(await self.parts(owner_id, region))


def added_up(parts: list[inventory_pb2.InventoryPart]) -> inventory_pb2.InventoryPart:
    whole = inventory_pb2.InventoryPart()
    for part in parts:
        whole.MergeFrom(part)
    return whole
