"""What a core tells a front to serve."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from shared.settings import Context


@dataclass(frozen=True)
class Hello:
    """``modules`` are those of the stubs, which make the ``services`` known when imported."""

    context: Context
    settings: str
    """As JSON."""
    port: int
    modules: Sequence[str]
    services: Sequence[str]
    """Names, packages included."""

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Hello":
        return cls(**json.loads(content))


def methods_of(services: Sequence[str]) -> list[MethodDescriptor]:
    """All methods of these services; a method's place in here is how the two ends call it."""
    pool = descriptor_pool.Default()
    return [method for name in services for method in pool.FindServiceByName(name).methods]


def request_type_of(method: MethodDescriptor) -> type[Message]:
    return message_factory.GetMessageClass(method.input_type)
