"""What all answers of other services are read with."""

from google.protobuf.descriptor import EnumDescriptor

from cadastre.common.v1 import types_pb2
from shared.caller import Caller
from shared.cidr import AddressFamily
from shared.errors import UnsupportedOperation
from shared.rpc.enums import aws_enum_name

# No account's: what is read here is everybody's.
SELF = Caller(account_id="", region="", principal="service/metrics", service="metrics")


class UnknownAnswer(UnsupportedOperation):
    """A service, of another version maybe, answers what is not understood here."""

    def __init__(self, what: str, value: object) -> None:
        super().__init__(
            f"A service answers with '{value}' for {what}, which is not known; run all services in"
            " the same version",
            what=what,
            value=value,
        )


def family_of(number: int) -> AddressFamily:
    """The family that a message means.

    Raises:
        UnknownAnswer: there is no such family.
    """
    word = word_of(types_pb2.AddressFamily.DESCRIPTOR, number)
    try:
        return AddressFamily(word)
    except ValueError as error:
        raise UnknownAnswer("an address family", number) from error


def word_of(enum: EnumDescriptor, number: int) -> str:
    """AWS's word; empty where there is none, ``unknown`` for what a later version has."""
    if number == 0:
        return ""
    return aws_enum_name(enum, number) if number in enum.values_by_number else "unknown"


def number_of(decimal: str) -> int:
    """A count of addresses; 0 where none is told.

    Raises:
        UnknownAnswer: it is no number.
    """
    try:
        return int(decimal or "0")
    except ValueError as error:
        raise UnknownAnswer("a count of addresses", decimal) from error
