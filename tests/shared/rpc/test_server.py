import asyncio
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from prometheus_client.parser import text_string_to_metric_families

from cadastre.common.v1 import telemetry_service_pb2, telemetry_service_pb2_grpc
from cadastre.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from cadastre.network.v1 import inventory_service_pb2, inventory_service_pb2_grpc
from cadastre.network.v1 import network_service_pb2 as network_pb
from cadastre.network.v1 import network_service_pb2_grpc as network_grpc
from shared.errors import (
    CadastreError,
    Invalid,
    NotFound,
    ServiceUnavailable,
    Unavailable,
    kind_of,
)
from shared.identity import TokenSigner
from shared.rpc.client import Remote
from shared.rpc.server import Build, PortTaken, RunningServer, background, running
from shared.secret_files import SecretUnusable
from shared.settings import Settings
from tests.shared.rpc.conftest import SERVICE, USER, Gate, Serve

SERVING = health_pb2.HealthCheckResponse.SERVING


async def refusal(remote: Remote, request: network_pb.DeleteVpcRequest) -> CadastreError:
    stub = network_grpc.NetworkServiceStub(remote.channel)
    with pytest.raises(CadastreError) as raised:
        await remote.call(stub.DeleteVpc, request, caller=USER)
    return raised.value


async def test_a_handler_knows_its_caller(server: RunningServer, signer: TokenSigner) -> None:
    async with Remote(server.address, signer=signer) as remote:
        stub = network_grpc.NetworkServiceStub(remote.channel)
        answer = await remote.call(stub.DescribeVpcs, network_pb.DescribeVpcsRequest(), caller=USER)
    assert answer.vpcs[0].owner_id == USER.account_id


async def test_a_refusal_arrives_with_kind_reason_message_and_values(
    server: RunningServer, signer: TokenSigner
) -> None:
    async with Remote(server.address, signer=signer) as remote:
        error = await refusal(remote, network_pb.DeleteVpcRequest(vpc_id="vpc-00000000000000000"))
    assert (kind_of(error), error.reason) == (Invalid, "InvalidParameterValue")
    assert error.message == "'x' is wrong; use 'y'"
    assert error.metadata == {"parameter": "vpcId", "value": "x"}


async def test_an_unforeseen_error_hides_its_details(
    server: RunningServer, signer: TokenSigner, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Remote(server.address, signer=signer) as remote:
        stub = network_grpc.NetworkServiceStub(remote.channel)
        request = network_pb.DeleteVpcRequest(vpc_id="vpc-00000000000000001")
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await remote.call(stub.DeleteVpc, request, caller=USER)
    assert raised.value.code() is grpc.StatusCode.INTERNAL
    assert "swordfish" not in (raised.value.details() or "")
    trailers = dict(raised.value.trailing_metadata())
    assert str(trailers["x-request-id"]) in (raised.value.details() or "")


async def test_a_method_that_is_unknown_is_refused_with_a_request_id(server: RunningServer) -> None:
    async with grpc.aio.insecure_channel(server.address) as channel:
        fly: Any = channel.unary_unary("/cadastre.network.v1.NetworkService/Fly")
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await fly(b"", metadata=(("x-request-id", "mine"),))
    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert raised.value.details() == "There is no method '/cadastre.network.v1.NetworkService/Fly'"
    assert dict(raised.value.trailing_metadata())["x-request-id"] == "mine"


async def test_the_contracts_rules_are_checked_before_the_handler(
    server: RunningServer, signer: TokenSigner
) -> None:
    async with Remote(server.address, signer=signer) as remote:
        missing = await refusal(remote, network_pb.DeleteVpcRequest())
        malformed = await refusal(remote, network_pb.DeleteVpcRequest(vpc_id="i-0"))
    assert (missing.reason, malformed.reason) == ("MissingParameter", "InvalidVpcID.Malformed")


async def test_a_dry_run_of_a_reading_call_is_answered_by_the_chassis(
    server: RunningServer, signer: TokenSigner
) -> None:
    async with Remote(server.address, signer=signer) as remote:
        stub = network_grpc.NetworkServiceStub(remote.channel)
        with pytest.raises(CadastreError) as raised:
            await remote.call(
                stub.DescribeVpcs, network_pb.DescribeVpcsRequest(dry_run=True), caller=USER
            )
    assert raised.value.reason == "DryRunOperation"


@pytest.mark.parametrize(
    "metadata",
    [
        (),
        (("authorization", "Bearer nonsense"),),
        (("authorization", "Basic c2VjcmV0"),),
        (("authorization", f"Bearer {TokenSigner(b'x' * 32).token_for(USER)}"),),
    ],
    ids=["absent", "garbled", "another scheme", "another key"],
)
async def test_a_call_without_a_valid_token_is_unauthenticated(
    server: RunningServer, metadata: tuple[tuple[str, str], ...]
) -> None:
    async with grpc.aio.insecure_channel(server.address) as channel:
        stub = network_grpc.NetworkServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await stub.DescribeVpcs(network_pb.DescribeVpcsRequest(), metadata=metadata)
    assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_internal_services_are_for_services_only(
    server: RunningServer, signer: TokenSigner, gate: Gate
) -> None:
    gate.opened.set()
    async with Remote(server.address, signer=signer) as remote:
        stub = metrics_service_pb2_grpc.MetricsServiceStub(remote.channel)
        request = metrics_service_pb2.GatherMetricsRequest()
        assert await remote.call(stub.GatherMetrics, request, caller=SERVICE)
        with pytest.raises(CadastreError) as raised:
            await remote.call(stub.GatherMetrics, request, caller=USER)
    assert raised.value.reason == "UnauthorizedOperation"


async def test_streams_are_served_and_refused_alike(
    server: RunningServer, signer: TokenSigner
) -> None:
    async with Remote(server.address, signer=signer) as remote:
        stub = inventory_service_pb2_grpc.InventoryServiceStub(remote.channel)
        watch = remote.stream(
            stub.Watch, inventory_service_pb2.WatchRequest(after_sequence=6), caller=SERVICE
        )
        assert [(await anext(watch)).sequence, (await anext(watch)).sequence] == [7, 8]
        await watch.aclose()
        refused = remote.stream(
            stub.Watch, inventory_service_pb2.WatchRequest(after_sequence=-1), caller=SERVICE
        )
        with pytest.raises(CadastreError, match="no such sequence"):
            await anext(refused)


async def test_shutdown_lets_running_calls_finish_ends_streams_and_refuses_new_calls(
    serve: Serve, settings: Settings, build: Build, gate: Gate, signer: TokenSigner
) -> None:
    ending = asyncio.Event()

    async def serve_until_told(address: "asyncio.Future[str]") -> None:
        async with serve("network", build, settings) as server:
            address.set_result(server.address)
            await ending.wait()

    bound: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve_until_told(bound))
    async with Remote(await bound, signer=signer) as remote:
        gather = metrics_service_pb2_grpc.MetricsServiceStub(remote.channel).GatherMetrics
        request = metrics_service_pb2.GatherMetricsRequest()
        watch = remote.stream(
            inventory_service_pb2_grpc.InventoryServiceStub(remote.channel).Watch,
            inventory_service_pb2.WatchRequest(),
            caller=SERVICE,
        )
        await anext(watch)
        call = asyncio.create_task(remote.call(gather, request, caller=SERVICE))
        await gate.entered.wait()
        ending.set()
        await anext(watch)
        with pytest.raises(CadastreError, match="stopping"):
            await anext(watch)
        gate.opened.set()
        assert (await call).exposition == b"at last"
        await serving
        with pytest.raises(ServiceUnavailable):
            await remote.call(gather, request, caller=SERVICE)


async def test_health_and_reflection_need_no_token(server: RunningServer) -> None:
    async with grpc.aio.insecure_channel(server.address) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        for name in ("", "cadastre.network.v1.NetworkService"):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == SERVING
        reflection: Any = reflection_pb2_grpc.ServerReflectionStub(channel)  # type: ignore[arg-type]
        listing = reflection.ServerReflectionInfo(
            iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        )
        [response] = [answer async for answer in listing]
    names = {service.name for service in response.list_services_response.service}
    assert "cadastre.network.v1.NetworkService" in names


async def test_a_second_server_on_the_port_fails_clearly(
    server: RunningServer, serve: Serve, settings: Settings, build: Build
) -> None:
    taken = settings.model_copy(update={"port": server.port - 3})
    with pytest.raises(PortTaken, match=str(server.port)):
        async with serve("network", build, taken):
            pass


async def test_a_missing_secret_fails_clearly(
    serve: Serve, settings: Settings, build: Build
) -> None:
    settings.identity_secret_path.unlink()
    with pytest.raises(SecretUnusable, match="identity/secret"):
        async with serve("network", build, settings):
            pass


async def test_requests_are_counted_by_method_and_code(
    server: RunningServer, signer: TokenSigner
) -> None:
    async with Remote(server.address, signer=signer) as remote:
        await refusal(remote, network_pb.DeleteVpcRequest())
        stub = telemetry_service_pb2_grpc.TelemetryServiceStub(remote.channel)
        answer = await remote.call(
            stub.GetMetrics, telemetry_service_pb2.GetMetricsRequest(), caller=SERVICE
        )
    [requests] = [
        family
        for family in text_string_to_metric_families(answer.exposition.decode())
        if family.name == "cadastre_rpc_requests"
    ]
    told = {
        (sample.labels["method"], sample.labels["code"]): sample.value
        for sample in requests.samples
        if sample.name.endswith("_total")
    }
    assert told["DeleteVpc", "INVALID_ARGUMENT"] == 1


async def test_an_idempotent_call_waits_for_a_peer_that_is_not_there_yet(
    settings: Settings, build: Build, signer: TokenSigner, unused_tcp_port: int
) -> None:
    later = settings.model_copy(update={"port": unused_tcp_port - 3})
    async with Remote(f"127.0.0.1:{unused_tcp_port}", signer=signer) as remote:
        describe = network_grpc.NetworkServiceStub(remote.channel).DescribeVpcs
        request = network_pb.DescribeVpcsRequest()
        with pytest.raises(CadastreError) as raised:
            await remote.call(describe, request, caller=USER)
        assert kind_of(raised.value) is Unavailable
        call = asyncio.create_task(remote.call(describe, request, caller=USER, retry_seconds=10))
        async with running("network", build, later):
            assert (await call).vpcs


async def test_background_work_that_fails_ends_the_block() -> None:
    async def fail() -> None:
        raise NotFound("gone")

    with pytest.raises(ExceptionGroup, match="background work failed"):
        async with background(fail()):
            await asyncio.Event().wait()


async def test_background_work_is_cancelled_at_the_end_of_the_block() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with background(work()):
        await asyncio.to_thread(lambda: None)
    assert ended.is_set()
