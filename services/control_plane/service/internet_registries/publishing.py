"""Publishing ROAs: what is wanted, what is signed for it, and what becomes of that."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.control_plane.delegated_rpki.authority import Authority
from services.control_plane.delegated_rpki.publication import Publication, Roa, publish, renew_at
from services.control_plane.internet_registries.association import (
    AssociationState,
    InternetRegistryAssociation,
)
from services.control_plane.internet_registries.authorities import KeptAuthority
from services.control_plane.internet_registries.delta import (
    Covers,
    Registrations,
    Settlement,
    as_settled,
    replayed,
    settle,
)
from services.control_plane.internet_registries.registration import RegistrationState, roas_of
from services.control_plane.internet_registries.registration_errors import PublishedMeanwhile
from services.control_plane.service.internet_registries.brought_along import roas_of_ranges
from services.control_plane.service.internet_registries.holding import held_association
from services.control_plane.service.routing_policy_rows import Published
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted, NextStep, StepKind
from shared.cidr import Cidr

RENEWAL_SPREAD = timedelta(hours=4)
"""Publications are renewed up to that much before they have to be, each at its own time."""
_RENEWAL_TAKES = timedelta(minutes=10)
"""After that time a renewal that was begun is begun again; to do it twice does no harm."""

Authorities = Mapping[str, KeptAuthority]
"""By resource class of the registry's."""
Unlock = Callable[[str, str, KeptAuthority], Authority]
"""Decrypts the key of an association's resource class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is to be signed of an association, as of one moment."""

    association_id: str
    authorities: Authorities
    settled: Registrations
    """As they were before all that was in progress."""
    settlement: Settlement
    wanted: Mapping[str, frozenset[Roa]]
    """By resource class."""
    published: Mapping[str, Published]
    """By resource class, before."""


def publishing_step(association: InternetRegistryAssociation) -> NextStep:
    """The step that publishes whatever is wanted when it is carried out."""
    return NextStep(
        StepKind.PUBLISH_ROAS,
        association.ipam_internet_registry_association_id,
        association.version,
    )


def covers(rows: Rows, association: InternetRegistryAssociation, now: datetime) -> Covers:
    """Whether ROAs of a CIDR can be signed for an association now."""
    authorities = _counting(rows, association.ipam_internet_registry_association_id, now)
    return lambda cidr: _class_of(cidr, authorities) is not None


def work_on(rows: Rows, association_id: str, now: datetime) -> Work | None:
    """What is to be done; None: the association is not enabled, or not any more."""
    association = rows.internet_registries.get(association_id)
    if association is None or association.state is not AssociationState.ENABLE_COMPLETE:
        return None
    authorities = _counting(rows, association_id, now)
    registrations = rows.routing_policies.registrations(association_id)
    settlement = settle(
        registrations,
        rows.routing_policies.pending_deltas(association_id),
        lambda cidr: _class_of(cidr, authorities) is not None,
    )
    active = [
        one
        for one in settlement.registrations.values()
        if one.state is not RegistrationState.ACTIVATE_FAILED
    ]
    wanted = roas_of(active) | roas_of_ranges(rows, association)
    return Work(
        association_id=association_id,
        authorities=authorities,
        settled=as_settled(registrations),
        settlement=settlement,
        wanted=_by_class(wanted, authorities),
        published=rows.routing_policies.published(association_id),
    )


def signed(work: Work, unlock: Unlock, now: datetime) -> Mapping[str, Published]:
    """What is to be published instead, by resource class; without those that may stay as they are.

    Takes 60 ms for each new ROA.
    """
    found = {}
    for class_name, kept in work.authorities.items():
        authority = unlock(work.association_id, class_name, kept)
        before = work.published.get(class_name)
        wanted = work.wanted[class_name]
        if before is None or not _may_stay(before.publication, authority, wanted, now):
            publication = publish(authority, wanted, before.publication if before else None, now)
            found[class_name] = _published(publication, authority)
    return found


def end_publishing(rows: Rows, work: Work, changed: Mapping[str, Published]) -> None:
    """Save what was signed, and have registrations and deltas move on.

    What was accepted while it was signed has a step of its own.

    Raises:
        ConcurrentModification, PublishedMeanwhile: somebody else published meanwhile.
    """
    association = held_association(rows, work.association_id)
    if association is None or association.state is not AssociationState.ENABLE_COMPLETE:
        return
    for class_name, published in changed.items():
        before = work.published.get(class_name)
        rows.routing_policies.save_published(work.association_id, class_name, before, published)
    for class_name in work.published.keys() - work.authorities.keys():
        rows.routing_policies.remove_published(work.association_id, class_name)
    _settle(rows, work)


def renew_due(rows: Rows, now: datetime) -> Accepted[None]:
    """Have published anew what is due; each is taken up by one of the replicas."""
    due = rows.routing_policies.due(now, now + _RENEWAL_TAKES)
    associations = [rows.internet_registries.get(association_id) for association_id in due]
    return Accepted(None, tuple(publishing_step(one) for one in associations if one))


def _counting(rows: Rows, association_id: str, now: datetime) -> Authorities:
    """Those whose certificates have not ended."""
    authorities = rows.internet_registries.authorities(association_id)
    return {name: one for name, one in authorities.items() if one.not_after > now}


def _settle(rows: Rows, work: Work) -> None:
    before = rows.routing_policies.registrations(work.association_id)
    if as_settled(before) != work.settled:
        raise PublishedMeanwhile(work.association_id)
    for delta in work.settlement.deltas:
        rows.routing_policies.end_delta(delta)
    later = rows.routing_policies.pending_deltas(work.association_id)
    after = replayed(work.settlement.registrations, later)
    rows.routing_policies.save(work.association_id, before, after)


def _may_stay(
    before: Publication, authority: Authority, wanted: frozenset[Roa], now: datetime
) -> bool:
    return before.roas.keys() == wanted and now < renew_at(before, authority)


def _published(publication: Publication, authority: Authority) -> Published:
    # Serial numbers are random, so what was published at once is not renewed at once.
    early = RENEWAL_SPREAD * (publication.manifest_serial % 1000 / 1000)
    return Published(
        publication, authority.place.repository_uri, renew_at(publication, authority) - early
    )


def _by_class(wanted: frozenset[Roa], authorities: Authorities) -> Mapping[str, frozenset[Roa]]:
    """Each ROA is one authority's; what none can sign is left out."""
    found: dict[str, set[Roa]] = {class_name: set() for class_name in authorities}
    for roa in wanted:
        class_name = _class_of(roa.cidr, authorities)
        if class_name is not None:
            found[class_name].add(roa)
    return {class_name: frozenset(roas) for class_name, roas in found.items()}


def _class_of(cidr: Cidr, authorities: Authorities) -> str | None:
    """The first resource class, by name, whose certificate has all of a CIDR."""
    return next(
        (name for name in sorted(authorities) if authorities[name].resources.covers(cidr)), None
    )
