"""The past as a real Prometheus has it, and what is made of one that fails."""

from collections.abc import Callable, Iterable, Iterator
from urllib.parse import parse_qs

import httpx
import pytest
from prometheus_client.core import Metric as Family

from services.metrics.aws_ipam import (
    METRICS,
    PERCENT_ALLOCATED,
    POOL_COMPLIANT,
    SCOPE_COMPLIANT,
    VPC_IP_USAGE,
)
from services.metrics.cloud_watch.history import Home
from services.metrics.cloud_watch.prometheus import Prometheus, prometheus
from services.metrics.cloud_watch.samples import Samples, Span
from services.metrics.naming import Names, families
from services.metrics.series import Series
from shared.errors import ServiceUnavailable, StartFailed
from tests.acceptance.installation import free_base_port
from tests.metrics.cloud_watch.prometheus_server import needs_prometheus, prometheus_with
from tests.metrics.cloud_watch.support import NOON_MINUTE, POOL, series, vpc

HOMES: dict[Names, Home] = {
    "yace": Home("111111111111", "us-east-1"),
    "cloudwatch_exporter": Home("222222222222", "us-east-1"),
}
ODD = ("ipv4", 'a "quoted" \\ back\nslash, ñ 😀', "ipam-pool-2", "ipam-scope-1")
SCOPE = ("ipv4", "ipam-scope-1")
MINUTES, ENDED = 10, 3
"""One line has values of fewer minutes."""
WEEKS = 3 * 7 * 24 * 60
TEN_MINUTES = Span(NOON_MINUTE, NOON_MINUTE + MINUTES)
ELASTIC = next(metric for metric in METRICS if metric.name == "AmazonOwnedElasticIPs")


def measured(minute: int, value: float, home: Home) -> list[Series]:
    ended = [series(9, vpc("vpc-2", region="eu-west-1"), VPC_IP_USAGE, home)]
    return [
        series(value, POOL, PERCENT_ALLOCATED, home),
        series(50, ODD, PERCENT_ALLOCATED, home),
        series(7, POOL, POOL_COMPLIANT, home),
        series(8, SCOPE, SCOPE_COMPLIANT, home),
        series(0.5, vpc("vpc-1"), VPC_IP_USAGE, home),
        series(4, ("ipam-1", "eu-west-1"), ELASTIC, home),
        *(ended if minute < ENDED else []),
    ]


def scraped() -> Iterator[tuple[int, str, Iterable[Family]]]:
    """Four times a minute, of two replicas."""
    for names, home in HOMES.items():
        for quarter in range(4 * MINUTES):
            found = measured(quarter // 4, quarter, home)
            for instance in ("a", "b"):
                at = NOON_MINUTE * 60 + 15 * quarter
                yield at, instance, families(found, names)
    past = [series(1, POOL, PERCENT_ALLOCATED, HOMES["yace"])]
    yield (NOON_MINUTE - WEEKS) * 60, "a", families(past, "yace")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    needs_prometheus()
    with prometheus_with(tmp_path_factory.mktemp("prometheus"), scraped()) as found:
        yield found


def by_minute(samples: Samples) -> dict[int, float]:
    minutes = (samples.minutes - NOON_MINUTE).tolist()
    return dict(zip(minutes, samples.values.tolist(), strict=True))


FORMS = pytest.mark.parametrize("names", list(HOMES))


@FORMS
async def test_the_value_of_a_minute_is_the_last_one_in_it_once_for_all_replicas(
    url: str, names: Names
) -> None:
    async with prometheus(url, names) as history:
        wanted = dict(zip(PERCENT_ALLOCATED.dimensions, POOL, strict=True))
        found = await history.samples(HOMES[names], PERCENT_ALLOCATED, wanted, TEN_MINUTES)
    ((line, samples),) = found.items()
    assert line == (PERCENT_ALLOCATED, POOL)
    assert by_minute(samples) == {minute: 4 * minute + 3 for minute in range(MINUTES)}
    assert len(samples.minutes) == MINUTES


@FORMS
async def test_values_of_dimensions_are_matched_as_they_are(url: str, names: Names) -> None:
    async with prometheus(url, names) as history:
        found = await history.samples(
            HOMES[names], PERCENT_ALLOCATED, {"Locale": ODD[1]}, TEN_MINUTES
        )
        every = await history.samples(HOMES[names], PERCENT_ALLOCATED, {}, TEN_MINUTES)
        none = await history.samples(
            HOMES[names], PERCENT_ALLOCATED, {"Locale": '"} or vector(1) #'}, TEN_MINUTES
        )
    assert [line.dimensions for line in found] == [ODD]
    assert {line.dimensions for line in every} == {POOL, ODD}
    assert none == {}


@FORMS
async def test_metrics_of_one_name_are_told_apart(url: str, names: Names) -> None:
    async with prometheus(url, names) as history:
        for metric, dimensions, value in [(POOL_COMPLIANT, POOL, 7), (SCOPE_COMPLIANT, SCOPE, 8)]:
            found = await history.samples(HOMES[names], metric, {}, TEN_MINUTES)
            ((line, samples),) = found.items()
            assert (line, set(samples.values.tolist())) == ((metric, dimensions), {value})


@FORMS
async def test_a_dimension_region_is_not_the_home_region(url: str, names: Names) -> None:
    async with prometheus(url, names) as history:
        found = await history.samples(HOMES[names], ELASTIC, {"Region": "eu-west-1"}, TEN_MINUTES)
        none = await history.samples(HOMES[names], ELASTIC, {"Region": "us-east-1"}, TEN_MINUTES)
    assert [line.dimensions for line in found] == [("ipam-1", "eu-west-1")]
    assert none == {}


@FORMS
async def test_lines_are_those_of_the_home_that_had_a_value_since(url: str, names: Names) -> None:
    async with prometheus(url, names) as history:
        found = set(await history.lines(HOMES[names], METRICS, NOON_MINUTE))
        assert found == {(one.metric, one.dimensions) for one in measured(0, 0, HOMES[names])}
        vpcs = await history.lines(HOMES[names], [VPC_IP_USAGE], NOON_MINUTE + 5)
        assert [line.dimensions for line in vpcs] == [vpc("vpc-1")]
        scopes = await history.lines(HOMES[names], [SCOPE_COMPLIANT], NOON_MINUTE)
        assert [line.dimensions for line in scopes] == [SCOPE]


@pytest.mark.parametrize(
    "home", [Home("111111111111", "eu-west-1"), Home("333333333333", "us-east-1"), Home("", "")]
)
async def test_nothing_is_seen_from_elsewhere(url: str, home: Home) -> None:
    async with prometheus(url, "yace") as history:
        assert list(await history.lines(home, METRICS, NOON_MINUTE)) == []
        assert await history.samples(home, VPC_IP_USAGE, {}, TEN_MINUTES) == {}


async def test_weeks_are_more_than_one_answer_of_prometheus(url: str) -> None:
    span = Span(NOON_MINUTE - WEEKS, NOON_MINUTE + MINUTES)
    wanted = dict(zip(PERCENT_ALLOCATED.dimensions, POOL, strict=True))
    async with prometheus(url, "yace") as history:
        found = await history.samples(HOMES["yace"], PERCENT_ALLOCATED, wanted, span)
        nothing = await history.samples(HOMES["yace"], PERCENT_ALLOCATED, wanted, Span(9, 9))
    (samples,) = map(by_minute, found.values())
    assert samples[-WEEKS] == 1
    assert samples[MINUTES - 1] == 4 * MINUTES - 1
    assert nothing == {}


Answer = Callable[[httpx.Request], httpx.Response]


def answering(answer: Answer) -> Prometheus:
    transport = httpx.MockTransport(answer)
    return Prometheus(httpx.AsyncClient(transport=transport, base_url="http://p:9090/at/"), "yace")


@pytest.mark.parametrize(("wanted", "most"), [({}, 1440), (dict.fromkeys("1234", ""), 11_000)])
async def test_each_minute_is_asked_for_once(wanted: dict[str, str], most: int) -> None:
    asked = list[tuple[float, float]]()

    def answer(request: httpx.Request) -> httpx.Response:
        form = parse_qs(request.content.decode())
        assert request.url.path == "/at/api/v1/query_range"
        assert form["step"] == ["60"]
        asked.append((float(form["start"][0]), float(form["end"][0])))
        return httpx.Response(200, json={"status": "success", "data": {"result": []}})

    await answering(answer).samples(HOMES["yace"], PERCENT_ALLOCATED, wanted, Span(100, 30_100))
    times = [round(end - start) // 60 + 1 for start, end in asked]
    assert sum(times) == 30_000
    assert max(times) <= most
    assert [start for start, _ in asked[1:]] == pytest.approx([end + 60 for _, end in asked[:-1]])


def refused(_request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(refused, id="not there"),
        pytest.param(lambda _: httpx.Response(503, text="starting"), id="starting"),
        pytest.param(lambda _: httpx.Response(200, text="<html>"), id="something else"),
        pytest.param(lambda _: httpx.Response(200, json=[]), id="JSON of something else"),
        pytest.param(lambda _: httpx.Response(200, json={"status": "success"}), id="no data"),
        pytest.param(
            lambda _: httpx.Response(422, json={"status": "error", "error": "too many samples"}),
            id="an error",
        ),
    ],
)
async def test_one_that_fails_is_unavailable(answer: Answer) -> None:
    history = answering(answer)
    with pytest.raises(ServiceUnavailable):
        await history.samples(HOMES["yace"], VPC_IP_USAGE, {}, TEN_MINUTES)
    with pytest.raises(ServiceUnavailable):
        await history.lines(HOMES["yace"], METRICS, 0)


async def test_one_that_is_down_is_unavailable() -> None:
    async with prometheus(f"http://127.0.0.1:{free_base_port()}", "yace") as history:
        with pytest.raises(ServiceUnavailable):
            await history.lines(HOMES["yace"], METRICS, 0)


@pytest.mark.parametrize("wrong", ["prometheus:9090", "http://", "ftp://p", "http://p:port"])
async def test_what_is_no_url_is_told_at_start(wrong: str) -> None:
    with pytest.raises(StartFailed, match="CADASTRE_PROMETHEUS_URL"):
        async with prometheus(wrong, "yace"):
            pass
