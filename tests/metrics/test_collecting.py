"""Collections, with sources that come and go."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from services.metrics.collecting import IPAMS_AT_ONCE, SOURCES, Collection, Collector, Failure
from services.metrics.figures import IpamFigures, Limits
from services.metrics.publishing import Publisher
from services.metrics.series import Series
from services.metrics.telemetry import CollectionMetrics, LedgerCheckMetrics
from tests.metrics.fake_sources import FakeContexts
from tests.metrics.figures_world import (
    CONTIGUOUS,
    FIGURES,
    IPAM,
    MONITORED,
    NOTHING_YET,
    POOLS,
    QUARTER_ALLOCATED,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
INTERVAL, STALE_AFTER = timedelta(seconds=15), timedelta(seconds=300)


class World:
    """A collector, what it asks, and the time."""

    def __init__(self, stale_after: timedelta = STALE_AFTER) -> None:
        self.now, self.contexts = START, FakeContexts()
        self.collector = Collector(
            self.contexts.sources(),
            lambda account_id: Limits(int(account_id[0]), 2, 3),
            stale_after=stale_after,
            clock=lambda: self.now,
        )

    async def figures(self, *, after: timedelta = INTERVAL) -> Sequence[IpamFigures]:
        """What the collection after that time gives."""
        self.now += after
        return (await self.collector.collect()).figures


@pytest.fixture
def world() -> World:
    return World()


async def test_a_collection_has_what_all_sources_tell(world: World) -> None:  # MET-1
    collection = await world.collector.collect()
    assert collection == Collection(START, [FIGURES], [])


async def test_limits_are_those_of_the_account_that_owns_the_ipam(world: World) -> None:  # MET-2
    other = replace(IPAM, ipam_id="ipam-2", owner_id="222222222222")
    world.contexts.all_ipams.append(other)
    world.contexts.resources["ipam-2"] = NOTHING_YET
    await world.collector.collect()
    assert world.contexts.limits == {"ipam-1": Limits(1, 2, 3), "ipam-2": Limits(2, 2, 3)}


async def test_what_is_gone_is_gone_with_the_next_collection(world: World) -> None:
    await world.figures()
    world.contexts.pools["ipam-1"] = [CONTIGUOUS]
    world.contexts.resources["ipam-1"] = replace(MONITORED, utilizations=[])
    (figures,) = await world.figures()
    assert figures.pools == [CONTIGUOUS]
    assert figures.monitored == replace(MONITORED, utilizations=[])
    world.contexts.all_ipams.clear()
    assert await world.figures() == []


@pytest.mark.parametrize(
    ("source", "without"),
    [
        ("allocation", replace(FIGURES, pools=None)),
        ("discovery", replace(FIGURES, monitored=None)),
        ("control_plane", replace(FIGURES, is_listed=False)),
    ],
)
async def test_what_a_source_told_stays_for_a_while_after_it_went_down(
    world: World, source: str, without: IpamFigures
) -> None:
    await world.figures()
    world.contexts.down.add(source)
    assert await world.figures(after=STALE_AFTER - INTERVAL) == [FIGURES]
    assert await world.figures(after=INTERVAL) == [without]
    world.contexts.down.clear()
    assert await world.figures() == [FIGURES]


async def test_the_others_figures_are_renewed_while_one_is_down(world: World) -> None:  # POOL-9
    await world.figures()
    world.contexts.down |= {"control_plane", "discovery"}
    busier = replace(QUARTER_ALLOCATED, assigned=9000)
    world.contexts.pools["ipam-1"] = [busier]
    assert await world.figures() == [replace(FIGURES, pools=[busier])]
    lasting = replace(FIGURES, is_listed=False, pools=[busier], monitored=None)
    assert await world.figures(after=2 * STALE_AFTER) == [lasting]


async def test_an_ipam_that_one_source_refuses_costs_no_other_ones_figures(world: World) -> None:
    world.contexts.all_ipams.insert(0, replace(IPAM, ipam_id="ipam-0"))
    world.contexts.broken.add("ipam-0")
    collection = await world.collector.collect()
    why = "'ipam-0' is not understood"
    assert set(collection.failures) == {
        Failure("allocation", "ipam-0", why),
        Failure("discovery", "ipam-0", why),
    }
    assert [(one.pools, one.monitored) for one in collection.figures] == [
        (None, None),
        (POOLS, MONITORED),
    ]


async def test_who_does_not_answer_is_not_asked_about_every_ipam(world: World) -> None:
    world.contexts.all_ipams = [replace(IPAM, ipam_id=f"ipam-{n}") for n in range(100)]
    world.contexts.down.add("allocation")
    world.contexts.resources = {ipam.ipam_id: MONITORED for ipam in world.contexts.all_ipams}
    await world.collector.collect()
    asked = [source for source, _ in world.contexts.asked]
    assert asked.count("allocation") <= IPAMS_AT_ONCE
    assert asked.count("discovery") == 100


async def test_who_takes_too_long_costs_its_own_figures_only() -> None:
    world = World(stale_after=timedelta(milliseconds=90))
    world.contexts.all_ipams.append(replace(IPAM, ipam_id="ipam-2"))
    world.contexts.resources["ipam-2"] = NOTHING_YET
    world.contexts.endless.add("ipam-1")
    collection = await world.collector.collect()
    assert [(one.pools, one.monitored) for one in collection.figures] == [
        (POOLS, None),
        ([], NOTHING_YET),
    ]
    why = "it did not tell all within 0.03 seconds"
    assert Failure("discovery", None, why) in collection.failures


async def test_what_was_told_longest_ago_is_asked_for_first(world: World) -> None:
    world.contexts.all_ipams.append(replace(IPAM, ipam_id="ipam-2"))
    world.contexts.resources["ipam-2"] = NOTHING_YET
    world.contexts.broken.add("ipam-2")
    await world.figures()
    world.contexts.broken.clear()
    world.contexts.asked.clear()
    await world.figures()
    assert [ipam for source, ipam in world.contexts.asked if source == "discovery"] == [
        "ipam-2",
        "ipam-1",
    ]


async def test_an_ipam_that_comes_back_has_nothing_of_before(world: World) -> None:
    await world.figures()
    world.contexts.all_ipams.clear()
    await world.figures()
    world.contexts.all_ipams.append(IPAM)
    world.contexts.down |= {"allocation", "discovery"}
    assert await world.figures() == [replace(FIGURES, pools=None, monitored=None)]


class Recorded:
    """A window that keeps all."""

    def __init__(self) -> None:
        self.recorded: list[tuple[datetime, int]] = []

    def record(self, at: datetime, series: Sequence[Series]) -> None:
        self.recorded.append((at, len(series)))


async def test_what_is_collected_is_published_and_recorded(world: World) -> None:
    window = Recorded()
    publisher = Publisher(world.collector, window, "cloudwatch_exporter")
    assert publisher.text == b""
    await publisher.publish()
    assert b'aws_ipam_total_active_ip_count_average{account_id="111111111111",home_region="' in (
        publisher.text
    )
    assert b"\ncadastre_ipam_info{" in publisher.text
    (recorded,) = window.recorded
    assert recorded == (START, publisher.text.count(b"\naws_ipam_"))


async def test_nothing_is_recorded_where_prometheus_remembers(world: World) -> None:
    publisher = Publisher(world.collector, None, "yace")
    await publisher.publish()
    assert b"\naws_ipam_total_active_ip_count_average{" in publisher.text


def told(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(name, labels)


async def test_collections_tell_how_they_went(world: World) -> None:
    registry = CollectorRegistry()
    metrics, success = CollectionMetrics(registry), "cadastre_metrics_figures_last_success"
    success += "_timestamp_seconds"
    assert {told(registry, success, source=source) for source in SOURCES} == {0}
    metrics.collected(await world.collector.collect(), 0.5)
    world.contexts.down.add("discovery")
    world.now += INTERVAL
    metrics.collected(await world.collector.collect(), 0.25)
    assert told(registry, success, source="discovery") == START.timestamp()
    assert told(registry, success, source="allocation") == (START + INTERVAL).timestamp()
    counted = "cadastre_metrics_collections_total"
    assert told(registry, counted, outcome="success") == 1
    assert told(registry, counted, outcome="failure") == 1
    assert told(registry, "cadastre_metrics_collection_duration_seconds_sum") == 0.75


def test_checks_of_the_ledger_tell_every_kind_of_finding() -> None:  # BEY-10
    registry = CollectorRegistry()
    metrics = LedgerCheckMetrics(registry)
    assert told(registry, "cadastre_ledger_check_last_success_timestamp_seconds") == 0
    metrics.checked({"wrong-usage": 2, "lost-changes": 0}, START)
    metrics.checked({"wrong-usage": 0, "lost-changes": 1}, START)
    assert told(registry, "cadastre_ledger_check_findings", kind="wrong-usage") == 0
    assert told(registry, "cadastre_ledger_check_findings", kind="lost-changes") == 1
    at = told(registry, "cadastre_ledger_check_last_success_timestamp_seconds")
    assert at == START.timestamp()
