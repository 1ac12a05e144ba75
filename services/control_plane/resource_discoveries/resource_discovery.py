"""What a resource discovery is, and the rules of changing one (DISC-1, ORG-8)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from services.control_plane.ipam import Ipam
from services.control_plane.lifecycle import State, check_usable
from services.control_plane.organizations.membership import Membership
from services.control_plane.regions import changed_operating_regions
from services.control_plane.resource_discoveries.exclusions import (
    Exclusion,
    ExclusionsChange,
    changed_exclusions,
    is_excluded,
)
from shared.errors import OperationNotPermitted


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceDiscovery:
    """From which regions, and but for which OUs, an account's resources are discovered."""

    ipam_resource_discovery_id: str
    owner_id: str
    region: str
    """Its home region."""
    is_default: bool
    """It came with its owner's IPAM in this region, and goes with it."""
    description: str | None
    operating_regions: tuple[str, ...]
    exclusions: tuple[Exclusion, ...] = ()
    tags: Mapping[str, str]
    state: State = State.CREATE_IN_PROGRESS
    version: int = 1
    """Grows with every change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewResourceDiscovery:
    """What a caller may say about a resource discovery to be made."""

    description: str | None = None
    operating_regions: tuple[str, ...] = ()
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceDiscoveryChange:
    """What a caller may change; None leaves it as it is."""

    description: str | None = None
    add_operating_regions: tuple[str, ...] = ()
    remove_operating_regions: tuple[str, ...] = ()
    exclusions: ExclusionsChange = field(default_factory=ExclusionsChange)


def default_resource_discovery(ipam: Ipam) -> ResourceDiscovery:
    """The one an IPAM is made with, complete as soon as it is there (IPAM-1)."""
    return ResourceDiscovery(
        ipam_resource_discovery_id=ipam.default_resource_discovery_id,
        owner_id=ipam.owner_id,
        region=ipam.region,
        is_default=True,
        description=None,
        operating_regions=ipam.operating_regions,
        tags={},
        state=State.CREATE_COMPLETE,
    )


def changed(
    discovery: ResourceDiscovery, change: ResourceDiscoveryChange, *, exclusion_quota: int
) -> ResourceDiscovery:
    """``discovery`` after ``change``, on its way to modify-complete.

    Who may change exclusions, and whether their OUs exist, is for the caller to check.

    Raises:
        OperationNotPermitted: a default one's regions were to change.
        InvalidParameterValue, InvalidParameterCombination, QuotaExceeded: the outcome is not
            allowed.
    """
    check_usable(discovery.ipam_resource_discovery_id, discovery.state)
    if discovery.is_default and (change.add_operating_regions or change.remove_operating_regions):
        raise OperationNotPermitted(
            f"'{discovery.ipam_resource_discovery_id}' is a default resource discovery, whose"
            " operating regions are its IPAM's; change those with ModifyIpam",
            ipam_resource_discovery_id=discovery.ipam_resource_discovery_id,
        )
    return replace(
        discovery,
        description=discovery.description if change.description is None else change.description,
        operating_regions=changed_operating_regions(
            discovery.region,
            discovery.operating_regions,
            added=change.add_operating_regions,
            removed=change.remove_operating_regions,
        ),
        exclusions=changed_exclusions(
            discovery.ipam_resource_discovery_id,
            discovery.exclusions,
            change.exclusions,
            quota=exclusion_quota,
        ),
        state=State.MODIFY_IN_PROGRESS,
        version=discovery.version + 1,
    )


def following(discovery: ResourceDiscovery, ipam: Ipam) -> ResourceDiscovery:
    """A default one after its IPAM's operating regions changed, on its way to modify-complete."""
    return replace(
        discovery,
        operating_regions=ipam.operating_regions,
        state=State.MODIFY_IN_PROGRESS,
        version=discovery.version + 1,
    )


def deleting(discovery: ResourceDiscovery) -> ResourceDiscovery:
    """``discovery`` on its way out.

    Raises:
        OperationNotPermitted: it is a default one, which goes with its IPAM.
    """
    if discovery.is_default:
        raise OperationNotPermitted(
            f"'{discovery.ipam_resource_discovery_id}' is a default resource discovery; it is"
            " deleted with its IPAM only",
            ipam_resource_discovery_id=discovery.ipam_resource_discovery_id,
        )
    return replace(discovery, state=State.DELETE_IN_PROGRESS, version=discovery.version + 1)


def as_seen_by(
    account_id: str, discovery: ResourceDiscovery, *, is_administrator: bool
) -> ResourceDiscovery:
    """What an account that may see ``discovery`` sees of it.

    Its tags are the owner's alone. What it leaves out is for the owner while that is the delegated
    administrator, which ``is_administrator`` says, and for those it is shared with (ORG-8, DISC-7).
    """
    if account_id != discovery.owner_id:
        return replace(discovery, tags={})
    return discovery if is_administrator else replace(discovery, exclusions=())


def covered_accounts(discovery: ResourceDiscovery, members: Iterable[Membership]) -> list[str]:
    """The accounts whose resources ``discovery`` discovers, in order (ORG-3).

    ``members`` are the accounts of the organization whose delegated administrator its owner is;
    without any, it discovers its owner's alone.
    """
    covered = {
        member.account_id
        for member in members
        if not is_excluded(member, discovery.exclusions, discovery.owner_id)
    }
    return sorted(covered | {discovery.owner_id})
