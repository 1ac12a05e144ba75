"""The whole table, in an order in which each request can succeed after those above it."""

from collections.abc import Mapping, Sequence

from tests.authorization import (
    address_rows,
    byoip_rows,
    cost_rows,
    identity_rows,
    ipam_rows,
    metric_rows,
    monitoring_rows,
    organization_rows,
    policy_rows,
    pool_rows,
    prefix_list_rows,
    registry_rows,
    resolver_rows,
    sharing_rows,
    vpc_rows,
)
from tests.authorization.row import Row

WITHOUT_EFFECT: Sequence[Row] = [
    *ipam_rows.ROWS,
    *policy_rows.ROWS,
    *pool_rows.ROWS,
    *monitoring_rows.ROWS,
    *resolver_rows.ROWS,
    *metric_rows.ROWS,
    *registry_rows.ROWS,
    *cost_rows.ROWS,
]
"""They read, or are dry runs."""
WITH_EFFECT: Sequence[Row] = [
    *byoip_rows.ROWS,
    *address_rows.ROWS,
    *prefix_list_rows.ROWS,
    *vpc_rows.ROWS,
    *sharing_rows.ROWS,
    *identity_rows.ROWS,
    *organization_rows.ROWS,
]
ROWS: Mapping[str, Row] = {row.name: row for row in (*WITHOUT_EFFECT, *WITH_EFFECT)}
