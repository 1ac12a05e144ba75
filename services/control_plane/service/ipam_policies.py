"""What can be done to an IPAM policy, but for enabling it."""

from collections.abc import Mapping

from services.control_plane.errors import StillInUse
from services.control_plane.ipam_policies.errors import IpamPolicyLimitExceeded
from services.control_plane.ipam_policies.policy import (
    IpamPolicy,
    PolicyDocument,
    check_tier_allows_policies,
    deleting,
    with_document,
)
from services.control_plane.lifecycle import check_usable
from services.control_plane.pool import Pool
from services.control_plane.quotas import Quotas
from services.control_plane.service.holding import hold_ipam, hold_pool
from services.control_plane.service.ipam_policies_in_force import pushing
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted, NextStep, StepKind
from shared.caller import Caller
from shared.ids import IPAM_POLICY


def create_policy(
    rows: Rows, caller: Caller, ipam_id: str, tags: Mapping[str, str], quotas: Quotas
) -> Accepted[IpamPolicy]:
    """Make a policy without rules."""
    ipam = hold_ipam(rows, caller, ipam_id)
    check_usable(ipam_id, ipam.state)
    check_tier_allows_policies(ipam)
    count, quota = len(rows.ipam_policies.of_ipam(ipam_id)), quotas.policies_per_ipam
    if count >= quota.of(ipam.owner_id):
        raise IpamPolicyLimitExceeded(ipam_id, count, quota.of(ipam.owner_id))
    policy = IpamPolicy(
        ipam_policy_id=IPAM_POLICY.new(),
        ipam_id=ipam_id,
        owner_id=ipam.owner_id,
        ipam_region=ipam.region,
        tags=tags,
    )
    rows.ipam_policies.add(policy)
    return Accepted(policy, (pushing(policy),))


def modify_rules(
    rows: Rows, caller: Caller, ipam_policy_id: str, document: PolicyDocument, quotas: Quotas
) -> Accepted[IpamPolicy]:
    """Replace the rules for one type of resource in one locale."""
    ipam = hold_ipam(rows, caller, known_policy(rows, caller, ipam_policy_id).ipam_id)
    check_usable(ipam.ipam_id, ipam.state)
    pools = [hold_pool(rows, caller, pool_id) for pool_id in document.ipam_pool_ids]
    policy = with_document(
        hold_policy(rows, caller, ipam_policy_id),
        document,
        ipam=ipam,
        pools=pools,
        quota=quotas.policy_rules_per_locale.of(ipam.owner_id),
    )
    rows.ipam_policies.save(policy)
    return Accepted(policy, (pushing(policy),))


def delete_policy(rows: Rows, caller: Caller, ipam_policy_id: str) -> Accepted[IpamPolicy]:
    """Take a policy that is enabled for nothing out of use, then remove it."""
    hold_ipam(rows, caller, known_policy(rows, caller, ipam_policy_id).ipam_id)
    targets = [target.target_id for target in rows.ipam_policies.targets_of(ipam_policy_id)]
    if targets:
        raise StillInUse(
            f"'{ipam_policy_id}' can't be deleted while it is enabled; disable it first",
            ipam_policy_id,
            targets,
        )
    policy = deleting(hold_policy(rows, caller, ipam_policy_id))
    rows.ipam_policies.save(policy)
    step = NextStep(StepKind.REMOVE_IPAM_POLICY, ipam_policy_id, policy.version)
    return Accepted(policy, (step,))


def known_policy(rows: Rows, caller: Caller, ipam_policy_id: str) -> IpamPolicy:
    """The caller's policy of this id.

    Raises:
        UnknownId: it is not the caller's, or its home region is another.
    """
    policy = rows.ipam_policies.get(ipam_policy_id)
    if policy is None or (policy.owner_id, policy.ipam_region) != (
        caller.account_id,
        caller.region,
    ):
        raise IPAM_POLICY.unknown(ipam_policy_id)
    return policy


def hold_policy(rows: Rows, caller: Caller, ipam_policy_id: str) -> IpamPolicy:
    """The caller's policy of this id, locked.

    Raises:
        UnknownId: it is not the caller's, or its home region is another.
    """
    rows.ipam_policies.hold([ipam_policy_id])
    return known_policy(rows, caller, ipam_policy_id)


def check_pool_unnamed(rows: Rows, pool: Pool) -> None:
    """No rule of a policy is for a pool that is to go; its IPAM is locked.

    Raises:
        StillInUse: with the policies that have one.
    """
    naming = [
        policy.ipam_policy_id
        for policy in rows.ipam_policies.of_ipam(pool.ipam_id)
        if policy.names(pool.ipam_pool_id)
    ]
    if naming:
        raise StillInUse(
            f"'{pool.ipam_pool_id}' can't be deleted while IPAM policies have allocation rules for"
            " it; replace these first",
            pool.ipam_pool_id,
            naming,
        )
