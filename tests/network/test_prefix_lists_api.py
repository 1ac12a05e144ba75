"""Prefix lists through gRPC, on both databases."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from cadastre.common.v1 import types_pb2
from cadastre.network.v1 import network_service_pb2
from cadastre.network.v1 import prefix_list_service_pb2 as pb
from shared.caller import Caller
from shared.errors import CadastreError
from tests.network.conftest import Network
from tests.network.support import CALLER, OWNER, REGION, STRANGER, tagged

UNKNOWN = "pl-00000000000000000"
OTHERS = (replace(CALLER, account_id=STRANGER), replace(CALLER, region="us-east-1"))


async def create(api: Network, *cidrs: str, **members: Any) -> pb.ManagedPrefixList:
    wanted = {
        "prefix_list_name": "offices",
        "max_entries": 10,
        "address_family": "IPv4",
        "entries": [pb.AddPrefixListEntry(cidr=cidr) for cidr in cidrs],
    }
    request = pb.CreateManagedPrefixListRequest(**{**wanted, **members})
    made: pb.ManagedPrefixList = (await api.prefix_lists.call(request)).prefix_list
    return made


async def modify(api: Network, prefix_list_id: str, **members: Any) -> pb.ManagedPrefixList:
    request = pb.ModifyManagedPrefixListRequest(prefix_list_id=prefix_list_id, **members)
    modified: pb.ManagedPrefixList = (await api.prefix_lists.call(request)).prefix_list
    return modified


async def shown(api: Network, caller: Caller = CALLER, **members: Any) -> Any:
    request = pb.DescribeManagedPrefixListsRequest(**members)
    return (await api.prefix_lists.call(request, caller=caller)).prefix_lists


async def entries(api: Network, prefix_list_id: str, **members: Any) -> list[str]:
    request = pb.GetManagedPrefixListEntriesRequest(prefix_list_id=prefix_list_id, **members)
    answer = await api.prefix_lists.call(request)
    return [entry.cidr for entry in answer.entries]


def added(*cidrs: str) -> dict[str, Any]:
    return {"add_entries": [pb.AddPrefixListEntry(cidr=cidr) for cidr in cidrs]}


def filtered(name: str, *values: str) -> list[types_pb2.Filter]:
    return [types_pb2.Filter(name=name, values=values)]


async def test_a_list_from_its_creation_to_its_end(api: Network) -> None:
    made = await create(
        api,
        entries=[pb.AddPrefixListEntry(cidr="10.0.0.0/8", description="all")],
        tag_specifications=tagged("prefix-list", Name="ours"),
    )
    assert made == pb.ManagedPrefixList(
        prefix_list_id=made.prefix_list_id,
        address_family="IPv4",
        state=pb.PREFIX_LIST_STATE_CREATE_IN_PROGRESS,
        prefix_list_arn=f"arn:aws:ec2:{REGION}:{OWNER}:prefix-list/{made.prefix_list_id}",
        prefix_list_name="offices",
        max_entries=10,
        version=1,
        tags=[types_pb2.Tag(key="Name", value="ours")],
        owner_id=OWNER,
        ipam_prefix_list_resolver_sync_enabled=False,
    )
    made.state = pb.PREFIX_LIST_STATE_CREATE_COMPLETE
    assert list(await shown(api)) == [made]

    modified = await modify(
        api, made.prefix_list_id, current_version=1, **added("192.168.0.0/16", "172.16.0.0/12")
    )
    assert modified.state == pb.PREFIX_LIST_STATE_MODIFY_IN_PROGRESS
    renamed = await modify(
        api, made.prefix_list_id, prefix_list_name="sites", max_entries=3, current_version=2
    )
    [last] = await shown(api)
    assert (last.prefix_list_name, last.max_entries, last.version) == ("sites", 3, 2)
    assert last.state == pb.PREFIX_LIST_STATE_MODIFY_COMPLETE
    assert renamed.version == 2

    request = pb.GetManagedPrefixListEntriesRequest(prefix_list_id=made.prefix_list_id)
    assert list((await api.prefix_lists.call(request)).entries) == [
        pb.PrefixListEntry(cidr="10.0.0.0/8", description="all"),
        pb.PrefixListEntry(cidr="172.16.0.0/12"),
        pb.PrefixListEntry(cidr="192.168.0.0/16"),
    ]
    assert await entries(api, made.prefix_list_id, target_version=1) == ["10.0.0.0/8"]

    deletion = pb.DeleteManagedPrefixListRequest(prefix_list_id=made.prefix_list_id)
    deleted = (await api.prefix_lists.call(deletion)).prefix_list
    assert deleted.state == pb.PREFIX_LIST_STATE_DELETE_IN_PROGRESS
    assert list(await shown(api)) == []
    with pytest.raises(CadastreError) as refusal:
        await api.prefix_lists.call(deletion)
    assert refusal.value.reason == "InvalidPrefixListID.NotFound"


async def test_an_earlier_versions_entries_are_restored_as_a_new_version(api: Network) -> None:
    prefix_list_id = (await create(api, "10.0.0.0/8")).prefix_list_id
    await modify(api, prefix_list_id, **added("10.1.0.0/16"))

    def restoring(previous: int, current: int, **members: Any) -> Any:
        return pb.RestoreManagedPrefixListVersionRequest(
            prefix_list_id=prefix_list_id,
            previous_version=previous,
            current_version=current,
            **members,
        )

    for request, reason in (
        (restoring(1, 1), "PrefixListVersionMismatch"),
        (restoring(3, 2), "InvalidParameterValue"),
        (restoring(1, 2, dry_run=True), "DryRunOperation"),
    ):
        with pytest.raises(CadastreError) as refusal:
            await api.prefix_lists.call(request)
        assert refusal.value.reason == reason
    restored = (await api.prefix_lists.call(restoring(1, 2))).prefix_list
    assert (restored.version, restored.state) == (3, pb.PREFIX_LIST_STATE_RESTORE_IN_PROGRESS)
    [found] = await shown(api)
    assert (found.version, found.state) == (3, pb.PREFIX_LIST_STATE_RESTORE_COMPLETE)
    assert await entries(api, prefix_list_id) == ["10.0.0.0/8"]
    assert await entries(api, prefix_list_id, target_version=2) == ["10.0.0.0/8", "10.1.0.0/16"]


async def test_nothing_refers_to_a_list(api: Network) -> None:
    prefix_list_id = (await create(api)).prefix_list_id
    request = pb.GetManagedPrefixListAssociationsRequest(prefix_list_id=prefix_list_id)
    answer = await api.prefix_lists.call(request)
    assert answer == pb.GetManagedPrefixListAssociationsResponse()


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"address_family": "ipv4"}, "InvalidParameterValue"),
    ({"max_entries": 0}, "InvalidParameterValue"),
    ({"max_entries": 1001}, "InvalidParameterValue"),
    ({"prefix_list_name": "com.amazonaws.mine"}, "InvalidParameterValue"),
    ({"prefix_list_name": ""}, "MissingParameter"),
    ({"entries": [{"cidr": "fd00::/8"}]}, "InvalidParameterValue"),
    ({"entries": [{"cidr": "10.0.0.1/8"}]}, "InvalidParameterValue"),
    ({"entries": [{"cidr": "10.0.0.0/8"}] * 2}, "InvalidParameterValue"),
    ({"entries": [{"description": "nothing"}]}, "MissingParameter"),
    ({"entries": [{"cidr": f"10.0.{n}.0/24"} for n in range(101)]}, "InvalidParameterValue"),
    (
        {"max_entries": 1, "entries": [{"cidr": "10.0.0.0/8"}, {"cidr": "10.0.0.0/9"}]},
        "PrefixListMaxEntriesExceeded",
    ),
    ({"tag_specifications": tagged("vpc", a="b")}, "InvalidParameterValue"),
    ({"dry_run": True}, "DryRunOperation"),
]


async def test_what_is_refused_leaves_nothing_behind(api: Network) -> None:
    for members, reason in REFUSED:
        with pytest.raises(CadastreError) as refusal:
            await create(api, **members)
        assert (members, refusal.value.reason) == (members, reason)
    assert list(await shown(api)) == []


async def test_a_change_is_made_whole_or_not_at_all(api: Network) -> None:
    prefix_list_id = (await create(api, "10.0.0.0/8")).prefix_list_id
    [before] = await shown(api)
    refused: list[tuple[dict[str, Any], str]] = [
        ({"current_version": 2, **added("10.1.0.0/16")}, "PrefixListVersionMismatch"),
        ({"prefix_list_name": "new", **added("10.0.0.0/8")}, "InvalidPrefixListModification"),
        ({"remove_entries": [{"cidr": "10.0.0.0/9"}]}, "InvalidPrefixListModification"),
        ({"max_entries": 11, **added("10.1.0.0/16")}, "InvalidParameterCombination"),
        ({"ipam_prefix_list_resolver_sync_enabled": True}, "IncorrectState"),
        ({"dry_run": True, **added("10.1.0.0/16")}, "DryRunOperation"),
    ]
    for members, reason in refused:
        with pytest.raises(CadastreError) as refusal:
            await modify(api, prefix_list_id, **members)
        assert (members, refusal.value.reason) == (members, reason)
    dry = pb.DeleteManagedPrefixListRequest(prefix_list_id=prefix_list_id, dry_run=True)
    with pytest.raises(CadastreError, match="DryRun"):
        await api.prefix_lists.call(dry)
    assert list(await shown(api)) == [before]
    assert await entries(api, prefix_list_id) == ["10.0.0.0/8"]


async def test_of_two_changes_of_one_version_one_is_made(api: Network) -> None:
    prefix_list_id = (await create(api)).prefix_list_id
    outcomes = await asyncio.gather(
        *(
            modify(api, prefix_list_id, current_version=1, **added(f"10.{n}.0.0/16"))
            for n in range(4)
        ),
        return_exceptions=True,
    )
    refusals = [one.reason for one in outcomes if isinstance(one, CadastreError)]
    assert refusals == ["PrefixListVersionMismatch"] * 3
    assert len(await entries(api, prefix_list_id)) == 1


async def test_a_repeated_creation_gives_the_first_answer(api: Network) -> None:  # ALLOC-7
    first = await create(api, client_token="once")
    assert await create(api, client_token="once") == first
    with pytest.raises(CadastreError) as refusal:
        await create(api, client_token="once", max_entries=9)
    assert refusal.value.reason == "IdempotentParameterMismatch"
    assert len(await shown(api)) == 1


async def test_lists_come_in_pages_and_by_filter(api: Network) -> None:  # BEY-6
    made = [(await create(api, prefix_list_name=f"list {n}")).prefix_list_id for n in range(3)]
    await create(api, prefix_list_name="IPv6", address_family="IPv6")
    request = pb.DescribeManagedPrefixListsRequest(
        filters=filtered("prefix-list-name", "list ?"), max_results=2
    )
    first = await api.prefix_lists.call(request)
    request.next_token = first.next_token
    second = await api.prefix_lists.call(request)
    found = [one.prefix_list_id for page in (first, second) for one in page.prefix_lists]
    assert (found, len(first.prefix_lists), second.next_token) == (made, 2, "")
    for name, value in (("prefix-list-id", made[1]), ("prefix-list-name", "list 1")):
        [one] = await shown(api, filters=filtered(name, value))
        assert one.prefix_list_id == made[1]
    assert len(await shown(api, filters=filtered("owner-id", OWNER))) == 4
    assert len(await shown(api, prefix_list_ids=made[:2])) == 2


async def test_pages_of_entries_are_of_one_version(api: Network) -> None:
    prefix_list_id = (await create(api, *(f"10.{n}.0.0/16" for n in range(3)))).prefix_list_id
    request = pb.GetManagedPrefixListEntriesRequest(prefix_list_id=prefix_list_id, max_results=2)
    first = await api.prefix_lists.call(request)
    await modify(api, prefix_list_id, remove_entries=[{"cidr": "10.2.0.0/16"}])
    request.next_token = first.next_token
    second = await api.prefix_lists.call(request)
    found = [entry.cidr for page in (first, second) for entry in page.entries]
    assert (found, second.next_token) == (["10.0.0.0/16", "10.1.0.0/16", "10.2.0.0/16"], "")
    for version in (0, 3):
        with pytest.raises(CadastreError, match="its newest is 2") as refusal:
            await entries(api, prefix_list_id, target_version=version)
        assert refusal.value.reason == "InvalidParameterValue"


async def test_tags_are_set_and_removed(api: Network) -> None:
    prefix_list_id = (await create(api)).prefix_list_id
    tags = [types_pb2.Tag(key="Name", value="ours")]
    members: dict[str, Any] = {"resources": [prefix_list_id], "tags": tags}
    await api.vpcs.call(network_service_pb2.CreateTagsRequest(**members))
    [tag_filter] = filtered("tag:Name", "ours")
    [one] = await shown(api, filters=[tag_filter])
    assert list(one.tags) == tags
    await api.vpcs.call(network_service_pb2.DeleteTagsRequest(**members))
    assert list(await shown(api, filters=[tag_filter])) == []


@pytest.mark.parametrize("caller", OTHERS, ids=["another account", "another region"])
async def test_what_is_anothers_is_answered_like_what_is_not_there(  # BEY-12
    api: Network, caller: Caller
) -> None:
    prefix_list_id = (await create(api, "10.0.0.0/8")).prefix_list_id
    assert list(await shown(api, caller=caller)) == []
    for request in (
        pb.DescribeManagedPrefixListsRequest(prefix_list_ids=[prefix_list_id]),
        pb.ModifyManagedPrefixListRequest(prefix_list_id=prefix_list_id),
        pb.DeleteManagedPrefixListRequest(prefix_list_id=prefix_list_id),
        pb.GetManagedPrefixListEntriesRequest(prefix_list_id=prefix_list_id),
        pb.GetManagedPrefixListAssociationsRequest(prefix_list_id=prefix_list_id),
        pb.RestoreManagedPrefixListVersionRequest(
            prefix_list_id=prefix_list_id, previous_version=1, current_version=1
        ),
    ):
        with pytest.raises(CadastreError, match=f"'{prefix_list_id}' does not exist") as refusal:
            await api.prefix_lists.call(request, caller=caller)
        assert refusal.value.reason == "InvalidPrefixListID.NotFound"
    with pytest.raises(CadastreError) as refusal:
        await shown(api, prefix_list_ids=[UNKNOWN])
    assert refusal.value.reason == "InvalidPrefixListID.NotFound"
