"""Fields that many forms have, and what is made of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.message import Message

from cadastre.common.v1 import types_pb2
from services.gateway.console.forms import Choice, Field, Kind, Values
from services.gateway.console.visit import Visit
from shared.rpc.enums import enum_number


def locked(name: str, label: str, value: str) -> Field:
    """What the page's address says."""
    return Field(name, label, value=value, is_locked=True)


def description_field(value: str = "") -> Field:
    return Field("description", "Description", value=value)


def tags_field(value: str = "", label: str = "Tags") -> Field:
    return Field(
        "tags",
        label,
        Kind.TAGS,
        help="A line for each: key=value. The tag Name is what lists show first.",
        value=value,
    )


def region_choices(visit: Visit) -> Sequence[Choice]:
    """All regions, the visit's own first."""
    others = [region for region in visit.regions if region != visit.region]
    return [Choice(region, region) for region in (visit.region, *others)]


def tag_specifications(
    resource_type: str, tags: Mapping[str, str]
) -> Sequence[types_pb2.TagSpecification]:
    """Tags for something that is created."""
    if not tags:
        return []
    entries = [types_pb2.Tag(key=key, value=value) for key, value in tags.items()]
    return [types_pb2.TagSpecification(resource_type=resource_type, tags=entries)]


def choose(request: Message, field: str, values: Values) -> None:
    """Set an enum's field to the value that was chosen by AWS's word, if one was.

    A form's choices are checked before, so there is none that isn't known here.
    """
    enum: Any = request.DESCRIPTOR.fields_by_name[field].enum_type
    number = enum_number(enum, values.text(field))
    if number:
        setattr(request, field, number)
