"""Calls as policies speak of them: action, resources, context."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from google.protobuf.message import Message

from services.gateway.authorization.actions import (
    SERVICE_PREFIXES,
    actions_of,
    context_keys,
    principal_keys,
    resources_of,
)
from services.gateway.authorization.authorizer import Authorizer
from services.gateway.authorization.evaluation import AttachedPolicy
from services.gateway.authorization.organizations import Entity, Organization, Organizations
from services.gateway.identity import IdentityPolicies
from services.gateway.routes import (
    CLOUDWATCH_FILES,
    COST_EXPLORER_FILES,
    EC2_FILES,
    IAM_FILES,
    ORGANIZATIONS_FILES,
    RAM_FILES,
    Rpc,
    rpcs_by_action,
)
from shared.caller import Caller
from shared.errors import UnauthorizedOperation
from shared.policies.document import parse_policy

CALLER = Caller("123456789012", "us-east-1", "arn:aws:iam::123456789012:user/alice")
NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
REGIONAL, GLOBAL = "arn:aws:ec2:us-east-1:123456789012:", "arn:aws:ec2::123456789012:"
IAM = "arn:aws:iam::123456789012:"
IPAM_ROLE = "aws-service-role/ipam.amazonaws.com/AWSServiceRoleForIPAM"
RAM = "arn:aws:ram:us-east-1:123456789012:"
SHARE = f"{RAM}resource-share/7ab63972-b505-7e2a-420d-6f5d3EXAMPLE"
INVITATION = (
    "arn:aws:ram:us-east-1:444455556666:resource-share-invitation/"
    "1e3477be-4a95-46b4-bbe0-c4001EXAMPLE"
)
PERMISSION = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionsIpamPool"
POOL = f"{GLOBAL}ipam-pool/ipam-pool-1"
DISCOVERY = f"{GLOBAL}ipam-resource-discovery/ipam-res-disco-1"
MANAGEMENT = "arn:aws:organizations::111122223333:"
ORGANIZATION = Organization(
    "o-a1b2c3d4e5",
    1,
    [Entity("r-ab12", "", []), Entity("123456789012", "r-ab12", [])],
    management_account_id="111122223333",
    is_enforced=True,
)

EVERY_FILE = (
    *CLOUDWATCH_FILES,
    *COST_EXPLORER_FILES,
    *EC2_FILES,
    *IAM_FILES,
    *ORGANIZATIONS_FILES,
    *RAM_FILES,
)


def every_rpc() -> Iterator[Rpc]:
    for rpcs in rpcs_by_action(EVERY_FILE).values():
        yield from rpcs


def rpc_of(action: str, context: str = "") -> Rpc:
    return next(
        rpc for rpc in every_rpc() if actions_of(rpc)[0] == action and context in ("", rpc.context)
    )


def request_of(rpc: Rpc, **members: Any) -> Message:
    return rpc.request_type(**members)


def allowing(*actions: str) -> IdentityPolicies:
    """What a user has who may do just this."""
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    document = parse_policy(json.dumps({"Statement": statement}))
    return IdentityPolicies([AttachedPolicy("p", document)])


def test_every_operation_has_the_name_of_an_action() -> None:
    for rpc in every_rpc():
        prefix, name = actions_of(rpc)[0].split(":")
        assert prefix in SERVICE_PREFIXES.values()
        assert name == rpc.descriptor.name


def test_what_is_tagged_is_named_by_its_type() -> None:
    rpc = rpc_of("ec2:CreateTags", "network")
    request = request_of(rpc, resources=["acl-1", "rtb-1", "sg-1", "subnet-1"])
    assert resources_of(rpc, request, CALLER) == [
        f"{REGIONAL}network-acl/acl-1",
        f"{REGIONAL}route-table/rtb-1",
        f"{REGIONAL}security-group/sg-1",
        f"{REGIONAL}subnet/subnet-1",
    ]


@pytest.mark.parametrize("missing", ["ec2:MoveByoipCidrToIpam", "ec2:ImportByoipCidrToIpam"])
async def test_moving_a_range_to_an_ipam_needs_the_permission_to_import_it_too(  # BYOIP-6
    missing: str,
) -> None:
    rpc, organizations = rpc_of("ec2:MoveByoipCidrToIpam"), Organizations()
    organizations.replace([])
    authorizer = Authorizer(organizations, structlog.get_logger(), clock=lambda: NOW)
    both = ["ec2:MoveByoipCidrToIpam", "ec2:ImportByoipCidrToIpam"]
    await authorizer.check(rpc, request_of(rpc), CALLER, allowing(*both))
    both.remove(missing)
    with pytest.raises(UnauthorizedOperation, match=missing):
        await authorizer.check(rpc, request_of(rpc), CALLER, allowing(*both))


@pytest.mark.parametrize(
    ("action", "members", "expected"),
    [
        ("ec2:CreateVpc", {}, [f"{REGIONAL}vpc/*"]),
        (
            "ec2:CreateVpc",
            {"ipv4_ipam_pool_id": "ipam-pool-1", "ipv6_ipam_pool_id": "ipam-pool-2"},
            [
                f"{REGIONAL}vpc/*",
                f"{GLOBAL}ipam-pool/ipam-pool-1",
                f"{GLOBAL}ipam-pool/ipam-pool-2",
            ],
        ),
        (
            "ec2:AssociateVpcCidrBlock",
            {"vpc_id": "vpc-1", "ipv4_ipam_pool_id": "ipam-pool-1"},
            [f"{GLOBAL}ipam-pool/ipam-pool-1", f"{REGIONAL}vpc/vpc-1"],
        ),
        (
            "ec2:DisassociateVpcCidrBlock",
            {"association_id": "vpc-cidr-assoc-1"},
            [f"{REGIONAL}vpc/*"],
        ),
        (
            "ec2:AssociateSubnetCidrBlock",
            {"subnet_id": "subnet-1", "ipv6_ipam_pool_id": "ipam-pool-1"},
            [f"{GLOBAL}ipam-pool/ipam-pool-1", f"{REGIONAL}subnet/subnet-1"],
        ),
        (
            "ec2:DisassociateSubnetCidrBlock",
            {"association_id": "subnet-cidr-assoc-1"},
            [f"{REGIONAL}subnet/*"],
        ),
        ("ec2:DeleteVpc", {"vpc_id": "vpc-1"}, [f"{REGIONAL}vpc/vpc-1"]),
        ("ec2:DescribeVpcAttribute", {"vpc_id": "vpc-1"}, [f"{REGIONAL}vpc/vpc-1"]),
        (
            "ec2:CreateSubnet",
            {"vpc_id": "vpc-1", "ipv4_ipam_pool_id": "ipam-pool-1"},
            [f"{REGIONAL}subnet/*", f"{REGIONAL}vpc/vpc-1", f"{GLOBAL}ipam-pool/ipam-pool-1"],
        ),
        (
            "ec2:AllocateAddress",
            {"ipam_pool_id": "ipam-pool-1"},
            [f"{REGIONAL}elastic-ip/*", f"{GLOBAL}ipam-pool/ipam-pool-1"],
        ),
        (
            "ec2:AssociateAddress",
            {"allocation_id": "eipalloc-1", "instance_id": "i-1"},
            [f"{REGIONAL}elastic-ip/eipalloc-1", f"{REGIONAL}instance/i-1"],
        ),
        (
            "ec2:ProvisionPublicIpv4PoolCidr",
            {"pool_id": "ipv4pool-ec2-1", "ipam_pool_id": "ipam-pool-1"},
            [f"{GLOBAL}ipam-pool/ipam-pool-1", f"{REGIONAL}ipv4pool-ec2/ipv4pool-ec2-1"],
        ),
        (
            "ec2:CreateManagedPrefixList",
            {"prefix_list_name": "offices"},
            [f"{REGIONAL}prefix-list/*"],
        ),
        (
            "ec2:ModifyManagedPrefixList",
            {"prefix_list_id": "pl-1"},
            [f"{REGIONAL}prefix-list/pl-1"],
        ),
        (
            "ec2:CreateIpamPolicy",
            {"ipam_id": "ipam-1"},
            [f"{GLOBAL}ipam-policy/*", f"{GLOBAL}ipam/ipam-1"],
        ),
        (
            "ec2:EnableIpamPolicy",
            {"ipam_policy_id": "ipam-policy-1", "organization_target_id": "ou-ab12-11111111"},
            [f"{GLOBAL}ipam-policy/ipam-policy-1"],
        ),
        (
            "ec2:CreateIpamInternetRegistryAssociation",
            {"ipam_id": "ipam-1"},
            [f"{GLOBAL}ipam-internet-registry-association/*", f"{GLOBAL}ipam/ipam-1"],
        ),
        (
            "ec2:EnableIpamInternetRegistryAssociation",
            {"ipam_internet_registry_association_id": "ipam-internet-registry-assoc-1"},
            [f"{GLOBAL}ipam-internet-registry-association/ipam-internet-registry-assoc-1"],
        ),
        (
            "ec2:CreateIpamExternalResourceVerificationToken",
            {"ipam_id": "ipam-1"},
            [f"{GLOBAL}ipam-external-resource-verification-token/*", f"{GLOBAL}ipam/ipam-1"],
        ),
        # Lists are not about single entries of theirs.
        ("ec2:DescribeVpcs", {"vpc_ids": ["vpc-1"]}, ["*"]),
        ("ec2:DescribeIpamPools", {"ipam_pool_ids": ["ipam-pool-1"]}, ["*"]),
        ("ec2:CreateIpam", {}, [f"{GLOBAL}ipam/*"]),
        (
            "ec2:CreateIpamScope",
            {"ipam_id": "ipam-1"},
            [f"{GLOBAL}ipam-scope/*", f"{GLOBAL}ipam/ipam-1"],
        ),
        (
            "ec2:CreateIpamResourceDiscovery",
            {},
            [f"{GLOBAL}ipam-resource-discovery/*"],
        ),
        (
            "ec2:CreateIpamPool",
            {"ipam_scope_id": "ipam-scope-1"},
            [f"{GLOBAL}ipam-pool/*", f"{GLOBAL}ipam-scope/ipam-scope-1"],
        ),
        (
            "ec2:AllocateIpamPoolCidr",
            {"ipam_pool_id": "ipam-pool-1"},
            [f"{GLOBAL}ipam-pool/ipam-pool-1"],
        ),
        (
            "ec2:ReleaseIpamPoolAllocation",
            {"ipam_pool_id": "ipam-pool-1", "ipam_pool_allocation_id": "ipam-pool-alloc-1"},
            [f"{GLOBAL}ipam-pool/ipam-pool-1"],
        ),
        (
            "ec2:ModifyIpamPoolAllocation",
            {"ipam_pool_allocation_id": "ipam-pool-alloc-1"},
            [f"{GLOBAL}ipam-pool-allocation/ipam-pool-alloc-1"],
        ),
        (
            "ec2:AssociateIpamResourceDiscovery",
            {"ipam_id": "ipam-1", "ipam_resource_discovery_id": "ipam-res-disco-1"},
            [
                f"{GLOBAL}ipam-resource-discovery-association/*",
                f"{GLOBAL}ipam/ipam-1",
                f"{GLOBAL}ipam-resource-discovery/ipam-res-disco-1",
            ],
        ),
        ("ec2:EnableIpamOrganizationAdminAccount", {}, ["*"]),
        ("iam:ListUsers", {}, ["*"]),
        ("iam:CreateUser", {"user_name": "bob"}, [f"{IAM}user/bob"]),
        ("iam:CreateAccessKey", {"user_name": "bob"}, [f"{IAM}user/bob"]),
        # Who gives no name means itself.
        ("iam:CreateAccessKey", {}, [f"{IAM}user/alice"]),
        ("iam:GetRole", {"role_name": "AWSServiceRoleForIPAM"}, [f"{IAM}role/{IPAM_ROLE}"]),
        ("iam:GetRole", {"role_name": "Other"}, [f"{IAM}role/Other"]),
        (
            "iam:CreateServiceLinkedRole",
            {"aws_service_name": "ipam.amazonaws.com"},
            [f"{IAM}role/{IPAM_ROLE}"],
        ),
        ("organizations:ListRoots", {}, ["*"]),
        ("organizations:DescribeOrganization", {}, ["*"]),
        ("organizations:EnableAWSServiceAccess", {"service_principal": "ram.amazonaws.com"}, ["*"]),
        (
            "organizations:DescribeCreateAccountStatus",
            {"create_account_request_id": "car-1"},
            ["*"],
        ),
        (
            "organizations:AttachPolicy",
            {"policy_id": "p-1", "target_id": "444455556666"},
            [
                f"{MANAGEMENT}policy/o-a1b2c3d4e5/service_control_policy/p-1",
                f"{MANAGEMENT}account/o-a1b2c3d4e5/444455556666",
            ],
        ),
        (
            "organizations:DetachPolicy",
            {"policy_id": "p-FullAWSAccess", "target_id": "r-ab12"},
            [
                "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess",
                f"{MANAGEMENT}root/o-a1b2c3d4e5/r-ab12",
            ],
        ),
        (
            "organizations:CreatePolicy",
            {"name": "x"},
            [f"{MANAGEMENT}policy/o-a1b2c3d4e5/service_control_policy/p-*"],
        ),
        (
            "organizations:CreateOrganizationalUnit",
            {"parent_id": "ou-ab12-11111111", "name": "x"},
            [f"{MANAGEMENT}ou/o-a1b2c3d4e5/ou-ab12-11111111"],
        ),
        (
            "organizations:DeleteOrganizationalUnit",
            {"organizational_unit_id": "ou-ab12-11111111"},
            [f"{MANAGEMENT}ou/o-a1b2c3d4e5/ou-ab12-11111111"],
        ),
        (
            "organizations:ListParents",
            {"child_id": "444455556666"},
            [f"{MANAGEMENT}account/o-a1b2c3d4e5/444455556666"],
        ),
        (
            "organizations:EnablePolicyType",
            {"root_id": "r-ab12"},
            [f"{MANAGEMENT}root/o-a1b2c3d4e5/r-ab12"],
        ),
        (
            "organizations:MoveAccount",
            {
                "account_id": "444455556666",
                "source_parent_id": "r-ab12",
                "destination_parent_id": "ou-ab12-11111111",
            },
            [
                f"{MANAGEMENT}account/o-a1b2c3d4e5/444455556666",
                f"{MANAGEMENT}root/o-a1b2c3d4e5/r-ab12",
                f"{MANAGEMENT}ou/o-a1b2c3d4e5/ou-ab12-11111111",
            ],
        ),
        (
            "organizations:TagResource",
            {"resource_id": "p-1"},
            [f"{MANAGEMENT}policy/o-a1b2c3d4e5/service_control_policy/p-1"],
        ),
        ("ram:CreateResourceShare", {"name": "x"}, [f"{RAM}resource-share/*"]),
        (
            "ram:CreateResourceShare",
            {"name": "x", "resource_arns": [POOL]},
            [f"{RAM}resource-share/*"],
        ),
        # What is added or taken out is for conditions.
        (
            "ram:AssociateResourceShare",
            {"resource_share_arn": SHARE, "principals": ["123456789012"], "resource_arns": [POOL]},
            [SHARE],
        ),
        (
            "ram:DisassociateResourceShare",
            {"resource_share_arn": SHARE, "principals": [f"{MANAGEMENT}organization/o-1"]},
            [SHARE],
        ),
        (
            "ram:AssociateResourceSharePermission",
            {"resource_share_arn": SHARE, "permission_arn": PERMISSION},
            [SHARE, PERMISSION],
        ),
        (
            "ram:AcceptResourceShareInvitation",
            {"resource_share_invitation_arn": INVITATION},
            [INVITATION],
        ),
        ("ram:TagResource", {"resource_share_arn": SHARE}, [SHARE]),
        ("ram:ListResourceSharePermissions", {"resource_share_arn": SHARE}, [SHARE]),
        ("ram:GetPermission", {"permission_arn": PERMISSION}, [PERMISSION]),
        # Lists are not about what narrows them.
        ("ram:GetResourceShares", {"permission_arn": PERMISSION}, ["*"]),
        ("ram:ListPermissionVersions", {"permission_arn": PERMISSION}, ["*"]),
        ("ram:ListPrincipals", {"resource_arn": POOL}, ["*"]),
    ],
)
def test_a_call_is_about_what_it_names_and_what_it_creates(
    action: str, members: dict[str, Any], expected: list[str]
) -> None:
    rpc = rpc_of(action)
    found = resources_of(rpc, request_of(rpc, **members), CALLER, ORGANIZATION)
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize(
    ("context", "resource_id", "expected"),
    [
        ("network", "vpc-1", f"{REGIONAL}vpc/vpc-1"),
        ("control_plane", "ipam-1", f"{GLOBAL}ipam/ipam-1"),
        ("control_plane", "ipam-pool-1", f"{GLOBAL}ipam-pool/ipam-pool-1"),
        ("control_plane", "ipam-scope-1", f"{GLOBAL}ipam-scope/ipam-scope-1"),
        (
            "control_plane",
            "ipam-res-disco-assoc-1",
            f"{GLOBAL}ipam-resource-discovery-association/ipam-res-disco-assoc-1",
        ),
        ("allocation", "ipam-pool-alloc-1", f"{GLOBAL}ipam-pool-allocation/ipam-pool-alloc-1"),
        ("network", "snap-1", "*"),
    ],
)
def test_tagged_resources_are_known_by_their_ids(
    context: str, resource_id: str, expected: str
) -> None:
    rpc = rpc_of("ec2:CreateTags", context)
    request = request_of(rpc, resources=[resource_id], tags=[{"key": "a", "value": "b"}])
    assert resources_of(rpc, request, CALLER) == [expected]


def test_who_is_in_no_organization_has_nothing_to_name_in_it() -> None:
    rpc = rpc_of("organizations:DescribePolicy")
    assert resources_of(rpc, request_of(rpc, policy_id="p-1"), CALLER) == ["*"]


def keys_of(action: str, **members: Any) -> dict[str, list[str]]:
    """The keys that have values."""
    rpc = rpc_of(action)
    keys = context_keys(rpc, request_of(rpc, **members), CALLER, NOW)
    return {key: list(values) for key, values in keys.items() if values}


ALWAYS = {
    "aws:CurrentTime": ["2026-03-01T12:30:00Z"],
    "aws:PrincipalAccount": ["123456789012"],
    "aws:PrincipalArn": ["arn:aws:iam::123456789012:user/alice"],
    "aws:RequestedRegion": ["us-east-1"],
    "aws:SecureTransport": ["false"],
    "aws:username": ["alice"],
}


def test_who_when_and_where_is_always_known() -> None:
    assert keys_of("ec2:DescribeVpcs") == ALWAYS


def test_to_policies_a_session_is_its_role() -> None:  # ORG-10
    session = "arn:aws:sts::123456789012:assumed-role/OrganizationAccountAccessRole/alice"
    keys = principal_keys(Caller("123456789012", "us-east-1", session), NOW)
    role = "arn:aws:iam::123456789012:role/OrganizationAccountAccessRole"
    assert keys["aws:PrincipalArn"] == [role]
    assert keys["aws:username"] == []


def test_the_service_that_a_role_is_for_is_known() -> None:  # ORG-2
    keys = keys_of("iam:CreateServiceLinkedRole", aws_service_name="ipam.amazonaws.com")
    assert keys == {**ALWAYS, "iam:AWSServiceName": ["ipam.amazonaws.com"]}


@pytest.mark.parametrize("action", ["ec2:CreateVpc", "ec2:AssociateVpcCidrBlock"])
def test_the_pools_that_cidrs_come_from_are_known(action: str) -> None:
    assert keys_of(action, cidr_block="10.0.0.0/16") == ALWAYS
    assert keys_of(action, ipv4_ipam_pool_id="") == ALWAYS
    assert keys_of(action, ipv4_ipam_pool_id="ipam-pool-1", ipv6_ipam_pool_id="ipam-pool-2") == {
        **ALWAYS,
        "ec2:Ipv4IpamPoolId": ["ipam-pool-1"],
        "ec2:Ipv6IpamPoolId": ["ipam-pool-2"],
    }


def test_the_namespace_that_metrics_are_asked_of_is_known() -> None:
    keys = keys_of("cloudwatch:ListMetrics", namespace="AWS/IPAM", metric_name="PercentAllocated")
    assert keys == {**ALWAYS, "cloudwatch:namespace": ["AWS/IPAM"]}


def test_metrics_are_no_resources_to_policies() -> None:
    rpc = rpc_of("cloudwatch:GetMetricStatistics")
    assert resources_of(rpc, request_of(rpc, namespace="AWS/IPAM"), CALLER) == ["*"]


TAGS = [{"key": "environment", "value": "pre-prod"}, {"key": "Team"}]


@pytest.mark.parametrize(
    ("action", "members"),
    [
        ("ec2:CreateVpc", {"tag_specifications": [{"resource_type": "vpc", "tags": TAGS}]}),
        ("ec2:CreateTags", {"resources": ["vpc-1"], "tags": TAGS}),
        ("ec2:DeleteTags", {"resources": ["vpc-1"], "tags": TAGS}),
        ("ram:TagResource", {"resource_share_arn": SHARE, "tags": TAGS}),
        ("organizations:CreateAccount", {"tags": TAGS}),
    ],
)
def test_the_tags_of_a_request_are_known(action: str, members: dict[str, Any]) -> None:
    assert keys_of(action, **members) == {
        **ALWAYS,
        "aws:RequestTag/environment": ["pre-prod"],
        "aws:RequestTag/Team": [""],
        "aws:TagKeys": ["environment", "Team"],
    }


def test_the_keys_of_tags_that_are_taken_away_are_known() -> None:
    keys = keys_of("ram:UntagResource", resource_share_arn=SHARE, tag_keys=["a", "b"])
    assert keys == {**ALWAYS, "aws:TagKeys": ["a", "b"]}


SCP, TAG_POLICY = "SERVICE_CONTROL_POLICY", "TAG_POLICY"


@pytest.mark.parametrize(
    ("action", "members", "expected"),
    [
        (
            "EnableAWSServiceAccess",
            {"service_principal": "ipam.amazonaws.com"},
            {"organizations:ServicePrincipal": ["ipam.amazonaws.com"]},
        ),
        (
            "RegisterDelegatedAdministrator",
            {"account_id": "444455556666", "service_principal": "ipam.amazonaws.com"},
            {"organizations:ServicePrincipal": ["ipam.amazonaws.com"]},
        ),
        (
            "ListDelegatedAdministrators",
            {"service_principal": "ipam.amazonaws.com"},
            {"organizations:ServicePrincipal": ["ipam.amazonaws.com"]},
        ),
        ("CreatePolicy", {"type": 3}, {"organizations:PolicyType": [TAG_POLICY]}),
        ("EnablePolicyType", {"policy_type": 3}, {"organizations:PolicyType": [TAG_POLICY]}),
        ("ListPolicies", {"filter": 3}, {"organizations:PolicyType": [TAG_POLICY]}),
        # A policy has the type that all there are have.
        ("DetachPolicy", {"policy_id": "p-1"}, {"organizations:PolicyType": [SCP]}),
        ("TagResource", {"resource_id": "p-1"}, {"organizations:PolicyType": [SCP]}),
        ("TagResource", {"resource_id": "r-ab12"}, {}),
        (
            "ListPoliciesForTarget",
            {"target_id": "r-ab12", "filter": 1},
            {"organizations:PolicyType": [SCP]},
        ),
    ],
)
def test_what_organizations_is_asked_for_is_known(  # ORG-6
    action: str, members: dict[str, Any], expected: dict[str, list[str]]
) -> None:
    assert keys_of(f"organizations:{action}", **members) == {**ALWAYS, **expected}


EXTERNAL = "ram:RequestedAllowsExternalPrincipals"
RESOURCES = {
    "ram:ResourceArn": [POOL, DISCOVERY],
    "ram:RequestedResourceType": ["ec2:IpamPool", "ec2:IpamResourceDiscovery"],
}


@pytest.mark.parametrize(
    ("action", "members", "expected"),
    [
        ("CreateResourceShare", {"allow_external_principals": False}, {EXTERNAL: ["false"]}),
        ("CreateResourceShare", {"allow_external_principals": True}, {EXTERNAL: ["true"]}),
        # It may leave the organization unless it says otherwise.
        ("CreateResourceShare", {}, {EXTERNAL: ["true"]}),
        ("UpdateResourceShare", {"allow_external_principals": True}, {EXTERNAL: ["true"]}),
        # A change that says nothing of it changes nothing of it.
        ("UpdateResourceShare", {"name": "x"}, {}),
        (
            "CreateResourceShare",
            {"resource_arns": [POOL, DISCOVERY], "principals": ["444455556666"]},
            {EXTERNAL: ["true"], **RESOURCES, "ram:Principal": ["444455556666"]},
        ),
        ("AssociateResourceShare", {"resource_arns": [POOL, DISCOVERY]}, RESOURCES),
        ("DisassociateResourceShare", {"principals": ["1"]}, {"ram:Principal": ["1"]}),
        (
            "AssociateResourceSharePermission",
            {"permission_arn": PERMISSION},
            {"ram:PermissionArn": [PERMISSION]},
        ),
        (
            "RejectResourceShareInvitation",
            {"resource_share_invitation_arn": INVITATION},
            {"ram:ShareOwnerAccountId": ["444455556666"]},
        ),
        ("RejectResourceShareInvitation", {"resource_share_invitation_arn": "x"}, {}),
        ("ListPrincipals", {"principals": ["444455556666"]}, {}),
        ("ListResources", {"resource_arns": [POOL]}, {}),
    ],
)
def test_what_a_share_is_asked_to_be_is_known(  # ORG-4
    action: str, members: dict[str, Any], expected: dict[str, list[str]]
) -> None:
    assert keys_of(f"ram:{action}", **members) == {**ALWAYS, **expected}
