"""RSA-PSS signatures over authorization messages, and the certificates they are checked with."""

import binascii
import re
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from services.control_plane.verification.errors import MalformedSignature

LEAST_KEY_BITS = 2048
"""As EC2's guide has them made. A certificate is public: who factors its key takes the range."""

_WRITTEN = re.compile(r"[A-Za-z0-9\-~]+_{0,2}")
_FROM_WRITTEN = str.maketrans("-_~", "+=/")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a certificate does not show that a signature is its holder's."""

    reason: str
    is_final: bool = False
    """Nothing about the certificate can be put right: the signature is somebody else's."""


def decode_signature(text: str) -> bytes:
    """The bytes of a signature in base64 with ``-_~`` for ``+=/``.

    Raises:
        MalformedSignature: it is written in another way.
    """
    if not _WRITTEN.fullmatch(text):
        raise MalformedSignature(text)
    try:
        return binascii.a2b_base64(text.translate(_FROM_WRITTEN), strict_mode=True)
    except binascii.Error:
        raise MalformedSignature(text) from None


def fault_of(certificate: bytes, message: str, signature: bytes, now: datetime) -> Fault | None:
    """What keeps this certificate, in DER, from showing that its holder signed the message.

    The salt may have any length.
    """
    try:
        read = x509.load_der_x509_certificate(certificate)
        key, first, last = read.public_key(), read.not_valid_before_utc, read.not_valid_after_utc
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        return Fault("the certificate can't be read: it is damaged, or of an unknown kind")
    if not isinstance(key, RSAPublicKey):
        return Fault("the certificate's key is no RSA key")
    if key.key_size < LEAST_KEY_BITS:
        return Fault(f"the certificate's key has {key.key_size} bits, less than {LEAST_KEY_BITS}")
    if not first <= now <= last:
        return Fault(f"the certificate is valid from {_told(first)} to {_told(last)}, not now")
    if not _is_signed(key, message, signature):
        return Fault("the message was not signed with the certificate's key", is_final=True)
    return None


def _told(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


def _is_signed(key: RSAPublicKey, message: str, signature: bytes) -> bool:
    try:
        key.verify(signature, message.encode(), PSS(MGF1(SHA256()), PSS.AUTO), SHA256())
    except InvalidSignature:
        return False
    return True
