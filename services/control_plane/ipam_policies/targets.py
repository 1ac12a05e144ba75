"""For whom policies are enabled, and which one applies to an account."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from services.control_plane.organizations.membership import Membership


class ManagedBy(enum.StrEnum):
    """Who enabled the policy that applies to an account."""

    ACCOUNT = "account"
    ADMINISTRATOR = "delegated-administrator-for-ipam"


@dataclass(frozen=True, slots=True)
class Target:
    """An account, an OU or a root of an organization; an account by itself without one."""

    organization_id: str | None
    target_id: str


@dataclass(frozen=True, slots=True)
class InForce:
    """The policy that applies to an account."""

    ipam_policy_id: str
    managed_by: ManagedBy


def policy_of_organization(member: Membership, enabled: Mapping[str, str]) -> str | None:
    """The policy of the target that is nearest to a member; None when it is in none.

    ``enabled`` are the organization's policies by target.
    """
    outwards = (member.account_id, *reversed(member.holders))
    return next((enabled[target] for target in outwards if target in enabled), None)


def in_force(of_organization: str | None, own: str | None) -> InForce | None:
    """Which of two applies to an account: its organization's, or the one that it enabled itself."""
    if of_organization:
        return InForce(of_organization, ManagedBy.ADMINISTRATOR)
    return InForce(own, ManagedBy.ACCOUNT) if own else None
