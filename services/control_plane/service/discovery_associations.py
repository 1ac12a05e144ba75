"""What can be done to the association of a resource discovery with an IPAM."""

from collections.abc import Collection, Iterator
from functools import cache

from services.control_plane.lifecycle import check_usable
from services.control_plane.quotas import Quotas
from services.control_plane.resource_discoveries.association import (
    NewAssociation,
    ResourceDiscoveryAssociation,
    SeenAssociation,
    as_seen_by,
    check_may_associate,
    disassociating,
)
from services.control_plane.resource_discoveries.resource_discovery import ResourceDiscovery
from services.control_plane.service.holding import hold_ipam
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted, NextStep, StepKind
from shared.caller import Caller
from shared.ids import IPAM_RESOURCE_DISCOVERY, IPAM_RESOURCE_DISCOVERY_ASSOCIATION


def associate(
    rows: Rows, caller: Caller, wanted: NewAssociation, quotas: Quotas
) -> Accepted[SeenAssociation]:
    """Let the caller's IPAM see what a resource discovery sees that it may see (DISC-2)."""
    ipam = hold_ipam(rows, caller, wanted.ipam_id)
    discovery = _visible_discovery(rows, caller, wanted.ipam_resource_discovery_id)
    check_usable(ipam.ipam_id, ipam.state)
    check_usable(discovery.ipam_resource_discovery_id, discovery.state)
    check_may_associate(
        ipam,
        discovery.ipam_resource_discovery_id,
        rows.discoveries.associations(ipam.ipam_id),
        quota=quotas.discovery_associations_per_ipam.of(ipam.owner_id),
    )
    association = ResourceDiscoveryAssociation(
        ipam_resource_discovery_association_id=IPAM_RESOURCE_DISCOVERY_ASSOCIATION.new(),
        owner_id=ipam.owner_id,
        ipam_id=ipam.ipam_id,
        ipam_region=ipam.region,
        ipam_resource_discovery_id=discovery.ipam_resource_discovery_id,
        is_default=False,
        tags=wanted.tags,
        discovery_owner_id=discovery.owner_id,
    )
    rows.discoveries.add_association(association)
    return _accepted(rows, association, StepKind.SETTLE_DISCOVERY_ASSOCIATION)


def disassociate(rows: Rows, caller: Caller, association_id: str) -> Accepted[SeenAssociation]:
    """End that; also of a resource discovery that is not found any more.

    Raises:
        UnknownId: the caller's IPAM here has no such association.
        OperationNotPermitted: it is the default one.
    """
    ipam = rows.ipam_in(caller.account_id, caller.region, lock=True)
    found = rows.discoveries.association(association_id)
    if ipam is None or found is None or found.ipam_id != ipam.ipam_id:
        raise IPAM_RESOURCE_DISCOVERY_ASSOCIATION.unknown(association_id)
    association = disassociating(found)
    rows.discoveries.save_association(association)
    return _accepted(rows, association, StepKind.REMOVE_DISCOVERY_ASSOCIATION)


def visible_associations(
    rows: Rows, caller: Caller, *, ids: Collection[str], after: str | None
) -> Iterator[tuple[str, SeenAssociation]]:
    """Those of the caller's IPAM, and of its resource discoveries, each with its key for paging."""
    shared_with = cache(rows.shares.discoveries_for)
    for key, association in rows.discoveries.associations_of(caller, ids=ids, after=after):
        shared = shared_with(association.owner_id)
        yield key, as_seen_by(caller.account_id, association, shared)


def _visible_discovery(
    rows: Rows, caller: Caller, ipam_resource_discovery_id: str
) -> ResourceDiscovery:
    found = rows.discoveries.owned_discoveries(
        caller,
        shared=rows.shares.discoveries_for(caller.account_id),
        ids=[ipam_resource_discovery_id],
        after=None,
    )
    for _, discovery in found:
        return discovery
    raise IPAM_RESOURCE_DISCOVERY.unknown(ipam_resource_discovery_id)


def _accepted(
    rows: Rows, association: ResourceDiscoveryAssociation, kind: StepKind
) -> Accepted[SeenAssociation]:
    owner_id = association.owner_id
    seen = as_seen_by(owner_id, association, rows.shares.discoveries_for(owner_id))
    step = NextStep(kind, association.ipam_resource_discovery_association_id, association.version)
    return Accepted(seen, (step,))
