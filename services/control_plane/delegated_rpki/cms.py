"""Signed messages between child and parent (RFC 6492, section 3.1)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from asn1crypto import cms
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, Hash, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from services.control_plane.delegated_rpki.bpki import BpkiIdentity
from services.control_plane.delegated_rpki.clock_skew import CLOCK_SKEW
from services.control_plane.delegated_rpki.errors import MessageNotTrusted, MessageReplayed
from services.control_plane.delegated_rpki.keys import KeyMaker, identifier_of, new_rsa_key
from services.control_plane.delegated_rpki.signed_data import signed_data
from services.control_plane.delegated_rpki.unreadable import UNREADABLE

XML_CONTENT = "1.2.840.113549.1.9.16.1.28"
"""id-ct-xml."""

_DIGESTS: dict[str, HashAlgorithm] = {"sha256": SHA256(), "sha384": SHA384(), "sha512": SHA512()}
_SIGNATURES = {"rsassa_pkcs1v15", "sha256_rsa", "sha384_rsa", "sha512_rsa"}
_LEAST_KEY_BITS = 2048


@dataclass(frozen=True, slots=True)
class VerifiedMessage:
    """What somebody whom we trust has signed, and when."""

    xml: bytes
    signed_at: datetime


def signed_message(
    xml: bytes, identity: BpkiIdentity, now: datetime, *, make_key: KeyMaker = new_rsa_key
) -> bytes:
    """The message in DER, signed by a key made for it alone; costs 60 ms."""
    key = make_key()
    certificate = identity.certificate_of(key.public_key(), now)
    return signed_data(
        XML_CONTENT,
        xml,
        key,
        certificate.public_bytes(Encoding.DER),
        crls=[identity.crl(now).public_bytes(Encoding.DER)],
        signed_at=now,
    )


def verified_message(
    der: bytes, bpki_ta: bytes, now: datetime, *, not_before: datetime | None = None
) -> VerifiedMessage:
    """What was signed, when the trust anchor's holder has signed it.

    ``not_before``: when the last message that was taken was signed; older ones are replayed.

    Raises:
        MessageReplayed: it is older.
        MessageNotTrusted: it is not the holder's in some respect.
    """
    try:
        message = _verified(der, x509.load_der_x509_certificate(bpki_ta), now)
    except UNREADABLE as error:
        raise MessageNotTrusted("it is no CMS message of the form that the RPKI uses") from error
    # One from the future would make the next ones be taken for replayed.
    _check(message.signed_at <= now + CLOCK_SKEW, "it was signed in the future")
    if not_before is not None and message.signed_at < not_before:
        raise MessageReplayed(f"it was signed at {message.signed_at}, before the last that came")
    return VerifiedMessage(message.xml, message.signed_at)


@dataclass(frozen=True, slots=True)
class _Message:
    """A message's parts, of which nothing is believed yet."""

    xml: bytes
    certificate: x509.Certificate
    crl: x509.CertificateRevocationList
    signer: bytes
    digest: HashAlgorithm
    message_digest: bytes
    signed_at: datetime
    attributes: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def _verified(der: bytes, issuer: x509.Certificate, now: datetime) -> _Message:
    # BER is read as well, for some registries' libraries write it.
    message = _parts(cms.ContentInfo.load(der, strict=True))
    _check_anchor(issuer, now)
    _check_crl(message.crl, issuer, now)
    _check_certificate(message, issuer, now)
    _check_signature(message)
    return message


def _parts(message: Any) -> _Message:
    _check(message["content_type"].native == "signed_data", "it is no signed data")
    signed = message["content"]
    _check(signed["version"].native == "v3", "its version is not 3")
    content = signed["encap_content_info"]
    _check(content["content_type"].dotted == XML_CONTENT, "its content is no XML")
    signer = _only(signed["signer_infos"], "signer")
    _check(signer["version"].native == "v3", "its signer's version is not 3")
    _check(signer["sid"].name == "subject_key_identifier", "its signer is not named by a key")
    algorithm = signer["signature_algorithm"]["algorithm"].native
    _check(algorithm in _SIGNATURES, "it is not signed by RSA and SHA-2")
    digest = _DIGESTS.get(signer["digest_algorithm"]["algorithm"].native)
    if digest is None:
        raise MessageNotTrusted("its digest is none of SHA-2")
    _check(algorithm in {"rsassa_pkcs1v15", f"{digest.name}_rsa"}, "its digests differ")
    attributes = _attributes(signer["signed_attrs"])
    _check(attributes["content_type"].dotted == XML_CONTENT, "its signer signed no XML")
    return _Message(
        xml=bytes(content["content"]),
        certificate=x509.load_der_x509_certificate(
            _only(signed["certificates"], "certificate").chosen.dump()
        ),
        crl=x509.load_der_x509_crl(_only(signed["crls"], "CRL").chosen.dump()),
        signer=signer["sid"].chosen.native,
        digest=digest,
        message_digest=attributes["message_digest"].native,
        signed_at=attributes["signing_time"].native,
        # What is signed is the set itself, in DER, not as it is tagged in here (RFC 5652, 5.4).
        attributes=signer["signed_attrs"].untag().dump(force=True),
        signature=signer["signature"].native,
    )


def _attributes(signed: Any) -> dict[str, Any]:
    """The one value of each attribute, by its type's name."""
    found: dict[str, Any] = {}
    for attribute in signed:
        name = attribute["type"].native
        _check(name not in found, "an attribute is there twice")
        found[name] = _only(attribute["values"], f"value of {name}")
    for name in ("content_type", "message_digest", "signing_time"):
        _check(name in found, f"the attribute {name} is missing")
    return found


def _only(values: Any, what: str) -> Any:
    _check(len(values) == 1, f"it has {len(values)} of what has to be there once: {what}")
    return values[0]


def _check_anchor(anchor: x509.Certificate, now: datetime) -> None:
    _check(
        anchor.not_valid_before_utc - CLOCK_SKEW <= now <= anchor.not_valid_after_utc,
        "the parent's trust anchor does not count now; get a new parent response",
    )


def _check_crl(
    crl: x509.CertificateRevocationList, issuer: x509.Certificate, now: datetime
) -> None:
    _check(crl.issuer == issuer.subject, "its CRL is not the trust anchor's")
    key = issuer.public_key()
    _check(
        isinstance(key, RSAPublicKey) and crl.is_signature_valid(key),
        "its CRL is not signed by the trust anchor",
    )
    _check(_is_strong(crl.signature_hash_algorithm), "its CRL's digest is none of SHA-2")
    _check(
        crl.last_update_utc <= now + CLOCK_SKEW
        and crl.next_update_utc is not None
        and now <= crl.next_update_utc,
        "its CRL does not count now",
    )


def _check_certificate(message: _Message, issuer: x509.Certificate, now: datetime) -> None:
    certificate = message.certificate
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError) as error:
        raise MessageNotTrusted("its certificate is not issued by the trust anchor") from error
    _check(
        _is_strong(certificate.signature_hash_algorithm), "its certificate's digest is not SHA-2"
    )
    _check(
        certificate.not_valid_before_utc <= now + CLOCK_SKEW
        and now <= certificate.not_valid_after_utc,
        "its certificate does not count now",
    )
    revoked = message.crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
    _check(revoked is None, "its certificate is revoked")
    _check(not _is_authority(certificate), "its signer is a certification authority")


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _check_signature(message: _Message) -> None:
    key = message.certificate.public_key()
    if not isinstance(key, RSAPublicKey) or key.key_size < _LEAST_KEY_BITS:
        raise MessageNotTrusted(f"its key is not RSA's, or has less than {_LEAST_KEY_BITS} bits")
    _check(message.signer == identifier_of(key), "its signer is not the certificate's subject")
    digest = Hash(message.digest)
    digest.update(message.xml)
    _check(message.message_digest == digest.finalize(), "its content is not what was signed")
    try:
        key.verify(message.signature, message.attributes, PKCS1v15(), message.digest)
    except InvalidSignature as error:
        raise MessageNotTrusted("its signature is wrong") from error


def _is_strong(algorithm: HashAlgorithm | None) -> bool:
    return algorithm is not None and algorithm.name in _DIGESTS


def _check(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise MessageNotTrusted(otherwise)
