"""Names and labels, exporter by exporter."""

import pytest
from prometheus_client.core import GaugeMetricFamily

from services.metrics.aws_ipam import METRICS
from services.metrics.aws_series import series_of
from services.metrics.naming import Names, families, family_name
from tests.metrics.figures_world import FIGURES

SPELLED_OUT = {
    "TotalActiveIpCount": "aws_ipam_total_active_ip_count_average",
    "CompliantResourceCidrs": "aws_ipam_compliant_resource_cidrs_average",
    "NoncompliantResourceCidrs": "aws_ipam_noncompliant_resource_cidrs_average",
    "PercentAllocated": "aws_ipam_percent_allocated_average",
    "PercentAssigned": "aws_ipam_percent_assigned_average",
    "PercentAvailable": "aws_ipam_percent_available_average",
    "ManagedResourceCidrs": "aws_ipam_managed_resource_cidrs_average",
    "OverlappingResourceCidrs": "aws_ipam_overlapping_resource_cidrs_average",
    "UnmanagedResourceCidrs": "aws_ipam_unmanaged_resource_cidrs_average",
    "AmazonOwnedContigIPs": "aws_ipam_amazon_owned_contig_ips_average",
    "AllocatedAmazonOwnedContigIPs": "aws_ipam_allocated_amazon_owned_contig_ips_average",
    "UnallocatedAmazonOwnedContigIPs": "aws_ipam_unallocated_amazon_owned_contig_ips_average",
    "AssociatedAmazonOwnedContigIPs": "aws_ipam_associated_amazon_owned_contig_ips_average",
    "UnassociatedAmazonOwnedContigIPs": "aws_ipam_unassociated_amazon_owned_contig_ips_average",
    "VpcIPUsage": "aws_ipam_vpc_ipusage_maximum",
    "SubnetIPUsage": "aws_ipam_subnet_ipusage_maximum",
    "PublicIPv4PoolIPUsage": "aws_ipam_public_ipv4_pool_ipusage_maximum",
    "AmazonOwnedElasticIPs": "aws_ipam_amazon_owned_elastic_ips_average",
    "AssociatedAmazonOwnedElasticIPs": "aws_ipam_associated_amazon_owned_elastic_ips_average",
    "UnassociatedAmazonOwnedElasticIPs": "aws_ipam_unassociated_amazon_owned_elastic_ips_average",
    "BringYourOwnIPs": "aws_ipam_bring_your_own_ips_average",
    "AssociatedBringYourOwnIPs": "aws_ipam_associated_bring_your_own_ips_average",
    "UnassociatedBringYourOwnIPs": "aws_ipam_unassociated_bring_your_own_ips_average",
    "EC2PublicIPs": "aws_ipam_ec2_public_ips_average",
    "ServiceManagedIPs": "aws_ipam_service_managed_ips_average",
    "ServiceManagedBringYourOwnIPs": "aws_ipam_service_managed_bring_your_own_ips_average",
}


def made(names: Names) -> dict[str, GaugeMetricFamily]:
    return {family.name: family for family in families(series_of([FIGURES]), names)}


def labels(names: Names, family: str, index: int = 0) -> dict[str, str]:
    found: dict[str, str] = made(names)[family].samples[index].labels
    return found


def test_every_metric_has_the_name_that_exporters_give_it() -> None:  # MET-6
    assert {metric.name: family_name(metric) for metric in METRICS} == SPELLED_OUT


@pytest.mark.parametrize("names", ["yace", "cloudwatch_exporter"])
def test_all_families_are_there_once_in_order(names: Names) -> None:  # MET-1
    found = families(series_of([FIGURES]), names)
    assert [family.name for family in found] == sorted(SPELLED_OUT.values())
    assert {family.type for family in found} == {"gauge"}


OWN = {"account_id": "111111111111", "region": "us-east-1"}
POOL_ARN = "arn:aws:ec2::111111111111:ipam-pool/pool-4"


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        (
            "aws_ipam_percent_allocated_average",
            {
                "name": POOL_ARN,
                "dimension_AddressFamily": "ipv4",
                "dimension_Locale": "None",
                "dimension_PoolID": "pool-4",
                "dimension_ScopeID": "priv",
            },
        ),
        (
            "aws_ipam_managed_resource_cidrs_average",
            {
                "name": "arn:aws:ec2::111111111111:ipam-scope/pub",
                "dimension_AddressFamily": "ipv4",
                "dimension_ScopeID": "pub",
            },
        ),
        (
            "aws_ipam_amazon_owned_contig_ips_average",
            {
                "name": "arn:aws:ec2::111111111111:ipam-pool/pool-c",
                "dimension_IpamId": "ipam-1",
                "dimension_PoolID": "pool-c",
                "dimension_Region": "us-west-2",
            },
        ),
        (
            "aws_ipam_vpc_ipusage_maximum",
            {
                "name": "arn:aws:ec2:us-west-2:222222222222:vpc/vpc-1",
                "dimension_AddressFamily": "ipv4",
                "dimension_OwnerID": "222222222222",
                "dimension_Region": "us-west-2",
                "dimension_ScopeID": "priv",
                "dimension_VpcID": "vpc-1",
            },
        ),
        (
            "aws_ipam_public_ipv4_pool_ipusage_maximum",
            {
                "name": "arn:aws:ec2:us-east-1:333333333333:ipv4pool-ec2/pp-1",
                "dimension_OwnerID": "333333333333",
                "dimension_PublicIPv4PoolID": "pp-1",
                "dimension_Region": "us-east-1",
                "dimension_ScopeID": "pub",
            },
        ),
    ],
)
def test_yace_labels_are_dimensions_arn_owner_and_home(
    family: str, expected: dict[str, str]
) -> None:  # MET-6
    assert labels("yace", family) == OWN | expected


def test_the_other_form_has_dimensions_in_snake_case() -> None:  # MET-6
    assert labels("cloudwatch_exporter", "aws_ipam_subnet_ipusage_maximum") == {
        "job": "aws_ipam",
        "instance": "",
        "account_id": "111111111111",
        "home_region": "us-east-1",
        "address_family": "ipv4",
        "owner_id": "222222222222",
        "region": "us-west-2",
        "scope_id": "priv",
        "subnet_id": "sub-1",
        "vpc_id": "vpc-1",
    }
    pool = labels("cloudwatch_exporter", "aws_ipam_public_ipv4_pool_ipusage_maximum")
    assert pool["public_ipv4_pool_id"] == "pp-1"
    ipam = labels("cloudwatch_exporter", "aws_ipam_total_active_ip_count_average")
    assert ipam["ipam_id"] == "ipam-1"


def test_pools_and_scopes_share_a_family_and_its_labels() -> None:  # MET-6
    samples = made("yace")["aws_ipam_compliant_resource_cidrs_average"].samples
    assert len({frozenset(sample.labels) for sample in samples}) == 1
    by_name = {
        (sample.labels["name"], sample.labels["dimension_AddressFamily"]): sample
        for sample in samples
    }
    assert by_name[POOL_ARN, "ipv4"].labels["dimension_PoolID"] == "pool-4"
    scope = by_name["arn:aws:ec2::111111111111:ipam-scope/priv", "ipv4"]
    assert scope.labels["dimension_PoolID"] == scope.labels["dimension_Locale"] == ""
    assert scope.labels["dimension_ScopeID"] == "priv"
