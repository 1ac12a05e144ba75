"""Prefix lists and the targets of prefix list resolvers, as discovery has them synchronised.

On both databases.
"""

from dataclasses import replace
from typing import Any

import pytest

from cadastre.common.v1 import types_pb2
from cadastre.network.v1 import prefix_list_service_pb2
from cadastre.network.v1 import prefix_list_sync_service_pb2 as pb
from shared.caller import Caller
from shared.errors import CadastreError
from tests.network.conftest import Network
from tests.network.support import OWNER, REGION, STRANGER
from tests.network.test_prefix_lists_api import added, create, entries, modify, shown

ON_BEHALF = Caller(OWNER, REGION, "service/discovery", service="discovery")
TARGET, OTHER_TARGET = "ipam-plrt-0000000000000000a", "ipam-plrt-0000000000000000b"
UNKNOWN = "pl-00000000000000000"


def _named(prefix_list_id: str, target_id: str) -> dict[str, Any]:
    return {
        "prefix_list_id": prefix_list_id,
        "ipam_prefix_list_resolver_target_id": target_id,
    }


async def attach(
    api: Network,
    prefix_list_id: str,
    target_id: str = TARGET,
    *,
    family: types_pb2.AddressFamily.ValueType = types_pb2.ADDRESS_FAMILY_IPV4,
    caller: Caller = ON_BEHALF,
) -> None:
    request = pb.AttachPrefixListResolverTargetRequest(
        **_named(prefix_list_id, target_id), address_family=family
    )
    await api.prefix_list_sync.call(request, caller=caller)


async def put(
    api: Network, prefix_list_id: str, *cidrs: str, target_id: str = TARGET, version: int = 1
) -> int:
    request = pb.PutPrefixListEntriesRequest(
        **_named(prefix_list_id, target_id), resolver_version=version, cidrs=cidrs
    )
    answer = await api.prefix_list_sync.call(request, caller=ON_BEHALF)
    made: int = answer.prefix_list_version
    return made


async def detach(api: Network, prefix_list_id: str, target_id: str = TARGET) -> None:
    request = pb.DetachPrefixListResolverTargetRequest(**_named(prefix_list_id, target_id))
    await api.prefix_list_sync.call(request, caller=ON_BEHALF)


async def test_a_list_follows_its_target_until_that_lets_go(api: Network) -> None:
    prefix_list_id = (await create(api, "10.0.0.0/8", "10.9.0.0/16")).prefix_list_id
    for _ in range(2):
        await attach(api, prefix_list_id)
    [known] = await shown(api)
    assert known.ipam_prefix_list_resolver_target_id == TARGET
    assert known.ipam_prefix_list_resolver_sync_enabled

    assert await put(api, prefix_list_id, "10.2.0.0/16", "10.0.0.0/8", version=3) == 2
    assert await entries(api, prefix_list_id) == ["10.0.0.0/8", "10.2.0.0/16"]
    # The same again is no new version, whatever order it comes in.
    assert await put(api, prefix_list_id, "10.0.0.0/8", "10.2.0.0/16", version=4) == 2
    [known] = await shown(api)
    assert known.version == 2
    assert known.state == prefix_list_service_pb2.PREFIX_LIST_STATE_MODIFY_COMPLETE
    assert "version 4" in known.state_message

    await detach(api, prefix_list_id, OTHER_TARGET)
    [still] = await shown(api)
    assert still == known
    for _ in range(2):
        await detach(api, prefix_list_id)
    [free] = await shown(api)
    assert not free.HasField("ipam_prefix_list_resolver_target_id")
    assert not free.ipam_prefix_list_resolver_sync_enabled
    assert await entries(api, prefix_list_id) == ["10.0.0.0/8", "10.2.0.0/16"]
    await modify(api, prefix_list_id, **added("10.3.0.0/16"))
    deletion = prefix_list_service_pb2.DeleteManagedPrefixListRequest(prefix_list_id=prefix_list_id)
    await api.prefix_lists.call(deletion)
    await detach(api, prefix_list_id)


async def test_a_synchronised_list_is_the_targets_alone(api: Network) -> None:
    prefix_list_id = (await create(api, "10.0.0.0/8")).prefix_list_id
    await attach(api, prefix_list_id)
    deletion = prefix_list_service_pb2.DeleteManagedPrefixListRequest(prefix_list_id=prefix_list_id)
    for change in (
        modify(api, prefix_list_id, **added("10.3.0.0/16")),
        api.prefix_lists.call(deletion),
        attach(api, prefix_list_id, OTHER_TARGET),
        put(api, prefix_list_id, target_id=OTHER_TARGET),
    ):
        with pytest.raises(CadastreError) as refusal:
            await change
        assert refusal.value.reason == "IncorrectState"

    await modify(api, prefix_list_id, ipam_prefix_list_resolver_sync_enabled=False)
    await modify(api, prefix_list_id, **added("10.3.0.0/16"))
    with pytest.raises(CadastreError, match="disabled") as refusal:
        await put(api, prefix_list_id, "10.1.0.0/16")
    assert refusal.value.reason == "IncorrectState"
    assert await entries(api, prefix_list_id) == ["10.0.0.0/8", "10.3.0.0/16"]
    await modify(api, prefix_list_id, ipam_prefix_list_resolver_sync_enabled=True)
    assert await put(api, prefix_list_id) == 3
    assert await entries(api, prefix_list_id) == []


async def test_what_a_list_can_not_have_changes_nothing(api: Network) -> None:
    prefix_list_id = (await create(api, "10.0.0.0/8", max_entries=2)).prefix_list_id
    with pytest.raises(CadastreError, match="IPv6") as refusal:
        await attach(api, prefix_list_id, family=types_pb2.ADDRESS_FAMILY_IPV6)
    assert refusal.value.reason == "InvalidParameterCombination"
    await attach(api, prefix_list_id)
    for cidrs, reason in (
        (["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"], "PrefixListMaxEntriesExceeded"),
        (["fd00::/8"], "InvalidParameterValue"),
        (["nothing"], "InvalidParameterValue"),
    ):
        with pytest.raises(CadastreError) as refusal:
            await put(api, prefix_list_id, *cidrs)
        assert refusal.value.reason == reason
    assert await entries(api, prefix_list_id) == ["10.0.0.0/8"]


async def test_a_list_is_looked_up_beforehand(api: Network) -> None:
    made = await create(api, address_family="IPv6", max_entries=7)
    request = pb.GetPrefixListSummaryRequest(prefix_list_id=made.prefix_list_id)
    assert await api.prefix_list_sync.call(
        request, caller=ON_BEHALF
    ) == pb.GetPrefixListSummaryResponse(
        address_family=types_pb2.ADDRESS_FAMILY_IPV6,
        max_entries=7,
        version=1,
        state="create-complete",
    )


@pytest.mark.parametrize(
    "caller",
    [replace(ON_BEHALF, account_id=STRANGER), replace(ON_BEHALF, region="us-east-1")],
    ids=["another account", "another region"],
)
async def test_a_target_gets_lists_of_its_own_account_alone(  # BEY-12
    api: Network, caller: Caller
) -> None:
    prefix_list_id = (await create(api)).prefix_list_id
    with pytest.raises(CadastreError) as refusal:
        await attach(api, prefix_list_id, caller=caller)
    assert refusal.value.reason == "InvalidPrefixListID.NotFound"
    with pytest.raises(CadastreError) as refusal:
        await put(api, UNKNOWN)
    assert refusal.value.reason == "InvalidPrefixListID.NotFound"


async def test_accounts_do_not_synchronise_lists(api: Network) -> None:  # ORG-10
    prefix_list_id = (await create(api)).prefix_list_id
    caller = replace(ON_BEHALF, service="")
    with pytest.raises(CadastreError) as refusal:
        await attach(api, prefix_list_id, caller=caller)
    assert refusal.value.reason == "UnauthorizedOperation"
