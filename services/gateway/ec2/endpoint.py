"""EC2's endpoint: one request in, one RPC (or a few) out, one answer back."""

import asyncio
from collections.abc import Mapping

from botocore.model import ServiceModel
from google.protobuf.message import Message

from services.gateway.answers import Answer, Call
from services.gateway.clients import Services
from services.gateway.ec2 import errors
from services.gateway.ec2.operations import Operation, operations_of
from services.gateway.ec2.pages import is_one_list, page_over_all
from services.gateway.ec2.parameters import nested
from services.gateway.errors import InvalidAction
from services.gateway.form import parse_form
from services.gateway.query.actions import check_version, take_action
from services.gateway.routes import Rpc
from services.gateway.xml import MEDIA_TYPE
from shared.errors import CadastreError, DryRunOperation


class Ec2Protocol:
    """Every action of EC2 that one of the contracts has."""

    def __init__(self, model: ServiceModel, services: Services) -> None:
        """Put together all operations, so that a call only runs through them.

        Raises:
            ContractMismatch: a contract can't carry what AWS's model says.
        """
        self._operations: Mapping[str, Operation] = operations_of(model)
        self._actions_of_aws = frozenset(model.operation_names)
        self._version = model.api_version
        self._services = services

    async def answer(self, call: Call) -> Answer:
        parameters = parse_form(call.request.body)
        operation = self._operation(take_action(parameters))
        call.action = operation.name
        check_version(parameters.pop("Version", ""), self._version)
        requests = operation.requests(nested(parameters))
        answer = await self._call(requests, call)
        return Answer(operation.render(answer, call.request_id).encode(), MEDIA_TYPE)

    def refuse(self, error: CadastreError, request_id: str) -> Answer:
        return errors.refuse(error, request_id)

    def fault(self, request_id: str) -> Answer:
        return errors.fault(request_id)

    def _operation(self, action: str) -> Operation:
        if action in self._operations:
            return self._operations[action]
        if action in self._actions_of_aws:
            raise InvalidAction(f"The action {action} is not available in this installation")
        raise InvalidAction(f"The action {action} is not valid for this web service")

    async def _call(self, requests: list[tuple[Rpc, Message]], call: Call) -> Message:
        if len(requests) == 1:
            [(rpc, request)] = requests
            return await self._services.call(rpc, request, call)
        if is_one_list(requests):
            page: Message = await page_over_all(
                requests, lambda rpc, request: self._services.call(rpc, request, call)
            )
            return page
        outcomes = await asyncio.gather(
            *(self._services.call(rpc, request, call) for rpc, request in requests),
            return_exceptions=True,
        )
        refusals = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        if refusals:
            # "It would have succeeded" is true only when every part says so.
            raise min(refusals, key=_is_success_of_dry_run)
        return next(outcome for outcome in outcomes if isinstance(outcome, Message))


def _is_success_of_dry_run(refusal: BaseException) -> bool:
    return isinstance(refusal, CadastreError) and refusal.reason == DryRunOperation.reason
