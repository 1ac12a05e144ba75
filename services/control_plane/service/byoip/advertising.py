"""Advertising CIDRs to the internet, and not any more (BYOIP-4, ASN-3)."""

from collections.abc import Collection
from datetime import datetime

from services.control_plane.byoip import byoip_cidr as rules
from services.control_plane.byoip.byoip_cidr import ByoipCidr, WantedOrigin, origin_of
from services.control_plane.byoip.errors import UnknownByoipCidr
from services.control_plane.byoip.public_cidr import PublicCidr
from services.control_plane.byoip.rpki import Rpki
from services.control_plane.service.byoip.holding import check_border_group, hold_cidr, settling
from services.control_plane.service.internet_registries.brought_along import roas_to_come
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted
from shared.caller import Caller
from shared.cidr import Cidr


def advertise(
    rows: Rows,
    caller: Caller,
    cidr: Cidr,
    wanted: tuple[WantedOrigin, str | None],
    found: Collection[PublicCidr],
    rpki: Rpki,
    now: datetime,
) -> Accepted[ByoipCidr]:
    """Have a CIDR advertised; ``wanted`` is by whose ASN, and from where if that is said.

    Raises:
        UnknownByoipCidr, NotAssociated: the caller has no such CIDR, or it no such ASN.
        OperationNotPermitted: something about it, or about its ROAs, is against it.
        IncorrectState: it is not provisioned, or it is too soon for an own ASN.
        InvalidParameterValue: it is elsewhere.
    """
    origin, border_group = wanted
    held = hold_cidr(rows, caller, cidr, found)
    check_border_group(held, border_group)
    asn = origin_of(held, origin)
    rpki = rpki.beside(roas_to_come(rows, held, asn))
    rpki.check_length(cidr)
    warning = rpki.warning(cidr, asn)
    return settling(rows, rules.advertising(held, origin, warning, now))


def withdraw(
    rows: Rows, caller: Caller, cidr: Cidr, found: Collection[PublicCidr]
) -> Accepted[ByoipCidr]:
    """Have a CIDR advertised no more, by whatever ASN it was.

    Raises:
        UnknownByoipCidr: the caller has no such CIDR.
        IncorrectState: it is not advertised.
    """
    return settling(rows, rules.withdrawing(hold_cidr(rows, caller, cidr, found)))


def as_advertised(rows: Rows, cidr: ByoipCidr) -> ByoipCidr:
    """What became of ``cidr`` by the first attempt to advertise it.

    Raises:
        UnknownByoipCidr: it was deprovisioned meanwhile.
    """
    now = rows.byoip.cidr(cidr.byoip_cidr_id, lock=False)
    if now is None:
        raise UnknownByoipCidr(cidr.cidr, cidr.region)
    return now


def as_withdrawn(rows: Rows, cidr: ByoipCidr) -> ByoipCidr:
    """What became of ``cidr`` by the first attempt to withdraw it; nothing may be left to tell."""
    return rows.byoip.cidr(cidr.byoip_cidr_id, lock=False) or rules.settled(cidr)
