"""What happens to pools and resources (MET-5), wherever it is shown."""

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Panel

from deploy.grafana.dashboards.panels import Line, Size, Text, trend
from deploy.grafana.dashboards.queries import rate


def pool_changes(size: Size) -> Builder[Panel]:
    """What the ledger commits."""
    return trend(
        Text(
            "Changes of pools per hour",
            "What the ledger committed, of all IPAMs: allocations, releases, CIDRs provisioned.",
        ),
        [_per_hour("cadastre_ledger_changes_total")],
        "short",
        size,
    )


def record_changes(size: Size) -> Builder[Panel]:
    """What discovery finds and does."""
    return trend(
        Text(
            "Changes of resources per hour",
            "What discovery found, of all IPAMs: records begun and ended, imports, releases.",
        ),
        [_per_hour("cadastre_discovery_record_changes_total")],
        "short",
        size,
    )


def _per_hour(counter: str) -> Line:
    return Line(f"{rate(counter, 'kind')} * 3600", "{{kind}}")
