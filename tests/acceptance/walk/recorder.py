"""What unmodified botocore was answered, by operation."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore import xform_name
from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape
from google.protobuf.descriptor import Descriptor

_ENVELOPE = "ResponseMetadata"


@dataclass(frozen=True)
class Asked:
    """One call that was answered."""

    client: Any
    parameters: Mapping[str, Any]
    answer: Mapping[str, Any]


@dataclass
class Recorder:
    """Listens to clients, so that no call has to say what it covers."""

    calls: dict[str, list[Asked]] = field(default_factory=lambda: defaultdict(list))

    def listen_to(self, client: Any) -> Any:
        """The client, whose answers are written down from now on."""
        given: list[Mapping[str, Any]] = []

        def note_parameters(params: Mapping[str, Any], **_: Any) -> None:
            given.append(dict(params))

        def note_answer(parsed: Mapping[str, Any], model: OperationModel, **_: Any) -> None:
            # A refusal is parsed as well; its "Error" has no place in any operation's output.
            parameters = given.pop()
            if "Error" not in parsed:
                self.calls[model.name].append(Asked(client, parameters, parsed))

        client.meta.events.register("provide-client-params.ec2", note_parameters)
        client.meta.events.register("after-call.ec2", note_answer)
        return client

    def filled(self, operation: str) -> set[str]:
        """Members of the operation's output that some answer had, as ``Ipams.Tags.Key``."""
        return {path for call in self.calls[operation] for path in _filled(call.answer)}


def members_of(model: ServiceModel, operation: str, answer: Descriptor) -> set[str]:
    """Members of the operation's output that the contract has, in the same notation."""
    shape = model.operation_model(operation).output_shape
    return set(_members(shape, answer)) if shape else set()


def _filled(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, member in value.items():
            if name != _ENVELOPE and member not in ("", [], {}, None):
                yield name
                yield from (f"{name}.{below}" for below in _filled(member))
    elif isinstance(value, list):
        for item in value:
            yield from _filled(item)


def _members(shape: Shape, message: Descriptor) -> Iterator[str]:
    if isinstance(shape, ListShape):
        yield from _members(shape.member, message)
    elif isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            field = message.fields_by_name.get(xform_name(name))
            if field is not None:
                yield name
                if field.message_type is not None:
                    yield from (f"{name}.{below}" for below in _members(member, field.message_type))
