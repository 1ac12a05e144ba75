"""Whether being a principal of a share counts for anything now (ORG-4, ORG-5)."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from services.control_plane.sharing.principals import PrincipalKind


@dataclass(frozen=True, slots=True)
class Grant:
    """A principal that an active share has, as far as it decides who may use its resources."""

    owner_id: str
    allow_external_principals: bool
    kind: PrincipalKind
    holder_id: str
    organization_id: str | None
    """The organization that owner and principal were in when it was associated."""
    is_invited: bool
    """It is an account that accepted an invitation."""


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization as it is now."""

    organization_id: str
    accounts: Collection[str]
    is_sharing: bool
    """Its accounts share with each other uninvited."""


NO_ORGANIZATION = Organization("", (), is_sharing=False)
"""Of an account that is in none."""


def stands(grant: Grant, *, is_within: bool, is_sharing: bool) -> bool:
    """The grant counts.

    ``is_within``: its owner and its principal are both in the grant's organization still;
    ``is_sharing``: accounts of that organization share with each other uninvited.
    """
    if grant.is_invited:
        return grant.allow_external_principals or is_within
    return is_within and is_sharing


def users(
    grants: Iterable[Grant], own: Organization, accounts_in: Callable[[str], Collection[str]]
) -> frozenset[str]:
    """The accounts that the grants of one owner reach; the owner itself is none of them.

    ``own`` is the owner's organization; ``accounts_in`` says who is in one of its OUs, or in all
    of it.
    """
    found: set[str] = set()
    for grant in grants:
        is_account = grant.kind is PrincipalKind.ACCOUNT
        is_within = grant.organization_id == own.organization_id and (
            not is_account or grant.holder_id in own.accounts
        )
        if stands(grant, is_within=is_within, is_sharing=own.is_sharing):
            found.update([grant.holder_id] if is_account else accounts_in(grant.holder_id))
        found.discard(grant.owner_id)
    return frozenset(found)
