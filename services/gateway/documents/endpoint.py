"""A service that speaks in documents: one request in, one RPC out, one answer back."""

from collections.abc import Mapping, Sequence

from botocore.model import ServiceModel

from services.gateway.answers import Answer, Call
from services.gateway.clients import Services
from services.gateway.documents.addresses import RPC_V2_CBOR, operation_finder
from services.gateway.documents.cbor_notation import CBOR
from services.gateway.documents.cbor_notation import MEDIA_TYPE as CBOR_MEDIA_TYPE
from services.gateway.documents.errors import DocumentErrors
from services.gateway.documents.json_notation import JSON
from services.gateway.documents.operations import Operation, operations_of
from services.gateway.form import parse_form
from services.gateway.routes import Rpc
from shared.errors import CadastreError, UnsupportedOperation


class DocumentProtocol:
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
        self._notation = CBOR if model.protocol == RPC_V2_CBOR else JSON
        self._operations = operations_of(model, rpcs, self._notation)
        self._name_of = operation_finder(model)
        self._media_type = _media_type(model)
        self._errors = DocumentErrors(model, codes, self._media_type, self._notation)
        self._services = services

    async def answer(self, call: Call) -> Answer:
        operation = self._operation(call)
        # The head was read as Latin-1; what is in it is UTF-8.
        query = parse_form(call.request.query.encode("latin-1"))
        request = operation.request(self._notation.parse(call.request.body), query)
        answer = await self._services.call(operation.rpc, request, call)
        body = operation.render(answer)
        return Answer(body, self._media_type, headers=self._notation.headers)

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
    return CBOR_MEDIA_TYPE if model.protocol == RPC_V2_CBOR else "application/json"
