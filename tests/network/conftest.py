from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cadastre.network.v1 import (
    inventory_service_pb2,
    inventory_service_pb2_grpc,
    network_service_pb2,
    network_service_pb2_grpc,
    vpc_pb2,
)
from services.network.server import network
from shared.rpc.server import running
from shared.settings import Settings
from tests.network import fake_ledger
from tests.network.fake_ledger import FakeLedger
from tests.network.support import SERVICE, Client, settings_for


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
        self.inventory = Client(address, settings, inventory_service_pb2_grpc.InventoryServiceStub)

    async def create(self, **members: Any) -> vpc_pb2.Vpc:
        """The VPC as CreateVpc answers it."""
        answer = await self.vpcs.call(network_service_pb2.CreateVpcRequest(**members))
        created: vpc_pb2.Vpc = answer.vpc
        return created

    async def describe(self, **members: Any) -> list[vpc_pb2.Vpc]:
        """What DescribeVpcs finds."""
        answer = await self.vpcs.call(network_service_pb2.DescribeVpcsRequest(**members))
        return list(answer.vpcs)

    async def associations(self) -> dict[str, str]:
        """The CIDR of every block there is, or "" for one that is pending, by association id."""
        request = inventory_service_pb2.ListCidrAssociationsRequest()
        answer = await self.inventory.call(request, caller=SERVICE)
        return {found.association_id: found.cidr for found in answer.cidr_associations}

    async def close(self) -> None:
        await self.vpcs.close()
        await self.inventory.close()


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
