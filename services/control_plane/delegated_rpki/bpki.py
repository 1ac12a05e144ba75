"""The keys and certificates that messages between child and parent are signed with (RFC 8183)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from services.control_plane.delegated_rpki import keys
from services.control_plane.delegated_rpki.clock_skew import CLOCK_SKEW

_VALID_FOR = timedelta(days=3653)
"""A new one has to be carried to the registry by people."""
_MESSAGES_COUNT_FOR = timedelta(hours=1)
"""Longer than any message is on its way."""


@dataclass(frozen=True, slots=True)
class BpkiIdentity:
    """A key and the self-signed certificate that the other side trusts in."""

    key: bytes = field(repr=False)
    """PEM: a secret."""
    certificate: bytes = field(repr=False)
    """DER."""

    @classmethod
    def new(cls, name: str, now: datetime) -> "BpkiIdentity":
        """A new key, whose certificate counts for ten years; costs 50 ms.

        ``name``: 1-64 characters, for people who look into the certificate.
        """
        key = keys.new_rsa_key()
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _certificate(subject, subject, key.public_key(), now - CLOCK_SKEW)
        certificate = (
            builder.serial_number(1)
            .not_valid_after(now + _VALID_FOR)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(keys.CERTIFYING, critical=True)
            .add_extension(_authority(key.public_key()), critical=False)
            .sign(key, SHA256())
        )
        return cls(keys.written(key), certificate.public_bytes(Encoding.DER))

    def certificate_of(self, message_key: RSAPublicKey, now: datetime) -> x509.Certificate:
        """That the key, which signs one message, is this identity's."""
        key = keys.read(self.key)
        identifier = keys.identifier_of(message_key)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, identifier.hex())])
        builder = _certificate(subject, self._name, message_key, now - CLOCK_SKEW)
        return (
            builder.serial_number(x509.random_serial_number())
            .not_valid_after(now + _MESSAGES_COUNT_FOR)
            .add_extension(_authority(key.public_key()), critical=False)
            .sign(key, SHA256())
        )

    def crl(self, now: datetime) -> x509.CertificateRevocationList:
        """That none is revoked: they end before anybody could know a reason to."""
        key = keys.read(self.key)
        return (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._name)
            .last_update(now - CLOCK_SKEW)
            .next_update(now + _MESSAGES_COUNT_FOR)
            .add_extension(_authority(key.public_key()), critical=False)
            .add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
            .sign(key, SHA256())
        )

    @property
    def _name(self) -> x509.Name:
        return x509.load_der_x509_certificate(self.certificate).subject


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: RSAPublicKey, not_before: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .not_valid_before(not_before)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _authority(key: RSAPublicKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)
