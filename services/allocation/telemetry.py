"""What the ledger tells Prometheus of its batches, and of what they did (MET-5)."""

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.allocation.changes import (
    Deprovisioned,
    Freed,
    Held,
    MadeAvailable,
    PlacementChanged,
    PoolChange,
    Provisioned,
    PutAside,
    Repaired,
    Retired,
)

KINDS: Mapping[type[PoolChange], str] = {
    Held: "allocated",
    Freed: "released",
    PutAside: "set_aside",
    MadeAvailable: "available",
    PlacementChanged: "placement",
    Provisioned: "provisioned",
    Deprovisioned: "deprovisioned",
    Retired: "retired",
    Repaired: "repaired",
}
"""As `Watch` names them; it does not tell of repairs."""

_COMMANDS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class LedgerTelemetry:
    """Of one process: each batch and each change is counted by whoever committed it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._commands = Histogram(
            "cadastre_ledger_batch_commands",
            "Commands per committed batch; each part of a bulk request is one.",
            buckets=_COMMANDS,
            registry=registry,
        )
        self._seconds = Histogram(
            "cadastre_ledger_commit_duration_seconds",
            "Time from taking a batch out of the line to its commit, decisions included.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._waiting = Gauge(
            "cadastre_ledger_waiting_commands",
            "Commands in line for a batch.",
            registry=registry,
        )
        changes = Counter(
            "cadastre_ledger_changes_total",
            "Committed changes of pools, as the change feed names them.",
            ["kind"],
            registry=registry,
        )
        # All from the start, so that the first of a kind is an increase.
        self._changes = {change: changes.labels(kind) for change, kind in KINDS.items()}

    def follow_line(self, waiting: Callable[[], int]) -> None:
        """Ask ``waiting`` for the length of the line whenever metrics are gathered."""
        self._waiting.set_function(waiting)

    def committed(self, commands: int, seconds: float) -> None:
        """Count one batch."""
        self._commands.observe(commands)
        self._seconds.observe(seconds)

    def changed(self, counts: Mapping[type[PoolChange], int]) -> None:
        """Count what was done to pools, now that it is committed."""
        for change, count in counts.items():
            self._changes[change].inc(count)
