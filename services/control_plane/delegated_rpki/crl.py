"""Which certificates of an authority don't count any more (RFC 6487, section 5)."""

from collections.abc import Mapping
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from services.control_plane.delegated_rpki.authority import Authority
from services.control_plane.delegated_rpki.resource_certificate import authority_key


def signed_crl(
    authority: Authority,
    number: int,
    this_update: datetime,
    next_update: datetime,
    revoked_at: Mapping[int, datetime],
) -> bytes:
    """The list in DER, with since when each serial number is revoked."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.parsed_certificate.subject)
        .last_update(this_update)
        .next_update(next_update)
        .add_extension(authority_key(authority), critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    for serial in sorted(revoked_at):
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(serial)
            .revocation_date(revoked_at[serial])
            .build()
        )
    return builder.sign(authority.signing_key, SHA256()).public_bytes(Encoding.DER)
