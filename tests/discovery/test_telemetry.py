"""What discovery tells Prometheus (MET-5)."""

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from cadastre.common.v1 import telemetry_service_pb2, telemetry_service_pb2_grpc
from services.discovery.loops import Work
from services.discovery.service.agenda import Agenda, Errand
from services.discovery.service.evaluating import Evaluated
from services.discovery.service.passes import PassReport
from services.discovery.telemetry import KINDS, DiscoveryTelemetry
from shared.caller import Caller
from shared.errors import ServiceUnavailable
from tests.discovery.world import World, serving

SERVICE = Caller("", "", "tester", service="metrics")
PREFIX = "cadastre_discovery_"
PASSES, CHANGES = f"{PREFIX}passes_total", f"{PREFIX}record_changes_total"
PASS_SECONDS = f"{PREFIX}pass_duration_seconds"
EVALUATION_SECONDS = f"{PREFIX}evaluation_duration_seconds"
LAST_SUCCESS, FAILING = f"{PREFIX}last_success_timestamp_seconds", f"{PREFIX}failing_places"


class FakePasses:
    """Ends as it is told to."""

    def __init__(self, ending: PassReport | Exception) -> None:
        self._ending = ending

    async def run(self) -> PassReport:
        if isinstance(self._ending, Exception):
            raise self._ending
        return self._ending

    async def refresh(self, *_given: Any) -> PassReport:
        return await self.run()


def work(ending: PassReport | Exception, registry: CollectorRegistry) -> Work:
    nothing: Any = None
    passes: Any = FakePasses(ending)
    log, telemetry = structlog.get_logger(), DiscoveryTelemetry(registry)
    return Work(nothing, nothing, passes, Agenda(), (), log, telemetry)


def outcomes(registry: CollectorRegistry) -> dict[str, float | None]:
    return {
        outcome: registry.get_sample_value(PASSES, {"outcome": outcome})
        for outcome in ("success", "failure")
    }


@pytest.mark.parametrize(
    ("ending", "outcome"),
    [
        (PassReport(), "success"),
        # Which places fail is told apart from that.
        (PassReport(failing_places=3), "success"),
        (PassReport(unevaluated=[("ipam-1", ServiceUnavailable("away"))]), "failure"),
        (ServiceUnavailable("nobody says what to discover"), "failure"),
    ],
    ids=["all well", "a source failed", "an IPAM was not evaluated", "no control plane"],
)
@pytest.mark.parametrize("is_errand", [False, True], ids=["by the clock", "as an errand"])
async def test_whole_passes_are_counted_by_how_they_end(  # DISC-6
    ending: PassReport | Exception, outcome: str, is_errand: bool
) -> None:
    registry = CollectorRegistry()
    working, before = work(ending, registry), time.time()
    assert outcomes(registry) == {"success": 0, "failure": 0}
    errand = Errand(frozenset(), None, is_whole_pass=True)
    running = working.run(errand) if is_errand else working.run_passes()
    [failure] = await asyncio.gather(running, return_exceptions=True)
    assert failure is (ending if isinstance(ending, Exception) else None)
    assert outcomes(registry) == {"success": 0, "failure": 0, outcome: 1}
    has_ended = isinstance(ending, PassReport)
    assert registry.get_sample_value(f"{PASS_SECONDS}_count") == has_ended
    told = registry.get_sample_value(LAST_SUCCESS)
    assert told is not None
    assert (told >= before) == (outcome == "success")


async def test_a_partial_pass_is_no_whole_one_but_tells_what_it_did() -> None:  # MET-5
    registry = CollectorRegistry()
    done = [("ipam-1", Evaluated(1, 2, 3, 4, 5)), ("ipam-2", Evaluated(10, 20, 30, 40, 50))]
    report = PassReport(evaluated=done, evaluation_seconds=[0.5, 1.5], failing_places=7)
    await work(report, registry).run(Errand(frozenset(), None, is_whole_pass=False))
    assert outcomes(registry) == {"success": 0, "failure": 0}
    assert registry.get_sample_value(FAILING) == 7
    assert registry.get_sample_value(f"{EVALUATION_SECONDS}_count") == 2
    assert registry.get_sample_value(f"{EVALUATION_SECONDS}_sum") == 2.0
    counted = {kind: registry.get_sample_value(CHANGES, {"kind": kind}) for kind in KINDS}
    assert counted == {"imported": 11, "released": 22, "begun": 33, "ended": 44, "moved": 55}


async def told(world: World) -> Counter[str]:
    """What the service tells: changes and passes by their label, the rest by name."""
    remote = world.remotes["discovery"]
    stub = telemetry_service_pb2_grpc.TelemetryServiceStub(remote.channel)
    request = telemetry_service_pb2.GetMetricsRequest()
    answer = await remote.call(stub.GetMetrics, request, caller=SERVICE)
    return Counter(
        {
            next(iter(sample.labels.values()), sample.name): sample.value
            for family in text_string_to_metric_families(answer.exposition.decode())
            for sample in family.samples
            if sample.name.startswith(PREFIX) and not sample.name.endswith(("_bucket", "_created"))
        }
    )


async def test_a_running_service_tells_of_its_passes(tmp_path: Path) -> None:  # MET-5
    async with serving(f"sqlite:///{tmp_path}/{{context}}.db", tmp_path) as world:
        ipam = await world.create_ipam()
        vpc_id = await world.create_vpc("10.0.0.0/16")
        await world.resource_cidr(ipam.private_default_scope_id, vpc_id)
        before = await told(world)
        await world.run_pass()
        after = await told(world)
    assert after["success"] > before["success"]
    assert after[f"{PASS_SECONDS}_count"] == after["success"] + after["failure"]
    assert after[f"{EVALUATION_SECONDS}_count"] > before[f"{EVALUATION_SECONDS}_count"]
    assert after[LAST_SUCCESS] > 0
    assert after["begun"] == 1
    assert after[FAILING] == 0
