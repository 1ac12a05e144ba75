"""What the control plane tells Prometheus of the steps that commands leave."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge


class StepTelemetry:
    """Attempts are this process's; what is pending, of the database that replicas share."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._pending = Gauge(
            "cadastre_control_plane_pending_commands",
            "Steps of acknowledged commands still to be carried out; every replica tells of all.",
            registry=registry,
        )
        attempts = Counter(
            "cadastre_control_plane_command_attempts_total",
            "Attempts at steps; failure: it is tried again. A refusal that ends a command, in a"
            " failed state, is a success.",
            ["outcome"],
            registry=registry,
        )
        # Both from the start, so that the first of a kind is an increase.
        self._succeeded, self._failed = attempts.labels("success"), attempts.labels("failure")

    def pending(self, count: int) -> None:
        """Tell how many steps there are."""
        self._pending.set(count)

    def succeeded(self) -> None:
        """Count an attempt that ended its step."""
        self._succeeded.inc()

    @contextmanager
    def counting_failures(self) -> Iterator[None]:
        """Count an attempt whose part in the block ends with an exception."""
        try:
            yield
        except Exception:
            self._failed.inc()
            raise
