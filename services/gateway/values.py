"""Single values as requests give them -> what the fields of messages take."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeAlias

from botocore.model import Shape
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

from shared.errors import InvalidParameterValue
from shared.rpc.enums import aws_enum_names, enum_number

# Raises ValueError, with what would be right, for a value that is none of its kind.
Convert: TypeAlias = Callable[[Any], Any]

_INTEGER = re.compile(r"-?[0-9]{1,19}")
_FLOAT = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
_BOOLEANS = {"true": True, "false": False}


def converted(convert: Convert, value: object, parameter: str) -> Any:
    """What ``convert`` makes of ``value``.

    Raises:
        InvalidParameterValue: nothing; the message says what it would take.
    """
    try:
        return convert(value)
    except ValueError as error:
        raise InvalidParameterValue(
            f"Value ({value}) for parameter {parameter} is invalid. {error}",
            parameter=parameter,
            value=value,
        ) from None


def text_converter(shape: Shape, field: FieldDescriptor) -> Convert:
    """For values that come as text: the Query protocol's, and those in a query string."""
    if field.enum_type is not None:
        return partial(to_enum, field.enum_type)
    if shape.type_name in ("integer", "long"):
        return partial(_text_to_integer, bits_of(field))
    return _FROM_TEXT[shape.type_name]


def bits_of(field: FieldDescriptor) -> int:
    """How many bits an integer field has."""
    return 32 if field.cpp_type == FieldDescriptor.CPPTYPE_INT32 else 64


def to_integer(bits: int, number: int | None) -> int:
    """``number``, which must be one and fit."""
    limit = 1 << (bits - 1)
    if number is None or not -limit <= number < limit:
        raise ValueError(f"Use a whole number of at most {bits} bits, in decimal digits")
    return number


def to_enum(enum: EnumDescriptor, value: str) -> int:
    """The value that AWS's word stands for."""
    number = enum_number(enum, value)
    if number is None:
        raise ValueError(f"Use one of {', '.join(aws_enum_names(enum))}")
    return number


def _text_to_integer(bits: int, value: str) -> int:
    return to_integer(bits, int(value) if _INTEGER.fullmatch(value) else None)


def _to_boolean(value: str) -> bool:
    try:
        return _BOOLEANS[value.lower()]
    except KeyError:
        raise ValueError("Use 'true' or 'false'") from None


def _to_float(value: str) -> float:
    if not _FLOAT.fullmatch(value):
        raise ValueError("Use a decimal number")
    return float(value)


def _to_timestamp(value: str) -> datetime:
    try:
        parsed = datetime.fromisoformat(value)
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError("Use a time like '2026-01-02T03:04:05Z'") from None


_FROM_TEXT: Mapping[str, Convert] = {
    "boolean": _to_boolean,
    "double": _to_float,
    "string": str,
    "timestamp": _to_timestamp,
}
