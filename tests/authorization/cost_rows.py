"""Tags, and what active addresses cost: each account is told what it pays (ACC-3)."""

from tests.authorization.row import EVERYBODYS, SHOWN_TO_IT_ALONE, Row
from tests.authorization.services import COST_EXPLORER, COSTS, QUOTAS, TAGS

_DAY = {"start": "2026-01-01", "end": "2026-01-02"}
_SINCE_THEN = {"start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-02T00:00:00Z"}

ROWS = [
    Row(
        COSTS,
        "GetActiveIpHours",
        EVERYBODYS,
        lambda it: {
            **_SINCE_THEN,
            "ipam_id": it.ipam_id,
            "granularity": "ACTIVE_IP_HOURS_GRANULARITY_DAILY",
        },
        is_about_owners=True,
    ),
    Row(
        COST_EXPLORER,
        "GetCostAndUsage",
        EVERYBODYS,
        lambda _: {
            "time_period": _DAY,
            "granularity": "GRANULARITY_DAILY",
            "metrics": ["UsageQuantity"],
        },
    ),
    Row(
        COST_EXPLORER,
        "GetDimensionValues",
        EVERYBODYS,
        lambda _: {"time_period": _DAY, "dimension": "SERVICE"},
    ),
    Row(QUOTAS, "ListServiceQuotas", EVERYBODYS, lambda _: {}),
    Row(TAGS, "DescribeTags", SHOWN_TO_IT_ALONE, shows=lambda it: it.ipam_pool_id),
]
