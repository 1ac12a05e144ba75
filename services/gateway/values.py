"""Single values as requests give them -> what the fields of messages take."""

import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from math import isnan
from typing import Any, TypeAlias

from botocore.model import Shape
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

from shared.errors import InvalidParameterValue
from shared.rpc.enums import aws_enum_names, enum_number

# Raises ValueError, with what would be right, for a value that is none of its kind.
Convert: TypeAlias = Callable[[Any], Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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


def to_float(value: float) -> float:
    """``value``, which must be a number and finite."""
    # Infinite is what Python reads 1e999 as; a whole number has no bound at all.
    if not abs(value) <= sys.float_info.max:
        raise ValueError("Use a number of at most 64 bits")
    return float(value)


def seconds_to_timestamp(seconds: float) -> datetime:
    """So many seconds after the beginning of 1970."""
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        raise ValueError("Use seconds since 1970, such as 1767323045.5") from None


def name_of_infinite(value: float) -> str:
    """What AWS's protocols call a double that has no digits."""
    if isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _text_to_integer(bits: int, value: str) -> int:
    return to_integer(bits, int(value) if _INTEGER.fullmatch(value) else None)


def _to_boolean(value: str) -> bool:
    try:
        return _BOOLEANS[value.lower()]
    except KeyError:
        raise ValueError("Use 'true' or 'false'") from None


def _text_to_float(value: str) -> float:
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
    "double": _text_to_float,
    "string": str,
    "timestamp": _to_timestamp,
}
