"""EC2's actions as calls of RPCs, put together once from AWS's model and the contracts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from botocore.model import OperationModel, ServiceModel
from google.protobuf.message import Message

from services.gateway.ec2.fan_out import split
from services.gateway.ec2.pages import is_one_list
from services.gateway.ec2.parameters import Node
from services.gateway.ec2.requests import structure_reader
from services.gateway.ec2.responses import Render, structure_renderer
from services.gateway.routes import Rpc, rpcs_by_action, served
from services.gateway.structures import NO_MEMBERS, Reader
from services.gateway.xml import DECLARATION, element


@dataclass(frozen=True, slots=True)
class Operation:
    """One action: how its request is read, what is called, how the answer is written."""

    name: str
    rpcs: Sequence[Rpc]
    _readers: Sequence[Reader]
    _render: Render | None
    _namespace: str

    def requests(self, parameters: dict[str, Node]) -> list[tuple[Rpc, Message]]:
        """What to call for ``parameters``; more than one call only where contexts share an action.

        Raises:
            CadastreError: the parameters are not this action's.
        """
        requests = [
            (rpc, rpc.request_type(**read(parameters, "")))
            for rpc, read in zip(self.rpcs, self._readers, strict=True)
        ]
        return requests if len(requests) == 1 or is_one_list(requests) else split(requests)

    def render(self, answer: Message, request_id: str) -> str:
        """The response document."""
        content = self._render(answer) if self._render else element("return", "true")
        return (
            f'{DECLARATION}<{self.name}Response xmlns="{self._namespace}">'
            + element("requestId", request_id)
            + content
            + f"</{self.name}Response>"
        )


def operations_of(
    model: ServiceModel, rpcs: Mapping[str, Sequence[Rpc]] | None = None
) -> Mapping[str, Operation]:
    """Every action of ``model`` that one of ``rpcs`` serves; by default all the contracts have.

    Raises:
        ContractMismatch: a contract can't carry what AWS's model says.
    """
    return served(model, rpcs_by_action() if rpcs is None else rpcs, _operation)


def _operation(model: OperationModel, rpcs: Sequence[Rpc]) -> Operation:
    request_shape = model.input_shape or NO_MEMBERS
    render = None
    if model.output_shape is not None:
        render = structure_renderer(model.output_shape, rpcs[0].descriptor.output_type)
    return Operation(
        model.name,
        rpcs,
        [structure_reader(request_shape, rpc.descriptor.input_type) for rpc in rpcs],
        render,
        # EC2 itself has the slash that its model lacks.
        f"{model.metadata['xmlNamespace']}/",
    )
