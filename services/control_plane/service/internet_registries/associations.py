"""What can be done to an association with an internet registry."""

from datetime import datetime
from typing import Protocol

from services.control_plane.delegated_rpki.out_of_band import ParentContact
from services.control_plane.internet_registries.association import (
    InternetRegistryAssociation,
    NewAssociation,
    check_handle,
    check_room,
    check_tier_allows_associations,
    deleting,
    enabling,
    forced_out,
)
from services.control_plane.internet_registries.errors import HasRegistrations
from services.control_plane.lifecycle import check_usable
from services.control_plane.quotas import Quotas
from services.control_plane.service.holding import hold_ipam
from services.control_plane.service.internet_registries.holding import (
    hold_association,
    known_association,
)
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted, NextStep, StepKind
from shared.caller import Caller
from shared.ids import IPAM_INTERNET_REGISTRY_ASSOCIATION


class CheckHost(Protocol):
    """Who knows at which hosts the parents of a registry may be."""

    def __call__(self, service_uri: str, rir: str) -> None:
        """The host is one of them.

        Raises:
            ParentResponseRefused: it is not.
        """


def create_association(
    rows: Rows, caller: Caller, ipam_id: str, wanted: NewAssociation, quotas: Quotas
) -> Accepted[InternetRegistryAssociation]:
    """Begin to associate an IPAM with an organization at a registry."""
    check_handle(wanted.organization_handle)
    ipam = hold_ipam(rows, caller, ipam_id)
    check_usable(ipam_id, ipam.state)
    check_tier_allows_associations(ipam)
    quota = quotas.internet_registry_associations_per_ipam.of(ipam.owner_id)
    check_room(ipam, wanted, rows.internet_registries.of_ipam(ipam_id), quota)
    association = InternetRegistryAssociation(
        ipam_internet_registry_association_id=IPAM_INTERNET_REGISTRY_ASSOCIATION.new(),
        ipam_id=ipam_id,
        owner_id=ipam.owner_id,
        ipam_region=ipam.region,
        rir=wanted.rir,
        organization_handle=wanted.organization_handle,
        description=wanted.description,
        tags=wanted.tags,
    )
    rows.internet_registries.add(association)
    return Accepted(
        association, (step_of(StepKind.CREATE_INTERNET_REGISTRY_ASSOCIATION, association),)
    )


def enable_association(
    rows: Rows,
    caller: Caller,
    association_id: str,
    parent: ParentContact,
    check_host: CheckHost,
    now: datetime,
) -> Accepted[InternetRegistryAssociation]:
    """Take in where the registry is spoken to, and ask it there.

    Raises:
        ParentResponseRefused: it must not be spoken to there.
    """
    association = enabling(hold_association(rows, caller, association_id), now)
    check_host(parent.service_uri, association.rir)
    rows.internet_registries.save(association)
    rows.internet_registries.set_parent(association_id, parent)
    return Accepted(
        association, (step_of(StepKind.ENABLE_INTERNET_REGISTRY_ASSOCIATION, association),)
    )


def delete_association(
    rows: Rows, caller: Caller, association_id: str
) -> Accepted[InternetRegistryAssociation]:
    """Take an association without registrations out of use, then remove it."""
    hold_ipam(rows, caller, known_association(rows, caller, association_id).ipam_id)
    association = deleting(known_association(rows, caller, association_id))
    count = rows.routing_policies.count(association_id)
    if count:
        raise HasRegistrations(association_id, count)
    rows.internet_registries.save(association)
    return Accepted(
        association, (step_of(StepKind.REMOVE_INTERNET_REGISTRY_ASSOCIATION, association),)
    )


def remove_associations(rows: Rows, ipam_id: str) -> tuple[NextStep, ...]:
    """Take all associations of an IPAM that goes out of use, then remove them."""
    going = [forced_out(one) for one in rows.internet_registries.of_ipam(ipam_id)]
    for association in going:
        rows.internet_registries.save(association)
    return tuple(step_of(StepKind.REMOVE_INTERNET_REGISTRY_ASSOCIATION, one) for one in going)


def step_of(kind: StepKind, association: InternetRegistryAssociation) -> NextStep:
    """A step of this kind, as long as the association does not change."""
    return NextStep(kind, association.ipam_internet_registry_association_id, association.version)
