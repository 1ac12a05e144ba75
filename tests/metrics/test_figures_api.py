"""Figures of fake services, collected, rendered and scraped for real."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from cadastre.metrics.v1 import cloud_watch_service_pb2 as pb
from cadastre.metrics.v1.cloud_watch_service_pb2_grpc import CloudWatchServiceStub
from services.metrics.aws_ipam import METRICS
from services.metrics.naming import family_name
from services.metrics.server import metrics
from shared.caller import Caller
from shared.rpc.server import running
from tests.metrics.fake_services import (
    IPAM_ID,
    OWNER,
    PRIVATE,
    PUBLIC,
    REGION,
    FakeServices,
    listed_ipam,
    pool_id,
    pool_usage,
)
from tests.network.support import Client
from tests.waiting import eventually

PERCENT_ALLOCATED = "aws_ipam_percent_allocated_average"
VPC_IP_USAGE = "aws_ipam_vpc_ipusage_maximum"
TOTAL_ACTIVE = "aws_ipam_total_active_ip_count_average"
INFO = "cadastre_ipam_info"

Told = dict[str, list[tuple[dict[str, str], float]]]
"""Labels and values by name."""


class Scraper:
    """Prometheus, as far as the service notices."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def scrape(self, path: str = "/metrics") -> Told:
        answer = await self._client.get(path)
        assert answer.status_code == 200, answer.text
        told: Told = {}
        for family in text_string_to_metric_families(answer.text):
            assert family.name not in told
            for sample in family.samples:
                told.setdefault(sample.name, []).append((sample.labels, sample.value))
        return told

    async def until(self, condition: Callable[[Told], bool]) -> Told:
        """The first scrape of which it is true."""

        async def matching() -> Told | None:
            told = await self.scrape()
            return told if condition(told) else None

        found = await eventually(matching)
        assert found is not None
        return found


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> FakeServices:
    monkeypatch.setenv("CADASTRE_METRICS_INTERVAL_SECONDS", "0.02")
    return FakeServices()


@asynccontextmanager
async def scraping(services: FakeServices, folder: Path) -> AsyncIterator[Scraper]:
    async with services.serving(folder) as settings, running("metrics", metrics, settings):
        url = f"http://127.0.0.1:{settings.prometheus_port}"
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=20) as client:
            yield Scraper(client)


def failures(told: Told) -> float:
    counted = told["cadastre_metrics_collections_total"]
    return next(value for labels, value in counted if labels["outcome"] == "failure")


def pools(told: Told) -> set[str]:
    return {labels["dimension_PoolID"] for labels, _ in told.get(PERCENT_ALLOCATED, [])}


async def test_a_scrape_has_all_metrics_of_aws_with_their_labels(
    services: FakeServices, tmp_path: Path
) -> None:  # MET-1, MET-6
    contiguous = pool_usage(
        3, ipam_scope_id=PUBLIC, ipam_scope_type=1, public_ip_source=1, aws_service=1
    )
    services.ledger.pools.append(contiguous)
    async with scraping(services, tmp_path) as scraper:
        told = await scraper.until(lambda told: PERCENT_ALLOCATED in told)
    # The fakes have no subnets and no public IPv4 pools.
    without = {"SubnetIPUsage", "PublicIPv4PoolIPUsage"}
    assert {name for name in told if name.startswith("aws_ipam_")} == {
        family_name(metric) for metric in METRICS if metric.name not in without
    }
    labels, value = next(one for one in told[PERCENT_ALLOCATED] if pool_id(1) in one[0].values())
    assert value == 25
    assert labels == {
        "account_id": OWNER,
        "region": REGION,
        "name": f"arn:aws:ec2::{OWNER}:ipam-pool/{pool_id(1)}",
        "dimension_AddressFamily": "ipv4",
        "dimension_Locale": REGION,
        "dimension_PoolID": pool_id(1),
        "dimension_ScopeID": PRIVATE,
    }
    contiguous_ips = told["aws_ipam_amazon_owned_contig_ips_average"]
    assert [(one["dimension_PoolID"], value) for one, value in contiguous_ips] == [
        (pool_id(3), 256)
    ]
    assert [value for _, value in told["aws_ipam_noncompliant_resource_cidrs_average"]].count(
        2
    ) == 2
    assert [value for _, value in told["aws_ipam_ec2_public_ips_average"]] == [3]
    assert told[TOTAL_ACTIVE][0][1] == 5


async def test_our_own_series_stand_beside_them(
    services: FakeServices, tmp_path: Path
) -> None:  # BEY-11
    services.ledger.pools = [pool_usage(1)]
    async with scraping(services, tmp_path) as scraper:
        told = await scraper.until(lambda told: INFO in told)
    labels = {"ipam_id": IPAM_ID, "owner_id": OWNER, "region": REGION, "tier": "advanced"}
    assert told[INFO] == [(labels, 1)]
    values = {
        name.removeprefix("cadastre_ipam_pool_"): series[0][1]
        for name, series in told.items()
        if name.startswith("cadastre_ipam_pool_")
    }
    assert values == {
        "addresses": 256,
        "allocated_addresses": 64,
        "assigned_addresses": 32,
        "free_addresses": 160,
        "allocations": 2,
        "cidrs": 1,
        "free_blocks": 2,
        "largest_free_block_addresses": 128,
        "fragmentation_ratio": 0.2,
    }
    resource_types = {one["resource_type"] for one, _ in told["cadastre_ipam_resource_cidrs"]}
    assert resource_types == {"vpc", "eip", "unknown"}


async def test_a_pool_and_a_vpc_that_are_deleted_disappear(
    services: FakeServices, tmp_path: Path
) -> None:
    async with scraping(services, tmp_path) as scraper:
        told = await scraper.until(lambda told: VPC_IP_USAGE in told)
        assert pools(told) == {pool_id(1), pool_id(2)}
        del services.ledger.pools[0]
        await scraper.until(lambda told: pools(told) == {pool_id(2)})
        del services.discovery.vpcs["vpc-1"]
        told = await scraper.until(lambda told: len(told[VPC_IP_USAGE]) == 1)
        assert told[VPC_IP_USAGE][0][0]["dimension_VpcID"] == "vpc-2"


async def test_an_ipam_that_is_being_deleted_has_no_figures(
    services: FakeServices, tmp_path: Path
) -> None:
    services.control_plane.ipams.append(listed_ipam(ipam_id="ipam-0123456789abcdef1"))
    async with scraping(services, tmp_path) as scraper:
        await scraper.until(lambda told: len(told.get(TOTAL_ACTIVE, [])) == 2)
        services.control_plane.ipams[0] = listed_ipam(is_being_deleted=True)
        told = await scraper.until(lambda told: len(told.get(TOTAL_ACTIVE, [])) == 1)
        assert told[TOTAL_ACTIVE][0][0]["dimension_IpamId"] == "ipam-0123456789abcdef1"
        assert pools(told) == set()


async def test_limits_of_the_owner_choose_the_resources(
    services: FakeServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # MET-2
    quota = f'{{"default": 50, "{OWNER}": 3}}'
    monkeypatch.setenv("CADASTRE_QUOTA_UTILIZATION_METRICS_HIGHEST", quota)
    monkeypatch.setenv("CADASTRE_QUOTA_UTILIZATION_METRICS_ALLOCATED", "0")
    async with scraping(services, tmp_path) as scraper:
        await scraper.until(lambda told: VPC_IP_USAGE in told)
    assert set(services.discovery.chosen) == {(3, 50, 0)}


async def test_figures_stay_while_a_source_is_down(services: FakeServices, tmp_path: Path) -> None:
    async with scraping(services, tmp_path) as scraper:
        await scraper.until(lambda told: PERCENT_ALLOCATED in told)
        services.ledger.is_down = True
        down_since = services.ledger.asked

        async def asked_again() -> bool:
            return services.ledger.asked > down_since + 3

        await eventually(asked_again)
        assert pools(await scraper.scrape()) == {pool_id(1), pool_id(2)}
        del services.discovery.vpcs["vpc-1"]
        await scraper.until(lambda told: len(told[VPC_IP_USAGE]) == 1)


async def test_figures_disappear_when_a_source_is_down_for_long(
    services: FakeServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CADASTRE_METRICS_STALE_SECONDS", "1")
    async with scraping(services, tmp_path) as scraper:
        await scraper.until(lambda told: PERCENT_ALLOCATED in told and TOTAL_ACTIVE in told)
        services.ledger.is_down = True
        await scraper.until(lambda told: PERCENT_ALLOCATED not in told and failures(told) > 0)
        services.control_plane.is_down = services.discovery.is_down = True
        await scraper.until(lambda told: INFO not in told and TOTAL_ACTIVE not in told)
        services.ledger.is_down = services.control_plane.is_down = False
        services.discovery.is_down = False
        await scraper.until(lambda told: INFO in told and PERCENT_ALLOCATED in told)


async def test_every_resource_is_read_once_somebody_asks(
    services: FakeServices, tmp_path: Path
) -> None:  # BEY-11
    async with scraping(services, tmp_path) as scraper:
        await scraper.until(lambda told: VPC_IP_USAGE in told)
        assert services.discovery.listings == 0
        told = await scraper.scrape("/metrics/resources")
        ratios = told["cadastre_ipam_resource_ip_usage_ratio"]
        assert {labels["resource_id"]: value for labels, value in ratios} == {
            "vpc-1": 0.5,
            "vpc-2": 0.25,
        }
        assert told.keys() == {
            "cadastre_ipam_resource_ip_usage_ratio",
            "cadastre_ipam_resource_addresses",
        }
        assert ratios[0][0] == {
            "ipam_scope_id": PRIVATE,
            "resource_type": "vpc",
            "resource_id": "vpc-1",
            "vpc_id": "vpc-1",
            "owner_id": OWNER,
            "region": REGION,
            "address_family": "ipv4",
            "name": "",
        }


async def test_findings_of_the_ledgers_check_are_told_by_kind(
    services: FakeServices, tmp_path: Path
) -> None:  # BEY-10
    async with scraping(services, tmp_path) as scraper:
        told = await scraper.until(lambda told: "cadastre_ledger_check_findings" in told)
    findings = {labels["kind"]: value for labels, value in told["cadastre_ledger_check_findings"]}
    assert len(findings) == 11
    assert {kind: count for kind, count in findings.items() if count} == {
        "malformed-block": 1,
        "wrong-usage": 2,
    }
    at = told["cadastre_ledger_check_last_success_timestamp_seconds"]
    assert [value > 0 for _, value in at] == [True]


async def test_a_check_that_was_cut_off_found_nothing(
    services: FakeServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CADASTRE_METRICS_LEDGER_CHECK_INTERVAL_SECONDS", "0.02")
    services.ledger.is_cut_off = True
    async with scraping(services, tmp_path) as scraper:

        async def is_checked_again() -> bool:
            return services.ledger.checks > 2

        await eventually(is_checked_again)
        told = await scraper.scrape()
    assert "cadastre_ledger_check_findings" not in told
    assert told["cadastre_ledger_check_last_success_timestamp_seconds"] == [
        ({"service": "metrics"}, 0)
    ]


async def test_the_ledger_is_not_checked_where_nobody_wants_it(
    services: FakeServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CADASTRE_METRICS_LEDGER_CHECK_INTERVAL_SECONDS", "0")
    async with scraping(services, tmp_path) as scraper:
        told = await scraper.until(lambda told: INFO in told)
    assert "cadastre_ledger_check_last_success_timestamp_seconds" not in told


async def test_the_other_exporters_labels_by_a_switch(
    services: FakeServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # MET-6
    monkeypatch.setenv("CADASTRE_METRICS_NAMES", "cloudwatch_exporter")
    async with scraping(services, tmp_path) as scraper:
        told = await scraper.until(lambda told: TOTAL_ACTIVE in told)
    assert told[TOTAL_ACTIVE] == [
        (
            {
                "job": "aws_ipam",
                "instance": "",
                "account_id": OWNER,
                "home_region": REGION,
                "ipam_id": IPAM_ID,
            },
            5,
        )
    ]


async def test_what_is_collected_can_be_read_in_cloudwatchs_manner(
    services: FakeServices, tmp_path: Path
) -> None:
    async with (
        services.serving(tmp_path) as settings,
        running("metrics", metrics, settings) as server,
    ):
        client = Client(server.address, settings, CloudWatchServiceStub)
        owner = Caller(OWNER, REGION, f"arn:aws:iam::{OWNER}:user/tester")

        async def listed() -> list[str]:
            answer = await client.call(pb.ListMetricsRequest(namespace="AWS/IPAM"), caller=owner)
            return [metric.metric_name for metric in answer.metrics]

        assert "PercentAllocated" in await eventually(listed)
        await client.close()
