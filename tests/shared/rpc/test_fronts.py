"""What is different behind fronts; that nothing else is, `test_server` shows."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families

from cadastre.common.v1 import telemetry_service_pb2, telemetry_service_pb2_grpc
from cadastre.metrics.v1 import metrics_service_pb2 as metrics_pb
from cadastre.metrics.v1 import metrics_service_pb2_grpc as metrics_grpc
from cadastre.network.v1 import inventory_service_pb2 as inventory_pb
from cadastre.network.v1 import inventory_service_pb2_grpc as inventory_grpc
from shared.errors import CadastreError, ServiceUnavailable, Unavailable, kind_of
from shared.identity import TokenSigner, create_secret
from shared.rpc.client import Remote
from shared.rpc.fronts.hello import Hello
from shared.rpc.fronts.hosting import STREAM_WINDOW, HostedFront
from shared.rpc.fronts.processes import FrontEnded, front_process, ready
from shared.rpc.fronts.serving import fronted
from shared.rpc.interceptor import Context
from shared.rpc.server import Binding, Build, RunningServer, Runtime
from shared.settings import Settings
from tests.acceptance.installation import free_base_port
from tests.allocation.world import World
from tests.service_process import ServiceProcess
from tests.shared.rpc.conftest import SERVICE, Gate
from tests.waiting import PATIENCE_SECONDS, eventually


def fronts_of(pid: int) -> list[psutil.Process]:
    return [child for child in psutil.Process(pid).children() if child.is_running()]


class Cancelled(metrics_grpc.MetricsServiceServicer):
    """Waits until nobody waits for it any more."""

    def __init__(self) -> None:
        self.entered, self.cancelled = asyncio.Event(), asyncio.Event()

    async def GatherMetrics(
        self, request: metrics_pb.GatherMetricsRequest, context: Context
    ) -> metrics_pb.GatherMetricsResponse:
        self.entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()
        raise AssertionError


class Flood(inventory_grpc.InventoryServiceServicer):
    """Has more to say than anybody reads."""

    def __init__(self) -> None:
        self.said = 0

    async def Watch(
        self, request: inventory_pb.WatchRequest, context: Context
    ) -> AsyncIterator[inventory_pb.WatchResponse]:
        while True:
            self.said += 1
            # So long that HTTP/2 holds only some of them.
            long = inventory_pb.CidrAssociation(resource_id="x" * 100_000)
            yield inventory_pb.WatchResponse(sequence=self.said, cidr_association=long)


def serving_only(service: object, name: str, add: object) -> Build:
    @asynccontextmanager
    async def build(_runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
        yield [Binding(add, service, name)]  # type: ignore[arg-type]

    return build


async def test_a_call_that_its_client_gives_up_is_given_up_by_the_core(
    settings: Settings, signer: TokenSigner
) -> None:
    servicer = Cancelled()
    build = serving_only(
        servicer,
        "cadastre.metrics.v1.MetricsService",
        metrics_grpc.add_MetricsServiceServicer_to_server,
    )
    async with (
        fronted("network", build, settings, 1) as server,
        Remote(server.address, signer=signer) as remote,
    ):
        gather = metrics_grpc.MetricsServiceStub(remote.channel).GatherMetrics
        call = asyncio.create_task(
            remote.call(gather, metrics_pb.GatherMetricsRequest(), caller=SERVICE)
        )
        await servicer.entered.wait()
        call.cancel()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await servicer.cancelled.wait()


async def test_a_stream_is_carried_on_only_as_fast_as_it_is_read(
    settings: Settings, signer: TokenSigner
) -> None:
    flood = Flood()  # type: ignore[abstract]  # the rest of the contract is of no interest
    build = serving_only(
        flood,
        "cadastre.network.v1.InventoryService",
        inventory_grpc.add_InventoryServiceServicer_to_server,
    )
    async with (
        fronted("network", build, settings, 1) as server,
        Remote(server.address, signer=signer) as remote,
    ):
        stub = inventory_grpc.InventoryServiceStub(remote.channel)
        watch = remote.stream(stub.Watch, inventory_pb.WatchRequest(), caller=SERVICE)
        read = [(await anext(watch)).sequence for _ in range(3 * STREAM_WINDOW)]
        assert read == list(range(1, 3 * STREAM_WINDOW + 1))
        said = [0]

        async def falls_silent() -> bool:
            said.append(flood.said)
            return said[-1] == said[-2]

        await eventually(falls_silent)
        await watch.aclose()


async def test_several_fronts_share_a_port_and_each_tells_its_own_figures(
    settings: Settings, build: Build, signer: TokenSigner
) -> None:
    async with (
        fronted("network", build, settings, 2) as server,
        Remote(server.address, signer=signer) as remote,
    ):
        stub = telemetry_service_pb2_grpc.TelemetryServiceStub(remote.channel)
        answer = await remote.call(
            stub.GetMetrics, telemetry_service_pb2.GetMetricsRequest(), caller=SERVICE
        )
    by_process = {
        sample.labels["process"]
        for family in text_string_to_metric_families(answer.exposition.decode())
        for sample in family.samples
        if sample.name == "process_cpu_seconds_total"
    }
    assert by_process == {"core", "front-1", "front-2"}


async def test_a_front_that_ends_ends_the_service(settings: Settings, build: Build) -> None:
    async def serve() -> None:
        async with fronted("network", build, settings, 1):
            [front] = fronts_of(os.getpid())
            front.kill()
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as raised:
        await serve()
    assert raised.group_contains(FrontEnded, match=str(-signal.SIGKILL))


async def test_a_service_drains_its_other_fronts_when_one_ends(
    settings: Settings, signer: TokenSigner, build: Build, gate: Gate
) -> None:
    async def serve(served: "asyncio.Future[RunningServer]") -> None:
        async with fronted("network", build, settings, 2) as server:
            served.set_result(server)
            await asyncio.Event().wait()

    served: asyncio.Future[RunningServer] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(served))
    async with Remote((await served).address, signer=signer) as remote:
        gather = metrics_grpc.MetricsServiceStub(remote.channel).GatherMetrics
        call = asyncio.create_task(
            remote.call(gather, metrics_pb.GatherMetricsRequest(), caller=SERVICE)
        )
        await gate.entered.wait()
        [of_call] = [front for front in fronts_of(os.getpid()) if has_connections(front)]
        [other] = [front for front in fronts_of(os.getpid()) if front != of_call]
        other.kill()
        await eventually(lambda: asyncio.sleep(0, not other.is_running()))
        gate.opened.set()
        assert (await call).exposition == b"at last"
        with pytest.raises(ExceptionGroup):
            await serving


def has_connections(process: psutil.Process) -> bool:
    return any(found.status == psutil.CONN_ESTABLISHED for found in process.net_connections("tcp"))


async def test_a_front_that_cannot_start_is_told(
    settings: Settings, build: Build, capfd: pytest.CaptureFixture[str]
) -> None:
    wrong = settings.model_copy(update={"identity_secret_file": settings.data / "not-there"})
    hello = Hello("network", wrong.model_dump_json(), 0, [], [])
    front = HostedFront([], structlog.get_logger())
    async with front_process(hello, front) as process:
        with pytest.raises(FrontEnded, match="1"):
            await ready(process, front)
    assert "not-there" in capfd.readouterr().err


async def test_fronts_end_with_their_core_and_its_successor_has_the_port_at_once(
    tmp_path: Path,
) -> None:  # BEY-5
    settings = Settings(data=tmp_path, port=free_base_port())
    signer = TokenSigner(create_secret(settings.identity_secret_path))
    process = ServiceProcess("allocation", settings)
    request = telemetry_service_pb2.GetMetricsRequest()
    async with Remote(process.address, signer=signer) as remote:
        stub = telemetry_service_pb2_grpc.TelemetryServiceStub(remote.channel)
        for _ in range(3):
            with process.running():
                assert await remote.call(
                    stub.GetMetrics, request, caller=SERVICE, timeout_seconds=60, retry_seconds=60
                )
                fronts = fronts_of(process.pid)
                assert len(fronts) == 1
            psutil.wait_procs(fronts, timeout=30)
            assert not any(front.is_running() for front in fronts)
        with pytest.raises(ServiceUnavailable):
            await remote.call(stub.GetMetrics, request, caller=SERVICE)


async def test_who_waits_while_the_core_goes_is_told_to_repeat(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, port=free_base_port())
    signer = TokenSigner(create_secret(settings.identity_secret_path))
    process = ServiceProcess("allocation", settings)
    async with Remote(process.address, signer=signer) as remote:
        with process.running():
            await asyncio.wait_for(remote.channel.channel_ready(), 60)
            watch: AsyncIterator[Any] = World(remote).owner.stream("Watch")
            waiting = asyncio.ensure_future(anext(watch))
            await eventually(lambda: calls_under_way(remote))
            process.kill()
            with pytest.raises(CadastreError) as raised:
                await waiting
    assert kind_of(raised.value) is Unavailable


async def calls_under_way(remote: Remote) -> bool:
    stub = telemetry_service_pb2_grpc.TelemetryServiceStub(remote.channel)
    answer = await remote.call(
        stub.GetMetrics, telemetry_service_pb2.GetMetricsRequest(), caller=SERVICE
    )
    return any(
        sample.value > 0
        for family in text_string_to_metric_families(answer.exposition.decode())
        for sample in family.samples
        if family.name == "cadastre_rpc_in_flight"
        and sample.labels["service"] == "cadastre.allocation.v1.AllocationService"
    )
