"""How a registry is spoken to for an association, and what it has certified for it so far."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from services.control_plane.delegated_rpki import keys
from services.control_plane.delegated_rpki.authority import Place
from services.control_plane.delegated_rpki.clock_skew import CLOCK_SKEW
from services.control_plane.delegated_rpki.out_of_band import ParentContact
from services.control_plane.delegated_rpki.resource_extensions import resources_of
from services.control_plane.delegated_rpki.resources import Resources
from services.control_plane.delegated_rpki.unreadable import UNREADABLE
from services.control_plane.delegated_rpki.up_down import IssuedCertificate, ResourceClass

_WORTH_ASKING = 1.1
"""A certificate that lasts so many times longer than the one there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """What an association's messages to its registry are signed with, and where they go."""

    association_id: str
    encrypted_key: bytes = field(repr=False)
    certificate: bytes = field(repr=False)
    """DER; what is handed in at the registry has it."""
    parent: ParentContact | None = None
    """None: the registry's response is still to come."""
    heard_at: datetime | None = None
    """When the parent signed its last answer."""


@dataclass(frozen=True)
class KeptAuthority:
    """An authority as the database has it: its key is encrypted."""

    encrypted_key: bytes = field(repr=False)
    certificate: bytes = field(repr=False)
    """DER."""
    certificate_uri: str
    """Where the parent publishes it; of rsync."""
    place: Place

    @cached_property
    def resources(self) -> Resources:
        """What the certificate has."""
        return resources_of(self._parsed)

    @property
    def not_after(self) -> datetime:
        """The last moment at which the certificate counts."""
        return self._parsed.not_valid_after_utc

    @cached_property
    def _parsed(self) -> x509.Certificate:
        return x509.load_der_x509_certificate(self.certificate)


def certified_by(authorities: Iterable[KeptAuthority]) -> Resources:
    """What authorities of several resource classes have together."""
    found = [authority.resources for authority in authorities]
    return Resources.of_ranges(
        asns=[part for one in found for part in one.asn_ranges],
        ipv4=[part for one in found for part in one.ipv4_ranges],
        ipv6=[part for one in found for part in one.ipv6_ranges],
    )


def certificate_of(key_identifier: bytes, listed: ResourceClass) -> IssuedCertificate | None:
    """What the parent lists as issued for a key."""
    return next((one for one in listed.certificates if _is_for(key_identifier, one)), None)


def may_stay(authority: KeptAuthority, place: Place, listed: ResourceClass, now: datetime) -> bool:
    """Nothing would be gained by having the parent issue another certificate.

    A parent that would have one issued now end a year from now says so each time: not every day
    that is gained is worth one.
    """
    if authority.place != place or authority.resources != listed.resources:
        return False
    left, offered = authority.not_after - now, listed.not_after - now
    return left - CLOCK_SKEW <= offered < left * _WORTH_ASKING


def without_key(listed: Iterable[ResourceClass], known: Collection[str]) -> list[str]:
    """The resource classes, by name, that there is no key for."""
    return [one.class_name for one in listed if one.class_name not in known and one.resources]


def _is_for(key_identifier: bytes, issued: IssuedCertificate) -> bool:
    try:
        certificate = x509.load_der_x509_certificate(issued.certificate)
        return _identifier_of(certificate) == key_identifier
    except UNREADABLE:
        return False


def _identifier_of(certificate: x509.Certificate) -> bytes:
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise TypeError("the RPKI has RSA keys alone")
    return keys.identifier_of(key)
