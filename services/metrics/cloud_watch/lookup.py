"""One metric's samples, however it was asked for."""

from services.metrics.cloud_watch.history import History, Home
from services.metrics.cloud_watch.named import NamedMetric
from services.metrics.cloud_watch.samples import NO_SAMPLES, Samples, Span, joined

KEPT = 455 * 24 * 60
"""CloudWatch keeps metrics for so many minutes; what is older is not looked for."""


async def samples_of(
    history: History, home: Home, named: NamedMetric, unit: str | None, span: Span, now: int
) -> Samples:
    """Its values in ``span``; none in another unit than its own. ``now`` is the present minute.

    Raises:
        ServiceUnavailable: who knows does not answer.
    """
    metric = named.metric
    if metric is None or unit not in (None, metric.unit):
        return NO_SAMPLES
    kept = span.within(now - KEPT, now)
    found = await history.samples(home, metric, dict(named.dimensions), kept)
    return joined(list(found.values()))
