"""The certification authority of one resource class: its key, its certificate and its place."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from services.control_plane.delegated_rpki import keys
from services.control_plane.delegated_rpki.clock_skew import CLOCK_SKEW
from services.control_plane.delegated_rpki.errors import CertificateNotUsable
from services.control_plane.delegated_rpki.names import key_name
from services.control_plane.delegated_rpki.resource_extensions import resources_of
from services.control_plane.delegated_rpki.resources import Resources
from services.control_plane.delegated_rpki.unreadable import UNREADABLE

CA_REPOSITORY = x509.ObjectIdentifier("1.3.6.1.5.5.7.48.5")
RPKI_MANIFEST = x509.ObjectIdentifier("1.3.6.1.5.5.7.48.10")
RPKI_NOTIFY = x509.ObjectIdentifier("1.3.6.1.5.5.7.48.13")

_REPOSITORY_URI = re.compile(r"rsync://[^/\s]+/[^/\s]+/([!-.0-~]+/)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """Where what the authority signs is published."""

    repository_uri: str
    """``rsync://host/module/…/``."""
    notification_uri: str | None = None
    """Of RRDP (RFC 8182): ``https://…``."""

    def __post_init__(self) -> None:
        if not _REPOSITORY_URI.fullmatch(self.repository_uri):
            raise ValueError(f"'{self.repository_uri}' is not 'rsync://host/module/…/'")
        if self.notification_uri and not self.notification_uri.startswith("https://"):
            raise ValueError(f"'{self.notification_uri}' is not 'https://…'")

    def uri_of(self, file_name: str) -> str:
        """Where a file of that name is."""
        return self.repository_uri + file_name

    def access(self, identifier: bytes) -> x509.SubjectInformationAccess:
        """Where what a key signs is, as its certificate tells (RFC 6487, 4.8.8; RFC 8182, 3.2)."""
        uris = {
            CA_REPOSITORY: self.repository_uri,
            RPKI_MANIFEST: self.uri_of(manifest_name(identifier)),
        }
        if self.notification_uri:
            uris[RPKI_NOTIFY] = self.notification_uri
        return x509.SubjectInformationAccess(
            [
                x509.AccessDescription(method, x509.UniformResourceIdentifier(uri))
                for method, uri in uris.items()
            ]
        )


def manifest_name(identifier: bytes) -> str:
    """The file name of the manifest of a key (RFC 6481, section 2.2)."""
    return f"{identifier.hex()}.mft"


def crl_name(identifier: bytes) -> str:
    """The file name of the CRL of a key (RFC 6481, section 2.2)."""
    return f"{identifier.hex()}.crl"


def new_key() -> bytes:
    """A new key in PEM: a secret; costs 50 ms."""
    return keys.new_key()


def certificate_request(key: bytes, place: Place) -> bytes:
    """What a parent is to certify, as PKCS#10 in DER (RFC 6487, section 6)."""
    signing_key = keys.read(key)
    identifier = keys.identifier_of(signing_key.public_key())
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(key_name(identifier))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(keys.CERTIFYING, critical=True)
        .add_extension(place.access(identifier), critical=False)
        .sign(signing_key, SHA256())
        .public_bytes(Encoding.DER)
    )


@dataclass(frozen=True)
class Authority:
    """Who signs ROAs for what its certificate has."""

    key: bytes = field(repr=False)
    """PEM: a secret."""
    certificate: bytes = field(repr=False)
    """DER."""
    certificate_uri: str
    """Where the parent publishes the certificate; of rsync."""
    place: Place

    @cached_property
    def resources(self) -> Resources:
        """What the certificate has."""
        return resources_of(self.parsed_certificate)

    @property
    def not_after(self) -> datetime:
        """The last moment at which the certificate counts."""
        return self.parsed_certificate.not_valid_after_utc

    @cached_property
    def key_identifier(self) -> bytes:
        """What names the key in certificates, file names and requests to revoke it."""
        return keys.identifier_of(self.signing_key.public_key())

    @property
    def mark(self) -> str:
        """What all that it signs tells of it, as a digest: when it differs, all is signed anew.

        Not the certificate itself: a renewed one leaves what its key has signed as it is.
        """
        told = (
            self.key_identifier,
            self.parsed_certificate.subject.public_bytes(),
            self.certificate_uri.encode(),
            self.place.repository_uri.encode(),
        )
        return keys.sha256(b"\0".join(map(keys.sha256, told))).hex()

    @cached_property
    def signing_key(self) -> RSAPrivateKey:
        """The key itself."""
        return keys.read(self.key)

    @cached_property
    def parsed_certificate(self) -> x509.Certificate:
        """The certificate's parts."""
        return x509.load_der_x509_certificate(self.certificate)

    def check(self, issuer: bytes, now: datetime) -> None:
        """The certificate is for this key and place, and the issuer's (``ResourceClass.issuer``).

        Raises:
            CertificateNotUsable: it is not; says in which respect.
        """
        try:
            self._check_subject()
            self._check_access()
            self._check_counts(x509.load_der_x509_certificate(issuer), now)
        except UNREADABLE as error:
            raise CertificateNotUsable(f"it can't be read: {error}") from error

    def _check_subject(self) -> None:
        certificate = self.parsed_certificate
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey) or keys.identifier_of(key) != self.key_identifier:
            raise CertificateNotUsable("it is for another key")
        named = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        if named.digest != self.key_identifier:
            raise CertificateNotUsable("it names its key otherwise than what the key signs")
        if not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            raise CertificateNotUsable("it is not for a certification authority")
        if not self.resources:
            raise CertificateNotUsable("it has no addresses and no AS numbers")

    def _check_access(self) -> None:
        extensions = self.parsed_certificate.extensions
        told = extensions.get_extension_for_class(x509.SubjectInformationAccess).value
        for description in self.place.access(self.key_identifier):
            if description not in told:
                uri = description.access_location.value
                raise CertificateNotUsable(f"it does not say that what is signed is at {uri}")

    def _check_counts(self, issuer: x509.Certificate, now: datetime) -> None:
        first = self.parsed_certificate.not_valid_before_utc
        if not first - CLOCK_SKEW <= now <= self.not_after:
            raise CertificateNotUsable(
                f"it counts from {first} to {self.not_after}, which is not now"
            )
        try:
            self.parsed_certificate.verify_directly_issued_by(issuer)
        except InvalidSignature as error:
            raise CertificateNotUsable("it is not its issuer's") from error
