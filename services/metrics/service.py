"""Gathers every service's metrics at the moment they are asked for."""

import asyncio
from collections.abc import Mapping
from typing import Protocol

from services.metrics.exposition import merge


class Target(Protocol):
    """A service that tells its metrics."""

    async def metrics(self) -> bytes | None:
        """In Prometheus's text format; None when it does not answer soon."""


class Scrape:
    """All services together."""

    def __init__(self, targets: Mapping[str, Target]) -> None:
        self._targets = targets

    async def gather(self) -> bytes:
        """One exposition of all; asked at the same time, so the slowest one decides how long."""
        answers = await asyncio.gather(*(target.metrics() for target in self._targets.values()))
        return merge(dict(zip(self._targets, answers, strict=True)))
