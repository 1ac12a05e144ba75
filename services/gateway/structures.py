"""AWS's structures as far as a contract has them: what both ways of giving parameters share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from botocore import xform_name
from botocore.model import MapShape, Shape, StructureShape
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from services.gateway.contract import ContractMismatch
from shared.errors import CadastreError, UnknownParameter, UnsupportedOperation

# Makes of what a request gives for a member, and of that member's full name, what the message's
# constructor takes for its field.
Reader: TypeAlias = Callable[[Any, str], Any]

MAX_LIST_LENGTH = 1000

NO_MEMBERS = StructureShape("NoMembers", {"type": "structure", "members": {}})
"""What an operation takes that takes nothing."""


@dataclass(frozen=True, slots=True)
class Structure:
    """The members of one structure, by their names on the wire."""

    readers: Mapping[str, tuple[str, Reader]]
    """Field and reader of each member that the contract has."""
    missing: frozenset[str]
    """The members that only AWS has."""

    def read(self, given: Mapping[str, Any], path: str) -> dict[str, Any]:
        """The arguments of the structure's message. ``path`` is empty for a whole request.

        Raises:
            UnknownParameter: AWS has no such member.
            UnsupportedOperation: AWS has it, and the contract hasn't.
        """
        result = {}
        for name, value in given.items():
            full_name = f"{path}.{name}" if path else name
            if name not in self.readers:
                raise self._not_taken(name, full_name)
            field, read = self.readers[name]
            result[field] = read(value, full_name)
        return result

    def _not_taken(self, name: str, full_name: str) -> CadastreError:
        if name in self.missing:
            return UnsupportedOperation(
                f"The parameter {full_name} is not supported here; leave it out",
                parameter=full_name,
            )
        return unknown_parameter(full_name)


def structure_of(
    members: Mapping[str, Shape],
    descriptor: Descriptor,
    wire_name: Callable[[str, Shape], str],
    reader_of: Callable[[Shape, FieldDescriptor], Reader],
) -> Structure:
    """Put together how ``members`` become a message of ``descriptor``.

    Raises:
        ContractMismatch: by ``reader_of``, for a field that can't carry its member; and for a map,
            which nothing reads yet.
    """
    readers: dict[str, tuple[str, Reader]] = {}
    missing: set[str] = set()
    for member, shape in members.items():
        field = descriptor.fields_by_name.get(xform_name(member))
        if field is None:
            missing.add(wire_name(member, shape))
        elif isinstance(shape, MapShape):
            raise ContractMismatch(f"{field.full_name} is a map, which no request can give")
        else:
            readers[wire_name(member, shape)] = (field.name, reader_of(shape, field))
    return Structure(readers, frozenset(missing))


def unknown_parameter(name: str) -> UnknownParameter:
    """The refusal for a parameter the action doesn't have."""
    return UnknownParameter(f"The parameter {name} is not recognized", parameter=name)
