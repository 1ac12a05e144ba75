"""A service's actions as calls of RPCs, put together once from its model and its contract."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from botocore.model import OperationModel, ServiceModel
from google.protobuf.message import Message

from services.gateway.ec2.parameters import Node
from services.gateway.ec2.responses import Dialect, Render, structure_renderer
from services.gateway.query.requests import ITEM, structure_reader
from services.gateway.routes import Rpc, served
from services.gateway.structures import NO_MEMBERS, Reader
from services.gateway.xml import DECLARATION, element


def _percent_encoded(document: str) -> str:
    return quote(document, safe="")


# Clients take it for granted that documents come encoded once more, and decode them.
_DIALECT = Dialect(item=ITEM, strings={"policyDocumentType": _percent_encoded})


@dataclass(frozen=True, slots=True)
class Operation:
    """One action: how its request is read, what is called, how the answer is written."""

    name: str
    rpc: Rpc
    _read: Reader
    _render: Render | None
    _namespace: str

    def request(self, parameters: dict[str, Node]) -> Message:
        """What to call for ``parameters``.

        Raises:
            CadastreError: they are not this action's.
        """
        return self.rpc.request_type(**self._read(parameters, ""))

    def render(self, answer: Message, request_id: str) -> str:
        """The response document."""
        result = self._render(answer) if self._render else None
        return response(self.name, result, request_id, self._namespace)


def response(action: str, result: str | None, request_id: str, namespace: str) -> str:
    """The document that answers ``action``; None for an action that answers nothing."""
    return (
        f'{DECLARATION}<{action}Response xmlns="{namespace}">'
        + ("" if result is None else element(f"{action}Result", result))
        + element("ResponseMetadata", element("RequestId", request_id))
        + f"</{action}Response>"
    )


def operations_of(
    model: ServiceModel, rpcs: Mapping[str, Sequence[Rpc]]
) -> Mapping[str, Operation]:
    """Every action of ``model`` that one of ``rpcs`` serves.

    Raises:
        ContractMismatch: the contract can't carry what AWS's model says.
    """
    return served(model, rpcs, _operation)


def _operation(model: OperationModel, rpcs: Sequence[Rpc]) -> Operation:
    [rpc] = rpcs
    render = None
    if model.output_shape is not None:
        render = structure_renderer(model.output_shape, rpc.descriptor.output_type, _DIALECT)
    return Operation(
        model.name,
        rpc,
        structure_reader(model.input_shape or NO_MEMBERS, rpc.descriptor.input_type),
        render,
        str(model.metadata["xmlNamespace"]),
    )
