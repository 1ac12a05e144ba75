"""What discovery tells Prometheus of its passes, and of what they did (MET-5)."""

from dataclasses import fields

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.discovery.service.evaluating import Evaluated
from services.discovery.service.passes import PassReport

KINDS = tuple(one.name for one in fields(Evaluated))

_PASS_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1200)
_EVALUATION_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class DiscoveryTelemetry:
    """Of one process: each pass and each evaluation is counted by whoever ran it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._pass_seconds = Histogram(
            "cadastre_discovery_pass_duration_seconds",
            "Time for a whole pass: all accounts and regions asked, all IPAMs evaluated.",
            buckets=_PASS_SECONDS,
            registry=registry,
        )
        passes = Counter(
            "cadastre_discovery_passes_total",
            "Whole passes; failure: an IPAM was not evaluated, or nobody said what to discover.",
            ["outcome"],
            registry=registry,
        )
        self._last_success = Gauge(
            "cadastre_discovery_last_success_timestamp_seconds",
            "When the last successful pass began; 0: none did since the start.",
            registry=registry,
        )
        self._evaluation_seconds = Histogram(
            "cadastre_discovery_evaluation_duration_seconds",
            "Time to judge what an IPAM sees, to act on it and to note it; one IPAM.",
            buckets=_EVALUATION_SECONDS,
            registry=registry,
        )
        self._failing_places = Gauge(
            "cadastre_discovery_failing_places",
            "Accounts' regions of which a source could not tell the last time, for all replicas.",
            registry=registry,
        )
        changes = Counter(
            "cadastre_discovery_record_changes_total",
            "What evaluations did: records of resource CIDRs that began and ended, those that came"
            " to another scope, allocations that were imported and released.",
            ["kind"],
            registry=registry,
        )
        # All from the start, so that the first of a kind is an increase.
        self._changes = {kind: changes.labels(kind) for kind in KINDS}
        self._succeeded, self._failed = passes.labels("success"), passes.labels("failure")

    def passed(self, report: PassReport, began_at: float, seconds: float) -> None:
        """Count a whole pass that came to its end; ``began_at`` is a Unix time."""
        self.refreshed(report)
        self._pass_seconds.observe(seconds)
        if report.unevaluated:
            self._failed.inc()
        else:
            self._succeeded.inc()
            self._last_success.set(began_at)

    def pass_failed(self) -> None:
        """Count a whole pass that did not."""
        self._failed.inc()

    def refreshed(self, report: PassReport) -> None:
        """Count what a pass, whole or partial, did."""
        self._failing_places.set(report.failing_places)
        for seconds in report.evaluation_seconds:
            self._evaluation_seconds.observe(seconds)
        for _, evaluated in report.evaluated:
            for kind, count in self._changes.items():
                count.inc(getattr(evaluated, kind))
