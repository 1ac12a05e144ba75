"""Changing who may originate an association's CIDRs: each change is a delta."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from services.control_plane.delegated_rpki.publication import Roa
from services.control_plane.internet_registries.association import (
    AssociationState,
    InternetRegistryAssociation,
)
from services.control_plane.internet_registries.delta import (
    Change,
    Covers,
    Delta,
    Registrations,
    Withdrawal,
    with_delta,
)
from services.control_plane.internet_registries.registration import (
    RoutingPolicy,
    all_roas_of,
    roas_of,
)
from services.control_plane.internet_registries.registration_errors import (
    NotCertified,
    NotForRegistrations,
    RegistrationLimitExceeded,
    RoutesWouldSuffer,
    TooManyRoutes,
    UnknownRegistration,
)
from services.control_plane.internet_registries.route_conflicts import (
    RoaChange,
    SeenRoute,
    conflicts,
)
from services.control_plane.quotas import Quotas
from services.control_plane.service.internet_registries.brought_along import roas_of_ranges
from services.control_plane.service.internet_registries.holding import hold_association
from services.control_plane.service.internet_registries.publishing import covers, publishing_step
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted
from services.control_plane.verification import roas as exported
from shared.caller import Caller
from shared.cidr import Cidr

STAGING = (
    AssociationState.PENDING_ENABLE,
    AssociationState.ENABLE_IN_PROGRESS,
    AssociationState.ENABLE_FAILED,
)
"""Nothing is published yet, and what is registered waits for that."""

MOST_ROUTES = 5_000
"""That are looked at for one change: it takes half a second, and a tenth of it others wait."""

ChangeOf = Callable[[Registrations], Change]
"""What is wanted, of the registrations as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of routes and ROAs outside of this installation."""

    routes: Sequence[SeenRoute]
    """Those to what a change touches, and to parts of it; more than `MOST_ROUTES`: not all."""
    published: Collection[exported.Roa]
    """What all associations of this installation publish; validators tell of it later."""


def create(policy: RoutingPolicy) -> ChangeOf:
    """Register a CIDR."""
    return lambda _: Change(add=(policy,))


def modify(association_id: str, policy: RoutingPolicy, *, keeps_description: bool) -> ChangeOf:
    """Say anew who may originate a CIDR; what it is described as stays, unless it is said."""

    def change(known: Registrations) -> Change:
        former = _registered(association_id, known, policy.cidr)
        wanted = policy
        if keeps_description:
            wanted = policy.described(former.description)
        return Change(add=(wanted,), delete=(Withdrawal.of(former),))

    return change


def delete(association_id: str, cidr: Cidr) -> ChangeOf:
    """Withdraw a CIDR's registration."""
    return lambda known: Change(delete=(Withdrawal.of(_registered(association_id, known, cidr)),))


def change_registrations(
    rows: Rows,
    caller: Caller,
    association_id: str,
    change_of: ChangeOf,
    known: Known | None,
    quotas: Quotas,
    now: datetime,
) -> Accepted[Delta]:
    """Accept a change as a whole; ``known`` None: whatever becomes of routes.

    Raises:
        UnknownId, UnknownRegistration: the caller has no such association, or it no such
            registration.
        RegistrationAlreadyExists: it has such a registration already.
        UnsupportedOperation, NotForRegistrations: the IPAM's tier, or a state is against it.
        NotCertified: the registry certifies no such CIDR.
        RegistrationLimitExceeded: there would be too many.
        RoutesWouldSuffer, TooManyRoutes: routes that are announced would get worse, or might.
    """
    association = hold_association(rows, caller, association_id)
    before = rows.routing_policies.registrations(association_id)
    delta = Delta(
        delta_id=str(uuid4()),
        association_id=association_id,
        change=change_of(before),
        made_at=now,
        is_staged=_is_staging(association),
    )
    after = with_delta(before, delta)
    is_certified = _everything if delta.is_staged else covers(rows, association, now)
    _check_certified(association_id, delta.change, is_certified)
    _check_quota(association, before, after, quotas)
    if known is not None:
        _check_routes(rows, association, (before, after), known, is_certified)
    rows.routing_policies.save(association_id, before, after)
    rows.routing_policies.add_delta(delta)
    return Accepted(delta, () if delta.is_staged else (publishing_step(association),))


def _is_staging(association: InternetRegistryAssociation) -> bool:
    if association.state not in (*STAGING, AssociationState.ENABLE_COMPLETE):
        raise NotForRegistrations(
            association.ipam_internet_registry_association_id, association.state
        )
    return association.state in STAGING


def _registered(association_id: str, known: Registrations, cidr: Cidr) -> RoutingPolicy:
    registration = known.get(cidr)
    if registration is None or registration.is_going:
        raise UnknownRegistration(association_id, cidr)
    return registration.policy


def _everything(_: Cidr) -> bool:
    """What the registry will certify is not known yet."""
    return True


def _check_certified(association_id: str, change: Change, is_certified: Covers) -> None:
    missing = [policy.cidr for policy in change.add if not is_certified(policy.cidr)]
    if missing:
        raise NotCertified(association_id, missing)


def _check_quota(
    association: InternetRegistryAssociation,
    before: Registrations,
    after: Registrations,
    quotas: Quotas,
) -> None:
    quota = quotas.routing_policy_registrations_per_association.of(association.owner_id)
    count = sum(not one.is_going for one in after.values())
    if count > max(quota, sum(not one.is_going for one in before.values())):
        raise RegistrationLimitExceeded(
            association.ipam_internet_registry_association_id, count, quota
        )


def _check_routes(
    rows: Rows,
    association: InternetRegistryAssociation,
    registrations: tuple[Registrations, Registrations],
    known: Known,
    is_certified: Covers,
) -> None:
    """No announced route gets worse by the change, all that was accepted before being published.

    What validators tell of the association's own ROAs may be older, and does not count.
    """
    if len(known.routes) > MOST_ROUTES:
        raise TooManyRoutes(MOST_ROUTES)
    before, after = (some.values() for some in registrations)
    published = rows.routing_policies.roas(association.ipam_internet_registry_association_id)
    brought = roas_of_ranges(rows, association)
    own = _as_exported(published | all_roas_of(before) | brought)
    elsewhere = {*known.published} - own
    was, will_be = (
        _as_exported(roa for roa in roas_of(some) | brought if is_certified(roa.cidr))
        for some in (before, after)
    )
    change = RoaChange(own, was | elsewhere, will_be | elsewhere)
    effects = [str(conflict) for conflict in conflicts(change, known.routes)]
    if effects:
        raise RoutesWouldSuffer(effects)


def _as_exported(roas: Iterable[Roa]) -> frozenset[exported.Roa]:
    return frozenset(exported.Roa(roa.asn, roa.cidr, roa.max_length) for roa in roas)
