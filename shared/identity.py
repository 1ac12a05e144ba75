"""Signed tokens that say who calls (design.md section 6)."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import jwt

from shared.caller import Caller
from shared.errors import AuthFailure
from shared.secret_files import SecretUnusable, make_secret_file, read_secret_file

_ALGORITHM = "HS256"
_AUDIENCE = "cadastre"
_LIFETIME_SECONDS = 15 * 60
_RENEWED_BEFORE_END_SECONDS = 5 * 60
_SECRET_BYTES = 32
_TOKENS_REMEMBERED = 4096


class TokenSigner:
    """Makes callers' tokens, and makes them anew before they expire."""

    def __init__(self, secret: bytes, *, clock: Callable[[], float] = time.time) -> None:
        self._secret, self._clock = secret, clock
        self._tokens: OrderedDict[Caller, tuple[float, str]] = OrderedDict()

    def token_for(self, caller: Caller) -> str:
        """A token good for five minutes at the least."""
        now = self._clock()
        expires, token = self._tokens.get(caller, (0.0, ""))
        if expires - _RENEWED_BEFORE_END_SECONDS < now:
            expires = now + _LIFETIME_SECONDS
            token = jwt.encode(
                {
                    "aud": _AUDIENCE,
                    "exp": int(expires),
                    "sub": caller.principal,
                    "account": caller.account_id,
                    "region": caller.region,
                    "service": caller.service,
                },
                self._secret,
                algorithm=_ALGORITHM,
            )
            self._tokens[caller] = (expires, token)
            _forget_oldest(self._tokens)
        return token


class TokenVerifier:
    """Reads callers' tokens."""

    def __init__(self, secret: bytes, *, clock: Callable[[], float] = time.time) -> None:
        self._secret, self._clock = secret, clock
        # Every call brings a token and few differ, so what was verified once is only looked up.
        self._verified: OrderedDict[str, tuple[float, Caller]] = OrderedDict()

    def caller_of(self, token: str) -> Caller:
        """The caller a token names.

        Raises:
            AuthFailure: it was not made with this secret, or has expired.
        """
        expires, caller = self._verified.get(token) or self._verify(token)
        if expires <= self._clock():
            raise AuthFailure("The caller's token has expired; get a new one")
        return caller

    def _verify(self, token: str) -> tuple[float, Caller]:
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                # The clock is ours, so that a token read from the cache is judged alike.
                options={"require": ["exp", "aud", "sub"], "verify_exp": False},
            )
            caller = Caller(claims["account"], claims["region"], claims["sub"], claims["service"])
        except (jwt.InvalidTokenError, KeyError):
            # Neither chained nor quoted: nothing of a token belongs in an answer or a log.
            raise AuthFailure("The caller's token is not valid") from None
        self._verified[token] = verified = (float(claims["exp"]), caller)
        _forget_oldest(self._verified)
        return verified


def load_secret(path: Path) -> bytes:
    """The signing key in ``path``.

    Raises:
        SecretUnusable: it is missing, shorter than 32 bytes, or others may read it.
    """
    secret = read_secret_file(path, "signing key")
    if len(secret) < _SECRET_BYTES:
        raise SecretUnusable(
            f"the signing key {path} has {len(secret)} bytes; {_SECRET_BYTES} are the least"
        )
    return secret


def create_secret(path: Path) -> bytes:
    """The signing key in ``path``, made first if it isn't there; never half-written."""
    make_secret_file(path, secrets.token_bytes(_SECRET_BYTES))
    return load_secret(path)


def _forget_oldest(
    entries: "OrderedDict[Caller, tuple[float, str]] | OrderedDict[str, tuple[float, Caller]]",
) -> None:
    if len(entries) > _TOKENS_REMEMBERED:
        entries.popitem(last=False)
