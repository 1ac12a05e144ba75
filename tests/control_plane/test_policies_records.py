"""Policies as records: kept, attached, detached (ORG-6)."""

import re
from typing import Any

import pytest

from services.control_plane.organizations.errors import ConstraintViolation
from services.control_plane.organizations.policy import (
    MOST_BYTES,
    MOST_POLICIES,
    check_room_for_policy,
    check_total_size,
)
from tests.control_plane.organizations import (
    DENY_ALL,
    FULL_ACCESS,
    MANAGEMENT,
    SCP,
    Organization,
    an_organization,
    constraint,
    plain,
    refused,
)
from tests.control_plane.world import Client, on_sqlite_alone

OTHER_TYPE = "TAG_POLICY"


@pytest.fixture
async def organization(control: Client) -> Organization:
    return await an_organization(control)


async def test_a_policy_is_told_as_aws_tells_it(organization: Organization) -> None:  # ORG-6
    made = (
        await organization(
            "CreatePolicy", name="use-ipam", description="guide", content=DENY_ALL, type=SCP
        )
    ).policy
    summary = made.policy_summary
    assert re.fullmatch(r"p-[a-z0-9]{8}", summary.id)
    assert plain(summary) == {
        "id": summary.id,
        "arn": (
            f"arn:aws:organizations::{MANAGEMENT}:policy/{organization.id}"
            f"/service_control_policy/{summary.id}"
        ),
        "name": "use-ipam",
        "description": "guide",
        "type": 1,
        "aws_managed": False,
    }
    assert made.content == DENY_ALL
    assert (await organization("DescribePolicy", policy_id=summary.id)).policy == made
    listed = (await organization("ListPolicies", filter=SCP)).policies
    assert [policy.id for policy in listed] == [FULL_ACCESS, summary.id]
    assert not (await organization("ListPolicies", filter=OTHER_TYPE)).policies


async def test_everybody_has_the_policy_that_allows_all(organization: Organization) -> None:
    policy = (await organization("DescribePolicy", policy_id=FULL_ACCESS)).policy
    assert policy.policy_summary.aws_managed
    assert policy.policy_summary.name == "FullAWSAccess"
    assert policy.policy_summary.arn == (
        f"arn:aws:organizations::aws:policy/service_control_policy/{FULL_ACCESS}"
    )
    for call in (
        organization("UpdatePolicy", policy_id=FULL_ACCESS, name="mine"),
        organization("DeletePolicy", policy_id=FULL_ACCESS),
        organization("TagResource", resource_id=FULL_ACCESS, tags=[{"key": "a"}]),
    ):
        assert (await refused(call)).reason == "InvalidInputException"
    assert (await refused(organization.policy("FullAWSAccess"))).reason == (
        "DuplicatePolicyException"
    )


async def test_names_are_one_policys_each(organization: Organization) -> None:
    first, second = await organization.policy("one"), await organization.policy("two")
    assert (await refused(organization.policy("one"))).reason == "DuplicatePolicyException"
    refusal = await refused(organization("UpdatePolicy", policy_id=second, name="one"))
    assert refusal.reason == "DuplicatePolicyException"
    await organization("UpdatePolicy", policy_id=first, name="one", description="same name")
    changed = (await organization("DescribePolicy", policy_id=first)).policy
    assert changed.policy_summary.description == "same name"
    assert changed.content == DENY_ALL


@on_sqlite_alone
@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"content": "no JSON"}, "MalformedPolicyDocumentException"),
        (
            {"content": '{"Statement": {"Effect": "Maybe", "Action": "*", "Resource": "*"}}'},
            "MalformedPolicyDocumentException",
        ),
        (
            {"content": DENY_ALL + " " * (10_241 - len(DENY_ALL))},
            "ConstraintViolationException",
        ),
        (
            {"content": '{"Statement":' + "[" * 900 + "]" * 900 + "}"},
            "MalformedPolicyDocumentException",
        ),
        (
            {"content": DENY_ALL.replace('"Effect"', '"Sid": "a b", "Effect"')},
            "MalformedPolicyDocumentException",
        ),
        ({"type": OTHER_TYPE}, "PolicyTypeNotAvailableForOrganizationException"),
        (
            {"type": OTHER_TYPE, "content": '{"tags": {}}'},
            "PolicyTypeNotAvailableForOrganizationException",
        ),
    ],
    ids=["no JSON", "no effect", "too long", "too deep", "Sid", "another type", "and document"],
)
async def test_a_document_is_checked_before_it_is_kept(
    organization: Organization, members: dict[str, Any], reason: str
) -> None:
    wanted = {"name": "bad", "content": DENY_ALL, "type": SCP} | members
    assert (await refused(organization("CreatePolicy", **wanted))).reason == reason
    assert len((await organization("ListPolicies", filter=SCP)).policies) == 1


async def test_a_document_is_checked_when_it_is_replaced(organization: Organization) -> None:
    policy_id = await organization.policy("policy")
    refusal = await refused(organization("UpdatePolicy", policy_id=policy_id, content="{}"))
    assert refusal.reason == "MalformedPolicyDocumentException"
    longest = DENY_ALL + " " * (10_240 - len(DENY_ALL))
    changed = await organization("UpdatePolicy", policy_id=policy_id, content=longest)
    assert changed.policy.content == longest
    assert (await organization("DescribePolicy", policy_id=policy_id)).policy == changed.policy


async def test_nothing_is_attached_before_the_type_is_enabled(organization: Organization) -> None:
    policy_id, root_id = await organization.policy("policy"), organization.root_id
    attach = {"policy_id": policy_id, "target_id": root_id}
    assert (await refused(organization("AttachPolicy", **attach))).reason == (
        "PolicyTypeNotEnabledException"
    )
    assert await organization.attached_to(root_id) == []
    enable = {"root_id": root_id, "policy_type": SCP}
    assert (await refused(organization("DisablePolicyType", **enable))).reason == (
        "PolicyTypeNotEnabledException"
    )
    root = (await organization("EnablePolicyType", **enable)).root
    assert [(one.type, one.status) for one in root.policy_types] == [(1, 1)]
    assert list((await organization("ListRoots")).roots) == [root]
    assert (await refused(organization("EnablePolicyType", **enable))).reason == (
        "PolicyTypeAlreadyEnabledException"
    )
    other = {"root_id": root_id, "policy_type": OTHER_TYPE}
    assert (await refused(organization("EnablePolicyType", **other))).reason == (
        "PolicyTypeNotAvailableForOrganizationException"
    )
    await organization("AttachPolicy", **attach)


async def test_all_begin_with_full_access(organization: Organization) -> None:  # ORG-6
    old_unit, old_member = await organization.unit("old"), await organization.account("old")
    await organization.enable_policies()
    new_unit, new_member = await organization.unit("new"), await organization.account("new")
    everything = [organization.root_id, old_unit, MANAGEMENT, old_member, new_unit, new_member]
    for target_id in everything:
        assert await organization.attached_to(target_id) == [FULL_ACCESS]
    targets = (await organization("ListTargetsForPolicy", policy_id=FULL_ACCESS)).targets
    assert [target.target_id for target in targets] == everything
    assert [(target.name, target.type) for target in targets] == [
        ("Root", 3),
        ("old", 2),
        ("Management account", 1),
        ("old", 1),
        ("new", 2),
        ("new", 1),
    ]
    policy_id = await organization.policy("policy")
    await organization("AttachPolicy", policy_id=policy_id, target_id=new_unit)
    await organization("DisablePolicyType", root_id=organization.root_id, policy_type=SCP)
    for target_id in everything:
        assert await organization.attached_to(target_id) == []
    await organization("DeletePolicy", policy_id=policy_id)


async def test_a_target_has_one_policy_at_least_and_five_at_most(
    organization: Organization,
) -> None:
    await organization.enable_policies()
    unit = await organization.unit("unit")
    policies = [await organization.policy(f"policy {number}") for number in range(5)]

    async def attach(policy_id: str) -> None:
        await organization("AttachPolicy", policy_id=policy_id, target_id=unit)

    async def detach(policy_id: str) -> None:
        await organization("DetachPolicy", policy_id=policy_id, target_id=unit)

    for policy_id in policies[:4]:
        await attach(policy_id)
    assert constraint(await refused(attach(policies[4]))) == (
        "ConstraintViolationException",
        "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
    )
    assert (await refused(attach(policies[0]))).reason == "DuplicatePolicyAttachmentException"
    assert (await refused(detach(policies[4]))).reason == "PolicyNotAttachedException"
    assert await organization.attached_to(unit) == [FULL_ACCESS, *policies[:4]]
    for policy_id in (FULL_ACCESS, *policies[:3]):
        await detach(policy_id)
    assert constraint(await refused(detach(policies[3]))) == (
        "ConstraintViolationException",
        "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
    )
    assert await organization.attached_to(unit) == [policies[3]]


async def test_a_policy_in_use_is_not_deleted(organization: Organization) -> None:
    await organization.enable_policies()
    member, policy_id = await organization.account("member"), await organization.policy("policy")
    await organization("AttachPolicy", policy_id=policy_id, target_id=member)
    assert (await refused(organization("DeletePolicy", policy_id=policy_id))).reason == (
        "PolicyInUseException"
    )
    # What leaves takes its attachments along.
    await organization("RemoveAccountFromOrganization", account_id=member)
    targets = (await organization("ListTargetsForPolicy", policy_id=policy_id)).targets
    assert not targets
    await organization("DeletePolicy", policy_id=policy_id)
    assert (await refused(organization("DescribePolicy", policy_id=policy_id))).reason == (
        "PolicyNotFoundException"
    )


async def test_only_what_is_there_is_attached_and_to_what_is_there(
    organization: Organization,
) -> None:
    await organization.enable_policies()
    policy_id, root_id = await organization.policy("policy"), organization.root_id
    for rpc in ("AttachPolicy", "DetachPolicy"):
        for members, reason in (
            ({"policy_id": "p-nowhere0", "target_id": root_id}, "PolicyNotFoundException"),
            ({"policy_id": policy_id, "target_id": "777788889999"}, "TargetNotFoundException"),
            ({"policy_id": policy_id, "target_id": policy_id}, "InvalidInputException"),
        ):
            assert (await refused(organization(rpc, **members))).reason == reason


def test_an_organization_has_only_so_many_policies_and_bytes_of_them() -> None:
    check_room_for_policy("o-1", MOST_POLICIES - 1)
    with pytest.raises(ConstraintViolation) as refusal:
        check_room_for_policy("o-1", MOST_POLICIES)
    assert refusal.value.metadata["reason"] == "POLICY_NUMBER_LIMIT_EXCEEDED"
    check_total_size("o-1", MOST_BYTES - 4, "four")
    with pytest.raises(ConstraintViolation):
        check_total_size("o-1", MOST_BYTES - 4, "fünf")
