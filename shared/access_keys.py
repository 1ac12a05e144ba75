"""Access keys as AWS forms them."""

import secrets
import string

_ID_ALPHABET = string.ascii_uppercase + "234567"
_SECRET_ALPHABET = string.ascii_letters + string.digits + "+/"


def new_access_key_id(prefix: str = "AKIA") -> str:
    """``prefix``, which says what kind of key it is, and 16 characters that nobody can guess."""
    return prefix + _characters(_ID_ALPHABET, 16)


def new_secret_access_key() -> str:
    """40 characters, 240 random bits."""
    return _characters(_SECRET_ALPHABET, 40)


def _characters(alphabet: str, count: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(count))
