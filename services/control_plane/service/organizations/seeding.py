"""Beginning with an organization that nobody had to make by hand (ORG-1)."""

from datetime import datetime

from services.control_plane.organizations.organization import Organization
from services.control_plane.organizations.seed import BadSeed, Plan, Seed, planned
from services.control_plane.service.rows import Rows


def seed_organization(rows: Rows, seed: Seed, now: datetime) -> None:
    """Make the organization, unless its management account is in one: a seed, not a mirror.

    Of replicas that start together one does.

    Raises:
        BadSeed: there can't be such an organization, or not beside those that are there.
    """
    plan = planned(seed, now)
    organization, organizations = plan.organization, rows.organizations
    if organizations.membership(organization.management_account_id):
        return
    # From here on no other replica makes it; those that waited for one that did find it made.
    if not organizations.add(organization):
        _check_made(rows, organization)
        return
    _check_free(rows, plan)
    for unit in plan.units:
        organizations.units.add(unit, {})
    for account in plan.accounts:
        organizations.accounts.add(account, {})
    for service_principal in plan.services:
        organizations.services.add(organization.organization_id, service_principal, now)
    for policy in plan.policies:
        organizations.policies.add(organization.organization_id, policy, {})
    for target_id, policy_ids in plan.attached.items():
        for policy_id in policy_ids:
            organizations.policies.attach(organization.organization_id, policy_id, target_id)


def _check_made(rows: Rows, organization: Organization) -> None:
    if not rows.organizations.membership(organization.management_account_id):
        raise BadSeed(
            f"another organization has the id {organization.organization_id}, or the root"
            f" {organization.root_id}; leave them out, to get new ones"
        )


def _check_free(rows: Rows, plan: Plan) -> None:
    organizations = rows.organizations
    for account in plan.accounts:
        if found := organizations.membership(account.account_id):
            raise BadSeed(
                f"account {account.account_id} is in organization {found.organization_id}; leave it"
                " out, or remove it from there first"
            )
    for email in (account.email for account in plan.accounts):
        if organizations.accounts.has_email(email):
            raise BadSeed(f"another account has the email address {email}; use another")
    for policy in plan.policies:
        if organizations.policies.has_id(policy.policy_id):
            raise BadSeed(f"another organization has the policy {policy.policy_id}; leave it out")
