"""Whose a request is: by the credentials file, by the users' keys, or by a session.

AWS's clients sign each request; a browser signs in once.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.gateway.credentials import AccessKey, Credentials
from services.gateway.errors import ExpiredToken, UnknownAccessKey
from services.gateway.identity import Identity
from services.gateway.roles import ACCESS_ROLE, Roles
from services.gateway.sessions import AssumedRole, Session, SessionTokens
from services.gateway.sigv4 import SECURITY_TOKEN, Authorization, SignedRequest, verify
from services.gateway.unique_ids import role_id, user_id
from services.gateway.users import Users
from shared.caller import Caller
from shared.errors import CadastreError, Denied, ServiceUnavailable, kind_of

# As long as a call waits for any other service that is being started.
_PATIENCE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class _Key:
    """What a signature is checked with, and whom it then proves, perhaps by way of a session."""

    secret: str = field(repr=False)
    identity: Identity
    session: Session | None = None
    console_password: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """Somebody let in until some time, without signing what is asked: no secret is in it."""

    account_id: str
    """That it acts in."""
    holder_key_id: str
    """The permanent key it rests on: it ends when that holds no longer, or has another secret."""
    fingerprint: str
    """Of that key's secret."""
    expires_at: datetime
    """In whole seconds."""
    role: AssumedRole | None = None
    """None: it is the key's user itself."""


class Identities:
    """Tells who signed a request, and who signed in."""

    def __init__(
        self,
        credentials: Credentials,
        users: Users,
        tokens: SessionTokens,
        roles: Roles,
        *,
        clock: Callable[[], datetime],
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        self._credentials, self._users = credentials, users
        self._tokens, self._roles = tokens, roles
        self._clock, self._patience_seconds = clock, patience_seconds

    async def of(self, authorization: Authorization, request: SignedRequest) -> Identity:
        """Who signed ``request``, just now and exactly so.

        Raises:
            RefusedIdentity: nobody who may; it says why, for the log.
            ServiceUnavailable: the users, or the organizations, haven't been told yet.
        """
        token = request.headers.get(SECURITY_TOKEN)
        if token is None:
            key = await self._permanent(authorization.access_key_id)
        else:
            key = await self._temporary(authorization.access_key_id, token)
        now = self._clock()
        verify(authorization, request, key.secret, now=now)
        if key.session is None:
            return key.identity
        if key.session.expires_at <= now:
            raise ExpiredToken
        if key.session.role is None:
            return replace(key.identity, is_session=True)
        await self._check(key.session.role, key.identity, authorization.region)
        return identity_in(key.session.role, key.identity.access_key_id)

    async def sign_in(
        self, access_key_id: str, secret: str, token: str | None, *, longest: timedelta
    ) -> SignIn:
        """Let in whoever has the secret of a key, or the console password of a profile's.

        ``token`` is that of a session, whose key has its own secret and ends by itself.

        Raises:
            RefusedIdentity: nobody who may; it says why, for the log.
            ServiceUnavailable: the users haven't been told yet.
        """
        now = self._clock()
        until = (now + longest).replace(microsecond=0)
        if token is None:
            key = await self._permanent(access_key_id)
        else:
            key = await self._temporary(access_key_id, token)
        if not _is_one_of(secret, (key.secret, key.console_password)):
            raise UnknownAccessKey(why="wrong secret at sign-in")
        if key.session is None:
            return _sign_in(key, until)
        if key.session.expires_at <= now:
            raise ExpiredToken
        holder = await self._permanent(key.session.holder_key_id)
        return _sign_in(holder, min(until, key.session.expires_at), key.session.role)

    async def of_sign_in(self, sign_in: SignIn, region: str) -> Identity:
        """Who signed in, as it is now. Raises as `of` does."""
        if sign_in.expires_at <= self._clock():
            raise ExpiredToken
        key = await self._permanent(sign_in.holder_key_id)
        if not hmac.compare_digest(_fingerprint(key.secret), sign_in.fingerprint):
            raise UnknownAccessKey(why="signed in with an earlier secret")
        if sign_in.role is None:
            return key.identity
        await self._check(sign_in.role, key.identity, region)
        return identity_in(sign_in.role, sign_in.holder_key_id)

    async def sign_in_to_member(self, sign_in: SignIn, account_id: str, region: str) -> SignIn:
        """The management account's way into a member's (`roles.ACCESS_ROLE`), as AssumeRole's.

        Raises:
            AccessDenied: the account doesn't let who signed in act in the role.
            RefusedIdentity, ServiceUnavailable: as `of_sign_in`.
        """
        holder = await self.of_sign_in(sign_in, region)
        caller = Caller(holder.account_id, region, holder.principal)
        role_arn = f"arn:aws:iam::{account_id}:role/{ACCESS_ROLE}"
        role = await self._roles.role(role_arn, "console", caller, holder.policies)
        return replace(sign_in, account_id=account_id, role=role)

    async def _permanent(self, access_key_id: str) -> _Key:
        if of_file := self._credentials.find(access_key_id):
            identity = _identity_of_profile(access_key_id, of_file)
            return _Key(of_file.secret, identity, console_password=of_file.console_password)
        await self._until_known()
        if of_user := self._users.key(access_key_id):
            return _Key(of_user.secret, of_user.identity)
        is_inactive = self._users.is_inactive(access_key_id)
        raise UnknownAccessKey(why="inactive access key" if is_inactive else "unknown access key")

    async def _temporary(self, access_key_id: str, token: str) -> _Key:
        session = self._tokens.session_of(token)
        if session.access_key_id != access_key_id:
            raise UnknownAccessKey(why="session token of another access key")
        try:
            holder = await self._permanent(session.holder_key_id)
        except UnknownAccessKey as error:
            raise UnknownAccessKey(why=f"session of an {error.why}") from error
        return _Key(session.secret, holder.identity, session)

    async def _check(self, role: AssumedRole, holder: Identity, region: str) -> None:
        """What let the holder act in the role must do so still."""
        caller = Caller(holder.account_id, region, holder.principal)
        try:
            await self._roles.role(role.role_arn, role.session_name, caller, holder.policies)
        except CadastreError as error:
            if kind_of(error) is not Denied:
                raise
            why = "session of a role that its holder may not act in any more"
            raise UnknownAccessKey(why=why) from error

    async def _until_known(self) -> None:
        if self._users.are_known:
            return
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._users.until_known()
        except TimeoutError as error:
            raise ServiceUnavailable("The users are not known yet; repeat the request") from error


def _sign_in(key: _Key, until: datetime, role: AssumedRole | None = None) -> SignIn:
    return SignIn(
        account_id=role.account_id if role else key.identity.account_id,
        holder_key_id=key.identity.access_key_id,
        fingerprint=_fingerprint(key.secret),
        expires_at=until,
        role=role,
    )


def _is_one_of(given: str, secrets: Sequence[str]) -> bool:
    """Whether it is, told in a time that doesn't depend on how much of it is right."""
    digest = hashlib.sha256(given.encode()).digest()
    same = [hmac.compare_digest(digest, hashlib.sha256(s.encode()).digest()) for s in secrets if s]
    return any(same)


def _fingerprint(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:32]


def _identity_of_profile(access_key_id: str, key: AccessKey) -> Identity:
    return Identity(key.account_id, key.principal, user_id(key.principal), access_key_id)


def identity_in(role: AssumedRole, access_key_id: str) -> Identity:
    """Whoever acts in a role, let in by a key of its own account."""
    return Identity(
        role.account_id,
        role.arn,
        f"{role_id(role.role_arn)}:{role.session_name}",
        access_key_id,
        role_arn=role.role_arn,
        is_session=True,
    )
