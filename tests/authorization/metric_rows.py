"""Figures in CloudWatch's manner (MET-1): everybody may ask, and is told of its own IPAMs alone."""

from functools import partial
from typing import Any

from tests.authorization.row import EVERYBODYS, Row
from tests.authorization.services import CLOUDWATCH
from tests.authorization.things import Things

# Figures come and go meanwhile.
_row = partial(Row, CLOUDWATCH, expected=EVERYBODYS, is_about_owners=True, is_steady=False)
_WHEN = {"start_time": "2026-01-02T03:00:00Z", "end_time": "2026-01-02T06:00:00Z"}


def _metric(it: Things) -> dict[str, Any]:
    dimensions = {
        "AddressFamily": "ipv4",
        "Locale": "None",
        "PoolID": it.top_pool_id,
        "ScopeID": it.ipam_scope_id,
    }
    return {
        "namespace": "AWS/IPAM",
        "metric_name": "PercentAllocated",
        "dimensions": [{"name": name, "value": value} for name, value in dimensions.items()],
    }


def _query(it: Things) -> dict[str, Any]:
    return {"id": "q1", "metric_stat": {"metric": _metric(it), "period": 60, "stat": "Average"}}


ROWS = [
    _row("ListMetrics", note="of all there are"),
    _row(
        "ListMetrics",
        members=lambda it: {"dimensions": [{"name": "IpamId", "value": it.ipam_id}]},
    ),
    _row("ListMetrics", members=lambda it: {"owning_account": it.account_id}, note="of an account"),
    _row("GetMetricData", members=lambda it: {"metric_data_queries": [_query(it)], **_WHEN}),
    _row(
        "GetMetricStatistics",
        members=lambda it: {**_metric(it), **_WHEN, "period": 60, "statistics": ["Average"]},
    ),
]
