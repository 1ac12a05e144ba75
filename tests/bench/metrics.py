"""Figures at size: how long it takes to collect, to make them ready, and to be scraped.

`python -m tests.bench.metrics`; the services that are asked answer at once, from memory.
"""

import os
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import httpx
import uvloop
from prometheus_client.parser import text_string_to_metric_families

from cadastre.allocation.v1 import inventory_service_pb2 as allocation_pb2
from cadastre.discovery.v1 import monitoring_service_pb2 as monitoring
from cadastre.discovery.v1 import usage_service_pb2
from services.metrics.server import metrics
from shared.rpc.server import running
from shared.settings import Settings
from shared.telemetry import configure_logging
from tests.metrics.fake_services import (
    IPV4,
    OWNER,
    PRIVATE,
    REGION,
    FakeDiscovery,
    FakeLedger,
    FakeServices,
    pool_usage,
)
from tests.waiting import eventually

POOLS, POOLS_ON_A_PAGE = 10_000, 100
VPCS, SUBNETS, CHOSEN = 5_000, 10_000, 250
SCRAPES = 20


class ManyPools(FakeLedger):
    """A ledger with ten thousand pools."""

    def __init__(self) -> None:
        super().__init__()
        self.pools = [pool_usage(number) for number in range(POOLS)]

    async def ListPoolUsages(self, request: Any, context: Any) -> Any:
        at = int(request.next_token or 0)
        after = at + POOLS_ON_A_PAGE
        return allocation_pb2.ListPoolUsagesResponse(
            pool_usages=self.pools[at:after],
            next_token=str(after) if after < len(self.pools) else None,
        )


class ManyResources(FakeDiscovery):
    """A discovery with fifteen thousand resources whose usage is known."""

    def __init__(self) -> None:
        super().__init__()
        self._known = {
            monitoring.IPAM_RESOURCE_TYPE_VPC: [_utilization("vpc", n) for n in range(VPCS)],
            monitoring.IPAM_RESOURCE_TYPE_SUBNET: [
                _utilization("subnet", n) for n in range(SUBNETS)
            ],
        }

    async def ListResourceCidrCounts(self, request: Any, context: Any) -> Any:
        return usage_service_pb2.ListResourceCidrCountsResponse(
            counts=[
                usage_service_pb2.ResourceCidrCount(
                    ipam_scope_id=PRIVATE,
                    address_family=IPV4,
                    resource_type=type_,
                    count=len(known),
                )
                for type_, known in self._known.items()
            ]
        )

    async def ListResourceUtilization(self, request: Any, context: Any) -> Any:
        return usage_service_pb2.ListResourceUtilizationResponse(
            utilizations=self._known[request.resource_type][:CHOSEN]
        )

    async def ListResourceUsages(self, request: Any, context: Any) -> Any:
        known, at = self._known[request.resource_type], int(request.next_token or 0)
        after = at + request.max_results
        return usage_service_pb2.ListResourceUsagesResponse(
            utilizations=known[at:after], next_token=str(after) if after < len(known) else None
        )


def _utilization(kind: str, number: int) -> usage_service_pb2.ResourceUtilization:
    return usage_service_pb2.ResourceUtilization(
        resource_id=f"{kind}-{number:017x}",
        owner_id=OWNER,
        region=REGION,
        vpc_id=f"vpc-{number % VPCS:017x}",
        ip_usage=number / SUBNETS,
        total_addresses="65536",
        name=f"{kind} {number}",
    )


async def report() -> None:
    """Print what each takes."""
    services = FakeServices()
    services.ledger, services.discovery = ManyPools(), ManyResources()
    with tempfile.TemporaryDirectory() as folder:
        async with services.serving(Path(folder)) as settings:
            await _measure(settings)


async def _measure(settings: Settings) -> None:
    url = f"http://127.0.0.1:{settings.prometheus_port}"
    async with (
        running("metrics", metrics, settings),
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client,
    ):
        took = await _seconds(lambda: eventually(lambda: _collection_seconds(client)))
        seconds = await _collection_seconds(client)
        print(f"first figures after {took:.2f} s; collecting and rendering: {seconds:.2f} s")
        took = await _seconds(lambda: client.get("/metrics/resources"))
        print(f"first scrape of /metrics/resources, read for it: {took:.2f} s")
        for path in ("/metrics", "/metrics/resources"):
            answer = await client.get(path)
            lines = sum(not line.startswith("#") for line in answer.text.splitlines())
            times = [await _seconds(partial(client.get, path)) for _ in range(SCRAPES)]
            print(
                f"{path}: {lines} series, {len(answer.content) / 1e6:.1f} MB,"
                f" {median(times) * 1000:.0f} ms (most {max(times) * 1000:.0f} ms)"
            )


async def _seconds(do: Callable[[], Awaitable[object]]) -> float:
    began = perf_counter()
    await do()
    return perf_counter() - began


async def _collection_seconds(client: httpx.AsyncClient) -> float:
    answer = await client.get("/metrics")
    own = answer.text.partition("# HELP aws_ipam_")[0]
    for family in text_string_to_metric_families(own):
        for sample in family.samples:
            if sample.name == "cadastre_metrics_collection_duration_seconds_sum":
                return sample.value
    return 0.0


if __name__ == "__main__":
    os.environ.setdefault("CADASTRE_METRICS_INTERVAL_SECONDS", "60")
    configure_logging("error")
    uvloop.run(report())
