"""Service control policies, enforced at the edge, as unmodified clients meet them (ORG-6)."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cadastre.network.v1 import network_service_pb2, vpc_pb2
from shared.identity import TokenVerifier, load_secret
from tests.gateway.edge import ACCOUNT_ID, Edge
from tests.gateway.fake_organizations import FULL_ACCESS, MANAGEMENT_ACCOUNT_ID, organization
from tests.shared.policies.guide import (
    LISTED_PATHS,
    POOL_ID,
    REQUIRE_IPAM,
    REQUIRE_IPAM_EXCEPT,
    REQUIRE_POOL,
)
from tests.waiting import PATIENCE_SECONDS

ORGANIZATION_ID, ROOT_ID, OU_ID = "o-a1b2c3d4e5", "r-ab12", "ou-ab12-99999999"
VPC_ID, VPC_ARN = "vpc-0983f3c454f3d8be5", f"arn:aws:ec2:us-east-1:{ACCOUNT_ID}:vpc"
USER = f"arn:aws:iam::{ACCOUNT_ID}:user/ipam-account"


@dataclass
class Enforcement:
    """An edge whose caller is a member of an organization."""

    edge: Edge
    version: int = field(default=0, init=False)

    def put(self, *line: tuple[str, list[str]], **more: Any) -> None:
        """Have the organization so, from the root to the caller's account."""
        self.version += 1
        told = organization(ORGANIZATION_ID, *line, version=self.version, **more)
        self._do(self.edge.fakes.organizations.put, told)
        self.until_logged("organization changed", version=self.version)

    def deny(self, *documents: str, path: str = f"{ORGANIZATION_ID}/{ROOT_ID}/{OU_ID}/") -> None:
        """Attach policies, besides FullAWSAccess, to the root; the caller is in the OU ``path``."""
        _, *above = path.rstrip("/").split("/")
        line = [(entity_id, [FULL_ACCESS]) for entity_id in (*above, ACCOUNT_ID)]
        line[0] = (line[0][0], [FULL_ACCESS, *documents])
        self.put(*line)

    def go_away(self) -> None:
        self._do(self.edge.fakes.organizations.go_away)
        self.until_logged("following the organizations was interrupted")

    def come_back(self) -> None:
        self.edge.log.clear()
        self._do(self.edge.fakes.organizations.come_back)
        self.until_logged("organizations known")

    def tell_nobody(self, *line: tuple[str, list[str]]) -> None:
        """Have the organization so, while nothing is told."""
        self._do(self.edge.fakes.organizations.put, organization(ORGANIZATION_ID, *line))

    def delete(self) -> None:
        self._do(self.edge.fakes.organizations.delete, ORGANIZATION_ID)
        self.until_logged("organization deleted", organization_id=ORGANIZATION_ID)

    def until_logged(self, event: str, **values: object) -> dict[str, Any]:
        """Wait until the gateway says so."""
        wanted = {"event": event, **values}

        def find() -> list[dict[str, Any]]:
            return [entry for entry in self.edge.log if wanted.items() <= entry.items()]

        self.edge.portal.call(_until, find)
        return find()[-1]

    def _do(self, act: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        self.edge.portal.call(act, *arguments)


async def _until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - it is about what others have got to
            await asyncio.sleep(0)


@pytest.fixture
def member(edge: Edge) -> Iterator[Enforcement]:
    """The caller is in an organization, whose policies a test sets."""
    edge.fakes.answers["CreateVpc"] = network_service_pb2.CreateVpcResponse(
        vpc=vpc_pb2.Vpc(vpc_id=VPC_ID)
    )
    # Answered once the gateway knows that there is no organization yet.
    edge.ec2("describe_vpcs")
    enforcement = Enforcement(edge)
    enforcement.deny()
    yield enforcement
    enforcement.delete()


def document(effect: str, action: Any, resource: Any = "*", **more: Any) -> str:
    statement = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def refusal_of(edge: Edge, operation: str, **parameters: Any) -> str | None:
    """The message of the refusal by policy, or None when the call came through."""
    try:
        edge.ec2(operation, **parameters)
    except ClientError as error:
        response: Any = error.response
    else:
        return None
    assert response["Error"]["Code"] == "UnauthorizedOperation"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 403
    return str(response["Error"]["Message"])


def create_vpc(edge: Edge, **parameters: Any) -> bool:
    """Whether the caller may."""
    edge.fakes.requests.clear()
    message = refusal_of(edge, "create_vpc", **parameters)
    # A refused call reaches nobody.
    assert len(edge.fakes.requests) == (1 if message is None else 0)
    return message is None


def associate(edge: Edge, **parameters: Any) -> bool:
    return refusal_of(edge, "associate_vpc_cidr_block", VpcId=VPC_ID, **parameters) is None


FROM_POOL = {"Ipv4IpamPoolId": POOL_ID, "Ipv4NetmaskLength": 24}
FROM_OTHER_POOL = {"Ipv4IpamPoolId": "ipam-pool-0123456789abcdef0", "Ipv4NetmaskLength": 24}
BY_HAND = {"CidrBlock": "10.0.0.0/16"}
OUTSIDE = f"{ORGANIZATION_ID}/{ROOT_ID}/{OU_ID}/"
BELOW = f"{LISTED_PATHS[0]}ou-ab12-44444444/"


@pytest.mark.parametrize(
    ("policy", "path", "from_pool", "from_other_pool", "by_hand"),
    [
        (REQUIRE_IPAM, OUTSIDE, True, True, False),
        (REQUIRE_POOL, OUTSIDE, True, False, False),
        (REQUIRE_IPAM_EXCEPT, OUTSIDE, True, True, False),
        (REQUIRE_IPAM_EXCEPT, BELOW, True, True, False),
        (REQUIRE_IPAM_EXCEPT, LISTED_PATHS[0], True, True, True),
        (REQUIRE_IPAM_EXCEPT, LISTED_PATHS[1], True, True, True),
    ],
)
def test_the_guides_policies_enforce_ipam(
    member: Enforcement,
    policy: str,
    path: str,
    from_pool: bool,
    from_other_pool: bool,
    by_hand: bool,
) -> None:
    member.deny(policy, path=path)
    for call in (create_vpc, associate):
        assert call(member.edge, **FROM_POOL) is from_pool
        assert call(member.edge, **FROM_OTHER_POOL) is from_other_pool
        assert call(member.edge, **BY_HAND) is by_hand
    assert refusal_of(member.edge, "delete_vpc", VpcId=VPC_ID) is None


def test_an_explicit_deny_is_told_as_aws_tells_it(member: Enforcement) -> None:
    member.deny(REQUIRE_IPAM)
    assert refusal_of(member.edge, "create_vpc", **BY_HAND) == (
        f"You are not authorized to perform this operation. User: {USER} is not authorized to"
        f" perform: ec2:CreateVpc on resource: {VPC_ARN}/* with an explicit deny in a service"
        " control policy"
    )
    # Which policy it was is for the log.
    entry = member.until_logged("denied by policy")
    assert (entry["policy_id"], entry["statement"]) == (f"p-{ROOT_ID}-1", "#1")
    assert (entry["action"], entry["organization_id"]) == ("ec2:CreateVpc", ORGANIZATION_ID)


def test_what_no_policy_allows_is_told_as_aws_tells_it(member: Enforcement) -> None:
    only_reading = document("Allow", ["ec2:Describe*", "ec2:Get*"])
    member.put((ROOT_ID, [FULL_ACCESS]), (OU_ID, [only_reading]), (ACCOUNT_ID, [FULL_ACCESS]))
    assert refusal_of(member.edge, "describe_vpcs") is None
    assert refusal_of(member.edge, "delete_vpc", VpcId=VPC_ID) == (
        f"You are not authorized to perform this operation. User: {USER} is not authorized to"
        f" perform: ec2:DeleteVpc on resource: {VPC_ARN}/{VPC_ID} because no service control"
        " policy allows the ec2:DeleteVpc action"
    )
    assert member.until_logged("denied by policy")["policy_id"] == ""


def test_every_level_must_allow(member: Enforcement) -> None:
    for bare in range(3):
        line = [(ROOT_ID, [FULL_ACCESS]), (OU_ID, [FULL_ACCESS]), (ACCOUNT_ID, [FULL_ACCESS])]
        line[bare] = (line[bare][0], [])
        member.put(*line)
        assert refusal_of(member.edge, "describe_vpcs") is not None


def test_a_region_can_be_closed(member: Enforcement) -> None:
    elsewhere = {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}}
    member.deny(document("Deny", "ec2:*", Condition=elsewhere))
    assert refusal_of(member.edge, "describe_vpcs") is not None
    here = {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}}
    member.deny(document("Deny", "ec2:*", Condition=here))
    assert refusal_of(member.edge, "describe_vpcs") is None


def test_a_tag_can_be_required(member: Enforcement) -> None:
    untagged = {"StringNotEquals": {"aws:RequestTag/environment": ["pre-prod", "prod"]}}
    member.deny(document("Deny", "ec2:CreateVpc", "arn:aws:ec2:*:*:vpc/*", Condition=untagged))

    def tagged(**tags: str) -> Any:
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        return [{"ResourceType": "vpc", "Tags": pairs}]

    assert not create_vpc(member.edge, **BY_HAND)
    assert not create_vpc(member.edge, **BY_HAND, TagSpecifications=tagged(environment="test"))
    assert create_vpc(member.edge, **BY_HAND, TagSpecifications=tagged(environment="pre-prod"))


def test_a_required_tag_is_required_in_whatever_case(member: Enforcement) -> None:
    wrong = {"StringNotEquals": {"aws:RequestTag/environment": ["pre-prod"]}}
    member.deny(document("Deny", "ec2:CreateVpc", Condition=wrong))
    lower, upper = {"Key": "environment"}, {"Key": "Environment"}
    for first, second in ((lower, upper), (upper, lower)):
        tags = [{**first, "Value": "prod"}, {**second, "Value": "pre-prod"}]
        specification = {"ResourceType": "vpc", "Tags": tags}
        assert not create_vpc(member.edge, **BY_HAND, TagSpecifications=[specification])
    tags = [{**lower, "Value": "pre-prod"}, {**upper, "Value": "pre-prod"}]
    specification = {"ResourceType": "vpc", "Tags": tags}
    assert create_vpc(member.edge, **BY_HAND, TagSpecifications=[specification])


def test_tags_can_be_kept_from_being_changed(member: Enforcement) -> None:
    locked = {"ForAnyValue:StringEquals": {"aws:TagKeys": ["owner"]}}
    member.deny(document("Deny", ["ec2:CreateTags", "ec2:DeleteTags"], Condition=locked))
    for call in ("create_tags", "delete_tags"):
        for key, is_allowed in (("owner", False), ("team", True)):
            tags = [{"Key": key, "Value": "x"}]
            message = refusal_of(member.edge, call, Resources=[VPC_ID], Tags=tags)
            assert (message is None) is is_allowed


def test_resources_can_be_protected_one_by_one(member: Enforcement) -> None:
    pool = f"arn:aws:ec2::{ACCOUNT_ID}:ipam-pool/{POOL_ID}"
    member.deny(document("Deny", "ec2:*", pool))
    other = "ipam-pool-0123456789abcdef0"
    for pool_id, is_allowed in ((POOL_ID, False), (other, True)):
        message = refusal_of(
            member.edge, "allocate_ipam_pool_cidr", IpamPoolId=pool_id, NetmaskLength=24
        )
        assert (message is None) is is_allowed
    # A VPC from the pool is about the pool, too.
    assert not create_vpc(member.edge, **FROM_POOL)
    assert create_vpc(member.edge, **FROM_OTHER_POOL)


def test_the_management_account_is_never_limited(member: Enforcement) -> None:
    deny_all = document("Deny", "*")
    member.put((ROOT_ID, [deny_all]), (ACCOUNT_ID, []), management_account_id=ACCOUNT_ID)
    assert create_vpc(member.edge, **BY_HAND)


def test_an_account_of_no_organization_is_not_limited(member: Enforcement) -> None:
    member.put((ROOT_ID, [document("Deny", "*")]), ("444455556666", []))
    assert create_vpc(member.edge, **BY_HAND)


def test_policies_hold_only_where_their_type_is_enabled(member: Enforcement) -> None:
    member.put((ROOT_ID, [document("Deny", "*")]), (ACCOUNT_ID, []), is_enforced=False)
    assert create_vpc(member.edge, **BY_HAND)


def test_a_changed_policy_holds_at_once(member: Enforcement) -> None:
    assert create_vpc(member.edge, **BY_HAND)
    member.deny(REQUIRE_IPAM)
    assert not create_vpc(member.edge, **BY_HAND)
    member.deny()
    assert create_vpc(member.edge, **BY_HAND)


def test_a_malformed_policy_denies_everything(member: Enforcement) -> None:
    member.deny('{"Statement": []}')
    assert refusal_of(member.edge, "describe_vpcs") is not None
    entry = member.until_logged("a malformed policy denies everything")
    assert entry["log_level"] == "error"
    assert entry["policy_id"] == f"p-{ROOT_ID}-1"
    assert "Statement: [] is malformed" in entry["error"]


def test_what_was_told_last_holds_while_the_control_plane_is_away(member: Enforcement) -> None:
    member.deny(REQUIRE_IPAM)
    member.go_away()
    member.tell_nobody((ROOT_ID, [FULL_ACCESS]), (ACCOUNT_ID, [FULL_ACCESS]))
    assert not create_vpc(member.edge, **BY_HAND)
    member.come_back()
    assert create_vpc(member.edge, **BY_HAND)


def test_other_services_are_limited_as_well_and_tell_it_in_their_own_code(
    member: Enforcement,
) -> None:
    member.deny(document("Deny", ["organizations:ListRoots", "ram:CreateResourceShare"]))
    organizations, ram = member.edge.client("organizations"), member.edge.client("ram")
    organizations.list_accounts()
    shares = f"arn:aws:ram:us-east-1:{ACCOUNT_ID}:resource-share/*"
    calls = [
        (organizations.list_roots, {}, "organizations:ListRoots", "*"),
        (ram.create_resource_share, {"name": "x"}, "ram:CreateResourceShare", shares),
    ]
    for call, parameters, action, resource in calls:
        with pytest.raises(ClientError) as refusal:
            call(**parameters)
        error = refusal.value.response["Error"]
        assert error["Code"] == "AccessDeniedException"
        assert f"not authorized to perform: {action} on resource: {resource}" in error["Message"]


def test_sharing_outside_the_organization_can_be_denied(member: Enforcement) -> None:  # ORG-4
    # AWS's own example of a service control policy for RAM.
    external = {"Bool": {"ram:RequestedAllowsExternalPrincipals": "true"}}
    actions = ["ram:CreateResourceShare", "ram:UpdateResourceShare"]
    member.deny(document("Deny", actions, Condition=external))
    ram = member.edge.client("ram")
    ram.create_resource_share(name="x", allowExternalPrincipals=False)
    for more in ({}, {"allowExternalPrincipals": True}):
        with pytest.raises(ClientError, match="AccessDeniedException"):
            ram.create_resource_share(name="x", **more)


def test_policies_and_units_of_the_organization_can_be_protected(  # ORG-6
    member: Enforcement,
) -> None:
    owner = f"arn:aws:organizations::{MANAGEMENT_ACCOUNT_ID}"
    guarded = f"{owner}:policy/{ORGANIZATION_ID}/service_control_policy/p-guard1234"
    member.deny(document("Deny", "organizations:*", guarded))
    organizations = member.edge.client("organizations")
    organizations.describe_policy(PolicyId="p-other1234")
    with pytest.raises(ClientError, match="AccessDeniedException"):
        organizations.describe_policy(PolicyId="p-guard1234")


@pytest.mark.parametrize(
    "pattern",
    [
        f"arn:aws:ec2::777788889999:ipam-pool/{POOL_ID}",
        "arn:aws:ec2::777788889999:ipam-pool/*",
        f"arn:aws:ec2:*:7777*:*/{POOL_ID}",
    ],
)
def test_a_deny_by_a_shared_pools_own_arn_holds(pattern: str, member: Enforcement) -> None:  # ORG-4
    member.deny(document("Deny", "ec2:AllocateIpamPoolCidr", pattern))
    allocate = {"IpamPoolId": POOL_ID, "NetmaskLength": 24}
    assert refusal_of(member.edge, "allocate_ipam_pool_cidr", **allocate) is not None
    # It allows nothing, though: whose a pool is, nobody here knows.
    allowing = document("Allow", "ec2:AllocateIpamPoolCidr", pattern)
    member.put((ROOT_ID, [FULL_ACCESS]), (OU_ID, [allowing]), (ACCOUNT_ID, [FULL_ACCESS]))
    assert refusal_of(member.edge, "allocate_ipam_pool_cidr", **allocate) is not None


def test_a_refused_change_is_on_record_where_it_would_have_been_made(
    edge: Edge, member: Enforcement
) -> None:
    member.deny(document("Deny", ["ec2:CreateVpc", "ec2:DescribeVpcs"]))
    message = refusal_of(edge, "create_vpc", **FROM_POOL)
    assert refusal_of(edge, "describe_vpcs") is not None
    # Looking is no change.
    [(refusal, token)] = edge.fakes.trail.refusals
    assert (refusal.event_name, refusal.event_source) == ("CreateVpc", "ec2.amazonaws.com")
    assert (refusal.error_code, refusal.error_message) == ("UnauthorizedOperation", message)
    assert f"arn:aws:ec2:us-east-1:{ACCOUNT_ID}:vpc/*" in refusal.resource_names
    verifier = TokenVerifier(load_secret(edge.settings.identity_secret_path))
    caller = verifier.caller_of(token)
    assert (caller.account_id, caller.service) == (ACCOUNT_ID, "gateway")


def test_a_refusal_names_what_is_in_the_callers_organization(
    edge: Edge, member: Enforcement
) -> None:
    member.deny(document("Deny", "organizations:DeletePolicy"))
    with pytest.raises(ClientError):
        edge.client("organizations").delete_policy(PolicyId="p-0123abcd")
    [(refusal, _)] = edge.fakes.trail.refusals
    arn = f"arn:aws:organizations::{MANAGEMENT_ACCOUNT_ID}:policy/{ORGANIZATION_ID}"
    assert list(refusal.resource_names) == [
        f"{arn}/service_control_policy/p-0123abcd",
        "p-0123abcd",
    ]
