"""A running discovery, and what is asked of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cadastre.discovery.v1 import discovery_service_pb2 as pb
from cadastre.discovery.v1 import discovery_service_pb2_grpc
from services.discovery.server import discovery
from shared.rpc.server import running
from shared.settings import Settings
from tests.network.support import SERVICE, Client
from tests.waiting import eventually

VPC, OTHER_VPC, NEW_VPC = (f"vpc-0000000000000000{n}" for n in range(1, 4))


@asynccontextmanager
async def discovery_running(settings: Settings) -> AsyncIterator[Client]:
    async with running("discovery", discovery, settings) as server:
        stub = discovery_service_pb2_grpc.DiscoveryServiceStub
        client = Client(server.address, settings, stub)
        try:
            yield client
        finally:
            await client.close()


async def status(client: Client) -> pb.GetDiscoveryStatusResponse:
    answer: pb.GetDiscoveryStatusResponse = await client.call(
        pb.GetDiscoveryStatusRequest(), caller=SERVICE
    )
    return answer


async def run_pass(client: Client) -> list[str]:
    answer = await client.call(pb.RunDiscoveryPassRequest(), caller=SERVICE)
    return list(answer.released_ipam_pool_allocation_ids)


async def await_sequence(client: Client, sequence: int) -> None:
    async def has_come_so_far() -> bool:
        return (await status(client)).network_sequence == sequence

    await eventually(has_come_so_far)


async def await_first_pass(client: Client) -> None:
    async def has_passed() -> bool:
        return (await status(client)).HasField("last_successful_pass_time")

    await eventually(has_passed)
