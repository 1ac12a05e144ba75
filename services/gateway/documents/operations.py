"""A service's operations as calls of RPCs, put together once from its model and its contract."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.model import OperationModel, ServiceModel
from google.protobuf.message import Message

from services.gateway.documents.json_notation import JSON
from services.gateway.documents.notation import Notation, Render
from services.gateway.documents.requests import RequestReader
from services.gateway.documents.responses import structure_renderer
from services.gateway.routes import Rpc, served
from services.gateway.structures import NO_MEMBERS


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: how its request is read, what is called, how the answer is written."""

    rpc: Rpc
    _reader: RequestReader
    _render: Render | None
    _notation: Notation

    def request(self, document: Mapping[str, Any], query: Mapping[str, str]) -> Message:
        """What to call for the members in the body's document and in the query string.

        Raises:
            CadastreError: they are not this operation's.
        """
        return self.rpc.request_type(**self._reader.read(document, query))

    def render(self, answer: Message) -> bytes:
        """The body of the response: empty for an operation that answers nothing."""
        return self._notation.write(self._render(answer)) if self._render else b""


def operations_of(
    model: ServiceModel, rpcs: Mapping[str, Sequence[Rpc]], notation: Notation = JSON
) -> Mapping[str, Operation]:
    """Every operation of ``model`` that one of ``rpcs`` serves, in documents of ``notation``.

    Raises:
        ContractMismatch: the contract can't carry what AWS's model says.
    """
    return served(model, rpcs, partial(_operation, notation))


def _operation(notation: Notation, model: OperationModel, rpcs: Sequence[Rpc]) -> Operation:
    [rpc] = rpcs
    render = None
    if model.output_shape is not None:
        render = structure_renderer(model.output_shape, rpc.descriptor.output_type, notation)
    reader = RequestReader.of(model.input_shape or NO_MEMBERS, rpc.descriptor.input_type, notation)
    return Operation(rpc, reader, render, notation)
