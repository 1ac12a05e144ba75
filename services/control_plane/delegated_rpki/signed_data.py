"""CMS SignedData as the RPKI has it: one signer, named by its key (RFC 6488, RFC 6492)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from asn1crypto import cms, core
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from services.control_plane.delegated_rpki.keys import identifier_of, sha256
from services.control_plane.delegated_rpki.syntax import digest_algorithm


def signed_data(
    content_type: str,
    content: bytes,
    key: RSAPrivateKey,
    certificate: bytes,
    *,
    crls: Sequence[bytes] = (),
    signed_at: datetime,
) -> bytes:
    """The content with its signature by the certificate's key, in DER.

    ``content_type`` is an object identifier in dots; certificate and CRLs are DER.
    """
    attributes = cms.CMSAttributes(
        [
            {"type": "content_type", "values": [content_type]},
            {"type": "signing_time", "values": [cms.Time({"utc_time": signed_at})]},
            {"type": "message_digest", "values": [sha256(content)]},
        ]
    )
    signed: dict[str, Any] = {
        "version": "v3",
        "digest_algorithms": [digest_algorithm()],
        "encap_content_info": {
            "content_type": content_type,
            "content": core.ParsableOctetString(content),
        },
        "certificates": [cms.CertificateChoices.load(certificate)],
        "signer_infos": [_signer(key, attributes)],
    }
    if crls:
        signed["crls"] = [cms.RevocationInfoChoice.load(crl) for crl in crls]
    whole = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed)})
    return bytes(whole.dump())


def _signer(key: RSAPrivateKey, attributes: cms.CMSAttributes) -> dict[str, Any]:
    identifier = identifier_of(key.public_key())
    return {
        "version": "v3",
        "sid": cms.SignerIdentifier({"subject_key_identifier": identifier}),
        "digest_algorithm": digest_algorithm(),
        "signed_attrs": attributes,
        "signature_algorithm": {"algorithm": "rsassa_pkcs1v15"},
        # What is signed is the set itself, not as it is tagged in here (RFC 5652, section 5.4).
        "signature": key.sign(attributes.dump(), PKCS1v15(), SHA256()),
    }
