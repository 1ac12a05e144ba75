"""Messages about prefix lists, from and to what they mean here."""

from collections.abc import Iterable

from cadastre.network.v1 import prefix_list_service_pb2 as pb
from services.network.prefix_list import PrefixList, PrefixListState, family_name, family_of
from services.network.prefix_list_change import Change, Entry, EntryChange
from services.network.service.prefix_lists import NewPrefixList
from services.network.servicer.messages import given
from shared.cidr import Cidr
from shared.tags import tags_from_specifications, tags_to_proto

State = pb.PrefixListState

_STATES = {
    PrefixListState.CREATE_COMPLETE: pb.PREFIX_LIST_STATE_CREATE_COMPLETE,
    PrefixListState.MODIFY_COMPLETE: pb.PREFIX_LIST_STATE_MODIFY_COMPLETE,
    PrefixListState.RESTORE_COMPLETE: pb.PREFIX_LIST_STATE_RESTORE_COMPLETE,
}


def new_prefix_list_from_proto(request: pb.CreateManagedPrefixListRequest) -> NewPrefixList:
    return NewPrefixList(
        name=request.prefix_list_name,
        family=family_of(request.address_family),
        max_entries=request.max_entries,
        entries=_entries_from_proto(request.entries),
        tags=tags_from_specifications(request.tag_specifications, "prefix-list"),
    )


def change_from_proto(request: pb.ModifyManagedPrefixListRequest) -> Change:
    return Change(
        current_version=given(request, "current_version"),
        name=given(request, "prefix_list_name"),
        max_entries=given(request, "max_entries"),
        is_synchronised=given(request, "ipam_prefix_list_resolver_sync_enabled"),
        entries=EntryChange(
            added=_entries_from_proto(request.add_entries),
            removed=tuple(Cidr.parse(entry.cidr) for entry in request.remove_entries),
        ),
    )


def prefix_list_to_proto(
    prefix_list: PrefixList, state: State.ValueType | None = None
) -> pb.ManagedPrefixList:
    """``state`` is its own unless it is given."""
    return pb.ManagedPrefixList(
        prefix_list_id=prefix_list.prefix_list_id,
        address_family=family_name(prefix_list.family),
        state=_STATES[prefix_list.state] if state is None else state,
        state_message=prefix_list.state_message,
        prefix_list_arn=prefix_list.arn,
        prefix_list_name=prefix_list.name,
        max_entries=prefix_list.max_entries,
        version=prefix_list.version,
        tags=tags_to_proto(prefix_list.tags),
        owner_id=prefix_list.owner_id,
        ipam_prefix_list_resolver_target_id=prefix_list.resolver_target_id,
        ipam_prefix_list_resolver_sync_enabled=prefix_list.is_synchronised,
    )


def entry_to_proto(entry: Entry) -> pb.PrefixListEntry:
    return pb.PrefixListEntry(cidr=str(entry.cidr), description=entry.description)


def _entries_from_proto(entries: Iterable[pb.AddPrefixListEntry]) -> tuple[Entry, ...]:
    return tuple(Entry(Cidr.parse(entry.cidr), given(entry, "description")) for entry in entries)
