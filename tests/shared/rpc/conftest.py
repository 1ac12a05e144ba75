"""A small service on the chassis: metrics' contract is small and internal, network's is AWS's."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from cadastre.metrics.v1 import metrics_service_pb2 as metrics_pb
from cadastre.metrics.v1 import metrics_service_pb2_grpc as metrics_grpc
from cadastre.network.v1 import inventory_service_pb2 as inventory_pb
from cadastre.network.v1 import inventory_service_pb2_grpc as inventory_grpc
from cadastre.network.v1 import network_service_pb2 as network_pb
from cadastre.network.v1 import network_service_pb2_grpc as network_grpc
from shared.caller import Caller
from shared.errors import InvalidParameterValue
from shared.identity import TokenSigner, create_secret
from shared.rpc.fronts.serving import fronted
from shared.rpc.interceptor import Context as CallContext
from shared.rpc.server import Binding, Build, RunningServer, Runtime, caller_of, running
from shared.settings import Context, Settings

USER = Caller("123456789012", "us-east-1", "arn:aws:iam::123456789012:user/someone")
SERVICE = Caller("123456789012", "us-east-1", "service/network", service="network")


Serve = Callable[[Context, Build, Settings], AbstractAsyncContextManager[RunningServer]]


class Gate(metrics_grpc.MetricsServiceServicer):
    """Answers when it is let to."""

    def __init__(self) -> None:
        self.entered, self.opened = asyncio.Event(), asyncio.Event()

    async def GatherMetrics(
        self, request: metrics_pb.GatherMetricsRequest, context: CallContext
    ) -> metrics_pb.GatherMetricsResponse:
        self.entered.set()
        await self.opened.wait()
        return metrics_pb.GatherMetricsResponse(exposition=b"at last")


class Network(network_grpc.NetworkServiceServicer):
    """Does what its test tells by the request."""

    async def DescribeVpcs(
        self, request: network_pb.DescribeVpcsRequest, context: CallContext
    ) -> network_pb.DescribeVpcsResponse:
        response = network_pb.DescribeVpcsResponse()
        response.vpcs.add(owner_id=caller_of(context).account_id)
        return response

    async def DeleteVpc(
        self, request: network_pb.DeleteVpcRequest, context: CallContext
    ) -> network_pb.DeleteVpcResponse:
        if request.vpc_id.endswith("0"):
            raise InvalidParameterValue("'x' is wrong; use 'y'", parameter="vpcId", value="x")
        raise RuntimeError("the password is swordfish")


class Inventory(inventory_grpc.InventoryServiceServicer):
    """Counts for ever."""

    async def Watch(
        self, request: inventory_pb.WatchRequest, context: CallContext
    ) -> AsyncIterator[inventory_pb.WatchResponse]:
        if request.after_sequence < 0:
            raise InvalidParameterValue("no such sequence", parameter="afterSequence", value=-1)
        for number in range(request.after_sequence + 1, request.after_sequence + 3):
            yield inventory_pb.WatchResponse(sequence=number)
        await asyncio.Event().wait()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(data=tmp_path, port=0, shutdown_grace_seconds=5)
    create_secret(settings.identity_secret_path)
    return settings


@pytest.fixture
def signer(settings: Settings) -> TokenSigner:
    return TokenSigner(settings.identity_secret_path.read_bytes())


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def build(gate: Gate) -> Build:
    @asynccontextmanager
    async def build(_runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
        yield [
            Binding(
                metrics_grpc.add_MetricsServiceServicer_to_server,
                gate,
                "cadastre.metrics.v1.MetricsService",
            ),
            Binding(
                network_grpc.add_NetworkServiceServicer_to_server,
                Network(),  # type: ignore[abstract]  # the rest of the contract is of no interest
                "cadastre.network.v1.NetworkService",
            ),
            Binding(
                inventory_grpc.add_InventoryServiceServicer_to_server,
                Inventory(),  # type: ignore[abstract]
                "cadastre.network.v1.InventoryService",
            ),
        ]

    return build


@pytest.fixture(params=[0, 1], ids=["in one process", "behind a front"])
def serve(request: pytest.FixtureRequest) -> Serve:
    """Either way of serving; to who calls, they are the same."""
    return partial(fronted, count=request.param) if request.param else running


@pytest.fixture
async def server(serve: Serve, settings: Settings, build: Build) -> AsyncIterator[RunningServer]:
    async with serve("network", build, settings) as server:
        yield server
