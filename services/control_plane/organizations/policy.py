"""Policies as records: what they say is for others to carry out (ORG-6)."""

from collections.abc import Collection
from dataclasses import dataclass

from services.control_plane.organizations.errors import (
    ConstraintViolation,
    DuplicatePolicyAttachment,
    InvalidInput,
    PolicyNotAttached,
    PolicyTypeNotAvailable,
)
from services.control_plane.organizations.organization import FeatureSet, Organization

SERVICE_CONTROL_POLICY = "SERVICE_CONTROL_POLICY"
"""The one type of policies that has an effect here, in AWS's word."""

MOST_POLICIES = 1_000
"""In one organization."""
MOST_BYTES = 2 * 1024 * 1024
"""Of all documents of an organization, so that one message tells all that hold in it."""
MOST_ATTACHED = 5
"""To one target, as AWS has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A service control policy."""

    policy_id: str
    name: str
    description: str
    content: str
    """The document, JSON; sound (`policy_document.check_document`)."""
    is_aws_managed: bool = False
    """Everybody has it, and nobody changes it."""


FULL_AWS_ACCESS = Policy(
    policy_id="p-FullAWSAccess",
    name="FullAWSAccess",
    description="Allows access to every operation",
    content=(
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
    ),
    is_aws_managed=True,
)
"""Attached wherever there are service control policies, so that the others only take away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChange:
    """What a caller may change; None leaves it as it is."""

    name: str | None = None
    description: str | None = None
    content: str | None = None
    """Sound as well."""


def check_type(organization: Organization, policy_type: str) -> None:
    """Policies of the type can be had in ``organization``.

    Raises:
        PolicyTypeNotAvailable: only service control policies can, and those need all features.
    """
    available = [SERVICE_CONTROL_POLICY] if organization.feature_set is FeatureSet.ALL else []
    if policy_type not in available:
        raise PolicyTypeNotAvailable(
            f"Policies of type '{policy_type}' are not available for organization"
            f" {organization.organization_id}; {', '.join(available) or 'no type'} is",
            policy_type=policy_type,
            organization_id=organization.organization_id,
        )


def check_changeable(policy: Policy) -> None:
    """The policy is the organization's own.

    Raises:
        InvalidInput: it is AWS's.
    """
    if policy.is_aws_managed:
        raise InvalidInput(
            "IMMUTABLE_POLICY",
            f"'{policy.policy_id}' is managed by AWS and can't be changed; make one of your own",
            policy_id=policy.policy_id,
        )


def check_room_for_policy(organization_id: str, policy_count: int) -> None:
    """One more policy is allowed.

    Raises:
        ConstraintViolation: there are as many as an organization may have.
    """
    if policy_count >= MOST_POLICIES:
        raise ConstraintViolation(
            "POLICY_NUMBER_LIMIT_EXCEEDED",
            f"Organization {organization_id} has {policy_count} policies; at most {MOST_POLICIES}"
            " are allowed",
            organization_id=organization_id,
            quota=MOST_POLICIES,
        )


def check_total_size(organization_id: str, others_bytes: int, content: str) -> None:
    """The documents of an organization stay small enough to be told in one message.

    Raises:
        ConstraintViolation: with ``content`` they would not.
    """
    total_bytes = others_bytes + len(content.encode())
    if total_bytes > MOST_BYTES:
        raise ConstraintViolation(
            "POLICY_NUMBER_LIMIT_EXCEEDED",
            f"The policy documents of organization {organization_id} would have {total_bytes} bytes"
            f" in all; at most {MOST_BYTES} are allowed",
            organization_id=organization_id,
            total_bytes=total_bytes,
            quota=MOST_BYTES,
        )


def check_attachable(policy_id: str, target_id: str, attached: Collection[str]) -> None:
    """The policy can be attached to a target that has those ``attached``.

    Raises:
        DuplicatePolicyAttachment: it is one of them.
        ConstraintViolation: there are as many as a target may have.
    """
    if policy_id in attached:
        raise DuplicatePolicyAttachment(policy_id, target_id)
    if len(attached) >= MOST_ATTACHED:
        raise ConstraintViolation(
            "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
            f"{len(attached)} policies of type '{SERVICE_CONTROL_POLICY}' are attached to"
            f" '{target_id}'; at most {MOST_ATTACHED} are allowed",
            target_id=target_id,
            quota=MOST_ATTACHED,
        )


def check_detachable(policy_id: str, target_id: str, attached: Collection[str]) -> None:
    """The policy can be detached from a target that has those ``attached``.

    Raises:
        PolicyNotAttached: it is none of them.
        ConstraintViolation: it is the last of them, and without any the target could do nothing.
    """
    if policy_id not in attached:
        raise PolicyNotAttached(policy_id, target_id)
    if len(attached) == 1:
        raise ConstraintViolation(
            "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
            f"'{policy_id}' is the last policy of type '{SERVICE_CONTROL_POLICY}' attached to"
            f" '{target_id}'; attach another one first",
            policy_id=policy_id,
            target_id=target_id,
        )
