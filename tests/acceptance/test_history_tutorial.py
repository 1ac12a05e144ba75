"""The guide's tutorial "View IP address history using the AWS CLI", scenario by scenario.

Commands and answers stand as printed. What they name is replaced by what stands for it here: ids,
the IPv6 block, the elastic address, and the times, which are of the last 24 hours. The guide prints
the ended records of scenario 4 first; here records come by their start, which every other answer of
the tutorial does, too.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.acceptance.account import make_pool
from tests.acceptance.command_lines import (
    BYOIP_OWNER,
    BYOIP_OWNER_ID,
    HOME,
    IPAM,
    IPAM_ID,
    MANAGEMENT,
    MEMBER,
    MEMBER_ID,
    CommandLine,
    states,
)
from tests.acceptance.installation import REPOSITORY, Installation, installation
from tests.waiting import wait_until

pytestmark = pytest.mark.acceptance

OHIO, OREGON = "us-east-2", "us-west-2"
PRIVATE_SCOPE, PUBLIC_SCOPE = "ipam-scope-05b579a1909c5fc7a", "ipam-scope-07cb485c8b4a4d7cc"


class Past:
    """What happened, and what stands for what the guide names."""

    def __init__(self, cadastre: Installation) -> None:
        self._cadastre = cadastre
        self._clients: dict[tuple[str, str], Any] = {}
        self._printed: dict[str, str] = {}

    def ec2(self, region: str = HOME, profile: str = IPAM) -> Any:
        """A boto3 client: what the tutorial presupposes need not be done by command line."""
        if (region, profile) not in self._clients:
            self._clients[region, profile] = self._cadastre.client(profile, region)
        return self._clients[region, profile]

    def stands_for(self, printed: str, found: str) -> str:
        """``found`` is what the guide calls ``printed``."""
        self._printed[found] = printed
        return found

    def found(self, printed: str) -> str:
        """What stands for it."""
        [found] = [one for one, name in self._printed.items() if name == printed]
        return found

    @contextmanager
    def one_snapshot(self) -> Iterator[None]:
        """What happens meanwhile is discovered at one moment, as with AWS's periodic snapshots."""
        discovery = self._cadastre.pid_of("discovery")
        os.kill(discovery, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(discovery, signal.SIGCONT)

    def vpc(self, printed: str, region: str, name: str = "", **members: Any) -> str:
        made = self.ec2(region).create_vpc(**members, **named("vpc", name))
        return self.stands_for(printed, made["Vpc"]["VpcId"])

    def subnet(self, printed: str, region: str, name: str = "", **members: Any) -> str:
        made = self.ec2(region).create_subnet(**members, **named("subnet", name))
        return self.stands_for(printed, made["Subnet"]["SubnetId"])

    def await_record(self, scope: str, cidr: str, resource: str, *, is_over: bool = False) -> None:
        """Discovery has seen it come, or go."""
        since = datetime.now(UTC) - timedelta(hours=24)

        def is_so() -> bool:
            records = self.ec2().get_ipam_address_history(
                Cidr=self._replaced(cidr), IpamScopeId=self.found(scope), StartTime=since
            )["HistoryRecords"]
            ends = [
                "SampledEndTime" in one
                for one in records
                if one.get("ResourceId") == self._replaced(resource)
            ]
            return ends == [is_over]

        wait_until(is_so)

    def run(self, command: str) -> Any:
        """The answer to a command line of the guide, in the guide's names."""
        now = datetime.now(UTC)
        for option, at in (("start", now - timedelta(hours=24)), ("end", now)):
            time = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            command = re.sub(rf"--{option}-time \S+", f"--{option}-time {time}", command)
        answer = json.dumps(self._cadastre.run(self._replaced(command)))
        for found, printed in self._printed.items():
            answer = answer.replace(f'"{found}"', f'"{printed}"')
        return json.loads(answer)

    def _replaced(self, text: str) -> str:
        for found, printed in self._printed.items():
            text = text.replace(printed, found)
        return text


def named(resource_type: str, name: str) -> dict[str, Any]:
    """The member that gives a new resource the name, if there is one."""
    tags = [{"Key": "Name", "Value": name}]
    return {"TagSpecifications": [{"ResourceType": resource_type, "Tags": tags}]} if name else {}


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    """All that the tutorial asks about has happened."""
    settings = {"CADASTRE_DISCOVERY_COVERAGE_INTERVAL_SECONDS": "0.2"}
    with installation(tmp_path_factory.mktemp("data"), **settings) as cadastre:
        past = Past(cadastre)
        found_the_organization(CommandLine(cadastre))
        create_an_ipam(past)
        hand_an_ipv6_block_over(past)
        use_10_0_0_0_in_three_regions(past)
        run_an_instance(past)
        run_a_nat_gateway(past, cadastre)
        allocate_addresses(past)
        yield past


def found_the_organization(aws: CommandLine) -> None:
    remove = "organizations remove-account-from-organization --account-id"
    aws(f"{remove} {BYOIP_OWNER_ID}", MANAGEMENT)
    enable = "ec2 enable-ipam-organization-admin-account --delegated-admin-account-id"
    aws(f"{enable} {IPAM_ID}", MANAGEMENT)


def create_an_ipam(past: Past) -> None:
    regions = [{"RegionName": OHIO}, {"RegionName": OREGON}]
    ipam = past.ec2().create_ipam(OperatingRegions=regions)["Ipam"]
    past.stands_for(PRIVATE_SCOPE, ipam["PrivateDefaultScopeId"])
    past.stands_for(PUBLIC_SCOPE, ipam["PublicDefaultScopeId"])
    wait_until(lambda: states(past.ec2().describe_ipams()["Ipams"]) == ["create-complete"])


def hand_an_ipv6_block_over(past: Past) -> None:
    """Scenario 3."""
    pool = make_pool(
        past.ec2(),
        {"NetmaskLength": 52},
        IpamScopeId=past.found(PUBLIC_SCOPE),
        Locale=OHIO,
        AddressFamily="ipv6",
        AwsService="ec2",
        PublicIpSource="amazon",
    )
    [block] = past.ec2().get_ipam_pool_cidrs(IpamPoolId=pool)["IpamPoolCidrs"]
    given = block["Cidr"].replace("/52", "/56")
    past.stands_for("2605:9cc0:409::/56", given)
    members = {"CidrBlock": "10.3.0.0/16", "Ipv6IpamPoolId": pool, "Ipv6CidrBlock": given}
    first, second = "vpc-01d967bf3b923f72c", "vpc-03e62c7eca81cb652"
    past.vpc(first, OHIO, "First example VPC", **members)
    past.await_record(PUBLIC_SCOPE, given, first)
    past.ec2(OHIO).delete_vpc(VpcId=past.found(first))
    past.await_record(PUBLIC_SCOPE, given, first, is_over=True)
    past.vpc(second, OHIO, "Second example VPC", **members)
    past.await_record(PUBLIC_SCOPE, given, second)


def use_10_0_0_0_in_three_regions(past: Past) -> None:
    """Scenario 4."""
    lasting, passing = "subnet-0d1b8f899725aa72d", "vpc-09754dfd85911abec"
    for region, vpc, subnet in (
        (OHIO, "vpc-042b8a44f64267d67", lasting),
        (OREGON, "vpc-0a8347f594bea5901", None),
        (HOME, "vpc-03298ba16756a8736", "subnet-0af7eadb0798e9148"),
        (OHIO, passing, None),
    ):
        cidr = "10.0.0.0/16" if subnet else "10.0.0.0/24"
        made = past.vpc(vpc, region, "Example name", CidrBlock=cidr)
        if subnet:
            past.subnet(subnet, region, "Example name", VpcId=made, CidrBlock="10.0.0.0/24")
        past.await_record(PRIVATE_SCOPE, "10.0.0.0/24", subnet or vpc)
    with past.one_snapshot():
        past.ec2(OHIO).delete_subnet(SubnetId=past.found(lasting))
        past.ec2(OHIO).delete_vpc(VpcId=past.found(passing))
    past.await_record(PRIVATE_SCOPE, "10.0.0.0/24", passing, is_over=True)


def run_an_instance(past: Past) -> None:
    """Scenarios 1, 2, 5 and 6."""
    scope = past.found(PRIVATE_SCOPE)
    members = {"IpamScopeId": scope, "Locale": HOME, "AddressFamily": "ipv4"}
    pool = make_pool(past.ec2(), {"Cidr": "10.2.0.0/16"}, **members)
    with past.one_snapshot():
        cidr = "10.2.1.0/24"
        vpc = past.vpc("vpc-0f5ee7e1ba908a378", HOME, Ipv4IpamPoolId=pool, CidrBlock=cidr)
        subnet = past.subnet("subnet-0864c82a42f5bffed", HOME, VpcId=vpc, CidrBlock=cidr)
        [instance] = past.ec2().run_instances(
            ImageId="ami-0abcdef1234567890",
            MinCount=1,
            MaxCount=1,
            SubnetId=subnet,
            PrivateIpAddress="10.2.1.155",
        )["Instances"]
        past.stands_for("i-064da1f79baed14f3", instance["InstanceId"])
        [interface] = instance["NetworkInterfaces"]
        past.stands_for("eni-0b4e53eb1733aba16", interface["NetworkInterfaceId"])
    past.await_record(PRIVATE_SCOPE, "10.2.1.155/32", "i-064da1f79baed14f3")


def run_a_nat_gateway(past: Past, cadastre: Installation) -> None:
    """Scenario 1, the second answer: the embedded cloud has none, so another source tells of it."""
    interface_id = "eni-0c7d2a1b9e8f40635"
    interface = {
        "type": "network-interface",
        "id": interface_id,
        "vpc_id": past.found("vpc-0f5ee7e1ba908a378"),
        "subnet_id": past.found("subnet-0864c82a42f5bffed"),
        "addresses": ["10.0.0.176"],
        "interface_type": "nat_gateway",
        "requester_id": "amazon-nat",
        "attachment": {"owner_id": "amazon-aws"},
    }
    where = {"CADASTRE_DATA": str(cadastre.data), "CADASTRE_PORT": str(cadastre.port)}
    told = ["--account", IPAM_ID, "--region", HOME, "--source", "gateways", "-"]
    subprocess.run(
        [sys.executable, "-m", "services.local.push_inventory", *told],
        cwd=REPOSITORY,
        env={**os.environ, **where},
        input=json.dumps(interface).encode(),
        capture_output=True,
        timeout=60,
        check=True,
    )
    past.await_record(PRIVATE_SCOPE, "10.0.0.176/32", interface_id)
    # The guide has one interface stand for both.
    past.stands_for("eni-0b4e53eb1733aba16", interface_id)


def allocate_addresses(past: Past) -> None:
    """Scenario 7, the outsider first: if its address were discovered, it would be there already."""
    outside = past.ec2(profile=BYOIP_OWNER).allocate_address()
    past.stands_for("54.0.0.9", outside["PublicIp"])
    inside = past.ec2(profile=MEMBER).allocate_address()
    past.stands_for("54.0.0.10", inside["PublicIp"])
    past.await_record(PUBLIC_SCOPE, f"{inside['PublicIp']}/32", inside["AllocationId"])


def with_times_numbered(records: list[Any]) -> list[Any]:
    """Records that differ only if their times come in another order, or fall together otherwise."""
    sampled = ("SampledStartTime", "SampledEndTime")
    moments = {record[key] for record in records for key in sampled if key in record}
    numbers = {at: n for n, at in enumerate(sorted(moments, key=datetime.fromisoformat))}
    return [
        {key: numbers[value] if key in sampled else value for key, value in record.items()}
        for record in records
    ]


INSTANCE: list[Any] = [
    {
        "ResourceOwnerId": "123456789012",
        "ResourceRegion": "us-east-1",
        "ResourceType": "network-interface",
        "ResourceId": "eni-0b4e53eb1733aba16",
        "ResourceCidr": "10.2.1.155/32",
        "VpcId": "vpc-0f5ee7e1ba908a378",
        "SampledStartTime": "2021-12-27T20:08:46.672000+00:00",
    },
    {
        "ResourceOwnerId": "123456789012",
        "ResourceRegion": "us-east-1",
        "ResourceType": "instance",
        "ResourceId": "i-064da1f79baed14f3",
        "ResourceCidr": "10.2.1.155/32",
        "VpcId": "vpc-0f5ee7e1ba908a378",
        "SampledStartTime": "2021-12-27T20:08:46.672000+00:00",
    },
]
NAT_GATEWAY: list[Any] = [
    {
        "ResourceOwnerId": "123456789012",
        "ResourceRegion": "us-east-1",
        "ResourceType": "network-interface",
        "ResourceId": "eni-0b4e53eb1733aba16",
        "ResourceCidr": "10.0.0.176/32",
        "VpcId": "vpc-0f5ee7e1ba908a378",
        "SampledStartTime": "2021-12-27T20:08:46.672000+00:00",
    },
    {
        "ResourceOwnerId": "amazon-aws",
        "ResourceRegion": "us-east-1",
        "ResourceType": "instance",
        "ResourceCidr": "10.0.0.176/32",
        "VpcId": "vpc-0f5ee7e1ba908a378",
        "SampledStartTime": "2021-12-27T20:08:46.672000+00:00",
    },
]
SUBNET_AND_VPC: list[Any] = [
    {
        "ResourceOwnerId": "123456789012",
        "ResourceRegion": "us-east-1",
        "ResourceType": "subnet",
        "ResourceId": "subnet-0864c82a42f5bffed",
        "ResourceCidr": "10.2.1.0/24",
        "VpcId": "vpc-0f5ee7e1ba908a378",
        "SampledStartTime": "2021-12-27T20:08:46.672000+00:00",
    },
    {
        "ResourceOwnerId": "123456789012",
        "ResourceRegion": "us-east-1",
        "ResourceType": "vpc",
        "ResourceId": "vpc-0f5ee7e1ba908a378",
        "ResourceCidr": "10.2.1.0/24",
        "ResourceComplianceStatus": "compliant",
        "ResourceOverlapStatus": "nonoverlapping",
        "VpcId": "vpc-0f5ee7e1ba908a378",
        "SampledStartTime": "2021-12-27T20:08:46.672000+00:00",
    },
]
TWO_VPCS: list[Any] = [
    {
        "ResourceOwnerId": "123456789012",
        "ResourceRegion": "us-east-2",
        "ResourceType": "vpc",
        "ResourceId": "vpc-01d967bf3b923f72c",
        "ResourceCidr": "2605:9cc0:409::/56",
        "ResourceName": "First example VPC",
        "ResourceComplianceStatus": "compliant",
        "ResourceOverlapStatus": "nonoverlapping",
        "VpcId": "vpc-01d967bf3b923f72c",
        "SampledStartTime": "2021-12-23T20:02:00.701000+00:00",
        "SampledEndTime": "2021-12-23T20:12:59.848000+00:00",
    },
    {
        "ResourceOwnerId": "123456789012",
        "ResourceRegion": "us-east-2",
        "ResourceType": "vpc",
        "ResourceId": "vpc-03e62c7eca81cb652",
        "ResourceCidr": "2605:9cc0:409::/56",
        "ResourceName": "Second example VPC",
        "ResourceComplianceStatus": "compliant",
        "ResourceOverlapStatus": "nonoverlapping",
        "VpcId": "vpc-03e62c7eca81cb652",
        "SampledStartTime": "2021-12-27T15:11:00.046000+00:00",
    },
]
THREE_REGIONS: list[Any] = [
    {
        "ResourceOwnerId": "123456789012",
        "ResourceRegion": "us-east-2",
        "ResourceType": "subnet",
        "ResourceId": "subnet-0d1b8f899725aa72d",
        "ResourceCidr": "10.0.0.0/24",
        "ResourceName": "Example name",
        "VpcId": "vpc-042b8a44f64267d67",
        "SampledStartTime": "2021-12-11T16:35:59.074000+00:00",
        "SampledEndTime": "2021-12-28T15:34:00.017000+00:00",
    },
    {
        "ResourceOwnerId": "123456789012",
        "ResourceRegion": "us-east-2",
        "ResourceType": "vpc",
        "ResourceId": "vpc-09754dfd85911abec",
        "ResourceCidr": "10.0.0.0/24",
        "ResourceName": "Example name",
        "ResourceComplianceStatus": "unmanaged",
        "ResourceOverlapStatus": "overlapping",
        "VpcId": "vpc-09754dfd85911abec",
        "SampledStartTime": "2021-12-27T20:07:59.947000+00:00",
        "SampledEndTime": "2021-12-28T15:34:00.017000+00:00",
    },
    {
        "ResourceOwnerId": "123456789012",
        "ResourceRegion": "us-west-2",
        "ResourceType": "vpc",
        "ResourceId": "vpc-0a8347f594bea5901",
        "ResourceCidr": "10.0.0.0/24",
        "ResourceName": "Example name",
        "ResourceComplianceStatus": "unmanaged",
        "ResourceOverlapStatus": "overlapping",
        "VpcId": "vpc-0a8347f594bea5901",
        "SampledStartTime": "2021-12-11T16:35:59.318000+00:00",
    },
    {
        "ResourceOwnerId": "123456789012",
        "ResourceRegion": "us-east-1",
        "ResourceType": "subnet",
        "ResourceId": "subnet-0af7eadb0798e9148",
        "ResourceCidr": "10.0.0.0/24",
        "ResourceName": "Example name",
        "VpcId": "vpc-03298ba16756a8736",
        "SampledStartTime": "2021-12-14T21:07:22.357000+00:00",
    },
]

HISTORY = "aws ec2 get-ipam-address-history --region us-east-1 --cidr"


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        pytest.param(
            f"{HISTORY} 10.2.1.155/32 --ipam-scope-id {PRIVATE_SCOPE}"
            " --start-time 2021-12-20T01:00:00.000Z --end-time 2021-12-27T21:00:00.000Z",
            INSTANCE,
            id="1 an instance had it",
        ),
        pytest.param(
            f"{HISTORY} 10.0.0.176/32 --ipam-scope-id {PRIVATE_SCOPE}"
            " --start-time 2021-12-20T01:00:00.000Z --end-time 2021-12-27T21:00:00.000Z",
            NAT_GATEWAY,
            id="1 a NAT gateway had it",
        ),
        pytest.param(
            f"{HISTORY} 10.2.1.0/24 --ipam-scope-id {PRIVATE_SCOPE}"
            " --start-time 2021-12-01T00:00:00.000Z --end-time 2021-12-27T23:59:59.000Z",
            SUBNET_AND_VPC,
            id="2 a subnet and its VPC had it",
        ),
        pytest.param(
            f"{HISTORY} 2605:9cc0:409::/56 --ipam-scope-id {PUBLIC_SCOPE}"
            " --start-time 2021-12-01T01:00:00.000Z --end-time 2021-12-27T23:59:59.000Z",
            TWO_VPCS,
            id="3 two VPCs had it, one after the other",
        ),
        pytest.param(
            f"{HISTORY} 10.0.0.0/24 --ipam-scope-id {PRIVATE_SCOPE}"
            " --start-time 2021-12-27T00:00:00.000Z",
            THREE_REGIONS,
            id="4 many had it in three regions",
        ),
        pytest.param(
            f"{HISTORY} 10.2.1.155/32 --ipam-scope-id {PRIVATE_SCOPE}",
            INSTANCE,
            id="5 an instance has it",
        ),
        pytest.param(
            f"{HISTORY} 10.2.1.0/24 --ipam-scope-id {PRIVATE_SCOPE}",
            SUBNET_AND_VPC,
            id="6 a subnet and its VPC have it, and nothing in it is told of",
        ),
        pytest.param(
            f"{HISTORY} 54.0.0.9/32 --ipam-scope-id {PRIVATE_SCOPE}",
            [],
            id="7 an account outside the organization has it",
        ),
    ],
)
def test_the_history_is_told_as_printed(
    past: Past, command: str, printed: list[Any]
) -> None:  # HIST-1, HIST-2, DISC-6
    answer = past.run(command)
    assert answer.keys() == {"HistoryRecords"}
    told = with_times_numbered(answer["HistoryRecords"])
    by_start = sorted(printed, key=lambda record: record["SampledStartTime"])
    assert told == with_times_numbered(by_start)
    # Members come in the guide's order, too.
    assert [list(one) for one in told] == [list(one) for one in by_start]


def test_of_elastic_addresses_only_those_of_the_organization_are_known(
    past: Past,
) -> None:  # HIST-2, ORG-3
    in_scope = f"--ipam-scope-id {PUBLIC_SCOPE}"
    assert past.run(f"{HISTORY} 54.0.0.9/32 {in_scope}") == {"HistoryRecords": []}
    [inside] = past.run(f"{HISTORY} 54.0.0.10/32 {in_scope}")["HistoryRecords"]
    assert (inside["ResourceType"], inside["ResourceOwnerId"]) == ("eip", MEMBER_ID)


def test_now_is_not_then(past: Past) -> None:  # HIST-1, HIST-3
    command = f"{HISTORY} 2605:9cc0:409::/56 --ipam-scope-id {PUBLIC_SCOPE}"
    [now] = past.run(command)["HistoryRecords"]
    assert now["ResourceName"] == "Second example VPC"
    [then] = past.run(f"{command} --vpc-id vpc-01d967bf3b923f72c --start-time NOW")[
        "HistoryRecords"
    ]
    assert then["ResourceName"] == "First example VPC"


def test_pages_of_one_record_come_to_the_same(past: Past) -> None:  # HIST-1
    command = f"{HISTORY} 10.0.0.0/24 --ipam-scope-id {PRIVATE_SCOPE} --start-time NOW"
    whole = past.run(command)
    assert len(whole["HistoryRecords"]) == len(THREE_REGIONS)
    assert past.run(f"{command} --page-size 1") == whole
