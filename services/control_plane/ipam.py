"""What an IPAM is, and the rules of changing one (IPAM-1 to IPAM-8)."""

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from services.control_plane.amazon_blocks import AmazonBlockQuota
from services.control_plane.errors import StillInUse
from services.control_plane.lifecycle import State, check_usable
from services.control_plane.metering import MeteredAccount, Metering
from services.control_plane.regions import NO_LOCALE, changed_operating_regions
from shared.cidr import AddressFamily
from shared.errors import OperationNotPermitted
from shared.regions import region_of

T = TypeVar("T")


class Tier(enum.StrEnum):
    FREE = "free"
    ADVANCED = "advanced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ipam:
    """An IPAM and, read with it, how much it has."""

    ipam_id: str
    owner_id: str
    region: str
    """Its home region."""
    description: str | None
    operating_regions: tuple[str, ...]
    tier: Tier
    enable_private_gua: bool
    metering: Metering
    public_default_scope_id: str
    private_default_scope_id: str
    default_resource_discovery_id: str
    default_resource_discovery_association_id: str
    tags: Mapping[str, str]
    cidr_quota: int
    """CIDRs a pool may have, as the ledger was last told."""
    amazon_block_quotas: Mapping[AddressFamily, AmazonBlockQuota] = field(default_factory=dict)
    """Likewise, what the owner may have of Amazon's space."""
    state: State = State.CREATE_IN_PROGRESS
    state_message: str | None = None
    version: int = 1
    """Grows with every change."""
    definition_version: int = 1
    """The version of the last change that is the ledger's business."""
    scope_count: int = 2
    resource_discovery_association_count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class NewIpam:
    """What a caller may say about an IPAM to be made."""

    description: str | None = None
    operating_regions: tuple[str, ...] = ()
    tags: Mapping[str, str]
    tier: Tier = Tier.ADVANCED
    enable_private_gua: bool = False
    metered_account: MeteredAccount = MeteredAccount.IPAM_OWNER


@dataclass(frozen=True, slots=True, kw_only=True)
class IpamChange:
    """What a caller may change; None leaves it as it is."""

    description: str | None = None
    add_operating_regions: tuple[str, ...] = ()
    remove_operating_regions: tuple[str, ...] = ()
    tier: Tier | None = None
    enable_private_gua: bool | None = None
    metered_account: MeteredAccount | None = None


def changed(ipam: Ipam, change: IpamChange) -> Ipam:
    """``ipam`` after ``change``, on its way to modify-complete.

    What the change asks of the IPAM's pools is for `check_locales_remain` and `check_fits_free`,
    and who pays for `Metering`.
    """
    check_usable(ipam.ipam_id, ipam.state)
    return replace(
        ipam,
        description=_given(change.description, ipam.description),
        operating_regions=changed_operating_regions(
            ipam.region,
            ipam.operating_regions,
            added=change.add_operating_regions,
            removed=change.remove_operating_regions,
        ),
        tier=_given(change.tier, ipam.tier),
        enable_private_gua=_given(change.enable_private_gua, ipam.enable_private_gua),
        state=State.MODIFY_IN_PROGRESS,
        version=ipam.version + 1,
    )


def check_locales_remain(
    ipam_id: str, remaining: Collection[str], locales: Mapping[str, str]
) -> None:
    """No pool loses the region it allocates in (IPAM-3). ``locales`` is by pool id.

    Raises:
        StillInUse: a pool's locale lies in none of the ``remaining`` regions.
    """
    stranded = [
        f"{pool_id} ({locale})"
        for pool_id, locale in locales.items()
        if locale != NO_LOCALE and region_of(locale) not in remaining
    ]
    if stranded:
        raise StillInUse(
            f"Operating regions of '{ipam_id}' that are the locale of a pool can't be removed;"
            " delete these pools first",
            ipam_id,
            stranded,
        )


def check_fits_free(
    ipam: Ipam,
    *,
    private_pools: Sequence[str],
    private_scopes: Sequence[str],
    locales: Mapping[str, str],
    discovery_associations: Sequence[str],
    policies: Sequence[str] = (),
    registry_associations: Sequence[str] = (),
) -> None:
    """What the advanced tier allows and the free one doesn't must be gone first (IPAM-5).

    Raises:
        StillInUse: with the list of what stands in the way.
    """
    elsewhere = [pool_id for pool_id, locale in locales.items() if locale != ipam.region]
    obstacles = dict.fromkeys(
        [
            *private_pools,
            *elsewhere,
            *private_scopes,
            *discovery_associations,
            *policies,
            *registry_associations,
        ]
    )
    if obstacles:
        raise StillInUse(
            f"'{ipam.ipam_id}' can't change to tier '{Tier.FREE}' while it has private pools, pools"
            f" with a locale other than {ipam.region}, IPAM policies, associations with internet"
            " registries, or scopes or resource discovery associations besides its default ones",
            ipam.ipam_id,
            obstacles,
        )


def check_none_of_others(ipam: Ipam, foreign: Sequence[str]) -> None:
    """Only the owner has allocations on the free tier (IPAM-4, IPAM-5).

    Raises:
        StillInUse: other accounts have the allocations ``foreign``.
    """
    if foreign:
        raise StillInUse(
            f"'{ipam.ipam_id}' can't change to tier '{Tier.FREE}' while accounts other than"
            f" {ipam.owner_id} have allocations of its pools",
            ipam.ipam_id,
            foreign,
        )


def check_tier_allows_scopes(ipam: Ipam) -> None:
    """The free tier has no scopes besides the default ones (IPAM-4).

    Raises:
        OperationNotPermitted: ``ipam`` is on the free tier.
    """
    if ipam.tier is Tier.FREE:
        raise OperationNotPermitted(
            f"'{ipam.ipam_id}' is on tier '{Tier.FREE}', which has no scopes besides its default"
            f" ones; change it to tier '{Tier.ADVANCED}' first",
            ipam_id=ipam.ipam_id,
            tier=ipam.tier,
        )


def _given(value: T | None, otherwise: T) -> T:
    return otherwise if value is None else value
