"""The endpoint of a service that speaks Query: one request in, one RPC out, one answer back."""

from collections.abc import Mapping, Sequence

from botocore.model import ServiceModel

from services.gateway.answers import Answer, Call
from services.gateway.clients import Services
from services.gateway.ec2.parameters import nested
from services.gateway.errors import InvalidAction
from services.gateway.form import parse_form
from services.gateway.query.actions import check_version, take_action
from services.gateway.query.errors import QueryErrors
from services.gateway.query.operations import Operation, operations_of
from services.gateway.routes import Rpc
from services.gateway.xml import MEDIA_TYPE
from shared.errors import CadastreError


class QueryProtocol:
    """Every action of one service that its contract has."""

    def __init__(
        self,
        model: ServiceModel,
        rpcs: Mapping[str, Sequence[Rpc]],
        codes: Mapping[str, str],
        services: Services,
    ) -> None:
        """Put together all operations, so that a call only runs through them.

        ``codes`` are the service's own error codes for general reasons.

        Raises:
            ContractMismatch: the contract can't carry what AWS's model says.
        """
        self._operations: Mapping[str, Operation] = operations_of(model, rpcs)
        self._version, self._errors = model.api_version, QueryErrors(model, codes)
        self._services = services

    async def answer(self, call: Call) -> Answer:
        parameters = parse_form(call.request.body)
        operation = self._operation(take_action(parameters))
        call.action = operation.name
        check_version(parameters.pop("Version", ""), self._version)
        request = operation.request(nested(parameters))
        answer = await self._services.call(operation.rpc, request, call)
        return Answer(operation.render(answer, call.request_id).encode(), MEDIA_TYPE)

    def refuse(self, error: CadastreError, request_id: str) -> Answer:
        return self._errors.refuse(error, request_id)

    def fault(self, request_id: str) -> Answer:
        return self._errors.fault(request_id)

    def _operation(self, action: str) -> Operation:
        if action not in self._operations:
            raise InvalidAction(f"The action {action} is not available in this installation")
        return self._operations[action]
