"""What the RPKI has to say about routes (BYOIP-5)."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from services.control_plane.verification.roas import (
    Roa,
    RoaTable,
    RoaValidity,
    longest_by,
    validity_by,
)
from shared.cidr import AddressFamily, Cidr
from shared.errors import OperationNotPermitted

AMAZON_ASNS = (16_509, 14_618)
"""What Amazon advertises brought ranges by; ROAs have to allow one of them, better both."""

_LONGEST = {AddressFamily.IPV4: 24, AddressFamily.IPV6: 48}
"""What the internet takes, where no ROA says otherwise."""


def longest_route(family: AddressFamily) -> int:
    """Prefix length of the most specific routes that the internet takes."""
    return _LONGEST[family]


@dataclass(frozen=True, slots=True)
class Rpki:
    """The ROAs of this moment, and what becomes of routes that are invalid by them."""

    roas: RoaTable | None
    """None: the installation doesn't ask the RPKI."""
    refuses: bool
    """Otherwise the account is warned."""
    sampled_at: datetime | None = None
    """As of when the ROAs are."""
    own: Collection[Roa] = ()
    """ROAs that this installation publishes, or is about to; validators tell of them later."""

    def beside(self, own: Collection[Roa]) -> "Rpki":
        """The same, when these ROAs are published, too: no route waits to be told of them."""
        return replace(self, own=[*self.own, *own])

    def check_length(self, cidr: Cidr) -> None:
        """A route to the CIDR is not more specific than allowed (BYOIP-5).

        Raises:
            OperationNotPermitted: it is.
        """
        allowed = longest_by(self._covering(cidr))
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
        covering = self._covering(cidr)
        found = {validity_by(covering, cidr, number) for number in asns}
        if found & {RoaValidity.VALID, RoaValidity.NOT_FOUND}:
            return None
        named = " and ".join(f"AS{number}" for number in asns)
        if RoaValidity.TOO_SPECIFIC in found:
            return (
                f"the ROAs of {cidr} allow {named} wider prefixes only; raise their maximum length"
            )
        return f"ROAs of {cidr} exist, and none allows {named}; add one"

    def _covering(self, cidr: Cidr) -> list[Roa]:
        """All ROAs that cover the CIDR; none when the RPKI isn't asked."""
        if self.roas is None:
            return []
        return [*self.roas.covering(cidr), *(roa for roa in self.own if roa.prefix.contains(cidr))]


def _by(asn: int | None) -> str:
    return "by Amazon's ASN" if asn is None else f"by ASN {asn}"
