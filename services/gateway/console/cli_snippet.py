"""The AWS CLI's command line for a request: what the console does, anybody can script."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any

from botocore import xform_name
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from services.gateway.structures import NO_MEMBERS
from shared.rpc.enums import aws_enum_name

# The CLI sets them by itself, or they ask for another thing than the console does.
_LEFT_OUT = frozenset({"client_token", "dry_run"})
# What shorthand syntax takes as it is, in any place.
_PLAIN = re.compile(r"[A-Za-z0-9_./:@+][A-Za-z0-9_./:@+-]*")
# What the CLI takes for an option, or for the place of a value rather than the value.
_SPECIAL = ("-", "file://", "fileb://", "http://", "https://")
_NEXT_OPTION = " \\\n    "


class UnknownToAws(KeyError):
    """AWS has no such operation, so no client of its own can call it."""


def command_line(model: ServiceModel, operation: str, request: Message, *, region: str) -> str:
    """The command that sends ``request``, ready for a POSIX shell.

    A value that no option can carry unchanged has all of them given as one JSON document.

    Raises:
        UnknownToAws: ``model`` has no such operation.
    """
    if operation not in model.operation_names:
        raise UnknownToAws(f"{model.service_name} has no operation {operation}")
    given = _given(model.operation_model(operation), request)
    try:
        options = [option for member in given.items() for option in _options(*member)]
    except _Unspeakable:
        options = [f"--cli-input-json {shlex.quote(_json(given))}"]
    command = f"aws {model.service_name} {xform_name(operation, '-')}"
    parts = [command, *options, f"--region {region}"]
    return (" " if len(parts) < 4 else _NEXT_OPTION).join(parts)


class _Unspeakable(Exception):
    """There is no option for it."""


def _given(operation: OperationModel, request: Message) -> Mapping[str, Any]:
    shape = operation.input_shape or NO_MEMBERS
    given = _structure(shape, request)
    return {name: value for name, value in given.items() if xform_name(name) not in _LEFT_OUT}


def _structure(shape: StructureShape, message: Message) -> Mapping[str, Any]:
    """The members that are there, by AWS's names, in the model's order."""
    found = {}
    for name, member in shape.members.items():
        # Its published types have two classes of descriptors for one.
        field: Any = message.DESCRIPTOR.fields_by_name.get(xform_name(name))
        if field is not None and _is_there(message, field):
            found[name] = _value(member, getattr(message, field.name), field)
    return found


def _is_there(message: Message, field: FieldDescriptor) -> bool:
    if field.is_repeated or not field.has_presence:
        return bool(getattr(message, field.name))
    return message.HasField(field.name)


def _value(shape: Shape, value: Any, field: FieldDescriptor) -> Any:
    if isinstance(shape, ListShape):
        return [_single(shape.member, one, field) for one in value]
    if isinstance(shape, MapShape):
        return dict(value)
    return _single(shape, value, field)


def _single(shape: Shape, value: Any, field: FieldDescriptor) -> Any:
    if isinstance(shape, StructureShape):
        return _structure(shape, value)
    if field.enum_type is not None:
        return aws_enum_name(field.enum_type, value)
    if shape.type_name == "timestamp":
        return value.ToDatetime(tzinfo=UTC).isoformat().replace("+00:00", "Z")
    return value


def _options(name: str, value: Any) -> Iterator[str]:
    option = f"--{xform_name(name, '-')}"
    if value is True:
        yield option
    elif value is False:
        yield f"--no-{option.removeprefix('--')}"
    else:
        yield f"{option} {_argument(value)}"


def _argument(value: Any) -> str:
    """What stands after an option."""
    if isinstance(value, list) and not any(isinstance(one, Mapping) for one in value):
        return " ".join(_word(one, is_in_list=True) for one in value)
    if isinstance(value, list) and all(_is_plain(one) for one in value):
        return " ".join(shlex.quote(_shorthand(one)) for one in value)
    if isinstance(value, list):
        return shlex.quote(_json(value))
    if isinstance(value, Mapping):
        return shlex.quote(_shorthand(value) if _is_plain(value) else _json(value))
    return _word(value)


def _word(value: Any, *, is_in_list: bool = False) -> str:
    text = str(value)
    if text.startswith(_SPECIAL) or (is_in_list and text.lstrip().startswith(("[", "{"))):
        raise _Unspeakable
    return shlex.quote(text)


def _is_plain(value: Any) -> bool:
    """Whether shorthand syntax can say it without any quoting."""
    if isinstance(value, Mapping):
        return bool(value) and all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return bool(value) and all(map(_is_plain, value))
    text = str(value)
    return bool(_PLAIN.fullmatch(text)) and not text.startswith(_SPECIAL)


def _shorthand(value: Any) -> str:
    """``Name=state,Values=[a,b]``, as the CLI's guide describes it."""
    if isinstance(value, Mapping):
        return ",".join(f"{name}={_nested(member)}" for name, member in value.items())
    return _scalar(value)


def _nested(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{_shorthand(value)}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_nested, value))}]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
