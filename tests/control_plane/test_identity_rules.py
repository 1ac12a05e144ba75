"""The rules about users, their keys and policies, and service-linked roles."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadastre.control.v1.authorization_service_pb2 import WatchUsersResponse
from services.control_plane.identity import names, policy, service_role, user
from services.control_plane.identity.policy import LONGEST_AS_GIVEN, LONGEST_IN_ALL, UserPolicy
from services.control_plane.identity.service_role import IPAM_LINK, ServiceRole, Usage
from services.control_plane.identity.user import (
    LONGEST_USER_NAME,
    MOST_KEYS,
    MOST_USERS,
    AccessKey,
    AccountUsers,
    KeyStatus,
    User,
    UserCredentials,
)
from services.control_plane.servicer.identity_messages import account_users_to_proto
from shared.encryption_keys import EncryptionKeys
from shared.errors import CadastreError
from shared.rpc.client import MAX_MESSAGE_BYTES

ACCOUNT = "123456789012"
THEN = datetime(2026, 1, 2, tzinfo=UTC)
ALLOW_ALL = '{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'


def a_key(number: int) -> AccessKey:
    return AccessKey(
        access_key_id=f"AKIA{number:016}",
        user_id="AIDA",
        status=KeyStatus.ACTIVE,
        created_at=THEN,
        encrypted_secret=b"hidden",
    )


def a_user() -> User:
    return User(user_id="AIDA", account_id=ACCOUNT, user_name="alice", created_at=THEN, tags={})


def refused(reason: str, check: Callable[[], Any]) -> str:
    with pytest.raises(CadastreError) as refusal:
        check()
    assert refusal.value.reason == reason
    return refusal.value.message


@pytest.mark.parametrize("name", ["a", "Alice", "a.b-c_d+e=f,g@h", "0" * 64])
def test_a_name_of_iams_letters_is_taken(name: str) -> None:
    assert names.check_name(name, "userName", 64) == name


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a:b", "é", "a\n", "0" * 65])
def test_another_name_is_refused(name: str) -> None:
    assert name in refused("ValidationError", lambda: names.check_name(name, "userName", 64))


@given(st.text("abcXYZ019_+=,.@-", min_size=1, max_size=64))
def test_the_name_is_what_the_arn_ends_with(name: str) -> None:
    assert names.user_name_of(names.user_arn(ACCOUNT, name), ACCOUNT) == name


@pytest.mark.parametrize(
    "principal",
    [
        "arn:aws:sts::123456789012:assumed-role/OrganizationAccountAccessRole/me",
        "arn:aws:iam::210987654321:user/alice",
        "service/gateway",
        "",
    ],
)
def test_who_is_no_user_of_the_account_has_no_user_name(principal: str) -> None:
    refused("ValidationError", lambda: names.user_name_of(principal, ACCOUNT))


def test_users_have_one_path() -> None:
    names.check_path("/")
    assert "/team/" in refused("InvalidInput", lambda: names.check_path("/team/"))


@pytest.mark.parametrize("make", [names.new_user_id, names.new_role_id])
def test_ids_are_aws_s_and_never_the_same(make: Callable[[], str]) -> None:
    ids = {make() for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch(r"A(IDA|ROA)[A-Z2-7]{17}", one) for one in ids)


def test_a_user_has_two_keys_at_most() -> None:  # ORG-10
    user.check_room_for_key("alice", [])
    user.check_room_for_key("alice", [a_key(1)])
    refused("LimitExceeded", lambda: user.check_room_for_key("alice", [a_key(1), a_key(2)]))


def test_an_account_has_so_many_users_at_most() -> None:
    user.check_room_for_user(ACCOUNT, user.MOST_USERS - 1)
    refused("LimitExceeded", lambda: user.check_room_for_user(ACCOUNT, user.MOST_USERS))


def test_a_user_goes_when_it_has_nothing_any_more() -> None:
    user.check_deletable(a_user(), [], [])


@pytest.mark.parametrize(
    ("keys", "policies", "named"),
    [
        ([a_key(1)], [], "AKIA0000000000000001"),
        ([], [UserPolicy("reader", ALLOW_ALL)], "reader"),
        ([a_key(1)], [UserPolicy("reader", ALLOW_ALL)], "AKIA0000000000000001"),
    ],
    ids=["keys", "policies", "both"],
)
def test_a_user_that_has_something_stays(
    keys: list[AccessKey], policies: list[UserPolicy], named: str
) -> None:
    message = refused("DeleteConflict", lambda: user.check_deletable(a_user(), keys, policies))
    assert named in message


def test_a_key_is_set_to_hold_or_not() -> None:
    assert user.check_settable(KeyStatus.ACTIVE) is KeyStatus.ACTIVE
    assert user.check_settable(KeyStatus.INACTIVE) is KeyStatus.INACTIVE
    refused("ValidationError", lambda: user.check_settable(KeyStatus.EXPIRED))


def test_a_key_does_not_show_its_secret() -> None:
    assert "hidden" not in repr(a_key(1))


@pytest.mark.parametrize(
    "document",
    [
        "",
        "{}",
        "not JSON",
        '{"Statement":[]}',
        '{"Statement":[{"Effect":"Maybe","Action":"*","Resource":"*"}]}',
        '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}',
        ALLOW_ALL.replace("*", "ec2:\N{SNOWMAN}", 1),
    ],
)
def test_what_is_no_policy_is_refused(document: str) -> None:  # ORG-10
    refused("MalformedPolicyDocument", lambda: policy.check_document(document))


def test_a_policy_is_kept_as_it_was_given() -> None:
    document = json.dumps(json.loads(ALLOW_ALL), indent=4)
    assert policy.check_document(document) == document


@given(st.text(" \t\r\n", max_size=50), st.integers(0, 3))
def test_white_space_does_not_count(space: str, place: int) -> None:
    pieces = ALLOW_ALL.partition("[")
    spaced = (space if place == 0 else "") + pieces[0] + space + pieces[1] + space + pieces[2]
    assert UserPolicy("p", spaced).told_document == ALLOW_ALL


def test_white_space_in_strings_counts() -> None:
    spaced = ALLOW_ALL.replace('"*"', '"ec2:*%s"' % (" " * LONGEST_IN_ALL), 1)
    message = refused(
        "LimitExceeded", lambda: policy.check_total_size("alice", [UserPolicy("p", spaced)])
    )
    assert str(len(spaced)) in message


@pytest.mark.parametrize(("character", "longest"), [("x", LONGEST_IN_ALL), (" ", LONGEST_AS_GIVEN)])
def test_a_users_policies_are_bounded_together(character: str, longest: int) -> None:
    half = UserPolicy("half", character * (longest // 2))
    policy.check_total_size("alice", [half, half])
    one_more = [half, half, UserPolicy("one", character)]
    message = refused("LimitExceeded", lambda: policy.check_total_size("alice", one_more))
    assert str(longest + 1) in message


def test_a_document_is_not_looked_at_when_it_is_longer_than_all_may_be() -> None:
    longest = ALLOW_ALL + " " * (LONGEST_AS_GIVEN - len(ALLOW_ALL))
    assert policy.check_document(longest) == longest
    for document in (f"{longest} ", "[" * (LONGEST_AS_GIVEN + 1)):
        message = refused("LimitExceeded", partial(policy.check_document, document))
        assert str(LONGEST_AS_GIVEN + 1) in message


def test_the_largest_account_fits_into_a_message() -> None:
    keys = EncryptionKeys([b"k" * 32])
    smallest = len('{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}')
    names = [f"{number:0{LONGEST_USER_NAME}}" for number in range(MOST_USERS)]
    # As many documents as there is room for, of characters that take two bytes.
    policies = [UserPolicy("p", "ÿ" * smallest)] * (LONGEST_IN_ALL // smallest)
    policies.append(UserPolicy("p", "ÿ" * (LONGEST_IN_ALL % smallest)))
    policy.check_total_size("alice", policies)

    def access_key(number: int) -> AccessKey:
        secret = keys.encrypt(b"s" * 40, bound_to=a_key(number).access_key_id)
        return replace(a_key(number), encrypted_secret=secret)

    users = [
        UserCredentials(
            replace(a_user(), user_name=name, user_id="A" * 21),
            [access_key(number) for number in range(MOST_KEYS)],
            policies,
        )
        for name in names
    ]
    told = account_users_to_proto(AccountUsers(ACCOUNT, 2**63 - 1, users), keys)
    assert WatchUsersResponse(account=told).ByteSize() < MAX_MESSAGE_BYTES


def test_ipams_role_is_the_guides() -> None:  # ORG-2
    role = ServiceRole(
        account_id=ACCOUNT, link=IPAM_LINK, role_id="AROA", description="", created_at=THEN
    )
    assert role.arn == (
        "arn:aws:iam::123456789012:role/aws-service-role/ipam.amazonaws.com/AWSServiceRoleForIPAM"
    )
    [statement] = json.loads(IPAM_LINK.trust_policy)["Statement"]
    assert statement["Principal"] == {"Service": "ipam.amazonaws.com"}


@pytest.mark.parametrize(
    ("service_name", "suffix"), [("ec2.amazonaws.com", ""), ("ipam.amazonaws.com", "mine")]
)
def test_there_is_no_other_service_linked_role(service_name: str, suffix: str) -> None:
    refused("InvalidInput", lambda: service_role.link_of_service(service_name, suffix))


USAGE = Usage("us-east-1", ("arn:aws:ec2::123456789012:ipam/ipam-1",))


@pytest.mark.parametrize(
    ("usages", "organization_id", "why"),
    [
        ([], None, None),
        ([USAGE], None, "IPAM resources"),
        ([], "o-exampleorgid", "o-exampleorgid"),
        ([USAGE], "o-exampleorgid", "IPAM resources"),
    ],
    ids=["unneeded", "resources", "organization", "both"],
)
def test_the_role_stays_while_ipam_needs_it(  # ORG-2
    usages: list[Usage], organization_id: str | None, why: str | None
) -> None:
    found = service_role.why_it_stays(usages, organization_id)
    assert found is None if why is None else found and why in found
