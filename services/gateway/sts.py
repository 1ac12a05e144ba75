"""The Security Token Service: who am I. Answered from the signature alone."""

import base64
import hashlib

from services.gateway import query_errors
from services.gateway.answers import Answer, Call
from services.gateway.errors import InvalidAction, MissingAction
from services.gateway.form import parse_form
from services.gateway.xml import DECLARATION, MEDIA_TYPE, element, text
from shared.caller import Caller
from shared.errors import CadastreError

NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_ACTION = "GetCallerIdentity"


class StsProtocol:
    """``GetCallerIdentity``, which the AWS CLI and Terraform ask first."""

    async def answer(self, call: Call) -> Answer:
        action = parse_form(call.body).get("Action")
        if not action:
            raise MissingAction
        if action != _ACTION:
            raise InvalidAction(
                f"The action {action} is not available here; of STS only {_ACTION} is"
            )
        call.action = action
        return Answer(_identity(call.caller, call.request_id), MEDIA_TYPE)

    def refuse(self, error: CadastreError, request_id: str) -> Answer:
        return query_errors.refuse(error, request_id, NAMESPACE)

    def fault(self, request_id: str) -> Answer:
        return query_errors.fault(request_id, NAMESPACE)


def _identity(caller: Caller, request_id: str) -> str:
    result = (
        element("Arn", text(caller.principal))
        + element("UserId", _user_id(caller))
        + element("Account", caller.account_id)
    )
    metadata = element("RequestId", request_id)
    return (
        f'{DECLARATION}<{_ACTION}Response xmlns="{NAMESPACE}">'
        + element(f"{_ACTION}Result", result)
        + element("ResponseMetadata", metadata)
        + f"</{_ACTION}Response>"
    )


def _user_id(caller: Caller) -> str:
    """As AWS forms them, and the same for ever for one principal."""
    digest = hashlib.sha256(caller.principal.encode()).digest()
    return "AIDA" + base64.b32encode(digest).decode()[:17]
