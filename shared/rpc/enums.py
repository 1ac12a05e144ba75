"""AWS's enum strings and the contracts' enum values (design.md section 3).

``IPAM_POOL_STATE_CREATE_COMPLETE`` of ``IpamPoolState`` is AWS's ``create-complete``. Where AWS has
another form, the contract's option ``aws_name`` gives it.
"""

import re
from collections.abc import Mapping
from functools import cache

from google.protobuf.descriptor import EnumDescriptor, EnumValueDescriptor

from cadastre.common.v1 import options_pb2


def aws_enum_name(enum: EnumDescriptor, number: int) -> str:
    """AWS's string for a value."""
    return _aws_names(enum)[number]


def enum_number(enum: EnumDescriptor, aws_name: str) -> int | None:
    """The value AWS's string stands for, None when there is none."""
    return _numbers(enum).get(aws_name)


def aws_enum_names(enum: EnumDescriptor) -> list[str]:
    """AWS's strings for all values, in the order of the contract."""
    return list(_numbers(enum))


@cache
def _aws_names(enum: EnumDescriptor) -> Mapping[int, str]:
    prefix = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", enum.name).upper() + "_"
    return {value.number: _aws_name(value, prefix) for value in enum.values}


def _aws_name(value: EnumValueDescriptor, prefix: str) -> str:
    given: str = value.GetOptions().Extensions[options_pb2.aws_name]
    return given or value.name.removeprefix(prefix).lower().replace("_", "-")


@cache
def _numbers(enum: EnumDescriptor) -> Mapping[str, int]:
    return {name: number for number, name in _aws_names(enum).items() if number}
