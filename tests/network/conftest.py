from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cadastre.common.tags.v1 import tag_service_pb2_grpc
from cadastre.common.v1 import telemetry_service_pb2, telemetry_service_pb2_grpc
from cadastre.network.v1 import (
    account_service_pb2_grpc,
    address_service_pb2,
    address_service_pb2_grpc,
    byoip_range_service_pb2_grpc,
    instance_service_pb2_grpc,
    inventory_service_pb2,
    inventory_service_pb2_grpc,
    network_service_pb2,
    network_service_pb2_grpc,
    prefix_list_service_pb2_grpc,
    prefix_list_sync_service_pb2_grpc,
    subnet_service_pb2,
    subnet_service_pb2_grpc,
    vpc_defaults_service_pb2_grpc,
    vpc_pb2,
)
from services.network.server import network
from shared.rpc.server import running
from shared.settings import Settings
from tests.network import fake_ledger
from tests.network.fake_ledger import FakeLedger
from tests.network.support import SERVICE, Client, settings_for


@pytest.fixture
def schema_package() -> str:
    return "services.network"


@pytest.fixture
async def ledger_address(ledger: FakeLedger, tmp_path: Path) -> AsyncIterator[str]:
    async with fake_ledger.serving(ledger, settings_for(tmp_path)) as address:
        yield address


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()  # type: ignore[abstract] # all that this context calls is there


@pytest.fixture
def settings(ledger_address: str, tmp_path: Path, database_url: str) -> Settings:
    """Network's: an empty database and the fake ledger."""
    return settings_for(
        tmp_path,
        database_url=database_url,
        addresses={"allocation": ledger_address},
        shutdown_grace_seconds=1,
    )


class Network:
    """The API of a running network service."""

    def __init__(self, address: str, settings: Settings) -> None:
        self.vpcs = Client(address, settings, network_service_pb2_grpc.NetworkServiceStub)
        self.subnets = Client(address, settings, subnet_service_pb2_grpc.SubnetServiceStub)
        self.instances = Client(address, settings, instance_service_pb2_grpc.InstanceServiceStub)
        self.addresses = Client(address, settings, address_service_pb2_grpc.AddressServiceStub)
        self.byoip_ranges = Client(
            address, settings, byoip_range_service_pb2_grpc.ByoipRangeServiceStub
        )
        self.prefix_lists = Client(
            address, settings, prefix_list_service_pb2_grpc.PrefixListServiceStub
        )
        self.prefix_list_sync = Client(
            address, settings, prefix_list_sync_service_pb2_grpc.PrefixListSyncServiceStub
        )
        self.vpc_defaults = Client(
            address, settings, vpc_defaults_service_pb2_grpc.VpcDefaultsServiceStub
        )
        self.account = Client(address, settings, account_service_pb2_grpc.AccountServiceStub)
        self.tags = Client(address, settings, tag_service_pb2_grpc.TagServiceStub)
        self.inventory = Client(address, settings, inventory_service_pb2_grpc.InventoryServiceStub)
        self.telemetry = Client(address, settings, telemetry_service_pb2_grpc.TelemetryServiceStub)

    async def create(self, **members: Any) -> vpc_pb2.Vpc:
        """The VPC as CreateVpc answers it."""
        answer = await self.vpcs.call(network_service_pb2.CreateVpcRequest(**members))
        created: vpc_pb2.Vpc = answer.vpc
        return created

    async def describe(self, **members: Any) -> list[vpc_pb2.Vpc]:
        """What DescribeVpcs finds."""
        answer = await self.vpcs.call(network_service_pb2.DescribeVpcsRequest(**members))
        return list(answer.vpcs)

    async def create_subnet(self, **members: Any) -> subnet_service_pb2.Subnet:
        """The subnet as CreateSubnet answers it."""
        answer = await self.subnets.call(subnet_service_pb2.CreateSubnetRequest(**members))
        created: subnet_service_pb2.Subnet = answer.subnet
        return created

    async def describe_subnets(self, **members: Any) -> list[subnet_service_pb2.Subnet]:
        """What DescribeSubnets finds."""
        answer = await self.subnets.call(subnet_service_pb2.DescribeSubnetsRequest(**members))
        return list(answer.subnets)

    async def allocate(self, **members: Any) -> address_service_pb2.AllocateAddressResponse:
        """The elastic IP address as AllocateAddress answers it."""
        request = address_service_pb2.AllocateAddressRequest(**members)
        allocated: address_service_pb2.AllocateAddressResponse = await self.addresses.call(request)
        return allocated

    async def public_ips(self, **members: Any) -> list[str]:
        """The addresses that DescribeAddresses finds."""
        request = address_service_pb2.DescribeAddressesRequest(**members)
        answer = await self.addresses.call(request)
        return [found.public_ip for found in answer.addresses]

    async def associations(self) -> dict[str, str]:
        """The CIDR of every block there is, or "" for one that is pending, by association id."""
        request = inventory_service_pb2.ListCidrAssociationsRequest()
        answer = await self.inventory.call(request, caller=SERVICE)
        return {found.association_id: found.cidr for found in answer.cidr_associations}

    async def metrics(self) -> bytes:
        """The service's own, as the metrics service gathers them."""
        request = telemetry_service_pb2.GetMetricsRequest()
        exposition: bytes = (await self.telemetry.call(request, caller=SERVICE)).exposition
        return exposition

    async def close(self) -> None:
        await self.vpcs.close()
        await self.subnets.close()
        await self.instances.close()
        await self.addresses.close()
        await self.byoip_ranges.close()
        await self.prefix_lists.close()
        await self.prefix_list_sync.close()
        await self.vpc_defaults.close()
        await self.account.close()
        await self.tags.close()
        await self.inventory.close()
        await self.telemetry.close()


@asynccontextmanager
async def network_running(settings: Settings) -> AsyncIterator[Network]:
    async with running("network", network, settings) as server:
        api = Network(server.address, settings)
        try:
            yield api
        finally:
            await api.close()


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[Network]:
    async with network_running(settings) as running_network:
        yield running_network
