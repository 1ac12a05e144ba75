"""What was measured lately, for installations without Prometheus."""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from math import nan

import numpy as np

from services.metrics.cloud_watch.history import Home, Line
from services.metrics.cloud_watch.samples import MINUTE_SECONDS, Samples, Span
from services.metrics.series import Metric, Series

_MINUTE = timedelta(seconds=MINUTE_SECONDS)


class RecentWindow:
    """Of each line the last value of every minute, for the length of the window.

    A line costs eight bytes a minute, and is forgotten when its last value is.
    """

    def __init__(self, window: timedelta) -> None:
        self._length = max(window // _MINUTE, 1)
        self._tracks: defaultdict[Home, dict[Line, _Track]] = defaultdict(dict)
        self._last = 0

    def record(self, at: datetime, series: Sequence[Series]) -> None:
        """Keep what was measured at ``at``; of a minute's values the last one stays."""
        minute = int(at.timestamp()) // MINUTE_SECONDS
        if minute < self._earliest:
            # The clock was far ahead before, and what is stamped by it would stay for that long.
            self._tracks.clear()
            self._last = minute
        if minute > self._last:
            self._last = minute
            self._forget()
        for one in series:
            tracks = self._tracks[Home(one.account_id, one.region)]
            line = Line(one.metric, one.dimensions)
            if (track := tracks.get(line)) is None:
                track = tracks[line] = _Track(self._length, minute)
            track.put(minute, one.value)

    async def lines(self, home: Home, metrics: Sequence[Metric], since: int) -> Iterable[Line]:
        wanted = set(metrics)
        tracks = self._tracks.get(home, {})
        return [
            line
            for line, track in tracks.items()
            if line.metric in wanted and track.last >= max(since, self._earliest)
        ]

    async def samples(
        self, home: Home, metric: Metric, wanted: Mapping[str, str], span: Span
    ) -> Mapping[Line, Samples]:
        kept, tracks = span.within(self._earliest, self._last), self._tracks.get(home, {})
        if wanted.keys() == set(metric.dimensions):
            # Hundreds of these are asked for at once.
            whole = Line(metric, tuple(wanted[name] for name in metric.dimensions))
            return {whole: tracks[whole].samples(kept)} if whole in tracks else {}
        return {
            line: track.samples(kept)
            for line, track in tracks.items()
            if line.metric == metric and line.has(wanted)
        }

    @property
    def _earliest(self) -> int:
        return self._last - self._length + 1

    def _forget(self) -> None:
        for home, tracks in list(self._tracks.items()):
            self._tracks[home] = {
                line: track for line, track in tracks.items() if track.last >= self._earliest
            }
            if not self._tracks[home]:
                del self._tracks[home]


class _Track:
    """The values of one line: a ring with a place for every minute of the window."""

    def __init__(self, length: int, minute: int) -> None:
        self._ring = array("d", [nan]) * length
        self.last = minute

    def put(self, minute: int, value: float) -> None:
        length = len(self._ring)
        for skipped in range(max(self.last, minute - length) + 1, minute):
            self._ring[skipped % length] = nan
        self._ring[minute % length] = value
        self.last = max(self.last, minute)

    def samples(self, span: Span) -> Samples:
        """``span`` is no longer than the ring, and not older."""
        minutes = np.arange(span.start, min(span.end, self.last + 1), dtype=np.int64)
        values = np.frombuffer(self._ring)[minutes % len(self._ring)]
        known = ~np.isnan(values)
        return Samples(minutes[known], values[known])
