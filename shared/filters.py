"""AWS's list filters over protobuf records (BEY-6).

A filter is named after a member in kebab-case (``ipam-pool-id``), ``tag:KEY`` or ``tag-key``.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from functools import lru_cache
from typing import Any, TypeVar, cast

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from cadastre.common.v1 import types_pb2
from shared.errors import InvalidParameterValue
from shared.rpc.enums import aws_enum_name

Record = TypeVar("Record", bound=Message)
Values = Callable[[Any], Iterable[str]]

_NO_ALIASES: Mapping[str, str] = {}
_WILD: Mapping[str, str] = {"*": ".*", "?": "."}


class FilterSet:
    """The filters of one request, ready to be applied to records of one message type."""

    def __init__(
        self,
        filters: Sequence[types_pb2.Filter],
        record_type: Descriptor,
        aliases: Mapping[str, str] = _NO_ALIASES,
        *,
        tags: str = "tags",
        only: Collection[str] | None = None,
    ) -> None:
        """Prepare ``filters``.

        ``aliases`` maps further filter names to dotted paths of fields: ``"block.state"`` to
        ``"cidr_block_association_set.cidr_block_state.state"``. ``tags`` is the path of the
        record's tags; where there is none, records have no tags. ``only`` are the names that are
        allowed, where that is not all of them.

        Raises:
            InvalidParameterValue: a filter name that records of this type do not have.
        """
        for name in (one.name for one in filters):
            if only is not None and name not in only:
                raise _unknown(name, sorted(only))
        self._conditions = [
            (_values_of(f.name, record_type, aliases, tags.split(".")), _pattern(tuple(f.values)))
            for f in filters
        ]

    def matches(self, record: Message) -> bool:
        """Every filter passes: one of the record's values equals one of the filter's patterns."""
        return all(
            any(pattern.fullmatch(value) for value in values(record))
            for values, pattern in self._conditions
        )


@lru_cache(maxsize=1024)
def _pattern(values: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(_as_regex, values)) if values else r"(?!)", re.DOTALL)


def _as_regex(value: str) -> str:
    """``*`` is any run of characters, ``?`` one; a backslash takes their meaning away."""
    return "".join(_WILD.get(part) or re.escape(part[-1]) for part in _parts(value))


def _parts(value: str) -> list[str]:
    """Characters, each with the backslash before it."""
    return re.findall(r"\\.|.", value, re.DOTALL)


def literal_pieces(value: str) -> list[str]:
    """What stands between the wildcards of a filter's value: ``a*b?`` has "a", "b" and ""."""
    pieces = [""]
    for part in _parts(value):
        if part in _WILD:
            pieces.append("")
        else:
            pieces[-1] += part[-1]
    return pieces


def exact_values(filters: Iterable[types_pb2.Filter], name: str) -> Sequence[str] | None:
    """What a filter may let through, where that can be told by whole values alone.

    None: no filter is called ``name``, or one of its values has wildcards. It only narrows: whether
    a record passes is for `FilterSet` to say.
    """
    for one in filters:
        if one.name == name:
            pieces = [literal_pieces(value) for value in one.values]
            if all(len(parts) == 1 for parts in pieces):
                return [parts[0] for parts in pieces]
    return None


def _values_of(
    name: str, record_type: Descriptor, aliases: Mapping[str, str], tags: Sequence[str]
) -> Values:
    has_tags = tags[0] in record_type.fields_by_name
    if has_tags and name == "tag-key":
        return lambda record: _walk(record, [*tags, "key"])
    if has_tags and name.startswith("tag:"):
        key = name.removeprefix("tag:")
        return lambda record: (tag.value for tag in _items(record, tags) if tag.key == key)
    path = aliases.get(name, name.replace("-", "_")).split(".")
    if name not in aliases and not _is_scalar(record_type.fields_by_name.get(path[0])):
        raise _unknown(name, _names(record_type, aliases, has_tags=has_tags))
    return lambda record: _walk(record, path)


def _unknown(name: str, names: Iterable[str]) -> InvalidParameterValue:
    return InvalidParameterValue(
        f"The filter '{name}' is invalid; use one of {', '.join(names)}",
        parameter="filter",
        value=name,
    )


def _names(record_type: Descriptor, aliases: Mapping[str, str], *, has_tags: bool) -> list[str]:
    members = [f.name.replace("_", "-") for f in record_type.fields if _is_scalar(f)]
    tags = ["tag:KEY", "tag-key"] if has_tags else []
    return sorted({*members, *aliases}) + tags


def _is_scalar(field: FieldDescriptor | None) -> bool:
    return field is not None and field.message_type is None


def _walk(record: Message, path: Sequence[str]) -> Iterator[str]:
    *outer, last = path
    for holder in _items(record, outer):
        enum = _field(holder, last).enum_type
        yield from (_text(enum, value) for value in _values(holder, last))


def _items(record: Message, path: Sequence[str]) -> Iterator[Any]:
    """The messages at the end of a path; the record itself at that of an empty one."""
    if not path:
        yield record
        return
    for item in _values(record, path[0]):
        yield from _items(item, path[1:])


def _values(record: Message, name: str) -> Iterable[Any]:
    field = _field(record, name)
    value = getattr(record, name)
    if field.is_repeated:
        return cast(Iterable[Any], value)
    return [value] if not field.has_presence or record.HasField(name) else []


def _field(record: Message, name: str) -> FieldDescriptor:
    return cast(Descriptor, record.DESCRIPTOR).fields_by_name[name]


def _text(enum: EnumDescriptor | None, value: Any) -> str:
    if enum is not None:
        return aws_enum_name(enum, value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Timestamp):
        # As EC2's answers give it.
        moment = value.ToDatetime(tzinfo=UTC).isoformat(timespec="milliseconds")
        return moment.replace("+00:00", "Z")
    return str(value)
