"""What can be done to policies, and to what they are attached to (ORG-6)."""

from collections.abc import Iterator
from dataclasses import replace

from services.control_plane.organizations import ids
from services.control_plane.organizations.account import Account
from services.control_plane.organizations.errors import (
    DuplicatePolicy,
    InvalidInput,
    PolicyInUse,
    PolicyNotFound,
    PolicyTypeAlreadyEnabled,
    PolicyTypeNotEnabled,
    RootNotFound,
    TargetNotFound,
)
from services.control_plane.organizations.organization import Organization
from services.control_plane.organizations.policy import (
    FULL_AWS_ACCESS,
    SERVICE_CONTROL_POLICY,
    Policy,
    PolicyChange,
    check_attachable,
    check_changeable,
    check_detachable,
    check_room_for_policy,
    check_total_size,
    check_type,
)
from services.control_plane.organizations.unit import Unit
from services.control_plane.service.organizations.holding import hold_own, readable
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted
from shared.caller import Caller
from shared.tags import Tags

TARGETS = (ids.ROOT, ids.UNIT, ids.ACCOUNT)
_BEFORE_ALL_KEYS = "0"


def create_policy(
    rows: Rows, caller: Caller, policy_type: str, policy: Policy, tags: Tags
) -> Accepted[tuple[Organization, Policy]]:
    """Keep a policy, attached to nothing yet."""
    organization = hold_own(rows, caller)
    organization_id = organization.organization_id
    check_type(organization, policy_type)
    _check_name(rows, organization, policy)
    check_room_for_policy(organization_id, rows.organizations.policies.count(organization_id))
    _check_size(rows, organization, policy)
    rows.organizations.policies.add(organization_id, policy, tags)
    return Accepted((organization, policy))


def describe_policy(rows: Rows, caller: Caller, policy_id: str) -> tuple[Organization, Policy]:
    """One policy."""
    organization = readable(rows, caller)
    return organization, policy_in(rows, organization, policy_id)


def update_policy(
    rows: Rows, caller: Caller, policy_id: str, change: PolicyChange
) -> Accepted[tuple[Organization, Policy]]:
    """Change a policy; where it is attached, the new document holds."""
    organization = hold_own(rows, caller)
    before = policy_in(rows, organization, policy_id)
    check_changeable(before)
    policy = replace(
        before,
        name=before.name if change.name is None else change.name,
        description=before.description if change.description is None else change.description,
        content=before.content if change.content is None else change.content,
    )
    _check_name(rows, organization, policy)
    if change.content is not None:
        _check_size(rows, organization, policy)
    rows.organizations.policies.save(policy)
    return Accepted((organization, policy))


def delete_policy(rows: Rows, caller: Caller, policy_id: str) -> Accepted[None]:
    """Remove a policy.

    Raises:
        PolicyInUse: it is attached somewhere.
    """
    organization = hold_own(rows, caller)
    check_changeable(policy_in(rows, organization, policy_id))
    policies = rows.organizations.policies
    if any(policies.targets_of(organization.organization_id, policy_id, None)):
        raise PolicyInUse(policy_id)
    policies.remove(policy_id)
    return Accepted(None)


def attach_policy(rows: Rows, caller: Caller, policy_id: str, target_id: str) -> Accepted[None]:
    """Have a policy hold for a root, an OU or an account."""
    organization = hold_own(rows, caller)
    _check_attaching(rows, organization, policy_id, target_id)
    policies = rows.organizations.policies
    check_attachable(policy_id, target_id, policies.attached_to(target_id))
    policies.attach(organization.organization_id, policy_id, target_id)
    return Accepted(None)


def detach_policy(rows: Rows, caller: Caller, policy_id: str, target_id: str) -> Accepted[None]:
    """Take that back."""
    organization = hold_own(rows, caller)
    _check_attaching(rows, organization, policy_id, target_id)
    policies = rows.organizations.policies
    check_detachable(policy_id, target_id, policies.attached_to(target_id))
    policies.detach(policy_id, target_id)
    return Accepted(None)


def enable_policy_type(
    rows: Rows, caller: Caller, root_id: str, policy_type: str
) -> Accepted[Organization]:
    """Let policies of a type be attached; each thing begins with one that allows everything."""
    organization = hold_own(rows, caller)
    _check_root(organization, root_id)
    check_type(organization, policy_type)
    if organization.has_service_control_policies:
        raise PolicyTypeAlreadyEnabled(policy_type, root_id)
    return Accepted(_with_service_control_policies(rows, organization, has_them=True))


def disable_policy_type(
    rows: Rows, caller: Caller, root_id: str, policy_type: str
) -> Accepted[Organization]:
    """Detach all policies of a type, and let none be attached."""
    organization = hold_own(rows, caller)
    _check_root(organization, root_id)
    if policy_type != SERVICE_CONTROL_POLICY or not organization.has_service_control_policies:
        raise PolicyTypeNotEnabled(policy_type, root_id)
    return Accepted(_with_service_control_policies(rows, organization, has_them=False))


def policies_of(
    rows: Rows, organization: Organization, policy_type: str, after: str | None
) -> Iterator[tuple[str, Policy]]:
    """All policies of a type, AWS's first, each with its key for paging."""
    if policy_type == SERVICE_CONTROL_POLICY:
        if after is None:
            yield _BEFORE_ALL_KEYS, FULL_AWS_ACCESS
        yield from rows.organizations.policies.all(organization.organization_id, after)


def policies_for(
    rows: Rows, organization: Organization, target_id: str, policy_type: str, after: str | None
) -> Iterator[tuple[str, Policy]]:
    """The policies of a type attached to a target, each with its key for paging."""
    if policy_type == SERVICE_CONTROL_POLICY:
        for key, policy_id in rows.organizations.policies.attachments_to(target_id, after):
            yield key, policy_in(rows, organization, policy_id)


def targets_of(
    rows: Rows, organization: Organization, policy_id: str, after: str | None
) -> Iterator[tuple[str, Organization | Unit | Account]]:
    """What a policy is attached to, the organization for its root, each with its key for paging."""
    organization_id = organization.organization_id
    for key, target_id in rows.organizations.policies.targets_of(organization_id, policy_id, after):
        target = (
            rows.organizations.units.get(organization_id, target_id)
            or rows.organizations.accounts.get(organization_id, target_id)
            or organization
        )
        yield key, target


def policy_in(rows: Rows, organization: Organization, policy_id: str) -> Policy:
    """The policy of this id, the organization's own or AWS's.

    Raises:
        InvalidInput: it is no policy's id.
        PolicyNotFound: there is none of it.
    """
    if policy_id == FULL_AWS_ACCESS.policy_id:
        return FULL_AWS_ACCESS
    ids.check_form(policy_id, ids.POLICY)
    policy = rows.organizations.policies.get(organization.organization_id, policy_id)
    if policy is None:
        raise PolicyNotFound(policy_id)
    return policy


def check_target(rows: Rows, organization: Organization, target_id: str) -> None:
    """A policy can be attached to it.

    Raises:
        InvalidInput: it is the id of no root, OU or account.
        TargetNotFound: the organization has none of it.
    """
    ids.check_form(target_id, *TARGETS)
    if rows.organizations.tags(organization.organization_id, target_id) is None:
        raise TargetNotFound(target_id)


def _check_attaching(
    rows: Rows, organization: Organization, policy_id: str, target_id: str
) -> None:
    policy_in(rows, organization, policy_id)
    check_target(rows, organization, target_id)
    if not organization.has_service_control_policies:
        raise PolicyTypeNotEnabled(SERVICE_CONTROL_POLICY, organization.root_id)


def _check_name(rows: Rows, organization: Organization, policy: Policy) -> None:
    if not policy.name:
        raise InvalidInput("MIN_LENGTH_EXCEEDED", "A policy's name has at least 1 character")
    named = rows.organizations.policies.named(organization.organization_id, policy.name)
    is_another = named is not None and named.policy_id != policy.policy_id
    if is_another or policy.name == FULL_AWS_ACCESS.name:
        raise DuplicatePolicy(policy.name)


def _check_size(rows: Rows, organization: Organization, policy: Policy) -> None:
    organization_id = organization.organization_id
    others = rows.organizations.policies.total_bytes(organization_id, without=policy.policy_id)
    check_total_size(organization_id, others, policy.content)


def _check_root(organization: Organization, root_id: str) -> None:
    ids.check_form(root_id, ids.ROOT)
    if root_id != organization.root_id:
        raise RootNotFound(root_id)


def _with_service_control_policies(
    rows: Rows, organization: Organization, *, has_them: bool
) -> Organization:
    after = replace(organization, has_service_control_policies=has_them)
    rows.organizations.save(after)
    policies = rows.organizations.policies
    policies.detach_all(organization.organization_id)
    if has_them:
        policies.attach_everywhere(organization.organization_id, FULL_AWS_ACCESS.policy_id)
    return after
