"""What an IPAM policy is, and the rules of changing one."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from services.control_plane.ipam import Ipam, Tier
from services.control_plane.ipam_policies.errors import IpamPolicyAllocationRuleLimitExceeded
from services.control_plane.lifecycle import State, check_usable
from services.control_plane.pool import AwsService, Pool
from services.control_plane.regions import NO_LOCALE
from services.control_plane.scope import ScopeType
from shared.cidr import AddressFamily
from shared.errors import InvalidParameterValue, OperationNotPermitted
from shared.regions import region_of


class ResourceType(enum.StrEnum):
    """What gets addresses by rules. Of these, this installation has elastic IP addresses only."""

    ALB = "alb"
    EIP = "eip"
    RDS = "rds"
    RNAT = "rnat"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDocument:
    """The rules for one type of resource in one locale: the first pool that can gives an address.

    Without any, these resources get Amazon's.
    """

    locale: str
    resource_type: ResourceType
    ipam_pool_ids: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str]:
        """What there is one document for."""
        return self.locale, self.resource_type


@dataclass(frozen=True, slots=True, kw_only=True)
class IpamPolicy:
    """An IPAM's rules, in order of their keys; what it is enabled for is told beside it."""

    ipam_policy_id: str
    ipam_id: str
    owner_id: str
    ipam_region: str
    tags: Mapping[str, str]
    documents: tuple[PolicyDocument, ...] = ()
    state: State = State.CREATE_IN_PROGRESS
    state_message: str | None = None
    version: int = 1
    """Grows with every change, and whenever it applies to other accounts."""

    def names(self, ipam_pool_id: str) -> bool:
        """One of its rules is for this pool."""
        return any(ipam_pool_id in document.ipam_pool_ids for document in self.documents)


def check_tier_allows_policies(ipam: Ipam) -> None:
    """Policies are for IPAMs on the advanced tier.

    Raises:
        OperationNotPermitted: ``ipam`` is on the free tier.
    """
    if ipam.tier is Tier.FREE:
        raise OperationNotPermitted(
            f"'{ipam.ipam_id}' is on tier '{Tier.FREE}', which has no IPAM policies; change it to"
            f" tier '{Tier.ADVANCED}' first",
            ipam_id=ipam.ipam_id,
            tier=ipam.tier,
        )


def with_document(
    policy: IpamPolicy,
    document: PolicyDocument,
    *,
    ipam: Ipam,
    pools: Sequence[Pool],
    quota: int,
) -> IpamPolicy:
    """``policy`` with this document in the place of the one for the same, on its way to complete.

    ``pools`` are those that it names, in order.

    Raises:
        InvalidParameterValue: it is for nowhere that the IPAM works in, or a pool is not for it.
        IpamPolicyAllocationRuleLimitExceeded: it has more than ``quota`` rules.
    """
    check_usable(policy.ipam_policy_id, policy.state)
    _check_locale(document.locale, ipam)
    count = len(document.ipam_pool_ids)
    if count > quota:
        raise IpamPolicyAllocationRuleLimitExceeded(policy.ipam_policy_id, count, quota)
    for position, pool in enumerate(pools):
        check_usable(pool.ipam_pool_id, pool.state)
        _check_fit(document.locale, pool, pools[:position])
    others = [known for known in policy.documents if known.key != document.key]
    documents = [*others, document] if document.ipam_pool_ids else others
    return replace(
        policy,
        documents=tuple(sorted(documents, key=lambda known: known.key)),
        state=State.MODIFY_IN_PROGRESS,
        version=policy.version + 1,
    )


def deleting(policy: IpamPolicy) -> IpamPolicy:
    """``policy`` on its way out, without rules."""
    return replace(policy, documents=(), state=State.DELETE_IN_PROGRESS, version=policy.version + 1)


def told_anew(policy: IpamPolicy) -> IpamPolicy:
    """``policy`` as it applies to other accounts, which its owner didn't change it for."""
    return replace(policy, version=policy.version + 1)


def _check_locale(locale: str, ipam: Ipam) -> None:
    if region_of(locale) not in ipam.operating_regions:
        raise InvalidParameterValue(
            f"Value ({locale}) for parameter locale is invalid; use an operating region of"
            f" '{ipam.ipam_id}' ({', '.join(ipam.operating_regions)}), or a group of its Local"
            " Zones",
            parameter="locale",
            value=locale,
            operating_regions=",".join(ipam.operating_regions),
        )


def _check_fit(locale: str, pool: Pool, before: Sequence[Pool]) -> None:
    """It gives public IPv4 addresses there, and is not named twice."""
    why = _why_unfit(locale, pool)
    if pool in before:
        why = "it is named twice; name each pool once"
    if why:
        raise InvalidParameterValue(
            f"Value ({pool.ipam_pool_id}) for parameter allocationRule.sourceIpamPoolId is"
            f" invalid; {why}",
            parameter="allocationRule.sourceIpamPoolId",
            value=pool.ipam_pool_id,
        )


def _why_unfit(locale: str, pool: Pool) -> str | None:
    if pool.scope_type is ScopeType.PRIVATE or pool.address_family is AddressFamily.IPV6:
        return "use an IPv4 pool of a public scope"
    if pool.locale == NO_LOCALE:
        return f"it has no locale, so no resource may use it; use one with locale '{locale}'"
    if pool.locale != locale:
        return f"its locale is '{pool.locale}'; use one with locale '{locale}'"
    if pool.aws_service is not AwsService.EC2:
        return f"use a pool with AwsService '{AwsService.EC2}'"
    return None
