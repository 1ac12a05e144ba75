"""What metrics does beside serving; each goes on when something was away."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from services.metrics.publishing import Publisher
from services.metrics.resources import OnDemand
from services.metrics.telemetry import CollectionMetrics, LedgerCheckMetrics

CHECK_RETRY_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How often, and what may go wrong meanwhile."""

    interval_seconds: float
    away: tuple[type[Exception], ...]
    log: FilteringBoundLogger


async def publish_figures(publisher: Publisher, metrics: CollectionMetrics, pace: Pace) -> None:
    """Collect at every interval; collecting takes at most half of the time."""
    while True:
        started = time.monotonic()
        collection = await publisher.publish()
        took = time.monotonic() - started
        metrics.collected(collection, took)
        for failure in collection.failures:
            pace.log.warning("figures could not be renewed", **failure._asdict())
        await asyncio.sleep(max(pace.interval_seconds - took, took))


async def read_on_demand(resources: OnDemand, pace: Pace) -> None:
    """Read every resource's usage at every interval, while somebody asks for it."""
    while True:
        await resources.wanted()
        started = time.monotonic()
        try:
            await resources.renew()
        except pace.away as error:
            pace.log.warning("resources could not be read", why=str(error))
        took = time.monotonic() - started
        await asyncio.sleep(max(pace.interval_seconds - took, took))


async def check_ledger(
    check: Callable[[], Awaitable[Mapping[str, int]]],
    metrics: LedgerCheckMetrics,
    clock: Callable[[], datetime],
    pace: Pace,
) -> None:
    """Have the ledger's books checked at every interval; soon again after that failed."""
    while True:
        try:
            metrics.checked(await check(), clock())
        except pace.away as error:
            pace.log.warning("the ledger could not be checked", why=str(error))
            await asyncio.sleep(min(CHECK_RETRY_SECONDS, pace.interval_seconds))
        else:
            await asyncio.sleep(pace.interval_seconds)
