"""Spans of RPCs, on both sides of a channel."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from opentelemetry.trace import SpanKind

from cadastre.metrics.v1 import metrics_service_pb2 as metrics_pb
from cadastre.metrics.v1 import metrics_service_pb2_grpc as metrics_grpc
from cadastre.network.v1 import inventory_service_pb2 as inventory_pb
from cadastre.network.v1 import inventory_service_pb2_grpc as inventory_grpc
from cadastre.network.v1 import network_service_pb2 as network_pb
from cadastre.network.v1 import network_service_pb2_grpc as network_grpc
from shared.errors import CadastreError
from shared.identity import TokenSigner
from shared.rpc.client import Remote
from shared.rpc.fronts.serving import fronted
from shared.rpc.interceptor import Context
from shared.rpc.server import Binding, Build, RunningServer, Runtime, running
from shared.settings import Settings
from shared.telemetry import request_id
from tests.shared.rpc.conftest import SERVICE, USER, Gate
from tests.spans import CLIENTS_SPAN_ID, TRACE_ID, TRACEPARENT, Recorded, collecting, recorded
from tests.waiting import eventually

DESCRIBE = "cadastre.network.v1.NetworkService/DescribeVpcs"
DELETE = "cadastre.network.v1.NetworkService/DeleteVpc"
WATCH = "cadastre.network.v1.InventoryService/Watch"
GATHER = "cadastre.metrics.v1.MetricsService/GatherMetrics"


@pytest.fixture
def spans() -> Iterator[Recorded]:
    with recorded() as spans:
        yield spans


@pytest.fixture
async def server(settings: Settings, build: Build) -> AsyncIterator[RunningServer]:
    async with running("network", build, settings) as server:
        yield server


@pytest.fixture
async def remote(server: RunningServer, signer: TokenSigner) -> AsyncIterator[Remote]:
    async with Remote(server.address, signer=signer) as remote:
        yield remote


async def describe(remote: Remote) -> Any:
    stub = network_grpc.NetworkServiceStub(remote.channel)
    return await remote.call(stub.DescribeVpcs, network_pb.DescribeVpcsRequest(), caller=USER)


async def delete(remote: Remote, vpc_id: str) -> None:
    """Answered by a refusal when the id ends in 0, otherwise by a fault."""
    stub = network_grpc.NetworkServiceStub(remote.channel)
    with pytest.raises((CadastreError, grpc.aio.AioRpcError)):
        await remote.call(stub.DeleteVpc, network_pb.DeleteVpcRequest(vpc_id=vpc_id), caller=USER)


async def ended(spans: Recorded, name: str, kind: SpanKind) -> Any:
    """The span, which a server ends a little after its client has given up."""

    async def found() -> bool:
        return any((span.name, span.kind) == (name, kind) for span in spans.all())

    await eventually(found)
    return spans.one(name, kind)


async def test_both_sides_of_a_call_are_spans_of_one_trace(
    spans: Recorded, remote: Remote, server: RunningServer
) -> None:
    await describe(remote)
    asked = spans.one(DESCRIBE, SpanKind.CLIENT)
    served = spans.one(DESCRIBE, SpanKind.SERVER)
    assert asked.parent_id == ""
    assert (served.trace_id, served.parent_id) == (asked.trace_id, asked.span_id)
    request_id = served.attributes["cadastre.request_id"]
    call = {
        "rpc.system": "grpc",
        "rpc.service": "cadastre.network.v1.NetworkService",
        "rpc.method": "DescribeVpcs",
        "rpc.grpc.status_code": 0,
        "cadastre.request_id": request_id,
    }
    assert request_id
    assert served.attributes == call | {"cadastre.account_id": USER.account_id}
    assert asked.attributes == call | {"server.address": server.host, "server.port": server.port}


async def test_a_clients_mistake_is_told_and_is_no_error(spans: Recorded, remote: Remote) -> None:
    await delete(remote, "vpc-00000000000000000")
    for span in spans.one(DELETE, SpanKind.CLIENT), spans.one(DELETE, SpanKind.SERVER):
        assert span.attributes["cadastre.reason"] == "InvalidParameterValue"
        assert span.attributes["rpc.grpc.status_code"] == grpc.StatusCode.INVALID_ARGUMENT.value[0]
        assert span.error is None


async def test_a_fault_is_an_error_without_its_details(spans: Recorded, remote: Remote) -> None:
    await delete(remote, "vpc-00000000000000001")
    for span in spans.one(DELETE, SpanKind.CLIENT), spans.one(DELETE, SpanKind.SERVER):
        assert (span.error, span.attributes["error.type"]) == ("INTERNAL", "INTERNAL")
        assert "swordfish" not in str(span)


async def test_a_service_that_is_away_is_an_error_at_each_attempt(
    spans: Recorded, signer: TokenSigner
) -> None:
    async with Remote("127.0.0.1:1", signer=signer) as remote:
        stub = network_grpc.NetworkServiceStub(remote.channel)
        request = network_pb.DescribeVpcsRequest()
        with pytest.raises(CadastreError):
            await remote.call(stub.DescribeVpcs, request, caller=USER, retry_seconds=0.1)
    attempts = spans.all()
    assert len(attempts) > 1
    assert {span.error for span in attempts} == {"Unavailable"}


async def test_a_call_that_is_given_up_ends_its_spans(
    spans: Recorded, remote: Remote, gate: Gate
) -> None:
    stub = metrics_grpc.MetricsServiceStub(remote.channel)
    request = metrics_pb.GatherMetricsRequest()
    call = asyncio.create_task(remote.call(stub.GatherMetrics, request, caller=SERVICE))
    await gate.entered.wait()
    call.cancel()
    for kind in SpanKind.CLIENT, SpanKind.SERVER:
        span = await ended(spans, GATHER, kind)
        assert span.attributes["rpc.grpc.status_code"] == grpc.StatusCode.CANCELLED.value[0]
        assert span.error is None


async def test_a_stream_is_a_span_that_its_readers_own_calls_are_no_part_of(
    spans: Recorded, remote: Remote
) -> None:
    stub = inventory_grpc.InventoryServiceStub(remote.channel)
    watch = remote.stream(stub.Watch, inventory_pb.WatchRequest(), caller=SERVICE)
    await anext(watch)
    await describe(remote)
    assert WATCH not in {span.name for span in spans.all()}
    await watch.aclose()
    watched = await ended(spans, WATCH, SpanKind.SERVER)
    assert watched.parent_id == spans.one(WATCH, SpanKind.CLIENT).span_id
    assert spans.one(DESCRIBE, SpanKind.CLIENT).trace_id != watched.trace_id


async def call_with(remote: Remote, signer: TokenSigner, *metadata: tuple[str, str]) -> None:
    """As a client does that is none of ours."""
    stub: Any = network_grpc.NetworkServiceStub(remote.channel)
    token = ("authorization", f"Bearer {signer.token_for(USER)}")
    await stub.DescribeVpcs(network_pb.DescribeVpcsRequest(), metadata=(token, *metadata))


async def test_a_clients_own_trace_goes_on(
    spans: Recorded, remote: Remote, signer: TokenSigner
) -> None:
    await call_with(remote, signer, ("traceparent", TRACEPARENT), ("x-request-id", "mine"))
    served = spans.one(DESCRIBE, SpanKind.SERVER)
    assert (served.trace_id, served.parent_id) == (TRACE_ID, CLIENTS_SPAN_ID)
    assert served.attributes["cadastre.request_id"] == "mine"


async def test_what_a_client_wants_unrecorded_is_not_recorded(
    spans: Recorded, remote: Remote, signer: TokenSigner
) -> None:
    await call_with(remote, signer, ("traceparent", f"{TRACEPARENT[:-1]}0"))
    assert spans.all() == []


@pytest.mark.parametrize("traceparent", ["", "garbled", f"00-{'0' * 32}-{CLIENTS_SPAN_ID}-01"])
async def test_what_is_no_trace_is_not_gone_on_with(
    traceparent: str, spans: Recorded, remote: Remote, signer: TokenSigner
) -> None:
    await call_with(remote, signer, ("traceparent", traceparent))
    assert spans.one(DESCRIBE, SpanKind.SERVER).parent_id == ""


class Asking(metrics_grpc.MetricsServiceServicer):
    """Asks another service, as most do, and remembers what for."""

    def __init__(self, other: Remote) -> None:
        self._other = other
        self.request_ids: list[str] = []

    async def GatherMetrics(
        self, request: metrics_pb.GatherMetricsRequest, context: Context
    ) -> metrics_pb.GatherMetricsResponse:
        await describe(self._other)
        self.request_ids.append(request_id.get())
        return metrics_pb.GatherMetricsResponse()


async def test_what_a_core_asks_of_others_is_part_of_what_its_front_serves(
    remote: Remote, settings: Settings, signer: TokenSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def build(_runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
        add = metrics_grpc.add_MetricsServiceServicer_to_server
        yield [Binding(add, asking, "cadastre.metrics.v1.MetricsService")]

    asking = Asking(remote)
    async with collecting() as collector:
        # Of the front only: this process has begun without it.
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address)
        async with (
            fronted("metrics", build, settings, 1) as server,
            Remote(server.address, signer=signer) as caller,
        ):
            with recorded() as spans:
                stub = metrics_grpc.MetricsServiceStub(caller.channel)
                await caller.call(
                    stub.GatherMetrics, metrics_pb.GatherMetricsRequest(), caller=SERVICE
                )
        # A front that ends sends what it still has.
        [(service, served)] = collector.spans
    assert (service, served.name) == ("cadastre-metrics", GATHER)
    assert served.parent_span_id.hex() == spans.one(GATHER, SpanKind.CLIENT).span_id
    asked = spans.one(DESCRIBE, SpanKind.CLIENT)
    assert (asked.trace_id, asked.parent_id) == (served.trace_id.hex(), served.span_id.hex())
    assert {span.attributes["cadastre.request_id"] for span in spans.all()} == {*asking.request_ids}
