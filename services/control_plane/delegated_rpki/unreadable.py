"""What the libraries raise about DER that others wrote, partly only when it is looked at."""

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

UNREADABLE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    UnsupportedAlgorithm,
    ValueError,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""It can't be read, lacks what it has to have, or has what it must not."""
