"""RSA keys, all that the RPKI uses (RFC 7935)."""

from collections.abc import Callable
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

KeyMaker: TypeAlias = Callable[[], RSAPrivateKey]

_BITS, _EXPONENT = 2048, 65_537

CERTIFYING = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)
"""What certification authorities use their keys for."""
SIGNING = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
"""What all others use theirs for."""


def new_rsa_key() -> RSAPrivateKey:
    """A key of 2,048 bits; costs 50 ms, during which other threads run."""
    return generate_private_key(_EXPONENT, _BITS)


def new_key() -> bytes:
    """A new key in PEM: a secret; costs 50 ms."""
    return written(new_rsa_key())


def written(key: RSAPrivateKey) -> bytes:
    """The key as PEM: a secret."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def read(pem: bytes) -> RSAPrivateKey:
    """The key that `written` wrote; no other may be given."""
    # Not checked whether it is one: it was made here, and checking costs as much as making it.
    key = load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("the RPKI has RSA keys alone")
    return key


def key_identifier(pem: bytes) -> bytes:
    """The 20 bytes that certificates name the key by (RFC 6487, section 4.8.2)."""
    return identifier_of(read(pem).public_key())


def identifier_of(key: RSAPublicKey) -> bytes:
    """The 20 bytes that certificates name the key by (RFC 6487, section 4.8.2)."""
    return x509.SubjectKeyIdentifier.from_public_key(key).digest


def sha256(content: bytes) -> bytes:
    """The digest that the RPKI uses for everything (RFC 7935)."""
    digest = Hash(SHA256())
    digest.update(content)
    return digest.finalize()
