"""Figures about figures: whether and how fast they are collected, and what checks found."""

from collections.abc import Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.metrics.collecting import SOURCES, Collection


class CollectionMetrics:
    """Of collections."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._last_success = Gauge(
            "cadastre_metrics_figures_last_success_timestamp_seconds",
            "When the source last told all its figures; 0: never.",
            ["source"],
            registry=registry,
        )
        self._duration = Histogram(
            "cadastre_metrics_collection_duration_seconds",
            "Time to collect figures from all sources and to make them ready for scrapes.",
            registry=registry,
        )
        self._collections = Counter(
            "cadastre_metrics_collections_total",
            "Collections of figures; failure: some source did not tell all.",
            ["outcome"],
            registry=registry,
        )
        for source in SOURCES:
            self._last_success.labels(source)
        for outcome in ("success", "failure"):
            self._collections.labels(outcome)

    def collected(self, collection: Collection, seconds: float) -> None:
        """Count a collection that took ``seconds``."""
        failed = {failure.source for failure in collection.failures}
        for source in SOURCES:
            if source not in failed:
                self._last_success.labels(source).set(collection.at.timestamp())
        self._duration.observe(seconds)
        self._collections.labels("failure" if failed else "success").inc()


class LedgerCheckMetrics:
    """Of checks of the ledger."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._findings = Gauge(
            "cadastre_ledger_check_findings",
            "What the last check of the ledger found, by kind.",
            ["kind"],
            registry=registry,
        )
        self._last_success = Gauge(
            "cadastre_ledger_check_last_success_timestamp_seconds",
            "When the ledger was last checked to the end; 0: never.",
            registry=registry,
        )

    def checked(self, findings: Mapping[str, int], at: datetime) -> None:
        """Tell what a check found, by kind."""
        for kind, count in findings.items():
            self._findings.labels(kind).set(count)
        self._last_success.set(at.timestamp())
