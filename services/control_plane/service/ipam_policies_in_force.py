"""To which accounts policies apply, and telling the ledger anew.

Nothing expanded is kept: it is worked out from the targets, and from who is where in the
organization now.
"""

from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import TypeVar

from services.control_plane.ipam_policies.policy import IpamPolicy, told_anew
from services.control_plane.ipam_policies.targets import (
    InForce,
    in_force,
    policy_of_organization,
)
from services.control_plane.organizations.membership import IPAM_SERVICE
from services.control_plane.service.delegation import administered_organization
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted, NextStep, StepKind

T = TypeVar("T")


def policy_in_force(rows: Rows, account_id: str) -> InForce | None:
    """The policy that applies to an account."""
    return _Standing(rows).of_account(account_id)


def accounts_of(rows: Rows, ipam_policy_ids: Collection[str]) -> Mapping[str, frozenset[str]]:
    """By policy, the accounts that it applies to; organizations are read once each."""
    standing, found = _Standing(rows), dict[str, frozenset[str]]()
    for policy_id in ipam_policy_ids:
        policy = rows.ipam_policies.get(policy_id)
        found[policy_id] = standing.accounts_of(policy) if policy else frozenset()
    return found


def telling_accounts(
    rows: Rows, ipam_policy_ids: Collection[str], change: Callable[[], T]
) -> Accepted[T]:
    """What a change gives, and the steps that tell the ledger of the policies it matters to.

    ``ipam_policy_ids``: those that may apply to other accounts after it.
    """
    before = accounts_of(rows, ipam_policy_ids)
    resource = change()
    after = accounts_of(rows, ipam_policy_ids)
    changed = [policy_id for policy_id in after if after[policy_id] != before[policy_id]]
    return Accepted(resource, _tell_anew(rows, changed))


def telling_accounts_within(
    rows: Rows, organization_id: str, change: Callable[[], Accepted[T]]
) -> Accepted[T]:
    """Likewise, of a change of an organization, which is locked; its own steps come first."""
    concerned = rows.ipam_policies.concerned(organization_id)
    told = telling_accounts(rows, concerned, change)
    return Accepted(told.resource.resource, (*told.resource.steps, *told.steps))


def tell_all_again(rows: Rows) -> list[NextStep]:
    """The steps that tell the ledger of every policy, for one that was restored from a backup."""
    policies = [rows.ipam_policies.get(policy_id) for policy_id in rows.ipam_policies.ids()]
    return [pushing(policy) for policy in policies if policy]


def pushing(policy: IpamPolicy) -> NextStep:
    """The step that tells the ledger of a policy, and moves its state on."""
    return NextStep(StepKind.PUSH_IPAM_POLICY, policy.ipam_policy_id, policy.version)


def _tell_anew(rows: Rows, ipam_policy_ids: Collection[str]) -> tuple[NextStep, ...]:
    """Every policy gets a later version, so that what was on its way can't come last."""
    later = [told_anew(policy) for policy in rows.ipam_policies.hold(ipam_policy_ids)]
    for policy in later:
        rows.ipam_policies.save(policy)
    return tuple(map(pushing, later))


class _Standing:
    """How targets and organizations stand; what it has read it asks for no more."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._enabled = cache(self._read_enabled)
        self._members = cache(rows.organizations.memberships)

    def of_account(self, account_id: str) -> InForce | None:
        member = self._rows.organizations.membership(account_id)
        of_organization = None
        if member:
            enabled = self._enabled(member.organization_id)
            of_organization = policy_of_organization(member, enabled)
        return in_force(of_organization, self._rows.ipam_policies.own_of(account_id))

    def accounts_of(self, policy: IpamPolicy) -> frozenset[str]:
        found: set[str] = set()
        policy_id, owner_id = policy.ipam_policy_id, policy.owner_id
        organization_id = administered_organization(self._rows, owner_id)
        enabled = self._enabled(organization_id) if organization_id else {}
        if organization_id and policy_id in enabled.values():
            found.update(
                member.account_id
                for member in self._members(organization_id)
                if policy_of_organization(member, enabled) == policy_id
            )
        own = self.of_account(owner_id)
        if own and own.ipam_policy_id == policy_id:
            found.add(owner_id)
        return frozenset(found)

    def _read_enabled(self, organization_id: str) -> Mapping[str, str]:
        """By target; what was enabled by who administers IPAM no more does not count."""
        administrator = self._rows.organizations.delegated_administrator(
            organization_id, IPAM_SERVICE
        )
        if administrator is None:
            return {}
        return self._rows.ipam_policies.enabled_in(organization_id, administrator)
