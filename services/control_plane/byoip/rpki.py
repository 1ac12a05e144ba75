"""What the RPKI has to say about routes (BYOIP-5)."""

from dataclasses import dataclass

from services.control_plane.verification.roas import RoaTable, RoaValidity
from shared.cidr import AddressFamily, Cidr
from shared.errors import OperationNotPermitted

AMAZON_ASNS = (16_509, 14_618)
"""What Amazon advertises brought ranges by; ROAs have to allow one of them, better both."""

_LONGEST = {AddressFamily.IPV4: 24, AddressFamily.IPV6: 48}
"""What the internet takes, where no ROA says otherwise."""


@dataclass(frozen=True, slots=True)
class Rpki:
    """The ROAs of this moment, and what becomes of routes that are invalid by them."""

    roas: RoaTable | None
    """None: the installation doesn't ask the RPKI."""
    refuses: bool
    """Otherwise the account is warned."""

    def check_length(self, cidr: Cidr) -> None:
        """A route to the CIDR is not more specific than allowed (BYOIP-5).

        Raises:
            OperationNotPermitted: it is.
        """
        allowed = self.roas.max_length(cidr) if self.roas else None
        taken = _LONGEST[cidr.family]
        longest = taken if allowed is None else min(taken, allowed)
        if cidr.prefix_length > longest:
            source = "the internet takes" if longest == taken else "its ROAs allow"
            raise OperationNotPermitted(
                f"{cidr} can't be advertised: {source} no prefix longer than /{longest}",
                cidr=cidr,
                longest=longest,
            )

    def warning(self, cidr: Cidr, asn: int | None) -> str | None:
        """What the account is to know about a route to the CIDR; ``asn`` None: by Amazon's ASN.

        Raises:
            OperationNotPermitted: it would be invalid, and the installation refuses such.
        """
        why = self._invalidity(cidr, asn)
        if why and self.refuses:
            raise OperationNotPermitted(
                f"A route to {cidr} {_by(asn)} would be invalid: {why}", cidr=cidr
            )
        return f"A route to it {_by(asn)} is invalid: {why}" if why else None

    def missing(self, cidr: Cidr) -> str | None:
        """Why Amazon may not advertise a range that somebody brings; None when nothing is known.

        No ROA at all is no obstacle: who wants none has none.
        """
        return self._invalidity(cidr, None)

    def _invalidity(self, cidr: Cidr, asn: int | None) -> str | None:
        if self.roas is None:
            return None
        asns = AMAZON_ASNS if asn is None else (asn,)
        found = {self.roas.validity(cidr, number) for number in asns}
        if found & {RoaValidity.VALID, RoaValidity.NOT_FOUND}:
            return None
        named = " and ".join(f"AS{number}" for number in asns)
        if RoaValidity.TOO_SPECIFIC in found:
            return (
                f"the ROAs of {cidr} allow {named} wider prefixes only; raise their maximum length"
            )
        return f"ROAs of {cidr} exist, and none allows {named}; add one"


def _by(asn: int | None) -> str:
    return "by Amazon's ASN" if asn is None else f"by ASN {asn}"
