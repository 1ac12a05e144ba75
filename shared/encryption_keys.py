"""Encryption of secrets that must be read again, such as those that signatures are checked with.

AES-256 in Galois/Counter Mode with random nonces. One installation has one set of keys, which all
services that need it are given: several at once while one takes another's place. The first encrypts
and all decrypt, so first let every service have the new key as a further one, then let it be the
first. Drop the old one when control_plane has started with that, and not before the longest session
that a gateway could begin with the old one is over: 12 hours after the last of them was restarted.
"""

import base64
import binascii
import secrets
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import StartFailed
from shared.secret_files import make_secret_file, read_secret_file

KEY_BYTES = 32

_NONCE_BYTES = 12
_TAG_BYTES = 16


class EncryptionKeysUnusable(StartFailed):
    """What should be keys isn't; the message says where, and quotes nothing."""


class Undecipherable(Exception):
    """None of the keys encrypted this, or it was changed, or for something else."""


class EncryptionKeys:
    """The keys of an installation."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """``keys`` have 32 bytes each; there is at least one."""
        self._ciphers = [AESGCM(key) for key in keys]

    def encrypt(self, plain: bytes, *, bound_to: str) -> bytes:
        """``plain`` with the first key; it is decrypted for the same ``bound_to`` only."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._ciphers[0].encrypt(nonce, plain, bound_to.encode())

    def decrypt(self, encrypted: bytes, *, bound_to: str) -> bytes:
        """What was encrypted with any of the keys.

        Raises:
            Undecipherable: nothing was, or not for ``bound_to``.
        """
        for cipher in self._ciphers:
            plain = _decrypted(cipher, encrypted, bound_to)
            if plain is not None:
                return plain
        raise Undecipherable

    def are_current_for(self, encrypted: bytes, *, bound_to: str) -> bool:
        """The first key decrypts it, so the others are not needed for it."""
        return _decrypted(self._ciphers[0], encrypted, bound_to) is not None


def load_encryption_keys(path: Path) -> EncryptionKeys:
    """The keys in CADASTRE_ENCRYPTION_KEY, or where that is not set, in the file ``path``.

    Raises:
        StartFailed: there are none, or they are none, or others may read the file.
    """
    if given := _Environment().encryption_key:
        return EncryptionKeys(_parsed(given.get_secret_value(), "CADASTRE_ENCRYPTION_KEY"))
    content = read_secret_file(path, "encryption key")
    return EncryptionKeys(_parsed(content.decode("latin-1"), f"the encryption key {path}"))


def create_encryption_keys(path: Path) -> EncryptionKeys:
    """Like `load_encryption_keys`, but a file that is needed and isn't there is made first."""
    if not _Environment().encryption_key:
        make_secret_file(path, base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
    return load_encryption_keys(path)


class _Environment(BaseSettings):
    """Apart from the other settings: errors about those quote what they were given."""

    model_config = SettingsConfigDict(env_prefix="CADASTRE_", frozen=True)

    encryption_key: SecretStr | None = None


def _parsed(text: str, where: str) -> list[bytes]:
    # Not chained: the decoder's error would hold the text.
    try:
        keys = [base64.b64decode(word.encode(), validate=True) for word in text.split()]
    except (binascii.Error, UnicodeEncodeError):
        raise EncryptionKeysUnusable(f"{where} is not base64") from None
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise EncryptionKeysUnusable(
            f"{where} must be the base64 of {KEY_BYTES} random bytes, or several of that on a line"
            " each, of which the first encrypts"
        )
    return keys


def _decrypted(cipher: AESGCM, encrypted: bytes, bound_to: str) -> bytes | None:
    if len(encrypted) < _NONCE_BYTES + _TAG_BYTES:
        return None
    nonce, content = encrypted[:_NONCE_BYTES], encrypted[_NONCE_BYTES:]
    try:
        return cipher.decrypt(nonce, content, bound_to.encode())
    except InvalidTag:
        return None
