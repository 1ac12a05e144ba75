"""Gathers every service's metrics at the moment they are asked for."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from services.metrics.exposition import Answer, merge


class Target(Protocol):
    """A service that tells its metrics."""

    async def answers(self) -> Sequence[Answer]:
        """One of each replica."""


class Scrape:
    """All services together."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self._targets = targets

    async def gather(self) -> bytes:
        """One exposition of all; asked at the same time, so the slowest one decides how long."""
        answers = await asyncio.gather(*(target.answers() for target in self._targets))
        return merge([answer for of_service in answers for answer in of_service])
