"""The endpoint of a service that speaks JSON: one request in, one RPC out, one answer back."""

from collections.abc import Mapping, Sequence

from botocore.model import ServiceModel

from services.gateway.answers import Answer, Call
from services.gateway.clients import Services
from services.gateway.form import parse_form
from services.gateway.json_protocols.addresses import operation_finder
from services.gateway.json_protocols.document import parse_document
from services.gateway.json_protocols.errors import JsonErrors
from services.gateway.json_protocols.operations import Operation, operations_of
from services.gateway.routes import Rpc
from shared.errors import CadastreError, UnsupportedOperation


class JsonProtocol:
    """Every operation of one service that its contract has."""

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
        self._operations = operations_of(model, rpcs)
        self._name_of = operation_finder(model)
        self._media_type = _media_type(model)
        self._errors = JsonErrors(model, codes, self._media_type)
        self._services = services

    async def answer(self, call: Call) -> Answer:
        operation = self._operation(call)
        # The head was read as Latin-1; what is in it is UTF-8.
        query = parse_form(call.request.query.encode("latin-1"))
        request = operation.request(parse_document(call.request.body), query)
        answer = await self._services.call(operation.rpc, request, call)
        return Answer(operation.render(answer), self._media_type)

    def refuse(self, error: CadastreError, request_id: str) -> Answer:  # noqa: ARG002 in a header
        return self._errors.refuse(error)

    def fault(self, request_id: str) -> Answer:  # noqa: ARG002 in a header
        return self._errors.fault()

    def _operation(self, call: Call) -> Operation:
        call.action = self._name_of(call)
        if call.action not in self._operations:
            raise UnsupportedOperation(
                f"The operation {call.action} is not available in this installation"
            )
        return self._operations[call.action]


def _media_type(model: ServiceModel) -> str:
    if model.protocol == "json":
        return f"application/x-amz-json-{model.metadata['jsonVersion']}"
    return "application/json"
