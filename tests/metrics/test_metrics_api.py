"""A scrape of real services, one of them dead."""

import asyncio
import http.client
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cadastre.metrics.v1 import metrics_service_pb2 as pb
from cadastre.metrics.v1 import metrics_service_pb2_grpc
from services.metrics.server import metrics
from shared.errors import CadastreError, StartFailed
from shared.rpc.server import Binding, Runtime, running
from shared.settings import Settings
from tests.acceptance.installation import free_base_port
from tests.network.support import CALLER, SERVICE, Client, settings_for

DEAD = "control_plane"


@asynccontextmanager
async def nothing_of_its_own(_runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
    """A service that serves what every service does, telemetry included."""
    yield []


@pytest.fixture
async def settings(tmp_path: Path) -> AsyncIterator[Settings]:
    """All services but one run; metrics has ports of its own."""
    own = settings_for(tmp_path)
    async with (
        running("allocation", nothing_of_its_own, own) as allocation,
        running("network", nothing_of_its_own, own) as network,
        running("discovery", nothing_of_its_own, own) as discovery,
    ):
        yield settings_for(
            tmp_path,
            addresses={
                "allocation": allocation.address,
                "network": network.address,
                "discovery": discovery.address,
                DEAD: f"127.0.0.1:{free_base_port()}",
            },
        ).model_copy(update={"port": free_base_port()})


def get(port: int, path: str) -> tuple[int, str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.getheader("content-type", ""), answer.read().decode()
    finally:
        connection.close()


def up(exposition: str) -> dict[str, float]:
    return {
        sample.labels["service"]: sample.value
        for family in text_string_to_metric_families(exposition)
        if family.name == "cadastre_service_up"
        for sample in family.samples
    }


ALL_BUT_ONE = {"metrics": 1, "allocation": 1, "network": 1, "discovery": 1, DEAD: 0}


async def test_prometheus_sees_all_services_and_which_is_dead(settings: Settings) -> None:  # MET-5
    async with running("metrics", metrics, settings):
        status, media_type, text = await asyncio.to_thread(
            get, settings.prometheus_port, "/metrics"
        )
        assert (status, media_type.split(";")[0]) == (200, "text/plain")
        assert up(text) == ALL_BUT_ONE
        answered = {
            sample.labels["service"]
            for family in text_string_to_metric_families(text)
            if family.name == "process_start_time_seconds"
            for sample in family.samples
        }
        assert answered == {service for service, is_up in ALL_BUT_ONE.items() if is_up}
        elsewhere = await asyncio.to_thread(get, settings.prometheus_port, "/")
        assert elsewhere[0] == 404


async def test_the_same_is_told_through_grpc_to_services_only(settings: Settings) -> None:
    async with running("metrics", metrics, settings) as server:
        client = Client(server.address, settings, metrics_service_pb2_grpc.MetricsServiceStub)
        answer = await client.call(pb.GatherMetricsRequest(), caller=SERVICE)
        assert up(answer.exposition.decode()) == ALL_BUT_ONE
        with pytest.raises(CadastreError) as refusal:
            await client.call(pb.GatherMetricsRequest(), caller=CALLER)
        assert refusal.value.reason == "UnauthorizedOperation"
        await client.close()


async def test_a_taken_scrape_port_is_told_at_start(settings: Settings) -> None:
    port = settings.prometheus_port
    with socket.create_server(("127.0.0.1", port)), pytest.raises(StartFailed, match=f"{port} can"):
        async with running("metrics", metrics, settings):
            pass
