"""Enabling IPAM policies for accounts, OUs and roots."""

from services.control_plane.ipam_policies.errors import IpamPolicyTargetLimitExceeded
from services.control_plane.ipam_policies.policy import IpamPolicy
from services.control_plane.ipam_policies.targets import Target
from services.control_plane.lifecycle import check_usable
from services.control_plane.quotas import Quotas
from services.control_plane.service.delegation import administered_organization
from services.control_plane.service.holding import hold_ipam
from services.control_plane.service.ipam_policies import known_policy
from services.control_plane.service.ipam_policies_in_force import telling_accounts
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted
from shared.caller import Caller
from shared.errors import InvalidParameterValue, MissingParameter, OperationNotPermitted


def enable_policy(
    rows: Rows, caller: Caller, ipam_policy_id: str, target_id: str | None, quotas: Quotas
) -> Accepted[IpamPolicy]:
    """Have a policy apply to a target, in the place of another that does.

    Raises:
        MissingParameter: the delegated administrator for IPAM has to name a target.
        OperationNotPermitted: another account names one.
        InvalidParameterValue: the organization has no such target.
    """
    _hold_own_organization(rows, caller)
    policy = known_policy(rows, caller, ipam_policy_id)
    target = _target_to_enable(rows, caller, target_id)
    ipam = hold_ipam(rows, caller, policy.ipam_id)
    check_usable(ipam.ipam_id, ipam.state)
    policy = known_policy(rows, caller, ipam_policy_id)
    check_usable(ipam_policy_id, policy.state)
    before = rows.ipam_policies.hold_target(target)
    if before == ipam_policy_id:
        return Accepted(policy)
    _check_room(rows, policy, quotas)
    concerned = {policy_id for policy_id in (before, ipam_policy_id) if policy_id}
    if target.organization_id:
        # What it applies to from now on may have been another policy's, farther away.
        concerned |= rows.ipam_policies.concerned(target.organization_id)

    def enable() -> IpamPolicy:
        rows.ipam_policies.enable(target, ipam_policy_id)
        return policy

    return telling_accounts(rows, concerned, enable)


def disable_policy(
    rows: Rows, caller: Caller, ipam_policy_id: str, target_id: str | None
) -> Accepted[None]:
    """Have a policy apply to a target no more; one that doesn't stays so.

    Its owner may do that whether it administers IPAM still or not.
    """
    policy = known_policy(rows, caller, ipam_policy_id)
    target = _target_to_disable(rows, policy, target_id)
    if target is None:
        return Accepted(None)
    if target.organization_id:
        rows.organizations.hold(target.organization_id)
    else:
        _hold_own_organization(rows, caller)
    hold_ipam(rows, caller, policy.ipam_id)
    if rows.ipam_policies.hold_target(target) != ipam_policy_id:
        return Accepted(None)
    concerned = {ipam_policy_id}
    if target.organization_id:
        concerned |= rows.ipam_policies.concerned(target.organization_id)
    return telling_accounts(rows, concerned, lambda: rows.ipam_policies.enable(target, None))


def organization_targets(rows: Rows, caller: Caller, ipam_policy_id: str) -> list[Target]:
    """What the caller's policy is enabled for in organizations, in order of id.

    Raises:
        UnknownId: it is not the caller's, or its home region is another.
    """
    policy = known_policy(rows, caller, ipam_policy_id)
    targets = rows.ipam_policies.targets_of(policy.ipam_policy_id)
    return sorted(
        (target for target in targets if target.organization_id), key=lambda one: one.target_id
    )


def _hold_own_organization(rows: Rows, caller: Caller) -> None:
    """Before any IPAM: which policy applies to the account depends on where it is."""
    membership = rows.organizations.membership(caller.account_id)
    if membership:
        rows.organizations.hold(membership.organization_id)


def _target_to_enable(rows: Rows, caller: Caller, target_id: str | None) -> Target:
    organization_id = administered_organization(rows, caller.account_id)
    if target_id is None:
        if organization_id:
            raise MissingParameter("organizationTargetId")
        return Target(None, caller.account_id)
    if organization_id is None:
        raise OperationNotPermitted(
            f"Account {caller.account_id} is not the delegated administrator for IPAM of an"
            " organization, and only that names targets; leave OrganizationTargetId out to enable"
            " the policy for your own account",
            account_id=caller.account_id,
            organization_target_id=target_id,
        )
    _check_in_organization(rows, organization_id, target_id)
    return Target(organization_id, target_id)


def _check_in_organization(rows: Rows, organization_id: str, target_id: str) -> None:
    organizations = rows.organizations
    organization = organizations.get(organization_id)
    is_root = organization is not None and organization.root_id == target_id
    if not (
        is_root
        or organizations.units.get(organization_id, target_id)
        or organizations.accounts.get(organization_id, target_id)
    ):
        raise InvalidParameterValue(
            f"Value ({target_id}) for parameter organizationTargetId is invalid; organization"
            f" {organization_id} has no such account, OU or root",
            parameter="organizationTargetId",
            value=target_id,
            organization_id=organization_id,
        )


def _target_to_disable(rows: Rows, policy: IpamPolicy, target_id: str | None) -> Target | None:
    is_own = target_id is None
    wanted = target_id or policy.owner_id
    for target in rows.ipam_policies.targets_of(policy.ipam_policy_id):
        if target.target_id == wanted and (target.organization_id is None) == is_own:
            return target
    return None


def _check_room(rows: Rows, policy: IpamPolicy, quotas: Quotas) -> None:
    count = len(rows.ipam_policies.targets_of(policy.ipam_policy_id))
    quota = quotas.targets_per_policy.of(policy.owner_id)
    if count >= quota:
        raise IpamPolicyTargetLimitExceeded(policy.ipam_policy_id, count, quota)
