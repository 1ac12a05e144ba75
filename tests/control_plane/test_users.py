"""Users, their keys and their policies through the API (ORG-10)."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cadastre.control.iam.v1.iam_service_pb2 import StatusType
from shared.errors import CadastreError
from shared.rpc.enums import aws_enum_name
from tests.control_plane.world import ACCOUNT, AUTHORIZATION, IAM, STRANGER, Client, World

ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
READ = '{"Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}]}'
DENY = '{"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}'


async def refused(call: Any) -> str:
    with pytest.raises(CadastreError) as refusal:
        await call
    return refusal.value.reason


async def user(control: Client, name: str = "alice", **members: Any) -> Any:
    return (await control.of(IAM, "CreateUser", user_name=name, **members)).user


async def key_of(control: Client, name: str = "alice") -> Any:
    return (await control.of(IAM, "CreateAccessKey", user_name=name)).access_key


async def statuses(control: Client, name: str = "alice") -> dict[str, str]:
    found = (await control.of(IAM, "ListAccessKeys", user_name=name)).access_key_metadata
    return {key.access_key_id: aws_enum_name(StatusType.DESCRIPTOR, key.status) for key in found}


async def test_a_user_is_made_found_and_deleted(control: Client) -> None:
    made = await user(control, tags=[{"key": "team", "value": "net"}])
    assert (made.arn, made.path) == (ALICE, "/")
    assert made.create_date.seconds
    assert [(tag.key, tag.value) for tag in made.tags] == [("team", "net")]
    found = (await control.of(IAM, "GetUser", user_name="alice")).user
    assert found == made
    listed = await control.of(IAM, "ListUsers")
    # Lists don't tell tags.
    del made.tags[:]
    assert list(listed.users) == [made]
    assert not listed.is_truncated

    await control.of(IAM, "DeleteUser", user_name="alice")
    assert await refused(control.of(IAM, "GetUser", user_name="alice")) == "NoSuchEntity"
    assert not (await control.of(IAM, "ListUsers")).users


async def test_a_user_is_its_accounts_alone(control: Client) -> None:
    await user(control)
    stranger = control.acting_as(STRANGER)
    for rpc in ("GetUser", "DeleteUser", "ListAccessKeys", "CreateAccessKey", "ListUserPolicies"):
        assert await refused(stranger.of(IAM, rpc, user_name="alice")) == "NoSuchEntity"
    assert not (await stranger.of(IAM, "ListUsers")).users
    theirs = await user(stranger)
    assert theirs.arn == f"arn:aws:iam::{STRANGER}:user/alice"


@pytest.mark.parametrize("name", ["alice", "ALICE"])
async def test_a_name_is_one_users_in_whatever_case(control: Client, name: str) -> None:
    await user(control)
    assert await refused(user(control, name)) == "EntityAlreadyExists"


async def test_users_of_one_name_made_at_once_are_one(control: Client) -> None:
    outcomes = await asyncio.gather(*(user(control) for _ in range(4)), return_exceptions=True)
    reasons = [o.reason for o in outcomes if isinstance(o, CadastreError)]
    assert reasons == ["EntityAlreadyExists"] * 3


async def test_who_gives_no_name_means_itself(control: Client) -> None:
    made = await user(control)
    alice = control.acting_as(principal=ALICE)
    assert (await alice.of(IAM, "GetUser")).user == made
    key = (await alice.of(IAM, "CreateAccessKey")).access_key
    assert key.user_name == "alice"
    assert list(await statuses(control)) == [key.access_key_id]
    assert await refused(control.of(IAM, "GetUser")) == "ValidationError"


async def test_lists_have_pages(control: Client) -> None:  # BEY-6
    names = [f"user{number}" for number in range(5)]
    for name in reversed(names):
        await user(control, name)
    pages, marker = [], ""
    while True:
        members = {"marker": marker} if marker else {}
        answer = await control.of(IAM, "ListUsers", max_items=2, **members)
        pages.append([one.user_name for one in answer.users])
        assert answer.is_truncated == answer.HasField("marker")
        if not answer.is_truncated:
            break
        marker = answer.marker
    assert pages == [names[:2], names[2:4], names[4:]]
    wrong = control.of(IAM, "ListUsers", marker="made-up")
    assert await refused(wrong) == "ValidationError"
    elsewhere = control.of(IAM, "ListUsers", marker=marker, path_prefix="/")
    assert await refused(elsewhere) == "ValidationError"


async def test_small_lists_have_pages_too(control: Client) -> None:  # BEY-6
    await user(control)
    for name in ("c", "a", "b"):
        await control.of(
            IAM, "PutUserPolicy", user_name="alice", policy_name=name, policy_document=READ
        )
    first = await control.of(IAM, "ListUserPolicies", user_name="alice", max_items=2)
    assert (list(first.policy_names), first.is_truncated) == (["a", "b"], True)
    second = await control.of(
        IAM, "ListUserPolicies", user_name="alice", max_items=2, marker=first.marker
    )
    assert (list(second.policy_names), second.is_truncated) == (["c"], False)


@pytest.mark.parametrize(("prefix", "count"), [("/", 1), ("/team/", 0)])
async def test_users_lie_at_the_one_path(control: Client, prefix: str, count: int) -> None:
    await user(control)
    assert len((await control.of(IAM, "ListUsers", path_prefix=prefix)).users) == count


async def test_a_key_lives_from_creation_to_deletion(control: Client) -> None:
    await user(control)
    first, second = await key_of(control), await key_of(control)
    assert len(first.secret_access_key) == 40
    assert first.secret_access_key != second.secret_access_key
    assert await refused(key_of(control)) == "LimitExceeded"

    ids = {"user_name": "alice", "access_key_id": first.access_key_id}
    await control.of(IAM, "UpdateAccessKey", **ids, status="INACTIVE")
    assert await statuses(control) == {
        first.access_key_id: "Inactive",
        second.access_key_id: "Active",
    }
    await control.of(IAM, "DeleteAccessKey", **ids)
    assert list(await statuses(control)) == [second.access_key_id]
    assert await refused(control.of(IAM, "DeleteAccessKey", **ids)) == "NoSuchEntity"
    gone = control.of(IAM, "UpdateAccessKey", **ids, status="ACTIVE")
    assert await refused(gone) == "NoSuchEntity"


async def test_a_key_is_no_other_users(control: Client) -> None:
    await user(control)
    await user(control, "bob")
    key = await key_of(control)
    ids = {"user_name": "bob", "access_key_id": key.access_key_id}
    assert await refused(control.of(IAM, "DeleteAccessKey", **ids)) == "NoSuchEntity"
    assert await statuses(control) == {key.access_key_id: "Active"}


async def test_a_user_goes_last(control: Client) -> None:
    await user(control)
    key = await key_of(control)
    policy = {"user_name": "alice", "policy_name": "read"}
    await control.of(IAM, "PutUserPolicy", **policy, policy_document=READ)
    assert await refused(control.of(IAM, "DeleteUser", user_name="alice")) == "DeleteConflict"
    await control.of(IAM, "DeleteAccessKey", user_name="alice", access_key_id=key.access_key_id)
    assert await refused(control.of(IAM, "DeleteUser", user_name="alice")) == "DeleteConflict"
    await control.of(IAM, "DeleteUserPolicy", **policy)
    await control.of(IAM, "DeleteUser", user_name="alice")


async def test_a_policy_is_put_replaced_and_taken(control: Client) -> None:
    await user(control)
    policy = {"user_name": "alice", "policy_name": "p"}
    for document in (READ, DENY):
        await control.of(IAM, "PutUserPolicy", **policy, policy_document=document)
        answer = await control.of(IAM, "GetUserPolicy", **policy)
        assert answer.policy_document == document
    assert list((await control.of(IAM, "ListUserPolicies", user_name="alice")).policy_names) == [
        "p"
    ]
    await control.of(IAM, "DeleteUserPolicy", **policy)
    for rpc in ("GetUserPolicy", "DeleteUserPolicy"):
        assert await refused(control.of(IAM, rpc, **policy)) == "NoSuchEntity"


async def test_a_bad_policy_changes_nothing(control: Client) -> None:
    await user(control)
    policy = {"user_name": "alice", "policy_name": "p"}
    await control.of(IAM, "PutUserPolicy", **policy, policy_document=READ)
    bad = control.of(IAM, "PutUserPolicy", **policy, policy_document="{}")
    assert await refused(bad) == "MalformedPolicyDocument"
    statements = [{"Effect": "Deny", "Action": "ec2:*", "Resource": "*"}] * 40
    long = json.dumps({"Statement": statements})
    too_long = control.of(
        IAM, "PutUserPolicy", user_name="alice", policy_name="q", policy_document=long
    )
    assert await refused(too_long) == "LimitExceeded"
    assert (await control.of(IAM, "GetUserPolicy", **policy)).policy_document == READ


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ('{"Statement":' + "[" * 900 + "]" * 900 + "}", "MalformedPolicyDocument"),
        (READ.replace('"Effect"', f'"Sid": "{" " * 10_000}", "Effect"'), "MalformedPolicyDocument"),
        (READ.replace('"Effect"', f'"Sid": "{" " * 130_000}", "Effect"'), "LimitExceeded"),
        (READ.replace("ec2:", "a" * 2048 + ":"), "LimitExceeded"),
        (READ.replace('"*"', f'"arn:{" " * 2048}"'), "LimitExceeded"),
        (READ.replace('"*"', '"arn:\\ud800"'), "MalformedPolicyDocument"),
        (READ.replace('"Effect"', f'"{"x" * 10_000}": 1, "Effect"'), "MalformedPolicyDocument"),
        (
            READ.replace('"Effect"', '"Condition": {"%s": 1}, "Effect"' % ("x" * 10_000)),
            "MalformedPolicyDocument",
        ),
    ],
    ids=["deep", "spaces", "many spaces", "action", "resource", "surrogate", "element", "operator"],
)
async def test_whatever_is_put_as_a_policy_is_refused_in_iams_words(
    control: Client, document: str, reason: str
) -> None:
    await user(control)
    policy = {"user_name": "alice", "policy_name": "p", "policy_document": document}
    assert await refused(control.of(IAM, "PutUserPolicy", **policy)) == reason
    told = await Followed(control.stream_of(AUTHORIZATION, "WatchUsers")).up_to_synced()
    assert not told[ACCOUNT].users[0].policies


class Followed:
    """What a service hears of the users."""

    def __init__(self, stream: AsyncIterator[Any]) -> None:
        self._stream = stream

    async def up_to_synced(self) -> dict[str, Any]:
        told: dict[str, Any] = {}
        async for answer in self._stream:
            if answer.HasField("synced"):
                return told
            told[answer.account.account_id] = answer.account
        raise AssertionError("the stream ended")

    async def next_users(self) -> dict[str, Any]:
        """Of the next account that changed, by name."""
        account = (await anext(self._stream)).account
        return {one.arn.rpartition("/")[2]: one for one in account.users}


async def test_services_are_told_who_may_do_what_and_by_which_keys(control: Client) -> None:
    made = await user(control)
    await user(control, "bob")
    key = await key_of(control)
    await control.of(IAM, "PutUserPolicy", user_name="alice", policy_name="p", policy_document=READ)
    told = await Followed(control.stream_of(AUTHORIZATION, "WatchUsers")).up_to_synced()
    assert list(told) == [ACCOUNT]
    alice, bob = told[ACCOUNT].users
    assert (alice.arn, alice.user_id) == (ALICE, made.user_id)
    assert [(k.access_key_id, k.secret_access_key) for k in alice.access_keys] == [
        (key.access_key_id, key.secret_access_key)
    ]
    assert [json.loads(policy) for policy in alice.policies] == [json.loads(READ)]
    assert (list(bob.access_keys), list(bob.policies)) == ([], [])


async def test_a_policy_is_told_as_it_is_written(control: Client) -> None:
    await user(control)
    condition = '{"StringEquals": {"x:y": [1.10, 1e999, "a  b\\u0041"]}}'
    document = READ.replace('"Effect"', f'"Condition": {condition},\n "Effect"')
    policy = {"user_name": "alice", "policy_name": "p", "policy_document": document}
    await control.of(IAM, "PutUserPolicy", **policy)
    told = await Followed(control.stream_of(AUTHORIZATION, "WatchUsers")).up_to_synced()
    [[told_document]] = [user.policies for user in told[ACCOUNT].users]
    values = '{"StringEquals":{"x:y":[1.10,1e999,"a  b\\u0041"]}}'
    assert told_document == (
        f'{{"Statement":[{{"Condition":{values},'
        '"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}]}'
    )


async def test_services_hear_of_every_change(control: Client) -> None:
    followed = Followed(control.stream_of(AUTHORIZATION, "WatchUsers"))
    assert await followed.up_to_synced() == {}
    await user(control)
    assert list(await followed.next_users()) == ["alice"]
    key = await key_of(control)
    assert len((await followed.next_users())["alice"].access_keys) == 1
    ids = {"user_name": "alice", "access_key_id": key.access_key_id}
    await control.of(IAM, "UpdateAccessKey", **ids, status="INACTIVE")
    told = (await followed.next_users())["alice"]
    assert (list(told.access_keys), list(told.inactive_access_key_ids)) == (
        [],
        [key.access_key_id],
    )
    await control.of(IAM, "UpdateAccessKey", **ids, status="ACTIVE")
    told = (await followed.next_users())["alice"]
    assert (len(told.access_keys), list(told.inactive_access_key_ids)) == (1, [])
    await control.of(IAM, "DeleteAccessKey", **ids)
    assert not (await followed.next_users())["alice"].access_keys
    await control.of(IAM, "DeleteUser", user_name="alice")
    assert await followed.next_users() == {}


async def test_accounts_are_told_nothing_of_others_secrets(control: Client) -> None:
    stream = control.stream_of(AUTHORIZATION, "WatchUsers", as_service="")
    assert await refused(anext(stream)) == "UnauthorizedOperation"


async def test_users_outlive_the_server(world: World) -> None:
    async with world.serving() as control:
        await user(control)
        key = await key_of(control)
    async with world.serving() as control:
        told = await Followed(control.stream_of(AUTHORIZATION, "WatchUsers")).up_to_synced()
    [alice] = told[ACCOUNT].users
    assert alice.access_keys[0].secret_access_key == key.secret_access_key
