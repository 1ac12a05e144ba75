"""Listings: what was asked of one, asked again page by page and filter by filter."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore import xform_name
from botocore.model import ListShape, OperationModel, StructureShape

from tests.acceptance.walk.recorder import Asked

_SMALLEST_PAGE = 5
"""The least that AWS allows as MaxResults where its model says nothing else."""


def method(asked: Asked, operation: OperationModel) -> Any:
    """The client's method for the operation."""
    return getattr(asked.client, xform_name(operation.name))


def records_member(operation: OperationModel) -> str:
    """The output member that has the records."""
    assert operation.output_shape is not None
    [name] = [
        name
        for name, shape in operation.output_shape.members.items()
        if isinstance(shape, ListShape)
    ]
    return str(name)


def is_listing(operation: OperationModel) -> bool:
    """Whether its answer comes in pages."""
    output = operation.output_shape
    return output is not None and "NextToken" in output.members


def has_filters(operation: OperationModel) -> bool:
    """Whether it can be asked for some of its records only."""
    return operation.input_shape is not None and "Filters" in operation.input_shape.members


def in_pages(asked: Asked, operation: OperationModel) -> list[Any]:
    """All records in the smallest pages, by botocore's paginator if it has one."""
    assert operation.input_shape is not None
    size = operation.input_shape.members["MaxResults"].metadata.get("min", 0)
    wanted = {**asked.parameters, "MaxResults": max(size, _SMALLEST_PAGE)}
    ids = next((name for name in asked.parameters if name.endswith("Ids")), None)
    if ids:
        # AWS takes ids or MaxResults.
        del wanted["MaxResults"]
    member = records_member(operation)
    name = xform_name(operation.name)
    if asked.client.can_paginate(name):
        wanted.pop("MaxResults", None)
        pages = asked.client.get_paginator(name).paginate(
            **wanted, PaginationConfig={} if ids else {"PageSize": max(size, _SMALLEST_PAGE)}
        )
        return list(itertools.chain.from_iterable(page[member] for page in pages))
    found: list[Any] = []
    while True:
        answer = method(asked, operation)(**wanted)
        found += answer[member]
        if not answer.get("NextToken"):
            return found
        wanted["NextToken"] = answer["NextToken"]


def filterable(
    operation: OperationModel, found: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    """Member and value, as a filter has it, of what records tell in one word."""
    assert operation.output_shape is not None
    listed = operation.output_shape.members[records_member(operation)]
    assert isinstance(listed, ListShape)
    shape = listed.member
    assert isinstance(shape, StructureShape)
    for member, kind in shape.members.items():
        if kind.type_name not in ("string", "boolean", "integer", "long"):
            continue
        values = {_word(one[member]) for one in found if one.get(member) not in (None, "")}
        if values:
            yield str(member), min(values)


def records(asked: Asked, operation: OperationModel) -> list[Any]:
    """What the same question is answered now, all on one page."""
    found: list[Any] = method(asked, operation)(**asked.parameters)[records_member(operation)]
    return found


def filtered(asked: Asked, operation: OperationModel, name: str, value: str) -> list[Any]:
    """The same question, with one more filter."""
    filters = [*asked.parameters.get("Filters", []), {"Name": name, "Values": [value]}]
    parameters = {**asked.parameters, "Filters": filters}
    found: list[Any] = method(asked, operation)(**parameters)[records_member(operation)]
    return found


def kebab(member: str) -> str:
    """``IpamPoolId`` as filters have it: ``ipam-pool-id``."""
    return xform_name(member, "-")


def having(found: Sequence[Mapping[str, Any]], member: str, value: str) -> list[Any]:
    """Those records whose member tells the value."""
    return [record for record in found if member in record and _word(record[member]) == value]


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
