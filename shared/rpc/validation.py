"""The rules that contracts state about request members, checked before any handler runs."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from cadastre.common.v1 import options_pb2
from shared.errors import InvalidParameterValue, MissingParameter
from shared.ids import KIND_BY_PREFIX, IdKind
from shared.rpc.enums import aws_enum_names

DEFAULT_MAX_LENGTH = 1024
DEFAULT_MAX_ITEMS = 1000

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

Check = Callable[[Any, str], None]
"""Refuses a value; the second argument is the member's name as AWS writes it."""


def validate(message: Message) -> None:
    """Check a request against the ``(cadastre.common.v1.rules)`` of its members, nested ones too.

    Raises:
        MissingParameter: a required member is absent.
        InvalidParameterValue: a value is too long, too many, out of range, or no known enum value.
        MalformedId: an id of another form.
    """
    _check_message(message, "")


def _check_message(message: Message, path: str) -> None:
    required, checks = _rules_of(message.DESCRIPTOR)
    # Most members of most requests are left out, so it is the others that are gone through.
    given = {field.name: value for field, value in message.ListFields()}
    for name, shown in required.items():
        if given.get(name, "") == "":
            raise MissingParameter(path + shown)
    for name, value in given.items():
        for check in checks[name]:
            check(value, path)


@cache
def _rules_of(descriptor: Descriptor) -> tuple[Mapping[str, str], Mapping[str, Sequence[Check]]]:
    """The required members with the names that AWS gives them, and what to check of each member."""
    rules = {field: field.GetOptions().Extensions[options_pb2.rules] for field in descriptor.fields}
    required = {field.name: field.camelcase_name for field in rules if rules[field].required}
    return required, {field.name: _member_checks(field, rules[field]) for field in rules}


def _member_checks(field: FieldDescriptor, rules: options_pb2.FieldRules) -> list[Check]:
    checks, name = _value_checks(field, rules), field.camelcase_name
    if field.is_repeated:
        max_items = rules.max_items if rules.HasField("max_items") else DEFAULT_MAX_ITEMS
        return [partial(_check_list, name, max_items, checks)]
    return [partial(_check_single, name, check) for check in checks]


def _check_list(
    name: str, max_items: int, checks: Sequence[Check], values: Sequence[Any], path: str
) -> None:
    if len(values) > max_items:
        raise InvalidParameterValue(
            f"{len(values)} values for parameter {path}{name}; at most {max_items} are allowed",
            parameter=path + name,
            count=len(values),
        )
    for index, value in enumerate(values, 1):
        for check in checks:
            check(value, f"{path}{name}.{index}")


def _check_single(name: str, check: Check, value: Any, path: str) -> None:
    check(value, path + name)


def _value_checks(field: FieldDescriptor, rules: options_pb2.FieldRules) -> list[Check]:
    if field.message_type is not None:
        return [] if field.message_type.file.package == "google.protobuf" else [_check_nested]
    if field.enum_type is not None:
        return [partial(_check_enum, field.enum_type)]
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return _string_checks(rules)
    return [partial(_check_range, rules)] if _has_range(rules) else []


def _string_checks(rules: options_pb2.FieldRules) -> list[Check]:
    longest = rules.max_length if rules.HasField("max_length") else DEFAULT_MAX_LENGTH
    checks: list[Check] = [partial(_check_text, longest)]
    prefixes = [rules.id_prefix] if rules.id_prefix else list(rules.id_prefixes)
    if prefixes:
        # One may begin another: "ipam-", "ipam-pool-".
        longest_first = sorted(prefixes, key=len, reverse=True)
        checks.append(partial(_check_id, [KIND_BY_PREFIX[prefix] for prefix in longest_first]))
    return checks


def _check_nested(value: Message, name: str) -> None:
    _check_message(value, f"{name}.")


def _check_enum(enum: EnumDescriptor, value: int, name: str) -> None:
    if value == 0 or value not in enum.values_by_number:
        raise InvalidParameterValue(
            f"Value ({value}) for parameter {name} is invalid; use one of"
            f" {', '.join(aws_enum_names(enum))}",
            parameter=name,
            value=value,
        )


def _check_text(longest: int, value: str | bytes, name: str) -> None:
    if len(value) > longest:
        raise InvalidParameterValue(
            f"The value for parameter {name} has {len(value)} characters; at most {longest} are"
            " allowed",
            parameter=name,
            length=len(value),
        )
    if isinstance(value, str) and _CONTROL_CHARACTERS.search(value):
        raise InvalidParameterValue(
            f"The value for parameter {name} contains control characters", parameter=name
        )


def _check_id(kinds: Sequence[IdKind], value: str, _name: str) -> None:
    # The longest prefix that fits is meant; where none does, one as good as any.
    next((kind for kind in kinds if value.startswith(kind.prefix)), kinds[0]).check(value)


def _check_range(rules: options_pb2.FieldRules, value: int, name: str) -> None:
    lowest = rules.minimum if rules.HasField("minimum") else value
    highest = rules.maximum if rules.HasField("maximum") else value
    if not lowest <= value <= highest:
        raise InvalidParameterValue(
            f"Value ({value}) for parameter {name} is invalid; use {rules.minimum}-{rules.maximum}",
            parameter=name,
            value=value,
        )


def _has_range(rules: options_pb2.FieldRules) -> bool:
    return rules.HasField("minimum") or rules.HasField("maximum")
