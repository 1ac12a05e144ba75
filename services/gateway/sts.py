"""The Security Token Service: who am I, and sessions. No context serves it: nothing is stored."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from botocore.model import ServiceModel

from services.gateway.answers import Answer, Call
from services.gateway.errors import AccessDenied, InvalidAction, ValidationError
from services.gateway.form import parse_form
from services.gateway.identities import identity_in
from services.gateway.query.actions import check_version, take_action
from services.gateway.query.errors import IAM_CODES, QueryErrors
from services.gateway.query.operations import response
from services.gateway.roles import Roles
from services.gateway.sessions import Session, SessionTokens, new_session
from services.gateway.structures import unknown_parameter
from services.gateway.xml import MEDIA_TYPE, element, text
from shared.errors import CadastreError, MissingParameter, UnsupportedOperation

_SECONDS = re.compile(r"[0-9]{1,9}")
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_LOGGED_CHARACTERS = 256

Parameters: TypeAlias = Mapping[str, str]
# The content of the result for a call with these parameters.
_Act: TypeAlias = Callable[[Parameters, Call], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class _Lifetime:
    """How long sessions of one kind may last, and do when nothing is said; as at AWS."""

    longest_seconds: int
    default_seconds: int
    shortest_seconds: int = 900


_OF_A_USER = _Lifetime(longest_seconds=129_600, default_seconds=43_200)
_OF_A_ROLE = _Lifetime(longest_seconds=3600, default_seconds=3600)


@dataclass(frozen=True, slots=True)
class _Action:
    act: _Act
    parameters: frozenset[str] = frozenset()
    """Those that are honoured: AWS has more, which would change what is allowed."""


class StsProtocol:
    """What clients ask first (``GetCallerIdentity``), and sessions."""

    def __init__(
        self,
        model: ServiceModel,
        roles: Roles,
        tokens: SessionTokens,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._model, self._errors = model, QueryErrors(model, IAM_CODES)
        self._namespace = str(model.metadata["xmlNamespace"])
        self._roles, self._tokens, self._clock = roles, tokens, clock
        self._actions: Mapping[str, _Action] = {
            "AssumeRole": _Action(
                self._assume_role, frozenset({"RoleArn", "RoleSessionName", "DurationSeconds"})
            ),
            "GetCallerIdentity": _Action(_identity),
            "GetSessionToken": _Action(self._session_token, frozenset({"DurationSeconds"})),
        }

    async def answer(self, call: Call) -> Answer:
        parameters = parse_form(call.request.body)
        name = take_action(parameters)
        if name not in self._actions:
            raise InvalidAction(
                f"The action {name} is not available here; of STS only"
                f" {', '.join(self._actions)} are"
            )
        call.action, action = name, self._actions[name]
        check_version(parameters.pop("Version", ""), self._model.api_version)
        self._check_known(name, action, parameters)
        result = await action.act(parameters, call)
        document = response(name, result, call.request_id, self._namespace)
        return Answer(document.encode(), MEDIA_TYPE)

    def refuse(self, error: CadastreError, request_id: str) -> Answer:
        return self._errors.refuse(error, request_id)

    def fault(self, request_id: str) -> Answer:
        return self._errors.fault(request_id)

    def _check_known(self, name: str, action: _Action, parameters: Parameters) -> None:
        shape = self._model.operation_model(name).input_shape
        for parameter in parameters:
            member = parameter.partition(".")[0]
            if member in action.parameters:
                continue
            if shape and member in shape.members:
                raise UnsupportedOperation(
                    f"The parameter {member} is not supported here; leave it out", parameter=member
                )
            raise unknown_parameter(parameter)

    async def _session_token(self, parameters: Parameters, call: Call) -> str:
        """A session of the caller itself: it may do what its user may."""
        if call.identity.is_session:
            raise AccessDenied("Cannot call GetSessionToken with session credentials")
        expires_at = self._expires_at(parameters, _OF_A_USER)
        return self._credentials(new_session(call.identity.access_key_id, expires_at), call)

    async def _assume_role(self, parameters: Parameters, call: Call) -> str:
        """A session of a role in another account of the caller's organization (ORG-1)."""
        role_arn = _required(parameters, "RoleArn")
        call.logged["role"] = role_arn[:_LOGGED_CHARACTERS]
        session_name = _required(parameters, "RoleSessionName")
        if not _SESSION_NAME.fullmatch(session_name):
            raise ValidationError(
                f"Value ({session_name}) for parameter RoleSessionName is invalid. Use 2-64"
                " letters, digits and characters of _+=,.@-",
                parameter="RoleSessionName",
                value=session_name,
            )
        expires_at = self._expires_at(parameters, _OF_A_ROLE)
        identity = call.identity
        role = await self._roles.role(role_arn, session_name, call.caller, identity.policies)
        session = new_session(identity.access_key_id, expires_at, role)
        assumed = identity_in(role, identity.access_key_id)
        user = element("AssumedRoleId", text(assumed.user_id)) + element("Arn", text(role.arn))
        return self._credentials(session, call) + element("AssumedRoleUser", user)

    def _expires_at(self, parameters: Parameters, lifetime: _Lifetime) -> datetime:
        given = parameters.get("DurationSeconds", str(lifetime.default_seconds))
        seconds = int(given) if _SECONDS.fullmatch(given) else 0
        if not lifetime.shortest_seconds <= seconds <= lifetime.longest_seconds:
            raise ValidationError(
                f"Value ({given}) for parameter DurationSeconds is invalid. Use"
                f" {lifetime.shortest_seconds}-{lifetime.longest_seconds}",
                parameter="DurationSeconds",
                value=given,
            )
        return self._clock() + timedelta(seconds=seconds)

    def _credentials(self, session: Session, call: Call) -> str:
        call.logged["issued_access_key_id"] = session.access_key_id
        expiration = session.expires_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return element(
            "Credentials",
            element("AccessKeyId", session.access_key_id)
            + element("SecretAccessKey", session.secret)
            + element("SessionToken", self._tokens.token_of(session))
            + element("Expiration", expiration),
        )


async def _identity(_parameters: Parameters, call: Call) -> str:
    """Who the caller is, which everybody may know of itself."""
    return (
        element("Arn", text(call.identity.principal))
        + element("UserId", text(call.identity.user_id))
        + element("Account", call.identity.account_id)
    )


def _required(parameters: Parameters, name: str) -> str:
    if not (value := parameters.get(name, "")):
        raise MissingParameter(name)
    return value
