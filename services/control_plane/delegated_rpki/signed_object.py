"""What is published with a signature (RFC 6488), by a certificate for it alone (RFC 6487)."""

from dataclasses import dataclass
from datetime import datetime

from services.control_plane.delegated_rpki.authority import Authority
from services.control_plane.delegated_rpki.keys import KeyMaker
from services.control_plane.delegated_rpki.resource_certificate import object_certificate
from services.control_plane.delegated_rpki.resources import Resources
from services.control_plane.delegated_rpki.signed_data import signed_data


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsigned:
    """An object and what its certificate is to say."""

    content_type: str
    """Object identifier in dots."""
    content: bytes
    """DER."""
    file_name: str
    serial: int
    resources: Resources | None
    """None: whatever its issuer has."""
    not_before: datetime
    not_after: datetime


def signed_object(
    unsigned: Unsigned, authority: Authority, signed_at: datetime, make_key: KeyMaker
) -> bytes:
    """The object in DER, signed by a key that signs nothing else (RFC 6480, section 2.3)."""
    key = make_key()
    certificate = object_certificate(
        authority,
        key.public_key(),
        serial=unsigned.serial,
        uri=authority.place.uri_of(unsigned.file_name),
        resources=unsigned.resources,
        not_before=unsigned.not_before,
        not_after=unsigned.not_after,
    )
    return signed_data(
        unsigned.content_type, unsigned.content, key, certificate, signed_at=signed_at
    )
