"""What every service tells Prometheus about its RPCs."""

from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class RpcMetrics:
    """Requests by method and code, their duration, and how many are under way."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "cadastre_rpc_requests_total",
            "RPCs answered, by status code.",
            ["service", "method", "code"],
            registry=registry,
        )
        self._duration = Histogram(
            "cadastre_rpc_duration_seconds",
            "Time from receiving an RPC to answering it; streams are not counted.",
            ["service", "method"],
            registry=registry,
        )
        self._in_flight = Gauge(
            "cadastre_rpc_in_flight",
            "RPCs received and not yet answered, streams included.",
            ["service"],
            registry=registry,
        )
        # Looking a label set up costs more than counting; there are few of them.
        self.requests = lru_cache(maxsize=None)(self._requests.labels)
        self.duration = lru_cache(maxsize=None)(self._duration.labels)
        self.in_flight = lru_cache(maxsize=None)(self._in_flight.labels)
