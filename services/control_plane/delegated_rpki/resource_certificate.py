"""Certificates of what an authority signs (RFC 6487)."""

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID

from services.control_plane.delegated_rpki import keys
from services.control_plane.delegated_rpki.authority import Authority, crl_name
from services.control_plane.delegated_rpki.names import key_name
from services.control_plane.delegated_rpki.resource_extensions import (
    extensions_of,
    inheriting_extensions,
)
from services.control_plane.delegated_rpki.resources import Resources

_SIGNED_OBJECT = x509.ObjectIdentifier("1.3.6.1.5.5.7.48.11")
POLICY = x509.CertificatePolicies(
    [x509.PolicyInformation(x509.ObjectIdentifier("1.3.6.1.5.5.7.14.2"), None)]
)
"""The RPKI's (RFC 6484)."""


def object_certificate(
    authority: Authority,
    key: RSAPublicKey,
    *,
    serial: int,
    uri: str,
    resources: Resources | None,
    not_before: datetime,
    not_after: datetime,
) -> bytes:
    """The certificate, in DER, of the key that signs what is published at a URI.

    Without ``resources`` it has whatever the authority has.
    """
    identifier = keys.identifier_of(key)
    builder = (
        x509.CertificateBuilder()
        .serial_number(serial)
        .issuer_name(authority.parsed_certificate.subject)
        .subject_name(key_name(identifier))
        .public_key(key)
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.SubjectKeyIdentifier(identifier), critical=False)
        .add_extension(authority_key(authority), critical=False)
        .add_extension(keys.SIGNING, critical=True)
        .add_extension(crl_place(authority), critical=False)
        .add_extension(issuer_place(authority), critical=False)
        .add_extension(
            x509.SubjectInformationAccess(
                [x509.AccessDescription(_SIGNED_OBJECT, x509.UniformResourceIdentifier(uri))]
            ),
            critical=False,
        )
        .add_extension(POLICY, critical=True)
    )
    for extension in extensions_of(resources) if resources else inheriting_extensions():
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(authority.signing_key, SHA256()).public_bytes(Encoding.DER)


def authority_key(authority: Authority) -> x509.AuthorityKeyIdentifier:
    """Which key signed it."""
    return x509.AuthorityKeyIdentifier(
        authority.key_identifier, authority_cert_issuer=None, authority_cert_serial_number=None
    )


def crl_place(authority: Authority) -> x509.CRLDistributionPoints:
    """Where it would be said that it is revoked."""
    uri = x509.UniformResourceIdentifier(authority.place.uri_of(crl_name(authority.key_identifier)))
    point = x509.DistributionPoint(
        full_name=[uri], relative_name=None, reasons=None, crl_issuer=None
    )
    return x509.CRLDistributionPoints([point])


def issuer_place(authority: Authority) -> x509.AuthorityInformationAccess:
    """Where the certificate of the key that signed it is."""
    uri = x509.UniformResourceIdentifier(authority.certificate_uri)
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, uri)]
    )
