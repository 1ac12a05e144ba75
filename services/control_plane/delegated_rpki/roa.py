"""Route origin authorizations (RFC 9582)."""

from dataclasses import dataclass

from services.control_plane.delegated_rpki.resources import LARGEST_ASN
from services.control_plane.delegated_rpki.syntax import (
    ADDRESS_FAMILIES,
    RouteOriginAttestation,
    prefix_bits,
)
from shared.cidr import Cidr

CONTENT_TYPE = "1.2.840.113549.1.9.16.1.24"
"""id-ct-routeOriginAuthz."""


@dataclass(frozen=True, slots=True, order=True)
class Roa:
    """An AS may originate routes to a block, and to its parts down to a length.

    Each is an object of its own, so that each can be revoked alone.
    """

    cidr: Cidr
    asn: int
    max_length: int

    def __post_init__(self) -> None:
        if not self.cidr.prefix_length <= self.max_length <= self.cidr.family.bits:
            raise ValueError(f"no routes to {self.cidr} are of length {self.max_length}")
        if not 0 <= self.asn <= LARGEST_ASN:
            raise ValueError(f"{self.asn} is no AS number")

    @property
    def file_name(self) -> str:
        """The one name of this ROA; manifests allow few characters in names (RFC 9286, 4.2.2)."""
        digits = self.cidr.family.bits // 4
        block = f"{self.cidr.first:0{digits}x}-{self.cidr.prefix_length}-{self.max_length}"
        return f"AS{self.asn}-{block}.roa"

    @property
    def content(self) -> bytes:
        """What is signed, in DER."""
        address = {"address": prefix_bits(self.cidr)}
        # Left out when it says nothing (RFC 9582, section 4).
        if self.max_length > self.cidr.prefix_length:
            address["max_length"] = self.max_length
        family = {
            "address_family": ADDRESS_FAMILIES[self.cidr.family],
            "addresses": [address],
        }
        attestation = RouteOriginAttestation({"as_id": self.asn, "ip_addr_blocks": [family]})
        return bytes(attestation.dump())
