"""Finding the association that a caller means, and keeping it still."""

from services.control_plane.internet_registries.association import (
    InternetRegistryAssociation,
    check_tier_allows_associations,
)
from services.control_plane.lifecycle import check_usable
from services.control_plane.service.holding import hold_ipam
from services.control_plane.service.rows import Rows
from shared.caller import Caller
from shared.ids import IPAM_INTERNET_REGISTRY_ASSOCIATION


def known_association(
    rows: Rows, caller: Caller, association_id: str
) -> InternetRegistryAssociation:
    """The caller's association of this id.

    Raises:
        UnknownId: it is not the caller's, or its home region is another.
    """
    association = rows.internet_registries.get(association_id)
    if association is None or (association.owner_id, association.ipam_region) != (
        caller.account_id,
        caller.region,
    ):
        raise IPAM_INTERNET_REGISTRY_ASSOCIATION.unknown(association_id)
    return association


def hold_association(
    rows: Rows, caller: Caller, association_id: str
) -> InternetRegistryAssociation:
    """The caller's association of this id; its IPAM, which can be used, is locked.

    Raises:
        UnknownId: it is not the caller's, or its home region is another.
        UnsupportedOperation: its IPAM is on the free tier.
        IncorrectState: its IPAM is being deleted.
    """
    ipam = hold_ipam(rows, caller, known_association(rows, caller, association_id).ipam_id)
    check_usable(ipam.ipam_id, ipam.state)
    check_tier_allows_associations(ipam)
    return known_association(rows, caller, association_id)


def held_association(rows: Rows, association_id: str) -> InternetRegistryAssociation | None:
    """The association as it is once its IPAM is locked, for the end of what takes time."""
    found = rows.internet_registries.get(association_id)
    if found is None or rows.ipam(found.ipam_id, lock=True) is None:
        return None
    return rows.internet_registries.get(association_id)
