"""What the interceptor needs to know of a method, worked out once from its contract."""

from dataclasses import dataclass
from enum import Enum, auto

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, ServiceDescriptor
from google.protobuf.message import Message

from cadastre.common.v1 import options_pb2

_READING = ("Describe", "Get", "List", "Lookup")


class Admits(Enum):
    """Who may call at all (ORG-10); the handler decides the rest."""

    NOBODY = auto()
    """Its contract says nothing of it."""
    SERVICES = auto()
    ACCOUNTS = auto()
    """And services, on behalf of one or not."""


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC. ``id_members`` are the request's members that name resources, for the log."""

    service: str
    name: str
    admits: Admits
    is_reading: bool
    id_members: tuple[str, ...]

    def is_dry_run(self, request: Message) -> bool:
        """A reading call that only asks whether it would succeed."""
        return self.is_reading and getattr(request, "dry_run", False)

    def ids(self, request: Message) -> dict[str, str]:
        """The resources a request names."""
        return {name: value for name in self.id_members if (value := getattr(request, name))}


def method_of(path: str) -> Method:
    """The method behind ``/package.Service/Method``, as its contract describes it."""
    service_name, name = path.removeprefix("/").split("/")
    service = descriptor_pool.Default().FindServiceByName(service_name)
    return Method(
        service=service_name,
        name=name,
        admits=_admits(service),
        is_reading=is_reading(name),
        id_members=_id_members(service.methods_by_name[name].input_type),
    )


def is_reading(name: str) -> bool:
    """A method of this name changes nothing."""
    return name.startswith(_READING)


def _admits(service: ServiceDescriptor) -> Admits:
    options = service.GetOptions().Extensions
    if options[options_pb2.internal]:
        return Admits.SERVICES
    return Admits.ACCOUNTS if options[options_pb2.open_to_accounts] else Admits.NOBODY


def _id_members(request: Descriptor) -> tuple[str, ...]:
    return tuple(
        field.name
        for field in request.fields
        if not field.is_repeated and field.GetOptions().Extensions[options_pb2.rules].id_prefix
    )
