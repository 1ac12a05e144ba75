"""What was brought to pools whose IPAM an internet registry has certified for it.

Such ranges need no other proof of control, and the ROAs for them are made by themselves: strict
ones, for the own ASNs that are associated with a range, or for both of Amazon's. Which ranges there
are the ledger says. What it told last is kept, so that ROAs need nobody's answer to be renewed;
`pool_ranges_worker` asks it again and again, and what is decided here in between counts at once.
"""

from collections.abc import Collection, Iterable

from services.control_plane.byoip.byoip_cidr import ByoipCidr, InPool
from services.control_plane.byoip.pool_range import PoolRange
from services.control_plane.byoip.public_cidr import PublicCidr
from services.control_plane.byoip.routes import authorized_origins, can_be_routed, origins_of
from services.control_plane.byoip.rpki import AMAZON_ASNS
from services.control_plane.delegated_rpki.roa import Roa
from services.control_plane.internet_registries.association import (
    AssociationState,
    InternetRegistryAssociation,
)
from services.control_plane.ipam import Ipam
from services.control_plane.service.byoip.ports import PendingPoolCidr
from services.control_plane.service.internet_registries.associations import step_of
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted, NextStep, StepKind
from services.control_plane.verification import roas as exported
from services.control_plane.verification.verdict import Proven, Refuted
from shared.cidr import AddressFamily, Cidr


def roas_of_ranges(rows: Rows, association: InternetRegistryAssociation) -> set[Roa]:
    """The ROAs for all that was brought to pools of the association's IPAM.

    Also for what other associations of the IPAM certify, or none: each signs what it can.
    """
    ranges = rows.byoip.pool_ranges(association.ipam_id)
    told = rows.byoip.cidrs_of_pools([one.ipam_pool_cidr_id for one in ranges])
    return {
        Roa(one.cidr, asn, one.cidr.prefix_length)
        for one in ranges
        for asn in _authorized(told.get(one.ipam_pool_cidr_id))
    }


def prove(rows: Rows, pending: PendingPoolCidr) -> Accepted[Proven | Refuted]:
    """Whether an association shows that the pool's IPAM controls a range: it is enabled for it.

    If so, and if it can be announced, its ROAs are published from now on, before somebody can
    advertise it.
    """
    cidr, ipam_id = pending.claim.cidr, pending.ipam_id
    if rows.ipam(ipam_id, lock=True) is None:
        return Accepted(Refuted(f"'{ipam_id}' was deleted meanwhile"))
    association = rows.internet_registries.covering(ipam_id, cidr)
    if association is None:
        return Accepted(Refuted(_why_not(rows, ipam_id, cidr)))
    pool = rows.pool(pending.ipam_pool_id)
    is_kept_home = cidr.family is AddressFamily.IPV6 and pool and not pool.publicly_advertisable
    if is_kept_home or not can_be_routed(cidr):
        return Accepted(Proven())
    return Accepted(Proven(), _noting(rows, ipam_id, PoolRange(pending.ipam_pool_cidr_id, cidr)))


def roas_to_come(rows: Rows, cidr: ByoipCidr, origin: int | None) -> list[exported.Roa]:
    """The ROAs that are made for a route to the CIDR by itself, by ``origin`` or by Amazon's ASNs.

    None where no association certifies it.
    """
    holder = cidr.holder
    if not isinstance(holder, InPool) or not can_be_routed(cidr.cidr):
        return []
    return roas_of_pool_cidr(rows, holder.ipam_id, cidr.cidr, origin)


def roas_of_pool_cidr(
    rows: Rows, ipam_id: str, cidr: Cidr, origin: int | None = None
) -> list[exported.Roa]:
    """The same of a CIDR that comes to a pool of an IPAM."""
    if rows.internet_registries.covering(ipam_id, cidr) is None:
        return []
    asns = AMAZON_ASNS if origin is None else (origin,)
    return [exported.Roa(asn, cidr, cidr.prefix_length) for asn in asns]


def note_change(rows: Rows, cidr: ByoipCidr) -> tuple[NextStep, ...]:
    """Who is to originate a CIDR has changed, or whether it is advertised: the steps that follow.

    Nothing where no association certifies it. Its IPAM is locked.
    """
    holder = cidr.holder
    if not isinstance(holder, InPool) or not can_be_routed(cidr.cidr):
        return ()
    return _noting(rows, holder.ipam_id, PoolRange(holder.ipam_pool_cidr_id, cidr.cidr))


def differ(rows: Rows, ipam_id: str, found: Iterable[PublicCidr]) -> bool:
    """What the ledger tells of an IPAM's pools is not what is kept."""
    return {*rows.byoip.pool_ranges(ipam_id)} != {*map(PoolRange.of, found)}


def follow(rows: Rows, ipam: Ipam, found: Collection[PublicCidr]) -> Accepted[None]:
    """Keep what the ledger tells of an IPAM's pools, and have the ROAs be as that says."""
    if rows.ipam(ipam.ipam_id, lock=True) is None or not differ(rows, ipam.ipam_id, found):
        return Accepted(None)
    rows.byoip.save_pool_ranges(ipam.ipam_id, {*map(PoolRange.of, found)})
    return Accepted(None, _publishing(_enabled(rows, ipam.ipam_id)))


def _authorized(told: ByoipCidr | None) -> Collection[int]:
    return authorized_origins(origins_of(told)) if told else AMAZON_ASNS


def _noting(rows: Rows, ipam_id: str, wanted: PoolRange) -> tuple[NextStep, ...]:
    association = rows.internet_registries.covering(ipam_id, wanted.cidr)
    if association is None:
        return ()
    known = {*rows.byoip.pool_ranges(ipam_id)}
    if wanted not in known:
        rows.byoip.save_pool_ranges(ipam_id, known | {wanted})
    return _publishing([association])


def _publishing(associations: Iterable[InternetRegistryAssociation]) -> tuple[NextStep, ...]:
    return tuple(step_of(StepKind.PUBLISH_ROAS, association) for association in associations)


def _enabled(rows: Rows, ipam_id: str) -> list[InternetRegistryAssociation]:
    return [
        association
        for association in rows.internet_registries.of_ipam(ipam_id)
        if association.state is AssociationState.ENABLE_COMPLETE
    ]


def _why_not(rows: Rows, ipam_id: str, cidr: Cidr) -> str:
    """Why no association shows it, and what would help."""
    otherwise = "or sign a message, or use a verification token"
    known = rows.internet_registries.of_ipam(ipam_id)
    enabled = [one.ipam_internet_registry_association_id for one in _enabled(rows, ipam_id)]
    if enabled:
        return (
            f"no registry certifies all of {cidr} to '{ipam_id}' by {', '.join(enabled)}; have the"
            f" registry delegate it (GetIpamInternetRegistryAssociationCidrs tells what it has),"
            f" {otherwise}"
        )
    if known:
        states = ", ".join(
            f"'{one.ipam_internet_registry_association_id}' is in state '{one.state}'"
            for one in known
        )
        return f"no association of '{ipam_id}' is enabled: {states}; enable it, {otherwise}"
    return (
        f"'{ipam_id}' has no association with an internet registry; make and enable one"
        f" (CreateIpamInternetRegistryAssociation), {otherwise}"
    )
