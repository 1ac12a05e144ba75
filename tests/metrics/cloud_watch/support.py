"""Metrics of made-up IPAMs."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from services.metrics.aws_ipam import PERCENT_ALLOCATED, VPC_IP_USAGE
from services.metrics.cloud_watch.history import Home, Line
from services.metrics.cloud_watch.samples import Samples
from services.metrics.series import Metric, Series

HOME = Home("123456789012", "us-east-1")
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NOON_MINUTE = int(NOON.timestamp()) // 60
POOL = ("ipv4", "us-east-1", "ipam-pool-0008f25d7187a08d9", "ipam-scope-1")


def series(
    value: float,
    dimensions: tuple[str, ...] = POOL,
    metric: Metric = PERCENT_ALLOCATED,
    home: Home = HOME,
) -> Series:
    return Series(metric, dimensions, home.account_id, home.region, "arn:aws:ec2:::thing", value)


def vpc(vpc_id: str, owner: str = "123456789012", region: str = "us-east-1") -> tuple[str, ...]:
    return ("ipv4", owner, region, "ipam-scope-1", vpc_id)


def usage(vpc_id: str, owner: str = "123456789012") -> Line:
    return Line(VPC_IP_USAGE, vpc(vpc_id, owner))


def samples(values: Mapping[int, float] | Sequence[float]) -> Samples:
    """By minute; or one a minute from the first minute on."""
    by_minute = values if isinstance(values, Mapping) else dict(enumerate(values))
    return Samples(
        np.array(list(by_minute), np.int64), np.array(list(by_minute.values()), np.float64)
    )
