"""What IPAMs discover: an organization's resources, public addresses, and AWS accounts.

The organization's developers use the embedded cloud; two of its other accounts are AWS's, which
moto plays.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from werkzeug.wrappers import Response

from tests.acceptance.account import make_pool
from tests.acceptance.command_lines import (
    BYOIP_OWNER_ID,
    HOME,
    IPAM_ID,
    MANAGEMENT,
    MEMBER,
    MEMBER_ID,
    CommandLine,
    states,
)
from tests.acceptance.installation import Installation, installation
from tests.discovery.aws.moto_front import Asked, MotoFront, ec2_error, sts_error
from tests.discovery.moto_accounts import environment_for, owner_of, playing
from tests.waiting import wait_until

pytestmark = pytest.mark.acceptance

OREGON = "us-west-2"
ALICE, BOB = "111122223333", BYOIP_OWNER_ID
DEVELOPERS = "o-exampleorgid/r-fssg/ou-fssg-q5brfv9c/"


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoFront]:
    """AWS."""
    with playing() as front:
        yield front


@pytest.fixture(scope="module")
def cadastre(moto: MotoFront, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """With a source of AWS accounts, and passes in quick succession."""
    settings = {
        "CADASTRE_DISCOVERY_COVERAGE_INTERVAL_SECONDS": "0.5",
        "CADASTRE_DISCOVERY_INTERVAL_SECONDS": "2",
        **environment_for(moto, [ALICE, BOB]),
    }
    with installation(tmp_path_factory.mktemp("data"), **settings) as running:
        yield running


@dataclass(frozen=True)
class Organization:
    """An IPAM of the delegated administrator, and what is asked of it by command line."""

    aws: CommandLine
    cadastre: Installation
    scope: str
    other_scope: str
    discovery: str

    def cidrs(self, options: str = "", scope: str = "") -> dict[str, Any]:
        """What is monitored of the developers in a scope, by CIDR and in order."""
        command = f"ec2 get-ipam-resource-cidrs --ipam-scope-id {scope or self.scope} {options}"
        found = self.aws(f"{command} --resource-owner {MEMBER_ID}")["IpamResourceCidrs"]
        return {one["ResourceCidr"]: one for one in found}

    def cidr(self, resource_id: str, *, scope: str = "", **members: str) -> Any:
        """The CIDR of a resource, once it has these members."""
        client = self.cadastre.client()

        def as_wanted() -> Any:
            found = client.get_ipam_resource_cidrs(
                IpamScopeId=scope or self.scope, ResourceId=resource_id
            )["IpamResourceCidrs"]
            return next((one for one in found if one.items() >= members.items()), None)

        return wait_until(as_wanted)

    def is_gone(self, resource_id: str, scope: str = "") -> None:
        client = self.cadastre.client()
        wait_until(
            lambda: (
                not client.get_ipam_resource_cidrs(
                    IpamScopeId=scope or self.scope, ResourceId=resource_id
                )["IpamResourceCidrs"]
            )
        )

    def pool(self, cidr: str, **members: Any) -> str:
        """A pool of the scope for Oregon, with the CIDR."""
        home = self.cadastre.client()
        where = {"IpamScopeId": self.scope, "Locale": OREGON, "AddressFamily": "ipv4"}
        return make_pool(home, {"Cidr": cidr}, **where, **members)

    def history(self, cidr: str, scope: str = "") -> list[Any]:
        """All that had the CIDR in a scope; by boto3, for the tutorial asks by command line."""
        records: list[Any] = self.cadastre.client().get_ipam_address_history(
            Cidr=cidr, IpamScopeId=scope or self.scope, StartTime=datetime(2021, 12, 27, tzinfo=UTC)
        )["HistoryRecords"]
        return records

    def modify(self, resource_id: str, cidr: str, options: str, scope: str = "") -> Any:
        return self.aws(
            f"ec2 modify-ipam-resource-cidr --resource-id {resource_id} --resource-cidr {cidr}"
            f" --resource-region {OREGON} --current-ipam-scope-id {scope or self.scope} {options}"
        )["IpamResourceCidr"]

    def discovered(self, what: str, region: str, options: str = "") -> Any:
        """The answer to get-ipam-discovered-WHAT."""
        kind = {"accounts": "discovery", "resource-cidrs": "resource"}.get(what, "address")
        return self.aws(
            f"ec2 get-ipam-discovered-{what} --ipam-resource-discovery-id {self.discovery}"
            f" --{kind}-region {region} {options}"
        )


@pytest.fixture(scope="module")
def organization(cadastre: Installation) -> Organization:
    aws = CommandLine(cadastre)
    enable = "ec2 enable-ipam-organization-admin-account --delegated-admin-account-id"
    aws(f"{enable} {IPAM_ID}", MANAGEMENT)
    ipam = aws(f"ec2 create-ipam --operating-regions RegionName={OREGON}")["Ipam"]
    wait_until(lambda: states(aws("ec2 describe-ipams")["Ipams"]) == ["create-complete"])
    other = aws(f"ec2 create-ipam-scope --ipam-id {ipam['IpamId']}")["IpamScope"]["IpamScopeId"]
    found = "ec2 describe-ipam-scopes --ipam-scope-ids"
    wait_until(lambda: states(aws(f"{found} {other}")["IpamScopes"]) == ["create-complete"])
    scope, discovery = ipam["PrivateDefaultScopeId"], ipam["DefaultResourceDiscoveryId"]
    return Organization(aws, cadastre, scope, other, discovery)


@pytest.fixture
def developer(cadastre: Installation) -> Any:
    """A boto3 client of an account in the embedded cloud."""
    return cadastre.client(MEMBER, OREGON)


def tagged(resource_type: str, **tags: str) -> list[Any]:
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    return [{"ResourceType": resource_type, "Tags": pairs}]


@dataclass(frozen=True)
class Network:
    """A VPC with a subnet and an instance."""

    vpc_id: str
    subnet_id: str
    instance: Any

    @property
    def address(self) -> str:
        return f"{self.instance['PrivateIpAddress']}/32"


def build(ec2: Any, cidr: str, subnet_cidr: str, **members: Any) -> Network:
    vpc_id = ec2.create_vpc(CidrBlock=cidr, **members)["Vpc"]["VpcId"]
    subnet_id = ec2.create_subnet(VpcId=vpc_id, CidrBlock=subnet_cidr)["Subnet"]["SubnetId"]
    [instance] = ec2.run_instances(
        ImageId="ami-0abcdef1234567890", MinCount=1, MaxCount=1, SubnetId=subnet_id
    )["Instances"]
    return Network(vpc_id, subnet_id, instance)


def test_what_the_accounts_have_is_listed_with_filters_and_pages(
    organization: Organization, developer: Any
) -> None:  # DISC-3, DISC-4, MON-1, ORG-3, PUB-1
    tags = tagged("vpc", Name="shop", stage="test", set="listed")
    shop = build(developer, "10.1.0.0/16", "10.1.0.0/24", TagSpecifications=tags)
    spare, used = developer.allocate_address(), developer.allocate_address()
    developer.associate_address(
        AllocationId=used["AllocationId"], InstanceId=shop.instance["InstanceId"]
    )
    tags = tagged("vpc", set="listed")
    cidrs = [f"10.1{n}.0.0/16" for n in range(6)]
    made = [developer.create_vpc(CidrBlock=cidr, TagSpecifications=tags) for cidr in cidrs]
    vpc_ids = [shop.vpc_id, *(one["Vpc"]["VpcId"] for one in made)]
    # When the last is there, so is all that was there before.
    organization.cidr(vpc_ids[-1])

    found = organization.cidrs("--resource-type vpc --page-size 5 --resource-tag Key=set")
    assert list(found) == ["10.1.0.0/16", *cidrs]
    assert (
        found["10.1.0.0/16"].items()
        >= {
            "ResourceId": shop.vpc_id,
            "ResourceName": "shop",
            "ResourceRegion": OREGON,
            "IpUsage": 256 / 65536,
            "ManagementState": "unmanaged",
            "ComplianceStatus": "unmanaged",
            "OverlapStatus": "nonoverlapping",
        }.items()
    )
    for options in (
        "--resource-tag Key=stage,Value=test",
        "--filters Name=tag:stage,Values=test,prod",
        f"--filters Name=resource-name,Values=shop Name=resource-region,Values={OREGON}",
        f"--resource-id {shop.vpc_id}",
    ):
        assert list(organization.cidrs(options)) == ["10.1.0.0/16"], options
    seen: list[Any] = []
    page: Any = {"NextToken": ""}
    while "NextToken" in page:
        start = f"--starting-token {page['NextToken']}" if page["NextToken"] else ""
        page = organization.discovered(
            "resource-cidrs",
            OREGON,
            f"--max-items 4 --page-size 5 --filters Name=tag:set,Values=listed {start}",
        )
        assert len(page["IpamDiscoveredResourceCidrs"]) <= 4
        seen += page["IpamDiscoveredResourceCidrs"]
    assert sorted(one["ResourceId"] for one in seen) == sorted(vpc_ids)
    [subnet] = organization.discovered(
        "resource-cidrs", OREGON, f"--filters Name=resource-id,Values={shop.subnet_id}"
    )["IpamDiscoveredResourceCidrs"]
    assert (subnet["ResourceType"], subnet["VpcId"]) == ("subnet", shop.vpc_id)
    the_accounts_are_told(organization)
    the_public_addresses_are_told(organization, shop, spare, used)


def the_accounts_are_told(organization: Organization) -> None:
    listed = organization.discovered("accounts", OREGON, "--page-size 5")["IpamDiscoveredAccounts"]
    assert [one["AccountId"] for one in listed] == [ALICE, IPAM_ID, MEMBER_ID, BOB]
    assert all(one["DiscoveryRegion"] == OREGON for one in listed)
    assert not any("FailureReason" in one for one in listed)
    [mine] = organization.discovered(
        "accounts", OREGON, f"--filters Name=account-id,Values={MEMBER_ID}"
    )["IpamDiscoveredAccounts"]
    assert mine["LastAttemptedDiscoveryTime"] >= mine["LastSuccessfulDiscoveryTime"]
    assert mine["OrganizationalUnitId"] == DEVELOPERS.split("/")[-2]


def the_public_addresses_are_told(
    organization: Organization, shop: Network, spare: Any, used: Any
) -> None:
    found = organization.discovered("public-addresses", OREGON, "--max-results 1000")
    by_address = {one["Address"]: one for one in found["IpamDiscoveredPublicAddresses"]}
    assert by_address[spare["PublicIp"]]["AssociationStatus"] == "disassociated"
    assert (
        by_address[used["PublicIp"]].items()
        >= {
            "AddressType": "amazon-owned-eip",
            "AssociationStatus": "associated",
            "AddressOwnerId": MEMBER_ID,
            "AddressAllocationId": used["AllocationId"],
            "InstanceId": shop.instance["InstanceId"],
            "VpcId": shop.vpc_id,
            "SubnetId": shop.subnet_id,
        }.items()
    )
    assert found["OldestSampleTime"]
    wanted = "--filters Name=association-status,Values=disassociated"
    alone = organization.discovered("public-addresses", OREGON, wanted)
    addresses = {one["Address"] for one in alone["IpamDiscoveredPublicAddresses"]}
    assert addresses & {spare["PublicIp"], used["PublicIp"]} == {spare["PublicIp"]}


def test_a_cidr_is_ignored_and_monitored_again(
    organization: Organization, developer: Any
) -> None:  # MON-5, HIST-3
    vpc_id = developer.create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
    organization.cidr(vpc_id, ManagementState="unmanaged")
    answer = organization.modify(vpc_id, "10.2.0.0/16", "--no-monitored")
    assert {answer[key] for key in ("ManagementState", "ComplianceStatus", "OverlapStatus")} == {
        "ignored"
    }
    same = developer.create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
    organization.cidr(same, OverlapStatus="nonoverlapping")
    organization.modify(vpc_id, "10.2.0.0/16", "--monitored")
    for one in (vpc_id, same):
        organization.cidr(one, ManagementState="unmanaged", OverlapStatus="overlapping")
    developer.delete_vpc(VpcId=same)
    organization.cidr(vpc_id, OverlapStatus="nonoverlapping")


def test_a_cidr_moves_between_scopes_with_its_subnets(
    organization: Organization, developer: Any
) -> None:  # MON-6, HIST-1
    moving = build(developer, "10.3.0.0/16", "10.3.0.0/24")
    organization.cidr(moving.subnet_id)
    move = f"--destination-ipam-scope-id {organization.other_scope} --monitored"
    answer = organization.modify(moving.vpc_id, "10.3.0.0/16", move)
    assert answer["IpamScopeId"] == organization.other_scope
    moved = organization.cidrs(scope=organization.other_scope)
    assert set(moved) == {"10.3.0.0/16", "10.3.0.0/24"}
    assert not {"10.3.0.0/16", "10.3.0.0/24"} & set(organization.cidrs())
    wait_until(lambda: has_moved(organization, moving.address))
    assert has_moved(organization, "10.3.0.0/16")
    assert has_moved(organization, "10.3.0.0/24")


def has_moved(organization: Organization, cidr: str) -> bool:
    """What has it in the other scope began to when it no longer had it in the first."""
    before, after = (
        organization.history(cidr, scope)
        for scope in (organization.scope, organization.other_scope)
    )
    ended = [(one["ResourceId"], one.get("SampledEndTime")) for one in before]
    begun = [(one["ResourceId"], one["SampledStartTime"]) for one in after]
    return bool(begun) and ended == begun


def test_what_is_allocated_moves_when_its_allocation_is_gone(
    organization: Organization, developer: Any
) -> None:  # MON-6
    aws, admin = organization.aws, organization.cadastre.client(region=OREGON)
    pool = organization.pool("10.64.0.0/16")
    vpc_id = admin.create_vpc(Ipv4IpamPoolId=pool, Ipv4NetmaskLength=24)["Vpc"]["VpcId"]
    organization.cidr(vpc_id, ManagementState="managed", IpamPoolId=pool)
    move = f"--destination-ipam-scope-id {organization.other_scope} --monitored"
    answer = organization.modify(vpc_id, "10.64.0.0/24", move)
    assert (answer["IpamScopeId"], answer["IpamPoolId"]) == (organization.scope, pool)
    assert "10.64.0.0/24" not in organization.cidrs(scope=organization.other_scope)
    # To ignore it is what gives its space back.
    organization.modify(vpc_id, "10.64.0.0/24", "--no-monitored")
    organization.cidr(vpc_id, scope=organization.other_scope, ManagementState="ignored")
    organization.is_gone(vpc_id)
    wait_until(lambda: aws.allocations(pool) == [])
    organization.modify(vpc_id, "10.64.0.0/24", "--monitored", organization.other_scope)
    organization.cidr(vpc_id, scope=organization.other_scope, ManagementState="unmanaged")


def test_an_excluded_unit_drops_out_and_comes_back(
    organization: Organization, developer: Any
) -> None:  # ORG-7
    vpc_id = developer.create_vpc(CidrBlock="10.4.0.0/16")["Vpc"]["VpcId"]
    organization.cidr(vpc_id)
    modify = (
        f"ec2 modify-ipam-resource-discovery --ipam-resource-discovery-id {organization.discovery}"
    )
    path = f"organizational-unit-exclusions OrganizationsEntityPath={DEVELOPERS}"
    organization.aws(f"{modify} --add-{path}")
    organization.is_gone(vpc_id)
    listed = organization.discovered("accounts", OREGON)["IpamDiscoveredAccounts"]
    assert [one["AccountId"] for one in listed] == [ALICE, IPAM_ID, BOB]
    found = organization.discovered("resource-cidrs", OREGON)["IpamDiscoveredResourceCidrs"]
    assert MEMBER_ID not in {one["ResourceOwnerId"] for one in found}
    organization.aws(f"{modify} --remove-{path}")
    organization.cidr(vpc_id)
    told = organization.history("10.4.0.0/16")
    assert ["SampledEndTime" in one for one in told] == [True, False]


def test_who_pays_for_active_addresses_is_told_by_cost_explorer(
    organization: Organization, developer: Any
) -> None:  # ACC-3, IPAM-8
    aws = organization.aws
    network = build(developer, "10.6.0.0/16", "10.6.0.0/24")
    [ipam] = aws("ec2 describe-ipams")["Ipams"]
    aws(f"ec2 modify-ipam --ipam-id {ipam['IpamId']} --metered-account resource-owner")
    is_ours = {"Dimensions": {"Key": "USAGE_TYPE", "Values": ["USE1-IPAddressManager-IP-Hours"]}}
    elsewhere = {"Dimensions": {"Key": "REGION", "Values": [OREGON]}}
    expression = json.dumps({"And": [is_ours, {"Not": elsewhere}]})
    today = datetime.now(UTC).date()
    ask = (
        f"ce get-cost-and-usage --time-period Start={today:%Y-%m-01},End={today + timedelta(2)}"
        " --granularity MONTHLY --metrics UsageQuantity UnblendedCost"
        f" --filter '{expression}' --group-by Type=DIMENSION,Key=LINKED_ACCOUNT"
    )

    def costs(profile: str) -> dict[str, tuple[Decimal, Decimal]]:
        """Hours and dollars in the last month that is told, by account."""
        groups = aws(ask, profile)["ResultsByTime"][-1]["Groups"]
        told = {one["Keys"][0]: one["Metrics"] for one in groups}
        names = ("UsageQuantity", "UnblendedCost")
        return {
            account_id: (Decimal(of[names[0]]["Amount"]), Decimal(of[names[1]]["Amount"]))
            for account_id, of in told.items()
        }

    def is_billed() -> bool:
        """A meter notes another reading at once."""
        developer.run_instances(
            ImageId="ami-0abcdef1234567890", MinCount=1, MaxCount=1, SubnetId=network.subnet_id
        )
        return MEMBER_ID in costs(MANAGEMENT)

    wait_until(is_billed)
    assert costs(MEMBER).keys() == {MEMBER_ID}
    hours, dollars = costs(MANAGEMENT)[MEMBER_ID]
    assert 0 < hours < 10
    assert abs(dollars - hours * Decimal("0.00027")) < Decimal("1e-9")


def test_the_free_tier_has_public_ip_insights_everywhere(
    cadastre: Installation,
) -> None:  # PUB-2, IPAM-4
    aws = CommandLine(cadastre)
    ipam = aws(f"ec2 create-ipam --tier free --operating-regions RegionName={OREGON}", MEMBER)[
        "Ipam"
    ]
    expected = {}
    for region in (HOME, OREGON):
        mine = cadastre.client(MEMBER, region)
        vpc_id = mine.create_vpc(CidrBlock="10.5.0.0/16")["Vpc"]["VpcId"]
        expected[region] = (vpc_id, mine.allocate_address()["PublicIp"])
    insights = (
        "ec2 get-ipam-discovered-public-addresses --ipam-resource-discovery-id"
        f" {ipam['DefaultResourceDiscoveryId']} --address-region"
    )
    for region, (_, address) in expected.items():
        command = f"{insights} {region} --filters Name=address,Values={address}"
        [found] = wait_until(partial(insights_of, aws, command))
        assert (found["Address"], found["AddressRegion"]) == (address, region)
    monitored = f"ec2 get-ipam-resource-cidrs --ipam-scope-id {ipam['PrivateDefaultScopeId']}"
    [home] = wait_until(lambda: aws(monitored, MEMBER)["IpamResourceCidrs"])
    assert home["ResourceId"] == expected[HOME][0]
    aws(f"ec2 delete-ipam --ipam-id {ipam['IpamId']} --cascade", MEMBER)


def insights_of(aws: CommandLine, command: str) -> list[Any]:
    found: list[Any] = aws(command, MEMBER)["IpamDiscoveredPublicAddresses"]
    return found


def test_accounts_of_aws_are_followed_from_pass_to_pass(
    organization: Organization, moto: MotoFront
) -> None:  # DISC-3, DISC-4, DISC-6, HIST-1, HIST-3
    alice, bob = owner_of(moto, ALICE, HOME), owner_of(moto, BOB, OREGON)
    theirs = build(alice, "10.80.0.0/16", "10.80.0.0/24")
    alice.create_tags(Resources=[theirs.vpc_id], Tags=[{"Key": "Name", "Value": "before"}])
    address = alice.allocate_address(Domain="vpc")
    alice.associate_address(
        AllocationId=address["AllocationId"], InstanceId=theirs.instance["InstanceId"]
    )
    bobs = bob.create_vpc(CidrBlock="10.81.0.0/16")["Vpc"]["VpcId"]
    organization.cidr(theirs.vpc_id, ResourceOwnerId=ALICE, ResourceName="before")
    organization.cidr(bobs, ResourceOwnerId=BOB, ResourceRegion=OREGON)
    told = wait_until(lambda: organization.history(theirs.address))
    assert [(one["ResourceType"], one["ResourceId"]) for one in told] == [
        ("network-interface", theirs.instance["NetworkInterfaces"][0]["NetworkInterfaceId"]),
        ("instance", theirs.instance["InstanceId"]),
    ]

    def shown_addresses() -> list[tuple[str, str]]:
        answer = organization.discovered(
            "public-addresses", HOME, f"--filters Name=address-owner-id,Values={ALICE}"
        )
        found = answer["IpamDiscoveredPublicAddresses"]
        return [(one["Address"], one["AssociationStatus"]) for one in found]

    wait_until(lambda: shown_addresses() == [(address["PublicIp"], "associated")])

    alice.create_tags(Resources=[theirs.vpc_id], Tags=[{"Key": "Name", "Value": "after"}])
    bob.delete_vpc(VpcId=bobs)
    added = bob.create_vpc(CidrBlock="10.82.0.0/16")["Vpc"]["VpcId"]
    organization.cidr(theirs.vpc_id, ResourceName="after")
    organization.cidr(added)
    organization.is_gone(bobs)
    # A pass may have come before the VPC had a name.
    *_, before, after = organization.history("10.80.0.0/16")
    assert (before["ResourceName"], after["ResourceName"]) == ("before", "after")
    assert before["SampledEndTime"] == after["SampledStartTime"]
    [gone] = organization.history("10.81.0.0/16")
    [new] = organization.history("10.82.0.0/16")
    assert gone["SampledEndTime"] <= new["SampledStartTime"]


def test_an_account_that_fails_says_why_and_keeps_what_it_has(
    organization: Organization, moto: MotoFront
) -> None:  # DISC-4, DISC-6
    aws, pool = organization.aws, organization.pool("10.96.0.0/12", AutoImport=True)
    alice, bob = owner_of(moto, ALICE, OREGON), owner_of(moto, BOB, OREGON)
    bobs = bob.create_vpc(CidrBlock="10.96.0.0/16")["Vpc"]["VpcId"]
    organization.cidr(bobs, ManagementState="managed")

    moto.answers.insert(0, throttled)
    await_reason(organization, "throttling-failure")
    moto.answers.insert(0, refused)
    await_reason(organization, "assume-role-failure")
    bob.delete_vpc(VpcId=bobs)
    new = alice.create_vpc(CidrBlock="10.97.0.0/16")["Vpc"]["VpcId"]
    organization.cidr(new, ManagementState="managed")
    organization.cidr(bobs, ManagementState="managed")
    held = {one["ResourceId"] for one in aws.allocations(pool)}
    assert held == {bobs, new}
    reasons = {
        one["AccountId"]: one.get("FailureReason", {}).get("Code")
        for one in organization.discovered("accounts", OREGON)["IpamDiscoveredAccounts"]
    }
    assert reasons == {ALICE: None, IPAM_ID: None, MEMBER_ID: None, BOB: "assume-role-failure"}

    moto.answers.clear()
    organization.is_gone(bobs)
    wait_until(lambda: {one["ResourceId"] for one in aws.allocations(pool)} == {new})
    await_reason(organization, None)


def throttled(asked: Asked) -> Response | None:
    is_it = (asked.account_id, asked.action) == (BOB, "DescribeVpcs")
    return ec2_error("RequestLimitExceeded", 503) if is_it else None


def refused(asked: Asked) -> Response | None:
    if asked.role_arn == f"arn:aws:iam::{BOB}:role/CadastreDiscovery":
        return sts_error("AccessDenied")
    # What it was given before is of no use any more either; it is kept until then.
    is_it = (asked.account_id, asked.action) == (BOB, "DescribeVpcs")
    return ec2_error("UnauthorizedOperation") if is_it else None


def await_reason(organization: Organization, code: str | None) -> None:
    """Why discovering Bob's account in Oregon failed the last time."""
    client = organization.cadastre.client()

    def is_told() -> bool:
        listed = client.get_ipam_discovered_accounts(
            IpamResourceDiscoveryId=organization.discovery, DiscoveryRegion=OREGON
        )["IpamDiscoveredAccounts"]
        [bobs] = [one for one in listed if one["AccountId"] == BOB]
        reason = bobs.get("FailureReason", {})
        if code is not None and reason.get("Code") == code:
            assert bobs["LastAttemptedDiscoveryTime"] > bobs["LastSuccessfulDiscoveryTime"]
            assert "secret" not in reason["Message"]
        return bool(reason.get("Code") == code)

    wait_until(is_told)
