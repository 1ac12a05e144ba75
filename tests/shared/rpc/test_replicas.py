"""Several servers of one service, and what calls it as one."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cadastre.common.v1 import telemetry_service_pb2, telemetry_service_pb2_grpc
from cadastre.network.v1 import network_service_pb2 as network_pb
from cadastre.network.v1 import network_service_pb2_grpc as network_grpc
from shared.errors import ServiceUnavailable
from shared.identity import TokenSigner
from shared.rpc.client import Remote
from shared.rpc.encryption import channel_credentials
from shared.rpc.server import Build, RunningServer, running
from shared.settings import Settings
from tests.shared.rpc.certificates import Authority
from tests.shared.rpc.conftest import SERVICE, USER
from tests.shared.rpc.test_encryption import encrypted
from tests.waiting import eventually


def together(*servers: RunningServer) -> str:
    """An address that stands for all, as a name in the DNS does."""
    return "ipv4:" + ",".join(server.address for server in servers)


async def describe(remote: Remote) -> None:
    stub = network_grpc.NetworkServiceStub(remote.channel)
    await remote.call(stub.DescribeVpcs, network_pb.DescribeVpcsRequest(), caller=USER)


async def served_by(server: RunningServer, signer: TokenSigner) -> float:
    """How many descriptions a server has given."""
    async with Remote(server.address, signer=signer) as remote:
        stub = telemetry_service_pb2_grpc.TelemetryServiceStub(remote.channel)
        request = telemetry_service_pb2.GetMetricsRequest()
        answer = await remote.call(stub.GetMetrics, request, caller=SERVICE)
    return sum(
        sample.value
        for family in text_string_to_metric_families(answer.exposition.decode())
        for sample in family.samples
        if sample.name == "cadastre_rpc_requests_total"
        and sample.labels["method"] == "DescribeVpcs"
    )


async def test_calls_go_to_all_replicas_and_to_those_that_are_left(
    settings: Settings, signer: TokenSigner, build: Build
) -> None:
    async with AsyncExitStack() as stays, AsyncExitStack() as goes:
        left = await stays.enter_async_context(running("network", build, settings))
        gone = await goes.enter_async_context(running("network", build, settings))
        remote = await stays.enter_async_context(Remote(together(left, gone), signer=signer))

        async def both_served() -> bool:
            await describe(remote)
            return all([await served_by(server, signer) for server in (left, gone)])

        await eventually(both_served)
        await goes.aclose()
        before = await served_by(left, signer)
        await asyncio.gather(*(describe(remote) for _ in range(20)))
        assert await served_by(left, signer) == before + 20


async def test_a_replica_is_known_by_the_name_that_its_certificate_is_for(
    settings: Settings, signer: TokenSigner, build: Build, tmp_path: Path
) -> None:
    authority = Authority(tmp_path, "authority")
    issued = authority.issue("service")  # For 127.0.0.1.
    tls = encrypted(settings, authority, issued, host="127.0.0.2")
    credentials = channel_credentials(tls)
    async with running("network", build, tls) as server:
        for name in ("127.0.0.1", None):
            async with Remote(
                server.address, signer=signer, credentials=credentials, certified_name=name
            ) as remote:
                if name:
                    await describe(remote)
                else:
                    with pytest.raises(ServiceUnavailable):
                        await describe(remote)
