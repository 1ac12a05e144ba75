"""Files with keys: made once, never half-written, and nobody else's to read."""

import os
import secrets
import stat
from pathlib import Path

from shared.errors import StartFailed


class SecretUnusable(StartFailed):
    """A file with a key is missing, open to others, or holds no such key."""


def read_secret_file(path: Path, name: str) -> bytes:
    """What is in ``path``; ``name`` says in a refusal what it should be.

    Raises:
        SecretUnusable: it is missing, or others may read it.
    """
    try:
        mode, content = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        raise SecretUnusable(f"the {name} {path} can't be read: {error.strerror}") from error
    if stat.S_IMODE(mode) & 0o077:
        raise SecretUnusable(f"the {name} {path} is open to others; chmod 600 it")
    return content


def make_secret_file(path: Path, content: bytes) -> None:
    """Put ``content`` into ``path``, unless something is there already."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.exists():
        return
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    try:
        # Unlike a rename, a link never replaces what another process has just made.
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
