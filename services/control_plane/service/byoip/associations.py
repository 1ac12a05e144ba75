"""Which ASNs may originate a CIDR (ASN-2)."""

from collections.abc import Collection

from services.control_plane.byoip import byoip_cidr as rules
from services.control_plane.byoip.asn_association import AsnAssociation
from services.control_plane.byoip.byoasn import AsnState
from services.control_plane.byoip.byoip_cidr import ByoipCidr
from services.control_plane.byoip.errors import UnknownAsn
from services.control_plane.byoip.public_cidr import PublicCidr
from services.control_plane.byoip.rpki import Rpki
from services.control_plane.lifecycle import check_usable
from services.control_plane.service.byoip.holding import hold_cidr, pool_cidr, settling
from services.control_plane.service.internet_registries.brought_along import roas_to_come
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted
from shared.caller import Caller
from shared.cidr import Cidr
from shared.errors import IncorrectState


def associate(
    rows: Rows,
    caller: Caller,
    cidr: Cidr,
    asn: int,
    found: Collection[PublicCidr],
    rpki: Rpki,
) -> Accepted[ByoipCidr]:
    """Allow an ASN to originate a CIDR.

    It has to be provisioned to the IPAM that has the CIDR, or to any of the caller's when the CIDR
    came without one.

    Raises:
        UnknownByoipCidr, UnknownAsn: the caller has no such CIDR, or the IPAM no such ASN.
        IncorrectState: one of them is not provisioned, or they are associated already.
        OperationNotPermitted: the CIDR can't be advertised, or not by this ASN (RPKI).
    """
    public = pool_cidr(rows, caller, cidr, found)
    _hold_asn(rows, caller, asn, public.ipam_id if public else None)
    held = hold_cidr(rows, caller, cidr, found)
    warning = rpki.beside(roas_to_come(rows, held, asn)).warning(cidr, asn)
    return settling(rows, rules.associating(held, asn, warning))


def disassociate(
    rows: Rows, caller: Caller, cidr: Cidr, asn: int, found: Collection[PublicCidr]
) -> Accepted[ByoipCidr]:
    """End that; the CIDR must not be advertised by the ASN.

    Raises:
        UnknownByoipCidr, NotAssociated: there is no such association.
        DependencyViolation: the CIDR is advertised by the ASN.
    """
    return settling(rows, rules.disassociating(hold_cidr(rows, caller, cidr, found), asn))


def association_of(cidr: ByoipCidr, asn: int) -> tuple[ByoipCidr, AsnAssociation]:
    """An association that the CIDR has, with the CIDR."""
    return cidr, next(one for one in cidr.asn_associations if one.asn == asn)


def _hold_asn(rows: Rows, caller: Caller, asn: int, ipam_id: str | None) -> None:
    """Keep the ASN from being deprovisioned: its IPAM is locked.

    Raises:
        UnknownAsn: it is not of that IPAM, or of none of the caller's.
        IncorrectState: it is not provisioned.
    """
    owner = f"'{ipam_id}'" if ipam_id else f"an IPAM of account {caller.account_id}"
    found = rows.byoip.holder_of(asn)
    if found is None or found.owner_id != caller.account_id:
        raise UnknownAsn(asn, owner)
    ipam = rows.ipam(found.ipam_id, lock=True)
    held = rows.byoip.byoasn(found.byoasn_id)
    if ipam is None or held is None or ipam_id not in (None, held.ipam_id):
        raise UnknownAsn(asn, owner)
    check_usable(ipam.ipam_id, ipam.state)
    if held.state is not AsnState.PROVISIONED:
        raise IncorrectState(
            f"ASN {asn} is in state '{held.state}'; only what is provisioned can be associated",
            asn=asn,
            state=held.state,
        )
