"""The Security Token Service: who am I, and sessions. No context serves it: nothing is stored."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from botocore.model import ServiceModel

from services.gateway.answers import Answer, Call
from services.gateway.authorization.authorizer import Authorizer
from services.gateway.authorization.organizations import Organizations
from services.gateway.errors import AccessDenied, InvalidAction, ValidationError
from services.gateway.form import parse_form
from services.gateway.identities import identity_in
from services.gateway.query.actions import check_version, take_action
from services.gateway.query.errors import IAM_CODES, QueryErrors
from services.gateway.query.operations import response
from services.gateway.sessions import AssumedRole, Session, SessionTokens, new_session
from services.gateway.structures import unknown_parameter
from services.gateway.xml import MEDIA_TYPE, element, text
from shared.errors import CadastreError, MissingParameter, UnsupportedOperation

ACCESS_ROLE = "OrganizationAccountAccessRole"
"""By which a management account gets into the other accounts of its organization, as at AWS."""

_SHORTEST_SECONDS, _LONGEST_SECONDS = 900, 43_200
_SECONDS = re.compile(r"[0-9]{1,9}")
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_ROLE_ARN = re.compile(r"arn:aws:iam::(?P<account_id>\d{12}):role/(?P<role_name>[^\s/]+)", re.ASCII)

Parameters: TypeAlias = Mapping[str, str]
# The content of the result for a call with these parameters.
_Act: TypeAlias = Callable[[Parameters, Call], Awaitable[str]]


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
        authorizer: Authorizer,
        organizations: Organizations,
        tokens: SessionTokens,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._model, self._errors = model, QueryErrors(model, IAM_CODES)
        self._namespace = str(model.metadata["xmlNamespace"])
        self._authorizer, self._organizations = authorizer, organizations
        self._tokens, self._clock = tokens, clock
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
        return Answer(response(name, result, call.request_id, self._namespace), MEDIA_TYPE)

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
        expires_at = self._expires_at(parameters, default_seconds=_LONGEST_SECONDS)
        return self._credentials(new_session(call.identity.access_key_id, expires_at))

    async def _assume_role(self, parameters: Parameters, call: Call) -> str:
        """A session of a role in another account of the caller's organization (ORG-1)."""
        role_arn = _required(parameters, "RoleArn")
        session_name = _required(parameters, "RoleSessionName")
        if not _SESSION_NAME.fullmatch(session_name):
            raise ValidationError(
                f"Value ({session_name}) for parameter RoleSessionName is invalid. Use 2-64"
                " letters, digits and characters of _+=,.@-",
                parameter="RoleSessionName",
                value=session_name,
            )
        expires_at = self._expires_at(parameters, default_seconds=3600)
        identity = call.identity
        await self._authorizer.check_action(
            "sts:AssumeRole", role_arn, call.caller, identity.policies
        )
        role = self._role(role_arn, session_name, call)
        session = new_session(identity.access_key_id, expires_at, role)
        assumed = identity_in(role, identity.access_key_id)
        user = element("AssumedRoleId", text(assumed.user_id)) + element("Arn", text(role.arn))
        return self._credentials(session) + element("AssumedRoleUser", user)

    def _role(self, role_arn: str, session_name: str, call: Call) -> AssumedRole:
        """The role, if its account lets the caller act in it; whether there is one isn't told."""
        parts = _ROLE_ARN.fullmatch(role_arn)
        account_id = parts["account_id"] if parts else ""
        organization = self._organizations.of(account_id)
        management_account_id = organization.management_account_id if organization else ""
        lets_in = (
            parts is not None
            and parts["role_name"] == ACCESS_ROLE
            and call.caller.account_id == management_account_id != account_id
        )
        if not lets_in:
            raise AccessDenied(
                f"User: {call.caller.principal} is not authorized to perform: sts:AssumeRole on"
                f" resource: {role_arn}",
                role_arn=role_arn,
            )
        return AssumedRole(account_id, ACCESS_ROLE, session_name)

    def _expires_at(self, parameters: Parameters, *, default_seconds: int) -> datetime:
        given = parameters.get("DurationSeconds", str(default_seconds))
        seconds = int(given) if _SECONDS.fullmatch(given) else 0
        if not _SHORTEST_SECONDS <= seconds <= _LONGEST_SECONDS:
            raise ValidationError(
                f"Value ({given}) for parameter DurationSeconds is invalid. Use"
                f" {_SHORTEST_SECONDS}-{_LONGEST_SECONDS}",
                parameter="DurationSeconds",
                value=given,
            )
        return self._clock() + timedelta(seconds=seconds)

    def _credentials(self, session: Session) -> str:
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
