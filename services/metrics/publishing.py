"""Figures on offer: made now and then, so that a scrape has only to send them."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.metrics.collecting import Collection, Collector
from services.metrics.naming import Names
from services.metrics.rendering import render
from services.metrics.series import Series


class Window(Protocol):
    """What was collected lately, for reads in CloudWatch's manner."""

    def record(self, at: datetime, series: Sequence[Series]) -> None: ...


class Publisher:
    """The figures of the last collection."""

    def __init__(self, collector: Collector, window: Window | None, names: Names) -> None:
        """Without a ``window``, who remembers is Prometheus."""
        self._collector, self._window, self._names = collector, window, names
        self.text = b""
        """Prometheus's text format; empty before the first collection."""

    async def publish(self) -> Collection:
        """Collect, and offer what was collected."""
        collection = await self._collector.collect()
        # Scrapes go on being answered: thousands of pools are seconds of work.
        series, self.text = await asyncio.to_thread(render, collection.figures, self._names)
        if self._window:
            self._window.record(collection.at, series)
        return collection
