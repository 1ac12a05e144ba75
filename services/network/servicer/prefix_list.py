"""PrefixListService: messages to use cases and back."""

from collections.abc import Iterator

from cadastre.network.v1 import prefix_list_service_pb2 as pb
from cadastre.network.v1 import prefix_list_service_pb2_grpc
from services.network.prefix_list import PrefixList
from services.network.service.prefix_lists import EntriesOfVersion, PrefixLists, PrefixListsAfter
from services.network.servicer.listing import matching
from services.network.servicer.messages import given
from services.network.servicer.once import once_of
from services.network.servicer.prefix_list_messages import (
    change_from_proto,
    entry_to_proto,
    new_prefix_list_from_proto,
    prefix_list_to_proto,
)
from shared.filters import FilterSet
from shared.paging import key_of_token, paginate
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of


class PrefixListServicer(prefix_list_service_pb2_grpc.PrefixListServiceServicer):
    """Translates; what is decided is decided in ``service``.

    Everything is complete when it is answered. The answers say "in progress" all the same, as EC2's
    do; the next describe says what is true.
    """

    def __init__(self, prefix_lists: PrefixLists) -> None:
        self._prefix_lists = prefix_lists

    async def CreateManagedPrefixList(
        self, request: pb.CreateManagedPrefixListRequest, context: Context
    ) -> pb.CreateManagedPrefixListResponse:
        caller = caller_of(context)
        first = await self._prefix_lists.create(
            caller,
            new_prefix_list_from_proto(request),
            _created,
            once=once_of(request, caller),
            dry_run=request.dry_run,
        )
        return pb.CreateManagedPrefixListResponse.FromString(first)

    async def DescribeManagedPrefixLists(
        self, request: pb.DescribeManagedPrefixListsRequest, context: Context
    ) -> pb.DescribeManagedPrefixListsResponse:
        filters = FilterSet(request.filters, pb.ManagedPrefixList.DESCRIPTOR)

        def page(found: PrefixListsAfter) -> tuple[list[pb.ManagedPrefixList], str | None]:
            return paginate(
                request, lambda after: matching(filters, found(after), prefix_list_to_proto)
            )

        records, token = await self._prefix_lists.describe(
            caller_of(context), request.prefix_list_ids, page
        )
        return pb.DescribeManagedPrefixListsResponse(prefix_lists=records, next_token=token)

    async def ModifyManagedPrefixList(
        self, request: pb.ModifyManagedPrefixListRequest, context: Context
    ) -> pb.ModifyManagedPrefixListResponse:
        modified = await self._prefix_lists.modify(
            caller_of(context),
            request.prefix_list_id,
            change_from_proto(request),
            dry_run=request.dry_run,
        )
        return pb.ModifyManagedPrefixListResponse(
            prefix_list=prefix_list_to_proto(modified, pb.PREFIX_LIST_STATE_MODIFY_IN_PROGRESS)
        )

    async def RestoreManagedPrefixListVersion(
        self, request: pb.RestoreManagedPrefixListVersionRequest, context: Context
    ) -> pb.RestoreManagedPrefixListVersionResponse:
        restored = await self._prefix_lists.restore(
            caller_of(context),
            request.prefix_list_id,
            previous_version=request.previous_version,
            current_version=request.current_version,
            dry_run=request.dry_run,
        )
        return pb.RestoreManagedPrefixListVersionResponse(
            prefix_list=prefix_list_to_proto(restored, pb.PREFIX_LIST_STATE_RESTORE_IN_PROGRESS)
        )

    async def GetManagedPrefixListAssociations(
        self, request: pb.GetManagedPrefixListAssociationsRequest, context: Context
    ) -> pb.GetManagedPrefixListAssociationsResponse:
        await self._prefix_lists.check(caller_of(context), request.prefix_list_id)
        return pb.GetManagedPrefixListAssociationsResponse()

    async def DeleteManagedPrefixList(
        self, request: pb.DeleteManagedPrefixListRequest, context: Context
    ) -> pb.DeleteManagedPrefixListResponse:
        deleted = await self._prefix_lists.delete(
            caller_of(context), request.prefix_list_id, dry_run=request.dry_run
        )
        return pb.DeleteManagedPrefixListResponse(
            prefix_list=prefix_list_to_proto(deleted, pb.PREFIX_LIST_STATE_DELETE_IN_PROGRESS)
        )

    async def GetManagedPrefixListEntries(
        self, request: pb.GetManagedPrefixListEntriesRequest, context: Context
    ) -> pb.GetManagedPrefixListEntriesResponse:
        found = await self._prefix_lists.entries(
            caller_of(context), request.prefix_list_id, _version_of(request)
        )
        records, token = paginate(request, lambda after: _entries_after(found, after))
        return pb.GetManagedPrefixListEntriesResponse(entries=records, next_token=token)


def _created(prefix_list: PrefixList) -> pb.CreateManagedPrefixListResponse:
    state = pb.PREFIX_LIST_STATE_CREATE_IN_PROGRESS
    return pb.CreateManagedPrefixListResponse(prefix_list=prefix_list_to_proto(prefix_list, state))


def _version_of(request: pb.GetManagedPrefixListEntriesRequest) -> int | None:
    """Later pages are of the version that the first was of."""
    key = key_of_token(request, request.next_token)
    version: int | None = int(key.split("/")[0]) if key else given(request, "target_version")
    return version


def _entries_after(
    found: EntriesOfVersion, key: str | None
) -> Iterator[tuple[str, pb.PrefixListEntry]]:
    first = int(key.split("/")[1]) + 1 if key else 0
    for index, entry in enumerate(found.entries[first:], first):
        yield f"{found.version}/{index}", entry_to_proto(entry)
