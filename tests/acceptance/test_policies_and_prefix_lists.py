"""IPAM policies, and prefix lists that follow the IPAM, by AWS CLI."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.acceptance.command_lines import CommandLine, states
from tests.acceptance.installation import Installation, installation
from tests.waiting import wait_until

pytestmark = pytest.mark.acceptance

OREGON = "us-west-2"
IN_OREGON = [{"Operation": "equals", "ResourceRegion": OREGON}]


@dataclass(frozen=True)
class World:
    """An IPAM, and who asks for things by command line."""

    aws: CommandLine
    ipam: Any

    def address(self) -> Any:
        return self.aws("ec2 allocate-address", region=OREGON)

    def target(self) -> Any:
        found = self.aws("ec2 describe-ipam-prefix-list-resolver-targets")
        [target] = found["IpamPrefixListResolverTargets"]
        return target

    def entries(self, prefix_list_id: str) -> set[str]:
        get = f"ec2 get-managed-prefix-list-entries --prefix-list-id {prefix_list_id}"
        return {entry["Cidr"] for entry in self.aws(get, region=OREGON)["Entries"]}

    def vpc(self, cidr: str) -> str:
        create = f"ec2 create-vpc --cidr-block {cidr}"
        return str(self.aws(create, region=OREGON)["Vpc"]["VpcId"])


@pytest.fixture(scope="module")
def cadastre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    settings = {"CADASTRE_DISCOVERY_COVERAGE_INTERVAL_SECONDS": "0.5"}
    with installation(tmp_path_factory.mktemp("data"), **settings) as running:
        yield running


@pytest.fixture(scope="module")
def world(cadastre: Installation) -> World:
    aws = CommandLine(cadastre)
    ipam = aws(f"ec2 create-ipam --operating-regions RegionName={OREGON}")["Ipam"]
    wait_until(lambda: states(aws("ec2 describe-ipams")["Ipams"]) == ["create-complete"])
    return World(aws, ipam)


def test_addresses_come_of_the_policys_pool_and_then_of_amazon(world: World) -> None:
    aws = world.aws
    pool = aws.pool(
        f"--ipam-scope-id {world.ipam['PublicDefaultScopeId']} --address-family ipv4"
        f" --locale {OREGON} --aws-service ec2 --public-ip-source amazon"
    )
    aws.provision(pool, "--netmask-length 30")
    policy = aws(f"ec2 create-ipam-policy --ipam-id {world.ipam['IpamId']}")["IpamPolicy"]
    policy_id = policy["IpamPolicyId"]
    wait_until(
        lambda: states(aws("ec2 describe-ipam-policies")["IpamPolicies"]) == ["create-complete"]
    )
    rules = f"--locale {OREGON} --resource-type eip --allocation-rules SourceIpamPoolId={pool}"
    aws(f"ec2 modify-ipam-policy-allocation-rules --ipam-policy-id {policy_id} {rules}")
    assert world.address()["PublicIpv4Pool"] == "amazon"

    aws(f"ec2 enable-ipam-policy --ipam-policy-id {policy_id}")
    enabled = aws("ec2 get-enabled-ipam-policy")
    assert (enabled["IpamPolicyEnabled"], enabled["IpamPolicyId"]) == (True, policy_id)
    assert [world.address()["PublicIpv4Pool"] for _ in range(5)] == [pool] * 4 + ["amazon"]

    delete = f"ec2 delete-ipam-policy --ipam-policy-id {policy_id}"
    assert aws.refusal(delete).code == "DependencyViolation"
    aws(f"ec2 disable-ipam-policy --ipam-policy-id {policy_id}")
    assert aws("ec2 get-enabled-ipam-policy")["IpamPolicyEnabled"] is False
    aws(delete)


def test_a_prefix_list_follows_the_vpcs_that_a_rule_selects(world: World) -> None:
    aws, scope = world.aws, world.ipam["PrivateDefaultScopeId"]
    first = world.vpc("10.1.0.0/16")
    name = "--prefix-list-name vpcs --max-entries 10 --address-family IPv4"
    made = aws(f"ec2 create-managed-prefix-list {name}", region=OREGON)["PrefixList"]
    prefix_list_id = made["PrefixListId"]
    conditions = f"Conditions=[{{Operation=equals,ResourceRegion={OREGON}}}]"
    rule = f"RuleType=ipam-resource-cidr,IpamScopeId={scope},ResourceType=vpc,{conditions}"
    create = f"--ipam-id {world.ipam['IpamId']} --address-family ipv4 --rules {shlex.quote(rule)}"
    resolver = aws(f"ec2 create-ipam-prefix-list-resolver {create}")["IpamPrefixListResolver"]
    resolver_id = f"--ipam-prefix-list-resolver-id {resolver['IpamPrefixListResolverId']}"
    told = aws(f"ec2 get-ipam-prefix-list-resolver-rules {resolver_id}")["Rules"]
    assert [rule["Conditions"] for rule in told] == [IN_OREGON]
    where = f"--prefix-list-id {prefix_list_id} --prefix-list-region {OREGON}"
    aws(f"ec2 create-ipam-prefix-list-resolver-target {resolver_id} {where} --track-latest-version")
    wait_until(lambda: world.entries(prefix_list_id) == {"10.1.0.0/16"})
    wait_until(lambda: world.target()["State"] == "sync-complete")

    world.vpc("10.2.0.0/16")
    wait_until(lambda: world.entries(prefix_list_id) == {"10.1.0.0/16", "10.2.0.0/16"})
    aws(f"ec2 delete-vpc --vpc-id {first}", region=OREGON)
    wait_until(lambda: world.entries(prefix_list_id) == {"10.2.0.0/16"})

    delete = f"ec2 delete-managed-prefix-list --prefix-list-id {prefix_list_id}"
    assert aws.refusal(delete, region=OREGON).code == "IncorrectState"
    target = (
        f"--ipam-prefix-list-resolver-target-id {world.target()['IpamPrefixListResolverTargetId']}"
    )
    aws(f"ec2 delete-ipam-prefix-list-resolver-target {target}")
    gone = "ec2 describe-ipam-prefix-list-resolver-targets"
    wait_until(lambda: aws(gone)["IpamPrefixListResolverTargets"] == [])
    aws(delete, region=OREGON)
