"""What the embedded cloud tells Prometheus: what changes, and what is under way (MET-5)."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.network.changes import Change, ChangeKind
from services.network.resource import ResourceType


class NetworkTelemetry:
    """Counts are this process's; what is pending, of the database that replicas share."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._pending = Gauge(
            "cadastre_network_pending_allocations",
            "Blocks that the ledger is asked for, or asked to forget; every replica tells of all.",
            registry=registry,
        )
        self._undo_failures = Counter(
            "cadastre_network_undo_failures_total",
            "Attempts to undo an allocation that nobody waits for which failed; each is repeated.",
            registry=registry,
        )
        changes = Counter(
            "cadastre_network_changes_total",
            "Committed changes of resources, as the change feed tells them.",
            ["kind", "resource_type"],
            registry=registry,
        )
        # All from the start, so that the first of a kind is an increase.
        self._changes = {
            (kind, resource_type): changes.labels(kind.name.lower(), resource_type.value)
            for kind in ChangeKind
            for resource_type in ResourceType
        }

    def changed(self, changes: Iterable[Change]) -> None:
        """Count what was committed."""
        for change in changes:
            self._changes[change.kind, change.record.resource_type].inc()

    def pending(self, count: int) -> None:
        """Tell how many blocks there are that are no resource's yet, or never will be."""
        self._pending.set(count)

    def undoing_failed(self) -> None:
        """Count an attempt that is to be repeated."""
        self._undo_failures.inc()
