"""The metrics of namespace AWS/IPAM, against values worked out by hand."""

from collections import Counter
from dataclasses import replace

import pytest

from services.metrics.aws_ipam import METRICS
from services.metrics.aws_series import series_of
from services.metrics.figures import IpamFigures
from services.metrics.series import Series
from tests.metrics.figures_world import (
    CONTIGUOUS,
    FIGURES,
    IPAM,
    NEW_IPAM,
    NOTHING_YET,
    QUARTER_ALLOCATED,
)

# requirements.md section 13, row by row.
GROUPS = {
    ("IpamId",): "TotalActiveIpCount",
    ("AddressFamily", "Locale", "PoolID", "ScopeID"): (
        "CompliantResourceCidrs NoncompliantResourceCidrs PercentAllocated PercentAssigned"
        " PercentAvailable"
    ),
    ("AddressFamily", "ScopeID"): (
        "CompliantResourceCidrs ManagedResourceCidrs NoncompliantResourceCidrs"
        " OverlappingResourceCidrs UnmanagedResourceCidrs"
    ),
    ("IpamId", "PoolID", "Region"): (
        "AmazonOwnedContigIPs AllocatedAmazonOwnedContigIPs UnallocatedAmazonOwnedContigIPs"
        " AssociatedAmazonOwnedContigIPs UnassociatedAmazonOwnedContigIPs"
    ),
    ("AddressFamily", "OwnerID", "Region", "ScopeID", "VpcID"): "VpcIPUsage",
    ("AddressFamily", "OwnerID", "Region", "ScopeID", "SubnetID", "VpcID"): "SubnetIPUsage",
    ("OwnerID", "PublicIPv4PoolID", "Region", "ScopeID"): "PublicIPv4PoolIPUsage",
    ("IpamId", "Region"): (
        "AmazonOwnedElasticIPs AssociatedAmazonOwnedElasticIPs UnassociatedAmazonOwnedElasticIPs"
        " BringYourOwnIPs AssociatedBringYourOwnIPs UnassociatedBringYourOwnIPs EC2PublicIPs"
        " ServiceManagedIPs ServiceManagedBringYourOwnIPs"
    ),
}
ALL = {(name, dimensions) for dimensions, names in GROUPS.items() for name in names.split()}

VALUES = """
TotalActiveIpCount ipam-1 = 42

CompliantResourceCidrs ipv4 None pool-4 priv = 3
NoncompliantResourceCidrs ipv4 None pool-4 priv = 1
PercentAllocated ipv4 None pool-4 priv = 25
PercentAssigned ipv4 None pool-4 priv = 12.5
PercentAvailable ipv4 None pool-4 priv = 62.5
CompliantResourceCidrs ipv4 us-west-2 pool-c pub = 3
NoncompliantResourceCidrs ipv4 us-west-2 pool-c pub = 0
PercentAllocated ipv4 us-west-2 pool-c pub = 0
PercentAssigned ipv4 us-west-2 pool-c pub = 37.5
PercentAvailable ipv4 us-west-2 pool-c pub = 62.5
CompliantResourceCidrs ipv6 us-east-1 pool-6 pub = 0
NoncompliantResourceCidrs ipv6 us-east-1 pool-6 pub = 0
PercentAllocated ipv6 us-east-1 pool-6 pub = 0
PercentAssigned ipv6 us-east-1 pool-6 pub = 0
PercentAvailable ipv6 us-east-1 pool-6 pub = 100

CompliantResourceCidrs ipv4 priv = 3
ManagedResourceCidrs ipv4 priv = 4
NoncompliantResourceCidrs ipv4 priv = 1
OverlappingResourceCidrs ipv4 priv = 3
UnmanagedResourceCidrs ipv4 priv = 2
CompliantResourceCidrs ipv6 priv = 0
ManagedResourceCidrs ipv6 priv = 0
NoncompliantResourceCidrs ipv6 priv = 0
OverlappingResourceCidrs ipv6 priv = 0
UnmanagedResourceCidrs ipv6 priv = 0
CompliantResourceCidrs ipv4 pub = 3
ManagedResourceCidrs ipv4 pub = 3
NoncompliantResourceCidrs ipv4 pub = 0
OverlappingResourceCidrs ipv4 pub = 0
UnmanagedResourceCidrs ipv4 pub = 0
CompliantResourceCidrs ipv6 pub = 0
ManagedResourceCidrs ipv6 pub = 0
NoncompliantResourceCidrs ipv6 pub = 0
OverlappingResourceCidrs ipv6 pub = 0
UnmanagedResourceCidrs ipv6 pub = 4

AmazonOwnedContigIPs ipam-1 pool-c us-west-2 = 8
AllocatedAmazonOwnedContigIPs ipam-1 pool-c us-west-2 = 3
UnallocatedAmazonOwnedContigIPs ipam-1 pool-c us-west-2 = 5
AssociatedAmazonOwnedContigIPs ipam-1 pool-c us-west-2 = 2
UnassociatedAmazonOwnedContigIPs ipam-1 pool-c us-west-2 = 1

VpcIPUsage ipv4 222222222222 us-west-2 priv vpc-1 = 0.5
VpcIPUsage ipv6 222222222222 us-west-2 pub vpc-1 = 0.25
SubnetIPUsage ipv4 222222222222 us-west-2 priv sub-1 vpc-1 = 0.75
PublicIPv4PoolIPUsage 333333333333 pp-1 us-east-1 pub = 1

AmazonOwnedElasticIPs ipam-1 us-east-1 = 7
AssociatedAmazonOwnedElasticIPs ipam-1 us-east-1 = 5
UnassociatedAmazonOwnedElasticIPs ipam-1 us-east-1 = 2
BringYourOwnIPs ipam-1 us-east-1 = 7
AssociatedBringYourOwnIPs ipam-1 us-east-1 = 4
UnassociatedBringYourOwnIPs ipam-1 us-east-1 = 3
EC2PublicIPs ipam-1 us-east-1 = 6
ServiceManagedIPs ipam-1 us-east-1 = 7
ServiceManagedBringYourOwnIPs ipam-1 us-east-1 = 8
AmazonOwnedElasticIPs ipam-1 us-west-2 = 0
AssociatedAmazonOwnedElasticIPs ipam-1 us-west-2 = 0
UnassociatedAmazonOwnedElasticIPs ipam-1 us-west-2 = 0
BringYourOwnIPs ipam-1 us-west-2 = 0
AssociatedBringYourOwnIPs ipam-1 us-west-2 = 0
UnassociatedBringYourOwnIPs ipam-1 us-west-2 = 0
EC2PublicIPs ipam-1 us-west-2 = 0
ServiceManagedIPs ipam-1 us-west-2 = 0
ServiceManagedBringYourOwnIPs ipam-1 us-west-2 = 0
AmazonOwnedElasticIPs ipam-1 eu-west-1 = 1
AssociatedAmazonOwnedElasticIPs ipam-1 eu-west-1 = 1
UnassociatedAmazonOwnedElasticIPs ipam-1 eu-west-1 = 0
BringYourOwnIPs ipam-1 eu-west-1 = 0
AssociatedBringYourOwnIPs ipam-1 eu-west-1 = 0
UnassociatedBringYourOwnIPs ipam-1 eu-west-1 = 0
EC2PublicIPs ipam-1 eu-west-1 = 0
ServiceManagedIPs ipam-1 eu-west-1 = 0
ServiceManagedBringYourOwnIPs ipam-1 eu-west-1 = 0
"""


def line_of(one: Series) -> str:
    return f"{one.metric.name} {' '.join(one.dimensions)} = {one.value:g}"


def values_of(figures: IpamFigures) -> list[float]:
    return [one.value for one in series_of([figures])]


def names_of(figures: IpamFigures) -> Counter[str]:
    return Counter(one.metric.name for one in series_of([figures]))


def test_there_are_the_28_metrics_of_the_guide_with_their_dimensions() -> None:  # MET-1
    assert len(ALL) == len(METRICS) == 28
    assert {(metric.name, metric.dimensions) for metric in METRICS} == ALL
    assert {(one.metric.name, one.metric.dimensions) for one in series_of([FIGURES])} == ALL


def test_values_are_those_worked_out_by_hand() -> None:  # MET-1, MET-3
    expected = Counter(filter(None, VALUES.splitlines()))
    assert Counter(map(line_of, series_of([FIGURES]))) == expected


def test_what_alarms_watch_is_a_maximum_without_a_unit() -> None:
    watched = {metric.name for metric in METRICS if metric.statistic == "Maximum"}
    assert watched == {"VpcIPUsage", "SubnetIPUsage", "PublicIPv4PoolIPUsage"}
    assert {metric.unit for metric in METRICS if metric.name in watched} == {"None"}
    assert {m.unit for m in METRICS if m.name.startswith("Percent")} == {"Percent"}
    assert {metric.statistic for metric in METRICS if metric.name not in watched} == {"Average"}


@pytest.mark.parametrize(
    ("name", "arns"),
    [
        ("TotalActiveIpCount", {"arn:aws:ec2::111111111111:ipam/ipam-1"}),
        ("EC2PublicIPs", {"arn:aws:ec2::111111111111:ipam/ipam-1"}),
        ("AmazonOwnedContigIPs", {"arn:aws:ec2::111111111111:ipam-pool/pool-c"}),
        (
            "ManagedResourceCidrs",
            {
                "arn:aws:ec2::111111111111:ipam-scope/pub",
                "arn:aws:ec2::111111111111:ipam-scope/priv",
            },
        ),
        ("VpcIPUsage", {"arn:aws:ec2:us-west-2:222222222222:vpc/vpc-1"}),
        ("SubnetIPUsage", {"arn:aws:ec2:us-west-2:222222222222:subnet/sub-1"}),
        ("PublicIPv4PoolIPUsage", {"arn:aws:ec2:us-east-1:333333333333:ipv4pool-ec2/pp-1"}),
    ],
)
def test_each_is_about_a_resource_and_seen_by_the_owner_at_home(name: str, arns: set[str]) -> None:
    of = [one for one in series_of([FIGURES]) if one.metric.name == name]
    assert {one.resource_arn for one in of} == arns
    assert {(one.account_id, one.region) for one in of} == {("111111111111", "us-east-1")}


def test_a_new_ipam_has_zeros() -> None:  # MET-1
    per_scope = len(IPAM.scope_ids) * 2 * 5
    per_region = len(IPAM.operating_regions) * 9
    assert values_of(NEW_IPAM) == [0] * (1 + per_scope + per_region)


def test_the_free_tier_has_the_same() -> None:  # MET-1
    free = replace(FIGURES, ipam=replace(IPAM, is_free_tier=True))
    assert series_of([free]) == series_of([FIGURES])


def test_what_a_source_does_not_tell_is_left_out() -> None:
    without_ledger = replace(FIGURES, pools=None)
    assert not {"PercentAllocated", "AmazonOwnedContigIPs"} & names_of(without_ledger).keys()
    assert names_of(without_ledger)["CompliantResourceCidrs"] == 4
    without_discovery = replace(FIGURES, monitored=None)
    assert names_of(without_discovery) == {
        "PercentAllocated": 3,
        "PercentAssigned": 3,
        "PercentAvailable": 3,
        "AmazonOwnedContigIPs": 1,
        "AllocatedAmazonOwnedContigIPs": 1,
        "UnallocatedAmazonOwnedContigIPs": 1,
    }


def test_percentages_of_the_largest_pools_are_exact() -> None:
    whole = replace(QUARTER_ALLOCATED, addresses=1 << 120, allocated=1 << 119, assigned=1 << 119)
    figures = IpamFigures(IPAM, True, [whole], NOTHING_YET)
    percent = [one.value for one in series_of([figures]) if one.metric.name.startswith("Percent")]
    assert percent == [50, 50, 0]


def test_contiguous_space_of_a_local_zone_is_in_its_region() -> None:
    pool = replace(CONTIGUOUS, locale="us-east-1-scl-1")
    series = series_of([IpamFigures(IPAM, True, [pool], None)])
    regions = {one.dimensions[2] for one in series if one.metric.name == "AmazonOwnedContigIPs"}
    assert regions == {"us-east-1"}
