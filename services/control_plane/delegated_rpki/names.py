"""Names of subjects in the RPKI (RFC 6487, section 4.5)."""

from cryptography import x509

# Names in the RPKI are PrintableStrings, and the library has no other way to ask for one.
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID


def key_name(identifier: bytes) -> x509.Name:
    """The name of a key's holder: no one's but the key's, for the RPKI tells nobody's identity."""
    common_name = x509.NameAttribute(
        NameOID.COMMON_NAME, identifier.hex(), _ASN1Type.PrintableString
    )
    return x509.Name([common_name])
