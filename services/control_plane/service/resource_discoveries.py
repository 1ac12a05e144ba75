"""What can be done to a resource discovery."""

from collections.abc import Collection, Iterator

from services.control_plane.lifecycle import check_usable
from services.control_plane.quotas import Quotas
from services.control_plane.regions import operating_regions
from services.control_plane.resource_discoveries.exclusions import Exclusion
from services.control_plane.resource_discoveries.resource_discovery import (
    NewResourceDiscovery,
    ResourceDiscovery,
    ResourceDiscoveryChange,
    as_seen_by,
    changed,
    deleting,
)
from services.control_plane.service.delegation import (
    administered_organization,
    held_administered_organization,
)
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted, NextStep, StepKind
from shared.caller import Caller
from shared.errors import InvalidParameterValue, OperationNotPermitted
from shared.ids import IPAM_RESOURCE_DISCOVERY


def create_resource_discovery(
    rows: Rows, caller: Caller, wanted: NewResourceDiscovery
) -> Accepted[ResourceDiscovery]:
    """Make a resource discovery for other accounts' IPAMs, the one of its own here (DISC-1)."""
    discovery = ResourceDiscovery(
        ipam_resource_discovery_id=IPAM_RESOURCE_DISCOVERY.new(),
        owner_id=caller.account_id,
        region=caller.region,
        is_default=False,
        description=wanted.description,
        operating_regions=operating_regions(caller.region, wanted.operating_regions),
        tags=wanted.tags,
    )
    rows.discoveries.add_discovery(discovery)
    return Accepted(discovery, (settling_discovery(discovery),))


def modify_resource_discovery(
    rows: Rows,
    caller: Caller,
    ipam_resource_discovery_id: str,
    change: ResourceDiscoveryChange,
    quotas: Quotas,
) -> Accepted[ResourceDiscovery]:
    """Change a resource discovery; what it leaves out, as the delegated administrator (ORG-8)."""
    organization_id = None
    if change.exclusions:
        organization_id = held_administered_organization(rows, caller.account_id)
    before = _hold_discovery(rows, caller, ipam_resource_discovery_id)
    if change.exclusions:
        _check_may_exclude(rows, caller, organization_id, change.exclusions.added)
    quota = quotas.ou_exclusions_per_discovery.of(before.owner_id)
    after = changed(before, change, exclusion_quota=quota)
    rows.discoveries.save_discovery(after)
    return Accepted(_as_seen_by_owner(rows, after), (settling_discovery(after),))


def delete_resource_discovery(
    rows: Rows, caller: Caller, ipam_resource_discovery_id: str
) -> Accepted[ResourceDiscovery]:
    """Take a resource discovery out of use, then remove it (DISC-2).

    The IPAMs it is associated with keep their associations, in status not-found.
    """
    discovery = deleting(_hold_discovery(rows, caller, ipam_resource_discovery_id))
    rows.discoveries.save_discovery(discovery)
    step = NextStep(
        StepKind.REMOVE_RESOURCE_DISCOVERY, ipam_resource_discovery_id, discovery.version
    )
    return Accepted(_as_seen_by_owner(rows, discovery), (step,))


def visible_discoveries(
    rows: Rows, caller: Caller, *, ids: Collection[str], after: str | None
) -> Iterator[tuple[str, ResourceDiscovery]]:
    """The caller's in this region and those shared with it, each with its key for paging."""
    shared = rows.shares.discoveries_for(caller.account_id)
    is_administrator = administered_organization(rows, caller.account_id) is not None
    found = rows.discoveries.owned_discoveries(caller, shared=shared, ids=ids, after=after)
    for key, discovery in found:
        yield (
            key,
            as_seen_by(caller.account_id, discovery, is_administrator=is_administrator),
        )


def settling_discovery(discovery: ResourceDiscovery) -> NextStep:
    """The step that completes what was done to it."""
    return NextStep(
        StepKind.SETTLE_RESOURCE_DISCOVERY,
        discovery.ipam_resource_discovery_id,
        discovery.version,
    )


def _hold_discovery(
    rows: Rows, caller: Caller, ipam_resource_discovery_id: str
) -> ResourceDiscovery:
    """The caller's resource discovery of this id, locked, after its IPAM if there is one.

    Raises:
        UnknownId: it is not the caller's, or not in this region.
        IncorrectState: it is the default one of an IPAM that is being deleted.
    """
    ipam = rows.ipam_in(caller.account_id, caller.region, lock=True)
    discovery = rows.discoveries.discovery(ipam_resource_discovery_id, lock=True)
    if discovery is None or (discovery.owner_id, discovery.region) != (
        caller.account_id,
        caller.region,
    ):
        raise IPAM_RESOURCE_DISCOVERY.unknown(ipam_resource_discovery_id)
    if ipam and discovery.is_default:
        check_usable(ipam.ipam_id, ipam.state)
    return discovery


def _check_may_exclude(
    rows: Rows, caller: Caller, organization_id: str | None, added: Collection[Exclusion]
) -> None:
    """The caller may leave OUs of its organization out (ORG-8); there have to be such OUs.

    Raises:
        OperationNotPermitted: it is no delegated IPAM administrator.
        InvalidParameterValue: its organization has no such OU.
    """
    if organization_id is None:
        raise OperationNotPermitted(
            f"Account {caller.account_id} is not the delegated IPAM administrator of an"
            " organization, and only that changes OU exclusions; its management account makes one"
            " with EnableIpamOrganizationAdminAccount",
            account_id=caller.account_id,
        )
    for exclusion in added:
        is_own = exclusion.unit_path.startswith(f"{organization_id}/")
        if not is_own or not rows.organizations.has_unit(exclusion.unit_path):
            raise InvalidParameterValue(
                f"Value ({exclusion}) for parameter addOrganizationalUnitExclusions is invalid;"
                f" organization {organization_id} has no OU {exclusion.unit_id} at this path",
                parameter="addOrganizationalUnitExclusions",
                value=exclusion,
                organization_id=organization_id,
                unit_id=exclusion.unit_id,
            )


def _as_seen_by_owner(rows: Rows, discovery: ResourceDiscovery) -> ResourceDiscovery:
    is_administrator = administered_organization(rows, discovery.owner_id) is not None
    return as_seen_by(discovery.owner_id, discovery, is_administrator=is_administrator)
