"""Verification tokens through the API (BYOIP-2)."""

import re
from typing import Any

import pytest

from shared.errors import CadastreError
from tests.control_plane.byoip_world import NOON, Byoip, status
from tests.control_plane.test_tagging import tags_of
from tests.control_plane.world import ACCOUNT, HOME, STRANGER, WEST, on_sqlite_alone, state

UNKNOWN = "InvalidIpamExternalResourceVerificationTokenId.NotFound"
_RPC = "IpamExternalResourceVerificationToken"


async def create(byoip: Byoip, ipam_id: str, account_id: str = ACCOUNT, **members: Any) -> Any:
    answer = await byoip(f"Create{_RPC}", account_id, ipam_id=ipam_id, **members)
    return answer.ipam_external_resource_verification_token


async def listed(
    byoip: Byoip, account_id: str = ACCOUNT, region: str = HOME, **members: Any
) -> list[Any]:
    answer = await byoip(f"Describe{_RPC}s", account_id, region, **members)
    return list(answer.ipam_external_resource_verification_tokens)


async def delete(byoip: Byoip, token_id: str, account_id: str = ACCOUNT, **members: Any) -> Any:
    answer = await byoip(
        f"Delete{_RPC}",
        account_id,
        ipam_external_resource_verification_token_id=token_id,
        **members,
    )
    return answer.ipam_external_resource_verification_token


def id_of(token: Any) -> str:
    return str(token.ipam_external_resource_verification_token_id)


async def test_a_token_has_a_name_a_value_and_72_hours(byoip: Byoip) -> None:  # BYOIP-2
    ipam = await byoip.client.create_ipam()
    answer = await create(byoip, ipam.ipam_id)
    token_id = id_of(answer)
    assert token_id.startswith("ipam-ext-res-ver-token-")
    assert answer.ipam_external_resource_verification_token_arn == (
        f"arn:aws:ec2::{ACCOUNT}:ipam-external-resource-verification-token/{token_id}"
    )
    assert (answer.ipam_id, answer.ipam_arn) == (ipam.ipam_id, ipam.ipam_arn)
    assert (answer.ipam_region, state(answer), status(answer)) == (
        HOME,
        "create-in-progress",
        "valid",
    )
    assert re.fullmatch(r"\d{8}", answer.token_name)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.token_value)
    assert (answer.not_after.ToSeconds() - NOON.timestamp()) == 72 * 3600
    [found] = await listed(byoip)
    assert state(found) == "create-complete"
    found.state = answer.state
    assert found == answer


async def test_a_token_expires_by_the_clock_alone(byoip: Byoip) -> None:  # BYOIP-2
    ipam = await byoip.client.create_ipam()
    await create(byoip, ipam.ipam_id)
    byoip.pass_time(hours=72)
    assert [status(token) for token in await listed(byoip)] == ["valid"]
    byoip.pass_time(seconds=1)
    assert [status(token) for token in await listed(byoip)] == ["expired"]
    [expired] = await listed(byoip, filters=[{"name": "status", "values": ["expired"]}])
    assert not await listed(byoip, filters=[{"name": "status", "values": ["valid"]}])
    assert state(await delete(byoip, id_of(expired))) == "delete-in-progress"
    assert not await listed(byoip)


async def test_tokens_are_tagged(byoip: Byoip) -> None:
    ipam = await byoip.client.create_ipam()
    kind = "ipam-external-resource-verification-token"
    tags = [{"resource_type": kind, "tags": [{"key": "a", "value": "1"}]}]
    token_id = id_of(await create(byoip, ipam.ipam_id, tag_specifications=tags))
    await byoip.client("CreateTags", resources=[token_id], tags=[{"key": "b"}])
    await byoip.client("DeleteTags", resources=[token_id], tags=[{"key": "a"}])
    [token] = await listed(byoip, filters=[{"name": "tag-key", "values": ["b"]}])
    assert tags_of(token) == {"b": ""}


@on_sqlite_alone
async def test_tokens_are_listed_in_pages_oldest_first(byoip: Byoip) -> None:  # BEY-6
    ipam = await byoip.client.create_ipam()
    made = [id_of(await create(byoip, ipam.ipam_id)) for _ in range(6)]
    first = await byoip(f"Describe{_RPC}s", max_results=5)
    second = await byoip(f"Describe{_RPC}s", max_results=5, next_token=first.next_token)
    pages = [page.ipam_external_resource_verification_tokens for page in (first, second)]
    assert [id_of(token) for page in pages for token in page] == made
    assert not second.next_token
    named = await listed(byoip, ipam_external_resource_verification_token_ids=[made[2]])
    assert [id_of(token) for token in named] == [made[2]]


@on_sqlite_alone
async def test_a_repeated_creation_gets_the_first_answer(byoip: Byoip) -> None:  # ALLOC-7
    ipam = await byoip.client.create_ipam()
    first = await create(byoip, ipam.ipam_id, client_token="t")
    assert await create(byoip, ipam.ipam_id, client_token="t") == first
    assert len(await listed(byoip)) == 1


@on_sqlite_alone
async def test_an_ipam_has_100_tokens_at_most(byoip: Byoip) -> None:  # requirements section 14
    ipam = await byoip.client.create_ipam()
    made = [await create(byoip, ipam.ipam_id) for _ in range(100)]
    with pytest.raises(CadastreError) as refusal:
        await create(byoip, ipam.ipam_id)
    assert refusal.value.reason == "IpamExternalResourceVerificationTokenLimitExceeded"
    assert refusal.value.metadata["quota"] == "100"
    await delete(byoip, id_of(made[0]))
    await create(byoip, ipam.ipam_id)


@on_sqlite_alone
async def test_tokens_are_their_ipams_owners_alone(byoip: Byoip) -> None:  # ORG-10
    ipam = await byoip.client.create_ipam()
    token_id = id_of(await create(byoip, ipam.ipam_id))
    for forbidden in (
        create(byoip, ipam.ipam_id, STRANGER),
        delete(byoip, token_id, STRANGER),
        listed(byoip, STRANGER, ipam_external_resource_verification_token_ids=[token_id]),
        listed(byoip, region=WEST, ipam_external_resource_verification_token_ids=[token_id]),
    ):
        with pytest.raises(CadastreError) as refusal:
            await forbidden
        assert refusal.value.reason in (UNKNOWN, "InvalidIpamId.NotFound")
    assert not await listed(byoip, STRANGER)


async def test_tokens_go_with_their_ipam(byoip: Byoip) -> None:  # IPAM-9
    ipam = await byoip.client.create_ipam()
    await create(byoip, ipam.ipam_id)
    await byoip.client("DeleteIpam", ipam_id=ipam.ipam_id)
    assert not await byoip.client.ipams()
    assert not await listed(byoip)


@on_sqlite_alone
async def test_a_dry_run_changes_nothing(byoip: Byoip) -> None:
    ipam = await byoip.client.create_ipam()
    token_id = id_of(await create(byoip, ipam.ipam_id))
    for dry in (
        create(byoip, ipam.ipam_id, dry_run=True),
        delete(byoip, token_id, dry_run=True),
        listed(byoip, dry_run=True),
    ):
        with pytest.raises(CadastreError) as refusal:
            await dry
        assert refusal.value.reason == "DryRunOperation"
    assert [state(token) for token in await listed(byoip)] == ["create-complete"]
