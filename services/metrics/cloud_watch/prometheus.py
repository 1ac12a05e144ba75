"""The past as a Prometheus that scrapes this installation knows it."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import numpy as np

from services.metrics.aws_ipam import METRICS
from services.metrics.cloud_watch.history import Home, Line
from services.metrics.cloud_watch.samples import MINUTE_SECONDS, Samples, Span, joined
from services.metrics.naming import Names, dimension_label, family_name, region_label
from services.metrics.series import Metric
from shared.errors import ServiceUnavailable, StartFailed

TIMEOUT_SECONDS = 10.0

_POINTS_OF_ONE_LINE = 10_080
_POINTS_OF_MANY_LINES = 1_440
"""Prometheus gives 11,000 of a series at most; many series make long answers."""
_END_OF_MINUTE = MINUTE_SECONDS - 0.001


class Prometheus:
    """Asks Prometheus' HTTP API."""

    def __init__(self, http: httpx.AsyncClient, names: Names) -> None:
        """``names`` is the form in which this installation exports its metrics."""
        self._http, self._forms = http, _Forms(names)

    async def lines(self, home: Home, metrics: Sequence[Metric], since: int) -> Iterable[Line]:
        families = "|".join(sorted({family_name(metric) for metric in metrics}))
        selector = self._forms.selector(home, [f"__name__=~{_quoted(families)}"])
        form = {"match[]": selector, "start": str(since * MINUTE_SECONDS)}
        wanted, found = set(metrics), await self._ask("series", form)
        lines = {self._forms.line(labels.get("__name__", ""), labels) for labels in found}
        return [line for line in lines if line and line.metric in wanted]

    async def samples(
        self, home: Home, metric: Metric, wanted: Mapping[str, str], span: Span
    ) -> Mapping[Line, Samples]:
        query = self._forms.query(home, metric, wanted)
        is_one = len(wanted) == len(metric.dimensions)
        found: defaultdict[Line, list[Samples]] = defaultdict(list)
        for part in _parts(span, _POINTS_OF_ONE_LINE if is_one else _POINTS_OF_MANY_LINES):
            form = {
                "query": query,
                # The value of a minute is the last one in it.
                "start": str(part.start * MINUTE_SECONDS + _END_OF_MINUTE),
                "end": str((part.end - 1) * MINUTE_SECONDS + _END_OF_MINUTE),
                "step": str(MINUTE_SECONDS),
            }
            for series in (await self._ask("query_range", form))["result"]:
                line = self._forms.line(family_name(metric), series["metric"])
                if line and line.metric == metric:
                    found[line].append(_samples(series["values"]))
        return {line: joined(samples) for line, samples in found.items()}

    async def _ask(self, what: str, form: Mapping[str, str]) -> Any:
        try:
            response = await self._http.post(f"api/v1/{what}", data=form)
            # A day of hundreds of series takes a moment to read.
            answer = await asyncio.to_thread(_answer, response)
        except (httpx.HTTPError, ValueError) as error:
            raise ServiceUnavailable(
                "Prometheus, which knows the values of the past, does not answer; try again"
            ) from error
        return answer


@asynccontextmanager
async def prometheus(
    url: str, names: Names, *, timeout_seconds: float = TIMEOUT_SECONDS
) -> AsyncIterator[Prometheus]:
    """The Prometheus at ``url``, which may hold a path and a user, for the length of the block.

    Raises:
        StartFailed: that is no URL.
    """
    async with httpx.AsyncClient(base_url=_url(url), timeout=timeout_seconds) as http:
        yield Prometheus(http, names)


def _url(text: str) -> httpx.URL:
    # The text is not repeated: it may hold a password.
    with suppress(httpx.InvalidURL):
        url = httpx.URL(text)
        if url.scheme in ("http", "https") and url.host:
            return url
    raise StartFailed(
        "CADASTRE_PROMETHEUS_URL is no URL of HTTP; use one such as 'http://127.0.0.1:9090'"
    )


class _Forms:
    """Metrics and lines as families and labels, and back."""

    def __init__(self, names: Names) -> None:
        self._region = region_label(names)
        self._kinds: defaultdict[str, list[Metric]] = defaultdict(list)
        self._labels: dict[str, str] = {}
        for metric in METRICS:
            self._kinds[family_name(metric)].append(metric)
            self._labels |= {name: dimension_label(name, names) for name in metric.dimensions}

    def query(self, home: Home, metric: Metric, wanted: Mapping[str, str]) -> str:
        """One series a line, whichever replicas of the exporter were scraped."""
        family = family_name(metric)
        matchers = [
            f"{self._labels[name]}={_quoted(wanted[name])}"
            if name in wanted
            else f'{self._labels[name]}{"!=" if name in metric.dimensions else "="}""'
            for name in self._dimensions(family)
        ]
        by = ",".join(self._labels[name] for name in metric.dimensions)
        return f"max by ({by}) ({family}{self.selector(home, matchers)})"

    def selector(self, home: Home, matchers: Sequence[str]) -> str:
        """The lines at ``home`` that match."""
        owner = f"account_id={_quoted(home.account_id)}"
        return f"{{{','.join([owner, f'{self._region}={_quoted(home.region)}', *matchers])}}}"

    def line(self, family: str, labels: Mapping[str, str]) -> Line | None:
        """What a series is about; None: nothing known."""
        given = {
            name: value
            for name in self._dimensions(family)
            if (value := labels.get(self._labels[name]))
        }
        for metric in self._kinds.get(family, []):
            if list(metric.dimensions) == list(given):
                return Line(metric, tuple(given.values()))
        return None

    def _dimensions(self, family: str) -> list[str]:
        """All that a series of the family may have: pools and scopes have metrics of one name."""
        kinds = self._kinds.get(family, [])
        return sorted({name for metric in kinds for name in metric.dimensions})


def _answer(response: httpx.Response) -> Any:
    """What Prometheus says.

    Raises:
        ValueError: it says that something went wrong, or is no Prometheus.
    """
    body = response.json()
    if not isinstance(body, dict) or body.get("status") != "success" or "data" not in body:
        raise ValueError(f"status {response.status_code}, {response.text[:200]!r}")
    return body["data"]


def _samples(values: Sequence[tuple[float, str]]) -> Samples:
    times, numbers = zip(*values, strict=True)
    minutes = np.array(times, np.float64).astype(np.int64) // MINUTE_SECONDS
    known = np.array(numbers, np.float64)
    return Samples(minutes[np.isfinite(known)], known[np.isfinite(known)])


def _parts(span: Span, longest: int) -> Iterator[Span]:
    for start in range(span.start, span.end, longest):
        yield Span(start, min(start + longest, span.end))


def _quoted(text: str) -> str:
    # PromQL's escapes are Go's, and so are JSON's where they are no surrogates.
    return json.dumps(text, ensure_ascii=False)
