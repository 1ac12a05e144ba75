"""All 28 metrics of AWS/IPAM, as Prometheus and CloudWatch's clients read them."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.acceptance import metrics_oracle
from tests.acceptance.account import make_pool
from tests.acceptance.installation import REPOSITORY, Installation, free_base_port, installation
from tests.acceptance.metrics_oracle import Clients, Values
from tests.acceptance.prometheus import NOT_INSTALLED, PROGRAM, Prometheus, prometheus
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(PROGRAM is None, reason=NOT_INSTALLED),
]

HOME, OREGON = "us-east-1", "us-west-2"
ACCOUNT = "123456789012"
VPCS = 160
METRICS = 28
"""Two of these have the same names, of pools and of scopes."""
# A data centre whose addresses were brought along, and public addresses of other kinds.
PUSHED = (
    {
        "type": "public-ipv4-pool",
        "id": "ipv4pool-ec2-0a1b2c3d4e5f60718",
        "cidrs": ["203.0.113.0/24"],
        "total_address_count": 256,
        "total_available_address_count": 253,
        "is_byoip": True,
    },
    *(
        {
            "type": "address",
            "id": f"eipalloc-{number:017x}",
            "public_ip": f"203.0.113.{number}",
            "public_ipv4_pool": "ipv4pool-ec2-0a1b2c3d4e5f60718",
            **({"association_id": "eipassoc-1"} if number == 1 else {}),
        }
        for number in (1, 2, 3)
    ),
    {"type": "vpc", "id": "dc-core", "cidrs": ["10.250.0.0/16"]},
    {"type": "subnet", "id": "dc-rack-7", "vpc_id": "dc-core", "cidrs": ["10.250.7.0/24"]},
    {
        "type": "network-interface",
        "id": "dc-db-1-eth0",
        "vpc_id": "dc-core",
        "subnet_id": "dc-rack-7",
        "addresses": ["10.250.7.5", "10.250.7.6"],
        "attachment": {"instance_id": "dc-db-1"},
        "public_ips": [{"address": "198.51.100.8", "owner_id": "amazon"}],
    },
    {"type": "service-address", "address": "198.51.100.7", "service": "site-to-site-vpn"},
    {
        "type": "service-address",
        "address": "203.0.113.99",
        "service": "global-accelerator",
        "is_byoip": True,
    },
)
PUSHED_ACTIVE_IPS = 2


@dataclass(frozen=True)
class World:
    """An installation that Prometheus scrapes, and an IPAM with some of everything."""

    cadastre: Installation
    prometheus: Prometheus
    clients: Clients
    ipam: Mapping[str, Any]

    def expected(self) -> Values:
        return metrics_oracle.expected(self.clients, self.ipam, PUSHED_ACTIVE_IPS)

    def scraped(self) -> Values:
        """What Prometheus has, by CloudWatch's names."""
        values: Values = {}
        names = {scraped: name for name, scraped in _NAMES.items()}
        for labels, value in self.prometheus.series('{__name__=~"aws_ipam_.*"}'):
            dimensions = {
                label.removeprefix("dimension_"): told
                for label, told in labels.items()
                if label.startswith("dimension_")
            }
            values[names[labels["__name__"]], frozenset(dimensions.items())] = value
        return values


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("metrics")
    port = free_base_port()
    settings = {
        "CADASTRE_DISCOVERY_COVERAGE_INTERVAL_SECONDS": "0.5",
        "CADASTRE_METRICS_INTERVAL_SECONDS": "1",
        "CADASTRE_PROMETHEUS_URL": f"http://127.0.0.1:{port}",
    }
    with installation(folder / "data", **settings) as cadastre:
        targets = [f"127.0.0.1:{cadastre.port}", f"127.0.0.1:{cadastre.port + 9}"]
        with prometheus(folder / "prometheus", port, targets) as running:
            clients = Clients(
                {r: cadastre.client(region=r) for r in (HOME, OREGON)}, cadastre.client()
            )
            yield World(cadastre, running, clients, _some_of_everything(cadastre, clients))


def test_prometheus_has_every_metric_with_the_value_that_the_api_tells(
    world: World,
) -> None:  # MET-1, MET-2, MET-3, MET-6
    found: list[str] = []

    def agree() -> bool:
        found[:] = _differences(world.expected(), world.scraped())
        return not found

    with suppress(AssertionError):
        wait_until(agree)
    assert found == []
    scraped = world.scraped()
    dimensions = {(name, frozenset(key for key, _ in told)) for name, told in scraped}
    assert len(dimensions) == METRICS
    vpcs = [key for key in scraped if key[0] == "VpcIPUsage"]
    assert len([key for key in vpcs if ("AddressFamily", "ipv4") in key[1]]) == 150


def test_what_is_gone_is_scraped_no_more(world: World) -> None:  # MET-1
    oregon = world.clients.by_region[OREGON]
    vpc_id = oregon.create_vpc(CidrBlock="172.16.0.0/16")["Vpc"]["VpcId"]
    selector = f'aws_ipam_vpc_ipusage_maximum{{dimension_VpcID="{vpc_id}"}}'
    wait_until(lambda: world.prometheus.series(selector))
    oregon.delete_vpc(VpcId=vpc_id)
    wait_until(lambda: not world.prometheus.series(selector))


def test_cloudwatch_tells_what_prometheus_remembers(world: World) -> None:
    scope = world.ipam["PrivateDefaultScopeId"]
    dimensions = [{"Name": "AddressFamily", "Value": "ipv4"}, {"Name": "ScopeID", "Value": scope}]
    metric = {
        "Namespace": "AWS/IPAM",
        "MetricName": "OverlappingResourceCidrs",
        "Dimensions": dimensions,
    }
    query = {"Id": "m1", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}}
    ask = f"aws cloudwatch get-metric-data --metric-data-queries '{json.dumps([query])}'"

    def values() -> list[float]:
        now = datetime.now(UTC)
        start, end = now - timedelta(minutes=5), now + timedelta(minutes=1)
        span = f"--start-time {start:%Y-%m-%dT%H:%M:%SZ} --end-time {end:%Y-%m-%dT%H:%M:%SZ}"
        [told] = world.cadastre.run(f"{ask} {span}")["MetricDataResults"]
        assert told["StatusCode"] == "Complete"
        return [float(value) for value in told["Values"]]

    assert 2.0 in wait_until(values)
    listed = world.cadastre.run(
        "aws cloudwatch list-metrics --namespace AWS/IPAM --metric-name OverlappingResourceCidrs"
        f" --dimensions Name=ScopeID,Value={scope} Name=AddressFamily,Value=ipv4"
    )["Metrics"]
    assert listed == [metric]


def _differences(expected: Values, scraped: Values) -> list[str]:
    return [
        f"{name} {sorted(dimensions)}: {expected.get(key)} expected, {scraped.get(key)} scraped"
        for key in sorted(expected.keys() | scraped.keys(), key=str)
        for name, dimensions in [key]
        if scraped.get(key) != pytest.approx(expected.get(key, float("nan")))
    ]


_NAMES = {
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


def _some_of_everything(cadastre: Installation, clients: Clients) -> Mapping[str, Any]:
    home, oregon = clients.home, clients.by_region[OREGON]
    ipam = home.create_ipam(OperatingRegions=[{"RegionName": OREGON}])["Ipam"]
    wait_until(lambda: home.describe_ipams()["Ipams"][0]["State"] == "create-complete")
    private, public = ipam["PrivateDefaultScopeId"], ipam["PublicDefaultScopeId"]
    top = make_pool(home, {"Cidr": "10.0.0.0/8"}, IpamScopeId=private, AddressFamily="ipv4")
    below = {"IpamScopeId": private, "SourceIpamPoolId": top, "AddressFamily": "ipv4"}
    west = make_pool(home, {"NetmaskLength": 12}, Locale=OREGON, **below)
    east = make_pool(home, {"NetmaskLength": 16}, Locale=HOME, **below)
    amazon = {"IpamScopeId": public, "PublicIpSource": "amazon", "Locale": OREGON}
    contiguous = make_pool(
        home, {"NetmaskLength": 29}, AddressFamily="ipv4", AwsService="ec2", **amazon
    )
    ipv6 = make_pool(home, {"NetmaskLength": 52}, AddressFamily="ipv6", AwsService="ec2", **amazon)
    _vpcs(oregon, west, ipv6)
    _noncompliant_vpcs(home, clients.by_region[HOME], east)
    home.allocate_ipam_pool_cidr(IpamPoolId=west, NetmaskLength=20)
    for _ in range(2):
        oregon.create_vpc(CidrBlock="192.168.0.0/16")
    _addresses(oregon, contiguous)
    _push(cadastre)
    return dict(ipam)


def _vpcs(oregon: Any, pool: str, ipv6_pool: str) -> None:
    """Some fuller than others, one of both families."""

    def make(number: int) -> None:
        vpc = oregon.create_vpc(Ipv4IpamPoolId=pool, Ipv4NetmaskLength=24)["Vpc"]
        network = vpc["CidrBlock"].removesuffix("/24")
        for length in range(25, 25 + number % 4):
            first = network.rpartition(".")[0] + f".{256 - 2 ** (33 - length)}"
            oregon.create_subnet(VpcId=vpc["VpcId"], CidrBlock=f"{first}/{length}")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(make, range(VPCS)))
    both = oregon.create_vpc(
        Ipv4IpamPoolId=pool, Ipv4NetmaskLength=22, Ipv6IpamPoolId=ipv6_pool, Ipv6NetmaskLength=56
    )["Vpc"]
    ipv6 = both["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
    oregon.create_subnet(
        VpcId=both["VpcId"],
        CidrBlock=both["CidrBlock"].replace("/22", "/24"),
        Ipv6CidrBlock=ipv6.replace("/56", "/64"),
    )


def _noncompliant_vpcs(home: Any, virginia: Any, pool: str) -> None:
    """They were there before the rule."""
    for _ in range(3):
        virginia.create_vpc(Ipv4IpamPoolId=pool, Ipv4NetmaskLength=24)
    tag = [{"Key": "team", "Value": "payments"}]
    home.modify_ipam_pool(IpamPoolId=pool, AddAllocationResourceTags=tag)


def _addresses(oregon: Any, contiguous: str) -> None:
    """Public ones of all kinds that the embedded cloud has, with and without what uses them."""
    vpc = oregon.create_vpc(CidrBlock="172.31.0.0/16")["Vpc"]["VpcId"]
    subnet = oregon.create_subnet(VpcId=vpc, CidrBlock="172.31.1.0/24")["Subnet"]["SubnetId"]
    of_contiguous = [oregon.allocate_address(IpamPoolId=contiguous) for _ in range(3)]
    elastic = [oregon.allocate_address() for _ in range(4)]
    for address in (of_contiguous[0], elastic[0]):
        run = oregon.run_instances(
            ImageId="ami-0abcdef1234567890", SubnetId=subnet, MinCount=1, MaxCount=1
        )
        [instance] = run["Instances"]
        oregon.associate_address(
            AllocationId=address["AllocationId"], InstanceId=instance["InstanceId"]
        )


def _push(cadastre: Installation) -> None:
    lines = "".join(f"{json.dumps(line)}\n" for line in PUSHED)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "services.local.push_inventory", "-"),
            *("--account", ACCOUNT, "--region", HOME, "--source", "data-centre"),
        ],
        input=lines,
        env={
            **cadastre.environment,
            "CADASTRE_DATA": str(cadastre.data),
            "CADASTRE_PORT": str(cadastre.port),
        },
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
