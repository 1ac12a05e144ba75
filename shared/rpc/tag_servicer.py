"""DescribeTags, as every context that has resources with tags serves it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from cadastre.common.tags.v1 import tag_service_pb2 as pb
from cadastre.common.tags.v1 import tag_service_pb2_grpc
from cadastre.common.v1 import types_pb2
from shared.caller import Caller
from shared.filters import FilterSet, literal_pieces
from shared.paging import paginate
from shared.persistence.tagged import ResourceTag, TagsAfter, Wanted
from shared.rpc.interceptor import Context, caller_of
from shared.rpc.wiring import Binding

TAG_SERVICE = "cadastre.common.tags.v1.TagService"

_NAMES = ("key", "resource-id", "resource-type", "value", "tag:KEY")
_OF_KEY = "tag:"
# With more of them, finding them in the database costs more than reading the tags.
_MOST_TEXTS = 10

T = TypeVar("T")
Page = tuple[list[pb.TagDescription], str | None]


class Tags(Protocol):
    """Where the tags are."""

    async def ask(self, caller: Caller, question: Callable[[TagsAfter], T]) -> T: ...


class TagServicer(tag_service_pb2_grpc.TagServiceServicer):
    """Lists one context's tags."""

    def __init__(self, tags: Tags) -> None:
        self._tags = tags

    async def DescribeTags(
        self, request: pb.DescribeTagsRequest, context: Context
    ) -> pb.DescribeTagsResponse:
        passes = passing(request.filters)
        wanted = wanted_by(request.filters)

        def page(tags: TagsAfter) -> Page:
            def records_after(after: str | None) -> Iterator[tuple[str, pb.TagDescription]]:
                for key, tag in tags(after, wanted=wanted):
                    record = _to_proto(tag)
                    if passes(record):
                        yield key, record

            return paginate(request, records_after)

        records, token = await self._tags.ask(caller_of(context), page)
        return pb.DescribeTagsResponse(tags=records, next_token=token)


def tag_binding(tags: Tags) -> Binding:
    return Binding(
        tag_service_pb2_grpc.add_TagServiceServicer_to_server, TagServicer(tags), TAG_SERVICE
    )


def _to_proto(tag: ResourceTag) -> pb.TagDescription:
    return pb.TagDescription(
        key=tag.key,
        resource_id=tag.resource_id,
        resource_type=tag.resource_type,
        value=tag.value,
    )


def passing(filters: Sequence[types_pb2.Filter]) -> Callable[[pb.TagDescription], bool]:
    """``tag:KEY`` asks for tags of this key with one of the values; others are as everywhere.

    Raises:
        InvalidParameterValue: a filter that tags are not found by.
    """
    record = pb.TagDescription.DESCRIPTOR
    by_key = [
        (one.name.removeprefix(_OF_KEY), types_pb2.Filter(name="value", values=one.values))
        for one in filters
        if one.name.startswith(_OF_KEY)
    ]
    others = FilterSet(
        [one for one in filters if not one.name.startswith(_OF_KEY)], record, only=_NAMES
    )
    values = [(key, FilterSet([wanted], record)) for key, wanted in by_key]
    return lambda tag: (
        others.matches(tag)
        and all(tag.key == key and wanted.matches(tag) for key, wanted in values)
    )


def wanted_by(filters: Sequence[types_pb2.Filter]) -> Wanted:
    """What has to be read for these filters."""
    of_type = FilterSet(
        [one for one in filters if one.name == "resource-type"], pb.TagDescription.DESCRIPTOR
    )
    ids: set[str] | None = None
    texts: list[Sequence[Sequence[str]]] = []
    for one in filters:
        pieces = [literal_pieces(value) for value in one.values]
        if one.name == "resource-id" and all(len(some) == 1 for some in pieces):
            exact = {text for [text] in pieces}
            ids = exact if ids is None else ids & exact
        if one.name.startswith(_OF_KEY):
            texts.append([[one.name.removeprefix(_OF_KEY)]])
        if not one.name.startswith("resource-") and len(pieces) <= _MOST_TEXTS:
            texts.append(pieces)
    return Wanted(ids, lambda name: of_type.matches(pb.TagDescription(resource_type=name)), texts)
