"""The series there are, and their labels, as the services themselves tell them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from services.allocation.telemetry import LedgerTelemetry
from services.control_plane.telemetry import StepTelemetry
from services.discovery.telemetry import DiscoveryTelemetry
from services.gateway.telemetry import Telemetry
from services.metrics.exposition import Answer, merge
from services.metrics.rendering import render, render_resources
from services.metrics.telemetry import CollectionMetrics, LedgerCheckMetrics
from shared.rpc.metrics import RpcMetrics
from shared.telemetry import new_registry
from tests.deploy.rule_files import rules
from tests.metrics.figures_world import FIGURES, UTILIZATIONS

_POOL = {"ipam_id", "ipam_scope_id", "ipam_pool_id", "address_family", "locale"}
_ALERT = {"alertname", "alertstate", "severity", "name", "resource_type", *_POOL}
_OF_TARGETS = {"job", "instance", "service", "replica", "process", "exported_service"}
"""What Prometheus and the metrics service add, and what is only in some of their targets."""


@cache
def known_series() -> Mapping[str, frozenset[str]]:
    """The labels of each series by its name."""
    told = {
        "ALERTS": _ALERT | _OF_TARGETS,
        "ALERTS_FOR_STATE": _ALERT | _OF_TARGETS,
        "up": {"job", "instance"},
        **{rule.name: set(_POOL) for rule in rules() if not rule.is_alert},
    }
    for exposition in _expositions():
        for family in text_string_to_metric_families(exposition.decode()):
            for sample in family.samples:
                labels = told.setdefault(sample.name, set(_OF_TARGETS))
                labels.update(sample.labels)
    return {name: frozenset(labels) for name, labels in told.items()}


def _expositions() -> Iterable[bytes]:
    yield render([FIGURES], "yace")[1]
    yield render_resources(UTILIZATIONS)
    yield merge([Answer("allocation", generate_latest(_service()), "10.0.0.1:4502")])
    gateway = Telemetry()
    gateway.record("CreateIpam", 200, 0.1)
    yield gateway.exposition()


def _service() -> CollectorRegistry:
    """All that gRPC services tell of themselves, as if one did."""
    registry = new_registry()
    rpcs = RpcMetrics(registry)
    rpcs.requests("cadastre.x.v1.XService", "Do", "OK").inc()
    rpcs.duration("cadastre.x.v1.XService", "Do").observe(0.1)
    rpcs.in_flight("cadastre.x.v1.XService").inc()
    LedgerTelemetry(registry)
    DiscoveryTelemetry(registry)
    StepTelemetry(registry)
    CollectionMetrics(registry)
    LedgerCheckMetrics(registry).checked({"overlap": 0}, datetime.now(UTC))
    return registry
