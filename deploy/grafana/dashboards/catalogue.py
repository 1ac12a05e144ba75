"""All dashboards there are."""

from collections.abc import Callable, Mapping
from pathlib import Path

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.dashboards import overview, pools, public_ips, resources, service_health
from deploy.grafana.dashboards.board import as_json

FOLDER = Path(__file__).parent / "json"
"""Where the dashboards' JSON is kept."""

_BY_FILE: Mapping[str, Callable[[], Dashboard]] = {
    "overview.json": overview.dashboard,
    "pools.json": pools.dashboard,
    "public-ips.json": public_ips.dashboard,
    "resources.json": resources.dashboard,
    "service-health.json": service_health.dashboard,
}


def texts() -> dict[str, str]:
    """The JSON of each dashboard by name of its file; always the same from the same code."""
    return {name: as_json(build()) for name, build in _BY_FILE.items()}
